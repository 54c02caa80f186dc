"""Lengths of time: exact counts in ranges of at most one part in 128."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

BITS = 7
"""Binary digits that ranges keep: the least and the greatest value of one differ by less than one part in 2**7."""

Ints = npt.NDArray[np.int64]

_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "D": 86_400.0}


def range_of(values: Ints, bits: int = BITS) -> Ints:
    """The range of each value: those below ``2**(bits + 1)`` have one of their own.

    Parameters
    ----------
    values : ndarray of int64
        Not negative.
    bits : int
        Binary digits that ranges keep.

    Examples
    --------
    >>> range_of(np.array([0, 5, 16, 17, 18]), 3).tolist()
    [0, 5, 16, 16, 17]
    """
    size = 1 << bits
    shift = np.maximum(np.frexp(values.astype(np.float64))[1] - (bits + 1), 0).astype(np.int64)
    shift += (values >> shift) >= 2 * size  # a double may be rounded below a power of two
    shift -= ((values >> shift) < size) & (shift > 0)
    out: Ints = shift * size + (values >> shift)
    return out


def range_bounds(place: int, bits: int = BITS) -> tuple[int, int]:
    """The least and the greatest value of a range.

    Examples
    --------
    >>> range_bounds(5, 3), range_bounds(17, 3)
    ((5, 5), (18, 19))
    """
    size = 1 << bits
    shift = max(place // size - 1, 0)
    low = (place - shift * size) << shift
    return low, low + (1 << shift) - 1


def ranges(bits: int = BITS) -> int:
    """How many ranges there are for 63-bit numbers."""
    return (64 - bits) << bits


@dataclass(slots=True)
class DurationHistogram:
    """Lengths of time by range, with their number, sum and extremes; the same for any order in which they come.

    Attributes
    ----------
    counts : ndarray of int64, shape (ranges,)
        How many fall in each range.
    count, total : int
        How many there are, and their exact sum.
    low, high : int or None
        The shortest and the longest.
    """

    counts: Ints = field(default_factory=lambda: np.zeros(ranges(), np.int64))
    count: int = 0
    total: int = 0
    low: int | None = None
    high: int | None = None

    def add(self, values: Ints) -> None:
        """Take in lengths, none of which is negative."""
        if not values.size:
            return
        self.counts += np.bincount(range_of(values), minlength=self.counts.size)
        self.count += values.size
        self.total += exact_sum(values)
        low, high = int(values.min()), int(values.max())
        self.low = low if self.low is None else min(self.low, low)
        self.high = high if self.high is None else max(self.high, high)

    def quantile(self, probability: float) -> tuple[int, int] | None:
        """Bounds of a quantile: the smallest value that such a share of all does not exceed lies between them."""
        if not self.count or self.low is None or self.high is None:
            return None
        rank = max(int(np.ceil(probability * self.count - 1e-9)), 1)
        place = int(np.searchsorted(np.cumsum(self.counts), rank))
        low, high = range_bounds(place)
        return max(low, self.low), min(high, self.high)

    def summary(self, unit: str) -> dict[str, Any]:
        """Seconds: ``mean``, ``min``, ``max`` exact; of ``quantiles`` the middle of their range, with its bounds."""
        if not self.count or self.low is None or self.high is None:
            return {"count": 0}
        seconds = _SECONDS[unit]
        quantiles = {}
        for probability in (0.25, 0.5, 0.75, 0.9, 0.95):
            low, high = self.quantile(probability) or (0, 0)
            middle = low + (high - low) // 2
            quantiles[f"{probability:g}"] = [middle * seconds, low * seconds, high * seconds]
        return {
            "count": self.count,
            "mean": self.total / self.count * seconds,
            "min": self.low * seconds,
            "max": self.high * seconds,
            "quantiles": quantiles,
        }


def exact_sum(values: Ints) -> int:
    """The sum of integers, however large it is."""
    high, low = values >> 32, values & 0xFFFFFFFF
    return (int(high.sum()) << 32) + int(low.sum())


def seconds_of(value: float, unit: str) -> float:
    """So many of a column's unit of time in seconds."""
    return value * _SECONDS[unit]
