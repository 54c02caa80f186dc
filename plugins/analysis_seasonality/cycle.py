"""How much of a series repeats with a cycle, from its profiles in separate stretches of time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin.inference import jackknife_of_sums, log10_t

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MOST_STRETCHES = 64
FEWEST_STRETCHES = 8
_HELD = 0.8


@dataclass(frozen=True, slots=True)
class Cycle:
    """What a cycle makes up of a series.

    Attributes
    ----------
    share : float
        Of the variance, without what chance adds to it.
    interval : tuple of float
        95 % interval.
    log10_p : float
        Of no cycle.
    profile : ndarray of float64, shape (cells,)
        Mean of the series in each part of the cycle.
    stretches : int
        Stretches of whole cycles that were compared.
    """

    share: float
    interval: tuple[float, float]
    log10_p: float
    profile: Floats
    stretches: int


def find_cycle(values: Floats, cells: Ints, turns: Ints, count: int) -> Cycle | None:
    """Compare the profiles of separate stretches of whole cycles.

    What repeats is in the profile of every stretch; what does not, averages out between them, however strongly
    neighbours depend on each other. So the products of the profiles of different stretches have the square of what
    repeats as their mean, and nothing else.

    Parameters
    ----------
    values : ndarray of float64, shape (bins,)
        The series without its linear trend; NaN where a bin is empty.
    cells : ndarray of int64, shape (bins,)
        Part of the cycle.
    turns : ndarray of int64, shape (bins,)
        Number of the cycle, ascending; -1 for bins of no whole cycle.
    count : int
        Parts of a cycle.

    Returns
    -------
    Cycle or None
        None for fewer than eight cycles, and where a fifth of the profiles' cells has no value.

    Examples
    --------
    >>> hours = np.arange(24 * 64)
    >>> noise = np.random.default_rng(1).normal(size=hours.size)
    >>> found = find_cycle(np.sin(hours * np.pi / 12) + noise, hours % 24, hours // 24, 24)
    >>> round(found.share, 2), found.log10_p < -5
    (0.32, True)
    """
    held = (turns >= 0) & np.isfinite(values)
    if not held.any():
        return None
    whole = int(turns.max()) + 1
    stretches = 1 << int(math.log2(min(MOST_STRETCHES, whole))) if whole else 0
    if stretches < FEWEST_STRETCHES:
        return None
    y, place = values[held], turns[held] * stretches // whole
    flat, shape = place * count + cells[held], (stretches, count)
    n = np.bincount(flat, minlength=stretches * count).reshape(shape)
    sums = np.bincount(flat, y, stretches * count).reshape(shape)
    squares = np.bincount(place, (y - float(y.mean())) ** 2, stretches)
    if np.count_nonzero(n) < _HELD * n.size or squares.sum() <= 0:
        return None
    return _judged(n, sums, squares)


def _judged(n: npt.NDArray[Any], sums: npt.NDArray[Any], squares: npt.NDArray[Any]) -> Cycle | None:
    """The cycle of profiles, from numbers and sums by stretch and cell, and the sums of squares of stretches."""
    mean = np.divide(sums, n, out=np.zeros_like(sums), where=n > 0)
    level = mean.sum(axis=1) / np.maximum((n > 0).sum(axis=1), 1)
    profiles = np.where(n > 0, mean - level[:, None], 0.0)
    sizes = n.sum(axis=1).astype(np.float64)
    own = (profiles * profiles).sum(axis=1)
    # What can be summed over stretches, shape (stretches, cells + 4).
    table = np.column_stack([profiles, own, np.ones(sizes.size), squares, sizes])
    estimate = jackknife_of_sums(table, _share, sizes)
    low, high = (float(end) for end in estimate.interval())
    if not (math.isfinite(low) and math.isfinite(high)):
        return None
    total = n.sum(axis=0)
    overall = np.divide(sums.sum(axis=0), total, out=np.full(total.size, np.nan), where=total > 0)
    # Where all of it repeats, noise in the estimate can make that more than all.
    ends = (min(low, 1.0), min(high, 1.0))
    return Cycle(min(float(estimate.value), 1.0), ends, _test(profiles), overall, sizes.size)


def _share(sums: Any) -> float:
    """Mean product of the profiles of two different stretches, over the variance."""
    profile, (own, k, squares, size) = sums[:-4], sums[-4:]
    if k < 2 or squares <= 0:
        return math.nan
    return float(((profile * profile).sum() - own) / (k * (k - 1.0)) / profile.size / (squares / size))


def _test(profiles: Floats) -> float:
    """Log10 p of the profiles of each half of the stretches against the mean profile of the other half."""
    half, out = len(profiles) // 2, 0.0
    for fixed, tried in ((profiles[:half], profiles[half:]), (profiles[half:], profiles[:half])):
        products = (tried * fixed.mean(axis=0)).sum(axis=1)
        error = float(products.std(ddof=1)) / math.sqrt(products.size)
        mean = float(products.mean())
        if mean > 0:
            t = mean / error if error > 0 else 1e9
            out = min(out, log10_t(t, products.size - 1.0))  # one side of it, for two tries
    return min(out, 0.0)
