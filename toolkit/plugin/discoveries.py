"""Which tested findings of a plugin outlive the number of its tests."""

from __future__ import annotations

from collections.abc import Sequence

from toolkit.core.canonical import round_significant
from toolkit.plugin.inference import q_values
from toolkit.plugin.result import Finding


def discoveries(findings: Sequence[Finding], n_tests: int, rate: float) -> list[Finding]:
    """Findings whose q-value is at most a rate: by p-value, then by size of the effect, then as they came.

    The q-values are those of Benjamini and Hochberg over all hypotheses of the plugin, as if each that is not among the
    findings had a p-value of 1. A report does the same over all plugins of a run.

    Parameters
    ----------
    findings : sequence of Finding
        Each with ``log10_p``.
    n_tests : int
        Hypotheses that were tested.
    rate : float
        False discovery rate.

    Examples
    --------
    >>> found = [Finding("k", [], "", "", log10_p=p) for p in (-1.9, -4.0)]
    >>> [f.log10_p for f in discoveries(found, 10, 0.05)]
    [-4.0]
    """
    tested = [f.log10_p for f in findings if f.log10_p is not None]
    pairs = zip(findings, q_values(tested, n_tests), strict=True)
    lasting = [finding for finding, q in pairs if round_significant(q) <= rate]
    return sorted(
        lasting, key=lambda f: (round_significant(f.log10_p or 0.0), -abs(round_significant(f.effect or 0.0)))
    )
