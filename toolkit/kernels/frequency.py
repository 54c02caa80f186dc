"""What follows from how often each value occurs: top values, entropy, how many values occur once."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
SCRATCH = 4 << 20
"""Bytes that the functions of this module need at most beyond a few copies of their counts."""

_SMALL = 1 << 16


def top_positions(counts: Counts, k: int, *, distinct: int | None = None) -> npt.NDArray[np.int64]:
    """Positions of the k largest counts: count descending, then position ascending.

    Counts of 0 are never listed, and counts of 1 only where there are at most k values: k of many values that occur
    once would say nothing.

    Parameters
    ----------
    counts : ndarray of int64, shape (values,)
        How often each value occurs; values stand in ascending order.
    k : int
        How many to list.
    distinct : int, optional
        Number of distinct values of the whole column, where ``counts`` is only a part of them.

    Examples
    --------
    >>> top_positions(np.array([1, 5, 2, 5, 2]), 3).tolist()
    [1, 3, 2]
    """
    if k < 1:
        return np.empty(0, np.int64)
    if distinct is None:
        distinct = int(np.count_nonzero(counts))
    lowest = 1 if distinct <= k else 2
    threshold = max(kth_largest(counts, k), lowest)
    above = np.flatnonzero(counts > threshold)
    ties = np.flatnonzero(counts == threshold)[: k - above.size]
    chosen = np.concatenate([above, ties])
    return chosen[np.lexsort((chosen, -counts[chosen]))]


def kth_largest(counts: Counts, k: int) -> int:
    """The k-th largest count, 0 where there are fewer than k counts."""
    if counts.size < k:
        return 0
    large = counts[counts >= _SMALL]
    if large.size >= k:
        return int(np.partition(large, large.size - k)[large.size - k])
    tally = np.bincount(counts[counts < _SMALL] if large.size else counts)
    at_least = np.cumsum(tally[::-1])[::-1]
    return int(np.flatnonzero(at_least >= k - large.size)[-1])


def frequency_table(counts: Counts) -> tuple[Counts, Counts]:
    """How many values occur how often.

    Returns
    -------
    sizes, numbers : ndarray of int64
        ``numbers[i]`` values occur ``sizes[i]`` times; sizes ascend and are positive.
    """
    small = np.bincount(counts[counts < _SMALL], minlength=1)
    small[0] = 0
    sizes, numbers = np.flatnonzero(small), small[small > 0]
    large = counts[counts >= _SMALL]
    if large.size:
        more, times = np.unique(large, return_counts=True)
        sizes, numbers = np.concatenate([sizes, more]), np.concatenate([numbers, times])
    return sizes, numbers


def join_tables(tables: list[tuple[Counts, Counts]]) -> tuple[Counts, Counts]:
    """Join frequency tables of disjoint sets of values."""
    if not tables:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    sizes, where = np.unique(np.concatenate([t[0] for t in tables]), return_inverse=True)
    numbers = np.zeros(sizes.size, np.int64)
    np.add.at(numbers, where, np.concatenate([t[1] for t in tables]))
    return sizes, numbers


def summarise(table: tuple[Counts, Counts]) -> dict[str, Any]:
    """Distinct values, values that occur once, and Shannon entropy in bits.

    Logarithms are taken of the few different frequencies, never of rows, so the last bits don't depend on the
    processor's vector units.

    Examples
    --------
    >>> summarise(frequency_table(np.array([2, 1, 1])))
    {'distinct': 3, 'singletons': 2, 'entropy': 1.5}
    """
    sizes, numbers = (a.tolist() for a in table)
    total = sum(s * m for s, m in zip(sizes, numbers, strict=True))
    weighted = math.fsum(m * (s / total) * math.log2(total / s) for s, m in zip(sizes, numbers, strict=True))
    return {
        "distinct": sum(numbers),
        "singletons": numbers[0] if sizes and sizes[0] == 1 else 0,
        "entropy": weighted if total else None,
    }
