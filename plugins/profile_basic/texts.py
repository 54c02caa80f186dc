"""What text looks like: numbers, dates, codes with leading zeros, marks for missing values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin import Context, StringBlock

MISSING_MARKS = frozenset(
    {
        *("n/a", "n.a.", "#n/a", "<na>", "null", "(null)", "none", "undefined", "unknown", "missing", "blank"),
        *("not available", "not applicable", "not known", "-", "--", "---", ".", "..", "?", "??", "???"),
    }
)
"""Lower-case texts that people write where a value is missing; how they are capitalised does not matter."""

SHORT_MARKS = frozenset({"na", "NA", "nan", "NaN", "NAN", "nil", "NIL", "unk", "UNK", "tbd", "TBD", "tba", "TBA"})
"""The same as they are: Na, Nan and Nil are also names of people."""

_LONGEST_MARK = 16
_DIGIT, _DOT, _COMMA, _SIGN, _AFFIX = 1, 2, 4, 8, 16
_CLASSES = np.zeros(256, np.uint8)
for _letters, _class in (("0123456789", _DIGIT), (".", _DOT), (",", _COMMA), ("+-", _SIGN), ("$%", _AFFIX)):
    _CLASSES[[ord(c) for c in _letters]] = _class

_SHAPES = ("9999-99-99", "9999/99/99", "99.99.9999", "99/99/9999", "99-99-9999", "99/99/99", "99.99.99")
_IN_DATES = np.zeros(256, bool)
_IN_DATES[list(b"0123456789:.,+-/ TZ")] = True
_LONGEST_DATE = 40


@dataclass(slots=True)
class TextFacts:
    """How many values look like what.

    Attributes
    ----------
    count : int
        Values that were looked at: all that are present and not empty.
    numbers : int
        Decimal numbers, with or without sign, thousands separators, ``$`` or ``%``.
    digits : int
        Those of them that are digits alone.
    leading_zeros : int
        Those of them that have two digits or more and begin with 0.
    dates : int
        Dates, with or without a time.
    others : list of [value, count]
        Commonest values that are neither numbers nor dates; for coded text.
    marks : list of [value, count]
        Values that say that there is none; for coded text.
    """

    count: int = 0
    numbers: int = 0
    digits: int = 0
    leading_zeros: int = 0
    dates: int = 0
    others: list[list[Any]] = field(default_factory=list)
    marks: list[list[Any]] = field(default_factory=list)

    def add(self, kinds: TextKinds, weights: npt.NDArray[np.int64] | None = None) -> None:
        """Count values of a block, each once or as often as it occurs."""
        for name in ("count", "numbers", "digits", "leading_zeros", "dates"):
            chosen = getattr(kinds, name)
            found = np.count_nonzero(chosen) if weights is None else weights[chosen].sum()
            setattr(self, name, getattr(self, name) + int(found))


@dataclass(frozen=True, slots=True)
class TextKinds:
    """Which values of a block look like what, each of shape (values,); see `TextFacts`."""

    count: npt.NDArray[np.bool_]
    numbers: npt.NDArray[np.bool_]
    digits: npt.NDArray[np.bool_]
    leading_zeros: npt.NDArray[np.bool_]
    dates: npt.NDArray[np.bool_]


def category_facts(categories: Sequence[str], counts: npt.NDArray[np.int64], k: int = 5) -> TextFacts:
    """Look at the distinct values of a coded column.

    Examples
    --------
    >>> category_facts(["-12.5", "007", "2024-01-31", "n/a", "x"], np.array([1, 2, 3, 4, 0]))
    TextFacts(count=10, numbers=3, digits=2, leading_zeros=2, dates=3, others=[['n/a', 4]], marks=[['n/a', 4]])
    """
    kinds = text_kinds(_block(categories))
    facts = TextFacts()
    facts.add(kinds, counts)
    others = np.flatnonzero(~kinds.numbers & ~kinds.dates & (counts > 0))
    order = np.argsort(-counts[others], kind="stable")
    facts.others = [[categories[i], int(counts[i])] for i in others[order[:k]]]
    short = ((i, text) for i, text in enumerate(categories) if len(text) <= _LONGEST_MARK)
    marks = [i for i, text in short if text in SHORT_MARKS or text.strip().lower() in MISSING_MARKS]
    facts.marks = [[categories[i], int(counts[i])] for i in sorted(marks, key=lambda i: (-counts[i], i)) if counts[i]]
    return facts


def long_text_facts(ctx: Context, name: str, count: int, share: float) -> TextFacts | None:
    """Look at the rows of a long text column, for as long as it may still hold numbers or dates.

    Parameters
    ----------
    ctx : Context
        The table.
    name : str
        The column.
    count : int
        Values present.
    share : float
        Share of them that must look alike.

    Returns
    -------
    TextFacts or None
        Counts over all rows; None as soon as more than ``1 - share`` of all values are known to be something else.
    """
    facts, strangers = TextFacts(), 0
    for chunk in ctx.chunks([name]):
        block = chunk.strings(name)
        strangers += neither_by_first_byte(block, chunk.valid(name))
        if strangers > (1 - share) * count:
            return None
        facts.add(text_kinds(block))
    return facts


def is_missing_mark(text: str) -> bool:
    """Whether a text says that there is no value."""
    return len(text) <= _LONGEST_MARK and (text in SHORT_MARKS or text.strip().lower() in MISSING_MARKS)


def text_kinds(block: StringBlock) -> TextKinds:
    """Sort the values of a block by what they look like, without an object for each value."""
    offsets, data = block.contiguous()
    lengths = np.diff(offsets)
    filled = lengths > 0
    sums = {c: _per_value(_CLASSES[data] == c, offsets) for c in (_DIGIT, _DOT, _COMMA, _SIGN, _AFFIX)}
    first = np.zeros(lengths.size, np.uint8)
    first[filled] = data[offsets[:-1][filled]]
    digits = filled & (sums[_DIGIT] == lengths)
    signed = (sums[_SIGN] == 0) | ((sums[_SIGN] == 1) & (_CLASSES[first] == _SIGN))
    dots, commas = sums[_DOT], sums[_COMMA]
    # One of the two may come several times, as it parts thousands; where only dots do, it is an address or a version.
    separated = ((dots <= 1) | (commas == 1)) & ((commas <= 1) | (dots <= 1))
    whole = sum(sums.values()) == lengths
    numbers = (sums[_DIGIT] > 0) & whole & signed & separated & (sums[_AFFIX] <= 1)
    zeros = digits & (lengths > 1) & (first == ord("0"))
    return TextKinds(filled, numbers, digits, zeros, _dates(data, offsets, lengths))


def neither_by_first_byte(block: StringBlock, present: npt.NDArray[np.bool_]) -> int:
    """Count the values that can be neither number nor date, because of what they begin with."""
    first = block.payload[block.starts[present & (block.lengths > 0)]]
    return int(np.count_nonzero((_CLASSES[first] == 0) | (_CLASSES[first] == _COMMA)))


def _block(values: Sequence[str]) -> StringBlock:
    octets = [v.encode("utf-8", "surrogatepass") for v in values]
    lengths = np.fromiter(map(len, octets), np.uint32, len(octets))
    starts = np.zeros(len(octets), np.int64)
    np.cumsum(lengths[:-1], out=starts[1:])
    return StringBlock(np.frombuffer(b"".join(octets), np.uint8), starts, lengths)


def _per_value(marked: npt.NDArray[np.bool_], offsets: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """How many bytes of each value are marked."""
    running = np.zeros(marked.size + 1, np.int64)
    np.cumsum(marked, out=running[1:])
    return running[offsets[1:]] - running[offsets[:-1]]


def _dates(
    data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Values that begin with the shape of a date; full years may be followed by a time, short ones by nothing."""
    found = np.zeros(lengths.size, bool)
    for shape in _SHAPES:
        size = len(shape)
        longest = _LONGEST_DATE if "9999" in shape else size
        rows = np.flatnonzero((lengths >= size) & (lengths <= longest) & ~found)
        # Character by character: most values drop out at the first.
        for i, char in enumerate(shape):
            byte = data[offsets[rows] + i]
            rows = rows[_CLASSES[byte] == _DIGIT if char == "9" else byte == ord(char)]
        found[rows] = True
    rows = np.flatnonzero(found)
    if rows.size:
        found[rows] = _per_value(_IN_DATES[data], offsets)[rows] == lengths[rows]
    return found
