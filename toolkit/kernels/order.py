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
from toolkit.kernels.keys import from_keys, to_keys
from toolkit.kernels.present import present_values
from toolkit.kernels.room import Room
from toolkit.kernels.sorted_runs import SPACING, SortedRuns
from toolkit.kernels.tally import (
    Bins,
    Tally,
    count_of,
    equal_bins,
    inverted_cdf_ranks,
    join,
    join_summaries,
    narrowest,
    summary_of,
    tally_sorted,
)

CAP = 1 << 19
"""Distinct values that a request keeps at most."""

PROBABILITIES = (0.0, 0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1.0)


class Order(Kernel):
    """Exact quantiles, number of distinct values, top values and histogram.

    NaN is counted apart, -0.0 is 0.0, infinities have their place in the order but not in the histogram. Quantiles are
    values of the column: the smallest whose cumulative share reaches the probability.

    Parameters of a request: ``probabilities``; ``k``, how many top values; ``bins`` of the histogram; ``cap``, how many
    distinct values are kept in memory (`CAP`). The result depends on none of ``cap``, chunks and partitions.

    Notes
    -----
    Chunks are gathered, sorted, and joined into a tally of distinct values. When a scan's tally outgrows the cap, it
    goes to disk, as do the blocks that follow, and at the end all are read back range by range
    (`toolkit.kernels.sorted_runs`). 8 and 16-bit integers are counted in an array from the start.

    The state is the tally (``values``, ``counts``, ``pending`` blocks not yet joined, and ``runs`` on disk with the
    finite ``extent`` of what is in them), or ``histogram``; and the number of ``nan``.
    """

    name: ClassVar[str] = "order"
    version: ClassVar[int] = 2
    state_class: ClassVar[StateClass] = "exact"
    references: ClassVar[tuple[str, ...]] = ("10.1080/00031305.1996.10473566", "10.1016/0743-7315(92)90075-X")
    defaults: ClassVar[Mapping[str, Any]] = {
        "probabilities": list(PROBABILITIES),
        "k": 10,
        "bins": 50,
        "cap": CAP,
    }

    def __init__(self, request: KernelRequest, table: TableView) -> None:
        super().__init__(request, table)
        self._cap = max(1, int(self.params["cap"]))
        self._k = int(self.params["k"])
        self._dtype = np.dtype(self.spec.dtype)
        self._dense = self._dtype.kind != "f" and self._dtype.itemsize <= 2
        self._room = Room(table.grid.rows, self._cap)

    @classmethod
    def accepts(cls, spec: ColumnSpec) -> bool:
        """Numbers and times."""
        return spec.kind in NUMERIC_KINDS | TIME_KINDS

    def state_key(self) -> str:
        """Probabilities, top values and bins shape the result alone."""
        return digest_value([self.name, self.version, list(self.request.columns), self._cap])

    @property
    def undivided(self) -> bool:
        """Of a large table, as the distinct values in a part of it may be too many to hand over."""
        return not (self._dense or self._room.fits)

    def init(self) -> State:
        """An empty tally, or no counts."""
        return {
            "nan": 0,
            "values": None if self._dense else np.empty(0, self._dtype),
            "counts": None,
            "histogram": np.zeros(self._possible, np.int64) if self._dense else None,
            "extent": None,
            "runs": None,
            "pending": [],
            "waiting": 0,
        }

    def update(self, state: State, chunk: Chunk) -> State:
        """Gather or count the values of a chunk."""
        values = self._present(chunk)
        if not values.size:
            return state
        if self._dense:
            state["histogram"] = state["histogram"] + self._counted(values)
            return state
        if state["waiting"] and state["waiting"] + values.size > self._room.block:
            self._sort_pending(state)
        state["pending"].append(values)
        state["waiting"] += values.size
        return state

    def merge(self, left: State, right: State) -> State:
        """Join tallies or add counts."""
        left, right = self.settle(left), self.settle(right)
        left["nan"] += right["nan"]
        if self._dense:
            left["histogram"] = left["histogram"] + right["histogram"]
        else:
            left["values"], left["counts"] = join(_tally(left), _tally(right))
        return left

    def settle(self, state: State) -> State:
        """Join what is pending into the tally, and what is on disk: a settled state holds all distinct values."""
        self._sort_pending(state)
        if state["runs"] is not None:
            state["runs"].add(_tally(state))
            state["values"], state["counts"] = state["runs"].whole()
            state["runs"] = state["extent"] = None
        return state

    def finish(self, state: State) -> dict[str, Any]:
        """Derive the result.

        Returns
        -------
        dict
            ``count`` (without NaN), ``nan``, ``distinct``, ``singletons`` (values that occur once), ``entropy``
            (bits), ``min``, ``max``, ``probabilities``, ``quantiles``, ``top`` (pairs of value and count: count
            descending, then value ascending; values that occur once only where there are at most ``k``) and
            ``histogram`` (``edges`` and ``counts``, or None without finite values). None stands for what an empty
            column has not.
        """
        if self._dense:
            filled = np.flatnonzero(state["histogram"])
            keys = filled.astype(np.dtype(f"u{self._dtype.itemsize}"))
            return self._finished(Tally(from_keys(keys, self._dtype), narrowest(state["histogram"][filled])), 0)
        self._sort_pending(state)
        if state["runs"] is None:
            return self._finished(_tally(state), state["nan"])
        return self._read_back(state)

    def memory(self) -> int:
        """A tally of as many values as the cap allows, with what is pending; or counts."""
        if self._dense:
            return 8 * self._possible + 4096
        samples = 0 if self._room.fits else self._dtype.itemsize * -(-self._room.rows // SPACING)
        return (self._room.most + self.chunk_rows) * (self._dtype.itemsize + 4) + samples + 65_536

    def scratch(self) -> int:
        """Temporaries of a sort and a join."""
        if self._dense:
            return 16 * self.chunk_rows + 5 * self.memory() + SCRATCH
        return (self._room.most + self.chunk_rows) * (2 * self._dtype.itemsize + 40) + SCRATCH

    def cost(self) -> float:
        """Nanoseconds a row."""
        return 3.0 if self._dense else 4.0 + 2.0 * self._dtype.itemsize

    def _present(self, chunk: Chunk) -> npt.NDArray[Any]:
        """Values that are ordered, where they are present."""
        return present_values(chunk, self.column)

    @property
    def _possible(self) -> int:
        """Values that there are of a narrow dtype."""
        return 1 << (8 * self._dtype.itemsize)

    def _counted(self, values: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """How often each value of 8 or 16 bits occurs."""
        return np.bincount(to_keys(values), minlength=self._possible)

    def _sort_pending(self, state: State) -> None:
        """Join what is pending into the tally, and write that to disk when it has become too large."""
        if not state["pending"]:
            return
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
        if state["runs"] is None and self.spill is not None and self._exceeds(state, fresh):
            state["runs"] = SortedRuns(self.spill, self._room.block)
            self._write(state, _tally(state))
            state["values"], state["counts"] = np.empty(0, self._dtype), None
        if state["runs"] is None:
            state["values"], state["counts"] = join(_tally(state), fresh)
        else:
            self._write(state, fresh)

    def _exceeds(self, state: State, fresh: Tally) -> bool:
        return not self._room.fits and state["values"].size + fresh.values.size > self._cap

    def _write(self, state: State, tally: Tally) -> None:
        state["runs"].add(tally)
        state["extent"] = _widened(state["extent"], _extent(tally.values))

    def _read_back(self, state: State) -> dict[str, Any]:
        """The result of what is on disk."""
        runs, bins = state["runs"], self._bins(state["extent"])
        ranks, joined, before = self._ranks(runs.count), None, 0
        for tally in runs.ranges():
            count = count_of(tally)
            inside = [r - before for r in ranks if before <= r < before + count]
            summary = summary_of(tally, inside, bins, self._k)
            joined = summary if joined is None else join_summaries([joined, summary], self._k)
            before += count
        assert joined is not None  # what is on disk is not empty
        return self._described(joined, state["nan"], bins)

    def _ranks(self, count: int) -> list[int]:
        """Ranks whose values the result needs, ascending."""
        if not count:
            return []
        return sorted({0, count - 1, *inverted_cdf_ranks(count, self.params["probabilities"])})

    def _bins(self, extent: Sequence[Any] | None) -> Bins | None:
        if extent is None:
            return None
        return equal_bins(extent[0], extent[1], int(self.params["bins"]), self._dtype)

    def _finished(self, tally: Tally, nan: int) -> dict[str, Any]:
        bins = self._bins(_extent(tally.values))
        return self._described(summary_of(tally, self._ranks(count_of(tally)), bins, self._k), nan, bins)

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
