"""Attributes of an event log as columns: one type for all values of a key, by the tags they are written with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from toolkit.core.errors import BadInputError
from toolkit.readers.mixed_values import EXACT_IN_DOUBLE

if TYPE_CHECKING:
    import pyarrow as pa

    from toolkit.readers.xes_walk import EventRun

_TEXT_TAGS = frozenset({"string", "id"})


@dataclass(slots=True)
class _Tagged:
    """What is known of the values of one tag."""

    casts: dict[str, Callable[[pa.Array], pa.Array | None]]
    empty: int = 0
    exact: bool = True
    bad: str = ""


@dataclass(slots=True)
class AttributeColumn:
    """All attributes of one key, of the events or of their cases.

    Attributes
    ----------
    case : bool
        Whether it is an attribute of cases.
    key : str
        Its key.
    kind : str
        The type that holds all values, ``text`` where only text does; known after `decide`.
    note : str
        What a person must know of that.
    """

    case: bool
    key: str
    kind: str = "text"
    note: str = ""
    _tags: dict[str, _Tagged] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The column's name: ``case:`` and the key for cases."""
        return f"case:{self.key}" if self.case else self.key

    @property
    def declared(self) -> str:
        """The tags of its values."""
        return ", ".join(self._tags)

    def add(self, tag: str, values: pa.Array) -> None:
        """Take note of a run's values of one tag, null where there is none."""
        import pyarrow.compute as pc

        known = self._tags.get(tag)
        if known is None:
            known = self._tags[tag] = _Tagged(dict(_casts()[tag]))
        if not known.casts:
            return
        filled = _filled(values)
        known.empty += filled.null_count - values.null_count
        filled = filled.drop_null()
        for name, cast in list(known.casts.items()):
            found = cast(filled)
            if found is None:
                del known.casts[name]
                known.bad = _first_bad(filled, cast)
            elif name == "int64" and len(found) and known.exact:
                bounds = pc.min_max(found)
                known.exact = max(-bounds["min"].as_py(), bounds["max"].as_py()) <= EXACT_IN_DOUBLE

    def decide(self) -> None:
        """Choose the type, after all runs."""
        tags = set(self._tags)
        empty = sum(t.empty for t in self._tags.values())
        if tags <= _TEXT_TAGS or tags == {"list"}:
            self.kind = "text"
            if tags == {"list"}:
                self.note = f"column {self.name!r}: lists are kept as JSON text"
            return
        if len(tags) == 1:
            known = next(iter(self._tags.values()))
            self.kind = next(iter(known.casts), "text")
            if self.kind == "text":
                what = "are no dates of one form" if tags == {"date"} else f"are not all of <{next(iter(tags))}>"
                self.note = f"column {self.name!r} is text: its values {what}, such as {known.bad!r}"
                return
        elif tags == {"int", "float"} and self._tags["int"].exact and "int64" in self._tags["int"].casts:
            self.kind = next(iter(self._tags["float"].casts), "text")
        if self.kind == "text":
            self.note = f"column {self.name!r} is text: its values are written as {' and '.join(sorted(tags))}"
        elif empty:
            self.note = f"column {self.name!r}: {empty:,} empty values are missing ones"

    def build(self, run: EventRun) -> pa.Array:
        """The column's values in a run.

        Raises
        ------
        BadInputError
            When an event has two values for the key.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        arrays = run.case if self.case else run.event
        values = [arrays[tag, self.key] for tag in self._tags if (tag, self.key) in arrays]
        if not values:
            return pa.nulls(run.rows, _types()[self.kind])
        for i, first in enumerate(values):
            for second in values[i + 1 :]:
                both = pc.and_(first.is_valid(), second.is_valid())
                if pc.any(both).as_py():
                    row = run.first + pc.index(both, value=True).as_py()
                    raise BadInputError(f"event {row:,} has two values for {self.name!r}", "only one could be kept")
        text = pc.coalesce(*values) if len(values) > 1 else values[0]
        if self.kind == "text":
            return text
        found = _cast(_filled(text), _types()[self.kind])
        if found is None:
            raise BadInputError(f"the values of {self.name!r} changed while the log was read", "convert it again")
        return found


def _types() -> dict[str, pa.DataType]:
    import pyarrow as pa

    return {
        "text": pa.string(),
        "int64": pa.int64(),
        "uint64": pa.uint64(),
        "integer": pa.decimal256(76, 0),
        "double": pa.float64(),
        "bool": pa.bool_(),
        "instant, us": pa.timestamp("us", "UTC"),
        "local time, us": pa.timestamp("us"),
        "instant, ns": pa.timestamp("ns", "UTC"),
        "local time, ns": pa.timestamp("ns"),
    }


def _casts() -> dict[str, dict[str, Callable[[pa.Array], pa.Array | None]]]:
    """For each tag the types that its values may have, best first."""
    types = _types()

    def to(name: str) -> Callable[[pa.Array], pa.Array | None]:
        return lambda values: _cast(values, types[name])

    names = {
        "int": ("int64", "uint64", "integer"),
        "float": ("double",),
        "boolean": ("bool",),
        "date": ("instant, us", "local time, us", "instant, ns", "local time, ns"),
    }
    return {"string": {}, "id": {}, "list": {}} | {tag: {n: to(n) for n in ns} for tag, ns in names.items()}


def _cast(values: pa.Array, target: pa.DataType) -> pa.Array | None:
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        found = pc.cast(values, target)
    except pa.ArrowInvalid:
        return None
    if pa.types.is_floating(target):
        infinite = pc.is_inf(found)
        if (
            pc.any(infinite).as_py()
            and not pc.all(pc.match_substring(values.filter(infinite), "inf", ignore_case=True)).as_py()
        ):
            return None
    return found


def _filled(values: pa.Array) -> pa.Array:
    """Values without the empty ones, which say nothing where text is not meant."""
    import pyarrow as pa
    import pyarrow.compute as pc

    empty = pc.equal(values, "")
    return pc.if_else(empty, pa.scalar(None, pa.string()), values) if pc.any(empty).as_py() else values


def _first_bad(values: pa.Array, cast: Callable[[pa.Array], pa.Array | None]) -> str:
    """The first value that can't be cast, found by halving."""
    while len(values) > 1:
        half = len(values) // 2
        values = values.slice(0, half) if cast(values.slice(0, half)) is None else values.slice(half)
    return str(values[0].as_py())[:60]
