"""Smallest and largest value with their first rows, missing values by position, lengths of text."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from toolkit.core.chunk import Chunk
from toolkit.core.schema import ColumnSpec
from toolkit.kernels.base import Kernel, KernelRequest, State, StateClass, TableView
from toolkit.kernels.lexicographic import COMPARED_BYTES, extreme_rows
from toolkit.kernels.present import present_values

_SUMS = ("count", "nan", "true", "empty", "total_bytes")


class Extremes(Kernel):
    """Minimum and maximum with the first row of each, and what can be counted on the way, for every kind of column.

    NaN is counted and left out, infinities take part, -0.0 is 0.0. Text is compared by its UTF-8 bytes, of which
    the first 65,536 are looked at and kept.

    The state holds ``min`` and ``max`` (None, or a list of value and row; text as bytes), ``min_bytes`` and
    ``max_bytes`` (lengths of the shortest and the longest text), ``missing`` (int64, shape (chunks,)), and sums:
    ``count`` of the values present, ``nan``, ``true``, ``empty`` texts, ``total_bytes``.
    """

    name: ClassVar[str] = "extremes"
    version: ClassVar[int] = 1
    state_class: ClassVar[StateClass] = "exact"
    references: ClassVar[tuple[str, ...]] = ()

    def __init__(self, request: KernelRequest, table: TableView) -> None:
        super().__init__(request, table)
        self._lengths: npt.NDArray[np.int64] | None = None

    @classmethod
    def accepts(cls, spec: ColumnSpec) -> bool:
        """Every column."""
        del spec
        return True

    def init(self) -> State:
        """No rows."""
        return {
            "min": None,
            "max": None,
            "min_bytes": None,
            "max_bytes": None,
            **dict.fromkeys(_SUMS, 0),
            "missing": np.zeros(self.table.grid.n_chunks, np.int64),
        }

    def update(self, state: State, chunk: Chunk) -> State:
        """Add a chunk."""
        found = self.init()
        valid = chunk.data(self.column).valid
        count = len(chunk) if valid is None else int(np.count_nonzero(valid))
        found["count"], found["missing"][chunk.index] = count, len(chunk) - count
        if count:
            if self.spec.encoding == "coded":
                self._take_codes(found, chunk)
            elif self.spec.encoding == "long":
                self._take_text(found, chunk)
            else:
                self._take_numbers(found, chunk)
        return self.merge(state, found)

    def merge(self, left: State, right: State) -> State:
        """Keep the smaller and the larger of both, the earlier row where they tie, and add what was counted."""
        return {
            "min": _better(left["min"], right["min"], -1),
            "max": _better(left["max"], right["max"], 1),
            "min_bytes": _chosen(min, left["min_bytes"], right["min_bytes"]),
            "max_bytes": _chosen(max, left["max_bytes"], right["max_bytes"]),
            **{s: left[s] + right[s] for s in _SUMS},
            "missing": left["missing"] + right["missing"],
        }

    def finish(self, state: State) -> dict[str, Any]:
        """Describe the column.

        Returns
        -------
        dict
            ``count`` (values present, NaN among them), ``missing``, ``missing_by_chunk`` (int64, shape (chunks,)),
            ``nan``, ``min``, ``min_row``, ``max``, ``max_row`` (None without values; times in the column's unit).
            Of text also ``empty``, ``total_bytes``, ``min_bytes``, ``max_bytes``; of bools ``true``.
        """
        low, high = (state[side] or (None, None) for side in ("min", "max"))
        found = {
            "count": state["count"],
            "missing": int(state["missing"].sum()),
            "missing_by_chunk": state["missing"],
            "nan": state["nan"],
            "min": self._plain(low[0]),
            "min_row": low[1],
            "max": self._plain(high[0]),
            "max_row": high[1],
        }
        if self.spec.encoding != "plain":
            found |= {k: state[k] for k in ("empty", "total_bytes", "min_bytes", "max_bytes")}
        if self.spec.kind == "bool":
            found["true"] = state["true"]
        return found

    def memory(self) -> int:
        """Missing values by chunk, and two texts."""
        texts = 0 if self.spec.encoding == "plain" else 2 * COMPARED_BYTES
        return 8 * self.table.grid.n_chunks + texts + 2048

    def scratch(self) -> int:
        """A second state, and of one chunk the values present or the words compared."""
        return self.memory() + 48 * self.chunk_rows + 40 * self.spec.categories + 65_536

    def cost(self) -> float:
        """Nanoseconds a row."""
        return {"plain": 2.0, "coded": 3.0}.get(self.spec.encoding, 25.0)

    def _take_numbers(self, found: State, chunk: Chunk) -> None:
        if self.spec.kind == "null":
            return
        values = present_values(chunk, self.column)
        if values.dtype.kind == "b":
            found["true"] = int(np.count_nonzero(values))
        low, high = values.min(), values.max()
        if values.dtype.kind == "f":
            if np.isnan(low):
                found["nan"] = int(np.count_nonzero(np.isnan(values)))
                low, high = np.fmin.reduce(values), np.fmax.reduce(values)
            if np.isnan(low):
                return
            low, high = low + values.dtype.type(0), high + values.dtype.type(0)  # -0.0 becomes 0.0
        found["min"] = [low.item(), self._first_row(chunk, low)]
        found["max"] = [high.item(), self._first_row(chunk, high)]

    def _first_row(self, chunk: Chunk, value: Any) -> int:
        """Global number of the first row that has a value."""
        same, valid = chunk.raw(self.column) == value, chunk.data(self.column).valid
        return chunk.rows.start + int(np.argmax(same if valid is None else same & valid))

    def _take_codes(self, found: State, chunk: Chunk) -> None:
        codes = chunk.codes(self.column)
        counts = np.bincount(codes + np.intp(1), minlength=self.spec.categories + 1)[1:]  # -1 is missing
        used = np.flatnonzero(counts)
        categories = chunk.categories(self.column)
        for side, code in (("min", int(used[0])), ("max", int(used[-1]))):
            row = chunk.rows.start + int(np.argmax(codes == code))
            found[side] = [_octets(categories[code])[:COMPARED_BYTES], row]
        lengths = self._category_lengths(categories)
        present = lengths[used]
        found["min_bytes"], found["max_bytes"] = int(present.min()), int(present.max())
        found["total_bytes"] = int((present * counts[used]).sum())
        found["empty"] = int(counts[used[present == 0]].sum())

    def _take_text(self, found: State, chunk: Chunk) -> None:
        block, valid = chunk.strings(self.column), chunk.data(self.column).valid
        if valid is not None and valid.all():
            valid = None
        for side, row in zip(("min", "max"), extreme_rows(block, valid), strict=True):
            start, length = int(block.starts[row]), min(int(block.lengths[row]), COMPARED_BYTES)
            found[side] = [block.payload[start : start + length].tobytes(), chunk.rows.start + row]
        lengths: npt.NDArray[Any] = block.lengths if valid is None else block.lengths[valid]
        found["min_bytes"], found["max_bytes"] = int(lengths.min()), int(lengths.max())
        found["total_bytes"] = int(lengths.sum(dtype=np.int64))
        found["empty"] = int(lengths.size - np.count_nonzero(lengths))

    def _category_lengths(self, categories: npt.NDArray[np.object_]) -> npt.NDArray[np.int64]:
        if self._lengths is None:
            self._lengths = np.array([len(_octets(c)) for c in categories[:-1]], np.int64)
        return self._lengths

    def _plain(self, value: Any) -> Any:
        if isinstance(value, bytes) and self.spec.kind != "binary":
            return value.decode("utf-8", "ignore")  # a cut may have gone through a character
        return value


def _octets(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def _better(left: list[Any] | None, right: list[Any] | None, sign: int) -> list[Any] | None:
    """Of two pairs of value and row the one with the smaller (sign -1) or larger value, then the smaller row."""
    if left is None or right is None:
        return right if left is None else left
    if left[0] == right[0]:
        return left if left[1] <= right[1] else right
    return left if (left[0] > right[0]) == (sign > 0) else right


def _chosen(choose: Any, left: int | None, right: int | None) -> int | None:
    if left is None or right is None:
        return right if left is None else left
    return int(choose(left, right))


PROVIDES = Extremes
