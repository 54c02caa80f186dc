"""Excel workbooks (.xlsx): one sheet, whose first row that is not empty has the names of the columns."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from toolkit.core.digest import digest_file
from toolkit.core.errors import BadInputError, MissingExtraError
from toolkit.readers.base import Part, ReadOptions, SourceColumn, check_column_count
from toolkit.readers.dialect import header_names
from toolkit.readers.mixed_values import ColumnType, Mixture, text_of, to_arrow
from toolkit.readers.options import TABLE, ReaderOption
from toolkit.readers.workbook import bare_formulas, check_workbook

if TYPE_CHECKING:
    import pyarrow as pa

_OLE = b"\xd0\xcf\x11\xe0"
_FIRST_PARTS = (b"[Content_Types].xml", b"_rels/.rels", b"xl/", b"docProps/")
_CELL_BYTES = 64
_MOST_ROWS = 1_048_576
_MOST_CELLS = 16_384
_AT_ONCE = 512
_KEPT_PARTS = 4
_LOOKED_AT = 100
_ERRORS = frozenset({
    "#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#GETTING_DATA", "#SPILL!", "#CALC!",
    "#FIELD!", "#BLOCKED!", "#CONNECT!", "#UNKNOWN!", "#BUSY!",
})  # fmt: skip
_MIDNIGHT = dt.time()

Row = tuple[Any, ...]


class ExcelReader:
    """Excel workbooks."""

    name: ClassVar[str] = "excel"
    suffixes: ClassVar[tuple[str, ...]] = (".xlsx", ".xlsm", ".xls")
    takes: ClassVar[tuple[ReaderOption, ...]] = (TABLE,)

    def sniff(self, head: bytes) -> bool:
        """Whether this is a zip file that begins like a workbook, or one of Microsoft's compound files."""
        return head.startswith(_OLE) or (head.startswith(b"PK\x03\x04") and head.startswith(_FIRST_PARTS, 30))

    def open(self, path: Path, options: ReadOptions) -> ExcelSource:
        """Open a workbook; see `toolkit.readers.base.Reader`.

        The ``format`` option ``table`` names the sheet, where there are several.

        Raises
        ------
        MissingExtraError
            When openpyxl is not installed.
        """
        check_workbook(path)
        try:
            import openpyxl
        except ImportError as error:
            raise MissingExtraError(f"reading {path}", "excel") from error
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
        except Exception as error:
            # what a damaged workbook makes the library raise is of every kind
            raise BadInputError(f"{path} can't be read: {_first_line(error)}", "save it again, or as CSV") from error
        try:
            return ExcelSource(path, book, options)
        except BaseException:
            book.close()
            raise


class ExcelSource:
    """One sheet.

    Cells come as Excel stores them: formulas by the value that was computed when the workbook was saved, dates as dates
    where none of the column has a time of day, errors such as ``#DIV/0!`` as missing values.
    """

    def __init__(self, path: Path, book: Any, options: ReadOptions) -> None:
        self._path = path
        self._book = book
        self._part_bytes = options.part_bytes
        self._kept: list[Row] | None = []
        self._done = 0
        sheet = self._choose(options.format.get("table"))
        self._sheet = sheet
        self.notes: list[str] = []
        names, self._skipped = self._header()
        self._types = self._look(names)
        self.columns: Sequence[SourceColumn] = [
            SourceColumn(n, t.declared, t.infer) for n, t in zip(self._names, self._types, strict=True)
        ]
        self.options: dict[str, Any] = {"sheet": sheet.title, "header_row": self._skipped}

    def parts(self) -> Iterator[Part]:
        """Runs of rows."""
        self._done = index = 0
        rows: list[Row] = []
        size = 0
        for row in self._body():
            rows.append(row)
            size += _CELL_BYTES * max(len(row), 1) + sum(len(v) for v in row if v.__class__ is str)
            if size >= self._part_bytes:
                yield Part(index, rows, self._skipped + self._done + 1)
                self._done += len(rows)
                index += 1
                rows, size = [], 0
        if rows:
            yield Part(index, rows, self._skipped + self._done + 1)
            self._done += len(rows)

    def parse(self, part: Part, columns: Sequence[int]) -> pa.Table:
        """Some columns of a run; see `toolkit.readers.base.Source`."""
        import pyarrow as pa

        rows: list[Row] = part.payload
        arrays = []
        for i in columns:
            at = self._at[i]
            values = [_value(row[at]) if at < len(row) else None for row in rows]
            arrays.append(to_arrow([_dated(v, self._types[i]) for v in values], self._types[i]))
        return pa.table(arrays, [str(i) for i in columns])

    def fingerprint(self) -> str:
        """SHA-256 of the file."""
        return digest_file(self._path)

    def progress(self) -> tuple[int, int]:
        """Rows read, rows in all."""
        return self._done, max(self._rows, 1)

    def close(self) -> None:
        """Close the workbook."""
        self._book.close()

    def _choose(self, wanted: str | None) -> Any:
        sheets = {s.title: s for s in self._book.worksheets}
        known = ", ".join(map(repr, list(sheets)[:20])) or "none"
        if wanted is not None:
            if wanted not in sheets:
                raise BadInputError(f"{self._path}: no sheet {wanted!r}", f"its sheets: {known}")
            return sheets[wanted]
        filled = [s for s in sheets.values() if any(_is_filled(r) for r in self._rows_of(s, _LOOKED_AT))]
        if not filled:
            raise BadInputError(
                f"{self._path}: no cell is filled", "a table needs a row of names and at least one more"
            )
        if len(filled) > 1:
            known = ", ".join(repr(s.title) for s in filled[:20])
            raise BadInputError(
                f"{self._path}: {len(filled)} sheets, so which one to convert must be said",
                f"choose with --table one of {known}",
            )
        return filled[0]

    def _rows_of(self, sheet: Any, most: int | None = None) -> Iterator[Row]:
        """Rows of a sheet from its first on, without the empty ends that it may say it has."""
        sheet.reset_dimensions()
        rows = sheet.iter_rows(values_only=True)
        done = 0
        while most is None or done < most:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    got = list(islice(rows, _AT_ONCE if most is None else min(_AT_ONCE, most - done)))
            except Exception as error:
                raise BadInputError(
                    f"{self._path}: sheet {sheet.title!r} can't be read behind row {done:,}: {_first_line(error)}",
                    "save it again, or as CSV",
                ) from error
            if not got:
                return
            done += len(got)
            if done > _MOST_ROWS or any(len(r) > _MOST_CELLS for r in got):
                raise BadInputError(
                    f"{self._path}: sheet {sheet.title!r} has cells beyond row {_MOST_ROWS:,} "
                    f"or column {_MOST_CELLS:,}",
                    "no spreadsheet program writes that: get the file again from its origin",
                )
            yield from got

    def _header(self) -> tuple[list[str], int]:
        """The first row that has a value, as text, and its number."""
        for number, row in enumerate(self._rows_of(self._sheet), 1):
            if _is_filled(row):
                if number > 1:
                    self.notes.append(f"the names of the columns are in row {number}; those above are empty")
                return ["" if v is None else text_of(v) for v in row], number
        raise BadInputError(f"{self._path}: sheet {self._sheet.title!r} is empty", "choose another with a table in it")

    def _body(self) -> Iterator[Row]:
        """Rows below the header, up to the last that has a value."""
        if self._kept is not None and self._done_looking:
            yield from self._kept
            return
        empty = 0
        for row in islice(self._rows_of(self._sheet), self._skipped, None):
            if not _is_filled(row):
                empty += 1
                continue
            for _ in range(empty):
                yield ()
            empty = 0
            yield row

    _done_looking = False

    def _look(self, names: list[str]) -> list[ColumnType]:
        """The types of the columns by all their cells; sets names, positions, notes and the number of rows.

        A column without a name and without a value is none.
        """
        mixtures: list[Mixture] = []
        times: list[bool] = []
        errors: dict[str, int] = {}
        cells = self._rows = 0
        for row in self._body():
            self._rows += 1
            while len(mixtures) < len(row):
                mixtures.append(Mixture())
                times.append(False)
            for i, cell in enumerate(row):
                if cell is None:
                    continue
                value = _value(cell)
                if value is None:
                    errors[cell] = errors.get(cell, 0) + 1
                    continue
                mixtures[i].add(value)
                if isinstance(value, dt.datetime) and value.time() != _MIDNIGHT:
                    times[i] = True
            cells += len(row) + 1
            self._keep(row, cells)
        self._done_looking = True
        while len(names) > len(mixtures):
            mixtures.append(Mixture())
            times.append(False)
        names += [""] * (len(mixtures) - len(names))
        self._at = [i for i, m in enumerate(mixtures) if m.counts or names[i].strip()]
        check_column_count(self._path, len(self._at))
        self._names, notes = header_names([names[i] for i in self._at], self._path)
        self.notes += notes + _notes_of(errors)
        bare = bare_formulas(self._path, self._sheet._worksheet_path)
        if bare:
            self.notes.append(
                f"{bare:,} formulas were never computed, and are missing values: open and save the workbook once"
            )
        types = []
        for name, i in zip(self._names, self._at, strict=True):
            _merge_dates(mixtures[i], timed=times[i])
            types.append(mixtures[i].decide(name))
        self.notes += [t.note for t in types if t.note]
        return types

    def _keep(self, row: Row, cells: int) -> None:
        if self._kept is not None:
            self._kept.append(row)
            if cells * _CELL_BYTES > _KEPT_PARTS * self._part_bytes:
                self._kept = None


def _is_filled(row: Row) -> bool:
    return any(v is not None for v in row)


def _value(cell: Any) -> Any:
    """A cell's value; None for an error."""
    return None if cell.__class__ is str and cell in _ERRORS else cell


def _merge_dates(mixture: Mixture, *, timed: bool) -> None:
    """Excel has no dates without a time: a column is one of dates where none of its times is another than midnight."""
    count = mixture.counts.pop("timestamp", 0)
    if count:
        kind = "timestamp" if timed else "date"
        mixture.counts[kind] = mixture.counts.get(kind, 0) + count


def _dated(value: Any, kind: ColumnType) -> Any:
    if isinstance(value, dt.datetime) and kind.declared == "date":
        return value.date()
    return value


def _notes_of(errors: dict[str, int]) -> list[str]:
    if not errors:
        return []
    shown = ", ".join(f"{text} {count:,} times" for text, count in sorted(errors.items()))
    return [f"cells with errors are missing values: {shown}"]


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]


PROVIDES = ExcelReader()
