"""Moments of runs of rows by group, of several columns at once.

The values of several columns stand side by side, so that one walk over the groups of the rows serves all of them: as a
product with a matrix of ones, one in each column, that takes a row to its group. Each column is summed in the order of
the rows whatever stands beside it, so that what columns are taken together changes no bit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from toolkit.kernels.partial_moments import (
    EXPONENT,
    FIELDS,
    M2,
    MEAN,
    MEAN_LOW,
    NO_SPREAD,
    Floats,
    N,
    no_moments,
    split_integer,
    two_sum,
)

_SAFE = 200
_EXACT = 1 << 53
_EPSILON = 2.0**-52
_NONE = np.empty(0, np.intp)


class Run(NamedTuple):
    """A run of rows of one column.

    Attributes
    ----------
    values : ndarray of float64, shape (rows,)
        What is to be added to the base, over ``2**exponent``; something finite where there is no value.
    absent : ndarray of int, shape (absent,)
        Rows where there is no finite value.
    base : tuple of float
        Two doubles that add up to what was subtracted.
    exponent : int
        Binary exponent of the values.
    """

    values: Floats
    absent: npt.NDArray[np.intp]
    base: tuple[float, float]
    exponent: int


class RunTable(NamedTuple):
    """The same rows of several columns.

    Attributes
    ----------
    values : ndarray of float64, shape (rows, columns)
        As in `Run`; 0 where there is no value.
    columns : list of Run
        The columns, without their values.
    """

    values: Floats
    columns: list[Run]


def run_table(runs: Sequence[Run]) -> RunTable:
    """Put columns side by side."""
    values = np.empty((runs[0].values.size, len(runs)))
    for i, run in enumerate(runs):
        values[:, i] = run.values
        values[run.absent, i] = 0.0
    return RunTable(values, [run._replace(values=np.empty(0)) for run in runs])


def grouped_run(values: npt.NDArray[Any], absent: npt.NDArray[np.bool_] | None, centres: Floats | None) -> Run:
    """Make values ready to be summed: as doubles of ordinary size.

    Parameters
    ----------
    values : ndarray, shape (rows,)
        As they are stored.
    absent : ndarray of bool, shape (rows,), or None
        Where they are missing.
    centres : ndarray of float64, shape (rows,), or None
        Take the distances of the values from these instead.
    """
    if values.dtype.kind == "f":
        values = values.astype(np.float64, copy=False)
        with np.errstate(over="ignore", invalid="ignore"):
            if not math.isfinite(values.sum()):  # what stands where a value is missing may be anything
                infinite = ~np.isfinite(values)
                absent = infinite if absent is None else absent | infinite
    if absent is not None:
        if absent.all():
            return Run(np.zeros(values.size), np.arange(values.size), (0.0, 0.0), 0)
        values = np.where(absent, values[np.argmin(absent)], values)  # no value that is not there already
    base = (0.0, 0.0)
    if centres is not None:
        with np.errstate(over="ignore"):
            values = np.minimum(np.abs(values - centres), np.finfo(float).max)
    elif values.dtype.kind in "iub":
        low, high = int(values.min()), int(values.max())
        if high - low < _EXACT:
            base = split_integer(low)
            values = values.astype(np.uint64) - np.uint64(low % (1 << 64))
    values = values.astype(np.float64, copy=False)
    present = values if absent is None or centres is None else values[~absent]
    exponent = math.frexp(max(float(present.max()), -float(present.min())))[1]
    exponent = 0 if abs(exponent) < _SAFE else exponent
    if exponent:
        values = np.ldexp(values, -exponent)
    return Run(values, _NONE if absent is None else np.flatnonzero(absent), base, exponent)


def moments_by_group(table: RunTable, codes: npt.NDArray[np.integer[Any]], groups: int) -> Floats:
    """Moments of columns by group, each about the mean of its group.

    Parameters
    ----------
    table : RunTable
        The columns.
    codes : ndarray of int, shape (rows,)
        The group of each row.
    groups : int
        How many there are.

    Returns
    -------
    ndarray of float64, shape (7, groups, columns)
        Fields as in `toolkit.kernels.partial_moments`.
    """
    from scipy.sparse import csc_array  # 0.1 s to load, for few; the process that forks workers loads it meanwhile

    rows, places = codes.size, codes.astype(np.int32)
    to_groups = csc_array((np.ones(rows), places, np.arange(rows + 1, dtype=np.int32)), shape=(groups, rows))
    n = np.empty((groups, len(table.columns)))
    n[:] = np.bincount(places, minlength=groups)[:, None]
    for i, column in enumerate(table.columns):
        n[:, i] -= np.bincount(places[column.absent], minlength=groups)
    some = np.maximum(n, 1.0)
    centre = (to_groups @ table.values) / some
    differences = centre.take(places, axis=0)
    np.subtract(table.values, differences, out=differences)
    for i, column in enumerate(table.columns):
        differences[column.absent, i] = 0.0
    offset = (to_groups @ differences) / some
    differences *= differences
    m2 = np.maximum((to_groups @ differences) - n * offset * offset, 0.0)
    # Values that differ do so by a unit in the last place at least; less than that is rounding.
    m2[m2 < 1e3 * n * _EPSILON**3 * centre * centre] = 0.0
    return _described(table.columns, n, centre, offset, m2)


def _described(columns: list[Run], n: Floats, centre: Floats, offset: Floats, m2: Floats) -> Floats:
    exponents = np.array([column.exponent for column in columns])
    base = np.array([column.base for column in columns])
    out = no_moments(n.size).reshape(len(FIELDS), *n.shape)
    mean, low = two_sum(np.broadcast_to(base[:, 0], n.shape), np.ldexp(centre, exponents))
    out[MEAN], out[MEAN_LOW] = two_sum(mean, low + base[:, 1] + np.ldexp(offset, exponents))
    out[N], out[M2] = n, m2
    out[EXPONENT] = np.where(m2 > 0, exponents.astype(np.float64), float(NO_SPREAD))
    out[:, n == 0] = no_moments(1)
    return out
