"""What a person should know of an event log, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolkit.plugin import Finding
from toolkit.plugin.eventlog import Roles, span, told
from toolkit.plugin.wording import percent, quoted

from .facts import Facts


def findings_of(roles: Roles, facts: Facts, data: Mapping[str, Any]) -> list[Finding]:
    """All findings, what the log is first."""
    found = [_log(roles, facts, data)]
    without = {role: rows for role, rows in facts.without.items() if rows}
    if without:
        found.append(_left_out(roles, facts, without))
    if facts.displaced:
        found.append(_displaced(roles, facts))
    if facts.ties:
        found.append(_ties(roles, facts))
    return found


def _log(roles: Roles, facts: Facts, data: Mapping[str, Any]) -> Finding:
    median = facts.length_quantile(0.5)
    what = "event" if median == 1 else "events"
    duration = span(data["durations"]["quantiles"]["0.5"][0])
    activities = data["activities"]
    how = {role: entry["how"] for role, entry in data["how"].items()}
    said = f"{quoted(roles.case)} behaves as a case ({facts.cases:,} cases, median {median:,} {what}), "
    said += f"{quoted(roles.activity)} as activity ({activities:,} values), {quoted(roles.timestamp)} as timestamp"
    for role in ("start", "end", "resource", "lifecycle"):
        name = roles.given.get(role)
        said += f", {quoted(name)} as {role}" if name else ""
    top = facts.top[0][0]
    share = percent(top.cases / facts.cases)
    said += f"; {facts.events:,} events in {facts.variants:,} variants, the commonest of {share} of the cases; half of "
    said += f"the cases last no longer than {told(duration)}."
    advice = f"If {quoted(roles.case)} is not what the events belong to, declare the roles: a types file with "
    advice += "role: case, activity and timestamp, or roles: in the policy."
    evidence = {
        "roles": roles.given, "how": how, "cases": facts.cases, "events": facts.events, "activities": activities,
        "variants": facts.variants, "median_events": median, "share_of_top_variant": share,
        "cases_of_top_variant": top.cases, "median_duration": duration, "alternatives": data["alternatives"],
    }  # fmt: skip
    return Finding("event_log", list(roles.given.values()), said, advice, effect=float(facts.cases), evidence=evidence)


def _left_out(roles: Roles, facts: Facts, without: Mapping[str, int]) -> Finding:
    names = roles.given
    parts = ", ".join(f"{rows:,} have no {role} in {quoted(names[role])}" for role, rows in without.items())
    total = sum(without.values())
    said = f"{total:,} of {total + facts.events:,} rows are no events: {parts}."
    advice = (
        f"Fill {quoted(names[next(iter(without))])} in where it is known: such rows are in no case, variant or step."
    )
    evidence = {"rows_left_out": total, "of": total + facts.events, **{f"without_{r}": n for r, n in without.items()}}
    columns = [names[role] for role in without]
    share = total / (total + facts.events)
    return Finding("rows_without_role", columns, said, advice, effect=share, evidence=evidence)


def _displaced(roles: Roles, facts: Facts) -> Finding:
    later = facts.events - facts.cases
    share = percent(facts.displaced / later)
    said = (
        f"{facts.displaced:,} of {later:,} events ({share}) stand above the event that came before them in their case."
    )
    advice = f"Sort by {quoted(roles.timestamp)} within {quoted(roles.case)} before you read the rows in their order; "
    advice += "plugins on the sorted event log do."
    evidence = {"displaced": facts.displaced, "of": later, "share": share}
    columns = [roles.case, roles.timestamp]
    return Finding("out_of_order_events", columns, said, advice, effect=facts.displaced / later, evidence=evidence)


def _ties(roles: Roles, facts: Facts) -> Finding:
    later = facts.events - facts.cases
    share = percent(facts.ties / later)
    said = f"{facts.ties:,} of {later:,} events ({share}) have the time of the one before them in their case; "
    said += "their order is that of the rows"
    said += f"; {facts.repeated:,} of them also have its activity." if facts.repeated else "."
    advice = f"Record {quoted(roles.timestamp)} more finely, if the order of such events matters"
    advice += f"; see whether rows of one {quoted(roles.activity)} were loaded twice." if facts.repeated else "."
    evidence = {"ties": facts.ties, "of": later, "share": share, "with_the_same_activity": facts.repeated}
    return Finding("tied_events", [roles.timestamp], said, advice, effect=facts.ties / later, evidence=evidence)
