"""Datasets of an HDF5 file as columns."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.readers.hdf5_objects import attribute as read_attribute
from toolkit.readers.hdf5_objects import check_dataset, find, text
from toolkit.readers.numpy_columns import UTF8, Values, arrow_values, supported
from toolkit.readers.row_ranges import RangeColumn, RangeTable, refused

if TYPE_CHECKING:
    import h5py
    import pyarrow as pa

_RANGES_KEPT = 4

Read = Callable[[int, int], Any]
Convert = Callable[[Values], Any]


def dataset_column(
    name: str, dataset: h5py.Dataset, encoding: str, notes: list[str], convert: Convert | None = None
) -> RangeColumn:
    """A 1-D dataset as a column.

    Parameters
    ----------
    name : str
        The column's name.
    dataset : h5py.Dataset
        Its values.
    encoding : str
        Of text.
    notes : list of str
        Receives what a person must know.
    convert : callable, optional
        From the array that is read to an Arrow array, where that is not the plain way.

    Raises
    ------
    BadInputError
        When the dataset reads other files, or its sizes can't be true.
    """
    declared, why, found = _conversion(dataset, encoding)
    if dataset.ndim != 1:
        return refused(name, f"{declared}, shape {dataset.shape}", "a column has one dimension")
    if why and convert is None:
        return refused(name, declared, why)
    notes += check_dataset(dataset)
    chosen = convert or found
    is_text = dataset.id.get_type().get_class() == 3 or declared.startswith("text")
    size = max(dataset.dtype.itemsize, 64 if is_text and dataset.dtype.kind == "O" else 1)

    def read(start: int, stop: int) -> pa.Array:
        return chosen(dataset[start:stop])

    return RangeColumn(name, declared, read, size, dataset.chunks[0] if dataset.chunks else 1)


def _conversion(dataset: h5py.Dataset, encoding: str) -> tuple[str, str, Convert]:
    """The type of a dataset as text, why it can't be converted, and how it can."""
    try:
        dtype = dataset.dtype
    except TypeError as error:
        return str(dataset.id.get_type().get_class()), str(error), arrow_values
    return conversion(dtype, dataset.id.get_type(), encoding)


def conversion(dtype: np.dtype[Any], kind: h5py.h5t.TypeID, encoding: str) -> tuple[str, str, Convert]:
    """The same for a dtype and the HDF5 type that it stands for."""
    import h5py

    if isinstance(kind, h5py.h5t.TypeBitfieldID) and dtype.itemsize == 1:
        return "bool", "", lambda values: arrow_values(values.astype(bool))
    names = h5py.check_enum_dtype(dtype)
    if names is not None and dtype.kind != "b":
        return "enum", "", lambda values: _enumerated(values, names)
    if h5py.check_string_dtype(dtype) is not None:
        return f"text ({dtype})", "", lambda values: arrow_values(values, encoding or UTF8)
    if dtype.kind == "O":
        return "reference or array", "values of that type are no single numbers or texts", arrow_values
    why = "" if supported(dtype) else "values of that type have no equal in a table"
    return str(dtype), why, lambda values: arrow_values(values, encoding or UTF8)


def _enumerated(values: Values, names: dict[str, int]) -> pa.Array:
    import pyarrow as pa

    by_code = sorted((code, name) for name, code in names.items())
    codes = np.array([code for code, _ in by_code], np.int64)
    at = np.searchsorted(codes, values).clip(0, len(codes) - 1)
    if (codes[at] != values).any():
        unknown = int(values[codes[at] != values][0])
        raise ValueError(f"the code {unknown} is not among the {len(codes)} of the enumeration")
    return pa.array([name for _, name in by_code], pa.string()).take(pa.array(at))


class Records:
    """A compound dataset; a range that several columns read is read once.

    Parameters
    ----------
    dataset : h5py.Dataset
        One dimension, of a compound type.

    Attributes
    ----------
    dtype : numpy.dtype
        Of its records, without fields that NumPy has no type for.
    unreadable : dict of str to str
        Such fields, and why.
    """

    def __init__(self, dataset: h5py.Dataset) -> None:
        self._dataset = dataset
        self.dtype, self.unreadable = _record_dtype(dataset.id.get_type())
        self._lock = threading.Lock()
        self._kept: dict[tuple[int, int], Values] = {}

    def read(self, start: int, stop: int) -> Values:
        """Records of a range."""
        with self._lock:
            found = self._kept.get((start, stop))
            if found is None:
                found = self._records(start, stop)
                while len(self._kept) >= _RANGES_KEPT:
                    self._kept.pop(next(iter(self._kept)))
                self._kept[start, stop] = found
            return found

    def _records(self, start: int, stop: int) -> Values:
        import h5py

        if not self.unreadable or stop <= start:
            return self._dataset[start:stop] if not self.unreadable else np.empty(0, self.dtype)
        out = np.empty(stop - start, self.dtype)
        source = self._dataset.id.get_space()
        source.select_hyperslab((start,), (stop - start,))
        memory = h5py.h5s.create_simple((stop - start,))
        self._dataset.id.read(memory, source, out, mtype=h5py.h5t.py_create(self.dtype))
        return out


def compound_table(path: str, dataset: h5py.Dataset, encoding: str) -> RangeTable:
    """A compound dataset as a table; compound fields within it become ``outer.inner``.

    Raises
    ------
    BadInputError
        When it reads other files, or its sizes can't be true.
    """
    notes = check_dataset(dataset)
    records = Records(dataset)
    columns = _fields(records.dtype, dataset.id.get_type(), (), records, encoding)
    columns += [refused(name, "unknown", why) for name, why in records.unreadable.items()]
    chunk = dataset.chunks[0] if dataset.chunks else 1
    columns = [RangeColumn(c.name, c.declared, c.read, c.row_bytes, chunk) for c in columns]
    return RangeTable(path, dataset.shape[0], columns, notes)


def _record_dtype(kind: h5py.h5t.TypeCompoundID) -> tuple[np.dtype[Any], dict[str, str]]:
    try:
        return kind.dtype, {}
    except TypeError:
        pass
    fields: list[tuple[str, Any]] = []
    unreadable: dict[str, str] = {}
    for index in range(kind.get_nmembers()):
        name = kind.get_member_name(index).decode()
        try:
            fields.append((name, kind.get_member_type(index).dtype))
        except TypeError as error:
            unreadable[name] = str(error)
    return np.dtype(fields), unreadable


def _fields(
    dtype: np.dtype[Any], kind: h5py.h5t.TypeCompoundID, outer: tuple[str, ...], records: Records, encoding: str
) -> list[RangeColumn]:
    columns: list[RangeColumn] = []
    for field in dtype.names or ():
        path = (*outer, field)
        name = ".".join(path)
        inner = dtype[field]
        member = kind.get_member_type(kind.get_member_index(field.encode()))
        if inner.names and inner.subdtype is None:
            columns += _fields(inner, member, path, records, encoding)
            continue
        if inner.subdtype is not None:
            columns.append(refused(name, f"array {inner.subdtype[1]} of {inner.subdtype[0]}", "a cell holds one value"))
            continue
        declared, why, convert = conversion(inner, member, encoding)
        if why:
            columns.append(refused(name, declared, why))
        else:
            columns.append(RangeColumn(name, declared, _picker(records, path, convert), max(inner.itemsize, 8)))
    return columns


def _picker(records: Records, path: tuple[str, ...], convert: Convert) -> Read:
    def read(start: int, stop: int) -> pa.Array:
        values = records.read(start, stop)
        for field in path:
            values = values[field]
        return convert(values)

    return read


class Hdf5Group:
    """A group as a `toolkit.readers.anndata_frames.ArrayGroup`.

    Parameters
    ----------
    group : h5py.Group
        The group.
    encoding : str
        Of text.
    """

    def __init__(self, group: h5py.Group, encoding: str) -> None:
        self._group = group
        self._encoding = encoding

    def text(self, name: str, attribute: str) -> str:
        """A text attribute of a member, or of the group for an empty name."""
        item = find(self._group, name) if name else self._group
        return "" if item is None else text(read_attribute(item, attribute))

    def texts(self, attribute: str) -> list[str]:
        """An attribute that is a list of texts."""
        found = read_attribute(self._group, attribute)
        return [text(n) for n in np.asarray([] if found is None else found).ravel()]

    def length(self, name: str) -> int | None:
        """Length of a dataset of one dimension."""
        import h5py

        item = find(self._group, name) if name else None
        return item.shape[0] if isinstance(item, h5py.Dataset) and item.ndim == 1 else None

    def column(self, name: str, member: str, notes: list[str]) -> RangeColumn:
        """A dataset as a column."""
        return dataset_column(name, find(self._group, member), self._encoding, notes)

    def values(self, member: str, start: int, stop: int) -> Values:
        """A range of a dataset."""
        return find(self._group, member)[start:stop]
