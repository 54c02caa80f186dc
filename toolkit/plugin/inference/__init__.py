"""The statistics that plugins share: tails of distributions, the block jackknife, tables of counts, effect sizes.

Rows of a real table are seldom independent, so that no formula here takes the number of rows for the number of
observations: standard errors come from contiguous blocks of rows. An effect is a finding only when the end of its
interval that is nearest to zero passes `MINIMUM_EFFECTS`; every test counts, also those that find nothing.
"""

from __future__ import annotations

from toolkit.plugin.inference.correlations import correlation_estimates
from toolkit.plugin.inference.effects import (
    MINIMUM_EFFECTS,
    beyond,
    cliffs_delta,
    eta_squared,
    hedges_g,
    ks_distance,
    stability_index,
    wasserstein_bounds,
)
from toolkit.plugin.inference.jackknife import Estimates, block_jackknife, effective_blocks, jackknife_of_sums
from toolkit.plugin.inference.multiplicity import q_values
from toolkit.plugin.inference.tables import TableTest, adjusted_residuals, chi_square, cramers_v, fit_test, table_test
from toolkit.plugin.inference.tails import log10_chi2, log10_f, log10_normal, log10_t, t_quantile

__all__ = [
    "MINIMUM_EFFECTS",
    "Estimates",
    "TableTest",
    "adjusted_residuals",
    "beyond",
    "block_jackknife",
    "chi_square",
    "cliffs_delta",
    "correlation_estimates",
    "cramers_v",
    "effective_blocks",
    "eta_squared",
    "fit_test",
    "hedges_g",
    "jackknife_of_sums",
    "ks_distance",
    "log10_chi2",
    "log10_f",
    "log10_normal",
    "log10_t",
    "q_values",
    "stability_index",
    "t_quantile",
    "table_test",
    "wasserstein_bounds",
]
