"""Arrow tables with plain columns: structs taken apart, wrappers of plain types taken off."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.core.errors import BadInputError
from toolkit.readers.base import SourceColumn, check_column_count

if TYPE_CHECKING:
    import pyarrow as pa

_DEEPEST = 64
_LARGEST_SCALE = 76
_MOST_LABELS = 10_000
"""Values of a dictionary that are kept in a source record, at most."""
NOT_NULL = " not null"
"""Ending of the declared type of a column that can not have missing values."""


def plain_table(table: pa.Table) -> pa.Table:
    """Structs become ``column.field``, extension types their storage, run-end encoded columns plain ones.

    Parameters
    ----------
    table : pyarrow.Table
        Any table; columns of other types stay as they are.

    Examples
    --------
    >>> import pyarrow as pa
    >>> plain_table(pa.table({"a": [{"b": 1}, {"b": None}], "c": [2, 3]})).column_names
    ['a.b', 'c']
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    for _ in range(_DEEPEST):
        for i, field in enumerate(table.schema):
            kind = field.type
            if isinstance(kind, pa.BaseExtensionType):
                column = pa.chunked_array(
                    [chunk.storage for chunk in table.column(i).chunks], table.schema.field(i).type.storage_type
                )
                if kind.extension_name == "arrow.bool8":
                    column = pc.not_equal(column, 0)
            elif pa.types.is_run_end_encoded(kind):
                column = pa.chunked_array(
                    [pc.run_end_decode(chunk) for chunk in table.column(i).chunks], kind.value_type
                )
            else:
                continue
            table = table.set_column(i, field.name, column)
        if not any(pa.types.is_struct(f.type) for f in table.schema):
            break
        table = table.flatten()
    return table


def plain_columns(schema: pa.Schema, path: Path) -> list[SourceColumn]:
    """The columns that `plain_table` makes of a table of this schema.

    Raises
    ------
    BadInputError
        When there is no column, there are too many, or two have one name.
    """
    fields = plain_table(schema.empty_table()).schema
    if not len(fields):
        raise BadInputError(f"{path}: no columns", "a table needs at least one column")
    check_column_count(path, len(fields))
    seen: set[str] = set()
    for field in fields:
        if field.name in seen:
            raise BadInputError(f"{path}: more than one column is named {field.name!r}", "rename one of them")
        seen.add(field.name)
        _check_type(field, path)
    return [SourceColumn(f.name, f"{f.type}{'' if f.nullable else NOT_NULL}") for f in fields]


class Labels:
    """The values of dictionary columns, in the order in which the batches' dictionaries have them."""

    def __init__(self) -> None:
        self._known: dict[str, dict[Any, None] | None] = {}
        self._last: dict[str, pa.Array] = {}

    def add(self, batch: pa.RecordBatch) -> None:
        """Take note of a batch; columns with very many values, or with such that JSON has no word for, are left out."""
        import pyarrow as pa

        for field, column in zip(batch.schema, batch.columns, strict=True):
            if not pa.types.is_dictionary(field.type):
                continue
            known = self._known.setdefault(field.name, {})
            last = self._last.get(field.name)
            if known is None or (last is not None and last.equals(column.dictionary)):
                continue
            self._last[field.name] = column.dictionary
            values = column.dictionary.to_pylist() if len(column.dictionary) <= _MOST_LABELS else [None]
            if all(isinstance(v, str | int) for v in values):
                known |= dict.fromkeys(values)
            if len(known) > _MOST_LABELS or not all(isinstance(v, str | int) for v in values):
                self._known[field.name] = None

    def of(self, name: str) -> list[Any] | None:
        """Values of a column; None where it is no dictionary, or its values were not kept."""
        known = self._known.get(name)
        return None if known is None else list(known)


def _check_type(field: pa.Field, path: Path) -> None:
    """Refuse parameters of a type that Arrow takes from a damaged file and fails on later."""
    import pyarrow as pa

    kind = field.type
    if pa.types.is_decimal(kind) and abs(kind.scale) > _LARGEST_SCALE:
        raise BadInputError(
            f"{path}: column {field.name!r}: decimals with a scale of {kind.scale}; at most {_LARGEST_SCALE} is taken",
            "get the file again from its origin",
        )
    if pa.types.is_timestamp(kind):
        try:
            known = kind.tz is None or kind.tz.isprintable()
        except UnicodeDecodeError:
            known = False
        if not known:
            raise BadInputError(f"{path}: column {field.name!r}: its time zone is no text", "write the file again")
