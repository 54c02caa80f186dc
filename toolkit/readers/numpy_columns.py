"""NumPy arrays of files as Arrow arrays, exactly or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pyarrow as pa

Values = npt.NDArray[Any]

_DATE_UNITS = {"Y": "D", "M": "D", "W": "D", "D": "D", "h": "s", "m": "s", "s": "s", "ms": "ms", "us": "us", "ns": "ns"}
_SPAN_UNITS = {"W": "s", "D": "s", "h": "s", "m": "s", "s": "s", "ms": "ms", "us": "us", "ns": "ns"}
_LARGEST_ITEM = 64 << 20
UTF8 = "utf-8"


class NotTextError(ValueError):
    """Bytes that are not of the encoding.

    Parameters
    ----------
    row : int
        Position of the first such value.
    encoding : str
        What was expected.
    """

    def __init__(self, row: int, encoding: str) -> None:
        super().__init__(f"bytes that are not {encoding}")
        self.row = row


def supported(dtype: np.dtype[Any]) -> bool:
    """Whether `arrow_values` takes arrays of this dtype; object arrays are taken if they hold text."""
    if dtype.subdtype is not None or dtype.itemsize > _LARGEST_ITEM:
        return False
    if dtype.kind in "biuSUOT":
        return dtype.kind != "T" or hasattr(np.dtypes, "StringDType")
    if dtype.kind == "f":
        return dtype.itemsize <= 8
    if dtype.kind in "Mm":
        unit, count = np.datetime_data(dtype)
        return count == 1 and unit in (_DATE_UNITS if dtype.kind == "M" else _SPAN_UNITS)
    return False


def arrow_values(values: Values, encoding: str = UTF8) -> pa.Array:
    """A 1-D array as an Arrow array; NaT and None become missing, NaN stays NaN.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Of a dtype that is `supported`.
    encoding : str
        Of the text in arrays of bytes.

    Raises
    ------
    NotTextError
        When bytes are not of the encoding.
    TypeError
        When an object array holds something else than text.
    """
    import pyarrow as pa

    kind = values.dtype.kind
    if kind == "S":
        return _decoded(_fixed_bytes(values), encoding)
    if kind in "OT":
        return _objects(values, encoding)
    if kind in "Mm":
        units = _DATE_UNITS if kind == "M" else _SPAN_UNITS
        unit = units[np.datetime_data(values.dtype)[0]]
        cast = values.astype(f"{kind}8[{unit}]")
        if ((cast.astype(values.dtype) != values) & ~np.isnat(values)).any():
            raise TypeError("times beyond the range of their unit")
        return pa.array(cast)
    if not values.dtype.isnative:
        values = values.astype(values.dtype.newbyteorder("="))
    if values.dtype == np.float16:
        values = values.astype(np.float32)
    return pa.array(np.ascontiguousarray(values))


def masked(values: pa.Array, missing: Values) -> pa.Array:
    """Values with those missing where a mask says so, and where they were already.

    Parameters
    ----------
    values : pyarrow.Array, shape (n,)
        Values.
    missing : ndarray of bool, shape (n,)
        True where a value is missing.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.if_else(pa.array(missing), pa.scalar(None, values.type), values) if missing.any() else values


def chosen(categories: pa.Array, codes: Values) -> pa.Array:
    """Categories by their codes; a negative code is a missing value.

    Raises
    ------
    IndexError
        When a code is beyond the categories.
    """
    import pyarrow as pa

    if codes.size and int(codes.max()) >= len(categories):
        raise IndexError(f"code {int(codes.max())} of {len(categories)} categories")
    wide = codes.astype(np.int64)
    return categories.take(pa.array(wide, mask=wide < 0))


def text_from(starts: Values, lengths: Values, data: Values, encoding: str = UTF8) -> pa.Array:
    """Texts out of one run of bytes.

    Parameters
    ----------
    starts, lengths : ndarray of int64, shape (n,)
        Where each begins in ``data``, and its bytes; one behind the other without gaps.
    data : ndarray of uint8
        The bytes.
    """
    import pyarrow as pa

    offsets = np.zeros(lengths.size + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    begin = int(starts[0]) if starts.size else 0
    payload = np.ascontiguousarray(data[begin : begin + int(offsets[-1])])
    raw = pa.Array.from_buffers(
        pa.large_binary(), lengths.size, [None, pa.py_buffer(offsets), pa.py_buffer(payload)]
    ).cast(pa.binary())
    return _decoded(raw, encoding)


def _fixed_bytes(values: Values) -> pa.Array:
    """Bytes of fixed width, without the NULs that fill them up."""
    import pyarrow as pa

    width = values.dtype.itemsize
    count = values.size
    if not width or not count:
        return pa.array([b""] * count, pa.binary())
    table = np.ascontiguousarray(values).view(np.uint8).reshape(count, width)
    filled = table != 0
    lengths = np.where(filled.any(axis=1), width - filled[:, ::-1].argmax(axis=1), 0)
    offsets = np.zeros(count + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    data = table[np.arange(width) < lengths[:, None]]
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.large_binary(), count, buffers).cast(pa.binary())


def _objects(values: Values, encoding: str) -> pa.Array:
    import pyarrow as pa

    items = values.astype(object).tolist()
    kinds = {type(v) for v in items} - {type(None)}
    if not all(issubclass(k, bytes | str) for k in kinds):
        other = sorted(k.__name__ for k in kinds if not issubclass(k, bytes | str))
        raise TypeError(f"values of the type {other[0]}")
    if any(issubclass(k, str) for k in kinds):
        # surrogates stand for bytes that were no UTF-8 when the library read them
        items = [v.encode(UTF8, "surrogateescape") if isinstance(v, str) else v for v in items]
    return _decoded(pa.array(items, pa.binary()), encoding)


def _decoded(raw: pa.Array, encoding: str) -> pa.Array:
    import pyarrow as pa

    encoding = encoding or UTF8
    if encoding.lower() in (UTF8, "utf8", "ascii"):
        try:
            return raw.cast(pa.string())
        except pa.ArrowInvalid:
            pass
    texts: list[str | None] = []
    for row, value in enumerate(raw.to_pylist()):
        try:
            texts.append(None if value is None else value.decode(encoding))
        except UnicodeDecodeError as error:
            raise NotTextError(row, encoding) from error
    return pa.array(texts, pa.string())
