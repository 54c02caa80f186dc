"""A run of rows of some columns, as a plugin sees it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from toolkit.core.errors import UsageError
from toolkit.core.schema import ColumnSpec, Schema
from toolkit.core.strings import StringBlock

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class ColumnData:
    """What a store holds of one column in one chunk.

    Attributes
    ----------
    values : ndarray or StringBlock
        Stored values, of the column's dtype; codes for coded text, where -1 is missing.
    valid : ndarray of bool or None
        Which values are present; None when all are.
    """

    values: npt.NDArray[Any] | StringBlock
    valid: npt.NDArray[np.bool_] | None


class Chunk:
    """The same rows of several columns.

    Columns are read when they are first asked for. Arrays are read-only.

    Attributes
    ----------
    index : int
        Number of the chunk in the table's grid.
    rows : slice
        Global row numbers.
    columns : list of str
        Names of the columns that it offers.
    """

    def __init__(
        self,
        index: int,
        rows: slice,
        schema: Schema,
        columns: Sequence[str],
        load: Callable[[str], ColumnData],
        categories: Callable[[str], npt.NDArray[np.object_]],
    ) -> None:
        self.index = index
        self.rows = rows
        self.schema = schema
        self.columns = list(columns)
        self._load = load
        self._categories = categories
        self._loaded: dict[str, ColumnData] = {}

    def __len__(self) -> int:
        return int(self.rows.stop - self.rows.start)

    def __repr__(self) -> str:
        return f"Chunk {self.index}: rows {self.rows.start:,} to {self.rows.stop - 1:,}, {len(self.columns)} columns"

    def spec(self, name: str) -> ColumnSpec:
        """Description of a column."""
        return self.schema[name]

    def data(self, name: str) -> ColumnData:
        """Stored values and validity of a column.

        Raises
        ------
        UsageError
            When the chunk was not asked to hold that column.
        """
        found = self._loaded.get(name)
        if found is None:
            if name not in self.columns:
                raise UsageError(
                    f"column {name!r} is not part of this chunk",
                    "name it in ctx.chunks(columns=[...]) to have it read",
                )
            found = self._loaded[name] = self._load(name)
        return found

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        """Values of a column, shape (rows,).

        Numbers and times come in their stored dtype (times as datetime64 or timedelta64), text as Python strings in an
        object array: for speed use `codes` or `strings` instead. What stands where a value is missing has no meaning.
        """
        spec, values = self.spec(name), self.data(name).values
        if spec.encoding == "coded":
            assert isinstance(values, np.ndarray)
            return self._categories(name)[values]
        if isinstance(values, StringBlock):
            return _objects(values, spec)
        if spec.kind in ("timestamp", "date"):
            return values.astype(np.int64, copy=False).view(f"datetime64[{spec.unit}]")
        if spec.kind in ("time", "duration"):
            return values.astype(np.int64, copy=False).view(f"timedelta64[{spec.unit}]")
        return values

    def valid(self, name: str) -> npt.NDArray[np.bool_]:
        """Which values of a column are present, shape (rows,)."""
        valid = self.data(name).valid
        return np.ones(len(self), bool) if valid is None else valid

    def has_missing(self, name: str) -> bool:
        """Whether any value of the column is missing in this chunk."""
        valid = self.data(name).valid
        return valid is not None and not bool(valid.all())

    def raw(self, name: str) -> npt.NDArray[Any]:
        """Stored values of a column that is not long text: numbers, counts of a time unit, or codes."""
        values = self.data(name).values
        if isinstance(values, StringBlock):
            raise UsageError(f"column {name!r} is long text", "use chunk.strings(name)")
        return values

    def codes(self, name: str) -> npt.NDArray[Any]:
        """Codes of a coded text column into its sorted categories; -1 where the value is missing."""
        if self.spec(name).encoding != "coded":
            raise UsageError(f"column {name!r} is not coded", "chunk.spec(name).encoding says how a column is stored")
        return self.raw(name)

    def categories(self, name: str) -> npt.NDArray[np.object_]:
        """Sorted distinct values of a coded text column, and None last, where code -1 finds it."""
        return self._categories(name)

    def strings(self, name: str) -> StringBlock:
        """Buffers of a long text column."""
        values = self.data(name).values
        if not isinstance(values, StringBlock):
            raise UsageError(f"column {name!r} is not long text", "use chunk[name] or chunk.codes(name)")
        return values

    def arrow(self, columns: Sequence[str] | None = None) -> pa.RecordBatch:
        """The chunk as an Arrow record batch; long text is handed over as buffers."""
        from toolkit.core.tables import to_record_batch

        return to_record_batch(self, self.columns if columns is None else columns)

    def frame(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """The chunk as a pandas frame, with the global row numbers as its index."""
        from toolkit.core.tables import to_frame

        return to_frame(self, self.columns if columns is None else columns)


def _objects(block: StringBlock, spec: ColumnSpec) -> npt.NDArray[np.object_]:
    offsets, data = block.contiguous()
    buffer = data.tobytes()
    bounds = offsets.tolist()
    out = np.empty(len(block), object)
    if spec.kind == "binary":
        out[:] = [buffer[a:b] for a, b in pairwise(bounds)]
    else:
        out[:] = [buffer[a:b].decode() for a, b in pairwise(bounds)]
    return out
