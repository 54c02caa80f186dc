"""Where a series changes its level: the segmentation of least cost, and the scale by which the cost is judged."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.ndimage import median_filter

Floats = npt.NDArray[np.float64]

_BLOCKS = (64, 32, 16)
"""Lengths of blocks for the long-run scale: the series over these."""
_WANDERS = 6.0
_NORMAL = 0.6744897501960817
"""Median distance of a standard normal variable from 0."""


def segmentation(x: Floats, weights: Floats, penalty: float, least: int) -> list[int]:
    """First places of the segments but the first, that give the least sum of squares plus a penalty for each.

    The pruned exact search of Killick, Fearnhead and Eckley (2012), 10.1080/01621459.2012.737745. A candidate that is
    seen to be beaten is kept for ``least`` places more, as before these have passed its rival can't begin a segment.

    Parameters
    ----------
    x, weights : ndarray of float64, shape (n,)
        The series, and the weight of each square.
    penalty : float
        What a further segment has to save.
    least : int
        Shortest segment.

    Examples
    --------
    >>> x = np.repeat([0.0, 3.0, 1.0], 20)
    >>> segmentation(x, np.ones(60), 5.0, 4)
    [20, 40]
    """
    n = x.size
    total, first, second = (np.concatenate([[0.0], np.cumsum(part)]) for part in _sums(x, weights))
    best, last = np.full(n + 1, np.inf), np.zeros(n + 1, np.int64)
    best[0] = -penalty
    starts, beaten = np.zeros(0, np.int64), np.zeros(0, np.int64)
    for stop in range(least, n + 1):
        if np.isfinite(best[stop - least]):
            starts, beaten = np.append(starts, stop - least), np.append(beaten, n + least)
        gap = first[stop] - first[starts]
        costs = best[starts] + (second[stop] - second[starts]) - gap * gap / (total[stop] - total[starts])
        at = int(costs.argmin())
        best[stop], last[stop] = costs[at] + penalty, starts[at]
        beaten = np.where((costs >= best[stop]) & (beaten > stop), stop, beaten)
        kept = beaten + least > stop + 1
        starts, beaten = starts[kept], beaten[kept]
    places: list[int] = []
    place = int(last[n])
    while place > 0:
        places.append(place)
        place = int(last[place])
    return places[::-1]


def long_run_variance(x: Floats, weights: Floats) -> float:
    """Variance of a sum of the series for each unit of weight, however its neighbours depend on each other.

    From the differences of means of adjacent blocks, by their median, so that a few changes of level don't enlarge it;
    the largest over blocks of several lengths. Infinite for a series that has no level, but wanders: there, four times
    longer blocks differ by a multiple of what blocks of a series with a level do.

    Examples
    --------
    >>> noise = np.random.default_rng(3).normal(size=6400)
    >>> bool(0.7 < long_run_variance(noise, np.ones(6400)) < 2.0), long_run_variance(noise.cumsum(), np.ones(6400))
    (True, inf)
    """
    total, sums = (np.concatenate([[0.0], np.cumsum(part)]) for part in (weights, weights * (x - np.median(x))))
    found = []
    for count in _BLOCKS:
        if x.size < 2 * count:
            continue
        length = x.size / count
        # From four places in each block on, as there are few blocks that follow each other end to end.
        starts = np.arange(0.0, x.size - 2 * length + 0.5, length / 4.0)
        edges = np.rint([starts, starts + length, starts + 2 * length]).astype(np.int64)
        sizes, means = np.diff(total[edges], axis=0), np.diff(sums[edges], axis=0)
        steps = np.abs(means[1] / sizes[1] - means[0] / sizes[0]) / np.sqrt(1.0 / sizes[0] + 1.0 / sizes[1])
        found.append((float(np.median(steps)) / _NORMAL) ** 2)
    if found[-1] > _WANDERS * found[0]:
        return math.inf
    return max(found)


def block_means(x: Floats, weights: Floats, count: int) -> tuple[Floats, Floats]:
    """Weights and weighted means of so many contiguous blocks of equally many places: each of shape (count,)."""
    starts = np.arange(count) * x.size // count
    sizes = np.add.reduceat(weights, starts)
    return sizes, np.add.reduceat(weights * x, starts) / sizes


def clipped(x: Floats, reach: float, around: int) -> Floats:
    """The series with values far from the median of those around brought nearer, so that none makes a level alone."""
    middle = median_filter(x, 2 * around + 1, mode="nearest")
    scale = float(np.median(np.abs(x - middle))) / _NORMAL
    return np.clip(x, middle - reach * scale, middle + reach * scale) if scale > 0 else x


def penalty_of(n: int, variance: float) -> float:
    """Three times the logarithm of the length, in units of the long-run variance."""
    return 3.0 * math.log(max(n, 2)) * variance


def _sums(x: Floats, weights: Floats) -> tuple[Floats, Floats, Floats]:
    centred = x - float(np.median(x))
    return weights, weights * centred, weights * centred * centred
