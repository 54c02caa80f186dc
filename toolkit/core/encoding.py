"""State encoding without pickle: a tree of plain values and NumPy arrays as bytes.

Layout: ``b"TKS1"``, the header's length (uint32, little-endian), the header (msgpack), then the arrays' raw buffers,
each starting at a multiple of 8 bytes. Nothing in it can run code when it is read.
"""

from __future__ import annotations

import re
import struct
from typing import Any

import msgpack
import numpy as np

from toolkit.core.errors import ToolkitError

_MAGIC = b"TKS1"
_ARRAY = 1
_BIG_INTEGER = 2
_ALIGN = 8
_KINDS = frozenset("biuf")
_DTYPE = re.compile(r"[<|][biuf][1248]\Z")


class EncodingError(ToolkitError):
    """Bytes that are no encoded state, or a value that can't be one."""


def encode(tree: Any) -> bytes:
    """Encode a tree of dicts, lists, strings, bytes, numbers, None and arrays.

    Arrays must be of a bool, integer or floating dtype. Dict keys are written in their order; states that must be
    byte-identical have to build their dicts in a fixed order.

    Raises
    ------
    EncodingError
        For a value of another type.

    Examples
    --------
    >>> decode(encode({"n": 3, "x": np.arange(3)}))["x"].tolist()
    [0, 1, 2]
    """
    buffers: list[bytes | memoryview] = []
    offset = 0

    def default(value: Any) -> Any:
        nonlocal offset
        if isinstance(value, np.ndarray):
            if value.dtype.kind not in _KINDS:
                raise EncodingError(f"an array of dtype {value.dtype} can't be part of a state")
            array = np.ascontiguousarray(value, dtype=value.dtype.newbyteorder("<"))
            offset += -offset % _ALIGN
            entry = [array.dtype.str, list(value.shape), offset, array.nbytes]
            buffers.append(array.reshape(-1).view(np.uint8).data if array.size else b"")
            offset += array.nbytes
            return msgpack.ExtType(_ARRAY, msgpack.packb(entry))
        if isinstance(value, np.generic):
            return value.item()
        if isinstance(value, int):  # beyond 64 bits
            return msgpack.ExtType(_BIG_INTEGER, str(value).encode())
        raise EncodingError(f"a {type(value).__name__} can't be part of a state")

    try:
        header = msgpack.packb(tree, default=default, use_bin_type=True)
    except OverflowError as error:
        raise EncodingError(f"a state holds a number that can't be encoded: {error}") from error
    start = len(_MAGIC) + 4 + len(header)
    out = bytearray(start + -start % _ALIGN + offset)
    out[:8] = _MAGIC + struct.pack("<I", len(header))
    out[8:start] = header
    position = start + -start % _ALIGN
    base = position
    for buffer in buffers:
        position += -(position - base) % _ALIGN
        out[position : position + len(buffer)] = buffer
        position += len(buffer)
    return bytes(out)


def decode(data: bytes) -> Any:
    """Decode what `encode` wrote; arrays are read-only views of ``data``.

    Raises
    ------
    EncodingError
        When the bytes are cut short, forged or of another version.
    """
    try:
        if data[:4] != _MAGIC:
            raise ValueError("they do not begin with the mark TKS1")
        (length,) = struct.unpack_from("<I", data, 4)
        start = 8 + length
        base = start + -start % _ALIGN
        if start > len(data):
            raise ValueError("the header is cut short")

        def extension(code: int, payload: bytes) -> Any:
            if code == _BIG_INTEGER and len(payload) < 4096:
                return int(payload)
            if code != _ARRAY:
                raise ValueError(f"unknown extension {code}")
            dtype_text, shape, offset, nbytes = msgpack.unpackb(payload)
            if not _DTYPE.match(dtype_text):
                raise ValueError("an array's dtype is none of a state's")
            dtype = np.dtype(dtype_text)
            count = 1
            for extent in shape:
                count *= extent
            if dtype.kind not in _KINDS or min(shape, default=0) < 0 or count * dtype.itemsize != nbytes:
                raise ValueError("an array's description does not fit its size")
            if offset < 0 or base + offset + nbytes > len(data):
                raise ValueError("an array is cut short")
            return np.frombuffer(data, dtype, count, base + offset).reshape(shape)

        return msgpack.unpackb(memoryview(data)[8:start], ext_hook=extension, strict_map_key=False, raw=False)
    except (ValueError, TypeError, struct.error, msgpack.UnpackException, RecursionError) as error:
        raise EncodingError(f"these bytes are no encoded state: {error}") from error
