"""Finds how many of some ascending cuts lie below each of many values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.kernels.keys import to_keys

_BUCKETS = 1 << 16
_ROWS = 1 << 14
"""Values taken at a time, so that temporaries stay in the processor's cache."""

_Buckets = npt.NDArray[np.intp]


class CutSearch:
    """What ``numpy.searchsorted(cuts, values)`` gives, four to six times as fast.

    Values are mapped to 65,536 buckets by a function that never decreases, linear or in the order-preserving integer
    images of the values; only cuts of a value's own bucket remain to be compared. Whatever is rounded in the mapping,
    the result is exact.

    Parameters
    ----------
    cuts : ndarray of int or float, shape (n,)
        Ascending, without NaN and -0.0; n below 65,536.
    """

    def __init__(self, cuts: npt.NDArray[Any]) -> None:
        self._cuts = cuts
        self._map: Callable[[npt.NDArray[Any]], _Buckets] | None = None
        self._most = 0
        if not cuts.size:
            return
        for mapping in (_Linear.of(cuts), _ByKey(cuts)):
            if mapping is None:
                continue
            first = np.searchsorted(mapping(cuts), np.arange(_BUCKETS + 1)).astype(np.uint16)
            most = int(np.diff(first.astype(np.int64)).max())
            if self._map is None or most < self._most:
                self._map, self._first, self._most = mapping, first[:-1], most
        self._stride = 1 << (self._most.bit_length() - 1)
        last = np.inf if cuts.dtype.kind == "f" else np.iinfo(cuts.dtype).max
        self._padded = np.concatenate([cuts, np.full(self._stride, last, cuts.dtype)])

    def __call__(self, values: npt.NDArray[Any]) -> npt.NDArray[np.uint16]:
        """Number of cuts below each value, shape of the values; where a value is NaN it has no meaning."""
        out = np.zeros(values.size, np.uint16)
        if self._map is None:
            return out
        for at in range(0, values.size, _ROWS):
            part = values[at : at + _ROWS]
            if part.dtype.kind == "f":
                part = part + part.dtype.type(0.0)  # -0.0 becomes 0.0
            found = self._first.take(self._map(part)).astype(np.intp)
            stride = self._stride
            while stride:
                further = self._padded.take(found + (stride - 1)) < part
                found += further if stride == 1 else further * np.intp(stride)
                stride >>= 1
            out[at : at + _ROWS] = found
        return out


class _Linear:
    """Buckets of equal width between the first finite cut and the last."""

    def __init__(self, low: Any, scale: Any) -> None:
        self._low, self._scale = low, scale

    @classmethod
    def of(cls, cuts: npt.NDArray[Any]) -> _Linear | None:
        """None where the range of the cuts can't be divided."""
        finite = cuts[np.isfinite(cuts)] if cuts.dtype.kind == "f" else cuts[:0]
        if finite.size < 2:
            return None
        with np.errstate(over="ignore"):
            scale = finite.dtype.type(_BUCKETS - 1) / (finite[-1] - finite[0])
        return cls(finite[0], scale) if 0 < scale < np.inf else None

    def __call__(self, values: npt.NDArray[Any]) -> _Buckets:
        with np.errstate(over="ignore", invalid="ignore"):
            place = values - self._low
            place *= self._scale
        np.fmax(place, 0, out=place)  # also of NaN
        np.fmin(place, _BUCKETS - 1, out=place)
        return place.astype(np.intp)


class _ByKey:
    """Buckets of equal width in the integer images: for floats, of some leading bits."""

    def __init__(self, cuts: npt.NDArray[Any]) -> None:
        keys = to_keys(cuts[[0, -1]])
        self._low = keys[0]
        self._shift = keys.dtype.type(max(0, int(keys[1] - keys[0]).bit_length() - 16))

    def __call__(self, values: npt.NDArray[Any]) -> _Buckets:
        keys = np.maximum(to_keys(values), self._low)
        keys -= self._low
        keys >>= self._shift
        return np.minimum(keys, min(_BUCKETS - 1, np.iinfo(keys.dtype).max)).astype(np.intp)
