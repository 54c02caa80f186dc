"""Sizes of effects, and which of them are worth a finding."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[Any]

MINIMUM_EFFECTS = {
    "correlation": 0.1,
    "correlation_change": 0.2,
    "cramers_v": 0.05,
    "mutual_information": 0.02,
    "hedges_g": 0.2,
    "cliffs_delta": 0.15,
    "eta_squared": 0.01,
    "odds_ratio": 1.2,
    "lift": 1.2,
    "stability_index": 0.1,
    "wasserstein": 0.1,
    "level_shift": 0.3,
    "spread_change": 0.15,
    "spread_ratio": 1.25,
    "rate_ratio": 1.25,
    "share_change": 0.05,
    "null_rate": 0.02,
    "restricted_mean_ratio": 1.1,
    "mean_absolute_deviation": 0.0012,
    "excess": 1.2,
    "heap": 2.0,
}
"""Defaults for parameters of plugins. Of distances: in standard deviations. Of ratios: or their inverse."""


RATIOS = frozenset({"odds_ratio", "lift", "spread_ratio", "rate_ratio", "restricted_mean_ratio", "excess", "heap"})
"""Measures that are 1 where there is no effect; all others are 0 there."""


def beyond(low: float, high: float, minimum: float) -> bool:
    """Whether an interval lies wholly beyond a minimum, on either side of zero.

    Examples
    --------
    >>> beyond(-0.4, -0.2, 0.1), beyond(-0.4, 0.2, 0.1), beyond(0.05, 0.4, 0.1)
    (True, False, False)
    """
    return low > minimum or high < -minimum


def hedges_g(first: tuple[float, float, float], second: tuple[float, float, float]) -> float:
    """Difference of two means in pooled standard deviations, corrected for small samples; NaN without spread.

    10.3102/10769986001002107, which also has the exact correction by the gamma function that is used here.

    Parameters
    ----------
    first, second : tuple of float
        Count, mean and sum of squared differences from the mean.
    """
    df = first[0] + second[0] - 2.0
    if df < 1 or first[2] + second[2] <= 0:
        return math.nan
    correction = (
        math.exp(math.lgamma(df / 2.0) - math.lgamma((df - 1.0) / 2.0)) / math.sqrt(df / 2.0) if df > 1 else 0.0
    )
    return correction * (first[1] - second[1]) / math.sqrt((first[2] + second[2]) / df)


def cliffs_delta(first: Counts, second: Counts) -> float:
    """How much more often a value of the first sample is above one of the second than below.

    10.1037/0033-2909.114.3.494. From counts by ordered level, shape (levels,): exact where each level is one value;
    else pairs within a level count as ties.

    Examples
    --------
    >>> cliffs_delta(np.array([0, 0, 4]), np.array([4, 0, 0]))
    1.0
    """
    total = float(first.sum()) * float(second.sum())
    if not total:
        return math.nan
    below = np.cumsum(second) - second
    above = second.sum() - below - second
    return float((first.astype(np.float64) * (below - above)).sum() / total)


def eta_squared(n: Counts, offset: Counts, m2: Counts) -> float:
    """Share of the variance that lies between groups; from the kernel ``group_moments``."""
    filled = n > 0
    between = math.fsum((n * np.where(filled, offset, 0.0) ** 2).tolist())
    total = between + math.fsum(m2.tolist())
    return between / total if total > 0 else math.nan


def stability_index(first: Counts, second: Counts, groups: int = 10) -> float:
    """Population stability index of two distributions, shape (levels,), over a few groups of neighbouring levels.

    Half a row is added to every group, so that an empty one does not make it infinite. 10.21314/JRMV.2020.227.

    Parameters
    ----------
    first, second : ndarray of int, shape (levels,)
        Counts by level.
    groups : int
        Groups of levels, about as large as each other in both samples together.
    """
    if not first.sum() or not second.sum():
        return math.nan
    together = np.cumsum(first + second)
    place = np.minimum((together - (first + second) / 2.0) * groups / together[-1], groups - 1).astype(np.intp)
    p, q = (np.bincount(place, counts, groups) + 0.5 for counts in (first, second))
    p, q = p / p.sum(), q / q.sum()
    return math.fsum((a - b) * math.log(a / b) for a, b in zip(p.tolist(), q.tolist(), strict=True))


def ks_distance(first: Counts, second: Counts) -> float:
    """Largest distance of two cumulative distributions at the ends of levels; 10.1214/aoms/1177730256.

    It falls short of that of the values by at most the largest share of a level that holds several values.
    """
    if not first.sum() or not second.sum():
        return math.nan
    return float(np.abs(np.cumsum(first) / first.sum() - np.cumsum(second) / second.sum()).max())


def wasserstein_bounds(first: Counts, second: Counts, ends: Counts) -> tuple[float, float]:
    """Lower and upper bound of the Wasserstein-1 distance of two samples, in the unit of the values.

    Parameters
    ----------
    first, second : ndarray of int, shape (levels,)
        Counts by level.
    ends : ndarray of float, shape (levels + 1,)
        Smallest value of all and the largest of each level.
    """
    if not first.sum() or not second.sum():
        return math.nan, math.nan
    f = np.concatenate([[0.0], np.cumsum(first) / first.sum()])
    g = np.concatenate([[0.0], np.cumsum(second) / second.sum()])
    # Within a level both rise from one end's value to the other's, nothing else is known.
    lowest, highest = f[:-1] - g[1:], f[1:] - g[:-1]
    width = np.diff(ends)
    least = np.where((lowest <= 0) & (highest >= 0), 0.0, np.minimum(np.abs(lowest), np.abs(highest)))
    most = np.maximum(np.abs(lowest), np.abs(highest))
    return math.fsum((least * width).tolist()), math.fsum((most * width).tolist())
