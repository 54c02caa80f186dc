"""Which columns are missing together, and where, exact."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from toolkit.core.chunk import Chunk
from toolkit.core.schema import ColumnSpec
from toolkit.kernels.base import Kernel, State, StateClass
from toolkit.kernels.blocks import BLOCKS, PIECE, block_pieces

CAP = 4096
"""Different patterns that are told apart."""

_WORD = 64


class MissingPatterns(Kernel):
    """Rows where columns are missing: by pair of columns, by block of rows, by chunk, and by pattern of all columns.

    NaN counts as missing.

    A pattern is the set of columns that a row lacks. Where there are more different ones than ``max_patterns`` (4,096),
    they are given up and the result says so; all other counts stay.

    The state holds ``together``, int64, shape (columns, columns); ``blocks``, int64, shape (columns, 64); ``chunks``,
    pairs of a chunk's number and its counts, int64, shape (columns,); and ``patterns``, bits of the columns in words
    of 64, uint64, shape (patterns, words), with their ``counts``; None when they are given up.
    """

    name: ClassVar[str] = "missing_patterns"
    version: ClassVar[int] = 1
    state_class: ClassVar[StateClass] = "exact"
    references: ClassVar[tuple[str, ...]] = ("10.1093/biomet/63.3.581",)
    defaults: ClassVar[Mapping[str, Any]] = {"max_patterns": CAP}
    arity: ClassVar[int | None] = None

    @classmethod
    def accepts(cls, spec: ColumnSpec) -> bool:
        """Every column."""
        del spec
        return True

    @property
    def _words(self) -> int:
        return -(-len(self.request.columns) // _WORD)

    def init(self) -> State:
        """No rows."""
        width = len(self.request.columns)
        return {
            "together": np.zeros((width, width), np.int64),
            "blocks": np.zeros((width, BLOCKS), np.int64),
            "chunks": [],
            "patterns": np.empty((0, self._words), np.uint64),
            "counts": np.empty(0, np.int64),
        }

    def update(self, state: State, chunk: Chunk) -> State:
        """Add a chunk."""
        absent = [_absent(chunk, c) for c in self.request.columns]
        leaf = self.init()
        there = {i: a for i, a in enumerate(absent) if a is not None}
        some = list(there)
        packed = {i: _packed(rows) for i, rows in there.items()}
        for place, i in enumerate(some):
            for j in some[place:]:
                common = int(np.bitwise_count(packed[i] & packed[j]).sum(dtype=np.int64))
                leaf["together"][i, j] = leaf["together"][j, i] = common
        for block, lo, hi in block_pieces(chunk.rows.start, chunk.rows.stop, self.table.grid.rows, len(chunk)):
            for i in some:
                leaf["blocks"][i, block] = np.count_nonzero(there[i][lo:hi])
        leaf["chunks"] = [[chunk.index, leaf["together"].diagonal().copy()]]
        if state["patterns"] is None:
            leaf["patterns"] = leaf["counts"] = None
        else:
            self._add_patterns(leaf, absent, len(chunk))
        return self.merge(state, leaf)

    def _add_patterns(self, leaf: State, absent: list[Any], rows: int) -> None:
        for lo in range(0, rows, PIECE):
            hi = min(lo + PIECE, rows)
            bits = np.zeros((hi - lo, self._words), np.uint64)
            for i, column in enumerate(absent):
                if column is not None:
                    bits[:, i // _WORD] |= column[lo:hi].astype(np.uint64) << np.uint64(i % _WORD)
            found = _counted(bits, np.ones(hi - lo, np.int64))
            self._join(leaf, *found)
            if leaf["patterns"] is None:
                return

    def merge(self, left: State, right: State) -> State:
        """Add the counts."""
        out = {name: left[name] + right[name] for name in ("together", "blocks")}
        out["chunks"] = sorted([*left["chunks"], *right["chunks"]], key=lambda entry: int(entry[0]))
        out |= {"patterns": left["patterns"], "counts": left["counts"]}
        if right["patterns"] is None:
            out["patterns"] = out["counts"] = None
        elif out["patterns"] is not None:
            self._join(out, right["patterns"], right["counts"])
        return out

    def _join(self, state: State, patterns: npt.NDArray[np.uint64], counts: npt.NDArray[np.int64]) -> None:
        both = np.concatenate([state["patterns"], patterns]), np.concatenate([state["counts"], counts])
        state["patterns"], state["counts"] = _counted(*both)
        if state["counts"].size > int(self.params["max_patterns"]):
            state["patterns"] = state["counts"] = None

    def finish(self, state: State) -> dict[str, Any]:
        """Hand out the counts.

        Returns
        -------
        dict
            ``columns``; ``missing``, int64, shape (columns,); ``together``, shape (columns, columns), rows where both
            are missing; ``blocks``, shape (columns, 64); ``chunks_by_chunk``, int64, shape (chunks, columns), for the
            chunks of the grid in their order; ``patterns``, None when there are more than the cap, else a list of
            pairs of the names of the columns that are missing and the number of such rows, counts descending.
        """
        width = len(self.request.columns)
        patterns = None
        if state["patterns"] is not None:
            order = np.lexsort((*state["patterns"].T, -state["counts"]))
            patterns = [[self._names(state["patterns"][i]), int(state["counts"][i])] for i in order]
        chunks = [counts for _, counts in state["chunks"]]
        return {
            "columns": list(self.request.columns),
            "missing": state["together"].diagonal().copy(),
            "together": state["together"],
            "blocks": state["blocks"],
            "chunks_by_chunk": np.array(chunks, np.int64).reshape(-1, width),
            "patterns": patterns,
        }

    def _names(self, words: npt.NDArray[np.uint64]) -> list[str]:
        bits = [int(w) for w in words]
        return [c for i, c in enumerate(self.request.columns) if bits[i // _WORD] >> (i % _WORD) & 1]

    def memory(self) -> int:
        """Counts of pairs, blocks and chunks, and as many patterns as the cap allows."""
        width = len(self.request.columns)
        patterns = 2 * (int(self.params["max_patterns"]) + 1) * (8 * self._words + 8)
        return 8 * width * (width + BLOCKS + self.table.grid.n_chunks) + patterns + 512 * self.table.grid.n_chunks

    def scratch(self) -> int:
        """Bits of the rows of a chunk, patterns of a piece, and another state."""
        width = len(self.request.columns)
        piece = min(PIECE, self.chunk_rows) * (8 * self._words + 8) * 8
        names = (int(self.params["max_patterns"]) + 1) * (128 + 72 * width)
        return 2 * self.memory() + 2 * width * self.chunk_rows + piece + names + (1 << 18)

    def cost(self) -> float:
        """Nanoseconds a row."""
        nullable = sum(
            s.nullable or s.kind == "float" for s in map(self.table.schema.__getitem__, self.request.columns)
        )
        return 4.0 + 2.0 * nullable


def _absent(chunk: Chunk, column: str) -> npt.NDArray[np.bool_] | None:
    """Which rows of a column are missing or NaN; None where none is."""
    valid = chunk.data(column).valid
    absent = None if valid is None or valid.all() else ~valid
    if chunk.spec(column).kind == "float":
        nan = np.isnan(chunk.raw(column))
        if nan.any():
            absent = nan if absent is None else absent | nan
            if valid is not None:  # what stands where a value is missing has no meaning
                absent = nan & valid | ~valid
    return absent


def _packed(rows: Any) -> npt.NDArray[np.uint64]:
    """Bits of a bool array in words, padded with zeros."""
    octets = np.packbits(rows)
    return np.concatenate([octets, np.zeros(-octets.size % 8, np.uint8)]).view(np.uint64)


def _counted(
    patterns: npt.NDArray[np.uint64], counts: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """Distinct rows in ascending order, and the sum of their counts."""
    if patterns.shape[0] and (patterns == patterns[0]).all():
        return patterns[:1].copy(), np.array([counts.sum()], np.int64)
    order = np.lexsort(patterns.T[::-1])
    patterns, counts = patterns[order], counts[order]
    starts = np.flatnonzero(np.concatenate([[True], (patterns[1:] != patterns[:-1]).any(axis=1)])[: counts.size])
    return patterns[starts], np.add.reduceat(counts, starts) if counts.size else counts


PROVIDES = MissingPatterns
