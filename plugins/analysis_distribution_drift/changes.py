"""Whether a statistic of blocks of rows changes along the table, and where."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from toolkit.plugin import BLOCKS
from toolkit.plugin.inference import log10_t, t_quantile
from toolkit.plugin.inference.jackknife import FEWEST_BLOCKS, FEWEST_FILLED, long_blocks

Floats = npt.NDArray[np.float64]

LARGEST_AUTOCORRELATION = 0.2
"""Of neighbouring blocks; beyond it, neighbours are joined."""

_END = 8
"""A split leaves one part in so many of the blocks on either side."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change between earlier and later blocks.

    Attributes
    ----------
    split : int
        The first of the 64 blocks that is later.
    blocks : int
        Blocks as they were compared: 64, or fewer where neighbours were joined.
    before, after : float
        Means over the blocks of either side.
    interval : tuple of float
        95 % interval of ``after - before``.
    log10_p : float
        Of no change at all.
    """

    split: int
    blocks: int
    before: float
    after: float
    interval: tuple[float, float]
    log10_p: float


def find_change(sums: Floats, sizes: Floats, top: float = 1.0) -> Change | None:
    """Compare the two halves, and the two sides of the best split.

    Parameters
    ----------
    sums, sizes : ndarray, shape (64,)
        The statistic of a block is its sum over its size.
    top : float
        The largest that the statistic can be; the smallest is 0.

    Returns
    -------
    Change or None
        None where fewer than 16 blocks hold anything, or too few on one side of the middle.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> found = find_change(100 * (rng.normal(0.4, 0.02, 64) + 0.2 * (np.arange(64) >= 40)), np.full(64, 100.0))
    >>> found.split, found.log10_p < -10
    (40, True)
    """
    short = _compared(sums, sizes, FEWEST_BLOCKS)
    # How far dependence reaches cannot be told safely from the blocks: long ones have to agree.
    sums, sizes = long_blocks(sums), long_blocks(sizes)
    long = None if short is None else _compared(sums, sizes, FEWEST_FILLED)
    if short is None or long is None:
        return None
    reach = max((c.interval[1] - c.interval[0]) / 2.0 for c in (short, long))
    gap = short.after - short.before
    even = _compared(_log_odds(sums, sizes, top) * sizes, sizes, FEWEST_FILLED)
    log10_p = max(c.log10_p for c in (short, long, even) if c is not None)
    return replace(short, interval=(gap - reach, gap + reach), log10_p=log10_p)


def _log_odds(sums: Floats, sizes: Floats, top: float) -> Floats:
    """Of each block's statistic within its bounds: a few blocks far from a bound that others are near prove little."""
    share = (sums / top + 0.5) / (sizes + 1.0)
    return np.asarray(np.log(share) - np.log1p(-share))


def _compared(sums: Floats, sizes: Floats, fewest: int) -> Change | None:
    """The change as these blocks have it, which are joined where they are seen to depend on each other."""
    width = BLOCKS // sums.size
    while True:
        held = sizes > 0
        if np.count_nonzero(held) < fewest:
            return None
        values, place = sums[held] / sizes[held], np.flatnonzero(held)
        half = int(np.searchsorted(place, held.size // 2))
        if min(half, values.size - half) < fewest // 2:
            return None
        best = _best_split(values)
        # Beside the change, wherever it is, neighbours should be like strangers.
        if sums.size // 2 < FEWEST_BLOCKS or _autocorrelation(values, best) <= LARGEST_AUTOCORRELATION:
            break
        sums, sizes, width = sums[::2] + sums[1::2], sizes[::2] + sizes[1::2], 2 * width
    resolution = 1.0 / max(float(sizes.sum()), 1.0)
    halves, error, df = _welch(values, half, resolution)
    middle = log10_t(halves / error, df)
    splits = len(_splits(values.size))
    step, step_error, step_df = _student(values, best, resolution)
    anywhere = log10_t(step / step_error, step_df) + math.log10(splits)
    if anywhere < middle:
        half, halves, error, df = best, step, step_error, step_df
    reach = t_quantile(0.975, df) * error
    log10_p = min(min(middle, anywhere) + math.log10(2.0), 0.0)
    before = float(values[:half].mean())
    ends = (halves - reach, halves + reach)
    return Change(int(place[half]) * width, sums.size, before, before + halves, ends, log10_p)


def _splits(count: int) -> range:
    least = max(2, -(-count // _END))
    return range(least, count - least + 1)


def _best_split(values: Floats) -> int:
    """The split that leaves the smallest sum of squares; the first of equals, after rounding."""
    n, places = values.size, np.array(_splits(values.size))
    centred = values - values.mean()
    left = np.cumsum(centred)[places - 1]
    gain = left * left * n / (places * (n - places))  # sums on the two sides are opposite
    top = float(gain.max())
    return int(places[np.flatnonzero(gain >= top * (1 - 1e-9))[0]])


def _autocorrelation(values: Floats, split: int) -> float:
    rest = np.concatenate([values[:split] - values[:split].mean(), values[split:] - values[split:].mean()])
    power = float((rest * rest).sum())
    return float((rest[:-1] * rest[1:]).sum()) / power if power > 0 else 0.0


def _welch(values: Floats, split: int, resolution: float) -> tuple[float, float, float]:
    """Difference of means, its standard error and degrees of freedom, for different variances."""
    early, late = values[:split], values[split:]
    parts = [side.var(ddof=1) / side.size for side in (early, late)]
    error = math.sqrt(parts[0] + parts[1])
    weights = parts[0] ** 2 / (early.size - 1) + parts[1] ** 2 / (late.size - 1)
    df = (parts[0] + parts[1]) ** 2 / weights if weights > 0 else float(values.size - 2)
    return float(late.mean() - early.mean()), max(error, resolution), df


def _student(values: Floats, split: int, resolution: float) -> tuple[float, float, float]:
    """The same for one variance: without a change there is one, and short sides tell little about theirs."""
    early, late = values[:split], values[split:]
    df = float(values.size - 2)
    variance = (early.var() * early.size + late.var() * late.size) / df
    error = math.sqrt(variance * (1 / early.size + 1 / late.size))
    # No share is known better than to one row.
    return float(late.mean() - early.mean()), max(error, resolution), df
