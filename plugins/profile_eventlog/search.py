"""Finds the columns of an event log: what is declared, then what names say, then what the values say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from toolkit.plugin import Context, Skip, omission
from toolkit.plugin.eventlog import Roles

from .candidates import HOW_TO_DECLARE, Candidate, candidates, missing_roles, other_role, second_times
from .evidence import Evidence, Spread, evidence, spreads
from .names import STANDARD

_LISTED = 5
_AHEAD = 20
"""Points by which the name of a case must be ahead of all others' to be taken when its values agree."""
_ENOUGH = 150
"""Least score of an event log by names and values: of 300 for names and 300 for values."""
_ORDERED = 0.99
"""Share of the rows in which an end must not be before its start."""


@dataclass(slots=True)
class Search:
    """What was found.

    Attributes
    ----------
    roles : Roles
        The columns.
    how : dict
        Of each role, ``column``, ``how`` it was found, and its ``name_score``.
    alternatives : dict of str to list
        Other columns that came into question, the likeliest first, with the score of their names.
    """

    roles: Roles
    how: dict[str, dict[str, Any]] = field(default_factory=dict)
    alternatives: dict[str, list[list[Any]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Triple:
    case: Candidate
    activity: Candidate
    timestamp: Candidate
    facts: Evidence | None = None

    @property
    def said(self) -> str:
        return f"{self.case.name} as case, {self.activity.name} as activity and {self.timestamp.name} as time"

    @property
    def score(self) -> int:
        names = self.case.name_score + self.activity.name_score + self.timestamp.name_score
        return names + (0 if self.facts is None else self.facts.score)


def find_roles(ctx: Context) -> Search:
    """Find the roles of the columns.

    Raises
    ------
    Skip
        When the table is no event log, with what speaks against it and how to declare the roles.
    """
    found = {role: candidates(ctx, role) for role in ("case", "activity", "timestamp")}
    nothing = missing_roles(found)
    if nothing is not None:
        raise nothing
    first = _Triple(found["case"][0], found["activity"][0], found["timestamp"][0])
    certain = first.case.name_score >= STANDARD and first.activity.name_score >= STANDARD
    best = first if certain else _by_values(ctx, found)
    roles = {"case": best.case, "activity": best.activity, "timestamp": best.timestamp}
    search = Search(Roles(*(c.name for c in roles.values())))
    search.how = {role: _how(column, best.facts) for role, column in roles.items()}
    search.alternatives = {
        role: [[c.name, c.name_score] for c in columns if c.name != roles[role].name][:_LISTED]
        for role, columns in found.items()
    }
    return _with_others(ctx, search)


def _by_values(ctx: Context, found: dict[str, list[Candidate]]) -> _Triple:
    """The triple of columns that behave most like an event log."""
    most = ctx.params["candidates"]
    kept = {role: columns[:most] for role, columns in found.items()}
    pairs = [(case, time) for time in kept["timestamp"] for case in kept["case"]]
    cap = ctx.budget.max_pairs
    if cap is not None and len(pairs) > cap:
        left = [f"{case.name} × {time.name}" for case, time in pairs[cap:]]
        rule = "pairs of a case and a time, by what their names say"
        ctx.omit(omission("max_pairs", cap, len(pairs), rule, left))
        pairs = pairs[:cap]
    best: _Triple | None = None
    against = ""
    for time in dict.fromkeys(time for _, time in pairs):
        cases = [case for case, other in pairs if other is time]
        known = spreads(ctx, [c.name for c in cases if not c.declared], time.name)
        stands = False
        for case in cases:
            lacks = _spread_lacks(ctx, known.get(case.name))
            if lacks:
                against = against or f"with {case.name} as case and {time.name} as time, {lacks}"
                continue
            looked = evidence(ctx, case.name, time.name, [c.name for c in kept["activity"]])
            stands = stands or any(e.moves < ctx.params["changes"] for e in looked.values())
            for triple in (_Triple(case, a, time, looked[a.name]) for a in kept["activity"]):
                lacks = _lacks(ctx, triple)
                against = against or (lacks and f"with {triple.said}, {lacks}")
                if not lacks and (best is None or triple.score > best.score):
                    best = triple
            if best is not None and best.case is case and _ahead(case, kept["case"]):
                return best
        if best is not None or not stands:
            break  # another time is looked at only where this one stands still within cases
    if best is None:
        raise Skip(f"no event log was found: {against}", HOW_TO_DECLARE)
    return best


def _spread_lacks(ctx: Context, found: Spread | None) -> str:
    """What speaks against a case before its events are sorted."""
    if found is None:
        return ""
    if found.compactness < ctx.params["compactness"]:
        return f"cases last {1 - found.compactness:.0%} of the whole span on average"
    if found.largest > ctx.params["largest_case"]:
        return f"a case has {found.largest:,} events"
    return ""


def _lacks(ctx: Context, triple: _Triple) -> str:
    """What speaks against a triple; nothing where its case and activity were declared."""
    if triple.facts is None or (triple.case.declared and triple.activity.declared):
        return ""
    lacks = triple.facts.lacks(ctx.params)
    if not lacks and triple.score < _ENOUGH:
        return f"names and values together have {triple.score} of 600 points, and {_ENOUGH} are needed"
    return lacks


def _ahead(case: Candidate, others: list[Candidate]) -> bool:
    return all(case.name_score >= c.name_score + _AHEAD for c in others if c is not case)


def _how(column: Candidate, facts: Evidence | None) -> dict[str, Any]:
    if column.declared:
        how = f"declared in the {column.declared}"
    elif facts is None:
        how = "by its name"
    else:
        how = "by its name and its values" if column.name_score else "by its values"
    out: dict[str, Any] = {"column": column.name, "how": how, "name_score": column.name_score}
    if facts is not None:
        out["values"] = {
            "compactness": facts.compactness, "moves": facts.moves, "changes": facts.changes,
            "predictability": facts.predictability, "first_share": facts.first_share,
        }  # fmt: skip
    return out


def _with_others(ctx: Context, search: Search) -> Search:
    """Add resource, lifecycle and the other end of events, where there are such columns."""
    given = search.roles.given
    for role in ("resource", "lifecycle", "start", "end"):
        column = other_role(ctx, role, set(given.values()))
        if column is not None and column.name not in given.values():
            given[role] = column.name
            search.how[role] = _how(column, None)
    if "start" not in given and "end" not in given:
        for name, role in second_times(ctx, given["timestamp"]):
            ordered = _ordered(ctx, *((given["timestamp"], name) if role == "end" else (name, given["timestamp"])))
            if ordered >= _ORDERED:
                given[role] = name
                how = {"column": name, "how": "by its name and its values", "ordered_share": ordered}
                search.how[role] = how
                break
    search.roles = Roles(**given)
    return search


def _ordered(ctx: Context, start: str, end: str) -> float:
    """Share of the rows with both times in which the end is not before the start."""
    both = ordered = 0
    for chunk in ctx.chunks([start, end]):
        present = chunk.valid(start) & chunk.valid(end)
        both += int(np.count_nonzero(present))
        ordered += int(np.count_nonzero(present & (chunk[start] <= chunk[end])))
    return ordered / both if both else 0.0
