"""Exact counts of categories, bools and integers of a small range."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from toolkit.core.chunk import Chunk
from toolkit.core.digest import digest_value
from toolkit.core.schema import TIME_KINDS, ColumnSpec
from toolkit.kernels.base import Kernel, KernelRequest, State, StateClass, TableView
from toolkit.kernels.frequency import SCRATCH, Counts, frequency_table, summarise, top_positions
from toolkit.kernels.present import present_values

if TYPE_CHECKING:
    from toolkit.storage.dataset import Dataset

LARGEST_RANGE = 1 << 20
"""Integers from the smallest to the largest that are counted one by one."""


class ExactCounts(Kernel):
    """How often each value occurs: by code for coded text, by value for bools, integers and times.

    The range of 32 and 64-bit integers is what the scan meets; beyond `LARGEST_RANGE` (parameter ``largest_range``) the
    counts are given up, and the result says so. The other parameter is ``k``, how many top values are listed.

    The state is ``counts``, of the values from ``base`` on (``base`` None while there are none), and ``abandoned``.
    """

    name: ClassVar[str] = "counts"
    version: ClassVar[int] = 1
    state_class: ClassVar[StateClass] = "exact"
    references: ClassVar[tuple[str, ...]] = ("10.1002/j.1538-7305.1948.tb01338.x",)
    defaults: ClassVar[Mapping[str, Any]] = {"k": 10, "largest_range": LARGEST_RANGE}

    def __init__(self, request: KernelRequest, table: TableView) -> None:
        super().__init__(request, table)
        self._k = int(self.params["k"])
        self._largest = int(self.params["largest_range"])
        self._coded = self.spec.encoding == "coded"
        self._fixed: tuple[int, int] | None = None
        """First value and number of values, where the dtype tells them."""
        if self._coded:
            self._fixed = (0, self.spec.categories)
        elif self.spec.kind == "bool":
            self._fixed = (0, 2)
        elif np.dtype(self.spec.dtype).itemsize <= 2:
            limits = np.iinfo(self.spec.dtype)
            self._fixed = (int(limits.min), int(limits.max) - int(limits.min) + 1)

    @classmethod
    def accepts(cls, spec: ColumnSpec) -> bool:
        """Coded text, bools, integers and times."""
        return spec.encoding == "coded" or spec.kind in TIME_KINDS | {"bool", "int"}

    def state_key(self) -> str:
        """The number of top values shapes the result alone."""
        return digest_value([self.name, self.version, self.column, self._largest])

    def init(self) -> State:
        """No counts."""
        base, size = self._fixed if self._fixed is not None else (None, 0)
        return {"base": base, "counts": np.zeros(size, np.int64), "abandoned": False}

    def update(self, state: State, chunk: Chunk) -> State:
        """Count a chunk."""
        if state["abandoned"]:
            return state
        if self._coded:
            codes = chunk.codes(self.column) + np.intp(1)  # -1 is missing
            return self._added(state, 0, np.bincount(codes, minlength=self.spec.categories + 1)[1:])
        values = present_values(chunk, self.column)
        if not values.size:
            return state
        if self._fixed is not None:
            base, size = self._fixed
            return self._added(state, base, np.bincount(_shifted(values, base), minlength=size))
        low, high = int(values.min()), int(values.max())
        if high - low >= self._largest:
            return _abandoned()
        return self._added(state, low, np.bincount(_shifted(values, low)))

    def merge(self, left: State, right: State) -> State:
        """Add the counts."""
        if left["abandoned"] or right["abandoned"]:
            return _abandoned()
        return left if right["base"] is None else self._added(left, right["base"], right["counts"])

    def finish(self, state: State) -> dict[str, Any]:
        """Derive the result.

        Returns
        -------
        dict
            ``abandoned``; when it is false also ``count`` (values present), ``distinct``, ``singletons``, ``entropy``
            (bits), ``top`` (pairs of value and count: count descending, then value ascending; values that occur once
            only where there are at most ``k``), ``counts`` (int64) and ``base``, the value that the first of them is
            of. The values of coded text are its categories; ``codes`` are the codes of the top values.
        """
        if state["abandoned"]:
            return {"abandoned": True}
        counts: Counts = state["counts"]
        top = top_positions(counts, self._k)
        base = 0 if state["base"] is None else state["base"]
        found = [[int(i) + base, int(counts[i])] for i in top]
        if self.spec.kind == "bool":
            found = [[bool(value), count] for value, count in found]
        return {
            "abandoned": False,
            "count": int(counts.sum()),
            **summarise(frequency_table(counts)),
            "top": found,
            **({"codes": top.tolist(), "resolved": False} if self._coded else {}),
            "base": base,
            "counts": counts,
        }

    def resolve(self, result: dict[str, Any], dataset: Dataset) -> dict[str, Any]:
        """Put categories in the place of codes."""
        if result.get("resolved", True):
            return result
        categories = dataset.categories(self.column)
        top = [[categories[code], count] for code, count in result["top"]]
        return {**result, "top": top, "resolved": True}

    def memory(self) -> int:
        """Counts of all values that there can be."""
        size = self._fixed[1] if self._fixed is not None else self._largest
        return 8 * size + 1024

    def scratch(self) -> int:
        """Counts of a chunk, and its values as indices."""
        return 24 * self.chunk_rows + 5 * self.memory() + SCRATCH

    def cost(self) -> float:
        """Nanoseconds a row."""
        return 2.5

    def _added(self, state: State, base: int, counts: npt.NDArray[np.int64]) -> State:
        """Add counts of values from ``base`` on; where the range is not fixed, it stays as narrow as the values."""
        if self._fixed is not None or state["base"] is None:
            total = counts if state["base"] is None else state["counts"] + counts
            return {"base": base, "counts": total, "abandoned": False}
        low = min(base, state["base"])
        high = max(base + counts.size, state["base"] + state["counts"].size)
        if high - low > self._largest:
            return _abandoned()
        wide = np.zeros(high - low, np.int64)
        wide[state["base"] - low :][: state["counts"].size] = state["counts"]
        wide[base - low :][: counts.size] += counts
        return {"base": low, "counts": wide, "abandoned": False}


def _abandoned() -> State:
    return {"base": None, "counts": np.empty(0, np.int64), "abandoned": True}


def _shifted(values: npt.NDArray[Any], base: int) -> npt.NDArray[np.intp]:
    """Values as indices from ``base``."""
    if values.dtype.kind == "b":
        return values.view(np.uint8).astype(np.intp)
    if values.dtype.itemsize < 8:
        return values.astype(np.intp) - base
    return (values - values.dtype.type(base)).astype(np.intp)


PROVIDES = ExactCounts
