"""Sorted distinct values with how often each occurs, and what follows from them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from toolkit.kernels.frequency import Counts, frequency_table, join_tables, top_positions

_EXACT_INTEGERS = 1 << 53
_HALF_OF_ALL = 2.0**1023


class Tally(NamedTuple):
    """A multiset of numbers.

    Attributes
    ----------
    values : ndarray, shape (distinct,)
        Strictly ascending, without NaN and -0.0.
    counts : ndarray of unsigned integers, shape (distinct,), or None
        How often each occurs, in the narrowest dtype; None when each occurs once.
    """

    values: npt.NDArray[Any]
    counts: npt.NDArray[Any] | None

    @property
    def wide_counts(self) -> Counts:
        """Counts as int64, also when each is 1."""
        if self.counts is None:
            return np.ones(self.values.size, np.int64)
        return self.counts.astype(np.int64)


def count_of(tally: Tally) -> int:
    """Values, counting repeated ones.

    Examples
    --------
    >>> count_of(Tally(np.array([2.0, 3.0]), np.array([5, 1], np.uint8)))
    6
    """
    return tally.values.size if tally.counts is None else int(tally.counts.sum(dtype=np.int64))


def tally_sorted(values: npt.NDArray[Any]) -> Tally:
    """Count equal neighbours of ascending values without NaN."""
    if values.size == 0:
        return Tally(values, None)
    changes = values[1:] != values[:-1]
    distinct = int(np.count_nonzero(changes)) + 1
    if distinct == values.size:
        return Tally(values, None)
    starts = np.empty(distinct + 1, np.int64)
    starts[0], starts[-1] = 0, values.size
    starts[1:-1] = np.flatnonzero(changes)
    starts[1:-1] += 1
    return Tally(values[starts[:-1]], narrowest(np.diff(starts)))


def narrowest(counts: Counts) -> npt.NDArray[Any]:
    """Counts in the narrowest unsigned dtype that holds them all, so that equal tallies have equal bytes."""
    return counts.astype(np.min_scalar_type(int(counts.max(initial=0))))


def join(left: Tally, right: Tally) -> Tally:
    """The tally of both multisets together."""
    if not right.values.size:
        return left
    if not left.values.size:
        return right
    if left.values.size < right.values.size:
        left, right = right, left
    at = np.searchsorted(left.values, right.values)
    known = left.values[np.minimum(at, left.values.size - 1)] == right.values
    new = ~known
    values = np.insert(left.values, at[new], right.values[new])
    if left.counts is None and right.counts is None and not known.any():
        return Tally(values, None)
    counts, more = left.wide_counts, right.wide_counts
    counts[at[known]] += more[known]
    return Tally(values, narrowest(np.insert(counts, at[new], more[new])))


def inverted_cdf_ranks(count: int, probabilities: Sequence[float]) -> list[int]:
    """Ranks from 0 of the quantiles of ``count`` values: the smallest value whose cumulative share reaches p.

    Definition 1 of Hyndman and Fan, rounded as in NumPy's method ``inverted_cdf``.

    Examples
    --------
    >>> inverted_cdf_ranks(10, [0.0, 0.1, 0.5, 0.51, 1.0])
    [0, 0, 4, 5, 9]
    """
    return [min(max(math.ceil(count * p - 1.0), 0), count - 1) for p in probabilities]


class Bins(NamedTuple):
    """Bins of equal width over the finite values of a column.

    Attributes
    ----------
    edges : list of float
        As ``numpy.histogram`` has them.
    thresholds : list
        The smallest value, exactly, that belongs to each bin but the first.
    """

    edges: list[float]
    thresholds: list[Any]


def equal_bins(low: Any, high: Any, bins: int, dtype: np.dtype[Any]) -> Bins:
    """Bins over ``low`` to ``high``, all but the last open at their upper end.

    Integers that doubles can't tell apart get edges by exact fractions.
    """
    if dtype.kind != "f" and max(abs(low), abs(high)) > _EXACT_INTEGERS:
        half = Fraction(1, 2) if low == high else Fraction(0)
        exact = [low - half + i * (high - low + 2 * half) / bins for i in range(bins + 1)]
        return Bins([float(e) for e in exact], [math.ceil(e) for e in exact[1:-1]])
    first, last = (low - 0.5, high + 0.5) if low == high else (float(low), float(high))
    if max(abs(first), abs(last)) < _HALF_OF_ALL:  # where neither the width nor the last edge can overflow
        edges = np.linspace(first, last, bins + 1)
    else:
        edges = 2.0 * np.linspace(first / 2.0, last / 2.0, bins + 1)
    inner = edges[1:-1].tolist()
    if dtype.kind != "f":
        return Bins(edges.tolist(), [math.ceil(e) for e in inner])
    narrow = dtype.type(inner) if dtype.itemsize < 8 else np.array(inner)
    if dtype.itemsize < 8:  # the smallest narrow value that is not below the edge
        narrow = np.where(narrow < np.array(inner), np.nextafter(narrow, dtype.type(np.inf)), narrow)
    return Bins(edges.tolist(), narrow.tolist())


def summary_of(tally: Tally, ranks: Sequence[int], bins: Bins | None, k: int) -> dict[str, Any]:
    """What the order kernel reports of a range of values: a plain tree that `join_summaries` joins.

    Parameters
    ----------
    tally : Tally
        The values.
    ranks : sequence of int
        Ranks whose values are wanted, from 0 within the tally.
    bins : Bins, optional
        Bins into which finite values are counted.
    k : int
        How many top values.
    """
    values, counts = tally
    ends = None if counts is None else np.cumsum(counts, dtype=np.int64)
    count = values.size if ends is None else int(ends[-1])
    at = list(ranks) if ends is None else np.searchsorted(ends, ranks, side="right").tolist()
    if counts is None:
        table = (np.array([1]), np.array([count])) if count else (np.empty(0, np.int64), np.empty(0, np.int64))
        top = np.arange(count) if count <= k else np.empty(0, np.int64)
    else:
        wide = tally.wide_counts
        table, top = frequency_table(wide), top_positions(wide, k)
    return {
        "count": count,
        "frequencies": [table[0], table[1]],
        "quantiles": values[at].tolist() if at else [],
        "top": [[v, 1 if counts is None else int(counts[i])] for i, v in zip(top, values[top].tolist(), strict=True)],
        "histogram": None if bins is None else _histogram(values, ends, bins),
    }


def join_summaries(summaries: Sequence[Any], k: int) -> dict[str, Any]:
    """Join the summaries of consecutive ranges of values, in ascending order."""
    listed = [entry for s in summaries for entry in s["top"]]
    distinct = sum(int(s["frequencies"][1].sum()) for s in summaries)
    sizes = np.array([count for _, count in listed], np.int64)
    histograms = [s["histogram"] for s in summaries if s["histogram"] is not None]
    return {
        "count": sum(s["count"] for s in summaries),
        "frequencies": list(join_tables([tuple(s["frequencies"]) for s in summaries])),
        "quantiles": [value for s in summaries for value in s["quantiles"]],
        "top": [listed[i] for i in top_positions(sizes, k, distinct=distinct)],
        "histogram": np.sum(histograms, axis=0) if histograms else None,
    }


def _histogram(values: npt.NDArray[Any], ends: Counts | None, bins: Bins) -> Counts:
    first, last = 0, values.size
    if values.dtype.kind == "f":
        infinity = values.dtype.type(np.inf)
        first, last = int(np.searchsorted(values, -infinity, side="right")), int(np.searchsorted(values, infinity))
    finite = values[first:last]
    # An edge may lie above the largest value of an integer dtype; nothing reaches it.
    highest = finite[-1].item() if finite.size else None
    cuts = [
        first + int(np.searchsorted(finite, values.dtype.type(t))) if finite.size and t <= highest else last
        for t in bins.thresholds
    ]
    positions = np.array([first, *cuts, last], np.int64)
    if ends is None:
        return np.diff(positions)
    if not ends.size:
        return np.zeros(positions.size - 1, np.int64)
    return np.diff(np.where(positions > 0, ends[np.maximum(positions - 1, 0)], 0))
