"""Columns that can have a role in an event log, from what is declared, their names and how many values they have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from toolkit.plugin import ColumnSpec, Context, Skip, UsageError
from toolkit.plugin.eventlog import EVENT_ROLES
from toolkit.plugin.wording import listed

from .names import STANDARD, is_attribute_of_case, name_score, side

HOW_TO_DECLARE = (
    "name the columns in a types file, as in order_no: {role: case}, with the roles case, activity and timestamp, and "
    "convert again; or in the policy, as in roles: {case: order_no, activity: step, timestamp: at}"
)

_MOST_ACTIVITIES = 1000
_LEAST_EVENTS, _MOST_EVENTS = 1.3, 1000.0
"""Events of a case, on average, of what may be one without being declared."""
_ACCEPTED_NAME = 60


@dataclass(frozen=True, slots=True)
class Candidate:
    """A column that may have a role.

    Attributes
    ----------
    name : str
        The column.
    name_score : int
        How much its name speaks for it, from 0 to 100.
    declared : str
        Who declared it: ``policy``, ``types file`` or empty.
    distinct : int
        Different values, about.
    """

    name: str
    name_score: int
    declared: str = ""
    distinct: int = 0


def declared_role(ctx: Context, role: str) -> Candidate | None:
    """The column that a person named for a role.

    Raises
    ------
    UsageError
        When there is no such column.
    """
    given = ctx.params[role]
    if given:
        if given not in ctx.schema:
            raise UsageError(f"the role {role} is given to a column {given!r} that there is not", HOW_TO_DECLARE)
        return Candidate(given, 100, "policy")
    if role == "timestamp" and (ctx.params["start"] or ctx.params["end"]):
        taken = {ctx.params["start"], ctx.params["end"]}
    else:
        taken = set()
    named = [spec.name for spec in ctx.schema if spec.role == role and spec.name not in taken]
    if role == "timestamp" and len(named) > 1:
        named.sort(key=lambda n: (-_present(ctx, n), -name_score(role, n)))
    return Candidate(named[0], 100, "types file") if named else None


def check_kind(role: str, spec: ColumnSpec) -> None:
    """Skip where a declared column is of a kind that can't have its role.

    Raises
    ------
    Skip
        With what to declare instead.
    """
    fits = {
        "case": spec.kind in ("int", "bool", "date", "string", "decimal"),
        "activity": spec.kind in ("string", "int", "bool"),
        "timestamp": spec.kind in ("timestamp", "date"),
        "start": spec.kind in ("timestamp", "date"),
        "end": spec.kind in ("timestamp", "date"),
        "resource": True,
        "lifecycle": spec.kind == "string",
    }
    if fits[role]:
        return
    wanted = {"case": "string", "activity": "string", "lifecycle": "string"}.get(role, "timestamp")
    raise Skip(
        f"column {spec.name!r} was given the role {role}, and is {spec.kind}",
        f"declare {spec.name} as kind: {wanted} when the table is converted, or give the role to another column",
    )


def candidates(ctx: Context, role: str) -> list[Candidate]:
    """Columns that may be the case, the activity or the timestamp, the likeliest first; one that is declared alone."""
    known = declared_role(ctx, role)
    if known is not None:
        check_kind(role, ctx.schema[known.name])
        return [known]
    declared = [declared_role(ctx, other) for other in EVENT_ROLES if other != role]
    taken = {column.name for column in declared if column is not None}
    fitting = {"case": _may_be_case, "activity": _may_be_activity, "timestamp": _may_be_time}[role]
    found = [
        Candidate(spec.name, name_score(role, spec.name), "", _distinct(ctx, spec.name))
        for spec in ctx.schema
        if spec.name not in taken and fitting(ctx, spec)
    ]
    if role == "timestamp":
        return sorted(found, key=lambda c: -(c.name_score + 100 * _present(ctx, c.name) // ctx.rows))
    return sorted(found, key=lambda c: (-c.name_score, -c.distinct if role == "case" else c.distinct))


def other_role(ctx: Context, role: str, taken: set[str]) -> Candidate | None:
    """The column of a role that can be done without: declared, or plainly named."""
    known = declared_role(ctx, role)
    if known is not None:
        check_kind(role, ctx.schema[known.name])
        return known
    if role in ("start", "end"):
        return None
    specs = (s for s in ctx.schema if s.name not in taken and s.kind in ("string", "int"))
    found = [Candidate(s.name, name_score(role, s.name)) for s in specs if role == "resource" or s.kind == "string"]
    best = max(found, key=lambda c: c.name_score, default=None)
    return best if best is not None and best.name_score >= _ACCEPTED_NAME else None


def second_times(ctx: Context, first: str) -> list[tuple[str, str]]:
    """Columns that may be the other end of events, and as what: by names, one of which must say start or end."""
    here = side(first)
    out = []
    for spec in ctx.schema:
        if spec.name == first or spec.kind not in ("timestamp", "date") or is_attribute_of_case(spec.name):
            continue
        there = side(spec.name)
        if there != here and (there or here):
            out.append((spec.name, there or ("end" if here == "start" else "start")))
    return out


def missing_roles(found: dict[str, list[Candidate]]) -> Skip | None:
    """Why there can be no event log, where a role has no candidate at all."""
    absent = [role for role, columns in found.items() if not columns]
    if not absent:
        return None
    needs = {
        "case": "no column of numbers or text repeats from row to row as a case does",
        "activity": f"no column of text has 2 to {_MOST_ACTIVITIES:,} different values",
        "timestamp": "no column holds times",
    }
    return Skip(f"no event log was found: {listed([needs[role] for role in absent])}", HOW_TO_DECLARE)


def _may_be_case(ctx: Context, spec: ColumnSpec) -> bool:
    if spec.kind not in ("int", "string"):
        return False
    distinct, present = _distinct(ctx, spec.name), _present(ctx, spec.name)
    if not distinct or present < 0.9 * ctx.rows:
        return False
    plain = name_score("case", spec.name) >= STANDARD
    return plain or (distinct > 1 and _LEAST_EVENTS <= present / distinct <= _MOST_EVENTS)


def _may_be_activity(ctx: Context, spec: ColumnSpec) -> bool:
    if spec.kind != "string" or is_attribute_of_case(spec.name):
        return False
    lifecycle = name_score("lifecycle", spec.name) >= _ACCEPTED_NAME
    enough = _present(ctx, spec.name) >= 0.9 * ctx.rows
    least = 1 if name_score("activity", spec.name) >= STANDARD else 2
    return enough and not lifecycle and least <= _distinct(ctx, spec.name) <= _MOST_ACTIVITIES


def _may_be_time(ctx: Context, spec: ColumnSpec) -> bool:
    fits = spec.kind in ("timestamp", "date") and not is_attribute_of_case(spec.name)
    found: dict[str, Any] = ctx.kernel("extremes", spec.name)
    plain = name_score("timestamp", spec.name) >= STANDARD
    return fits and found["min"] is not None and (plain or found["min"] < found["max"])


def _present(ctx: Context, name: str) -> int:
    return int(ctx.kernel("extremes", name)["count"])


def _distinct(ctx: Context, name: str) -> int:
    spec = ctx.schema[name]
    if spec.encoding == "coded":
        return spec.categories
    return int(ctx.kernel("distinct", name)["distinct"]) if ctx.has_kernel("distinct", name) else 0
