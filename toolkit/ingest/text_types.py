"""What type a run of text values has: the first of a fixed ladder that all of them satisfy exactly.

The ladder is: bool, int, decimal (integers beyond 64 bits), float, date, timestamp, time, string. A value satisfies a
type only if nothing of it is lost: text with leading zeros or a plus sign is a code, not a number; a number too large
for a double is not one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from toolkit.ingest import buffers
from toolkit.ingest.buffers import presence, strings
from toolkit.ingest.decimals import decimal_text

NULL_SPELLINGS = ("NA", "N/A", "n/a", "NULL", "null", "None", "")
"""Words that mean a missing value in a column that is otherwise numbers, dates or booleans; in text they are text."""
_SPELLINGS = strings(NULL_SPELLINGS)

_TRIED_AT_ONCE, _TRIED_FIRST = 6, 64
_LOOKED_AT = 4096
_ZERO, _NINE, _MINUS, _PLUS, _DOT = (ord(c) for c in "09-+.")
_LONGEST_DECIMAL = 76
_EXACT_INTEGER = 2**53


@dataclass(slots=True)
class Typed:
    """A run of values with the type that was found for them.

    Attributes
    ----------
    kind : str
        ``null``, or a logical kind of `toolkit.core.schema`.
    values : pyarrow.Array
        int64 or uint64, double, bool, date32, timestamp, time64 or string; null where missing.
    timezone : str
        ``"UTC"`` where the timestamps have an offset.
    spelled : dict of str to int
        How often each null spelling occurs among values that are otherwise not text.
    """

    kind: str
    values: pa.Array
    timezone: str = ""
    spelled: dict[str, int] = field(default_factory=dict)


def infer(values: pa.Array) -> Typed:
    """Find the type of text values.

    Parameters
    ----------
    values : pyarrow.StringArray
        Null where a field was empty and not quoted.
    """
    if values.null_count == len(values):
        return Typed("null", pa.nulls(len(values)))
    if _has_plain_text(values):
        return Typed("string", values)
    found = _climb(values) or _climb_trimmed(values)
    if found is not None:
        return found
    if not _may_be_typed(values):
        return Typed("string", values)
    mask = pc.is_in(values, value_set=_SPELLINGS)
    if pc.any(mask).as_py():
        spelled = {e["values"]: e["counts"] for e in pc.value_counts(values.filter(mask)).to_pylist()}
        rest = pc.if_else(mask, pa.scalar(None, pa.string()), values)
        if rest.null_count == len(rest):
            return Typed("null", pa.nulls(len(rest)), spelled=dict(sorted(spelled.items())))
        found = _climb(rest) or _climb_trimmed(rest)
        if found is not None:
            found.spelled = dict(sorted(spelled.items()))
            return found
    return Typed("string", values)


def _has_plain_text(values: pa.Array) -> bool:
    """Whether one of the first values has the shape of no type, which makes text of them all; most text is told so."""
    few = values.slice(0, _TRIED_FIRST).drop_null().slice(0, _TRIED_AT_ONCE).to_pylist()
    return any(
        text not in NULL_SPELLINGS and not any(rung.shape.fullmatch(text.strip(" ")) for rung in _LADDER)
        for text in few
    )


def _may_be_typed(values: pa.Array) -> bool:
    """Whether the first values, without words for missing ones, have a type: if not, the whole has none either."""
    head = values.slice(0, _LOOKED_AT).drop_null()
    rest = head.filter(pc.invert(pc.is_in(head, value_set=_SPELLINGS)))
    rest = rest.slice(0, _TRIED_FIRST)
    return not len(rest) or (_climb(rest) or _climb_trimmed(rest)) is not None


def convert(values: pa.Array, kind: str, timezone: str = "") -> Typed | None:
    """Text values as one kind; None where any of them does not satisfy it."""
    if kind == "string":
        return Typed("string", values)
    mask = pc.is_in(values, value_set=_SPELLINGS)
    rest = pc.if_else(mask, pa.scalar(None, pa.string()), values)
    if rest.null_count == len(rest):
        return Typed("null", pa.nulls(len(rest)))
    if kind == "decimal":
        decimals = decimal_text(_trimmed(rest))
        return None if decimals is None else Typed(kind, decimals)
    for rung in _LADDER:
        if (rung.kind, rung.timezone) == (kind, timezone) and (found := rung.attempt(_trimmed(rest))) is not None:
            return Typed(kind, found, timezone)
    return None


def _climb(values: pa.Array) -> Typed | None:
    # A cast that fails builds an error text for every bad value, which takes a hundred times as long as one that works:
    # so very few values are looked at first, and then every type is tried on some more.
    head = values.slice(0, _LOOKED_AT).drop_null()
    head = head if len(head) else values.drop_null()
    some, few = head.slice(0, _TRIED_FIRST), head.slice(0, _TRIED_AT_ONCE).to_pylist()
    for rung in _LADDER:
        if not all(rung.shape.fullmatch(text) for text in few) or rung.attempt(some) is None:
            continue
        found = rung.attempt(values)
        if found is not None:
            return Typed(rung.kind, found, rung.timezone)
    return None


def _climb_trimmed(values: pa.Array) -> Typed | None:
    trimmed = _trimmed(values)
    return None if trimmed is values else _climb(trimmed)


def _trimmed(values: pa.Array) -> pa.Array:
    """Without spaces around values, where there are any; looks at first and last bytes only."""
    starts, lengths, data = _buffers(values)
    starts, lengths = starts[lengths > 0], lengths[lengths > 0]
    if starts.size and bool(((data[starts] == 32) | (data[starts + lengths - 1] == 32)).any()):
        return pc.ascii_trim(values, " ")
    return values


def _buffers(values: pa.Array) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Where the values begin, their lengths (0 where null) and the bytes."""
    _, offsets_buffer, data_buffer = values.buffers()
    offsets = np.frombuffer(offsets_buffer, np.int32, len(values) + 1, values.offset * 4).astype(np.int64)
    data = (
        np.frombuffer(data_buffer, np.uint8) if data_buffer is not None and data_buffer.size else np.zeros(1, np.uint8)
    )
    lengths = np.diff(offsets)
    if values.null_count:
        # Arrow allows bytes under a missing value
        lengths[~presence(values)] = 0
    return offsets[:-1], lengths, data


def _cast(values: pa.Array, target: pa.DataType) -> pa.Array | None:
    try:
        return pc.cast(values, target)
    except pa.ArrowInvalid:
        return None


def _is_plain_number(values: pa.Array, *, integer: bool) -> bool:
    """Whether no value has leading zeros or a plus sign, nor, of integers, is a negative zero."""
    starts, lengths, data = _buffers(values)
    if not lengths.all():
        starts, lengths = starts[lengths > 0], lengths[lengths > 0]
    first = data[starts]
    if bool((first == _PLUS).any()):
        return False
    # all others begin with a digit from 1 to 9, a point or a letter
    doubtful = np.flatnonzero((first == _ZERO) | (first == _MINUS))
    starts, lengths, negative = starts[doubtful], lengths[doubtful], first[doubtful] == _MINUS
    digits = lengths - negative
    last = data.size - 1
    zero = data[np.minimum(starts + negative, last)] == _ZERO
    if integer:
        return not bool((zero & ((digits > 1) | negative)).any())
    after = data[np.minimum(starts + negative + 1, last)]
    return not bool((zero & (digits > 1) & (after >= _ZERO) & (after <= _NINE)).any())


def _as_bool(values: pa.Array) -> pa.Array | None:
    _, lengths, _ = _buffers(values)
    # Arrow takes 0 and 1 for booleans too; here they are integers.
    if bool(((lengths > 0) & (lengths < 4)).any()):
        return None
    return _cast(values, pa.bool_())


def _as_int(values: pa.Array) -> pa.Array | None:
    _, lengths, _ = _buffers(values)
    if bool((lengths > 20).any()):
        return None
    found = _cast(values, pa.int64())
    if found is None and bool((lengths >= 19).any()):
        found = _cast(values, pa.uint64())
    return found if found is not None and _is_plain_number(values, integer=True) else None


def _as_big_integer(values: pa.Array) -> pa.Array | None:
    """Integers beyond 64 bits, kept as their own canonical text."""
    _, lengths, _ = _buffers(values)
    if int(lengths.max(initial=0)) > _LONGEST_DECIMAL:
        return None
    if not pc.all(pc.match_substring_regex(values, r"^(0|-?[1-9][0-9]*)$")).as_py():
        return None
    return values


def _as_float(values: pa.Array) -> pa.Array | None:
    found = _cast(values, pa.float64())
    if found is None or not _is_plain_number(values, integer=False):
        return None
    numbers = buffers.numbers(found.drop_null() if found.null_count else found)
    if not bool((np.abs(numbers) >= _EXACT_INTEGER).any()):
        return found
    infinite = int(np.isinf(numbers).sum())
    if infinite and infinite != pc.sum(pc.match_substring(values, "inf", ignore_case=True)).as_py():
        return None
    return found if _keeps_integers(values, numbers) else None


def _keeps_integers(values: pa.Array, numbers: npt.NDArray[np.float64]) -> bool:
    """Whether no integer among the texts is so large that a double would change it."""
    large = values.drop_null().filter(pa.array(np.abs(numbers) >= _EXACT_INTEGER))
    plain = large.filter(pc.match_substring_regex(large, r"^-?[0-9]+$"))
    return all(int(text) == int(float(text)) for text in plain.to_pylist())


def _as_date(values: pa.Array) -> pa.Array | None:
    return _cast(values, pa.date32())


def _as_timestamp(zone: str | None) -> Callable[[pa.Array], pa.Array | None]:
    def attempt(values: pa.Array) -> pa.Array | None:
        _, lengths, _ = _buffers(values)
        # Arrow also takes an hour alone, and more digits of a second only in nanoseconds.
        if bool(((lengths > 0) & (lengths < 16) & (lengths != 10)).any()):
            return None
        found = _cast(values, pa.timestamp("us", zone))
        if found is None and bool((lengths > 26).any()):
            found = _cast(values, pa.timestamp("ns", zone))
        return found

    return attempt


def _as_time(values: pa.Array) -> pa.Array | None:
    """Times of day, as microseconds since midnight."""
    _, lengths, data = _buffers(values)
    if not bool(((lengths == 0) | (lengths == 5) | ((lengths >= 8) & (lengths <= 15))).all()) or 58 not in data:
        return None
    day = _cast(pc.binary_join_element_wise("1970-01-01", values, " "), pa.timestamp("us"))
    return None if day is None else day.cast(pa.int64()).cast(pa.time64("us"))


def _shape(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL | re.ASCII)


@dataclass(frozen=True, slots=True)
class _Rung:
    """One type of the ladder.

    Attributes
    ----------
    kind, timezone : str
        As in `Typed`.
    shape : re.Pattern
        What every value of the type matches, and other values may.
    attempt : callable
        The values as this type; None where any of them does not satisfy it.
    """

    kind: str
    timezone: str
    shape: re.Pattern[str]
    attempt: Callable[[pa.Array], Any]


_LADDER = (
    _Rung("bool", "", _shape(r"true|false"), _as_bool),
    _Rung("int", "", _shape(r"-?[0-9]+"), _as_int),
    _Rung("decimal", "", _shape(r"-?[0-9]+"), _as_big_integer),
    _Rung("float", "", _shape(r"[+-]?([0-9.][0-9.e+-]*|inf(inity)?|nan.*)"), _as_float),
    _Rung("date", "", _shape(r"[0-9-]+"), _as_date),
    _Rung("timestamp", "", _shape(r"[0-9-].*"), _as_timestamp(None)),
    _Rung("timestamp", "UTC", _shape(r"[0-9-].*"), _as_timestamp("UTC")),
    _Rung("time", "", _shape(r"[0-9].*"), _as_time),
)
