"""Several files of one schema as one table, in the order of their names."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.core.digest import digest_value
from toolkit.core.errors import BadInputError
from toolkit.readers.base import (
    HEAD_BYTES,
    Part,
    ReadAgain,
    Reader,
    ReadOptions,
    Rejected,
    Source,
    SourceColumn,
    check_column_count,
    find_reader,
    readers,
)
from toolkit.readers.blank_lines import BlankLines
from toolkit.readers.byte_stream import read_head
from toolkit.readers.options import read_options
from toolkit.readers.zarr import is_zarr_folder

if TYPE_CHECKING:
    import pyarrow as pa

_WILD = frozenset("*?[")
_MOST_FILES = 100_000
_MOST_NOTES = 20


def source_files(given: str | Path) -> list[Path]:
    """The files that a name stands for.

    Parameters
    ----------
    given : str or Path
        A file, a folder with the files of one table at any depth, or a pattern such as ``logs/2024-*.csv.gz``.

    Returns
    -------
    list of Path
        In the order of their names, compared character by character. Hidden files of a folder, and those whose name
        begins with an underscore, as those that mark a finished job do, are none of a table's.

    Raises
    ------
    BadInputError
        When there is no such file.
    """
    path = Path(given)
    if path.is_file() or is_zarr_folder(path):
        return [path]
    if path.is_dir():
        found = sorted(_below(path), key=lambda p: p.as_posix())
        if not found:
            raise BadInputError(f"{path} is a folder without files", "name a file, or a folder that has some")
    elif _WILD & set(str(given)):
        found = [Path(name) for name in sorted(glob.glob(str(given), recursive=True))]  # noqa: PTH207  takes a folder, too
        found = [p for p in found if p.is_file() or is_zarr_folder(p)]
        if not found:
            raise BadInputError(f"{given}: no file is named like that", "is the pattern right, and in quotes?")
    else:
        raise BadInputError(f"{path}: no such file", "name a file, a folder or a pattern")
    if len(found) > _MOST_FILES:
        raise BadInputError(f"{given}: {len(found):,} files; at most {_MOST_FILES:,} are taken", "name fewer")
    return found


def _below(folder: Path) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        names = sorted(e.name for e in entries if not e.name.startswith((".", "_")))
    for name in names:
        path = folder / name
        if path.is_dir() and not is_zarr_folder(path):
            yield from _below(path)
        else:
            yield path


def open_files(
    paths: Sequence[Path], options: ReadOptions, given: Mapping[str, Sequence[str]] | None = None, name: str = ""
) -> tuple[Reader, Source]:
    """Open the files of one table.

    Parameters
    ----------
    paths : sequence of Path
        At least one, in the order in which their rows are to come.
    options : ReadOptions
        For each of them.
    given : mapping of str to sequence of str, optional
        What the person said for the reader to take or refuse: values by name of option.
    name : str
        The reader's name; found out by default.

    Returns
    -------
    tuple
        The reader of all of them, and the table.

    Raises
    ------
    BadInputError
        When a file can't be read, or is of another format or schema than the first.
    UsageError
        When the reader does not take an option.
    """
    reader = readers.get(name) if name else _reader_of(paths[0])
    read = read_options(reader.name, reader.takes, given or {})
    options = replace(options, encoding=read.pop("encoding", options.encoding), format={**options.format, **read})
    if len(paths) == 1:
        return reader, reader.open(paths[0], options)
    for path in paths[1:]:
        other = reader if name else _reader_of(path)
        if other.name != reader.name:
            raise BadInputError(
                f"{paths[0]} is read as {reader.name}, but {path} as {other.name}",
                "files of one table have one format: name them with a pattern, such as 'folder/*.csv'",
            )
    return reader, ManySource(paths, reader, options)


def _reader_of(path: Path) -> Reader:
    return find_reader(path, b"" if path.is_dir() else read_head(path, HEAD_BYTES))


class _Opened:
    """An open source, closed when nobody holds it any more: parts are parsed after the next file has been begun."""

    def __init__(self, source: Source) -> None:
        self.source = source

    def __del__(self) -> None:
        self.source.close()


@dataclass(frozen=True, slots=True)
class _Inner:
    """A part of one of the files.

    Attributes
    ----------
    number : int
        Which of the files.
    opened : _Opened
        It.
    part : Part
        Its part.
    positions : tuple of int
        For each column of the table that of the file, -1 where it has none.
    """

    number: int
    opened: _Opened
    part: Part
    positions: tuple[int, ...]


class ManySource:
    """A chain of sources of one reader as one `toolkit.readers.base.Source`.

    Columns are matched by name, and are those of the first file; in formats whose records may lack a key, where the
    source says so by its attribute ``sparse``, they are those of all files. Every file is opened once to learn its
    columns and once more to be read, so that no more of them are open than are being read.
    """

    def __init__(self, paths: Sequence[Path], reader: Reader, options: ReadOptions) -> None:
        self._paths = list(paths)
        self._reader = reader
        self._read_options = options
        self._names = file_names(self._paths)
        self._sizes = [p.stat().st_size for p in self._paths]
        self._fingerprints = [""] * len(self._paths)
        self._careful = False
        self._done = self._share = 0.0
        self._kinds: dict[str, str] = {}
        self.notes: list[str] = []
        self.options: dict[str, Any] = {"files": self._names}
        self.blank = BlankLines()
        self.columns: Sequence[SourceColumn] = self._learn()
        check_column_count(self._paths[0], len(self.columns))

    def parts(self) -> Iterator[Part]:
        """Parts of the first file, of the second and so on."""
        index = 0
        self._done = 0.0
        self.blank = BlankLines()
        for number, path in enumerate(self._paths):
            opened = _Opened(self._reader.open(path, self._read_options))
            if self._careful:
                _let_learn(opened.source)
            positions = self._positions(opened.source)
            try:
                for part in opened.source.parts():
                    mark = f"{number}:{part.mark}"
                    yield Part(index, _Inner(number, opened, part, positions), part.line, part.offset, mark)
                    index += 1
                    read, whole = opened.source.progress()
                    self._share = self._sizes[number] * read / max(whole, 1)
            except ReadAgain:
                # the next pass is the last: every file gets the chance to learn before it
                self._careful = True
                raise
            self._fingerprints[number] = opened.source.fingerprint()
            self.blank.add_file(self._names[number], getattr(opened.source, "blank", None))
            self._done += self._sizes[number]
            self._share = 0.0

    def parse(self, part: Part, columns: Sequence[int]) -> pa.Table:
        """Some columns of a part; see `toolkit.readers.base.Source`."""
        import pyarrow as pa

        inner: _Inner = part.payload
        there = [i for i in columns if inner.positions[i] >= 0]
        # for the number of rows, where the file has none of the columns
        wanted = [inner.positions[i] for i in there] or [0]
        try:
            table = inner.opened.source.parse(inner.part, wanted)
        except ReadAgain:
            self._careful = True
            raise
        name = self._names[inner.number]
        part.rejected = [Rejected(r.line, f"{name}: {r.reason}", r.record) for r in inner.part.rejected]
        found = dict(zip(there, table.columns, strict=False))
        arrays = [
            _fitted(found[i], self.columns[i], self._kinds.get(self.columns[i].name, ""))
            if i in found
            else pa.chunked_array([pa.nulls(table.num_rows, pa.string() if self.columns[i].infer else pa.null())])
            for i in columns
        ]
        return pa.table(arrays, [str(i) for i in columns])

    def fingerprint(self) -> str:
        """Digest of the files' names and fingerprints."""
        return digest_value([list(pair) for pair in zip(self._names, self._fingerprints, strict=True)])

    def progress(self) -> tuple[int, int]:
        """Bytes of the files read so far, and in all."""
        return int(self._done + self._share), max(sum(self._sizes), 1)

    def close(self) -> None:
        """Each file is closed when its last part was parsed."""

    def _learn(self) -> list[SourceColumn]:
        """The columns of the table, from those of all files."""
        merged: dict[str, SourceColumn] = {}
        kinds: dict[str, dict[str, Path]] = {}
        for number, path in enumerate(self._paths):
            source = self._reader.open(path, self._read_options)
            try:
                self._check_names(path, source, merged, first=number == 0)
                for column in source.columns:
                    merged.setdefault(column.name, column)
                self._add_kinds(path, source, kinds)
                self._add_notes(number, source)
                if not number:
                    self.options |= source.options
            finally:
                source.close()
        return [self._merge(column, kinds[name]) for name, column in merged.items()]

    def _check_names(self, path: Path, source: Source, merged: dict[str, SourceColumn], *, first: bool) -> None:
        if first or getattr(source, "sparse", False):
            return
        names = {c.name for c in source.columns}
        lacking = next((n for n in merged if n not in names), None)
        unknown = next((c.name for c in source.columns if c.name not in merged), None)
        if lacking is None and unknown is None:
            return
        what = f"has no column {lacking!r}" if lacking is not None else f"has a column {unknown!r}"
        raise BadInputError(
            f"{path} {what}, unlike {self._paths[0]}",
            "files of one table have the same columns: convert this one by itself, or mend it",
        )

    def _add_kinds(self, path: Path, source: Source, kinds: dict[str, dict[str, Path]]) -> None:
        """Take note of the columns' kinds of values; a file is looked into only where its types differ in name."""
        fresh = [i for i, c in enumerate(source.columns) if not c.infer]
        for column in source.columns:
            kinds.setdefault(column.name, {})
            if column.infer:
                kinds[column.name].setdefault("text to be typed", path)
        part = next(iter(source.parts()), None) if fresh else None
        if part is None:
            return
        for i, values in zip(fresh, source.parse(part, fresh).columns, strict=True):
            kinds[source.columns[i].name].setdefault(_kind(values.type), path)

    def _merge(self, column: SourceColumn, kinds: dict[str, Path]) -> SourceColumn:
        """A column of the table, from what its values are in each file."""
        told = {k: p for k, p in kinds.items() if k != "null"}
        names = set(told)
        if len(names) < 2 or names <= {"int", "decimal"}:
            infer = names == {"text to be typed"}
            return SourceColumn(column.name, column.declared, infer, column.numbers)
        if names == {"int", "float"}:
            self._kinds[column.name] = "float"
            return SourceColumn(column.name, "int, float")
        if names == {"text to be typed", "string"}:
            return SourceColumn(column.name, column.declared)
        (one, first), (other, second) = list(told.items())[:2]
        raise BadInputError(
            f"column {column.name!r} is {one} in {first}, but {other} in {second}",
            "files of one table have the same types: convert them one by one, or make them equal",
        )

    def _positions(self, source: Source) -> tuple[int, ...]:
        at = {c.name: i for i, c in enumerate(source.columns)}
        return tuple(at.get(c.name, -1) for c in self.columns)

    def _add_notes(self, number: int, source: Source) -> None:
        for note in source.notes:
            if len(self.notes) < _MOST_NOTES:
                self.notes.append(f"{self._names[number]}: {note}")
            elif len(self.notes) == _MOST_NOTES:
                self.notes.append("further notes on single files are left out")


def file_names(paths: Sequence[Path]) -> list[str]:
    """Names by which the files are told apart, wherever they lie."""
    root = Path(os.path.commonpath([p.absolute().parent for p in paths]))
    return [p.absolute().relative_to(root).as_posix() for p in paths]


def _let_learn(source: Source) -> None:
    """Read a source once where it may find out that it is to be read in another way."""
    try:
        for part in source.parts():
            source.parse(part, [0])
    except ReadAgain:
        return


def _kind(kind: pa.DataType) -> str:
    """What values of an Arrow type are, as far as files may differ in it."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        return _kind(kind.value_type)
    if pa.types.is_timestamp(kind):
        return "instant" if kind.tz else "local time"
    tests = {
        "null": pa.types.is_null,
        "bool": pa.types.is_boolean,
        "int": pa.types.is_integer,
        "float": pa.types.is_floating,
        "decimal": pa.types.is_decimal,
        "date": pa.types.is_date,
        "time": pa.types.is_time,
        "duration": pa.types.is_duration,
    }
    found = next((name for name, test in tests.items() if test(kind)), None)
    if found is not None:
        return found
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return "string"
    return "binary" if "binary" in str(kind) else str(kind)


def _fitted(values: pa.ChunkedArray, column: SourceColumn, kind: str) -> pa.ChunkedArray:
    """A file's values in the type that all files have."""
    import pyarrow as pa

    if column.infer and pa.types.is_null(values.type):
        return values.cast(pa.string())
    if kind == "float" and pa.types.is_integer(values.type):
        try:
            return values.cast(pa.float64())
        except pa.ArrowInvalid as error:
            raise BadInputError(
                f"column {column.name!r} has fractions in one file and large integers in another: {error}",
                "convert the files one by one",
            ) from error
    return values
