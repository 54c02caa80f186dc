"""One pair of categories: its table, the size of the association and the test."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin import Context
from toolkit.plugin.inference import TableTest, cramers_v, jackknife_of_sums, log10_t, table_test
from toolkit.plugin.inference.jackknife import FEWEST_FILLED
from toolkit.plugin.kept_levels import KeptLevels, kept_levels, mostly_pooled

Counts = npt.NDArray[np.int64]

STRONG = 0.5
"""Cramér's V beyond which its whole interval has to lie for its strength to be tested by itself."""

FEWEST_FREE = 5.0
"""Degrees of freedom that it takes: columns that change a few times along the table are tied by chance."""

TWO = math.log10(2.0)

FEWEST_EXPECTED = 5
"""Expected count from which the chi-square distribution is trusted."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A pair of columns.

    Attributes
    ----------
    names : tuple of str
        The columns.
    levels : tuple of KeptLevels
        Their values.
    blocks : ndarray of int64, shape (64, values, values)
        Rows by block, first and second value, where neither is missing.
    v, interval : float, tuple of float
        Cramér's V and its 95 % interval.
    test : TableTest
        Rao and Scott's test.
    log10_p : float
        Of the test, or of Fisher's where that is the weaker.
    fisher_log10_p : float or None
        Of Fisher's exact test, where it was needed.
    """

    names: tuple[str, str]
    levels: tuple[KeptLevels, KeptLevels]
    blocks: Counts
    v: float
    interval: tuple[float, float]
    test: TableTest
    log10_p: float
    fisher_log10_p: float | None

    @property
    def table(self) -> Counts:
        """Rows by first and second value."""
        total: Counts = self.blocks.sum(axis=0)
        return total

    def to_json(self) -> dict[str, Any]:
        """The statistics as plain values."""
        return {
            "columns": list(self.names),
            "rows": int(self.blocks.sum()),
            "values": [len(level.labels) for level in self.levels],
            "cramers_v": self.v,
            "interval": list(self.interval),
            "chi2": self.test.chi2,
            "df": self.test.df,
            "design_effect": self.test.design_effect,
            "blocks": self.test.blocks,
            "fisher_log10_p": self.fisher_log10_p,
            "log10_p": self.log10_p,
        }


def analyse(ctx: Context, first: str, second: str) -> Pair | None:
    """Test a pair.

    None where one of the two has fewer than two values or mostly values that are not kept, or where too few blocks of
    rows have any.
    """
    result = ctx.kernel("pairs", first, second)
    if any(mostly_pooled(result[side]) for side in ("first", "second")):
        return None
    cells = result["blocks"][:, :-1, :-1]
    total = cells.sum(axis=0)
    if not total.sum():
        return None
    sizes = (total.sum(axis=1), total.sum(axis=0))
    # A value that reaches no expected count of 5, not even beside the commonest value, tells nothing by itself.
    least = [FEWEST_EXPECTED * total.sum() / max(int(other.max()), 1) for other in reversed(sizes)]
    levels = (
        kept_levels(ctx, first, result["first"], sizes[0], least[0]),
        kept_levels(ctx, second, result["second"], sizes[1], least[1]),
    )
    blocks = levels[1].fold(levels[0].fold(cells, 1), 2)
    test = table_test(blocks)
    if test.blocks < FEWEST_FILLED:
        return None
    found = jackknife_of_sums(blocks, cramers_v, blocks.sum(axis=(1, 2)))
    low, high = (float(end) for end in found.interval())
    fisher = _fisher(blocks.sum(axis=0))
    log10_p = test.log10_p if fisher is None else max(test.log10_p, fisher)
    if low >= STRONG and test.freedom >= FEWEST_FREE:
        # The test above is held back by how many values a table has, whatever the strength.
        strength = strength_log10_p(float(found.value), float(found.error), test.freedom)
        log10_p = min(min(log10_p, strength) + TWO, 0.0)
    interval = (float(np.maximum(low, 0.0)), float(np.minimum(high, 1.0)))
    return Pair((first, second), levels, blocks, float(found.value), interval, test, log10_p, fisher)


def strength_log10_p(v: float, error: float, df: float) -> float:
    """Decimal logarithm of the one-sided p-value of a V of at most one half, by Student's t of the block jackknife.

    Where blocks don't differ, the error is taken to be a thousandth.

    Examples
    --------
    >>> round(strength_log10_p(1.0, 0.0, 15.0)), round(strength_log10_p(0.52, 0.02, 15.0), 1)
    (-33, -0.8)
    """
    two_sided = log10_t((v - STRONG) / max(error, 1e-3), df)
    return two_sided - TWO if v > STRONG else 0.0


def _fisher(table: Counts) -> float | None:
    """Decimal logarithm of Fisher's exact p-value, for 2 x 2 values with an expected count below 5."""
    from scipy import stats

    filled = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    if filled.shape != (2, 2):
        return None
    if filled.sum(axis=1).min() * filled.sum(axis=0).min() >= FEWEST_EXPECTED * filled.sum():
        return None
    p = float(stats.fisher_exact(filled).pvalue)
    return float(np.log10(max(p, np.finfo(float).tiny)))
