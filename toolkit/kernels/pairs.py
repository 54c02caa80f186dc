"""Contingency tables of two columns, exact."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from toolkit.core.chunk import Chunk
from toolkit.core.schema import ColumnSpec
from toolkit.kernels.base import Kernel, KernelRequest, State, StateClass
from toolkit.kernels.blocks import BLOCKS, block_pieces
from toolkit.kernels.coding import Coder
from toolkit.kernels.levels import Levels, mostly_pooled

_ROWS = 1 << 15
"""Rows counted at a time, so that temporaries stay in the processor's cache."""


class Pairs(Kernel):
    """How often each level of one column meets each level of another.

    Levels are those of the kernel ``levels``: values where they are few, else quantile ranges of numbers and the most
    frequent categories. Missing values have a row and a column of their own, the last, so that every row of the table
    is counted once.

    Parameters of a request: ``levels`` and ``levels_second``, how many there are at most, powers of two; ``blocks``,
    whether there is a table for each of the 64 blocks of rows as well; ``names``, whether rows are counted where most
    of a column's are in the level of all rare values (false: the table stays empty, and costs nothing).

    The state is ``table``, int64, of shape (blocks, levels + 1, levels + 1), with 64 blocks or one.
    """

    name: ClassVar[str] = "pairs"
    version: ClassVar[int] = 2
    state_class: ClassVar[StateClass] = "exact"
    references: ClassVar[tuple[str, ...]] = ("10.1080/14786440009463897",)
    defaults: ClassVar[Mapping[str, Any]] = {"levels": 64, "levels_second": 64, "blocks": False, "names": True}
    arity: ClassVar[int | None] = 2

    @classmethod
    def accepts(cls, spec: ColumnSpec) -> bool:
        """What the kernel ``levels`` takes."""
        return Levels.accepts(spec)

    def requires(self) -> list[KernelRequest]:
        """The levels of both columns."""
        wanted = (self.params["levels"], self.params["levels_second"])
        return [KernelRequest("levels", (c,), {"levels": n}) for c, n in zip(self.request.columns, wanted, strict=True)]

    def bind(self, inputs: Any) -> None:
        """Take the levels."""
        super().bind(inputs)
        self._coders = [Coder(self.table.schema[c], i) for c, i in zip(self.request.columns, inputs, strict=True)]
        self._empty = not self.params["names"] and any(mostly_pooled(levels) for levels in inputs)

    @property
    def _shape(self) -> tuple[int, int, int]:
        first, second = (coder.levels + 1 for coder in self._coders)
        return BLOCKS if self.params["blocks"] else 1, first, second

    def init(self) -> State:
        """A table of zeros."""
        return {"table": np.zeros(self._shape, np.int64)}

    def update(self, state: State, chunk: Chunk) -> State:
        """Count the rows of a chunk."""
        if self._empty:
            return state
        blocks, first, second = self._shape
        one, other = (coder.codes(chunk) for coder in self._coders)
        added = np.zeros((blocks, first * second), np.int64)
        for block, lo, hi in self._runs(chunk):
            cells = one[lo:hi].astype(np.intp)
            cells *= second
            cells += other[lo:hi]
            added[block] += np.bincount(cells, minlength=first * second)
        return {"table": state["table"] + added.reshape(self._shape)}

    def _runs(self, chunk: Chunk) -> list[tuple[int, int, int]]:
        if self.params["blocks"]:
            return block_pieces(chunk.rows.start, chunk.rows.stop, self.table.grid.rows, _ROWS)
        # Counting costs as much as there are cells, so a large table is counted in longer runs.
        rows = max(_ROWS, self._shape[1] * self._shape[2])
        return [(0, at, min(at + rows, len(chunk))) for at in range(0, len(chunk), rows)]

    def merge(self, left: State, right: State) -> State:
        """Add the tables."""
        return {"table": left["table"] + right["table"]}

    def finish(self, state: State) -> dict[str, Any]:
        """Hand out the table and what its rows and columns stand for.

        Returns
        -------
        dict
            ``table``, int64, shape (levels + 1, levels + 1): rows by levels of the first column, columns by those of
            the second, the last of each are missing values. ``first`` and ``second``: results of ``levels``.
            ``blocks``, shape (64, levels + 1, levels + 1), or None.
        """
        table = state["table"]
        return {
            "table": table.sum(axis=0),
            "first": dict(self.inputs[0]),
            "second": dict(self.inputs[1]),
            "blocks": table if self.params["blocks"] else None,
        }

    def memory(self) -> int:
        """The table."""
        blocks, first, second = self._shape
        return 8 * blocks * first * second + 1024

    def scratch(self) -> int:
        """Another table or two, cells and codes of a chunk, lookups of the codes."""
        rows = max(_ROWS, self._shape[1] * self._shape[2])
        lookups = sum(2 * self.table.schema[c].categories for c in self.request.columns)
        return 3 * self.memory() + 16 * min(rows, self.chunk_rows) + 8 * self.chunk_rows + lookups + (1 << 21)

    def cost(self) -> float:
        """Nanoseconds a row; codes are shared with other kernels."""
        return 4.0


PROVIDES = Pairs
