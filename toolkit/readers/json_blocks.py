"""JSON text cut into blocks of whole records, one a line."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from toolkit.core.errors import BadInputError
from toolkit.readers.utf8_stream import Utf8Stream

_LARGEST_RECORD = 80 << 20
_CELLS = 1 << 22
"""Cells of a block: a sparse table is far larger in memory than in the file."""

_FEWEST_LINES = 16
_FILLED_LINE = re.compile(rb"[^ \t\r\n][^\n]*")
_NO_SPACE = re.compile(r"[^ \t\r\n]")


@dataclass(frozen=True, slots=True)
class Block:
    """A run of records.

    Attributes
    ----------
    data : bytes
        UTF-8; a record a line, possibly with blank lines between.
    lines : int
        Lines that are not blank.
    line : int
        Number of the first line, or of the first record of an array, from 1.
    offset : int
        Byte of the decoded text at which it begins.
    unit : str
        What the numbers count: ``line`` or ``record``.
    """

    data: bytes
    lines: int
    line: int
    offset: int
    unit: str = "line"

    def records(self) -> Iterator[tuple[int, str]]:
        """Number and text of every line that is not blank."""
        for number, line in enumerate(self.data.decode().split("\n"), self.line):
            if line.strip(" \t\r"):
                yield number, line


def read_blocks(path: Path, stream: Utf8Stream, size: int, width: Callable[[], int]) -> Iterator[Block]:
    """Cut a stream into blocks.

    Parameters
    ----------
    path : Path
        The file, for errors.
    stream : Utf8Stream
        Its text.
    size : int
        Bytes of a block; more where one record is larger.
    width : callable
        Columns known so far; blocks of wide tables have fewer lines.

    Raises
    ------
    BadInputError
        When the text is not of the encoding, a record too large, or an array not whole.
    """
    pieces = _pieces(path, stream, size)
    first = next(pieces, b"")
    while len(first) <= _LARGEST_RECORD and not first.strip() and (more := next(pieces, b"")):
        first += more
    if first.lstrip().startswith(b"["):
        yield from _array_blocks(path, first, pieces)
        return
    yield from _line_blocks(path, first, pieces, width)


def _pieces(path: Path, stream: Utf8Stream, size: int) -> Iterator[bytes]:
    """Pieces of UTF-8 that end between characters; the stream passes UTF-8 on unchecked."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    done = stream.offset
    while True:
        raw = stream.read(size)
        held = len(decoder.getstate()[0])
        try:
            text = decoder.decode(raw, not raw)
        except UnicodeDecodeError as wrong:
            raise BadInputError(
                f"{path}: byte {done - held + wrong.start:,}: 0x{wrong.object[wrong.start]:02x} is not UTF-8",
                "name the encoding, such as --encoding latin-1",
            ) from wrong
        done += len(raw)
        if text:
            yield text.encode()
        if not raw:
            return


def _line_blocks(path: Path, first: bytes, pieces: Iterator[bytes], width: Callable[[], int]) -> Iterator[Block]:
    rest, line, offset = first, 1, 0
    ended = False
    while not ended:
        more = next(pieces, b"")
        ended = not more
        end = len(rest) if ended else rest.rfind(b"\n") + 1
        if not end:
            rest = _until_break(path, [rest, more], pieces, line)
            continue
        block, rest = rest[:end], rest[end:] + more
        for piece in _by_cells(block, width):
            lines = piece.count(b"\n")
            filled = sum(1 for _ in _FILLED_LINE.finditer(piece))
            if filled:
                yield Block(piece, filled, line, offset)
            line += lines
            offset += len(piece)


def _until_break(path: Path, held: list[bytes], pieces: Iterator[bytes], line: int) -> bytes:
    """Pieces up to one with a line break in it, or the last."""
    size = sum(map(len, held))
    while held[-1] and b"\n" not in held[-1]:
        if size > _LARGEST_RECORD:
            raise BadInputError(
                f"{path}: line {line:,}: a record of more than {_LARGEST_RECORD:,} bytes",
                "write each object on a line of its own",
            )
        held.append(next(pieces, b""))
        size += len(held[-1])
    return b"".join(held)


def _by_cells(block: bytes, width: Callable[[], int]) -> Iterator[bytes]:
    """A block, in pieces of no more lines than the width of the table allows."""
    while block:
        most = max(_FEWEST_LINES, _CELLS // max(1, width()))
        if block.count(b"\n") <= most:
            yield block
            return
        ends = np.flatnonzero(np.frombuffer(block, np.uint8) == 10)
        cut = int(ends[most - 1]) + 1
        yield block[:cut]
        block = block[cut:]


def _array_blocks(path: Path, first: bytes, pieces: Iterator[bytes]) -> Iterator[Block]:
    """The objects of one array, each put on a line of its own."""
    text = first.decode()
    at = _behind_space(text, 0) + 1
    decode = json.JSONDecoder().raw_decode
    record, base, closed = 1, 0, False
    while not closed:
        found: list[str] = []
        begins = at
        while True:
            start, closed = _next_element(path, text, at, record + len(found), first=record + len(found) == 1)
            if closed or start < 0:
                break
            end = _element_end(decode, text, start)
            if end < 0:
                break
            found.append(text[start:end].replace("\n", " ").replace("\r", " "))
            at = end
        if found:
            yield Block("\n".join(found).encode(), len(found), record, base + begins, "record")
            record += len(found)
        if closed:
            if text[at:].strip(" \t\r\n") != "]" or any(piece.strip() for piece in pieces):
                raise BadInputError(f"{path}: text behind the end of the array", "a file holds one array, or lines")
            return
        more = next(pieces, b"")
        if not more or len(text) - at > _LARGEST_RECORD:
            raise _broken(path, text[at:].lstrip(" \t\r\n,"), record, whole=not more)
        base += at
        text, at = text[at:] + more.decode(), 0


def _next_element(path: Path, text: str, at: int, record: int, *, first: bool) -> tuple[int, bool]:
    """Where the next element begins, -1 where the text ends before it; whether the array ends instead."""
    at = _behind_space(text, at)
    if text[at : at + 1] == "]":
        return at, True
    if not first:
        if at >= len(text):
            return -1, False
        if text[at] != ",":
            raise BadInputError(f"{path}: record {record:,}: no comma before it", "mend the array")
        at = _behind_space(text, at + 1)
    return (at if at < len(text) else -1), False


def _behind_space(text: str, at: int) -> int:
    found = _NO_SPACE.search(text, at)
    return found.start() if found else len(text)


def _element_end(decode: Callable[[str, int], tuple[Any, int]], text: str, start: int) -> int:
    """End of an element; -1 where it is not whole, or its last character may go on behind the text."""
    try:
        _, end = decode(text, start)
    except (ValueError, RecursionError):
        return -1
    return end if end < len(text) else -1


def _broken(path: Path, text: str, record: int, *, whole: bool) -> BadInputError:
    if not whole:
        return BadInputError(
            f"{path}: record {record:,}: more than {_LARGEST_RECORD:,} bytes, or broken", "write one object a line"
        )
    try:
        json.JSONDecoder().raw_decode(text)
        problem = "the array is not closed"
    except RecursionError:
        problem = "nested too deeply"
    except json.JSONDecodeError as error:
        problem = f"character {error.pos + 1:,}: {error.msg}"
    except ValueError as error:
        problem = str(error)
    return BadInputError(f"{path}: record {record:,}: {problem}", "mend it, or get the file again from its origin")
