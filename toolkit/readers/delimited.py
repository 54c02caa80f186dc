"""Delimited text (CSV, TSV), plain or compressed, cut at record boundaries and parsed in parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.csv

from toolkit.core.errors import BadInputError, NotUtf8Error
from toolkit.readers.base import COMPRESSIONS, HEAD_BYTES, Part, ReadAgain, ReadOptions, SourceColumn
from toolkit.readers.blank_lines import BlankLines
from toolkit.readers.delimited_options import DELIMITED_OPTIONS, chosen_dialect, number_form, without_nulls
from toolkit.readers.dialect import Dialect, header_names
from toolkit.readers.options import ReaderOption
from toolkit.readers.records import count_lines, line_breaks
from toolkit.readers.sifting import sift
from toolkit.readers.title_lines import check_names, check_width
from toolkit.readers.utf8_stream import Utf8Stream

_LARGEST_RECORD = 80 << 20
_LARGEST_HEADER = 64 << 20
_ROWS_LOOKED_AT = 20
_PARSED_AT_ONCE = 2 << 20
"""Bytes that Arrow tokenises before it converts them, column by column: so many are still in the processor's cache."""


class DelimitedReader:
    """CSV and its kin."""

    name: ClassVar[str] = "delimited"
    suffixes: ClassVar[tuple[str, ...]] = (".csv", ".tsv", ".txt", ".data", ".psv")
    takes: ClassVar[tuple[ReaderOption, ...]] = DELIMITED_OPTIONS

    def sniff(self, head: bytes) -> bool:
        """Text has no mark by which it is known for certain."""
        return False

    def open(self, path: Path, options: ReadOptions) -> DelimitedSource:
        """Open a file; see `toolkit.readers.base.Reader`."""
        return DelimitedSource(path, options)


@dataclass(frozen=True, slots=True)
class _Block:
    """Whole records, and whether they were found field by field."""

    text: bytes
    walked: bool


class DelimitedSource:
    """One open file of delimited text.

    Attributes
    ----------
    columns : list of SourceColumn
        From the header; all are text to be inferred.
    options : dict
        Delimiter, quote and encoding, as found or given.
    notes : list of str
        What had to be decided: names that were made up, uncommon quotes.
    blank : BlankLines
        Lines without anything in them that the last pass skipped; with one column they are missing values.
    """

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self._path = path
        self._part_bytes = options.part_bytes
        self._quarantine = options.quarantine
        self._stream: Utf8Stream | None = None
        self._fingerprint = ""
        self.columns: list[SourceColumn] = []
        head, self._encoding, self._start = self._read_head(options.encoding)
        self._named = options.format.get("header", True)
        self._first = "the header" if self._named else "the first row"
        self._nulls: tuple[str, ...] = options.format.get("null", ())
        self._dialect = chosen_dialect(head, _suffix(path), options.format)
        self._cutter = self._dialect.cutter()
        self._walking = not self._cutter.counts
        header, self._header = self._find_header(head)
        names, self.notes = self._names(self._cutter.fields(header))
        self.columns = [SourceColumn(name, "", True, number_form(options.format)) for name in names]
        self.options: dict[str, Any] = {**options.format, **self._dialect.to_json(), "encoding": self._encoding}
        self.blank = BlankLines()
        if not self._cutter.counts or self._dialect.quote == "'":
            self.notes.append(f"read with {', '.join(f'{k}={v!r}' for k, v in self._dialect.to_json().items())}")
        if self._named:
            self._check_names(header, head[len(self._header) :])

    def parts(self) -> Iterator[Part]:
        """Blocks of whole records, without the header."""
        self.close()
        self._stream = stream = Utf8Stream(self._path, self._encoding)
        self.blank = blank = BlankLines()
        header = line_breaks(self._header)
        blank.add(self._header, 1, self._cutter, meet=header.meet, walked=True)
        rest, to_skip, want = b"", len(self._header), self._part_bytes
        line, offset, index, ended = 1 + header.total, self._start + to_skip, 0, False
        while not ended:
            more = stream.read(want)
            ended = not more
            if to_skip:
                to_skip, more = max(to_skip - len(more), 0), more[to_skip:]
            end = 0 if ended or self._walking else self._cutter.cut_on(rest, more)
            if end:
                block, rest = b"".join((rest, memoryview(more)[:end])), more[end:]
            else:
                rest += more
                end = len(rest) if ended else self._cut(rest, line, offset)
                # a record that is longer than a part: each further read doubles what is at hand
                want = self._part_bytes if end else max(self._part_bytes, len(rest))
                block, rest = rest[:end], rest[end:]
            del more
            breaks = line_breaks(block)
            if len(self.columns) > 1:
                blank.add(block, line, self._cutter, meet=breaks.meet, walked=self._walking)
            if block and (len(self.columns) == 1 or block[:1] not in b"\r\n" or block.strip(b"\r\n")):
                mark = f"{stream.source.digest_so_far()}:{offset}:{len(block)}:{self._walking}"
                yield Part(index, _Block(block, self._walking), line, offset, mark)
                index += 1
            line += breaks.total
            offset += len(block)
        self._fingerprint = stream.source.sha256()

    def parse(self, part: Part, columns: Sequence[int]) -> pa.Table:
        """Text columns of a block; see `toolkit.readers.base.Source`."""
        try:
            self._check_bytes(part)
            self._check_quotes(part)
            return without_nulls(self._parse_block(part.payload.text, columns), self._nulls)
        except pa.ArrowInvalid as error:
            refused, cause = None, error
        except BadInputError as error:
            refused, cause = error, error
        if not self._quarantine:
            raise refused or self._explain(part, cause) from cause
        good, part.rejected = sift(part, self._cutter, len(self.columns), self._first)
        return without_nulls(self._parse_block(good, columns), self._nulls)

    def _parse_block(self, block: bytes, columns: Sequence[int]) -> pa.Table:
        chosen = [str(i) for i in columns]
        if not block or (block[:1] in b"\r\n" and len(self.columns) > 1 and not block.strip(b"\r\n")):
            return pa.table({name: pa.array([], pa.string()) for name in chosen})
        if self._dialect.skip_space:
            block = self._cutter.without_spaces(block)
        # a line break that is cut in two leaves an empty line, which has a meaning in a table of one column
        if self._cutter.counts and len(self.columns) > 1 and len(block) > _PARSED_AT_ONCE:
            try:
                return self._read(block, chosen, _PARSED_AT_ONCE)
            except pa.ArrowInvalid:
                pass  # a longer record, or an error that is to be found in the whole
        return self._read(block, chosen, len(block) + 1)

    def _read(self, block: bytes, chosen: Sequence[str], at_once: int) -> pa.Table:
        return pa.csv.read_csv(
            pa.BufferReader(block),
            read_options=pa.csv.ReadOptions(
                use_threads=False,
                block_size=at_once,
                column_names=[str(i) for i in range(len(self.columns))],
            ),
            parse_options=pa.csv.ParseOptions(
                delimiter=self._dialect.delimiter,
                quote_char=self._dialect.quote or False,
                escape_char=self._dialect.escape or False,
                newlines_in_values=True,
                ignore_empty_lines=len(self.columns) > 1,
            ),
            convert_options=pa.csv.ConvertOptions(
                column_types=dict.fromkeys(chosen, pa.string()),
                include_columns=chosen,
                # checked at once, and value by value only to find the one that is wrong
                check_utf8=not _is_utf8(block),
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                null_values=[""],
            ),
        )

    def fingerprint(self) -> str:
        """SHA-256 of the file, after all parts were read."""
        return self._fingerprint

    def progress(self) -> tuple[int, int]:
        """Bytes read, bytes in all."""
        return (self._stream.source.consumed, self._stream.source.size) if self._stream else (0, 1)

    def close(self) -> None:
        """Close the file."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _read_head(self, encoding: str) -> tuple[bytes, str, int]:
        """The beginning of the file with its whole header, the encoding and the length of its mark.

        A file that ends in it gets a line break where it has none, so that its last record has an end.
        """
        stream = Utf8Stream(self._path, encoding)
        try:
            head = b""
            while more := stream.read(max(HEAD_BYTES, len(head))):
                head += more
                if len(head) >= HEAD_BYTES and _has_record(head):
                    return head, stream.encoding, stream.offset
                if len(head) > _LARGEST_HEADER:
                    raise BadInputError(
                        f"{self._path}: line 1: a header of more than {_LARGEST_HEADER:,} bytes",
                        "is it delimited text? is a quote left open there?",
                    )
            return head if head.endswith(b"\n") else head + b"\n", stream.encoding, stream.offset
        finally:
            stream.close()

    def _names(self, first: list[bytes]) -> tuple[list[str], list[str]]:
        """Names of the columns, and notes on them, from the fields of the first record."""
        if self._named:
            return header_names([self._dialect.value(f) for f in first], self._path)
        return [f"column_{i}" for i in range(1, len(first) + 1)], []

    def _find_header(self, head: bytes) -> tuple[bytes, bytes]:
        """The header's record, and everything up to its end: lines without anything in them may stand before it."""
        text = head.lstrip(b"\r\n")
        if not text:
            problem = "is empty" if head == b"\n" else "has nothing but line breaks"
            raise BadInputError(f"{self._path} {problem}", "a table needs a line of column names and at least one row")
        record = next(self._cutter.records(text), b"")
        header = head[: len(head) - len(text) + len(record)]
        self._check_bytes(Part(0, _Block(header or head, walked=True), 1, self._start))
        try:
            header.decode()
            if record:
                return record.rstrip(b"\r\n"), header if self._named else b""
            error = ValueError("the header is not well-formed")
        except UnicodeDecodeError as wrong:
            error = wrong
        raise self._explain(Part(0, _Block(header or head, walked=True), 1, self._start), error) from error

    def _check_names(self, header: bytes, below: bytes) -> None:
        first = line = 1 + count_lines(self._header)
        rows = []
        for record in islice(self._cutter.records(below), _ROWS_LOOKED_AT):
            rows.append((line, [f.decode("utf-8", "replace") for f in self._cutter.fields(record)]))
            line += count_lines(record)
        names = [f.decode("utf-8") for f in self._cutter.fields(header)]
        if self._quarantine:
            check_width(len(names), rows, self._path)
        self.notes += check_names(names, rows, self._path, max(first - 1 - count_lines(header), 1))

    def _cut(self, rest: bytes, line: int, offset: int) -> int:
        """Where the last whole record ends; 0 when there is none, and more has to be read."""
        end = self._cutter.walk(rest) if self._walking else self._cutter.cut(rest)
        if end or not rest:
            return end
        begun = self._cutter.begun(rest)
        if not self._walking and (not begun or self._cutter.walk(rest)):
            # counting finds no end where there is one: some quotes have no meaning
            self._walking = True
            raise ReadAgain
        if not begun and self._quarantine:
            return rest.find(b"\n") + 1
        if not begun:
            raise self._explain(Part(0, _Block(rest, walked=True), line, offset), ValueError("a quote out of place"))
        if len(rest) > _LARGEST_RECORD:
            raise BadInputError(
                f"{self._path}: line {line}: a record of more than {_LARGEST_RECORD:,} bytes",
                "is a quote left open there?",
            )
        return 0

    def _check_bytes(self, part: Part) -> None:
        block: bytes = part.payload.text
        position = block.find(b"\x00")
        if position >= 0:
            line = part.line + count_lines(block[:position])
            kind = NotUtf8Error if self._encoding == "utf-8" else BadInputError
            raise kind(
                f"{self._path}: line {line}{self._byte(part, position)}: a NUL byte",
                "is it UTF-16 or another encoding? name it with --encoding",
            )

    def _check_quotes(self, part: Part) -> None:
        """Refuse what Arrow would take silently: a quote left open, text behind a closing quote."""
        block: bytes = part.payload.text
        if part.payload.walked:
            if self._cutter.walk(block if block.endswith(b"\n") else block + b"\n") < len(block):
                raise self._explain(part, ValueError("a quote out of place"))
            return
        regular, quotes = self._cutter.regular(block)
        if not regular:
            self._walking = True
            raise ReadAgain
        if quotes % 2:
            raise self._explain(part, ValueError("a quote left open"))

    def _explain(self, part: Part, error: Exception) -> BadInputError:
        """What is wrong with a block that was refused, found by walking it slowly."""
        block: bytes = part.payload.text
        try:
            block.decode("utf-8")
        except UnicodeDecodeError as wrong:
            line = part.line + count_lines(block[: wrong.start])
            return NotUtf8Error(
                f"{self._path}: line {line}, byte {part.offset + wrong.start}: 0x{block[wrong.start]:02x} is not UTF-8",
                "name the encoding, such as --encoding latin-1",
            )
        return self._explain_records(part, block if block.endswith(b"\n") else block + b"\n", error)

    def _explain_records(self, part: Part, block: bytes, error: Exception) -> BadInputError:
        line, end, expected = part.line, 0, len(getattr(self, "columns", []))
        for record in self._cutter.records(block):
            count = len(self._cutter.fields(record))
            text = record.strip(b"\r\n").decode()
            if expected and count != expected and text:
                remedy = "mend that line; a field with the delimiter in it needs quotes around it"
                if expected == 1:
                    remedy = "is the first line a title or a comment? the names of the columns belong there"
                return BadInputError(
                    f"{self._path}: line {line}: {count} {'field' if count == 1 else 'fields'} where {self._first} has "
                    f"{expected}: {_shorten(text)}",
                    remedy,
                )
            line += count_lines(record)
            end += len(record)
        if end < len(block):
            opened = self._cutter.left_open(block[end:])
            problem = "a quote is opened and not closed" if opened else "text behind a closing quote"
            text = block[end : end + 400].decode("utf-8", "replace").splitlines()[0]
            return BadInputError(
                f"{self._path}: line {line}: {problem}: {_shorten(text)}",
                "close the quote, or double quotes inside a field",
            )
        return BadInputError(
            f"{self._path}: between line {part.line} and {line}: {_shorten(str(error))}", "mend the file"
        )

    def _byte(self, part: Part, position: int) -> str:
        """Where in the file a position of a block is; known only where the file's bytes were not converted."""
        return f", byte {part.offset + position}" if self._encoding == "utf-8" else ""


def _is_utf8(block: bytes) -> bool:
    ends = pa.py_buffer(np.array([0, len(block)], np.int64))
    try:
        pa.Array.from_buffers(pa.large_string(), 1, [None, ends, pa.py_buffer(block)]).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _has_record(head: bytes) -> bool:
    """Whether the head has a whole record behind its blank lines, if its quotes are the usual ones, or never will."""
    cutter, text = Dialect().cutter(), head.lstrip(b"\r\n")
    return next(cutter.records(text), None) is not None or not cutter.begun(text)


def _suffix(path: Path) -> str:
    name = path.name.lower()
    for compression in COMPRESSIONS:
        name = name.removesuffix(compression)
    return Path(name).suffix


def _shorten(text: str, limit: int = 120) -> str:
    text = text.encode("unicode_escape").decode() if not text.isprintable() else text
    return text if len(text) <= limit else text[: limit - 1] + "…"


PROVIDES = DelimitedReader()
