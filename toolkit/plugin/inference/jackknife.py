"""Standard errors from contiguous blocks of rows, right also where neighbouring rows depend on each other."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from toolkit.plugin.inference.tails import log10_t, t_quantile

Floats = npt.NDArray[np.float64]
S = TypeVar("S")

FEWEST_BLOCKS = 16
LONG_BLOCKS = 16
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
        Blocks that the error comes from: 64, or 16 long ones where those gave the larger.
    """

    value: Floats
    error: Floats
    df: Floats
    blocks: npt.NDArray[np.int64]

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


def effective_blocks(sizes: npt.NDArray[Any]) -> Floats:
    """How many blocks of equally many rows tell as much as those given, after joining neighbours to 16 long ones.

    The effective number of clusters of Carter, Schnepel and Steigerwald (2017), 10.1162/REST_a_00639, by counts alone.

    Parameters
    ----------
    sizes : ndarray, shape (blocks, ...)
        Rows in each block.

    Returns
    -------
    ndarray of float64, shape (...)
        16 where rows are spread evenly, 1 where all lie in one long block, 0 without rows.

    Examples
    --------
    >>> effective_blocks(np.full(64, 3)).item(), effective_blocks(np.arange(64) == 5).item()
    (16.0, 1.0)
    """
    rows = long_blocks(np.asarray(sizes, np.float64))
    squares = (rows * rows).sum(axis=0)
    return np.asarray(np.divide(rows.sum(axis=0) ** 2, squares, out=np.zeros_like(squares), where=squares > 0))


def long_blocks(sums: npt.NDArray[Any], count: int = LONG_BLOCKS) -> npt.NDArray[Any]:
    """Sums of neighbouring blocks, shape (count, ...); fewer blocks than ``count`` stay as they are."""
    if len(sums) <= count:
        return sums
    joined: npt.NDArray[Any] = sums.reshape(count, len(sums) // count, *sums.shape[1:]).sum(axis=1)
    return joined


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
        Rows in each block; those without any are left out, and unequal ones count for fewer.

    Returns
    -------
    Estimates
        The standard error is the larger of those from the blocks and from 16 long ones, of neighbours joined: how far
        dependence reaches cannot be told safely from the blocks themselves.

    Notes
    -----
    Künsch (1989), 10.1214/aos/1176347265; Student's t with one degree of freedom less than `effective_blocks` of the
    long ones.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> sums = [np.array([100.0, rng.normal(5.0, 0.1) * 100]) for _ in range(64)]
    >>> found = block_jackknife(sums, np.add, lambda s: s[1] / s[0])
    >>> bool(found.interval()[0] < 5.0 < found.interval()[1])
    True
    """
    filled = None if sizes is None else np.asarray(sizes)
    states = list(blocks)
    short = _once(states, merge, statistic, filled)
    if len(states) <= LONG_BLOCKS:
        return short
    joined = len(states) // LONG_BLOCKS
    groups = [states[i : i + joined] for i in range(0, len(states), joined)]
    states = [functools.reduce(merge, group) for group in groups]
    filled = None if filled is None else long_blocks(filled)
    return _larger(short, _once(states, merge, statistic, filled))


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
    freedom = n.astype(np.float64)
    if sizes is not None:
        even = effective_blocks(sizes)
        freedom = np.minimum(freedom, even.reshape(even.shape + (1,) * (value.ndim - even.ndim)))
    return Estimates(value, error, np.maximum(freedom - 1.0, 1.0), np.full(value.shape, count, np.int64))


def _larger(short: Estimates, long: Estimates) -> Estimates:
    """The larger error, always with the freedom of the long blocks."""
    taken = long.error > short.error
    blocks = np.where(taken, long.blocks, short.blocks)
    return Estimates(short.value, np.fmax(short.error, long.error), np.minimum(short.df, long.df), blocks)
