"""Exact number of distinct values and top values of long text in bounded memory."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from toolkit.core.chunk import Chunk
from toolkit.core.schema import ColumnSpec
from toolkit.kernels.base import Kernel, KernelRequest, State, StateClass, TableView
from toolkit.kernels.frequency import SCRATCH, summarise
from toolkit.kernels.identities import (
    ALL_HASHES,
    NONE,
    Identities,
    Leaders,
    hashed_rows,
    join_identities,
    join_leaders,
    leaders,
)
from toolkit.kernels.lexicographic import COMPARED_BYTES
from toolkit.kernels.room import Room
from toolkit.kernels.scattered import Scattered

if TYPE_CHECKING:
    from toolkit.storage.dataset import Dataset

CAP = 1 << 19
"""Distinct texts that a request keeps at most."""

TIES = 1 << 16
"""Texts tied at the last place whose values are compared."""

_FIELDS = ("first", "second", "rows", "counts")


class TextOrder(Kernel):
    """Number of distinct texts and those that occur most often, both exact.

    Texts are told apart by two independent 64-bit hashes (`toolkit.kernels.identities`); the values of the top ones are
    read from their first rows at the end. Lengths, smallest and largest text are with the kernel ``extremes``.

    Parameters of a request: ``k``, how many top values; ``cap``, how many distinct texts are kept in memory (`CAP`);
    ``ties``. The result does not depend on ``cap``, chunks and partitions.

    Notes
    -----
    Hashes are gathered, sorted and counted. When there are more distinct ones in a scan than the cap, they are divided
    on disk by the first bits of the hash, as are those that follow, and counted part by part at the end
    (`toolkit.kernels.scattered`).

    The state is ``first``, ``second``, ``rows`` and ``counts`` of `Identities`, ``pending`` ones not yet joined with
    them, and ``scattered`` ones on disk.
    """

    name: ClassVar[str] = "text_order"
    version: ClassVar[int] = 2
    state_class: ClassVar[StateClass] = "exact"
    references: ClassVar[tuple[str, ...]] = ("10.1007/BF03037022",)
    defaults: ClassVar[Mapping[str, Any]] = {"k": 10, "cap": CAP, "ties": TIES}

    def __init__(self, request: KernelRequest, table: TableView) -> None:
        super().__init__(request, table)
        self._cap = max(1, int(self.params["cap"]))
        self._k = int(self.params["k"])
        self._ties = int(self.params["ties"])
        self._keep_rows = max(self._ties, self._k) + 1
        self._room = Room(table.grid.rows, self._cap)

    @classmethod
    def accepts(cls, spec: ColumnSpec) -> bool:
        """Long text and binary."""
        return spec.encoding == "long"

    @property
    def undivided(self) -> bool:
        """Of a large table, as the distinct texts in a part of it may be too many to hand over."""
        return not self._room.fits

    def init(self) -> State:
        """No texts."""
        return {**_fields(NONE), "scattered": None, "pending": [], "waiting": 0}

    def update(self, state: State, chunk: Chunk) -> State:
        """Gather the texts of a chunk."""
        found = hashed_rows(chunk, self.column)
        if not found.rows.size:
            return state
        if state["waiting"] and state["waiting"] + found.rows.size > self._room.block:
            self._take_pending(state)
        state["pending"].append(list(found[:3]))
        state["waiting"] += found.rows.size
        return state

    def merge(self, left: State, right: State) -> State:
        """Join texts."""
        left, right = self.settle(left), self.settle(right)
        left.update(_fields(join_identities([_identities(left), _identities(right)], ALL_HASHES)))
        return left

    def settle(self, state: State) -> State:
        """Join what is pending, and what is on disk: a settled state holds all distinct texts."""
        parts = _parts(state)
        if state["scattered"] is not None:
            parts += [texts for _, found in state["scattered"].parts() for texts in found]
        elif not state["pending"]:
            return state
        state["scattered"], state["pending"], state["waiting"] = None, [], 0
        state.update(_fields(join_identities(parts, ALL_HASHES)))
        return state

    def finish(self, state: State) -> dict[str, Any]:
        """Derive the result.

        Returns
        -------
        dict
            ``count`` (texts present), ``distinct``, ``singletons`` (texts that occur once), ``entropy`` (bits), ``top``
            (pairs of text, cut to 65,536 bytes, and count), ``first_rows`` of those, and ``ties``. The order is count
            descending, then value ascending; texts that occur once are listed only where there are at most ``k``
            distinct. Where more texts than the parameter ``ties`` are tied at the last place, ``ties`` is ``row``: of
            those the ones that come first in the table are listed; else it is ``value``.
        """
        if state["scattered"] is None:  # what is pending needs not be settled first, which saves half the time
            return self._described(leaders(_parts(state), ALL_HASHES, self._k, self._keep_rows))
        self._scatter(state)
        found = [leaders(p, keys, self._k, self._keep_rows) for keys, p in state["scattered"].parts()]
        return self._described(join_leaders(found, self._k, self._keep_rows))

    def resolve(self, result: dict[str, Any], dataset: Dataset) -> dict[str, Any]:
        """Read the values of the top texts."""
        if "tied_rows" not in result:
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
        return 32 * (self._room.most + self.chunk_rows) + 65_536

    def scratch(self) -> int:
        """Temporaries of a sort and a join, and of hashing a chunk."""
        return 90 * self._room.most + 64 * self.chunk_rows + SCRATCH

    def cost(self) -> float:
        """Nanoseconds a row."""
        return 110.0

    def _take_pending(self, state: State) -> None:
        """Join what is pending, or write all to disk where that would be too many texts to hold."""
        if state["scattered"] is None:
            kept, pending = _identities(state), _parts(state)[1:]
            state["pending"], state["waiting"] = [], 0
            fresh = join_identities(pending, ALL_HASHES)
            del pending  # before the join, which takes as much again
            if self.spill is None or self._room.fits or kept.rows.size + fresh.rows.size <= self._cap:
                state.update(_fields(join_identities([kept, fresh], ALL_HASHES)))
                return
            scattered = state["scattered"] = Scattered(self.spill, self._room.rows, self._room.block)
            scattered.add(fresh)
        self._scatter(state)

    def _scatter(self, state: State) -> None:
        for texts in _parts(state):
            state["scattered"].add(texts)
        state.update(_fields(NONE))
        state["pending"], state["waiting"] = [], 0

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
