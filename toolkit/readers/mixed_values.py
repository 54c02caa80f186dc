"""Columns whose values each have a type of their own: one type for all of them, without loss."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

EXACT_IN_DOUBLE = 2**53
"""Every integer up to here is a double."""

_LARGEST_INT64, _LARGEST_UINT64 = 2**63 - 1, 2**64 - 1
_LARGEST_DECIMAL = 10**76 - 1
_SECONDS = r"(:\d\d(\.\d{1,9})?)?"
ISO_TIME = rf"^\d{{4}}-\d\d-\d\d([T ]\d\d:\d\d{_SECONDS}(Z|[+-]\d\d:?\d\d)?)?$"
"""A date or a point in time as ISO 8601 writes it, in a syntax that both Python and RE2 take."""

_is_time = re.compile(ISO_TIME, re.ASCII).match


@dataclass(frozen=True, slots=True)
class ColumnType:
    """The type that holds all values of a column.

    Attributes
    ----------
    arrow : pyarrow.DataType
        What its values are turned into.
    infer : bool
        Whether they are texts, each a date or time, whose type the converter is to find out.
    declared : str
        The kinds of values found, as text.
    note : str
        What a person must know; empty where the values have their own type.
    """

    arrow: pa.DataType
    infer: bool
    declared: str
    note: str = ""


class Mixture:
    """What kinds of values a column has.

    Attributes
    ----------
    counts : dict of str to int
        Values by kind: bool, int, float, string, binary, json, date, timestamp, time, duration.
    low, high : int
        Bounds of the integers; 0 lies between them.
    exact : bool
        Whether all integers are doubles without loss.
    times : bool
        Whether every string is a date or time in ISO 8601.
    """

    __slots__ = ("counts", "exact", "high", "low", "times")

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.low = self.high = 0
        self.exact = self.times = True

    def add(self, value: Any) -> None:
        """Take note of one value; None is missing and says nothing."""
        if value is None:
            return
        kind = kind_of(value)
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if kind == "string":
            self.times = self.times and _is_time(value) is not None
        elif kind == "int":
            self.add_range(value, value)

    def add_range(self, low: int, high: int) -> None:
        """Take note of integers between two bounds that occur."""
        self.low, self.high = min(self.low, low), max(self.high, high)
        if self.exact and (low < -EXACT_IN_DOUBLE or high > EXACT_IN_DOUBLE):
            # what lies between the bounds is not known: only a single value can be
            self.exact = low == high and _is_double(low)

    def decide(self, name: str) -> ColumnType:
        """One type for all the values."""
        import pyarrow as pa

        kinds = set(self.counts)
        declared = ", ".join(sorted(kinds))
        if not kinds:
            return ColumnType(pa.null(), infer=False, declared="no value")
        if kinds == {"string"}:
            return ColumnType(pa.string(), infer=self.times, declared="string")
        found = _pure(kinds) or self._numeric(kinds)
        if found is not None:
            return ColumnType(found, infer=False, declared=declared)
        if kinds == {"json"}:
            note = f"column {name!r}: arrays and the like are kept as JSON text"
            return ColumnType(pa.string(), infer=False, declared="json", note=note)
        if kinds == {"int"}:
            note = f"column {name!r}: integers of more than 76 digits are kept as text"
            return ColumnType(pa.string(), infer=False, declared="int as text", note=note)
        target = pa.binary() if "binary" in kinds else pa.string()
        what, hold = ("bytes", "hold") if "binary" in kinds else ("text", "holds")
        note = (
            f"column {name!r} has values of several kinds ({self._shares()}); only {what} {hold} them all without loss"
        )
        return ColumnType(target, infer=False, declared=f"{declared} as {what}", note=note)

    def _shares(self) -> str:
        shares: dict[str, int] = {}
        for kind, count in sorted(self.counts.items()):
            shown = "number" if kind in ("int", "float") else kind
            shares[shown] = shares.get(shown, 0) + count
        return ", ".join(f"{count:,} {kind}" for kind, count in sorted(shares.items()))

    def _numeric(self, kinds: set[str]) -> pa.DataType | None:
        import pyarrow as pa

        if kinds == {"int"}:
            if self.low >= -_LARGEST_INT64 - 1 and self.high <= _LARGEST_INT64:
                return pa.int64()
            if self.low >= 0 and self.high <= _LARGEST_UINT64:
                return pa.uint64()
            return pa.decimal256(76, 0) if max(-self.low, self.high) <= _LARGEST_DECIMAL else None
        return pa.float64() if kinds == {"int", "float"} and self.exact else None


def _is_double(value: int) -> bool:
    try:
        return int(float(value)) == value
    except OverflowError:
        return False


def _pure(kinds: set[str]) -> pa.DataType | None:
    """The type of values that are all of one simple kind."""
    import pyarrow as pa

    if kinds == {"date", "timestamp"}:
        return pa.timestamp("us")
    return {
        "bool": pa.bool_(),
        "float": pa.float64(),
        "binary": pa.binary(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("us"),
        "time": pa.time64("us"),
        "duration": pa.duration("us"),
    }.get("".join(kinds) if len(kinds) == 1 else "")


def kind_of(value: Any) -> str:
    """The kind of a value, as `Mixture` counts them."""
    return _KINDS.get(type(value), "json")


_KINDS: dict[type, str] = {
    str: "string",
    int: "int",
    float: "float",
    bool: "bool",
    bytes: "binary",
    dt.datetime: "timestamp",
    dt.date: "date",
    dt.time: "time",
    dt.timedelta: "duration",
}


def text_of(value: Any) -> str:
    """A value as text from which it can be had back.

    Examples
    --------
    >>> text_of(True), text_of(10**25), text_of(0.1), text_of([1, {"a": None}])
    ('true', '10000000000000000000000000', '0.1', '[1,{"a":null}]')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, dt.datetime):
        return value.isoformat(" ")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        return str(value)
    import json

    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def to_arrow(values: Sequence[Any], kind: ColumnType) -> pa.Array:
    """Values as an Arrow array of their column's type.

    Raises
    ------
    UnicodeEncodeError
        When a text has half a surrogate pair, which UTF-8 can't hold.
    """
    import pyarrow as pa

    target = kind.arrow
    if pa.types.is_string(target) and kind.declared != "string":
        return pa.array([None if v is None else text_of(v) for v in values], target)
    if pa.types.is_binary(target) and kind.declared != "binary":
        return pa.array([v if v is None or isinstance(v, bytes) else text_of(v).encode() for v in values], target)
    if pa.types.is_decimal(target):
        from decimal import Decimal

        return pa.array([None if v is None else Decimal(v) for v in values], target)
    if pa.types.is_floating(target):
        # Arrow refuses large integers here, even those that are doubles
        values = [float(v) if type(v) is int else v for v in values]
    if pa.types.is_timestamp(target):
        midnight = dt.time()
        values = [
            dt.datetime.combine(v, midnight) if type(v) is dt.date else v  # a datetime is a date as well
            for v in values
        ]
    return pa.array(values, target)
