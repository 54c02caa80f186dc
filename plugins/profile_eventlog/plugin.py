"""profile_eventlog: whether a table is an event log, by which columns, and what is in it.

What it finds. Which columns are the case, the activity and the time of events, how that was found and what else came
into question; cases, events, variants (different sequences of activities), activities; how long cases last; rows that
are no events; events out of order and at the same time: "`ticket_id` behaves as a case (214,880 cases, median 7
events), `status` as activity (23 values), `changed_at` as timestamp; 1,504,160 events in 3,102 variants, the commonest
of 31.2 % of the cases; half of the cases last no longer than 26.1 hours."

Method. Roles that a person declared win: those of the policy (``roles:``), then those of the types file. Else names
that mean nothing else (those of XES, and ``case_id``, ``activity``, ``timestamp``) decide. Else candidates are looked
at, by their names first, over all rows: cases of a process come and go (they last a part of the span of the log),
begin with the same activity, and each activity tells something of the next (Theil's uncertainty coefficient, less what
chance would make of it). Sensor readings, purchases and the like lack one of these, and are no event log; nor is what
has a case of a million events that nobody declared. Then all
events are sorted by case, time and row, and counted. Every number is exact; variants are told apart by 128-bit hashes;
quantiles of durations are the middle of a range of at most one part in 128, given with its bounds. A case is what is
written: the text "NA" is a case like others.

Cost. One sort of the events, about 1.5 microseconds a row, and one more for each candidate for the case where names do
not decide. Parts of about 131,072 rows are sorted in memory, the rest waits in the scratch folder (some 40 bytes a
row), so memory does not grow with the table.

Caps. ``max_pairs`` bounds how many pairs of a case and a time are looked at, the likeliest by name first;
``max_groups`` how many activities and variants are listed. Neither changes a count.

What it does not do. It does not join tables, nor make a case of several columns. Numbers are taken for activities only
where they are declared to be. Where nothing is found it is skipped, and says how to declare the roles.

References
----------
van der Aalst (2016), doi:10.1007/978-3-662-49851-4. Suriadi and others (2017), doi:10.1016/j.is.2016.07.011. IEEE
1849-2016 (XES), doi:10.1109/IEEESTD.2016.7740858.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from toolkit.plugin import Context, Result, omission, pictures
from toolkit.plugin.eventlog import Labels
from toolkit.plugin.wording import percent

from .facts import Facts, Ints, count_events
from .findings import findings_of
from .search import Search, find_roles

_TOP = 1000


def run(ctx: Context) -> Result:
    """Find the roles, then count.

    Returns
    -------
    Result
        ``data`` has ``roles``, ``how`` (of each role), ``alternatives``, the counts, and lists of activities, first and
        last activities and variants.
    """
    search = find_roles(ctx)
    listed = min(ctx.params["listed"], ctx.budget.max_groups or _TOP)
    labels = Labels(ctx, search.roles.activity)
    facts = count_events(ctx, search.roles, labels, listed)
    data = describe(ctx, search, facts, labels.names, listed)
    findings = findings_of(search.roles, facts, data) if facts.cases else []
    most = ctx.budget.max_findings
    if most is not None and len(findings) > most:
        ctx.omit(omission("max_findings", most, len(findings), "the first in the plugin's order", []))
    return Result(data, findings[:most])


def describe(ctx: Context, search: Search, facts: Facts, names: list[str], listed: int) -> dict[str, Any]:
    """What was found, as plain values."""
    unit = ctx.schema[search.roles.timestamp].unit
    used = int((facts.activities > 0).sum())
    if used > listed:
        rule = "the activities with the most events, ties in their order as text; counts take in all"
        ctx.omit(omission("max_groups", listed, used, rule, []))
    variants = [
        {"cases": v.cases, "events": v.events, "first_row": v.row, "activities": [names[c] for c in codes]}
        for v, codes in facts.top
    ]
    return {
        "roles": search.roles.given,
        "how": search.how,
        "alternatives": search.alternatives,
        "cases": facts.cases,
        "events": facts.events,
        "variants": facts.variants,
        "activities": used,
        "rows_without": facts.without,
        "events_per_case": {
            "min": facts.length_quantile(0.0), "median": facts.length_quantile(0.5), "p90": facts.length_quantile(0.9),
            "max": facts.largest[0], "row_of_max": facts.largest[1],
        },
        "durations": facts.durations.summary(unit),
        "span": [facts.low, facts.high],
        "unit": unit,
        "tied_events": facts.ties,
        "repeated_events": facts.repeated,
        "displaced_events": facts.displaced,
        "cases_whose_rows_stand_together": facts.together,
        "steps": facts.steps,
        "steps_back": facts.steps_back,
        "events_by_activity": counted(facts.activities, names, listed),
        "first_activities": counted(facts.firsts, names, listed),
        "last_activities": counted(facts.lasts, names, listed),
        "top_variants": variants,
        "pictures": [commonest_variants(facts, variants)] if variants else [],
    }  # fmt: skip


def commonest_variants(facts: Facts, variants: list[dict[str, Any]]) -> pictures.Picture:
    """A picture of the commonest variants, and how many cases they cover together."""
    entries = [
        {
            "label": " → ".join(v["activities"]),
            "share": v["cases"] / facts.cases,
            "interval": None,
            "note": f"{v['cases']:,} {'case' if v['cases'] == 1 else 'cases'}",
        }
        for v in variants
    ]
    shown = variants[: pictures.ENTRIES]
    covered = percent(sum(v["cases"] for v in shown) / facts.cases)
    note = f"{len(shown):,} of {facts.variants:,} variants cover {covered} of {facts.cases:,} cases."
    return pictures.bars("Commonest variants, by their share of the cases", entries[: pictures.ENTRIES], note)


def counted(counts: Sequence[int] | Ints, names: Sequence[str], most: int) -> list[list[Any]]:
    """The names with the largest counts, ties in their order.

    Examples
    --------
    >>> counted([5, 9, 0, 5], ["ask", "buy", "call", "do"], 2)
    [['buy', 9], ['ask', 5]]
    """
    order = sorted(range(len(counts)), key=lambda code: (-int(counts[code]), code))
    return [[names[code], int(counts[code])] for code in order[:most] if counts[code]]
