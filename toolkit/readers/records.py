"""Where records of delimited text end, so that it can be cut into parts that are parsed on their own."""

from __future__ import annotations

import re
from collections.abc import Iterator

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

    def regular(self, block: bytes, quotes: npt.NDArray[np.intp]) -> bool:
        """Whether every quote stands at the edge of a field or beside another quote."""
        data = np.frombuffer(block, np.uint8)
        opening, closing = quotes[0::2], quotes[1::2]
        inner = opening[opening > 0]
        if not bool(self._edges[data[inner - 1]].all()):
            return False
        inner = closing[closing < data.size - 1]
        return bool(self._edges[data[inner + 1]].all())


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


def count_lines(block: bytes) -> int:
    """Line breaks of a block; a pair of return and newline counts once."""
    octets = np.frombuffer(block, np.uint8)
    newlines = _occurrences(octets, _NEWLINE)
    return newlines + _lone_returns(octets) if b"\r" in block else newlines


def _lone_returns(octets: npt.NDArray[np.uint8]) -> int:
    """Returns without a newline behind them."""
    found = int(octets[-1] == _RETURN)
    for start in range(0, octets.size - 1, _RUN):
        run = octets[start : start + _RUN + 1]
        found += int(np.count_nonzero((run[:-1] == _RETURN) & (run[1:] != _NEWLINE)))
    return found


def breaks_meet(block: bytes) -> bool:
    """Whether a line break stands right behind another.

    Looks at bytes side by side: a search for two bytes takes ten times as long, and keeps all threads waiting.
    """
    octets, returns = np.frombuffer(block, np.uint8), b"\r" in block
    for start in range(0, octets.size - 1, _RUN):
        run = octets[start : start + _RUN + 1]
        newline = run == _NEWLINE
        if not returns:
            met = newline[:-1] & newline[1:]
        else:
            # a return and a newline are one break
            ret = run == _RETURN
            met = (newline[:-1] & (newline | ret)[1:]) | (ret[:-1] & ret[1:])
        if met.any():
            return True
    return False
