"""Counts by time, exact while there are few distinct times, in equal steps beyond."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_FINEST = -1074
_COARSEST = 1023


class TimeCounts:
    """How often each time occurs in each cell of some tables.

    Steps are powers of two in the unit of the times, and begin at multiples of themselves. The step is the smallest
    with which all times that were seen fill at most ``most`` steps, so that the order of rows changes nothing.

    Parameters
    ----------
    widths : sequence of int
        Cells of each table that are counted for each time.
    most : int
        Times that are told apart.

    Attributes
    ----------
    edges : ndarray of float64, shape (times,)
        The times, ascending; where ``step`` is above 0, the first instants of the steps.
    counts : list of ndarray of int64, each of shape (times, width)
        How often.
    exponent : int or None
        The step is two to its power; None where each distinct time stands for itself.

    Examples
    --------
    >>> counts = TimeCounts([1], most=4)
    >>> counts.add(np.array([1.0, 3.0, 3.0]), [np.zeros(3, np.int64)])
    >>> counts.edges.tolist(), counts.counts[0][:, 0].tolist(), counts.step
    ([1.0, 3.0], [1, 2], 0.0)
    >>> counts.add(np.arange(10.0), [np.zeros(10, np.int64)])
    >>> counts.edges.tolist(), counts.counts[0][:, 0].tolist(), counts.step
    ([0.0, 4.0, 8.0], [7, 4, 2], 4.0)
    """

    def __init__(self, widths: Sequence[int], most: int) -> None:
        self.edges: Floats = np.zeros(0)
        self.counts: list[Ints] = [np.zeros((0, width), np.int64) for width in widths]
        self.exponent: int | None = None
        self._most = most

    @property
    def step(self) -> float:
        """Length of a step; 0 where each distinct time stands for itself."""
        return 0.0 if self.exponent is None else math.ldexp(1.0, self.exponent)

    def places(self, times: Floats) -> Ints:
        """Which of the times or steps each value is, shape (rows,); all must have been seen."""
        return np.searchsorted(self.edges, _floored(times, self.exponent)).astype(np.int64)

    def add(self, times: Floats, cells: list[Ints]) -> None:
        """Count some rows.

        Parameters
        ----------
        times : ndarray of float64, shape (rows,)
            Finite, not below 0.
        cells : list of ndarray of int64, each of shape (rows,)
            The cell of each table in which a row counts.
        """
        if not times.size:
            return
        found = np.unique(_floored(times, self.exponent))
        edges = np.union1d(self.edges, found)
        exponent = self.exponent
        if edges.size > self._most:
            exponent = smallest_step(edges, self._most, exponent)
            edges = np.unique(_floored(edges, exponent))
        if exponent != self.exponent or edges.size != self.edges.size:
            places = np.searchsorted(edges, _floored(self.edges, exponent))
            self.counts = [_moved(table, places, edges.size) for table in self.counts]
            self.edges, self.exponent = edges, exponent
        rows = self.places(times)
        for table, cell in zip(self.counts, cells, strict=True):
            width = table.shape[1]
            table += np.bincount(rows * width + cell, minlength=table.size).reshape(table.shape)


def smallest_step(times: Floats, most: int, least: int | None = None) -> int:
    """Exponent of the smallest power of two in steps of which distinct times fill at most so many.

    Examples
    --------
    >>> smallest_step(np.arange(100.0), 10)
    4
    """
    # Grids of powers of two are nested, so that coarser never means more.
    low, high = _FINEST if least is None else least, _COARSEST
    while low < high:
        middle = (low + high) // 2
        if np.unique(_floored(times, middle)).size <= most:
            high = middle
        else:
            low = middle + 1
    return low


def _moved(table: Ints, places: npt.NDArray[np.intp], size: int) -> Ints:
    out = np.zeros((size, table.shape[1]), np.int64)
    np.add.at(out, places, table)
    return out


def _floored(times: Floats, exponent: int | None) -> Floats:
    """First instants of the steps of times; exact, as only the exponent of a double is changed."""
    if exponent is None:
        return times + 0.0
    with np.errstate(over="ignore"):
        scaled = np.ldexp(times, -exponent)
    # Beyond 2**53 steps a double is a whole number of steps already, also where scaling leaves its range.
    whole = scaled >= 2.0**53
    return np.where(whole, times, np.ldexp(np.floor(np.where(whole, 0.0, scaled)), exponent)) + 0.0
