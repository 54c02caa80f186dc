"""Tables as vaex lays them out in HDF5."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.core.errors import BadInputError
from toolkit.readers.hdf5_columns import dataset_column
from toolkit.readers.hdf5_objects import attribute, check_dataset, find, text
from toolkit.readers.numpy_columns import Values, arrow_values, chosen, supported, text_from
from toolkit.readers.row_ranges import RangeColumn, RangeTable, check_categories, common_length, refused, with_missing

if TYPE_CHECKING:
    import h5py
    import pyarrow as pa


def is_vaex(group: h5py.Group) -> bool:
    """Whether a group is a table of vaex."""
    import h5py

    columns = find(group, "columns") if "columns" in group else None
    if not isinstance(columns, h5py.Group) or not len(columns):
        return False
    return text(attribute(group, "type")) == "table" and all(isinstance(find(columns, n), h5py.Group) for n in columns)


def vaex_table(path: str, group: h5py.Group, encoding: str) -> RangeTable:
    """A table of vaex: a group a column, with its data, mask, bitmap or offsets.

    Raises
    ------
    BadInputError
        When a column is not whole, or the columns differ in length.
    """
    columns = find(group, "columns")
    first = [n for n in text(attribute(columns, "column_order")).split(",") if n in columns]
    names = first + [n for n in sorted(columns) if n not in first]
    notes: list[str] = []
    found: list[RangeColumn] = []
    lengths: dict[str, int] = {}
    for name in names:
        item = find(columns, name)
        shown = text(attribute(item, "alias")) or name
        column, rows = _vaex_column(shown, item, encoding, notes)
        found.append(column)
        lengths[shown] = rows
    return RangeTable(path, common_length(path, lengths), found, notes)


def _vaex_column(name: str, item: Any, encoding: str, notes: list[str]) -> tuple[RangeColumn, int]:
    if text(attribute(item, "type")) == "dictionary_encoded":
        codes, rows = _vaex_column(name, _part(item, "indices", name), encoding, notes)
        labels, count = _vaex_column(name, _part(item, "dictionary", name), encoding, notes)
        check_categories(name, count)

        def read_coded(start: int, stop: int) -> pa.Array:
            found = codes.read(start, stop)
            wide = np.where(np.asarray(found.is_valid()), np.asarray(found.fill_null(0)).astype(np.int64), -1)
            return chosen(labels.read(0, count), wide)

        return RangeColumn(name, f"categories: {labels.declared}", read_coded), rows
    data = _part(item, "data", name)
    bitmap = find(item, "null_bitmap")
    mask = find(item, "mask")
    for other in (data, bitmap, mask):
        if other is not None:
            notes += check_dataset(other)
    as_dtype = text(attribute(data, "dtype"))
    if as_dtype == "str":
        return _vaex_text(name, item, data, bitmap, encoding, notes)
    convert = None
    if as_dtype:
        try:
            wanted = np.dtype(as_dtype)
        except TypeError:
            wanted = np.dtype(object)
        if not supported(wanted) or wanted.kind == "O" or wanted.itemsize != data.dtype.itemsize:
            return refused(name, as_dtype, "values of that type have no equal in a table"), data.shape[0]

        def convert(values: Values) -> pa.Array:
            return arrow_values(values.astype(values.dtype.newbyteorder("=")).view(wanted))

    plain = dataset_column(name, data, encoding, [], convert)
    column = RangeColumn(name, as_dtype or plain.declared, plain.read, plain.row_bytes, plain.chunk_rows)
    return _with_missing(column, bitmap, mask), data.shape[0]


def _with_missing(column: RangeColumn, bitmap: h5py.Dataset | None, mask: h5py.Dataset | None) -> RangeColumn:
    if mask is not None:
        column = with_missing(column, lambda start, stop: mask[start:stop].astype(bool))
    if bitmap is not None:
        column = with_missing(column, lambda start, stop: ~_bits(bitmap, start, stop))
    return column


def _bits(bitmap: h5py.Dataset, start: int, stop: int) -> Values:
    """Bits of a validity bitmap as Arrow lays it out: least significant first, set where a value is present."""
    octets = bitmap[start // 8 : -(-stop // 8)]
    return np.unpackbits(octets, bitorder="little").astype(bool)[start % 8 : start % 8 + stop - start]


def _vaex_text(
    name: str, item: Any, data: h5py.Dataset, bitmap: h5py.Dataset | None, encoding: str, notes: list[str]
) -> tuple[RangeColumn, int]:
    offsets = _part(item, "indices", name)
    notes += check_dataset(offsets)
    rows = offsets.shape[0] - 1
    size = data.shape[0]

    def read(start: int, stop: int) -> pa.Array:
        ends = offsets[start : stop + 1].astype(np.int64)
        lengths = np.diff(ends)
        if ends[0] < 0 or ends[-1] > size or (lengths < 0).any():
            raise ValueError(f"offsets of texts that are not in order, or beyond their {size:,} bytes")
        octets = data[int(ends[0]) : int(ends[-1])].view(np.uint8)
        return text_from(ends[:-1] - ends[0], lengths, octets, encoding)

    column = RangeColumn(name, "text", read, 4 + max(16, size // max(rows, 1)))
    return _with_missing(column, bitmap, None), max(rows, 0)


def _part(item: Any, part: str, name: str) -> Any:
    found = find(item, part)
    if found is None:
        raise BadInputError(f"column {name!r} of the table has no {part!r}", "get the file again from its origin")
    return found
