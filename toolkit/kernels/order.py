"""Exact order statistics of numbers and times in bounded memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from toolkit.core.chunk import Chunk
from toolkit.core.digest import digest_value
from toolkit.core.schema import NUMERIC_KINDS, TIME_KINDS, ColumnSpec
from toolkit.kernels.base import Kernel, KernelRequest, State, StateClass, TableView
from toolkit.kernels.frequency import SCRATCH, summarise
from toolkit.kernels.keys import KeyRange, cut, from_keys, full_range, to_keys
from toolkit.kernels.present import present_values, sorted_values
from toolkit.kernels.room import Room
from toolkit.kernels.tally import (
    Bins,
    Tally,
    equal_bins,
    inverted_cdf_ranks,
    join,
    join_summaries,
    narrowest,
    summary_of,
    tally_sorted,
)

CAP = 1 << 21
"""Distinct values that a request keeps at most."""

PROBABILITIES = (0.0, 0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1.0)


class Order(Kernel):
    """Exact quantiles, number of distinct values, top values and histogram.

    NaN is counted apart, -0.0 is 0.0, infinities have their place in the order but not in the histogram. Quantiles are
    values of the column: the smallest whose cumulative share reaches the probability.

    Parameters of a request: ``probabilities``; ``k``, how many top values; ``bins`` of the histogram; ``cap``, how many
    distinct values are kept in memory (`CAP`). The result depends on none of ``cap``, chunks and partitions. ``part``
    belongs to follow-ups.

    Notes
    -----
    Chunks are gathered, sorted, and joined into a tally of distinct values. When that outgrows the cap,
    it is replaced by counts in 65,536 buckets of the order-preserving integer images of the values, and follow-up
    requests sort one range of buckets each; a bucket that is still too rich is cut again, four times at most. 8 and
    16-bit integers are counted in buckets from the start.

    The state is either the tally (``values``, ``counts``, and ``pending`` blocks not yet joined) or ``histogram``, with
    the finite ``extent`` seen; and the number of ``nan``.
    """

    name: ClassVar[str] = "order"
    version: ClassVar[int] = 1
    state_class: ClassVar[StateClass] = "exact"
    references: ClassVar[tuple[str, ...]] = ("10.1016/0304-3975(80)90061-4", "10.1080/00031305.1996.10473566")
    defaults: ClassVar[Mapping[str, Any]] = {
        "probabilities": list(PROBABILITIES),
        "k": 10,
        "bins": 50,
        "cap": CAP,
        "part": None,
    }

    def __init__(self, request: KernelRequest, table: TableView) -> None:
        super().__init__(request, table)
        self._cap = max(1, int(self.params["cap"]))
        self._k = int(self.params["k"])
        self._dtype = np.dtype(self.spec.dtype)
        self._unsigned = np.dtype(f"u{self._dtype.itemsize}")
        self._part: dict[str, Any] | None = self.params["part"]
        whole = full_range(self._dtype)
        self._keys = KeyRange(self._part["low"], self._part["high"]) if self._part else whole
        self._rows = self._part["count"] if self._part else table.grid.rows
        self._dense = self._keys.shift == 0
        self._room = Room(self._rows, self._cap)

    @classmethod
    def accepts(cls, spec: ColumnSpec) -> bool:
        """Numbers and times."""
        return spec.kind in NUMERIC_KINDS | TIME_KINDS

    def state_key(self) -> str:
        """Probabilities, top values and bins shape the result alone."""
        part = self._part and [self._part["low"], self._part["high"]]
        return digest_value([self.name, self.version, list(self.request.columns), self._cap, part])

    def init(self) -> State:
        """An empty tally, or empty buckets."""
        return {
            "nan": 0,
            "values": None if self._dense else np.empty(0, self._dtype),
            "counts": None,
            "histogram": np.zeros(self._keys.buckets, np.int64) if self._dense else None,
            "extent": None,
            "pending": [],
            "waiting": 0,
        }

    def update(self, state: State, chunk: Chunk) -> State:
        """Gather or count the values of a chunk that are in the range."""
        values = self._present(chunk) if self._part is None else self._slice(chunk)
        if not values.size:
            return state
        if state["histogram"] is not None:
            self._count(state, values)
            return state
        if not self._room.takes(state["values"].size, state["waiting"], values.size):
            state = self.settle(state)
            if state["histogram"] is not None:
                self._count(state, values)
                return state
        state["pending"].append(values)
        state["waiting"] += values.size
        return state

    def merge(self, left: State, right: State) -> State:
        """Join tallies or add buckets."""
        left, right = self.settle(left), self.settle(right)
        left["nan"] += right["nan"]
        left["extent"] = _widened(left["extent"], right["extent"])
        if left["histogram"] is None and right["histogram"] is None:
            self._keep(left, join(_tally(left), _tally(right)))
            return left
        for state in (left, right):
            if state["histogram"] is None:
                self._give_up(state, _tally(state))
        left["extent"] = _widened(left["extent"], right["extent"])
        left["histogram"] = left["histogram"] + right["histogram"]
        return left

    def settle(self, state: State) -> State:
        """Join what is pending into the tally."""
        if not state["pending"]:
            return state
        block = np.concatenate(state["pending"])
        state["pending"], state["waiting"] = [], 0
        block.sort()
        if block.dtype.kind == "f":
            kind = self._dtype.type  # a Python float would have searchsorted widen the whole block
            numbers = int(np.searchsorted(block, kind(np.nan)))  # NaN sorts last
            state["nan"] += block.size - numbers
            block = block[:numbers]
            zeros = [int(np.searchsorted(block, kind(0.0), side=side)) for side in ("left", "right")]
            block[slice(*zeros)] = 0.0  # some of them may be -0.0
        fresh = tally_sorted(block)
        del block  # before the join, which takes as much again
        self._keep(state, join(_tally(state), fresh))
        return state

    def finish(self, state: State) -> dict[str, Any]:
        """Derive the result, or say which ranges have to be sorted by themselves.

        Returns
        -------
        dict
            ``count`` (without NaN), ``nan``, ``distinct``, ``singletons`` (values that occur once), ``entropy``
            (bits), ``min``, ``max``, ``probabilities``, ``quantiles``, ``top`` (pairs of value and count: count
            descending, then value ascending; values that occur once only where there are at most ``k``) and
            ``histogram`` (``edges`` and ``counts``, or None without finite values). None stands for what an empty
            column has not.
        """
        state = self.settle(state)
        if state["histogram"] is None:
            return self._finished(_tally(state), state["nan"])
        if self._dense:
            filled = np.flatnonzero(state["histogram"])
            values = from_keys(self._keys.bucket_keys(filled, self._unsigned), self._dtype)
            return self._finished(Tally(values, narrowest(state["histogram"][filled])), state["nan"])
        parts = cut(self._keys, state["histogram"], self._room.part)
        return {
            "count": int(state["histogram"].sum()),
            "nan": state["nan"],
            "extent": state["extent"],
            "parts": [[p.keys.low, p.keys.high, p.count, p.before] for p in parts],
        }

    def follow_up(self, result: Mapping[str, Any]) -> list[KernelRequest]:
        """A request for each range that has to be sorted by itself."""
        ranks = self._ranks(result["count"])
        extent = self._part["extent"] if self._part else result.get("extent")
        found = []
        for low, high, count, before in result.get("parts", ()):
            inside = [r - before for r in ranks if before <= r < before + count]
            part = {"low": low, "high": high, "count": count, "ranks": inside, "extent": extent}
            found.append(KernelRequest(self.name, self.request.columns, {**self.request.params, "part": part}))
        return found

    def combine(self, result: dict[str, Any], follow_ups: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Join the ranges in ascending order."""
        if not follow_ups:
            return result
        joined = join_summaries(follow_ups, self._k)
        return joined if self._part else self._described(joined, result["nan"], self._bins(result["extent"]))

    def memory(self) -> int:
        """A tally of as many values as the cap allows, or buckets, with what is pending."""
        if self._dense:
            return 8 * self._keys.buckets + 4096
        return self._room.most * (self._dtype.itemsize + 4) + 8 * self._keys.buckets + 65_536

    def scratch(self) -> int:
        """Temporaries of a sort and a join."""
        if self._dense:
            return 16 * self.chunk_rows + 5 * self.memory() + SCRATCH
        return self._room.most * (2 * self._dtype.itemsize + 40) + SCRATCH

    def cost(self) -> float:
        """Nanoseconds a row."""
        return 3.0 if self._dense else 4.0 + 2.0 * self._dtype.itemsize

    def _present(self, chunk: Chunk) -> npt.NDArray[Any]:
        """Values that are ordered, where they are present."""
        return present_values(chunk, self.column)

    def _ascending(self, chunk: Chunk) -> npt.NDArray[Any]:
        """The same in ascending order, without NaN and -0.0."""
        return sorted_values(chunk, self.column)

    def _slice(self, chunk: Chunk) -> npt.NDArray[Any]:
        """Values of a chunk that are in the range of keys, a copy."""
        values = self._ascending(chunk)
        first, last = self._keys.low, self._keys.high
        lowest, highest = (int(k) for k in to_keys(values[[0, -1]])) if values.size else (1, 0)
        start = 0 if first <= lowest else self._position(values, first, highest)
        stop = values.size if last >= highest else self._position(values, last + 1, highest)
        return values[start:stop].copy()

    def _position(self, values: npt.NDArray[Any], key: int, highest: int) -> int:
        """Where the values whose keys are not below ``key`` begin."""
        if key > highest:
            return values.size
        value = from_keys(np.array([key], self._unsigned), self._dtype)[0]
        return int(np.searchsorted(values, value))

    def _count(self, state: State, values: npt.NDArray[Any]) -> None:
        """Add values to the buckets."""
        if self._part is None and values.dtype.kind == "f":
            numbers = ~np.isnan(values)
            if not numbers.all():
                state["nan"] += values.size - int(np.count_nonzero(numbers))
                values = values[numbers]
            values = values + values.dtype.type(0.0)  # -0.0 becomes 0.0
        if values.size:
            state["histogram"] = state["histogram"] + self._keys.histogram(to_keys(values))
            if not self._dense and self._part is None:
                state["extent"] = _widened(state["extent"], _extent(values))

    def _keep(self, state: State, tally: Tally) -> None:
        state["values"], state["counts"] = tally
        if tally.values.size > self._room.kept:
            self._give_up(state, tally)

    def _give_up(self, state: State, tally: Tally) -> None:
        """Replace the tally by counts in buckets."""
        weights = tally.counts
        index = self._keys.bucket_of(to_keys(tally.values))
        histogram = np.bincount(index, weights, self._keys.buckets).astype(np.int64)  # exact below 2**53
        state["values"], state["counts"], state["histogram"] = None, None, histogram
        if self._part is None:
            state["extent"] = _extent(tally.values)

    def _ranks(self, count: int) -> list[int]:
        """Ranks whose values the result needs, ascending."""
        if self._part is not None:
            return list(self._part["ranks"])
        if not count:
            return []
        return sorted({0, count - 1, *inverted_cdf_ranks(count, self.params["probabilities"])})

    def _bins(self, extent: Sequence[Any] | None) -> Bins | None:
        if extent is None:
            return None
        return equal_bins(extent[0], extent[1], int(self.params["bins"]), self._dtype)

    def _finished(self, tally: Tally, nan: int) -> dict[str, Any]:
        extent = _extent(tally.values) if self._part is None else self._part["extent"]
        bins = self._bins(extent)
        count = tally.values.size if tally.counts is None else int(tally.counts.sum(dtype=np.int64))
        summary = summary_of(tally, self._ranks(count), bins, self._k)
        return summary if self._part is not None else self._described(summary, nan, bins)

    def _described(self, summary: dict[str, Any], nan: int, bins: Bins | None) -> dict[str, Any]:
        """The final result, from the summary of all values."""
        count, probabilities = summary["count"], [float(p) for p in self.params["probabilities"]]
        at_rank = dict(zip(self._ranks(count), summary["quantiles"], strict=True))
        wanted = inverted_cdf_ranks(count, probabilities) if count else []
        return {
            "count": count,
            "nan": nan,
            **summarise((summary["frequencies"][0], summary["frequencies"][1])),
            "min": at_rank.get(0),
            "max": at_rank.get(count - 1),
            "probabilities": probabilities,
            "quantiles": [at_rank[r] for r in wanted] or [None] * len(probabilities),
            "top": summary["top"],
            "histogram": bins and {"edges": np.array(bins.edges), "counts": summary["histogram"]},
        }


def _tally(state: State) -> Tally:
    return Tally(state["values"], state["counts"])


def _extent(values: npt.NDArray[Any]) -> list[Any] | None:
    """Smallest and largest finite value; None where there is none."""
    if values.dtype.kind == "f":
        low, high = values.min(initial=np.inf), values.max(initial=-np.inf)
        if not (np.isfinite(low) and np.isfinite(high)):
            values = values[np.isfinite(values)]
    return [values.min().item(), values.max().item()] if values.size else None


def _widened(left: list[Any] | None, right: list[Any] | None) -> list[Any] | None:
    if left is None or right is None:
        return right if left is None else left
    return [min(left[0], right[0]), max(left[1], right[1])]


PROVIDES = Order
