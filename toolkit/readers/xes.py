"""Event logs in XES (IEEE 1849), plain or compressed: one row an event."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from toolkit.core.errors import BadInputError
from toolkit.readers.base import Part, ReadOptions, SourceColumn, check_column_count
from toolkit.readers.byte_stream import ByteStream
from toolkit.readers.options import ReaderOption
from toolkit.readers.xes_columns import AttributeColumn
from toolkit.readers.xes_walk import EventRun, LogWalker

if TYPE_CHECKING:
    import pyarrow as pa

_BLOCK = 1 << 18
_KEPT_PARTS = 6
"""A log whose columns take no more than this many parts is read once; a larger one twice."""

_MOST_SHOWN, _LONGEST_SHOWN = 100, 200

_PROLOG = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?.*?\?>\s*|<!--.*?-->\s*)*<log[\s>]", re.DOTALL)


class XesReader:
    """XES event logs."""

    name: ClassVar[str] = "xes"
    suffixes: ClassVar[tuple[str, ...]] = (".xes",)
    takes: ClassVar[tuple[ReaderOption, ...]] = ()

    def sniff(self, head: bytes) -> bool:
        """Whether the root element is a log of XES."""
        found = _PROLOG.match(head)
        return found is not None and b"xes" in head[found.start() :].lower()

    def open(self, path: Path, options: ReadOptions) -> XesSource:
        """Open a file; see `toolkit.readers.base.Reader`."""
        return XesSource(path, options)


class XesSource:
    """One open event log.

    Attributes of the case come as ``case:KEY`` in the row of each of its events, nested ones as ``outer.inner``, lists
    as JSON text. The types are those of the tags; an attribute that an event does not have is a missing value, whatever
    the log declares as the default.
    """

    sparse: ClassVar[bool] = True
    """Of several files of one table, some may lack a column."""

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self._path = path
        self._part_bytes = options.part_bytes
        self._stream: ByteStream | None = None
        self._fingerprint = ""
        self._kept: list[EventRun] | None = []
        self._columns: dict[tuple[bool, str], AttributeColumn] = {}
        walker = LogWalker(path, options.part_bytes)
        rows = self._look(walker)
        if not rows:
            raise BadInputError(f"{path}: a log without events", "a table needs at least one event")
        for column in self._columns.values():
            column.decide()
        ordered = sorted(self._columns.values(), key=lambda c: not c.case)
        self._ordered = ordered
        check_column_count(path, len(ordered))
        names = [c.name for c in ordered]
        if len(set(names)) < len(names):
            twice = min(n for n in names if names.count(n) > 1)
            raise BadInputError(
                f"{path}: an attribute of the events and one of the cases both lead to a column {twice!r}",
                "rename one of them in the log",
            )
        self.columns: Sequence[SourceColumn] = [SourceColumn(c.name, c.declared) for c in ordered]
        self.options: dict[str, Any] = {
            "events": rows,
            "cases": walker.traces,
            "classifiers": dict(sorted(walker.classifiers.items())),
            "log": {key: value[:_LONGEST_SHOWN] for (_, key), value in sorted(walker.log.items())[:_MOST_SHOWN]},
        }
        self.notes = _notes(walker, self._columns)

    def parts(self) -> Iterator[Part]:
        """Runs of events."""
        if self._kept is not None:
            for index, run in enumerate(self._kept):
                yield self._part(index, run)
            return
        walker = LogWalker(self._path, self._part_bytes)
        for index, run in enumerate(self._runs(walker)):
            yield self._part(index, run)

    def parse(self, part: Part, columns: Sequence[int]) -> pa.Table:
        """Some columns of a run; see `toolkit.readers.base.Source`."""
        import pyarrow as pa

        try:
            return pa.table([self._ordered[i].build(part.payload) for i in columns], [str(i) for i in columns])
        except BadInputError as error:
            raise BadInputError(f"{self._path}: {error.message}", error.remedy) from error

    def fingerprint(self) -> str:
        """SHA-256 of the file."""
        return self._fingerprint

    def progress(self) -> tuple[int, int]:
        """Bytes read, bytes in all."""
        return (self._stream.consumed, self._stream.size) if self._stream else (1, 1)

    def close(self) -> None:
        """Close the file."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _part(self, index: int, run: EventRun) -> Part:
        return Part(index, run, run.first, mark=f"{self._fingerprint}:{run.first}:{run.rows}")

    def _runs(self, walker: LogWalker) -> Iterator[EventRun]:
        self.close()
        self._stream = stream = ByteStream(self._path)
        data = b"-"
        while data:
            data = stream.read(_BLOCK)
            yield from walker.feed(data)
        self._fingerprint = stream.sha256()

    def _look(self, walker: LogWalker) -> int:
        """Learn the attributes and their types; the number of events."""
        rows = kept = 0
        for run in self._runs(walker):
            rows += run.rows
            for case, arrays in ((True, run.case), (False, run.event)):
                for (tag, key), values in arrays.items():
                    column = self._columns.setdefault((case, key), AttributeColumn(case, key))
                    column.add(tag, values)
                    kept += values.nbytes
            if self._kept is not None:
                self._kept.append(run)
                if kept > _KEPT_PARTS * self._part_bytes:
                    self._kept = None
        self.close()
        return rows


def _notes(walker: LogWalker, columns: dict[tuple[bool, str], AttributeColumn]) -> list[str]:
    notes = [c.note for c in columns.values() if c.note]
    if walker.empty_traces:
        notes.append(f"{walker.empty_traces:,} of {walker.traces:,} cases have no event, and so no row")
    if walker.loose_events:
        notes.append(f"{walker.loose_events:,} events belong to no case")
    for scope, case in (("trace", True), ("event", False)):
        absent = sorted(key for _, key in walker.declared.get(scope, {}) if (case, key) not in columns)
        if absent:
            shown = ", ".join(map(repr, absent[:10]))
            notes.append(f"declared for every {scope} and never there, so no column: {shown}")
    return notes


PROVIDES = XesReader()
