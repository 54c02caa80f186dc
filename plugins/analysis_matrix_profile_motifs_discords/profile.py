"""The matrix profile of a series: for each window the distance to the window that is most like it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .windows import Windows, exclusion_zone

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_ROWS = 2048
"""Rows of the distance matrix after which covariances are computed anew: 16 windows' lengths where that is more, an
eighth of all where that is less."""
_ERROR = 1e-12
"""Error of a correlation beyond which it is computed from the two windows instead."""
_BLOCK = 512
_NONE = -2.0


@dataclass(frozen=True, slots=True)
class MatrixProfile:
    """Distances between z-normalised windows.

    Attributes
    ----------
    distances : ndarray of float64, shape (windows,)
        Euclidean distance to the nearest window outside of the exclusion zone; infinite where there is none, or the
        window has a value that is missing.
    nearest : ndarray of int64, shape (windows,)
        That window; -1 where there is none.
    flat : ndarray of bool, shape (windows,)
        Windows without any shape. As in stumpy, they are at distance 0 of each other, and of others at the root of m.
    """

    distances: Floats
    nearest: Ints
    flat: Bools


def matrix_profile(x: Floats, m: int, progress: Callable[[int, int], None] = lambda done, total: None) -> MatrixProfile:
    """Compare every window with every other.

    Row by row of the distance matrix, with the updates of covariances along its diagonals of Zimmerman and others
    (2019), 10.1145/3357223.3362721. Covariances are computed anew every so many rows, which also tells how far rounding
    has moved them: windows that vary too little for that are compared with all others by their values. The distance to
    the nearest window is computed once more from the two windows.

    Parameters
    ----------
    x : ndarray of float64, shape (n,)
        The series; NaN where a value is missing.
    m : int
        Length of a window, from 3 to n.
    progress : callable
        Told how many of the rows are done.

    Examples
    --------
    >>> x = np.sin(np.arange(60) * 0.7)
    >>> x[40] += 2.0
    >>> int(matrix_profile(x, 8).distances.argmax()) in range(33, 41)
    True
    """
    windows = Windows.of(x, m)
    quiet = np.zeros(len(windows), bool)
    while True:
        found = _Best(windows, quiet)
        moved = _along_diagonals(windows, found, progress)
        late = windows.shaped & ~quiet & (windows.norms**2 * _ERROR < moved)
        if not late.any():
            break
        quiet |= late
    _by_values(windows, quiet, found)
    found.nearest[found.correlation <= _NONE] = -1
    return MatrixProfile(windows.distances(found.nearest), found.nearest, windows.flat & windows.whole)


class _Best:
    """The largest correlation of each window so far.

    Parameters
    ----------
    windows : Windows
        The windows.
    quiet : ndarray of bool, shape (windows,)
        Windows that are left for later.
    """

    def __init__(self, windows: Windows, quiet: Bools) -> None:
        self.correlation = np.full(len(windows), _NONE)
        self.nearest = np.full(len(windows), -1, np.int64)
        usable = windows.shaped & ~quiet
        self.scale = np.where(usable, 1.0 / np.where(usable, windows.norms, 1.0), 0.0)
        # A flat window and another are as far apart as if they correlated by a half, and two flat ones by 1.
        self.extra = np.where(windows.whole & ~quiet, 0.5 * windows.flat, -4.0)
        self.plain = bool(usable.all())

    def take_row(self, row: int, first: int, found: Floats, kept: Bools) -> None:
        """Take correlations of one window with those from ``first`` on; overwrites ``found`` and ``kept``."""
        others = slice(first, first + found.size)
        found *= self.scale[row]
        if not self.plain:
            found += self.extra[others]
            found += self.extra[row]
        at = int(found.argmax())
        if found[at] > self.correlation[row]:
            self.correlation[row], self.nearest[row] = found[at], first + at
        so_far = self.correlation[others]
        better = np.greater(found, so_far, out=kept).nonzero()[0]
        if better.size:
            so_far[better] = found[better]
            self.nearest[others][better] = row


def _along_diagonals(windows: Windows, best: _Best, progress: Callable[[int, int], None]) -> float:
    """Compare all windows that are not left for later; the largest error of a covariance that was seen."""
    x, m, means = windows.x, windows.m, windows.means
    half = 0.5 * (x[m:] - x[:-m])
    other = (x[m:] - means[1:]) + (x[:-m] - means[:-1])
    halves, others = half.tolist(), other.tolist()
    first = exclusion_zone(m) + 1
    rows = max(len(windows) - first, 0)
    products, change, found = (np.empty(rows) for _ in range(3))
    kept = np.empty(rows, bool)
    period = max(16, min(max(_ROWS, 16 * m), rows // 8))
    moved = 0.0
    for row in range(rows):
        away, size = row + first, rows - row
        cells = products[:size]
        if row % period == 0:
            exact = windows.covariances(row, away)
            moved = max(moved, float(np.abs(cells - exact).max())) if row else 0.0
            cells[:] = exact
        best.take_row(row, away, np.multiply(cells, best.scale[away:], out=found[:size]), kept[:size])
        if size > 1:
            cells, step, part = products[: size - 1], change[: size - 1], found[: size - 1]
            np.multiply(half[away:], others[row], out=step)
            np.multiply(other[away:], halves[row], out=part)
            step += part
            cells += step
        if row % 512 == 0:
            progress(row * (2 * rows - row), rows * rows)
    return moved


def _by_values(windows: Windows, quiet: Bools, best: _Best) -> None:
    """Compare the windows that were left for later with all others, by products of their values."""
    left = np.flatnonzero(quiet)
    zone = exclusion_zone(windows.m)
    for a in range(0, left.size, _BLOCK):
        mine = left[a : a + _BLOCK]
        shapes = windows.shapes(mine)
        for b in range(0, len(windows), _BLOCK):
            theirs = np.arange(b, min(b + _BLOCK, len(windows)))
            found = shapes @ windows.shapes(theirs).T
            found += 0.5 * windows.flat[theirs]
            found[:, ~windows.whole[theirs]] = _NONE
            found[np.abs(mine[:, None] - theirs) <= zone] = _NONE
            _take_block(best, mine, theirs, found)
            _take_block(best, theirs, mine, found.T)


def _take_block(best: _Best, mine: Ints, theirs: Ints, found: Floats) -> None:
    at = found.argmax(axis=1)
    top = found[np.arange(mine.size), at]
    better = top > best.correlation[mine]
    best.correlation[mine[better]] = top[better]
    best.nearest[mine[better]] = theirs[at[better]]
