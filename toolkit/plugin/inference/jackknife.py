"""Standard errors from contiguous blocks of rows, right also where neighbouring rows depend on each other."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from toolkit.plugin.inference.tails import log10_t, t_quantile

Floats = npt.NDArray[np.float64]
S = TypeVar("S")

LARGEST_AUTOCORRELATION = 0.2
"""Of neighbouring blocks; beyond it, neighbours are joined."""

FEWEST_BLOCKS = 16
FEWEST_FILLED = 8
"""Blocks that hold rows of a statistic at least, or there is no standard error."""


@dataclass(frozen=True, slots=True)
class Estimates:
    """Statistics with their standard errors, all arrays of the shape of the statistic.

    Attributes
    ----------
    value : ndarray of float64
        The statistics of all rows.
    error : ndarray of float64
        Standard errors; NaN where there are too few blocks.
    df : ndarray of float64
        Degrees of freedom of the t distribution that ``(value - true) / error`` follows.
    blocks : ndarray of int64
        Blocks that were used: 64, or 32 or 16 where neighbouring ones depended on each other.
    autocorrelation : ndarray of float64
        Of neighbouring blocks, as they were used.
    """

    value: Floats
    error: Floats
    df: Floats
    blocks: npt.NDArray[np.int64]
    autocorrelation: Floats

    def interval(self, level: float = 0.95) -> tuple[Floats, Floats]:
        """Lower and upper ends of the confidence intervals."""
        freedom, where = np.unique(np.nan_to_num(self.df, nan=1.0), return_inverse=True)
        reach = np.array([t_quantile(0.5 + level / 2.0, f) for f in freedom])[where].reshape(self.df.shape)
        return self.value - reach * self.error, self.value + reach * self.error

    def log10_p(self, null: float | Floats = 0.0) -> Floats:
        """Two-sided test of a value; NaN where there is no standard error, or it is 0."""
        distance, errors = np.broadcast_arrays(np.asarray(self.value - null), self.error)
        flat = [
            log10_t(d / e, f) if e > 0 and math.isfinite(d) else math.nan
            for d, e, f in zip(
                distance.ravel().tolist(), errors.ravel().tolist(), self.df.ravel().tolist(), strict=True
            )
        ]
        return np.array(flat).reshape(self.value.shape)


def block_jackknife(
    blocks: Sequence[S],
    merge: Callable[[S, S], S],
    statistic: Callable[[S], Any],
    sizes: npt.NDArray[Any] | None = None,
) -> Estimates:
    """Leave out one block of rows at a time, and see how far the statistic moves.

    Parameters
    ----------
    blocks : sequence
        States of contiguous blocks of rows, in their order: 64 of them, a power of two at any rate.
    merge : callable
        Joins two states; changes neither.
    statistic : callable
        Value or array of a state.
    sizes : ndarray, shape (blocks,) or (blocks, *shape of the statistic), optional
        Rows in each block; those without any are left out.

    Returns
    -------
    Estimates
        Where the pseudo-values of neighbouring blocks have an autocorrelation above 0.2, the standard error is that of
        half as many blocks, twice as long; down to 16.

    Notes
    -----
    Künsch (1989), 10.1214/aos/1176347265; Student's t with one degree of freedom less than there are blocks.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> sums = [np.array([100.0, rng.normal(5.0, 0.1) * 100]) for _ in range(64)]
    >>> found = block_jackknife(sums, np.add, lambda s: s[1] / s[0])
    >>> bool(found.interval()[0] < 5.0 < found.interval()[1])
    True
    """
    filled = None if sizes is None else np.asarray(sizes)
    states, best = list(blocks), None
    while True:
        found = _once(states, merge, statistic, filled)
        # Larger blocks only where smaller ones were seen to depend on each other.
        best = found if best is None else _chosen(best, found)
        if len(states) // 2 < FEWEST_BLOCKS or not (best.autocorrelation > LARGEST_AUTOCORRELATION).any():
            return best
        states = [merge(a, b) for a, b in zip(states[::2], states[1::2], strict=True)]
        filled = None if filled is None else filled[::2] + filled[1::2]


def jackknife_of_sums(
    blocks: npt.NDArray[Any], statistic: Callable[[Any], Any], sizes: npt.NDArray[Any] | None = None
) -> Estimates:
    """The same for statistics of sums, such as tables of counts, shape (blocks, ...)."""
    return block_jackknife(list(blocks), np.add, statistic, sizes)


def _once(states: list[Any], merge: Any, statistic: Any, sizes: npt.NDArray[Any] | None) -> Estimates:
    count = len(states)
    after = [states[-1]]
    for state in reversed(states[1:-1]):
        after.append(merge(state, after[-1]))
    after.reverse()
    value = np.asarray(statistic(merge(states[0], after[0])), np.float64)
    without, before = [np.asarray(statistic(after[0]), np.float64)], states[0]
    for place in range(1, count - 1):
        without.append(np.asarray(statistic(merge(before, after[place])), np.float64))
        before = merge(before, states[place])
    without.append(np.asarray(statistic(before), np.float64))
    replicates = np.stack(without)
    used = np.isfinite(replicates) & np.isfinite(value)
    if sizes is not None:
        used &= (sizes > 0).reshape(sizes.shape + (1,) * (replicates.ndim - sizes.ndim))
    n = used.sum(axis=0)
    some = np.maximum(n, 1)
    mean = np.where(used, replicates, 0.0).sum(axis=0) / some
    moved = np.where(used, replicates - mean, 0.0)
    spread = (moved * moved).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.where(n >= FEWEST_FILLED, np.sqrt(spread * (n - 1) / some), np.nan)
        lagged = np.where(spread > 0, (moved[:-1] * moved[1:]).sum(axis=0) / spread, 0.0)
    return Estimates(value, error, np.maximum(n - 1.0, 1.0), np.full(value.shape, count, np.int64), lagged)


def _chosen(fine: Estimates, coarse: Estimates) -> Estimates:
    joined = (fine.autocorrelation > LARGEST_AUTOCORRELATION) & np.isfinite(coarse.error)
    names = ("error", "df", "blocks", "autocorrelation")
    return Estimates(fine.value, *(np.where(joined, getattr(coarse, n), getattr(fine, n)) for n in names))
