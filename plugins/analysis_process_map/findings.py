"""What a person should know of how a process runs, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.plugin import Context, Finding
from toolkit.plugin.eventlog import Roles, span, told
from toolkit.plugin.wording import percent, quoted, shown

from .graph import Graph
from .skips import NO_ROW, Skipped

_COVERED = 0.8
_CHAIN = 12


def findings_of(
    graph: Graph,
    profile: Mapping[str, Any],
    roles: Roles,
    skipped: Sequence[tuple[Skipped, int, list[int]]],
    ctx: Context,
) -> list[Finding]:
    """The map, then the steps that are skipped, by the number of cases."""
    return [_map(graph, profile, roles)] + [
        _skip(graph, roles, place, cases, rows, ctx)
        for place, cases, rows in sorted(skipped, key=lambda s: (-s[1], s[0]))
        if cases
    ]


def _map(graph: Graph, profile: Mapping[str, Any], roles: Roles) -> Finding:
    covering = cases = 0
    for variant in profile["top_variants"]:
        covering, cases = covering + 1, cases + variant["cases"]
        if cases >= _COVERED * graph.cases:
            break
    share = percent(cases / graph.cases)
    first, last = (max(graph.nodes, key=lambda n: (n[key], n["activity"])) for key in ("first", "last"))
    begin, end = percent(first["first"] / graph.cases), percent(last["last"] / graph.cases)
    commonest = profile["top_variants"][0]
    path = " → ".join(commonest["activities"][:_CHAIN]) + (" → …" if commonest["events"] > _CHAIN else "")
    own = percent(commonest["cases"] / graph.cases)
    variants = "variant covers" if covering == 1 else "variants cover"
    said = (
        f"{covering:,} of {profile['variants']:,} {variants} {share} of {graph.cases:,} cases; {begin} begin with "
        f"{shown(first['activity'])}, {end} end with {shown(last['activity'])}; {len(graph.edges):,} different steps; "
        f"the commonest way, of {own}: {path}."
    )
    advice = f"Compare the ways of {quoted(roles.activity)} with how the process is meant to run."
    evidence = {
        "variants_covering": covering, "variants": profile["variants"], "share": share, "cases": graph.cases,
        "share_of_first": begin, "share_of_last": end, "steps": len(graph.edges), "share_of_commonest": own,
        "most_frequent_steps": graph.edges[:10], "first": first, "last": last,
    }  # fmt: skip
    return Finding("process_map", [roles.case, roles.activity], said, advice, cases / graph.cases, evidence=evidence)


def _skip(graph: Graph, roles: Roles, place: Skipped, cases: int, rows: list[int], ctx: Context) -> Finding:
    names = graph.names
    before, activity, after = (names[i] for i in place)
    through = next(e["cases"] for e in graph.edges if (e["from"], e["to"]) == (before, activity))
    share = percent(cases / (cases + through))
    direct = next(e for e in graph.edges if (e["from"], e["to"]) == (before, after))
    took = span(direct["mean_seconds"])
    said = (
        f"{cases:,} cases skip {shown(activity)}: they go from {shown(before)} straight to {shown(after)}, after "
        f"{told(took)} on average; {through:,} cases go from {shown(before)} to {shown(activity)} ({share} skip it)."
    )
    advice = (
        f"Look at these cases in {quoted(roles.case)} and ask whether {shown(activity)} may be left out; "
        f"the rows are those of {shown(after)} in the sorted event log, and source_row leads back."
    )
    listed = [row for row in rows if row != NO_ROW]
    evidence = {
        "cases": cases, "cases_through": through, "share": share, "mean_time": took, "before": before,
        "activity": activity, "after": after, "rows": [[row, row] for row in listed],
        "rows_listed": "all" if len(listed) == cases else f"the first {len(listed)}",
        "chunks": sorted({ctx.grid.chunk_of(row) for row in listed}),
    }  # fmt: skip
    columns = [roles.case, roles.activity]
    return Finding("skipped_activity", columns, said, advice, cases / (cases + through), evidence=evidence)
