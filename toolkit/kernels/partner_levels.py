"""Levels of each column in the rows where another is missing, exact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from toolkit.core.chunk import Chunk
from toolkit.core.schema import ColumnSpec
from toolkit.kernels.base import Kernel, KernelRequest, State, StateClass
from toolkit.kernels.coding import Coder
from toolkit.kernels.levels import FINEST, Levels


class PartnerLevels(Kernel):
    """How often each level of a column occurs in the rows where another column of the set is missing.

    What is left of the counts of all rows are those of the rows that both columns share, and their ranks. NaN counts as
    missing. Levels are the 1,024 of the kernel ``levels``, and missing values one more.

    The state is ``missing``, int64, of shape (columns that may lack a value, levels of all columns one after the
    other).
    """

    name: ClassVar[str] = "partner_levels"
    version: ClassVar[int] = 1
    state_class: ClassVar[StateClass] = "exact"
    references: ClassVar[tuple[str, ...]] = ("10.2307/1412159",)
    arity: ClassVar[int | None] = None

    @classmethod
    def accepts(cls, spec: ColumnSpec) -> bool:
        """What the kernel ``levels`` takes."""
        return Levels.accepts(spec)

    def requires(self) -> list[KernelRequest]:
        """The levels of all columns."""
        return [KernelRequest("levels", (c,), {"levels": FINEST}) for c in self.request.columns]

    def bind(self, inputs: Sequence[Mapping[str, Any]]) -> None:
        """Take the levels."""
        super().bind(inputs)
        specs = [self.table.schema[c] for c in self.request.columns]
        self._coders = [Coder(spec, levels) for spec, levels in zip(specs, inputs, strict=True)]
        self._starts = np.cumsum([0, *(coder.levels + 1 for coder in self._coders)])
        self._lacking = [i for i, spec in enumerate(specs) if spec.nullable or np.dtype(spec.dtype).kind == "f"]

    def init(self) -> State:
        """A table of zeros."""
        return {"missing": np.zeros((len(self._lacking), int(self._starts[-1])), np.int64)}

    def update(self, state: State, chunk: Chunk) -> State:
        """Count the rows of a chunk, each as often as columns are missing in it."""
        added = self.init()["missing"]
        codes = [coder.codes(chunk) for coder in self._coders]
        for place, lacking in enumerate(self._lacking):
            gone = np.flatnonzero(codes[lacking] == self._coders[lacking].levels)
            if not gone.size:
                continue
            for of_one, (start, stop) in zip(codes, pairwise(self._starts), strict=True):
                added[place, start:stop] = np.bincount(of_one[gone], minlength=stop - start)
        return {"missing": state["missing"] + added}

    def merge(self, left: State, right: State) -> State:
        """Add the tables."""
        return {"missing": left["missing"] + right["missing"]}

    def finish(self, state: State) -> dict[str, Any]:
        """Hand out the table.

        Returns
        -------
        dict
            ``lacking``, numbers of the columns that may lack a value; ``missing``, int64, shape (lacking, sum of
            levels + 1): for each of them the levels of every column in the rows where it is missing; ``starts``, where
            those of each column begin, and their end: int64, shape (columns + 1,).
        """
        return {"lacking": self._lacking, "missing": state["missing"], "starts": self._starts}

    def memory(self) -> int:
        """The table."""
        return 8 * len(self._lacking) * int(self._starts[-1]) + 1024

    def scratch(self) -> int:
        """Another table or two, codes of a chunk, and those of the rows where a column is missing."""
        lookups = sum(2 * self.table.schema[c].categories for c in self.request.columns)
        return 2 * self.memory() + (2 * len(self._coders) + 32) * self.chunk_rows + lookups + (1 << 21)

    def cost(self) -> float:
        """Nanoseconds a row, with a tenth of the values missing."""
        return 1.0 * len(self._lacking) + 0.3 * len(self._lacking) * len(self._coders)


PROVIDES = PartnerLevels
