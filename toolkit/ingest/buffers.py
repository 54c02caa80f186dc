"""NumPy arrays out of Arrow arrays, by their buffers.

Arrow's own way imports pandas, which takes a quarter of a second and is not needed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa


def numbers(array: pa.Array) -> npt.NDArray[Any]:
    """Values of a numeric or temporal array, shape (rows,), without a copy; what stands for nulls has no meaning."""
    kind = array.type
    letter = "f" if pa.types.is_floating(kind) else "u" if pa.types.is_unsigned_integer(kind) else "i"
    dtype = np.dtype(f"{letter}{kind.bit_width // 8}")
    if not len(array):
        return np.empty(0, dtype)
    return np.frombuffer(array.buffers()[1], dtype, len(array), array.offset * dtype.itemsize)


def booleans(array: pa.Array) -> npt.NDArray[np.bool_]:
    """Values of a boolean array, shape (rows,)."""
    return _bits(array.buffers()[1], array.offset, len(array))


def presence(array: pa.Array) -> npt.NDArray[np.bool_]:
    """Which values of an array are not null, shape (rows,)."""
    if pa.types.is_null(array.type):
        return np.zeros(len(array), bool)
    bitmap = array.buffers()[0]
    if bitmap is None or pa.types.is_union(array.type):
        return np.ones(len(array), bool)
    return _bits(bitmap, array.offset, len(array))


def like(values: npt.NDArray[Any], array: pa.Array) -> pa.Array:
    """Numbers as an Arrow array, null where another array is.

    Parameters
    ----------
    values : ndarray
        Shape (rows,), of a numeric dtype.
    array : pyarrow.Array
        Of as many rows.
    """
    bitmap = pa.py_buffer(np.packbits(presence(array), bitorder="little").tobytes()) if array.null_count else None
    kind = pa.from_numpy_dtype(values.dtype)
    return pa.Array.from_buffers(kind, len(array), [bitmap, pa.py_buffer(np.ascontiguousarray(values))])


def strings(values: Sequence[str]) -> pa.Array:
    """A string array of a few values."""
    texts = [v.encode() for v in values]
    offsets = np.zeros(len(texts) + 1, np.int32)
    np.cumsum([len(t) for t in texts], out=offsets[1:])
    return pa.StringArray.from_buffers(len(texts), pa.py_buffer(offsets.tobytes()), pa.py_buffer(b"".join(texts)))


def _bits(bitmap: pa.Buffer, offset: int, rows: int) -> npt.NDArray[np.bool_]:
    if not rows:
        return np.empty(0, bool)
    first = offset // 8
    octets = np.frombuffer(bitmap, np.uint8, (offset + rows + 7) // 8 - first, first)
    return np.unpackbits(octets, bitorder="little")[offset % 8 : offset % 8 + rows].view(bool)
