"""Counts and moments in blocks of equally many rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from toolkit.core.chunk import Chunk
from toolkit.core.errors import UsageError
from toolkit.core.schema import NUMERIC_KINDS, ColumnSpec
from toolkit.kernels.base import Kernel, KernelRequest, State, StateClass, TableView
from toolkit.kernels.binned import all_bins, bin_rows, bytes_of_bins, merge_bins, no_bins


class RowBins(Kernel):
    """Count, mean, sum of squares, smallest and largest of numbers, by contiguous block of rows.

    Block ``i`` of ``B`` holds the rows from ``i * N // B`` to ``(i + 1) * N // B`` of the table's ``N`` rows, whatever
    the chunks are. The state is that of `toolkit.kernels.binned`.

    Parameters of a request: ``blocks``, how many there are; one a row where the table has fewer rows.
    """

    name: ClassVar[str] = "rowbins"
    version: ClassVar[int] = 1
    state_class: ClassVar[StateClass] = "tree"
    references: ClassVar[tuple[str, ...]] = ("10.1080/00031305.1983.10483115",)
    defaults: ClassVar[Mapping[str, Any]] = {"blocks": 4096}
    arity: ClassVar[int | None] = None

    def __init__(self, request: KernelRequest, table: TableView) -> None:
        super().__init__(request, table)
        if int(self.params["blocks"]) < 1:
            raise UsageError("kernel rowbins takes at least one block")
        self._rows = table.grid.rows
        self._blocks = max(1, min(int(self.params["blocks"]), self._rows))

    @classmethod
    def accepts(cls, spec: ColumnSpec) -> bool:
        """Numbers."""
        return spec.kind in NUMERIC_KINDS

    def init(self) -> State:
        """No rows in any block."""
        return no_bins(self.request.columns)

    def update(self, state: State, chunk: Chunk) -> State:
        """Add a chunk to the blocks that its rows fall into."""
        rows = np.arange(len(chunk))
        blocks = ((rows + chunk.rows.start + 1) * self._blocks - 1) // max(self._rows, 1)
        return self.merge(state, bin_rows(chunk, blocks, rows, self.request.columns))

    def merge(self, left: State, right: State) -> State:
        """Merge block by block."""
        return merge_bins(left, right)

    def finish(self, state: State) -> dict[str, Any]:
        """Hand out the blocks.

        Returns
        -------
        dict
            ``rows``, int64, ``first`` and ``last``, their first and last row, all of shape (blocks,); ``values``: for
            each column, by its name, ``n``, ``mean``, ``m2``, ``min`` and ``max``, NaN where there are none.
        """
        found = all_bins(state, self._blocks)
        return found | {"values": dict(zip(self.request.columns, found["values"], strict=True))}

    def memory(self) -> int:
        """States that wait for their siblings in the tree, of chunks that share a block at most, and their sum."""
        one = bytes_of_bins(self._blocks, len(self.request.columns))
        return 3 * one + (self.table.grid.n_chunks.bit_length() + 3) * 4096

    def scratch(self) -> int:
        """Temporaries of a chunk and of a merge."""
        return 8 * 12 * self.chunk_rows + 3 * bytes_of_bins(self._blocks, len(self.request.columns)) + (1 << 20)

    def cost(self) -> float:
        """Nanoseconds a row."""
        return 10.0 + 25.0 * len(self.request.columns)


PROVIDES = RowBins
