"""Chunks as Arrow record batches and pandas frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from toolkit.core.chunk import Chunk
from toolkit.core.schema import ColumnSpec, Schema
from toolkit.core.strings import StringBlock

if TYPE_CHECKING:
    import pandas as pd

_SMALL_OFFSETS = 2**31 - 1
_MAX_DECIMAL128 = 38


def arrow_type(spec: ColumnSpec) -> pa.DataType:
    """The Arrow type in which a column is handed out."""
    if spec.encoding == "coded":
        return pa.dictionary(pa.from_numpy_dtype(np.dtype(spec.dtype)), _text_type(spec))
    if spec.kind in ("string", "decimal", "binary"):
        return _text_type(spec)
    if spec.kind == "null":
        return pa.null()
    if spec.kind == "timestamp":
        return pa.timestamp(spec.unit, tz=spec.timezone or None)
    if spec.kind == "date":
        return pa.date32()
    if spec.kind == "time":
        return pa.time32(spec.unit) if spec.unit in ("s", "ms") else pa.time64(spec.unit)
    if spec.kind == "duration":
        return pa.duration(spec.unit)
    return pa.bool_() if spec.kind == "bool" else pa.from_numpy_dtype(np.dtype(spec.dtype))


def arrow_schema(schema: Schema, columns: Sequence[str] | None = None) -> pa.Schema:
    """The Arrow schema of a table or of some of its columns."""
    return pa.schema([pa.field(s.name, arrow_type(s), nullable=s.nullable) for s in schema.select(columns)])


def to_record_batch(chunk: Chunk, columns: Sequence[str]) -> pa.RecordBatch:
    """One chunk as a record batch."""
    arrays = [_to_arrow(chunk, chunk.spec(name)) for name in columns]
    return pa.RecordBatch.from_arrays(arrays, schema=arrow_schema(chunk.schema, columns))


def to_frame(chunk: Chunk, columns: Sequence[str]) -> pd.DataFrame:
    """One chunk as a pandas frame: coded text is categorical, integers with missing values are nullable ones."""
    import pandas as pd

    series = {name: _to_series(chunk, chunk.spec(name)) for name in columns}
    return pd.DataFrame(series, index=pd.RangeIndex(chunk.rows.start, chunk.rows.stop), columns=list(columns))


def _text_type(spec: ColumnSpec) -> pa.DataType:
    return pa.binary() if spec.kind == "binary" else pa.string()


def _validity(valid: npt.NDArray[np.bool_] | None) -> pa.Buffer | None:
    return None if valid is None else pa.py_buffer(np.packbits(valid, bitorder="little").tobytes())


def _to_arrow(chunk: Chunk, spec: ColumnSpec) -> pa.Array:
    data = chunk.data(spec.name)
    target, rows = arrow_type(spec), len(chunk)
    if spec.kind == "null":
        return pa.nulls(rows)
    if spec.encoding == "coded":
        categories = pa.array(chunk.categories(spec.name)[:-1], _text_type(spec))
        codes = pa.array(data.values, mask=None if data.valid is None else ~data.valid)
        return pa.DictionaryArray.from_arrays(codes, categories)
    if isinstance(data.values, StringBlock):
        offsets, payload = data.values.contiguous()
        small = int(offsets[-1]) <= _SMALL_OFFSETS
        buffers = [
            _validity(data.valid),
            pa.py_buffer(offsets.astype(np.int32) if small else offsets),
            pa.py_buffer(payload),
        ]
        large = pa.large_binary() if spec.kind == "binary" else pa.large_string()
        return pa.Array.from_buffers(target if small else large, rows, buffers)
    values = data.values
    mask = None if data.valid is None else ~data.valid
    if spec.kind in ("time", "date", "timestamp", "duration"):
        return pa.array(values, mask=mask).cast(_carrier(target)).cast(target)
    return pa.array(values, target, mask=mask)


def _carrier(target: pa.DataType) -> pa.DataType:
    return pa.int32() if target.bit_width == 32 else pa.int64()


def _to_series(chunk: Chunk, spec: ColumnSpec) -> Any:
    import pandas as pd

    data = chunk.data(spec.name)
    if spec.encoding == "coded":
        categories = chunk.categories(spec.name)[:-1]
        return pd.Categorical.from_codes(data.values, categories=pd.Index(categories, dtype=object), validate=False)
    if spec.kind == "null":
        return np.full(len(chunk), None, object)
    values = chunk[spec.name]
    if data.valid is None:
        return values.copy()
    if spec.kind == "int":
        return pd.arrays.IntegerArray(values.copy(), ~data.valid)
    if spec.kind == "bool":
        return pd.arrays.BooleanArray(values.copy(), ~data.valid)
    out = values.copy()
    if spec.kind in ("timestamp", "date"):
        out[~data.valid] = np.datetime64("NaT")
    elif spec.kind in ("time", "duration"):
        out[~data.valid] = np.timedelta64("NaT")
    elif spec.kind == "float":
        out[~data.valid] = np.nan
    else:
        out[~data.valid] = None
    return out
