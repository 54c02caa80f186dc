"""Bottlenecks, and what the longest wait goes with, in words."""

from __future__ import annotations

from toolkit.plugin import Context, Finding, pictures
from toolkit.plugin.eventlog import Roles, span, told
from toolkit.plugin.places import all_rows
from toolkit.plugin.wording import percent, quoted, shown

from .factors import Comparison
from .steps import Steps

_WORDS = {"waiting": "Waiting for", "work": "Work on", "up to": "Up to"}


def bottleneck(ctx: Context, roles: Roles, step: Steps) -> Finding:
    """Say where time goes."""
    name, activity = shown(step.activity), quoted(roles.activity)
    what, unit = {
        "waiting": (f"Waiting before {name}", "waits"),
        "work": (f"Work on {name}", "times"),
        "up to": (f"The time up to {name}", "times"),
    }[step.what]
    share, low, high = percent(step.share), 100 * step.interval[0], 100 * step.interval[1]
    median, p90 = span(step.median), span(step.p90)
    said = (
        f"{what} takes {share} of the time of all cases (95 % interval {low:.1f} to {high:.1f} %): {step.count:,} "
        f"{unit}, median {told(median)}, one in ten longer than {told(p90)}."
    )
    advice = {
        "waiting": f"Look at the queue before {name} in {activity}: more capacity there can save up to that share.",
        "work": f"See whether {name} in {activity} can be done faster or in parts.",
        "up to": f"Record when events of {activity} start and end, to tell waiting for {name} from work.",
    }[step.what]
    evidence = {
        "activity": step.activity, "what": step.what, "share": share, "low": round(low, 1), "high": round(high, 1),
        "count": step.count, "median": median, "p90": p90, "seconds": step.seconds, "tenth": "one in ten",
        "level": 95, **all_rows(ctx.grid),
    }  # fmt: skip
    columns = list(dict.fromkeys([roles.activity, roles.timestamp, roles.end or roles.start or roles.timestamp]))
    return Finding("bottleneck", columns, said, advice, step.share, step.interval, evidence=evidence)


def difference(ctx: Context, roles: Roles, activity: str, test: Comparison, *, apart: bool) -> Finding:
    """Say when or for whom the longest wait is longer or shorter."""
    name, more = shown(activity), "longer" if test.delta > 0 else "shorter"
    where = {
        "hour": f"when they begin between {test.level} and the next full hour",
        "weekday": f"when they begin on a {test.level}",
    }.get(test.factor.name, f"where {quoted(test.factor.name)} is {test.level}")
    what = "Waits before" if apart else "Times up to"
    here, there = (span(m) for m in test.medians)
    (low, high), of = test.interval, test.inside + test.outside
    said = (
        f"{what} {name} are {more} {where}: median about {told(here)}, {told(there)} for all others (Cliff's delta "
        f"{test.delta:.2f}, 95 % interval {low:.2f} to {high:.2f}; {test.inside:,} of {of:,})."
    )
    column = test.factor.column
    advice = f"Ask why cases wait {more} for {name} in {quoted(roles.activity)} {where}."
    evidence = {
        "activity": activity, "factor": test.factor.name, "level": test.level, "median_here": here,
        "median_elsewhere": there, "delta": round(test.delta, 2), "low": round(low, 2), "high": round(high, 2),
        "inside": test.inside, "of": of, "confidence": 95, **all_rows(ctx.grid),
    }  # fmt: skip
    return Finding(
        "wait_goes_with",
        list(dict.fromkeys([roles.activity, column])),
        said,
        advice,
        effect=test.delta,
        measure="cliffs_delta",
        interval=test.interval,
        log10_p=test.log10_p,
        evidence=evidence,
        references=["10.1037/0033-2909.114.3.494"],
    )


def where_time_goes(steps: list[Steps]) -> pictures.Picture:
    """A picture of what the time of all cases goes into, the largest share first."""
    entries = [
        {
            "label": f"{_WORDS[s.what]} {s.activity}",
            "share": s.share,
            "interval": list(s.interval) if s.interval[0] <= s.share <= s.interval[1] else None,  # too few cases
            "note": f"{s.count:,} {'time' if s.count == 1 else 'times'}, median {told(span(s.median))}, "
            f"one in ten longer than {told(span(s.p90))}",
        }
        for s in steps
    ]
    note = "Lines are 95 % intervals." if any(entry["interval"] for entry in entries) else ""
    return pictures.bars("Where the time of all cases goes", entries, note)
