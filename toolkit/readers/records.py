"""Where records of delimited text end, so that it can be cut into parts that are parsed on their own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

_MOST_STEPS_BACK = 1000
_NEWLINE, _RETURN = b"\n\r"
_RUN = 1 << 17
_END = rb"(?:\r\n|\n|\r(?!\Z))"


class RecordCutter:
    """Finds record ends in a block that begins at a record.

    Parameters
    ----------
    delimiter, quote : str
        One ASCII character each; ``quote`` may be empty.
    escape : str
        A character behind which any other stands for itself, also in a field without quotes; may be empty.
    skip_space : bool
        Whether spaces in front of a field don't belong to it.

    Notes
    -----
    Where every quote opens a field, closes one or is half of a doubled pair, a line break ends a record exactly when
    the number of quotes before it is even: `cut` counts. Whether quotes stand only there, `regular` tells; it takes
    longer, and is asked by the threads that parse. Where they don't (``5" pipe``), `walk` goes field by field, and so
    it does where there is an escape, which makes counting meaningless.
    """

    def __init__(self, delimiter: str, quote: str, escape: str = "", *, skip_space: bool = False) -> None:
        self.counts = not escape and not skip_space
        self._quote = quote.encode()
        self._delimiter = delimiter.encode()
        self._edges = np.zeros(256, bool)
        self._edges[[ord(c) for c in (delimiter, "\n", "\r", quote) if c]] = True
        d, q, e = (re.escape(c.encode()) for c in (delimiter, quote, escape))
        spaces = rb" *+" if skip_space else b""
        escaped = e + rb"[\s\S]" if escape else rb"(?!)"
        bare = rb"[^" + d + rb"\r\n" + e + rb"]*+(?:" + escaped + rb"[^" + d + rb"\r\n" + e + rb"]*+)*+"
        inside = rb"[^" + q + e + rb"]*+(?:(?:" + q + q + rb"|" + escaped + rb")[^" + q + e + rb"]*+)*+" if q else b""
        content = q + inside + q + rb"|(?!" + q + rb")" + bare if q else bare
        field = spaces + rb"(?:" + content + rb")"
        tail = e + rb"?" if escape else b""
        opened = q + inside + tail + q + rb"?|(?!" + q + rb")" + bare + tail if q else bare + tail
        self._field = re.compile(field)
        self._spaced = re.compile(rb" *+(" + content + rb")")
        record = field + rb"(?:" + d + field + rb")*+" + _END
        self._record = re.compile(record)
        self._records = re.compile(rb"(?:" + record + rb")*+")
        self._begun = re.compile(rb"(?:" + field + d + rb")*+" + spaces + rb"(?:" + opened + rb")\r?\Z")
        self._open = re.compile(rb"(?:" + field + d + rb")*+" + spaces + q + inside + tail + rb"\Z") if quote else None

    def cut_on(self, begun: bytes, block: bytes) -> int:
        """Length of the longest beginning of a block with which a record ends, when ``begun`` stands before the block.

        Finds no more than is found by counting; 0 where `cut` has to look at both together.
        """
        last = _last_break(block, len(block))
        if last < 0 or not self.counts:
            return 0
        odd = (self._count(begun, 0, len(begun)) + self._count(block, 0, last)) % 2 if self._quote else 0
        return 0 if odd else last + 1

    def cut(self, block: bytes) -> int:
        """Length of the longest beginning that ends with a record's end, by counting; 0 when none ends in it."""
        last = _last_break(block, len(block))
        if last < 0 or not self._quote:
            return last + 1
        odd = self._count(block, 0, last) % 2
        for _ in range(_MOST_STEPS_BACK):
            if last < 0 or not odd:
                return last + 1
            # the break is inside a quoted field: go on before the quote that opened it
            opening = block.rfind(self._quote, 0, last)
            previous = _last_break(block, opening)
            odd = (odd - self._count(block, max(previous, 0), last)) % 2
            last = previous
        return self.walk(block)

    def _count(self, block: bytes, start: int, stop: int) -> int:
        return _occurrences(np.frombuffer(block, np.uint8, stop - start, start), self._quote[0])

    def walk(self, block: bytes) -> int:
        """The same, field by field; stops at the first record that is not well-formed."""
        match = self._records.match(block)
        return match.end() if match else 0

    def begun(self, block: bytes) -> bool:
        """Whether a block without a whole record is the beginning of a well-formed one."""
        return self._begun.match(block) is not None

    def left_open(self, block: bytes) -> bool:
        """Whether a block without a whole record ends inside a quoted field."""
        return self._open is not None and self._open.match(block) is not None

    def records(self, block: bytes) -> Iterator[bytes]:
        """Well-formed records with their ends; what is left when the iterator stops is not well-formed."""
        end = 0
        while match := self._record.match(block, end):
            end = match.end()
            yield match.group()

    def fields(self, record: bytes) -> list[bytes]:
        """Fields of a well-formed record as they are written."""
        found, end = [], 0
        while match := self._field.match(record, end):
            found.append(match.group())
            end = match.end() + 1
            if record[match.end() : end] != self._delimiter:
                break
        return found

    def without_spaces(self, block: bytes) -> bytes:
        """A block of well-formed records without the spaces in front of fields."""
        return self._spaced.sub(rb"\1", block)

    def quotes(self, block: bytes) -> npt.NDArray[np.intp]:
        """Positions of all quotes, shape (quotes,)."""
        if not self._quote or self._quote not in block:
            return np.empty(0, np.intp)
        return np.flatnonzero(np.frombuffer(block, np.uint8) == self._quote[0])

    def regular(self, block: bytes) -> tuple[bool, int]:
        """Whether every quote stands at the edge of a field or beside another quote, and how many there are.

        Where one does not, those are counted up to it.
        """
        if not self._quote or self._quote not in block:
            return True, 0
        data, count = np.frombuffer(block, np.uint8), 0
        # run by run, so that the positions, eight times as large as what they are of, stay in the processor's cache
        for start in range(0, data.size, 2 * _RUN):
            at = np.flatnonzero(data[start : start + 2 * _RUN] == self._quote[0])
            at += start
            odd, count = count % 2, count + at.size
            opening, closing = at[odd::2], at[1 - odd :: 2]
            begins = int(opening.size > 0 and opening[0] == 0)
            before = data.take(opening[begins:] - 1)
            after = data[1:].take(closing[: np.searchsorted(closing, data.size - 1)])
            if not (self._edges.take(before).all() and self._edges.take(after).all()):
                return False, count
        return True, count


def _last_break(block: bytes, end: int) -> int:
    """Position of the last line break before ``end``."""
    newline = block.rfind(b"\n", 0, end)
    # a return at the very end may be the first half of a pair
    return max(newline, block.rfind(b"\r", newline + 1, min(end, len(block) - 1)))


def _occurrences(octets: npt.NDArray[np.uint8], value: int) -> int:
    """How often a byte occurs; where that is often, many times quicker than bytes.count, which stops at every one."""
    # run by run, so that what is compared stays in the processor's cache
    runs = range(0, octets.size, _RUN)
    return sum(int(np.count_nonzero(octets[start : start + _RUN] == value)) for start in runs)


class LineBreaks(NamedTuple):
    """Line breaks of a block.

    Attributes
    ----------
    total : int
        How many; a pair of return and newline counts once.
    meet : bool
        Whether one stands right behind another.
    """

    total: int
    meet: bool


def line_breaks(block: bytes) -> LineBreaks:
    """Count the line breaks of a block.

    Looks at bytes side by side: a search for two bytes takes ten times as long, and keeps all threads waiting.
    """
    octets = np.frombuffer(block, np.uint8)
    if b"\r" in block:
        return LineBreaks(_occurrences(octets, _NEWLINE) + _lone_returns(octets), _meet(octets))
    count, meet = 0, False
    for start in range(0, octets.size, _RUN):
        newline = octets[start : start + _RUN + 1] == _NEWLINE
        count += int(np.count_nonzero(newline[:_RUN]))
        meet = meet or bool((newline[:-1] & newline[1:]).any())
    return LineBreaks(count, meet)


def count_lines(block: bytes) -> int:
    """Line breaks of a block; a pair of return and newline counts once."""
    return line_breaks(block).total


def _lone_returns(octets: npt.NDArray[np.uint8]) -> int:
    """Returns without a newline behind them."""
    found = int(octets[-1] == _RETURN)
    for start in range(0, octets.size - 1, _RUN):
        run = octets[start : start + _RUN + 1]
        found += int(np.count_nonzero((run[:-1] == _RETURN) & (run[1:] != _NEWLINE)))
    return found


def _meet(octets: npt.NDArray[np.uint8]) -> bool:
    """Whether a line break stands right behind another, where some are returns."""
    for start in range(0, octets.size - 1, _RUN):
        run = octets[start : start + _RUN + 1]
        newline, ret = run == _NEWLINE, run == _RETURN
        # a return and a newline are one break
        if ((newline[:-1] & (newline | ret)[1:]) | (ret[:-1] & ret[1:])).any():
            return True
    return False
