"""The matrix profile of a series: for each window the distance to the window that is most like it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_PIECE = 8192
"""Cells of a diagonal that are taken at once: temporaries stay in the processor's cache, and no sum runs longer."""
_FLAT = 1e-12
"""Windows whose deviation is below this share of their size are constant but for rounding."""


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
    flat: npt.NDArray[np.bool_]


def exclusion_zone(m: int) -> int:
    """Places on either side of a window whose windows overlap it too much to be compared: a quarter of it."""
    return math.ceil(m / 4)


def matrix_profile(x: Floats, m: int, progress: Callable[[int, int], None] = lambda done, total: None) -> MatrixProfile:
    """Compare every window with every other.

    Cell by cell along the diagonals of the distance matrix, with the updates of covariances of Zimmerman and others
    (2019), 10.1145/3357223.3362721. Sums are begun anew, exactly, every 8,192 cells, and the distance to the nearest
    window is computed once more from the two windows.

    Parameters
    ----------
    x : ndarray of float64, shape (n,)
        The series; NaN where a value is missing.
    m : int
        Length of a window, from 3 to n.
    progress : callable
        Told how many of the diagonals are done.

    Examples
    --------
    >>> x = np.sin(np.arange(60) * 0.7)
    >>> x[40] += 2.0
    >>> int(matrix_profile(x, 8).distances.argmax()) in range(33, 41)
    True
    """
    windows = x.size - m + 1
    held = np.isfinite(x)
    whole = np.lib.stride_tricks.sliding_window_view(held, m).all(axis=1)
    filled = np.where(held, x, 0.0)
    means, norms, flat = _moments(filled, m)
    usable = whole & ~flat
    scale = np.where(usable, 1.0 / np.where(usable, norms, 1.0), 0.0)
    # A flat window and another are as far apart as if they correlated by a half, and two flat ones by 1.
    extra = np.where(whole, 0.5 * flat, -4.0)
    plain = bool(usable.all())
    half = 0.5 * (filled[m:] - filled[:-m])
    other = (filled[m:] - means[1:]) + (filled[:-m] - means[:-1])
    best, nearest = np.full(windows, -2.0), np.full(windows, -1, np.int64)
    first = exclusion_zone(m) + 1
    for k in range(first, windows):
        for a in range(0, windows - k, _PIECE):
            b = min(a + _PIECE, windows - k)
            found = _covariances(filled, means, half, other, (a, b, k), m)
            found *= scale[a:b]
            found *= scale[a + k : b + k]
            if not plain:
                found += extra[a:b]
                found += extra[a + k : b + k]
            _keep_larger(best, nearest, found, a, k)
            _keep_larger(best, nearest, found, a + k, -k)
        if k % 512 == 0:
            progress(k - first, windows - first)
    nearest[best <= -2.0] = -1
    return MatrixProfile(_distances(filled, means, norms, flat, nearest, m), nearest, flat & whole)


def _covariances(x: Floats, means: Floats, half: Floats, other: Floats, cells: tuple[int, int, int], m: int) -> Floats:
    """Sums of products about the means of windows a to b - 1 and of those k places later."""
    a, b, k = cells
    found = np.empty(b - a)
    found[0] = ((x[a : a + m] - means[a]) * (x[a + k : a + k + m] - means[a + k])).sum()
    if b - a > 1:
        np.multiply(half[a : b - 1], other[a + k : b - 1 + k], out=found[1:])
        found[1:] += half[a + k : b - 1 + k] * other[a : b - 1]
        np.cumsum(found, out=found)
    return found


def _keep_larger(best: Floats, nearest: Ints, found: Floats, at: int, away: int) -> None:
    """Take over correlations that are larger than those so far, and the windows that they are with."""
    here = best[at : at + found.size]
    better = found > here
    if better.any():
        np.copyto(here, found, where=better)
        rows = np.flatnonzero(better) + at
        nearest[rows] = rows + away


def _moments(x: Floats, m: int) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """Mean and root of the sum of squares about it of each window, and which of them are flat."""
    windows = np.lib.stride_tricks.sliding_window_view(x, m)
    means, norms, flat = (np.empty(len(windows), t) for t in (np.float64, np.float64, np.bool_))
    for a in range(0, len(windows), 1024):
        part = windows[a : a + 1024]
        means[a : a + 1024] = part.mean(axis=1)
        apart = part - means[a : a + 1024, None]
        norms[a : a + 1024] = np.sqrt((apart * apart).sum(axis=1))
        size = np.abs(part).max(axis=1)
        flat[a : a + 1024] = norms[a : a + 1024] <= _FLAT * math.sqrt(m) * size
    return means, norms, flat


def _distances(x: Floats, means: Floats, norms: Floats, flat: npt.NDArray[np.bool_], nearest: Ints, m: int) -> Floats:
    """Distance of each window to the one that was found for it, from the windows themselves."""
    windows = np.lib.stride_tricks.sliding_window_view(x, m)
    out = np.full(nearest.size, np.inf)
    for a in range(0, nearest.size, 1024):
        rows = np.flatnonzero(nearest[a : a + 1024] >= 0) + a
        mine, theirs = rows, nearest[rows]
        shapes = [
            (windows[w] - means[w, None]) / np.where(flat[w], 1.0, norms[w])[:, None] * math.sqrt(m)
            for w in (mine, theirs)
        ]
        gap = shapes[0] - shapes[1]
        found = np.sqrt((gap * gap).sum(axis=1))
        odd = flat[mine] | flat[theirs]
        out[rows] = np.where(odd, np.where(flat[mine] & flat[theirs], 0.0, math.sqrt(m)), found)
    return out
