"""Order-preserving integer images of numbers, and ranges of them that fit in memory.

A column of any number of rows is sorted in bounded memory by cutting the range of its keys where counted histograms
say: each part holds few enough values to be sorted by itself (Munro and Paterson's multi-pass selection, by radix).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.unsignedinteger[Any]]
Histogram = npt.NDArray[np.int64]

_BUCKET_BITS = 16


def to_keys(values: npt.NDArray[Any]) -> Keys:
    """Unsigned integers of the same width in the same order as the values.

    Parameters
    ----------
    values : ndarray of int, uint or float
        Without NaN and -0.0.

    Examples
    --------
    >>> to_keys(np.array([-1, 0, 1], np.int8)).tolist()
    [127, 128, 129]
    """
    unsigned = np.dtype(f"u{values.dtype.itemsize}")
    if values.dtype.kind == "u":
        return values
    sign = unsigned.type(1 << (8 * unsigned.itemsize - 1))
    bits = values.view(unsigned)
    if values.dtype.kind == "i":
        return bits ^ sign
    signed = np.dtype(f"i{values.dtype.itemsize}")
    negative = (values.view(signed) >> (8 * unsigned.itemsize - 1)).view(unsigned)  # all ones where negative
    return bits ^ (negative | sign)


def from_keys(keys: Keys, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """The values that `to_keys` mapped, of their dtype."""
    if dtype.kind == "u":
        return keys.astype(dtype)
    sign = keys.dtype.type(1 << (8 * dtype.itemsize - 1))
    if dtype.kind == "i":
        return (keys ^ sign).view(dtype)
    return np.where(keys & sign, keys ^ sign, ~keys).view(dtype)


@dataclass(frozen=True, slots=True)
class KeyRange:
    """A range of keys, cut into at most 65,536 equal buckets.

    Attributes
    ----------
    low, high : int
        First and last key, inclusive.
    """

    low: int
    high: int

    @property
    def shift(self) -> int:
        """Binary logarithm of a bucket's width."""
        return max(0, (self.high - self.low).bit_length() - _BUCKET_BITS)

    @property
    def buckets(self) -> int:
        """Number of buckets."""
        return ((self.high - self.low) >> self.shift) + 1

    def bucket_of(self, keys: Keys) -> npt.NDArray[np.intp]:
        """In which bucket each key of the range lies."""
        kind = keys.dtype.type
        return ((keys - kind(self.low)) >> kind(self.shift)).astype(np.intp)

    def histogram(self, keys: Keys) -> Histogram:
        """Count keys of the range by bucket, shape (buckets,)."""
        return np.bincount(self.bucket_of(keys), minlength=self.buckets)

    def bucket_keys(self, indices: npt.NDArray[np.int64], dtype: np.dtype[Any]) -> Keys:
        """First keys of some buckets."""
        return (indices.astype(dtype) << dtype.type(self.shift)) + dtype.type(self.low)


@dataclass(frozen=True, slots=True)
class Part:
    """A range of keys that is to be sorted by itself.

    Attributes
    ----------
    keys : KeyRange
        The range.
    count : int
        Values in it, counting repeated ones.
    before : int
        Values below it.
    """

    keys: KeyRange
    count: int
    before: int


def full_range(dtype: np.dtype[Any]) -> KeyRange:
    """All keys of values of a dtype."""
    return KeyRange(0, (1 << (8 * dtype.itemsize)) - 1)


def cut(keys: KeyRange, histogram: Histogram, cap: int) -> list[Part]:
    """Cut a range where its histogram says, so that each part holds at most ``cap`` values or is a single bucket.

    Empty buckets at the ends of a part are left out of it; parts are in ascending order.

    Examples
    --------
    >>> [(p.keys.low, p.keys.high, p.count) for p in cut(KeyRange(0, 5), np.array([2, 2, 0, 9, 1, 0]), 4)]
    [(0, 1, 4), (3, 3, 9), (4, 4, 1)]
    """
    filled = np.flatnonzero(histogram)
    if not filled.size:
        return []
    ends = np.cumsum(histogram[filled])
    parts, at, before = [], 0, 0
    while at < filled.size:
        stop = max(int(np.searchsorted(ends, before + cap, side="right")), at + 1)
        low = keys.low + (int(filled[at]) << keys.shift)
        high = keys.low + ((int(filled[stop - 1]) + 1) << keys.shift) - 1
        after = int(ends[stop - 1])
        parts.append(Part(KeyRange(low, min(high, keys.high)), after - before, before))
        at, before = stop, after
    return parts
