"""Frames and series as pandas writes them into HDF5, in both its formats."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.core.errors import BadInputError
from toolkit.readers.hdf5_columns import Convert, Read, Records, conversion
from toolkit.readers.hdf5_objects import attribute, check_dataset, find, text
from toolkit.readers.mixed_values import Mixture, kind_of, to_arrow
from toolkit.readers.numpy_columns import UTF8, Values, arrow_values, chosen, masked
from toolkit.readers.plain_pickle import plain_array, plain_values
from toolkit.readers.row_ranges import RangeColumn, RangeTable, common_length, refused

if TYPE_CHECKING:
    import h5py
    import pyarrow as pa

_EPOCH_ORDINAL = 719_163
_CHECKED_AT_ONCE = 1 << 20
_PICKLED = "its values are pickled objects, which only running the pickle would make"


def is_pandas(group: Any) -> bool:
    """Whether a group is a frame or a series of pandas."""
    kind = text(attribute(group, "pandas_type"))
    return kind.startswith(("frame", "series", "appendable", "wide"))


def pandas_table(path: str, group: h5py.Group, encoding: str) -> RangeTable:
    """A frame or series of pandas; an index that only counts the rows is left out.

    Raises
    ------
    BadInputError
        When its parts do not fit together.
    """
    encoding = encoding or text(attribute(group, "encoding")) or UTF8
    try:
        if "table" in text(attribute(group, "pandas_type")):
            found = _Table(group, encoding).table(path)
        else:
            found = _fixed(path, group, encoding)
    except (ValueError, KeyError, LookupError) as error:
        raise BadInputError(
            f"{path!r} is not whole, or of an unknown version of pandas: {error}", "write it again as Parquet"
        ) from error
    return _without_count(found)


def _without_count(table: RangeTable) -> RangeTable:
    """Leave out a nameless index that is 0, 1, 2 and so on."""
    if not table.columns or table.columns[0].name != "index" or not table.columns[0].declared.startswith("index"):
        return table
    index = table.columns[0]
    if "int" not in index.declared or len(table.columns) == 1:
        return table
    for start in range(0, table.rows, _CHECKED_AT_ONCE):
        stop = min(start + _CHECKED_AT_ONCE, table.rows)
        if not np.array_equal(np.asarray(index.read(start, stop)), np.arange(start, stop)):
            return table
    return RangeTable(table.name, table.rows, table.columns[1:], table.notes)


class _Table:
    """One frame in pandas' table format: a compound dataset whose fields are columns or blocks of them."""

    def __init__(self, group: h5py.Group, encoding: str) -> None:
        self._group = group
        self._encoding = encoding
        self._dataset = find(group, "table")
        if self._dataset is None:
            raise KeyError("no dataset 'table'")
        self._records = Records(self._dataset)
        self._info = _unpickled(attribute(group, "info"))
        missing = text(attribute(group, "nan_rep"))
        self._missing_text = "nan" if missing in ("", "N.") else missing

    def table(self, path: str) -> RangeTable:
        notes = check_dataset(self._dataset)
        dtype = self._records.dtype
        kind = self._dataset.id.get_type()
        chunk = self._dataset.chunks[0] if self._dataset.chunks else 1
        columns: list[RangeColumn] = []
        for field in dtype.names or ():
            member = kind.get_member_type(kind.get_member_index(field.encode()))
            for item, name in enumerate(self._names(field, dtype[field])):
                columns.append(self._column(name, field, dtype[field], member, item, chunk))
        order = self._order()
        columns.sort(key=lambda c: -1 if c.declared.startswith("index") else order.get(c.name, len(order)))
        return RangeTable(path, self._dataset.shape[0], columns, notes)

    def _names(self, field: str, dtype: np.dtype[Any]) -> list[str]:
        if field == "index":
            given = _unpickled(attribute(self._dataset, "index_name"))
            info = self._info.get("index") if isinstance(self._info, dict) else None
            named = info.get("index_name") if isinstance(info, dict) else None
            found = given if isinstance(given, str) else named
            return [str(found) if found is not None else "index"]
        names = _unpickled(attribute(self._dataset, f"{field}_kind"))
        count = dtype.shape[0] if dtype.shape else 1
        if not isinstance(names, list) or len(names) != count:
            if count == 1:
                return [field]
            raise ValueError(f"the block {field!r} has {count} columns, whose names can't be read")
        return [str(n) for n in names]

    def _order(self) -> dict[str, int]:
        axes = _unpickled(attribute(self._group, "non_index_axes"))
        try:
            names = axes[0][1]
            return {str(n): i for i, n in enumerate(names)}
        except (TypeError, IndexError, KeyError):
            return {}

    def _column(self, name: str, field: str, dtype: np.dtype[Any], member: Any, item: int, chunk: int) -> RangeColumn:
        base = dtype.base
        if dtype.shape:
            member = member.get_super()
        of = text(attribute(self._dataset, f"{field}_dtype")) or text(attribute(self._dataset, f"{field}_kind"))
        declared = f"index, {of} {base}" if field == "index" else of or str(base)
        plain, why, convert = conversion(base, member, self._encoding)
        if why:
            return refused(name, plain, why)
        meta = text(attribute(self._dataset, f"{field}_meta"))
        if meta == "category":
            convert = self._categories(field)
        elif base.kind == "S":
            convert = self._texts(convert, text(attribute(self._dataset, f"{field}_nan_rep")))
        else:
            convert = _by_declaration(of, self._zoned(field), convert)
        records, wide = self._records, bool(dtype.shape)

        def read(start: int, stop: int) -> pa.Array:
            values = records.read(start, stop)[field]
            return convert(values[:, item] if wide else values)

        return RangeColumn(name, declared, read, max(base.itemsize, 8), chunk)

    def _zoned(self, field: str) -> bool:
        info = self._info.get(field) if isinstance(self._info, dict) else None
        return isinstance(info, dict) and info.get("tz") is not None

    def _texts(self, convert: Convert, missing: str) -> Convert:
        import pyarrow.compute as pc

        def texts(values: Values) -> pa.Array:
            found = convert(np.ascontiguousarray(values))
            return masked(found, np.asarray(pc.equal(found, missing or self._missing_text)))

        return texts

    def _categories(self, field: str) -> Convert:
        labels = find(self._group, f"meta/{field}/meta")
        if labels is None:
            # all values are missing
            return lambda values: chosen(arrow_values(np.array([], "S1")), values)
        table = _Table(labels, self._encoding).table(field)
        column = next(c for c in table.columns if not c.declared.startswith("index"))
        return lambda values: chosen(column.read(0, table.rows), values)


def _by_declaration(declared: str, zoned: bool, convert: Convert) -> Convert:
    """How integers become what pandas says they are."""
    import pyarrow as pa

    if declared == "bool":
        return lambda values: arrow_values(values.astype(bool))
    if declared == "date":
        return lambda values: arrow_values((values.astype(np.int64) - _EPOCH_ORDINAL).astype("M8[D]"))
    for kind, code in (("datetime64", "M8"), ("timedelta64", "m8")):
        if declared.startswith(kind):
            inside = declared.partition("[")[2].rstrip("]").partition(",")
            unit = inside[0].strip() or "ns"
            zone = zoned or bool(inside[2])

            def convert_times(values: Values, code: str = code, unit: str = unit, zone: bool = zone) -> pa.Array:
                found = arrow_values(values.astype(np.int64).view(f"{code}[{unit}]"))
                return found.cast(pa.timestamp(found.type.unit, "UTC")) if zone and code == "M8" else found

            return convert_times
    return convert


def _fixed(path: str, group: h5py.Group, encoding: str) -> RangeTable:
    """A frame or series in pandas' fixed format: blocks of columns of one type."""
    notes: list[str] = []
    columns: list[RangeColumn] = []
    lengths: dict[str, int] = {}
    if text(attribute(group, "pandas_type")) == "series":
        parts = [(find(group, "values"), [text(attribute(group, "name")) or "values"])]
        index, order = find(group, "index"), {}
    else:
        blocks = int(attribute(group, "nblocks") or 0)
        parts = [
            (find(group, f"block{b}_values"), _labels(find(group, f"block{b}_items"), encoding)) for b in range(blocks)
        ]
        index = find(group, "axis1")
        order = {name: i for i, name in enumerate(_labels(find(group, "axis0"), encoding))}
    if index is None:
        columns.append(refused("index", "index of several levels", "write the frame with format='table'"))
    else:
        name = text(attribute(index, "name"))
        column = _fixed_column(name if name and name != "N." else "index", index, 0, encoding, "index, ", notes)
        columns.append(column)
        lengths[column.name] = index.shape[0]
    found: list[RangeColumn] = []
    for dataset, names in parts:
        if dataset is None:
            raise KeyError("a block without values")
        if "PSEUDOATOM" in dataset.attrs:
            columns_found, rows = _pickled_block(dataset, names)
        else:
            columns_found = [_fixed_column(n, dataset, i, encoding, "", notes) for i, n in enumerate(names)]
            rows = dataset.shape[0]
        found += columns_found
        lengths |= dict.fromkeys(names, rows)
    found.sort(key=lambda c: order.get(c.name, 0))
    return RangeTable(path, common_length(path, lengths), columns + found, notes)


def _pickled_block(dataset: h5py.Dataset, names: list[str]) -> tuple[list[RangeColumn], int]:
    """Columns of Python objects: pandas pickles them as one array, of which texts and numbers are taken."""
    check_dataset(dataset)
    shape, values = plain_array(dataset[0].tobytes())
    width = shape[1] if len(shape) == 2 else 1
    if width != len(names):
        raise ValueError(f"a block of {width} columns with {len(names)} names")
    columns = []
    for item, name in enumerate(names):
        # pandas takes None and NaN among objects for missing
        own = [None if isinstance(v, float) and math.isnan(v) else v for v in values[item::width]]
        if any(kind_of(v) == "json" for v in own if v is not None):
            columns.append(refused(name, "object", _PICKLED))
            continue
        mixture = Mixture()
        for value in own:
            mixture.add(value)
        kind = mixture.decide(name)
        array = to_arrow(own, kind)
        columns.append(RangeColumn(name, f"object, {kind.declared}", _slicer(array)))
    return columns, shape[0]


def _slicer(array: pa.Array) -> Read:
    return lambda start, stop: array.slice(start, stop - start)


def _labels(dataset: h5py.Dataset | None, encoding: str) -> list[str]:
    if dataset is None:
        raise KeyError("a block without names")
    check_dataset(dataset)
    if "PSEUDOATOM" in dataset.attrs:
        raise ValueError("its column names are pickled")
    return [str(n) for n in arrow_values(dataset[:], encoding).to_pylist()]


def _fixed_column(
    name: str, dataset: h5py.Dataset, item: int, encoding: str, prefix: str, notes: list[str]
) -> RangeColumn:
    if "PSEUDOATOM" in dataset.attrs:
        [column], _ = _pickled_block(dataset, [name])
        return RangeColumn(name, f"{prefix}{column.declared}", column.read)
    notes += [n for n in check_dataset(dataset) if n not in notes]
    of = text(attribute(dataset, "value_type")) or text(attribute(dataset, "kind"))
    plain, why, convert = conversion(dataset.dtype, dataset.id.get_type(), encoding)
    if why:
        return refused(name, plain, why)
    zoned = bool(text(attribute(dataset, "tz")).strip()) and text(attribute(dataset, "tz")) != "N."
    convert = _by_declaration(of, zoned, convert)
    wide = dataset.ndim == 2

    def read(start: int, stop: int) -> pa.Array:
        return convert(dataset[start:stop, item] if wide else dataset[start:stop])

    chunk = dataset.chunks[0] if dataset.chunks else 1
    return RangeColumn(name, f"{prefix}{of} {plain}".strip(), read, max(dataset.dtype.itemsize, 8), chunk)


def _unpickled(value: Any) -> Any:
    """A pickled attribute's plain values; an empty mapping where there is none, or it can't be read."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "V":
        value = value.tobytes()
    if isinstance(value, np.void):
        value = value.tobytes()
    if not isinstance(value, bytes):
        return {}
    try:
        return plain_values(bytes(value))
    except ValueError:
        return {}
