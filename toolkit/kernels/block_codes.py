"""How the distribution of a column changes along the table: levels by blocks of rows, exact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from toolkit.core.chunk import Chunk
from toolkit.core.schema import ColumnSpec
from toolkit.kernels.base import Kernel, KernelRequest, State, StateClass
from toolkit.kernels.blocks import BLOCKS, PIECE, block_pieces
from toolkit.kernels.coding import Coder
from toolkit.kernels.levels import FINEST, Levels


class BlockCodes(Kernel):
    """How often each level of a column occurs in each of the 64 contiguous blocks of rows.

    Levels are those of the kernel ``levels``: values where they are few, else quantile ranges of numbers and the most
    frequent categories. Missing values are the last.

    Parameter of a request: ``levels``, how many there are at most, a power of two.

    The state is ``table``, int64, of shape (64, levels + 1).
    """

    name: ClassVar[str] = "block_codes"
    version: ClassVar[int] = 2
    state_class: ClassVar[StateClass] = "exact"
    references: ClassVar[tuple[str, ...]] = ("10.3390/e19020047",)
    defaults: ClassVar[Mapping[str, Any]] = {"levels": FINEST}

    @classmethod
    def accepts(cls, spec: ColumnSpec) -> bool:
        """What the kernel ``levels`` takes."""
        return Levels.accepts(spec)

    def requires(self) -> list[KernelRequest]:
        """The levels."""
        return [KernelRequest("levels", self.request.columns, {"levels": self.params["levels"]})]

    def bind(self, inputs: Sequence[Mapping[str, Any]]) -> None:
        """Take the levels."""
        super().bind(inputs)
        self._coder = Coder(self.spec, inputs[0])

    def init(self) -> State:
        """A table of zeros."""
        return {"table": np.zeros((BLOCKS, self._coder.levels + 1), np.int64)}

    def update(self, state: State, chunk: Chunk) -> State:
        """Count the rows of a chunk."""
        codes, added = self._coder.codes(chunk), self.init()["table"]
        for block, lo, hi in block_pieces(chunk.rows.start, chunk.rows.stop, self.table.grid.rows, PIECE):
            added[block] += np.bincount(codes[lo:hi], minlength=added.shape[1])
        return {"table": state["table"] + added}

    def merge(self, left: State, right: State) -> State:
        """Add the tables."""
        return {"table": left["table"] + right["table"]}

    def finish(self, state: State) -> dict[str, Any]:
        """Hand out the table.

        Returns
        -------
        dict
            ``table``, int64, shape (64, levels + 1), the last column of missing values; ``levels``: the result of
            ``levels``.
        """
        return {"table": state["table"], "levels": dict(self.inputs[0])}

    def memory(self) -> int:
        """The table."""
        return 8 * BLOCKS * (self._coder.levels + 1) + 1024

    def scratch(self) -> int:
        """Another table or two, and codes of a chunk."""
        return 3 * self.memory() + 12 * self.chunk_rows + 2 * self.spec.categories + (1 << 21)

    def cost(self) -> float:
        """Nanoseconds a row, with the codes."""
        return 10.0


PROVIDES = BlockCodes
