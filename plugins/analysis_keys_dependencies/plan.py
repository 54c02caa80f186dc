"""What is tried as a key, what may follow from what, and which columns may be the same; from a profile alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, permutations
from math import floor, prod
from typing import Any

from toolkit.plugin import ColumnSpec, Context, omission

_NO_KEYS = ("text", "flag", "constant", "empty")
_KEY_KINDS = ("int", "string", "binary")
_PART_KINDS = (*_KEY_KINDS, "timestamp", "date")
"""Kinds of a key of two columns: of a time alone it is chance that no two rows share it."""
MOST_ENTRIES = 4 << 20
"""Entries of 24 bytes that all tables of counts may have together."""

_SMALLEST_PART, _LARGEST_PART = 10, 22
"""Binary logarithms of the values of a determining column that are counted at once."""

MOST_READINGS = 16
_FEW = 1024
"""Distinct values up to which a column may determine others together with another."""

_EACH_OF_TWO = 8
"""Rows for each combination of two columns at least."""

_CHANCE = 10
"""Rows that two independent columns of a key would have in common at least."""

_WIDEST = 1 << 62
_SIMILAR = 0.02


@dataclass(frozen=True, slots=True)
class Side:
    """A column, as small integers.

    Attributes
    ----------
    name : str
        The column.
    low : int
        Its smallest value or code.
    width : int
        How many values or codes there can be.
    """

    name: str
    low: int
    width: int


@dataclass(frozen=True, slots=True)
class Dependent:
    """A column that may follow from another, or from two together.

    Attributes
    ----------
    sides : tuple of Side
        The columns that may determine.
    target : Side
        The column that may be determined.
    groups : int
        Values that the former have at most, of two the product.
    """

    sides: tuple[Side, ...]
    target: Side
    groups: int

    @property
    def by(self) -> tuple[str, ...]:
        """Names of the columns that may determine."""
        return tuple(side.name for side in self.sides)

    @property
    def column(self) -> str:
        """Name of the column that may be determined."""
        return self.target.name

    @property
    def width(self) -> int:
        """Values or codes of the column that may be determined."""
        return self.target.width

    @property
    def size(self) -> int:
        """Combinations of all values that there can be."""
        return prod(side.width for side in self.sides) * self.width

    def entries(self, most: int, allowed: int) -> int:
        """Entries of a table of at most so many determining values, until it is given up."""
        return min(min(self.groups, most) + allowed, self.size)


@dataclass(slots=True)
class Plan:
    """What is done.

    Attributes
    ----------
    keys : list of str
        Columns that are keys, as the profile knows.
    sets : list of list of str
        Columns, and pairs of them, whose repeating rows are looked for.
    dependents : list of Dependent
        In the order in which they are told.
    twins : list of (str, str)
        Columns that may be the same.
    allowed : int
        Rows that may break a dependency.
    unequal : int
        Rows in which columns that are nearly the same may differ.
    """

    keys: list[str] = field(default_factory=list)
    sets: list[list[str]] = field(default_factory=list)
    dependents: list[Dependent] = field(default_factory=list)
    twins: list[tuple[str, str]] = field(default_factory=list)
    allowed: int = 0
    unequal: int = 0

    @property
    def columns(self) -> list[str]:
        """Columns that have to be read."""
        pairs = [(*d.by, d.column) for d in self.dependents]
        return list(dict.fromkeys(name for names in [*self.sets, *pairs, *self.twins] for name in names))


def make_plan(ctx: Context) -> Plan:
    """Decide from the profile's exact counts."""
    entries = {e["name"]: e for e in ctx.result("profile_basic").data["columns"]}
    facts = {name: entries[name] for name in ctx.columns() if entries[name].get("distinct")}
    plan = Plan(allowed=floor(ctx.params["error"] * ctx.rows))
    plan.unequal = floor((1 - ctx.params["equal_share"]) * ctx.rows)
    _plan_keys(ctx, facts, plan)
    _plan_twins(ctx, facts, plan)
    _plan_dependents(ctx, facts, plan)
    return plan


def _plan_keys(ctx: Context, facts: Mapping[str, Any], plan: Plan) -> None:
    whole = [
        name
        for name, e in facts.items()
        if not e["missing"] and e["kind"] in _PART_KINDS and e.get("role") not in _NO_KEYS
    ]
    single = [name for name in whole if facts[name]["kind"] in _KEY_KINDS]
    plan.keys = [name for name in single if facts[name]["distinct"] == ctx.rows]
    least = (1 - ctx.params["key_error"]) * ctx.rows
    plan.sets = [[name] for name in single if least <= facts[name]["distinct"] < ctx.rows]
    if plan.keys or plan.sets:
        return
    # Of more combinations no two rows would share one by chance either.
    widest = ctx.rows**2 / (2 * _CHANCE)
    made = {(a, b): facts[a]["distinct"] * facts[b]["distinct"] for a, b in combinations(whole, 2)}
    pairs = sorted((pair for pair, n in made.items() if ctx.rows <= n <= widest), key=lambda pair: made[pair])
    tried = ctx.params["key_pairs"]
    if ctx.budget.max_pairs is not None:
        tried = min(tried, ctx.budget.max_pairs)
    if len(pairs) > tried:
        rule = "pairs with the fewest possible combinations of values are tried as keys"
        ctx.omit(omission("key_pairs", tried, len(pairs), rule, [f"{a} × {b}" for a, b in pairs[tried:]]))
    plan.sets = [list(pair) for pair in pairs[:tried]]


def _plan_twins(ctx: Context, facts: Mapping[str, Any], plan: Plan) -> None:
    for a, b in combinations(facts, 2):
        first, second = facts[a], facts[b]
        near = all(
            abs(first[k] - second[k]) <= plan.unequal + _SIMILAR * max(first[k], second[k])
            for k in ("distinct", "count")
        )
        if near and min(first["distinct"], second["distinct"]) > 1 and _comparable(ctx.schema[a], ctx.schema[b]):
            plan.twins.append((a, b))


def _comparable(first: ColumnSpec, second: ColumnSpec) -> bool:
    numbers = ("int", "float")
    if first.kind in numbers and second.kind in numbers:
        return True
    return first.kind == second.kind and first.unit == second.unit and first.timezone == second.timezone


def _plan_dependents(ctx: Context, facts: Mapping[str, Any], plan: Plan) -> None:
    sides = {n: side for n in facts if (side := _side(ctx, n, facts[n])) is not None and facts[n]["distinct"] > 1}
    possible, large = [], []
    for a, b in permutations(sides, 2):
        found = Dependent((sides[a],), sides[b], facts[a]["distinct"])
        if not _may_follow(found, facts[b], facts[a]["count"], plan.allowed, ctx.params["group_rows"]):
            continue
        (possible if found.groups <= ctx.params["groups"] else large).append(found)
    if large:
        names = list(dict.fromkeys(d.by[0] for d in large))
        most = max(facts[n]["distinct"] for n in names)
        rule = (
            f"columns of at most {ctx.params['groups']:,} distinct values may determine others; raise groups to {most}"
        )
        ctx.omit(omission("groups", ctx.params["groups"], most, rule, names))
    possible.sort(key=lambda d: d.groups)  # stable: ties stay in table order
    possible += _of_two(ctx, facts, sides, plan)
    kept, room = [], MOST_ENTRIES
    for d in possible if ctx.budget.max_pairs is None else possible[: ctx.budget.max_pairs]:
        room -= d.entries(1 << _SMALLEST_PART, plan.allowed)
        if room < 0:
            break
        kept.append(d)
    if len(kept) < len(possible):
        rule = "dependencies on the columns with the fewest distinct values, ties in table order"
        listed = [f"{' and '.join(d.by)} -> {d.column}" for d in possible[len(kept) :]]
        ctx.omit(omission("max_pairs", len(kept), len(possible), rule, listed))
    plan.dependents = kept


def _of_two(ctx: Context, facts: Mapping[str, Any], sides: Mapping[str, Side], plan: Plan) -> list[Dependent]:
    """Columns that may follow from two of few values together."""
    few = [n for n in sides if facts[n]["distinct"] <= min(_FEW, ctx.params["groups"])]
    rows = {(a, b): min(facts[a]["count"], facts[b]["count"]) for a, b in combinations(few, 2)}
    groups = {(a, b): facts[a]["distinct"] * facts[b]["distinct"] for a, b in rows}
    lefts = [pair for pair in rows if groups[pair] <= min(rows[pair] // _EACH_OF_TWO, ctx.params["groups"])]
    lefts.sort(key=lambda pair: -groups[pair])  # stable; of more combinations more may follow
    most = ctx.params["left_pairs"]
    if len(lefts) > most:
        rule = "two columns with the most combinations of values are tried together, ties in table order"
        ctx.omit(omission("left_pairs", most, len(lefts), rule, [f"{a} and {b}" for a, b in lefts[most:]]))
    found = [
        Dependent((sides[a], sides[b]), sides[c], groups[a, b])
        for a, b in lefts[:most] for c in sides if c not in (a, b)
    ]  # fmt: skip
    return [d for d in found if _may_follow(d, facts[d.column], rows[d.by[0], d.by[1]], plan.allowed, _EACH_OF_TWO)]


def _may_follow(found: Dependent, target: Mapping[str, Any], rows: int, allowed: int, each: float) -> bool:
    # Each exception can add one value, and a column of few rows a value determines others by chance.
    fits = target["distinct"] <= found.groups + allowed
    return bool(fits and found.groups * each <= rows and found.size < _WIDEST)


def parts_of(dependents: Sequence[Dependent | None], allowed: int) -> list[int]:
    """Into how many parts the values of each determining column fall, so that one part of each is counted at once.

    Parameters
    ----------
    dependents : sequence of Dependent or None
        Candidates; None for what is given up.
    allowed : int
        Rows that may break a dependency.

    Returns
    -------
    list of int
        0 for what is given up. As few parts as `MOST_ENTRIES` lets there be.
    """
    live = [d for d in dependents if d is not None]
    power = _LARGEST_PART
    while power > _SMALLEST_PART and sum(d.entries(1 << power, allowed) for d in live) > MOST_ENTRIES:
        power -= 1
    return [0 if d is None else -(-d.groups >> power) for d in dependents]


def _side(ctx: Context, name: str, entry: Mapping[str, Any]) -> Side | None:
    """A column whose values are small integers; None for others."""
    spec = ctx.schema[name]
    if spec.encoding == "coded":
        return Side(name, 0, spec.categories)
    if spec.kind == "bool":
        return Side(name, 0, 2)
    if spec.kind == "int":
        return Side(name, int(entry["min"]), int(entry["max"]) - int(entry["min"]) + 1)
    return None
