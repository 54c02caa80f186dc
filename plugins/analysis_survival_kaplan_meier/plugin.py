"""analysis_survival_kaplan_meier: how long it takes until an event, and which groups take longer.

What it finds. The median time until an event, with those counted in that were still without it when they were last
seen: "`arrest` comes in 114 of 432 rows; by `week` 52, the largest, an estimated 26.4 % have had it." Groups that take
longer or shorter: "Until "Deliver", cases with `priority` = "low" take 3.03 times as long as the others (restricted
mean up to 19 days: 173.9 hours against 57.4 hours; 95 % interval 2.97 to 3.09)." And times at which events come all at
once, such as an automatic rule.

Method. Kaplan and Meier's curve of exact counts by time, group and whether the event came. Leaving open rows out, or
taking them for finished, makes times too short; the curve does neither. Its interval is Greenwood's on the scale of
log(-log), that of the median where it crosses one half. Groups are compared by the ratio of restricted means, the areas
under the curves up to the last time at which ten rows of either side are at risk (a side of which at most 2 % are left
by then counts on, as its area is as good as known); that needs no proportional hazards;
the log-rank test, exact for independent rows, stands beside it. Rows depend on their neighbours, so the interval and
the test of the ratio come from a jackknife over 64 blocks of rows of each row's influence on its mean. Each group with
20 rows and 5 events is a test; a finding has a q-value of at most 5 % within the plugin, and its interval lies beyond a
ratio of 1.1.

Which columns. Named by parameters; else declared roles (`duration`, `event`; `case`, `activity`, `timestamp`); else
names and values: a number not below 0 named like a duration, and a flag named like an event; or an event log, in which
a case counts from its first row to its first row of an activity, `Deliver`, `Close` and the like, or the one that most
cases end with; or a start and an end that is missing in some rows. The finding says which were taken. Groups are all
categories and flags but those of which one value never has the event, which say how it ended, and in an event log
those that change within more than 1 % of the cases.

Cost. About 0.3 microseconds a row in each of two readings; an event log needs one more where no activity is named like
an end, and reads once for each further 1,048,576 cases. Cases named by long text are told apart by 64-bit hashes.

Caps. ``max_pairs`` (24 unless the policy says more for this plugin) the columns of groups, by a profile's facts;
``max_groups`` the most frequent values, the rest pooled. Beyond 16,384 distinct times (parameter ``times``) they are
counted in the smallest equal steps that are no more; the sentence says how long a step is, and ``data["bound"]`` by how
much the curve could be lower. All rows count in any case.

What it does not do. No regression on several columns at once (Cox), no competing events: another end counts as last
seen. Where rows are sorted by group there is no comparison, as blocks of rows and groups can't be told apart; medians
and the log-rank test for independent rows stand in the evidence.

References
----------
10.1080/01621459.1958.10501452, 10.2307/2344317, 10.2307/2530286, 10.1186/1471-2288-13-152, 10.1214/aos/1176347265,
10.1111/j.2517-6161.1995.tb02031.x
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from toolkit.plugin import Context, Finding, Result, Skip, column_facts, discoveries, round_significant, select_pairs
from toolkit.plugin.kept_levels import mostly_pooled

from .cases import Cases
from .comparison import Comparison, Groups, Tested, groups_of, tested, whole_curve
from .curve import Curve
from .findings import Words, of_all, of_groups, of_peak, tested_json
from .peaks import highest_peak
from .source import Source, find_source
from .spells import Rows
from .times import TimeCounts

_GROUP_ROLES = ("category", "flag", "code", "resource", "activity")
_VARYING = 0.01


def run(ctx: Context) -> Result:
    """Count all rows by time, compare the curves, and read once more for the errors of what differs.

    Returns
    -------
    Result
        ``data``: ``columns``, ``event``, ``unit``, ``left_out`` (rows by reason), ``step`` and ``bound``, ``curve``,
        ``groups`` (by column: ``log_rank``, ``values`` with a curve each, ``compared``) and ``not_compared`` (why).

    Examples
    --------
    >>> thinned([1, 2, 3, 4, 5], 3)
    [1, 3, 5]
    """
    entries = ctx.result("profile_basic").data["columns"]
    source = find_source(ctx, entries)
    names, refused = _group_columns(ctx, source, entries)
    batches = _batches(ctx, source, names, entries)
    target = batches.target if isinstance(batches, Cases) else ""
    widths = [2, *(2 * (ctx.kernel("levels", name)["levels"] + 1) for name in names)]
    counts, left_out, seen = TimeCounts(widths, ctx.params["times"]), Counter[str](), 0
    for batch in batches:
        happened = batch.happened.astype(np.int64)
        counts.add(batch.times, [happened, *(batch.codes[name] * 2 + happened for name in names)])
        left_out.update(batch.left_out)
        seen += batch.times.size
    if not seen or not counts.counts[0][:, 1].any():
        raise Skip(
            f"of {seen:,} {source.unit} none has the event", f"check {', '.join(source.columns.values())}: {source.why}"
        )
    groups: list[Groups] = []
    for name, table in zip(names, counts.counts[1:], strict=True):
        if isinstance(batches, Cases) and batches.varying[name] > _VARYING * seen:
            refused[name] = f"it changes within {batches.varying[name]:,} of {seen:,} cases"
            continue
        found = groups_of(ctx, counts, table.reshape(len(table), -1, 2), name)
        if isinstance(found, str):
            refused[name] = found
        else:
            groups.append(found)
    results = tested(batches, counts, _worth(ctx, groups))
    words = Words(ctx, source, target, counts.step)
    curve = whole_curve(counts)
    n_tests = sum(len(g.pairs) for g in groups)
    findings = [of_all(words, curve, dict(left_out), groups)]
    peak = highest_peak(curve)
    if peak is not None:
        findings.append(of_peak(words, peak, curve))
    findings += discoveries(_sure(ctx, words, groups, results), n_tests, ctx.params["rate"])
    data = {
        "columns": dict(source.columns), "event": words.event, "unit": source.unit, "left_out": dict(left_out),
        "step": counts.step, "bound": float((curve.survival - curve.least_survival).max()) if counts.step else 0.0,
        "curve": curve_json(curve, ctx.params["curve_points"]),
        "groups": {g.column: _group_json(ctx, g, results.get(g.column, [])) for g in groups}, "not_compared": refused,
    }  # fmt: skip
    return Result(data, findings, n_tests)


def _batches(ctx: Context, source: Source, names: Sequence[str], entries: Sequence[Mapping[str, Any]]) -> Rows | Cases:
    if source.kind != "events":
        return Rows(ctx, source, names)
    case = source.columns["case"]
    distinct = next((e.get("distinct") for e in entries if e["name"] == case), None)
    return Cases(ctx, source, names, ctx.schema[case].categories or distinct or ctx.rows)


def _group_columns(
    ctx: Context, source: Source, entries: Sequence[Mapping[str, Any]]
) -> tuple[list[str], dict[str, str]]:
    """Columns whose values are compared, and why others that were named are not."""
    taken, asked = set(source.columns.values()), [n.strip() for n in ctx.params["groups"].split(",") if n.strip()]
    roles = {e["name"]: e.get("role") for e in entries}
    wanted = asked or [n for n in ctx.schema.names if roles.get(n) in _GROUP_ROLES]
    names, refused = [], {}
    for name in wanted:
        if name in taken:
            continue
        if name not in ctx.schema:
            raise Skip(f"there is no column {name!r} to compare", "correct the parameter groups")
        levels = ctx.kernel("levels", name) if ctx.has_kernel("levels", name) else None
        if levels is None or levels["kind"] not in ("values", "categories") or mostly_pooled(levels):
            refused[name] = "it has too many values"
        elif levels["levels"] >= 2:
            names.append(name)
    first = next(iter(source.columns.values()))
    pairs, omitted = select_pairs([first], ctx.budget.max_pairs, names, facts=column_facts(entries))
    if omitted is not None:
        ctx.omit(omitted)
    return [name for _, name in pairs], refused


def _worth(ctx: Context, groups: Sequence[Groups]) -> dict[str, tuple[Groups, list[Comparison]]]:
    """Comparisons whose ratio could lie beyond the least that matters; of the others no error is needed."""
    least, chosen = ctx.params["restricted_mean_ratio"], {}
    for group in groups:
        large = [c for c in group.pairs if c.ratio > least or c.ratio < 1.0 / least]
        if large:
            chosen[group.column] = (group, large)
    return chosen


def _sure(
    ctx: Context, words: Words, groups: Sequence[Groups], results: Mapping[str, Sequence[Tested]]
) -> list[Finding]:
    """One finding for each column with groups whose interval lies beyond the least ratio, the widest first."""
    least, findings = ctx.params["restricted_mean_ratio"], []
    for group in groups:
        sure = [
            t for t in results.get(group.column, ())
            if round_significant(t.interval[0]) > least or round_significant(t.interval[1]) < 1.0 / least
        ]  # fmt: skip
        if sure:
            findings.append(of_groups(ctx, words, group, sure))
    return findings


def _group_json(ctx: Context, group: Groups, results: Sequence[Tested]) -> dict[str, Any]:
    chi2, df, log10_p = group.log_rank
    points = ctx.params["curve_points"]
    return {
        "log_rank": {"chi2": chi2, "df": df, "log10_p": log10_p},
        "values": [
            {"value": label if isinstance(label, bool | int | float) else str(label), **curve_json(curve, points)}
            for label, curve in zip(group.kept.labels, group.curves, strict=True)
        ],
        "compared": [tested_json(group, t) for t in results],
        "tests": len(group.pairs),
    }


def curve_json(curve: Curve, points: int) -> dict[str, Any]:
    """A curve as plain values, at most so many of its steps, the last among them."""
    steps = thinned(np.flatnonzero(curve.ended > 0).tolist(), points)
    low, high = curve.interval
    missing = np.isnan(low)
    return {
        "count": curve.rows,
        "events": curve.event_count,
        "median": curve.median,
        "median_interval": list(curve.median_interval),
        "times": curve.times[steps].tolist(),
        "survival": curve.survival[steps].tolist(),
        "low": [None if missing[i] else float(low[i]) for i in steps],
        "high": [None if missing[i] else float(high[i]) for i in steps],
        "at_risk": curve.at_risk[steps].tolist(),
    }


def thinned(places: Sequence[int], most: int) -> list[int]:
    """At most so many of them, evenly spread, the first and the last among them."""
    if len(places) <= most:
        return list(places)
    return [places[i * (len(places) - 1) // (most - 1)] for i in range(most)]
