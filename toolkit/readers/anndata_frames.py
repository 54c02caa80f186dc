"""Frames as anndata lays them out, in HDF5 and in Zarr alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from toolkit.core.errors import BadInputError
from toolkit.readers.numpy_columns import Values, chosen
from toolkit.readers.row_ranges import (
    RangeColumn,
    RangeTable,
    check_categories,
    common_length,
    refused,
    with_missing,
)

if TYPE_CHECKING:
    import pyarrow as pa

OTHER_TABLE = "the table is 'obs', the observations; 'var' is another one, and the matrices are left out"


class ArrayGroup(Protocol):
    """A group of arrays, in whatever kind of file."""

    def text(self, name: str, attribute: str) -> str:
        """A text attribute of a member, or of the group itself for an empty name; empty where there is none."""

    def texts(self, attribute: str) -> list[str]:
        """An attribute of the group that is a list of texts."""

    def length(self, name: str) -> int | None:
        """Length of an array of one dimension; None where there is none of that name."""

    def column(self, name: str, member: str, notes: list[str]) -> RangeColumn:
        """An array as a column of a name."""

    def values(self, member: str, start: int, stop: int) -> Values:
        """A range of an array, as it is."""


def is_frame(encoding_type: str) -> bool:
    """Whether a group is a frame of anndata, by its attribute ``encoding-type``."""
    return encoding_type == "dataframe"


def anndata_table(path: str, group: ArrayGroup) -> RangeTable:
    """A frame of anndata, with its index as the first column.

    Raises
    ------
    BadInputError
        When a column is not there, or the columns differ in length.
    """
    notes: list[str] = []
    columns: list[RangeColumn] = []
    lengths: dict[str, int] = {}
    names = [group.text("", "_index"), *group.texts("column-order")]
    for name in dict.fromkeys(n for n in names if n):
        column, rows = _column(name, group, notes)
        columns.append(column)
        lengths[name] = rows
    return RangeTable(path, common_length(path, lengths), columns, notes)


def _column(name: str, group: ArrayGroup, notes: list[str]) -> tuple[RangeColumn, int]:
    rows = group.length(name)
    if rows is not None:
        old = f"__categories/{name}"
        if group.length(old) is not None:
            return _categorical(name, name, old, group, notes)
        return group.column(name, name, notes), rows
    kind = group.text(name, "encoding-type")
    if kind == "categorical":
        return _categorical(name, f"{name}/codes", f"{name}/categories", group, notes)
    if kind in ("nullable-integer", "nullable-boolean", "nullable-string-array"):
        values, mask = f"{name}/values", f"{name}/mask"
        _length(group, mask)
        group.column(name, mask, notes)
        column = group.column(name, values, notes)
        return with_missing(column, lambda a, b: group.values(mask, a, b).astype(bool)), _length(group, values)
    if not kind:
        raise BadInputError(f"the frame has no column {name!r}", "get the file again from its origin")
    return refused(name, kind, "anndata's values of that kind are no column"), _length(group, group.text("", "_index"))


def _categorical(name: str, codes: str, labels: str, group: ArrayGroup, notes: list[str]) -> tuple[RangeColumn, int]:
    rows, count = _length(group, codes), _length(group, labels)
    coded = group.column(name, codes, notes)
    named = group.column(name, labels, notes)
    check_categories(name, count)

    def read(start: int, stop: int) -> pa.Array:
        coded.read(start, start)  # refuses what is no column
        return chosen(named.read(0, count), group.values(codes, start, stop))

    return RangeColumn(name, f"categories: {named.declared}", read, 16, coded.chunk_rows), rows


def _length(group: ArrayGroup, member: str) -> int:
    found = group.length(member)
    if found is None:
        raise BadInputError(f"the frame has no array {member!r}", "get the file again from its origin")
    return found
