"""Exact number of distinct values and top values of long text in bounded memory."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from toolkit.core.chunk import Chunk
from toolkit.core.schema import ColumnSpec
from toolkit.kernels.base import Kernel, KernelRequest, State, StateClass, TableView
from toolkit.kernels.frequency import SCRATCH, summarise
from toolkit.kernels.identities import (
    Identities,
    Leaders,
    hashed_rows,
    join_identities,
    join_leaders,
    leaders,
)
from toolkit.kernels.keys import KeyRange, cut
from toolkit.kernels.lexicographic import COMPARED_BYTES
from toolkit.kernels.room import Room

if TYPE_CHECKING:
    from toolkit.storage.dataset import Dataset

CAP = 1 << 21
"""Distinct texts that a request keeps at most."""

TIES = 1 << 16
"""Texts tied at the last place whose values are compared."""

_ALL_KEYS = KeyRange(0, (1 << 64) - 1)
_FIELDS = ("first", "second", "rows", "counts")


class TextOrder(Kernel):
    """Number of distinct texts and those that occur most often, both exact.

    Texts are told apart by two independent 64-bit hashes (`toolkit.kernels.identities`); the values of the top ones are
    read from their first rows at the end. Lengths, smallest and largest text are with the kernel ``extremes``.

    Parameters of a request: ``k``, how many top values; ``cap``, how many distinct texts are kept in memory (`CAP`);
    ``ties``. The result does not depend on ``cap``, chunks and partitions. ``part`` belongs to follow-ups.

    Notes
    -----
    Like the kernel ``order``, with the first hash as the key: hashes are gathered, sorted and counted;
    when there are more distinct ones than the cap, they are replaced by counts in 65,536 buckets, and follow-up
    requests take a range of hashes each.

    The state is either ``first``, ``second``, ``rows`` and ``counts`` of `Identities` with ``pending`` ones not yet
    joined, or ``histogram``.
    """

    name: ClassVar[str] = "text_order"
    version: ClassVar[int] = 1
    state_class: ClassVar[StateClass] = "exact"
    references: ClassVar[tuple[str, ...]] = ("10.1016/0304-3975(80)90061-4",)
    defaults: ClassVar[Mapping[str, Any]] = {"k": 10, "cap": CAP, "ties": TIES, "part": None}

    def __init__(self, request: KernelRequest, table: TableView) -> None:
        super().__init__(request, table)
        self._cap = max(1, int(self.params["cap"]))
        self._k = int(self.params["k"])
        self._ties = int(self.params["ties"])
        self._keep_rows = max(self._ties, self._k) + 1
        self._part: dict[str, Any] | None = self.params["part"]
        self._keys = KeyRange(self._part["low"], self._part["high"]) if self._part else _ALL_KEYS
        self._rows = self._part["count"] if self._part else table.grid.rows
        self._room = Room(self._rows, self._cap)

    @classmethod
    def accepts(cls, spec: ColumnSpec) -> bool:
        """Long text and binary."""
        return spec.encoding == "long"

    def init(self) -> State:
        """No texts."""
        return {**_fields(join_identities([], self._keys)), "histogram": None, "pending": [], "waiting": 0}

    def update(self, state: State, chunk: Chunk) -> State:
        """Gather or count the texts of a chunk that are in the range."""
        found = hashed_rows(chunk, self.column) if self._part is None else self._slice(chunk)
        if not found.rows.size:
            return state
        if state["histogram"] is None and not self._room.takes(state["rows"].size, state["waiting"], found.rows.size):
            state = self.settle(state)
        if state["histogram"] is not None:
            state["histogram"] = state["histogram"] + self._keys.histogram(found.first)
            return state
        state["pending"].append(list(found[:3]))
        state["waiting"] += found.rows.size
        return state

    def merge(self, left: State, right: State) -> State:
        """Join texts or add buckets."""
        left, right = self.settle(left), self.settle(right)
        if left["histogram"] is None and right["histogram"] is None:
            self._replace(left, join_identities([_identities(left), _identities(right)], self._keys))
            return left
        for state in (left, right):
            if state["histogram"] is None:
                self._give_up(state, _identities(state))
        left["histogram"] = left["histogram"] + right["histogram"]
        return left

    def settle(self, state: State) -> State:
        """Join what is pending."""
        if not state["pending"]:
            return state
        parts = _parts(state)
        state["pending"], state["waiting"] = [], 0
        self._replace(state, join_identities(parts, self._keys))
        return state

    def finish(self, state: State) -> dict[str, Any]:
        """Derive the result, or say which ranges of hashes have to be counted by themselves.

        Returns
        -------
        dict
            ``count`` (texts present), ``distinct``, ``singletons`` (texts that occur once), ``entropy`` (bits), ``top``
            (pairs of text, cut to 65,536 bytes, and count), ``first_rows`` of those, and ``ties``. The order is count
            descending, then value ascending; texts that occur once are listed only where there are at most ``k``
            distinct. Where more texts than the parameter ``ties`` are tied at the last place, ``ties`` is ``row``: of
            those the ones that come first in the table are listed; else it is ``value``.
        """
        if state["rows"] is not None and state["rows"].size + state["waiting"] > self._room.most:
            state = self.settle(state)
        if state["histogram"] is None:  # what is pending needs not be settled first, which saves half the time
            return self._described(leaders(_parts(state), self._keys, self._k, self._keep_rows))
        parts = cut(self._keys, state["histogram"], self._room.part)
        return {"parts": [[p.keys.low, p.keys.high, p.count] for p in parts]}

    def follow_up(self, result: Mapping[str, Any]) -> list[KernelRequest]:
        """A request for each range of hashes that has to be counted by itself."""
        parts = [{"low": low, "high": high, "count": n} for low, high, n in result.get("parts", ())]
        columns, params = self.request.columns, self.request.params
        return [KernelRequest(self.name, columns, {**params, "part": part}) for part in parts]

    def combine(self, result: dict[str, Any], follow_ups: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Join the ranges."""
        if not follow_ups:
            return result
        parts = [
            Leaders(f["rows"], f["counts"], f["threshold"], f["tied"], f["tied_rows"], (f["sizes"], f["numbers"]))
            for f in follow_ups
        ]
        return self._described(join_leaders(parts, self._k, self._keep_rows))

    def resolve(self, result: dict[str, Any], dataset: Dataset) -> dict[str, Any]:
        """Read the values of the top texts."""
        if "tied_rows" not in result or self._part is not None:
            return result
        count_of = dict(zip(result["rows"].tolist(), result["counts"].tolist(), strict=True))
        listed = [(-count_of[row], text, row) for text, row in self._texts(dataset, result["rows"])]
        missing = self._k - len(listed)
        by_value = result["tied"] <= self._ties
        if missing > 0 and result["tied"]:
            tied = result["tied_rows"] if by_value else result["tied_rows"][:missing]
            chosen = heapq.nsmallest(missing, self._texts(dataset, tied))
            listed += [(-result["threshold"], text, row) for text, row in chosen]
        listed.sort()
        final = {key: result[key] for key in ("count", "distinct", "singletons", "entropy")}
        final["top"] = [[self._plain(text), -negative] for negative, text, _ in listed]
        final["first_rows"] = [row for _, _, row in listed]
        return {**final, "ties": "value" if by_value else "row"}

    def memory(self) -> int:
        """Hashes and rows of as many texts as the cap allows, with what is pending."""
        return 32 * self._room.most + 8 * self._keys.buckets + 65_536

    def scratch(self) -> int:
        """Temporaries of a sort and a join, and of hashing a chunk."""
        return 90 * self._room.most + 64 * self.chunk_rows + SCRATCH

    def cost(self) -> float:
        """Nanoseconds a row."""
        return 110.0

    @property
    def wants_own_scan(self) -> bool:
        """A range of hashes takes as much as a whole table that fits."""
        return self._part is not None

    def _slice(self, chunk: Chunk) -> Identities:
        """Texts of a chunk whose first hash is in the range."""
        found = hashed_rows(chunk, self.column)
        inside = (found.first >= np.uint64(self._keys.low)) & (found.first <= np.uint64(self._keys.high))
        return Identities(found.first[inside], found.second[inside], found.rows[inside], None)

    def _replace(self, state: State, found: Identities) -> None:
        state.update(_fields(found))
        # A range of single hashes can't be cut further, and holds texts enough to outgrow the cap only by a wonder.
        if found.rows.size > self._room.kept and self._keys.shift > 0:
            self._give_up(state, found)

    def _give_up(self, state: State, found: Identities) -> None:
        """Replace texts by counts in buckets."""
        index = self._keys.bucket_of(found.first)
        histogram = np.bincount(index, found.counts, self._keys.buckets).astype(np.int64)  # exact below 2**53
        state.update(dict.fromkeys(_FIELDS))
        state["histogram"] = histogram

    def _described(self, found: Leaders) -> dict[str, Any]:
        sizes, numbers = found.table
        return {
            "count": int((sizes * numbers).sum()),
            **summarise(found.table),
            "rows": found.rows,
            "counts": found.counts,
            "threshold": found.threshold,
            "tied": found.tied,
            "tied_rows": found.tied_rows,
            "sizes": sizes,
            "numbers": numbers,
        }

    def _texts(self, dataset: Dataset, rows: npt.NDArray[np.int64]) -> Iterator[tuple[bytes, int]]:
        """Texts of some rows, each with its row, cut to the length that is compared; chunk by chunk."""
        size = dataset.grid.chunk_rows
        for index in np.unique(rows // size).tolist():
            chunk = dataset.chunk(index, [self.column])
            block = chunk.strings(self.column)
            for row in rows[rows // size == index].tolist():
                start, length = int(block.starts[row - chunk.rows.start]), int(block.lengths[row - chunk.rows.start])
                yield block.payload[start : start + min(length, COMPARED_BYTES)].tobytes(), row

    def _plain(self, text: bytes) -> str | bytes:
        # A cut may have gone through a character.
        return text if self.spec.kind == "binary" else text.decode("utf-8", "ignore")


def _fields(found: Identities) -> dict[str, Any]:
    return dict(zip(_FIELDS, found, strict=True))


def _identities(state: State) -> Identities:
    return Identities(state["first"], state["second"], state["rows"], state["counts"])


def _parts(state: State) -> list[Identities]:
    return [_identities(state), *(Identities(first, second, rows, None) for first, second, rows in state["pending"])]


PROVIDES = TextOrder
