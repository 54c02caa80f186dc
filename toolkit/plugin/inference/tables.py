"""Tests and measures of association of tables of counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin.inference.jackknife import FEWEST_BLOCKS, LARGEST_AUTOCORRELATION
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
    """

    chi2: float
    df: int
    design_effect: float
    blocks: int
    log10_p: float


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
        estimated from the variation among blocks and never below 1; the result follows F with ``df`` and
        ``df * (blocks - 1)`` degrees of freedom. Where neighbouring blocks depend on each other they are joined.

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
    tables = filled[filled.sum(axis=(1, 2)) > 0].astype(np.float64)
    while True:
        effect, lagged = _design_effect(tables)
        if lagged <= LARGEST_AUTOCORRELATION or len(tables) // 2 < FEWEST_BLOCKS:
            break
        tables = tables[: len(tables) // 2 * 2].reshape(-1, 2, *tables.shape[1:]).sum(axis=1)
    count = len(tables)
    if count < 2:
        return TableTest(chi2, df, 1.0, 0, log10_chi2(chi2, df))
    return TableTest(chi2, df, effect, count, log10_f(chi2 / effect / df, df, df * (count - 1)))


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
        Pearson's statistic over the mean design effect of the cells, never below 1, as F with ``df`` and
        ``df * (blocks - 1)`` degrees of freedom; 10.1214/aos/1176346391. Neighbouring blocks that depend on each other
        are joined.
    """
    total = blocks.sum(axis=0).astype(np.float64)
    n, df = float(total.sum()), shares.size - 1
    filled = blocks[blocks.sum(axis=1) > 0].astype(np.float64)
    if n < 1 or len(filled) < 2:
        return TableTest(0.0, df, 1.0, 0, 0.0)
    expected = n * shares
    chi2 = float(((total - expected) ** 2 / expected).sum())
    while True:
        deviations = filled - filled.sum(axis=1, keepdims=True) * (total / n)
        power = float((deviations**2).sum())
        lagged = float((deviations[:-1] * deviations[1:]).sum()) / power if power > 0 else 0.0
        if lagged <= LARGEST_AUTOCORRELATION or len(filled) // 2 < FEWEST_BLOCKS:
            break
        filled = filled[: len(filled) // 2 * 2].reshape(-1, 2, shares.size).sum(axis=1)
    count = len(filled)
    effect = max(_excess(filled) / df, 1.0)
    return TableTest(chi2, df, effect, count, log10_f(chi2 / effect / df, df, df * (count - 1)))


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


def _design_effect(tables: Floats) -> tuple[float, float]:
    """Mean design effect of a test of independence, and the autocorrelation of the cells of neighbouring tables."""
    _, rows, columns = tables.shape
    cells = _excess(tables.reshape(len(tables), -1))
    effect = cells - _excess(tables.sum(axis=2)) - _excess(tables.sum(axis=1))
    deviations = tables - tables.sum(axis=(1, 2), keepdims=True) * (tables.sum(axis=0) / tables.sum())
    power = (deviations**2).sum()
    lagged = (deviations[:-1] * deviations[1:]).sum() / power if power > 0 else 0.0
    return max(effect / ((rows - 1) * (columns - 1)), 1.0), float(lagged)


def _excess(counts: Floats) -> float:
    """Sum over cells of ``(1 - p) * d``: the variance of each share among blocks, over that of a share p / n."""
    blocks, totals = len(counts), counts.sum(axis=1, keepdims=True)
    n = totals.sum()
    p = counts.sum(axis=0) / n
    deviations = counts - totals * p
    variance = blocks / max(blocks - 1, 1) * (deviations**2).sum(axis=0) / n**2
    return float(np.divide(variance * n, p, out=np.zeros_like(p), where=p > 0).sum())
