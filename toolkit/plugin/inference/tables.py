"""Tests and measures of association of tables of counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin.inference.jackknife import LONG_BLOCKS, effective_blocks, long_blocks
from toolkit.plugin.inference.tails import log10_chi2, log10_f

Counts = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TableTest:
    """A test of independence.

    Attributes
    ----------
    chi2 : float
        Pearson's statistic.
    df : int
        Degrees of freedom.
    design_effect : float
        By which the statistic is divided; 1 for independent rows.
    blocks : int
        Blocks of rows from which it was estimated; 0 when it was not.
    log10_p : float
        Of the corrected statistic.
    freedom : float
        Degrees of freedom of the denominator: blocks that the rarer of rows and columns are worth, less 1; 0 for
        chi-square.
    """

    chi2: float
    df: int
    design_effect: float
    blocks: int
    log10_p: float
    freedom: float = 0.0


def chi_square(table: Counts) -> tuple[float, int]:
    """Pearson's statistic and its degrees of freedom; empty rows and columns don't count.

    Examples
    --------
    >>> chi_square(np.array([[10, 20], [20, 10]]))[1]
    1
    """
    filled = _filled(table)
    rows, columns = filled.shape
    if rows < 2 or columns < 2:
        return 0.0, 0
    expected = _expected(filled)
    return float(((filled - expected) ** 2 / expected).sum()), (rows - 1) * (columns - 1)


def table_test(blocks: Counts) -> TableTest:
    """Test of independence of rows and columns where rows of the data may depend on their neighbours.

    Parameters
    ----------
    blocks : ndarray of int, shape (blocks, rows, columns)
        A table for each contiguous block of rows of the data, 64 of them; a single table stands for independent rows.

    Returns
    -------
    TableTest
        Pearson's statistic is divided by Rao and Scott's first-order correction, the mean of the design effects,
        estimated from the variation among blocks and never below 1: the largest of that among 64, 32 and 16 blocks, as
        how far dependence reaches is not known. The result is held against F with ``df`` and one degree of freedom less
        than `effective_blocks` of the rows and columns, the fewer of both.

    Notes
    -----
    10.1214/aos/1176346391, equation (4.6); for F instead of chi-square, Thomas and Rao, 10.1080/01621459.1987.10478474.
    """
    total = blocks.sum(axis=0)
    chi2, df = chi_square(total)
    if not df:
        return TableTest(0.0, 0, 1.0, 0, 0.0)
    if len(blocks) == 1:
        return TableTest(chi2, df, 1.0, 0, log10_chi2(chi2, df))
    filled = blocks[:, total.sum(axis=1) > 0][:, :, total.sum(axis=0) > 0]
    effect, count = _largest_effect(filled, _design_effect)
    if count < 2:
        return TableTest(chi2, df, 1.0, 0, log10_chi2(chi2, df))
    within = max(min(_mean_effective(filled.sum(axis=side)) for side in (1, 2)) - 1.0, 1.0)
    return TableTest(chi2, df, effect, count, log10_f(chi2 / effect / df, df, within), within)


def fit_test(blocks: Counts, shares: Floats) -> TableTest:
    """Test whether counts have given shares, where rows of the data may depend on their neighbours.

    Parameters
    ----------
    blocks : ndarray of int, shape (blocks, cells)
        Counts for each contiguous block of rows of the data, 64 of them.
    shares : ndarray of float, shape (cells,)
        What they are held against; positive, with a sum of 1.

    Returns
    -------
    TableTest
        Pearson's statistic over the mean design effect of the cells, never below 1, the largest of that among 64, 32
        and 16 blocks, as F with ``df`` and `effective_blocks` less 1 degrees of freedom; 10.1214/aos/1176346391.
    """
    total = blocks.sum(axis=0).astype(np.float64)
    n, df = float(total.sum()), shares.size - 1
    if n < 1 or np.count_nonzero(blocks.sum(axis=1)) < 2:
        return TableTest(0.0, df, 1.0, 0, 0.0)
    expected = n * shares
    chi2 = float(((total - expected) ** 2 / expected).sum())
    effect, count = _largest_effect(blocks, lambda counts: max(_excess(counts) / df, 1.0))
    within = max(float(effective_blocks(blocks.sum(axis=1))) - 1.0, 1.0)
    return TableTest(chi2, df, effect, count, log10_f(chi2 / effect / df, df, within), within)


def cramers_v(table: Counts) -> float:
    """Cramér's V, corrected for bias: 0 on average where there is no association.

    10.1016/j.jkss.2012.10.002.

    Examples
    --------
    >>> round(cramers_v(np.diag([500, 500])), 3)
    1.0
    """
    filled = _filled(table)
    n = float(filled.sum())
    rows, columns = filled.shape
    if rows < 2 or columns < 2 or n < 2:
        return 0.0
    chi2, df = chi_square(filled)
    phi2 = max(chi2 / n - df / (n - 1.0), 0.0)
    least = min(rows - (rows - 1) ** 2 / (n - 1.0), columns - (columns - 1) ** 2 / (n - 1.0)) - 1.0
    return float(min(np.sqrt(phi2 / least), 1.0)) if least > 0 else 0.0


def adjusted_residuals(table: Counts) -> Floats:
    """Haberman's adjusted residuals of the cells; 0 where a row or column is empty.

    Standard normal where rows and columns are independent; 10.2307/2529686.
    """
    counts = np.asarray(table, np.float64)
    n = max(counts.sum(), 1.0)
    rows, columns = counts.sum(axis=1, keepdims=True) / n, counts.sum(axis=0, keepdims=True) / n
    scale = np.sqrt(n * rows * columns * (1.0 - rows) * (1.0 - columns))
    return np.divide(counts - n * rows * columns, scale, out=np.zeros_like(counts), where=scale > 0)


def _filled(table: Counts) -> Floats:
    counts = np.asarray(table, np.float64)
    return counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]


def _expected(counts: Floats) -> Floats:
    return counts.sum(axis=1, keepdims=True) * counts.sum(axis=0, keepdims=True) / counts.sum()


def _largest_effect(blocks: Counts, effect_of: Callable[[Floats], float]) -> tuple[float, int]:
    """The largest design effect among blocks and longer ones, down to 16, and how many blocks it comes from."""
    found = []
    count = len(blocks)
    while True:
        joined = long_blocks(blocks, count).astype(np.float64)
        held = joined[joined.reshape(count, -1).sum(axis=1) > 0]
        found.append((effect_of(held), len(held)))
        if count // 2 < LONG_BLOCKS:
            return max(found)
        count //= 2


def _mean_effective(counts: Counts) -> float:
    """Effective blocks of the levels of a side, shape (blocks, levels), as far as each takes part in chi-square."""
    shares = counts.sum(axis=0) / counts.sum()
    return float(np.average(effective_blocks(counts), weights=1.0 - shares))


def _design_effect(tables: Floats) -> float:
    """Mean design effect of a test of independence, never below 1.

    From what each block adds to the differences of counts and expected counts, as margins that differ between blocks
    take part in those; less each block's share of the whole difference, which is no variation.
    """
    count, rows, columns = tables.shape
    total = tables.sum(axis=0)
    n, sizes = total.sum(), tables.sum(axis=(1, 2))[:, None, None]
    first, second = total.sum(axis=1, keepdims=True) / n, total.sum(axis=0, keepdims=True) / n
    shares = first * second
    added = tables - tables.sum(axis=2, keepdims=True) * second - first * tables.sum(axis=1, keepdims=True)
    added += sizes * (2.0 * shares - total / n)
    variance = count / max(count - 1, 1) * (added**2).sum(axis=0)
    return max(float((variance / (n * shares)).sum()) / ((rows - 1) * (columns - 1)), 1.0)


def _excess(counts: Floats) -> float:
    """Sum over cells of ``(1 - p) * d``: the variance of each share among blocks, over that of a share p / n."""
    blocks, totals = len(counts), counts.sum(axis=1, keepdims=True)
    n = totals.sum()
    p = counts.sum(axis=0) / n
    deviations = counts - totals * p
    variance = blocks / max(blocks - 1, 1) * (deviations**2).sum(axis=0) / n**2
    return float(np.divide(variance * n, p, out=np.zeros_like(p), where=p > 0).sum())
