"""What is tried as a key, what may follow from what, and which columns may be the same; from a profile alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations, permutations
from math import floor
from typing import Any

from toolkit.plugin import ColumnSpec, Context, omission

_NO_KEYS = ("text", "flag", "constant", "empty")
_KEY_KINDS = ("int", "string", "binary")
_PART_KINDS = (*_KEY_KINDS, "timestamp", "date")
"""Kinds of a key of two columns: of a time alone it is chance that no two rows share it."""
_MOST_ENTRIES = 4 << 20
"""Entries of 24 bytes that all tables of counts of the first pass may have together."""

_CHANCE = 10
"""Rows that two independent columns of a key would have in common at least."""

_WIDEST = 1 << 62
_SIMILAR = 0.02


@dataclass(frozen=True, slots=True)
class Dependent:
    """A column that may follow from another.

    Attributes
    ----------
    by, column : str
        The column that may determine, and the one that may be determined.
    low : (int, int)
        Smallest value or code of each.
    width : (int, int)
        How many values or codes there can be of each.
    """

    by: str
    column: str
    low: tuple[int, int]
    width: tuple[int, int]


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
        pairs = [(d.by, d.column) for d in self.dependents]
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
    params, reach = ctx.params, {n: r for n in facts if (r := _range(ctx, n, facts[n])) is not None}
    possible, large = [], []
    for a, b in permutations(reach, 2):
        first, second = facts[a], facts[b]
        # Each exception can add one value, and a column of few rows a value determines others by chance.
        fits = second["distinct"] <= first["distinct"] + plan.allowed
        if second["distinct"] < 2 or first["distinct"] * params["group_rows"] > first["count"] or not fits:
            continue
        if first["distinct"] < 2 or reach[a][1] * reach[b][1] >= _WIDEST:
            continue
        target = large if first["distinct"] > params["groups"] else possible
        target.append(Dependent(a, b, (reach[a][0], reach[b][0]), (reach[a][1], reach[b][1])))
    if large:
        names = list(dict.fromkeys(d.by for d in large))
        most = max(facts[n]["distinct"] for n in names)
        rule = f"columns of at most {params['groups']:,} distinct values may determine others; raise groups to {most}"
        ctx.omit(omission("groups", params["groups"], most, rule, names))
    possible.sort(key=lambda d: facts[d.by]["distinct"])  # stable: ties stay in table order
    kept, room = [], _MOST_ENTRIES
    for d in possible if ctx.budget.max_pairs is None else possible[: ctx.budget.max_pairs]:
        room -= min(facts[d.by]["distinct"] + plan.allowed, d.width[0] * d.width[1])
        if room < 0:
            break
        kept.append(d)
    if len(kept) < len(possible):
        rule = "dependencies on the columns with the fewest distinct values, ties in table order"
        listed = [f"{d.by} -> {d.column}" for d in possible[len(kept) :]]
        ctx.omit(omission("max_pairs", len(kept), len(possible), rule, listed))
    plan.dependents = kept


def _range(ctx: Context, name: str, entry: Mapping[str, Any]) -> tuple[int, int] | None:
    """Smallest value or code and how many there can be; None for columns whose values are no small integers."""
    spec = ctx.schema[name]
    if spec.encoding == "coded":
        return 0, spec.categories
    if spec.kind == "bool":
        return 0, 2
    if spec.kind == "int":
        return int(entry["min"]), int(entry["max"]) - int(entry["min"]) + 1
    return None
