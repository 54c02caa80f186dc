"""The order of findings, and which of them have one cause."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.core.canonical import round_significant
from toolkit.plugin.inference.effects import MINIMUM_EFFECTS, RATIOS

Finding = dict[str, Any]
Rows = Mapping[str | None, int]
"""Rows of the run's own table (None) and of derived tables, by key; a table may be absent."""

_FEWEST_COLUMNS = 2
"""Findings on one column alone may have many causes."""


def ranked(findings: Sequence[Finding], columns: Sequence[str], rows: Rows) -> list[Finding]:
    """Findings in the order in which a person should read them, those of one cause together behind the first of them.

    Parameters
    ----------
    findings : sequence of dict
        Of the report, by plugin and in the plugin's order; each gets its ``group``: the id of the first of its cause.
    columns : sequence of str
        Names of the table's columns in their order; those of derived tables come after them.
    rows : mapping
        Rows of the tables.

    Notes
    -----
    Facts come first, about which nothing is uncertain, and of facts those that name the rows to be mended; of tests
    those that say where in the table. Then the size of the effect counts: of facts the share of rows, of tests how many
    times the least that matters the effect surely is. Then the q-value, the columns and the id.

    One cause have findings on the same two columns or more, on the same part of the rows, and of one kind on the same
    column by several plugins; and those that hang together through others.
    """
    place = {name: i for i, name in enumerate(columns)}

    def key(entry: tuple[int, Finding]) -> tuple[Any, ...]:
        number, finding = entry
        tested = finding["log10_p"] is not None
        tier = 2 * tested + (_part_of_rows(finding, rows) is None)
        if not tested:
            return tier, -_share(finding), number
        where = [place.get(name, len(place)) for name in finding["columns"]]
        return tier, -_strength(finding), finding["q_value"], -abs(finding["effect"]), where, finding["id"]

    ordered = [finding for _, finding in sorted(enumerate(findings), key=key)]
    return _grouped(ordered, rows)


def lead_and_others(findings: Sequence[Mapping[str, Any]]) -> list[tuple[int, list[int]]]:
    """Places of the findings that lead a group, each with those of the others of its group.

    Parameters
    ----------
    findings : sequence of mapping
        As in report.json; where there is no ``group``, as in a report before schema 1.2, each leads one.

    Examples
    --------
    >>> lead_and_others([{"id": "a", "group": "a"}, {"id": "b", "group": "a"}, {"id": "c"}])
    [(0, [1]), (2, [])]
    """
    by_group: dict[str, list[int]] = {}
    for place, finding in enumerate(findings):
        by_group.setdefault(finding.get("group") or finding["id"], []).append(place)
    return [(places[0], places[1:]) for places in by_group.values()]


def _share(finding: Finding) -> float:
    """Share of rows that a fact is about, as far as it says so."""
    said = finding["evidence"].get("share", finding["effect"])
    return round_significant(abs(said)) if isinstance(said, int | float) and abs(said) <= 1 else 0.0


def _strength(finding: Finding) -> float:
    """How many times the least that matters an effect surely is; of ratios, by their logarithms."""
    measure = finding["measure"]
    if measure not in MINIMUM_EFFECTS:
        return 1.0
    low, high = (end for end in finding["interval"])
    ends = [end for end in (low, high) if end is not None]
    least = MINIMUM_EFFECTS[measure]
    if measure in RATIOS:
        sizes = [abs(math.log(end)) for end in ends if end > 0]
        return round_significant(min(sizes) / math.log(least)) if sizes else 1.0
    return round_significant(min(map(abs, ends)) / least)


def _part_of_rows(finding: Finding, rows: Rows) -> tuple[Any, ...] | None:
    """The rows that a finding names; None where it names none, or the whole table."""
    named = finding["evidence"].get("rows")
    if not isinstance(named, list) or not named or not all(_is_range(entry) for entry in named):
        return None
    covered = sum(last - first + 1 for first, last in named)
    return tuple(map(tuple, named)) if covered < rows.get(finding["table"], math.inf) else None


def _is_range(entry: Any) -> bool:
    return isinstance(entry, list) and len(entry) == 2 and all(type(end) is int for end in entry)


def _causes(finding: Finding, rows: Rows) -> list[tuple[Any, ...]]:
    """What findings of one cause share."""
    table, names = finding["table"], sorted(set(finding["columns"]))
    causes: list[tuple[Any, ...]] = [("kind", table, finding["kind"], *names)]
    if len(names) >= _FEWEST_COLUMNS:
        causes.append(("columns", table, *names))
    part = _part_of_rows(finding, rows)
    if part is not None:
        causes.append(("rows", table, *part))
    return causes


def _grouped(findings: Sequence[Finding], rows: Rows) -> list[Finding]:
    """Findings of one cause behind the first of them."""
    leader = list(range(len(findings)))

    def find(i: int) -> int:
        while leader[i] != i:
            leader[i] = leader[leader[i]]
            i = leader[i]
        return i

    first: dict[tuple[Any, ...], int] = {}
    for i, finding in enumerate(findings):
        for cause in _causes(finding, rows):
            before = first.setdefault(cause, i)
            if cause[0] == "kind" and findings[before]["plugin"] == finding["plugin"]:
                continue  # one plugin may say two things of one kind
            a, b = find(before), find(i)
            leader[max(a, b)] = min(a, b)
    members: dict[int, list[Finding]] = {}
    for i, finding in enumerate(findings):
        lead = find(i)
        finding["group"] = findings[lead]["id"]
        members.setdefault(lead, []).append(finding)
    return [finding for group in members.values() for finding in group]
