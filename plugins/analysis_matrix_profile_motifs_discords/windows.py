"""The windows of a series: their means and spreads, their shapes, and how far apart two of them are."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_FLAT = 16 * float(np.finfo(np.float64).eps)
"""Windows whose values differ by no more than this share of their size are constant but for rounding."""
_BLOCK = 1024


def exclusion_zone(m: int) -> int:
    """Places on either side of a window whose windows overlap it too much to be compared: a quarter of it."""
    return math.ceil(m / 4)


@dataclass(frozen=True, slots=True)
class Windows:
    """All windows of a length of a series.

    Attributes
    ----------
    x : ndarray of float64, shape (n,)
        The series, with lines drawn across what is missing.
    m : int
        Length of a window.
    means, norms : ndarray of float64, shape (windows,)
        Mean of each, and the root of the sum of squares about it.
    whole : ndarray of bool, shape (windows,)
        Windows that have all values.
    flat : ndarray of bool, shape (windows,)
        Windows that are constant but for rounding.
    """

    x: Floats
    m: int
    means: Floats
    norms: Floats
    whole: Bools
    flat: Bools

    @classmethod
    def of(cls, x: Floats, m: int) -> Windows:
        """The windows of a series; NaN where a value is missing."""
        held = np.isfinite(x)
        places = np.flatnonzero(held)
        filled = np.interp(np.arange(x.size), places, x[places]) if places.size else np.zeros(x.size)
        whole = np.lib.stride_tricks.sliding_window_view(held, m).all(axis=1)
        windows = np.lib.stride_tricks.sliding_window_view(filled, m)
        means, norms, flat = (np.empty(len(windows), t) for t in (np.float64, np.float64, np.bool_))
        for a in range(0, len(windows), _BLOCK):
            part, here = windows[a : a + _BLOCK], slice(a, a + _BLOCK)
            means[here] = part.mean(axis=1)
            norms[here] = np.sqrt((_apart(part, means[here]) ** 2).sum(axis=1))
            low, high = part.min(axis=1), part.max(axis=1)
            flat[here] = (high - low <= _FLAT * np.maximum(-low, high)) | (norms[here] == 0)
        return cls(filled, m, means, norms, whole, flat)

    def __len__(self) -> int:
        return self.means.size

    @property
    def shaped(self) -> Bools:
        """Windows that have all values, and a shape."""
        return self.whole & ~self.flat

    def shapes(self, which: Ints) -> Floats:
        """Windows about their means, of length one; zeros for flat ones, shape (which, m)."""
        windows = np.lib.stride_tricks.sliding_window_view(self.x, self.m)
        flat = self.flat[which]
        scale = np.where(flat, 0.0, 1.0 / np.where(flat, 1.0, self.norms[which]))
        return _apart(windows[which], self.means[which]) * scale[:, None]

    def covariances(self, one: int, first: int) -> Floats:
        """Sums of products about the means, of one window and each from ``first`` on."""
        windows = np.lib.stride_tricks.sliding_window_view(self.x, self.m)
        mine = _apart(windows[one : one + 1], self.means[one : one + 1])[0]
        out = np.empty(len(self) - first)
        for a, b in _blocks(first, len(self)):
            out[a - first : b - first] = ((windows[a:b] - self.means[a:b, None]) * mine).sum(axis=1)
        return out

    def distances(self, others: Ints) -> Floats:
        """Distance of each window to another, infinite where there is none (-1)."""
        out = np.full(others.size, np.inf)
        for a, b in _blocks(0, others.size):
            mine = np.flatnonzero(others[a:b] >= 0) + a
            theirs = others[mine]
            gaps = self.shapes(mine) - self.shapes(theirs)
            found = np.sqrt((gaps * gaps).sum(axis=1) * self.m)
            flat = self.flat[mine].astype(np.int64) + self.flat[theirs]
            out[mine] = np.choose(flat, [found, math.sqrt(self.m), 0.0])
        return out


def _apart(windows: Floats, means: Floats) -> Floats:
    """Differences from means, and from what rounding of means leaves, so that small spreads far from 0 keep digits."""
    apart = windows - means[:, None]
    return apart - apart.mean(axis=1)[:, None]


def _blocks(start: int, stop: int) -> Iterator[tuple[int, int]]:
    return ((a, min(a + _BLOCK, stop)) for a in range(start, stop, _BLOCK))
