"""Co-moments of runs of rows, and how they join.

Those of a run are ten numbers for each pair of columns, the rows of an array of shape (10, pairs): the number of rows
where both are present, and of each column over those rows the mean as two doubles that add up, the sum of squared
differences from it and the binary exponent by which these are scaled; and the sum of products of the differences.
Exponents are as in `toolkit.kernels.partial_moments`.

No matrix product of a linear algebra library is taken: its last bits depend on the processor.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from toolkit.kernels.partial_moments import (
    NO_SPREAD,
    Floats,
    gap_of_means,
    needed_exponent,
    split_integer,
    two_sum,
)

N, MEAN_X, LOW_X, MXX, EXP_X, MEAN_Y, LOW_Y, MYY, EXP_Y, MXY = range(10)
NUMBERS = 10

_SAFE = 200
_EXACT = 1 << 53
_LOST = 1e6
"""Share of a sum of squares that may be subtracted from it before it is taken again about a nearer centre."""


class Centred(NamedTuple):
    """A run of one column.

    Attributes
    ----------
    values : ndarray, shape (rows,)
        As they are stored.
    differences : ndarray of float64, shape (rows,)
        From the centre, over ``2**exponent``; 0 where the value is missing or not finite.
    present : ndarray of bool, shape (rows,), or None
        Where it is neither; None when it is nowhere.
    centre : tuple of float
        Two doubles that add up to the centre.
    exponent : int
        Binary exponent of the differences.
    """

    values: npt.NDArray[Any]
    differences: Floats
    present: npt.NDArray[np.bool_] | None
    centre: tuple[float, float]
    exponent: int


def no_comoments(*shape: int) -> Floats:
    """Co-moments of no rows, shape (10, *shape)."""
    out = np.zeros((NUMBERS, *shape))
    out[[EXP_X, EXP_Y]] = NO_SPREAD
    return out


def centred(values: npt.NDArray[Any], present: npt.NDArray[np.bool_] | None) -> Centred:
    """Move a run of numbers to a centre near its mean."""
    if values.dtype.kind == "f":
        with np.errstate(over="ignore", invalid="ignore"):
            if not np.isfinite(values.sum(dtype=np.float64)):  # what stands where a value is missing may be anything
                finite = np.isfinite(values)
                if not finite.all():
                    present = finite if present is None else present & finite
    if present is not None:
        if present.all():
            present = None
        elif not present.any():
            return Centred(values, np.zeros(values.size), present, (0.0, 0.0), NO_SPREAD)
    part = values if present is None else values[present]
    first = part[0]
    if first == part[-1] and (part == first).all():
        centre = split_integer(int(first)) if values.dtype.kind in "iub" else (float(first) + 0.0, 0.0)
        return Centred(values, np.zeros(values.size), present, centre, NO_SPREAD)
    differences, centre, exponent = _differences(part)
    largest = max(float(differences.max()), -float(differences.min()))
    size = math.frexp(largest)[1]
    if abs(size) >= _SAFE:
        differences = np.ldexp(differences, -size)
        exponent += size
    if present is not None:
        spread = np.zeros(values.size)
        spread[present] = differences
        differences = spread
    return Centred(values, differences, present, centre, exponent)


def _differences(part: npt.NDArray[Any]) -> tuple[Floats, tuple[float, float], int]:
    if part.dtype.kind in "iub":
        low, high = int(part.min()), int(part.max())
        if high - low < _EXACT:  # as integers, so that those beyond 2**53 lose nothing
            above = part.astype(np.uint64) - np.uint64(low % (1 << 64))
            inner = above.astype(np.float64)
            mean = float(inner.sum()) / part.size
            base, rest = split_integer(low)
            total = base + (rest + mean)
            return inner - mean, (total, math.fsum((base, rest, mean, -total))), 0
    values = part.astype(np.float64, copy=False)
    with np.errstate(over="ignore", invalid="ignore"):
        mean = float(values.sum()) / values.size
        if not math.isfinite(mean):
            mean = float((values / values.size).sum())
        differences = values - mean
        if np.isfinite(differences).all():
            return differences, (mean, 0.0), 0
    return np.ldexp(values, -2) - math.ldexp(mean, -2), (mean, 0.0), 2


def run_comoments(columns: list[Centred], first: npt.NDArray[np.intp], second: npt.NDArray[np.intp]) -> Floats:
    """Co-moments of some pairs of columns in one run of rows.

    Parameters
    ----------
    columns : list of Centred
        The columns.
    first, second : ndarray of int, shape (pairs,)
        Numbers of the columns of each pair, ascending in ``first``.

    Returns
    -------
    ndarray of float64, shape (10, pairs)
    """
    rows = columns[0].differences.size
    table = np.stack([c.differences for c in columns])
    cross = _products(table, first, second)
    sums = np.broadcast_to(table.sum(axis=1)[:, None], (len(columns),) * 2).copy()
    squares = np.broadcast_to(np.einsum("ik,ik->i", table, table)[:, None], sums.shape).copy()
    present = np.array([c.present is None for c in columns])
    counts = np.full(sums.shape, float(rows))
    if not present.all():
        _leave_out(columns, table, (counts, sums, squares))
    out = no_comoments(first.size)
    n = out[N] = counts[first, second]
    some = np.maximum(n, 1.0)
    exponents = np.array([c.exponent for c in columns], np.int64)
    centres = np.array([c.centre for c in columns])
    offsets = []
    for at, other, mean, low, m2, exponent in (
        (first, second, MEAN_X, LOW_X, MXX, EXP_X),
        (second, first, MEAN_Y, LOW_Y, MYY, EXP_Y),
    ):
        offset = sums[at, other] / some
        offsets.append(offset)
        out[m2] = squares[at, other] - n * offset * offset
        moved = np.ldexp(offset, np.maximum(exponents[at], -2000))
        out[mean], out[low] = two_sum(centres[at, 0], centres[at, 1] + moved)
        out[exponent] = exponents[at]
    out[MXY] = cross - n * offsets[0] * offsets[1]
    lost = (n < rows) & (n > 0)  # columns without missing values are about means of their own
    lost &= (n * offsets[0] ** 2 > _LOST * out[MXX]) | (n * offsets[1] ** 2 > _LOST * out[MYY])
    for pair in np.flatnonzero(lost):
        out[:, pair] = _again(columns[first[pair]], columns[second[pair]])
    out[[MXX, MYY]] = np.maximum(out[[MXX, MYY]], 0.0)
    out[:, n == 0] = no_comoments(1)
    return out


def _products(table: Floats, first: npt.NDArray[np.intp], second: npt.NDArray[np.intp]) -> Floats:
    """Sum of products of each pair of rows of a table."""
    out = np.empty(first.size)
    starts = np.flatnonzero(np.diff(first, prepend=-1))
    for start, stop in zip(starts, [*starts[1:], first.size], strict=True):
        row, others = table[first[start]], second[start:stop]
        if others[-1] - others[0] == others.size - 1:  # neighbours, which ascend
            out[start:stop] = np.einsum("jk,k->j", table[others[0] : others[-1] + 1], row)
        else:
            out[start:stop] = [np.einsum("k,k->", row, table[other]) for other in others]
    return out


def _leave_out(columns: list[Centred], table: Floats, totals: tuple[Floats, Floats, Floats]) -> None:
    """Restrict sums over the rows of one column, the first index, to those where another, the second, is present."""
    counts, sums, squares = totals
    power = table * table
    weights = np.ones(table.shape)
    for weight, column in zip(weights, columns, strict=True):
        if column.present is not None:
            weight[:] = column.present
    counts[:] = weights.sum(axis=1)[:, None]
    for number, column in enumerate(columns):
        if column.present is not None:
            weight = weights[number]
            counts[:, number] = np.einsum("ik,k->i", weights, weight)
            sums[:, number] = np.einsum("ik,k->i", table, weight)
            squares[:, number] = np.einsum("ik,k->i", power, weight)


def _again(x: Centred, y: Centred) -> Floats:
    """One pair, whose common rows lie far from the centres of all rows."""
    both = np.ones(x.values.size, bool)
    for column in (x, y):
        if column.present is not None:
            both &= column.present
    columns = [centred(column.values[both], None) for column in (x, y)]
    return run_comoments(columns, np.zeros(1, np.intp), np.ones(1, np.intp))[:, 0]


def merge_comoments(left: Floats, right: Floats) -> Floats:
    """Join the co-moments of earlier and later runs, by the formulas of Chan, Golub and LeVeque.

    Parameters
    ----------
    left, right : ndarray of float64, shape (10, ...)

    Returns
    -------
    ndarray of float64, shape (10, ...)
    """
    n_left, n_right = left[N], right[N]
    if not (n_left.any() and n_right.any()):
        return left if n_left.any() else right
    share = n_right / np.maximum(n_left + n_right, 1.0)
    weight = n_left * share
    out = np.empty(left.shape)
    out[N] = n_left + n_right
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        moves, shifts = [], []
        for at in (MEAN_X - 1, MEAN_Y - 1):
            mean, low, m2, exponent = range(at + 1, at + 5)
            gap, gap_exponent = gap_of_means(left[at : at + 3], right[at : at + 3])
            scale = np.maximum(np.maximum(left[exponent], right[exponent]), needed_exponent(gap, gap_exponent))
            d = np.ldexp(gap, (gap_exponent - scale).astype(np.int64))
            shift = [(side[exponent] - scale).astype(np.int64) for side in (left, right)]
            out[m2] = np.ldexp(left[m2], 2 * shift[0]) + np.ldexp(right[m2], 2 * shift[1]) + d * d * weight
            near = two_sum(left[mean], left[low] + gap * share)
            far = left[mean] * (1.0 - share) + right[mean] * share
            out[mean] = np.where(gap_exponent, far, near[0])
            out[low] = np.where(gap_exponent, 0.0, near[1])
            out[exponent] = scale
            moves.append(d)
            shifts.append(shift)
        ours, theirs = shifts[0][0] + shifts[1][0], shifts[0][1] + shifts[1][1]
        out[MXY] = np.ldexp(left[MXY], ours) + np.ldexp(right[MXY], theirs) + moves[0] * moves[1] * weight
    return np.where(n_right == 0, left, np.where(n_left == 0, right, out))


def fold_comoments(runs: Floats) -> Floats:
    """Join all runs of an array of shape (10, pairs, runs), two neighbours at a time: shape (10, pairs)."""
    while runs.shape[2] > 1:
        if runs.shape[2] % 2:
            runs = np.concatenate([runs, no_comoments(runs.shape[1], 1)], axis=2)
        runs = merge_comoments(runs[:, :, 0::2], runs[:, :, 1::2])
    return runs[:, :, 0]
