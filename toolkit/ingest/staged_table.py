"""Reads what a transform staged; everything in the folder may be forged, so everything is checked."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from toolkit.core.derived import LARGEST_PART, PART_ROWS, Declaration, DerivedColumn, part_name, words_name
from toolkit.core.encoding import EncodingError, decode
from toolkit.core.errors import BadInputError
from toolkit.ingest.categories import dense
from toolkit.ingest.decimals import decimal_text
from toolkit.ingest.text_types import Typed

_SHAPES = {
    frozenset({"values", "valid"}): "plain",
    frozenset({"lengths", "data", "valid"}): "text",
    frozenset({"codes", "words", "valid"}): "coded",
}
_TIME_OF_DAY = 86_400 * 10**9
_TICKS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


class StagedTable:
    """The parts of a derived table that a transform staged.

    Parameters
    ----------
    folder : Path
        Where they are.
    declaration : Declaration
        Checked against the parent before.
    """

    def __init__(self, folder: Path, declaration: Declaration) -> None:
        self._folder = folder
        self._declaration = declaration
        self._words: dict[int, tuple[int, pa.Array]] = {}

    def part(self, number: int) -> tuple[int, list[Typed]]:
        """The rows of a part, and its columns with their declared kinds.

        Raises
        ------
        BadInputError
            When it is not what a transform stages; names the file and the column.
        """
        name = part_name(number)
        tree = self._decoded(name)
        try:
            rows, columns = tree["rows"], tree["columns"]
            sound = type(rows) is int and 1 <= rows <= PART_ROWS and len(columns) == len(self._declaration.made)
        except (KeyError, TypeError) as error:
            raise BadInputError(f"{name} is no part of a derived table: {error}") from error
        if not sound:
            raise BadInputError(f"{name} has another number of rows or columns than it can have")
        out = []
        for position, (column, value) in enumerate(zip(self._declaration.made, columns, strict=True)):
            try:
                out.append(self._column(position, column, value, rows))
            except (TypeError, ValueError, KeyError, AttributeError, pa.ArrowException) as error:
                raise BadInputError(f"{name}: column {column.name!r} can't be read: {error}") from error
        return rows, out

    def _column(self, position: int, column: DerivedColumn, value: Mapping[str, Any], rows: int) -> Typed:
        shape = _SHAPES.get(frozenset(value))
        if shape is None or (shape == "plain") == column.is_text:
            raise ValueError(f"it has {', '.join(sorted(map(str, value)))}, which a {column.kind} column does not")
        valid = _valid(value["valid"], rows)
        if valid is not None and not valid.any():
            return Typed("null", pa.nulls(rows))
        if shape == "plain":
            return _plain(column, _vector(value["values"], rows), valid)
        if shape == "coded":
            codes = _vector(value["codes"], rows, "i")
            words = self._word_array(position, column, value["words"])
            present = codes if valid is None else codes[valid]
            if present.min() < 0 or present.max() >= len(words):
                raise ValueError("a code lies outside its words")
            indices = _numbers(codes.astype(np.int32), valid, pa.int32())
            found = pa.DictionaryArray.from_arrays(indices, words, safe=True)
            return Typed(column.kind, dense(found) if column.kind in ("decimal", "binary") else found)
        return Typed(column.kind, _strings(column, value, rows, valid))

    def _word_array(self, position: int, column: DerivedColumn, number: Any) -> pa.Array:
        """The distinct values of a coded column; the last ones are kept, as the next part mostly has the same."""
        if type(number) is not int or not 0 <= number < self._declaration.words:
            raise ValueError("it names words that are not there")
        known = self._words.get(position)
        if known is None or known[0] != number:
            tree = self._decoded(words_name(number))
            known = self._words[position] = (number, _strings(column, tree, len(tree["lengths"]), None))
        return known[1]

    def _decoded(self, name: str) -> Any:
        try:
            return decode(_read(self._folder / name))
        except (OSError, EncodingError) as error:
            reason = os.strerror(error.errno or 0) if isinstance(error, OSError) else error.message
            raise BadInputError(f"{name} of a derived table can't be read: {reason}") from error


def _read(path: Path) -> bytes:
    """A plain file's bytes; a link, a pipe or a file that is too large is refused."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as stream:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size > LARGEST_PART:
            raise BadInputError(f"{path.name} of a derived table is no file of at most {LARGEST_PART:,} bytes")
        return stream.read(LARGEST_PART)


def _vector(value: Any, rows: int, kinds: str = "biuf") -> npt.NDArray[Any]:
    if not isinstance(value, np.ndarray) or value.shape != (rows,) or value.dtype.kind not in kinds:
        raise ValueError(f"an array is not one of {rows:,} values of its kind")
    return value


def _valid(value: Any, rows: int) -> npt.NDArray[np.bool_] | None:
    # from bytes of any value: only zero is false
    return None if value is None else _vector(value, rows, "b").view(np.uint8) != 0


def _plain(column: DerivedColumn, values: npt.NDArray[Any], valid: npt.NDArray[np.bool_] | None) -> Typed:
    kind, dtype = column.kind, values.dtype.kind
    if dtype not in {"bool": "b", "int": "iu", "float": "f"}.get(kind, "i"):
        raise ValueError(f"it has values of dtype {values.dtype}")
    if kind == "bool":
        bits = pa.py_buffer(np.packbits(values.view(np.uint8) != 0, bitorder="little").tobytes())
        return Typed(kind, pa.Array.from_buffers(pa.bool_(), values.size, [_bitmap(valid), bits]))
    if kind == "int":
        unsigned = dtype == "u" and values.dtype.itemsize == 8
        return Typed(kind, _numbers(values.astype(np.uint64 if unsigned else np.int64), valid, None))
    if kind == "float":
        return Typed(kind, _numbers(values.astype("<f8" if values.dtype.itemsize > 4 else "<f4"), valid, None))
    ticks = values.astype(np.int64)
    present = ticks if valid is None else ticks[valid]
    if kind == "date":
        if present.size and np.abs(present).max() > np.iinfo(np.int32).max:
            raise ValueError("a date lies outside the calendar")
        ticks = ticks if valid is None else np.where(valid, ticks, 0)
        return Typed(kind, _numbers(ticks.astype(np.int32), valid, pa.int32()).cast(pa.date32()))
    if (
        kind == "time"
        and present.size
        and not (present.min() >= 0 and present.max() < _TIME_OF_DAY // _TICKS[column.unit])
    ):
        raise ValueError("a time of day lies outside the day")
    return Typed(kind, _times(column, ticks, valid), column.timezone)


def _times(column: DerivedColumn, ticks: npt.NDArray[np.int64], valid: npt.NDArray[np.bool_] | None) -> pa.Array:
    unit: Any = column.unit
    if column.kind == "timestamp":
        return _numbers(ticks, valid, pa.timestamp(unit, column.timezone or None))
    if column.kind == "duration":
        return _numbers(ticks, valid, pa.duration(unit))
    if unit in ("s", "ms"):
        ticks, unit = ticks * (_TICKS[unit] // _TICKS["us"]), "us"
    return _numbers(ticks, valid, pa.time64(unit))


def _numbers(values: npt.NDArray[Any], valid: npt.NDArray[np.bool_] | None, kind: Any) -> pa.Array:
    target = pa.from_numpy_dtype(values.dtype) if kind is None else kind
    return pa.Array.from_buffers(target, values.size, [_bitmap(valid), pa.py_buffer(np.ascontiguousarray(values))])


def _bitmap(valid: npt.NDArray[np.bool_] | None) -> pa.Buffer | None:
    return None if valid is None else pa.py_buffer(np.packbits(valid, bitorder="little").tobytes())


def _strings(column: DerivedColumn, value: Mapping[str, Any], rows: int, valid: Any) -> pa.Array:
    """Text out of lengths and bytes, checked to be UTF-8; of a decimal to be one in plain digits."""
    lengths, data = _vector(value["lengths"], rows, "u").astype(np.int64), value["data"]
    offsets = np.zeros(rows + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or data.shape != (int(offsets[-1]),):
        raise ValueError("its bytes do not fit its lengths")
    buffers = [_bitmap(valid), pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(np.ascontiguousarray(data))]
    if column.kind == "binary":
        return pa.Array.from_buffers(pa.binary(), rows, buffers)
    array = pa.Array.from_buffers(pa.string(), rows, buffers)
    array.validate(full=True)
    if column.kind == "decimal":
        array = decimal_text(array)
        if array is None:
            raise ValueError("a decimal is not written in plain digits, as in -12.50")
    return array
