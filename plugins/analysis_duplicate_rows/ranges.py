"""Repeating rows as ranges that repeat ranges."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]


class Range(NamedTuple):
    """Rows ``first`` to ``last`` repeat those that lie ``stride`` rows before them, one by one."""

    first: int
    last: int
    stride: int

    @property
    def length(self) -> int:
        """Number of rows."""
        return self.last - self.first + 1


def ranges(rows: Rows, firsts: Rows, least: int) -> list[Range]:
    """Runs of consecutive rows that repeat rows at one distance.

    Parameters
    ----------
    rows, firsts : ndarray of int64, shape (repeats,)
        Repeating rows, ascending, and the first row that each repeats.
    least : int
        Rows of a range.

    Returns
    -------
    list of Range
        In the order of the table.

    Notes
    -----
    A row within a block may repeat one that stands before the block's source as well; the range goes on over it where
    the row at the block's distance is of the same values.

    Examples
    --------
    >>> ranges(np.array([7, 8, 9, 20]), np.array([1, 2, 3, 0]), 2)
    [Range(first=7, last=9, stride=6)]
    """
    strides = rows - firsts
    breaks = np.flatnonzero((np.diff(rows) != 1) | (np.diff(strides) != 0)) + 1
    starts = np.concatenate([[0], breaks]) if rows.size else breaks
    stops = np.append(starts[1:], rows.size)
    # A range of enough rows has a run within it unless nearly every row is an exception.
    seeds = np.flatnonzero(stops - starts >= max(least // 4, 2))
    found: list[Range] = []
    for seed in seeds.tolist():
        start, stop, stride = int(starts[seed]), int(stops[seed]), int(strides[starts[seed]])
        if found and found[-1].last >= rows[stop - 1]:
            continue  # the range before went on over it
        while start > 0 and _goes_on(rows, firsts, start - 1, int(rows[start]) - 1, stride):
            start -= 1
        while stop < rows.size and _goes_on(rows, firsts, stop, int(rows[stop - 1]) + 1, stride):
            stop += 1
        first = int(rows[start])
        if found and first <= found[-1].last:
            first = found[-1].last + 1
        found.append(Range(first, int(rows[stop - 1]), stride))
    return [r for r in found if r.length >= least]


def _goes_on(rows: Rows, firsts: Rows, place: int, row: int, stride: int) -> bool:
    """Whether the repeat at a place is of that row, and has the values of the row at a distance before it."""
    return int(rows[place]) == row and _source(rows, firsts, row - stride) == int(firsts[place])


def _source(rows: Rows, firsts: Rows, row: int) -> int:
    """The first row that has the values of a row."""
    at = int(np.searchsorted(rows, row))
    return int(firsts[at]) if at < rows.size and int(rows[at]) == row else row


def adjacent(rows: Rows, firsts: Rows) -> Rows:
    """Rows that repeat the row right before them.

    Examples
    --------
    >>> adjacent(np.array([1, 2, 5]), np.array([0, 0, 0])).tolist()
    [1, 2]
    """
    of_first = firsts == rows - 1
    follows = np.concatenate([[False], (np.diff(rows) == 1) & (np.diff(firsts) == 0)])[: rows.size]
    return rows[of_first | follows]
