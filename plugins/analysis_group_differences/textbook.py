"""Tests of textbooks, exact for independent rows: for the record, and for comparison with other software."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from toolkit.plugin.inference import eta_squared, log10_chi2, log10_f

Floats = npt.NDArray[np.float64]

SMALLEST = -12.0
"""Decimal logarithm of p-values of the studentized range from which on its integral is not known."""

_FARTHEST = 25.0


class Moments(NamedTuple):
    """Rows, mean less the mean of all, and sum of squared differences from the mean of each group; shape (groups,)."""

    n: Floats
    offset: Floats
    m2: Floats


def analysis_of_variance(groups: Moments) -> dict[str, Any]:
    """Fisher's F, and the share of the variance that lies between the groups.

    Of distances from the groups' medians it is Brown and Forsythe's test, 10.1080/01621459.1974.10482955.

    Examples
    --------
    >>> groups = Moments(np.array([2.0, 2.0]), np.array([-1.0, 1.0]), np.array([0.5, 0.5]))
    >>> round(analysis_of_variance(groups)["f"], 12)
    8.0
    """
    filled = groups.n > 0
    n, offset, m2 = (field[filled] for field in groups)
    between, within = math.fsum((n * offset * offset).tolist()), math.fsum(m2.tolist())
    df = (n.size - 1, int(n.sum()) - n.size)
    f = between / df[0] / (within / df[1]) if within > 0 and df[0] > 0 < df[1] else None
    return {
        "f": f,
        "df": list(df),
        "log10_p": None if f is None else log10_f(f, *df),
        "eta_squared": eta_squared(n, offset, m2) if within + between > 0 else None,
    }


def welch(groups: Moments) -> dict[str, Any]:
    """Welch's F, for groups of different variances; 10.1093/biomet/38.3-4.330."""
    filled = (groups.n > 1) & (groups.m2 > 0)
    n, offset, m2 = (field[filled] for field in groups)
    k = n.size
    if k < 2 or k < np.count_nonzero(groups.n):  # a group without a variance would have all the weight
        return {"f": None, "df": None, "log10_p": None}
    weight = n * (n - 1) / m2
    share = weight / weight.sum()
    between = weight * (offset - math.fsum((share * offset).tolist())) ** 2
    lost = math.fsum(((1 - share) ** 2 / (n - 1)).tolist()) / (k * k - 1)
    f = math.fsum(between.tolist()) / (k - 1) / (1 + 2 * (k - 2) * lost)
    df = (k - 1, 1 / (3 * lost))
    return {"f": f, "df": list(df), "log10_p": log10_f(f, *df)}


def games_howell(groups: Moments, one: int, other: int) -> dict[str, Any]:
    """Games and Howell's test of two of several groups of different variances; 10.3102/10769986001002113.

    The p-value holds for all pairs of groups together, by the studentized range.

    Examples
    --------
    >>> groups = Moments(np.array([9.0, 9.0, 9.0]), np.array([-1.0, 0.0, 1.0]), np.array([8.0, 8.0, 8.0]))
    >>> found = games_howell(groups, 2, 0)
    >>> found["difference"], round(found["t"], 3), round(found["df"], 9), round(10 ** found["log10_p"], 4)
    (2.0, 4.243, 16.0, 0.0017)
    """
    n, m2 = groups.n, groups.m2
    of_one, of_other = (float(m2[k] / (n[k] - 1) / n[k]) if n[k] > 1 else 0.0 for k in (one, other))
    difference, square = float(groups.offset[one] - groups.offset[other]), of_one + of_other
    if square <= 0 or min(n[one], n[other]) < 2:
        return {"difference": difference, "t": None, "df": None, "log10_p": None}
    t = difference / math.sqrt(square)
    df = square * square / (of_one * of_one / (n[one] - 1) + of_other * of_other / (n[other] - 1))
    return {"difference": difference, "t": t, "df": float(df), "log10_p": _log10_range(t, float(df), len(n))}


def _log10_range(t: float, df: float, groups: int) -> float:
    """Decimal logarithm of the p-value of a difference among groups; at least `SMALLEST`."""
    from scipy import stats

    p = float(stats.studentized_range.sf(abs(t) * math.sqrt(2.0), groups, df)) if abs(t) < _FARTHEST else 0.0
    return max(math.log10(p), SMALLEST) if p > 0 else SMALLEST


def kruskal_wallis(table: npt.NDArray[np.int64]) -> dict[str, Any]:
    """Kruskal and Wallis's H, corrected for ties; values of one quantile range count as tied.

    10.1080/01621459.1952.10483441.

    Parameters
    ----------
    table : ndarray of int, shape (groups, levels)
        Rows by group and ordered level of the value.
    """
    counts = table[table.sum(axis=1) > 0].astype(np.float64)
    n, tied = counts.sum(), counts.sum(axis=0)
    ties = 1.0 - float((tied**3 - tied).sum()) / float(n**3 - n) if n > 1 else 0.0
    if len(counts) < 2 or ties <= 0:
        return {"h": None, "df": None, "log10_p": None}
    ranks = np.cumsum(tied) - (tied - 1) / 2 - (n + 1) / 2  # less the mean rank, so that no digits are lost
    sums, sizes = (counts * ranks).sum(axis=1), counts.sum(axis=1)
    h = 12.0 / (n * (n + 1)) * math.fsum((sums * sums / sizes).tolist()) / ties
    return {"h": h, "df": len(counts) - 1, "log10_p": log10_chi2(h, len(counts) - 1)}
