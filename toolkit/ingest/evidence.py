"""What every part of a source says of a column, and what follows for the whole column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from toolkit.core.schema import Kind, Unit

UNITS: tuple[Unit, ...] = ("s", "ms", "us", "ns")
_LARGEST_INT64 = 2**63 - 1
_EARLIEST_NANOSECOND = -(_LARGEST_INT64 // 10**9) * 10**9
"""First full second of which the nanosecond can be told, near the end of 1677; the last one is in 2262."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one part says of one column.

    Attributes
    ----------
    kind : str
        The first kind of the ladder that all values of the part satisfy; ``null`` where all are missing.
    rows, missing : int
        Values, and how many of them are missing.
    timezone : str
        ``UTC`` for instants.
    unit : str
        The coarsest unit that holds all its times exactly.
    low, high : int or None
        Smallest and largest of integers; of timestamps in nanoseconds.
    fine : bool
        Whether a timestamp was written with more places than microseconds have.
    wide : bool
        Whether floats are doubles.
    as_float : bool
        Whether all its integers are doubles without loss.
    scale : int
        Places behind the point of decimals.
    spelled : dict of str to int
        Null spellings that were taken for missing, and how often.
    """

    kind: str
    rows: int
    missing: int
    timezone: str = ""
    unit: Unit = ""
    low: int | None = None
    high: int | None = None
    fine: bool = False
    wide: bool = True
    as_float: bool = True
    scale: int = 0
    spelled: dict[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Decision:
    """The type of a whole column.

    Attributes
    ----------
    kind, timezone, unit, scale
        As in `toolkit.core.schema.ColumnSpec`.
    dtype : str
        Stored dtype; empty for text, whose layout depends on its distinct values.
    missing : int
        Missing values over all rows.
    again : tuple of int
        Parts in which the column was read as a type that does not fit and can't be turned into this one.
    reason : str
        From what it was decided, for the source record.
    """

    kind: Kind
    timezone: str
    unit: Unit
    scale: int
    dtype: str
    missing: int
    again: tuple[int, ...]
    reason: str


def decide(parts: Sequence[Evidence], *, inferred: bool) -> Decision:
    """Unify what all the parts say.

    Parameters
    ----------
    parts : sequence of Evidence
        In the order of the parts.
    inferred : bool
        Whether the types were inferred from text; only then can a column be read again as text.
    """
    kinds = {(e.kind, e.timezone) for e in parts if e.kind != "null"}
    kind, timezone = _unify(kinds, parts)
    spelled = any(e.spelled for e in parts)
    if kind == "null" and spelled:
        kind = "string"
    again = tuple(i for i, e in enumerate(parts) if not _fits(e, kind)) if inferred else ()
    unit: Unit = ""
    if kind in ("timestamp", "time", "duration"):
        unit = UNITS[max((UNITS.index(e.unit) for e in parts if e.unit in UNITS), default=0)]
    elif kind == "date":
        unit = "D"
    missing = sum(e.missing for e in parts)
    return Decision(
        kind=kind,  # type: ignore[arg-type]
        timezone=timezone,
        unit=unit,
        scale=max((e.scale for e in parts), default=0),
        dtype=_dtype(kind, parts),
        missing=missing,
        again=again,
        reason=_reason(kind, kinds, parts),
    )


def _unify(kinds: set[tuple[str, str]], parts: Sequence[Evidence]) -> tuple[str, str]:
    if not kinds:
        return "null", ""
    names = {k for k, _ in kinds}
    low = min((e.low for e in parts if e.low is not None), default=0)
    high = max((e.high for e in parts if e.high is not None), default=0)
    if len(kinds) == 1:
        kind, timezone = next(iter(kinds))
        if kind == "timestamp" and _beyond_nanoseconds(parts):
            return "string", ""
        return ("decimal", "") if kind == "int" and low < 0 and high > _LARGEST_INT64 else (kind, timezone)
    if names <= {"int", "decimal"}:
        return "decimal", ""
    if names <= {"int", "decimal", "float"}:
        return ("float", "") if all(e.as_float for e in parts) else ("string", "")
    if kinds == {("date", ""), ("timestamp", "")}:
        return ("string", "") if _beyond_nanoseconds(parts) else ("timestamp", "")
    return "string", ""


def _beyond_nanoseconds(parts: Sequence[Evidence]) -> bool:
    """Whether some times need nanoseconds and others, in no matter which part, are too far away for them."""
    low = min((e.low for e in parts if e.low is not None), default=0)
    high = max((e.high for e in parts if e.high is not None), default=0)
    return any(e.fine for e in parts) and (low < _EARLIEST_NANOSECOND or high > _LARGEST_INT64)


def _fits(evidence: Evidence, kind: str) -> bool:
    """Whether a part's staged values can be turned into the column's kind without the text."""
    if evidence.kind == kind or (evidence.kind == "null" and not (evidence.spelled and kind == "string")):
        return not (evidence.spelled and kind == "string")
    return (evidence.kind, kind) in {("int", "float"), ("int", "decimal"), ("date", "timestamp")}


def _dtype(kind: str, parts: Sequence[Evidence]) -> str:
    if kind == "int":
        low = min((e.low for e in parts if e.low is not None), default=0)
        high = max((e.high for e in parts if e.high is not None), default=0)
        return narrowest(low, high)
    if kind == "float":
        return "<f8" if any(e.wide for e in parts if e.kind != "null") else "<f4"
    return {
        "bool": "|b1",
        "null": "|i1",
        "date": "<i4",
        "timestamp": "<i8",
        "time": "<i8",
        "duration": "<i8",
    }.get(kind, "")


def narrowest(low: int, high: int) -> str:
    """The narrowest integer dtype for a range: unsigned where nothing is negative.

    Examples
    --------
    >>> narrowest(0, 255), narrowest(-1, 255), narrowest(0, 2**63)
    ('|u1', '<i2', '<u8')
    """
    letter = "u" if low >= 0 else "i"
    for size in (1, 2, 4, 8):
        top = 2 ** (8 * size) - 1 if low >= 0 else 2 ** (8 * size - 1) - 1
        if high <= top and (low >= 0 or low >= -top - 1):
            return f"{'|' if size == 1 else '<'}{letter}{size}"
    raise ValueError(f"no integer dtype holds {low} to {high}")


def _reason(kind: str, kinds: set[tuple[str, str]], parts: Sequence[Evidence]) -> str:
    present = sum(e.rows - e.missing for e in parts)
    spelled: dict[str, int] = {}
    for e in parts:
        for word, count in e.spelled.items():
            spelled[word] = spelled.get(word, 0) + count
    words = ", ".join(f"{w!r} {c} times" for w, c in sorted(spelled.items()))
    if kind == "null":
        return "no value is present"
    if kind == "string" and len(kinds) > 1:
        seen = ", ".join(sorted({k for k, _ in kinds}))
        return f"parts of the column read as {seen}; only text holds all {present} values without loss"
    found = (
        f"all {present:,} values present are text"
        if kind == "string"
        else f"all {present:,} values present are of this type"
    )
    return f"{found}; taken for missing: {words}" if words and kind != "string" else found
