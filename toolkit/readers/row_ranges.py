"""Sources whose columns can each be read from any row to any other, as arrays in files of arrays can."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.core.errors import BadInputError
from toolkit.readers.base import Part, ReadOptions, SourceColumn, check_column_count
from toolkit.readers.numpy_columns import NotTextError, Values, masked

if TYPE_CHECKING:
    import pyarrow as pa

_FEWEST_ROWS = 16
_STRETCH = 4
_MOST_CATEGORIES = 10_000_000
_TEXT_BYTES = 64
"""Taken for the size of a text of any length."""


@dataclass(frozen=True, slots=True)
class RangeColumn:
    """One column.

    Attributes
    ----------
    name : str
        Its name.
    declared : str
        Its type in the file.
    read : callable
        Takes the first row and the one behind the last, gives their values as an Arrow array.
    row_bytes : int
        Bytes of a value.
    chunk_rows : int
        Rows that the file stores together; 1 where that does not matter.
    """

    name: str
    declared: str
    read: Callable[[int, int], pa.Array]
    row_bytes: int = _TEXT_BYTES
    chunk_rows: int = 1


@dataclass(frozen=True, slots=True)
class RangeTable:
    """A table in a file.

    Attributes
    ----------
    name : str
        Where in the file it is.
    rows : int
        Its rows.
    columns : list of RangeColumn
        Its columns.
    notes : list of str
        What a person must know of it.
    """

    name: str
    rows: int
    columns: list[RangeColumn]
    notes: list[str] = field(default_factory=list)


def refused(name: str, declared: str, why: str) -> RangeColumn:
    """A column that can't be converted; it is an error only if it is chosen."""

    def read(start: int, stop: int) -> pa.Array:
        del start, stop
        raise BadInputError(f"column {name!r} ({declared}): {why}", "leave it out with --columns, or convert it before")

    return RangeColumn(name, declared, read)


def with_missing(column: RangeColumn, missing: Callable[[int, int], Values]) -> RangeColumn:
    """A column whose values are missing where a mask says so.

    Parameters
    ----------
    column : RangeColumn
        The values.
    missing : callable
        Takes a range of rows, gives an array of bool: True where a value is missing.
    """

    def read(start: int, stop: int) -> pa.Array:
        return masked(column.read(start, stop), missing(start, stop))

    return RangeColumn(column.name, column.declared, read, column.row_bytes, column.chunk_rows)


def common_length(table: str, lengths: dict[str, int]) -> int:
    """The length that all columns have; 0 where there is none.

    Raises
    ------
    BadInputError
        When they differ; names two of them.
    """
    if not lengths:
        return 0
    name, rows = next(iter(lengths.items()))
    other = next((n for n, length in lengths.items() if length != rows), None)
    if other is not None:
        raise BadInputError(
            f"the columns of {table!r} differ in length: {name!r} has {rows:,} rows, {other!r} {lengths[other]:,}",
            "a table's columns have one length; choose another table, or put them into groups of their own",
        )
    return rows


def check_categories(name: str, count: int) -> None:
    """Refuse more categories than can be held in memory.

    Raises
    ------
    BadInputError
        Naming the number and the limit.
    """
    if count > _MOST_CATEGORIES:
        raise BadInputError(
            f"column {name!r} has {count:,} categories; at most {_MOST_CATEGORIES:,} are taken",
            "write it as plain text",
        )


class RangeSource:
    """A table of row ranges as a `toolkit.readers.base.Source`.

    Parameters
    ----------
    path : Path
        The file.
    table : RangeTable
        What of it is read.
    options : ReadOptions
        Part size.
    fingerprint, close : callable
        Digest of the source's bytes; what lets go of it.
    """

    def __init__(
        self,
        path: Path,
        table: RangeTable,
        options: ReadOptions,
        fingerprint: Callable[[], str],
        close: Callable[[], None],
    ) -> None:
        self._path = path
        self._table = table
        self._fingerprint = fingerprint
        self._close = close
        check_column_count(path, len(table.columns))
        seen: set[str] = set()
        for column in table.columns:
            if column.name in seen:
                raise BadInputError(f"{path}: more than one column is named {column.name!r}", "rename one of them")
            seen.add(column.name)
        if not table.columns:
            raise BadInputError(f"{path}: {table.name!r} has no columns", "choose another table")
        self.columns: Sequence[SourceColumn] = [SourceColumn(c.name, c.declared) for c in table.columns]
        self.options: dict[str, Any] = {"table": table.name}
        self.notes = list(table.notes)
        self._step = _step(table, options.part_bytes)
        self._done = 0

    def parts(self) -> Iterator[Part]:
        """Ranges of rows; they are read where they are parsed."""
        self._done = 0
        for index, start in enumerate(range(0, self._table.rows, self._step)):
            stop = min(start + self._step, self._table.rows)
            yield Part(index, (start, stop), start + 1)
            self._done = stop

    def parse(self, part: Part, columns: Sequence[int]) -> pa.Table:
        """Some columns of a range; see `toolkit.readers.base.Source`."""
        import pyarrow as pa

        start, stop = part.payload
        arrays = [self._read(self._table.columns[i], start, stop) for i in columns]
        return pa.table(arrays, [str(i) for i in columns])

    def fingerprint(self) -> str:
        """SHA-256 of the source."""
        return self._fingerprint()

    def progress(self) -> tuple[int, int]:
        """Rows handed out, rows in all."""
        return self._done, max(self._table.rows, 1)

    def close(self) -> None:
        """Let go of the file."""
        self._close()

    def _read(self, column: RangeColumn, start: int, stop: int) -> pa.Array:
        where = f"{self._path}: column {column.name!r}"
        try:
            values = column.read(start, stop)
        except BadInputError as error:
            raise BadInputError(f"{self._path}: {error.message}", error.remedy) from error
        except NotTextError as error:
            raise BadInputError(
                f"{where}: row {start + error.row + 1:,}: {error}", "name the encoding, such as --encoding latin-1"
            ) from error
        except Exception as error:
            # what damaged data makes the libraries raise is of every kind
            text = (str(error).splitlines() or [type(error).__name__])[0][:300]
            raise BadInputError(
                f"{where}: rows {start + 1:,} to {stop:,} can't be read: {text}",
                "get the file again from its origin, or leave the column out with --columns",
            ) from error
        if len(values) != stop - start:
            raise BadInputError(
                f"{where}: {len(values):,} values where rows {start + 1:,} to {stop:,} need {stop - start:,}",
                "get the file again from its origin",
            )
        return values


def _step(table: RangeTable, part_bytes: int) -> int:
    """Rows of a part: whole chunks where that is possible, as a piece of a chunk takes as long as all of it."""
    step = max(_FEWEST_ROWS, part_bytes // max(1, sum(c.row_bytes for c in table.columns)))
    chunk = max((c.chunk_rows for c in table.columns if c.chunk_rows <= _STRETCH * step), default=1)
    return max(chunk, step - step % chunk)
