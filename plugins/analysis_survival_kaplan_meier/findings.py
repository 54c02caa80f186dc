"""What a person should know of the time until an event."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from toolkit.plugin import Context, Finding, round_significant
from toolkit.plugin.places import block_places
from toolkit.plugin.wording import percent, quoted, shown

from .comparison import Groups, Tested
from .curve import Curve
from .peaks import Peak
from .source import Source

_UNITS = ((864_000.0, 86_400.0, "days"), (7_200.0, 3_600.0, "hours"), (120.0, 60.0, "minutes"))
MOST_LISTED = 10


class Words:
    """How the times of a source are written.

    Parameters
    ----------
    ctx : Context
        For units.
    source : Source
        The columns.
    target : str
        The activity that is waited for, of an event log.
    step : float
        Length of the steps in which times are counted; 0 where they are exact.

    Examples
    --------
    >>> clock(5_400.0), clock(207_360.0), clock(0.25)
    ('90 minutes', '57.6 hours', '0.25 seconds')
    """

    def __init__(self, ctx: Context, source: Source, target: str, step: float) -> None:
        self.source, self.step = source, step
        self.columns = list(dict.fromkeys(source.columns.values()))
        spec = ctx.schema[self.columns[0]]
        self.marker = source.columns.get("activity", self.columns[-1])
        self._clock = source.kind != "columns" or spec.kind == "duration"
        self._measure = f" {spec.measure}" if spec.measure else ""
        ends = {"columns": source.columns.get("event", ""), "dates": source.columns.get("end", "")}
        self.event = shown(target) if source.kind == "events" else quoted(ends[source.kind])
        self.what = "" if self._clock else f"{quoted(self.columns[0])} "

    def told(self, **values: float | None) -> dict[str, str]:
        """Times as the sentence has them, by name."""
        return {name: self.time(value) for name, value in values.items()}

    def by(self, value: float | None) -> str:
        """Not later than a time."""
        if value is None:
            return "at no time that was seen"
        return f"{'within ' if self._clock else 'by ' + self.what}{self.time(value)}"

    def until(self, value: float) -> str:
        """For a time."""
        return f"{'for ' if self._clock else 'until ' + self.what}{self.time(value)}"

    @property
    def unit_of_time(self) -> str:
        """Of the numbers in the evidence."""
        return "seconds" if self._clock else self._measure.strip() or self.columns[0]

    def time(self, value: float | None) -> str:
        """A time, in words."""
        if value is None:
            return "beyond what was seen"
        return clock(value) if self._clock else f"{value:.5g}{self._measure}"


def clock(seconds: float) -> str:
    """Seconds in the unit that suits them."""
    for least, one, name in _UNITS:
        if seconds >= least:
            return f"{seconds / one:.4g} {name}"
    return f"{seconds:.4g} seconds"


def of_all(words: Words, curve: Curve, left_out: dict[str, int], groups: Sequence[Groups]) -> Finding:
    """When half have had the event."""
    unit, events, rows = words.source.unit, curve.event_count, curve.rows
    last = float(curve.times[curve.ended > 0][-1])
    share = 1.0 - float(curve.survival[-1])
    low, high = curve.median_interval
    if curve.median is None:
        said = (
            f"{words.event} comes in {events:,} of {rows:,} {unit}; {words.by(last)}, the longest, an "
            f"estimated {percent(share)} have had it, so that there is no median."
        )
    else:
        said = (
            f"{words.event} has come in half of the {unit} {words.by(curve.median)} (95 % interval "
            f"{words.time(low)} to {words.time(high)}); {rows - events:,} of {rows:,} {unit} were still without it "
            f"when they were last seen."
        )
    rounded = f" Times are counted in steps of {words.time(words.step)}." if words.step else ""
    lost = {reason: n for reason, n in left_out.items() if n}
    return Finding(
        "time_to_event",
        words.columns,
        f"{said}{rounded} {words.source.why}",
        f"Check that {words.marker} marks the event that you mean, and read waiting times off the curve: a mean over "
        f"the {unit} that have had {words.event} is too short.",
        effect=curve.median,
        measure="median_time",
        interval=None if curve.median is None or low is None or high is None else (low, high),
        evidence={
            "median": curve.median, "median_low": low, "median_high": high, "events": events, "count": rows,
            "censored": rows - events, "last_time": last, "share_with_event": share, "step": words.step,
            "event": words.event,
            "in_words": words.told(median=curve.median, median_low=low, median_high=high, last_time=last,
                                   step=words.step),
            "unit_of_time": words.unit_of_time,
            "left_out": lost,
            "groups": [
                {"column": g.column, "log_rank_chi2": g.log_rank[0], "df": g.log_rank[1], "log10_p": g.log_rank[2],
                 "medians": {str(v): c.median for v, c in zip(g.kept.labels[:MOST_LISTED], g.curves, strict=False)}}
                for g in sorted(groups, key=lambda g: (round_significant(g.log_rank[2]), g.column))[:MOST_LISTED]
            ],
        },
        references=["10.1080/01621459.1958.10501452", "10.2307/2530286"],
    )  # fmt: skip


def of_groups(ctx: Context, words: Words, groups: Groups, lasting: Sequence[Tested]) -> Finding:
    """The group that differs most, the others in the evidence."""
    ordered = sorted(lasting, key=lambda t: (-round_significant(abs(math.log(_nearest(t)))), t.comparison.place))
    top = ordered[0]
    c = top.comparison
    label, column = shown(_label(groups, c.place)), quoted(groups.column)
    unit, (low, high) = words.source.unit, top.interval
    chi2, df, naive = groups.log_rank
    sentence = (
        f"Until {words.event}, {unit} with {column} = {label} take {c.ratio:.3g} times as long as the others "
        f"(restricted mean up to {words.time(c.limit)}: {words.time(c.means[0])} against {words.time(c.means[1])}; "
        f"ratio {c.ratio:.3g}, 95 % interval {low:.3g} to {high:.3g}); half have had it "
        f"{words.by(c.own.median)}, of the others {words.by(c.rest.median)}. "
        f"{c.own.rows:,} of {c.own.rows + c.rest.rows:,} {words.source.unit}."
    )
    further = len(ordered) - 1
    if further:
        sentence += f" {further} more of its values differ{'s' if further == 1 else ''} for sure."
    return Finding(
        "group_survival",
        [*words.columns, groups.column],
        sentence,
        f"Find out what {'slows down' if c.ratio > 1 else 'hastens'} {unit} with {groups.column} = {label}, "
        f"and plan times until {words.event} by {groups.column}.",
        effect=c.ratio,
        measure="restricted_mean_ratio",
        interval=top.interval,
        log10_p=top.log10_p,
        evidence={
            "group": _label(groups, c.place), "ratio": c.ratio, "limit": c.limit, "restricted_mean": c.means[0],
            "restricted_mean_elsewhere": c.means[1], "difference": c.means[0] - c.means[1], "median": c.own.median,
            "median_elsewhere": c.rest.median, "count": c.own.rows, "count_of_all": c.own.rows + c.rest.rows,
            "events": c.own.event_count, "log_rank_chi2": chi2, "log_rank_df": df,
            "log_rank_log10_p_of_independent_rows": naive, "further": further,
            "groups": [tested_json(groups, t) for t in ordered[:MOST_LISTED]],
            "in_words": words.told(limit=c.limit, restricted_mean=c.means[0], restricted_mean_elsewhere=c.means[1],
                                   median=c.own.median, median_elsewhere=c.rest.median),
            "step": words.step, **block_places(ctx.grid, range(64)),
        },
        references=["10.1186/1471-2288-13-152", "10.2307/2344317"],
    )  # fmt: skip


def of_peak(words: Words, peak: Peak, curve: Curve) -> Finding:
    """A time at which events come at once."""
    unit, at = words.source.unit, words.time(peak.time)
    share = peak.events / curve.event_count
    return Finding(
        "hazard_peak",
        words.columns,
        f"{words.event} comes in {peak.events:,} of {peak.at_risk:,} {unit} that have waited {words.until(peak.time)}: "
        f"{peak.ratio:.3g} times as often as around that time, and {percent(share)} of all {curve.event_count:,} "
        f"events.",
        f"Ask what ends {unit} after {at}, by the rows' {words.marker}: an automatic rule, a deadline, or rounding?",
        effect=peak.ratio,
        measure="hazard_ratio_of_neighbours",
        evidence={"time": peak.time, "in_words": words.told(time=peak.time), "events": peak.events,
                  "at_risk": peak.at_risk, "usual_hazard": peak.usual,
                  "ratio": peak.ratio, "share": share, "events_of_all": curve.event_count},
    )  # fmt: skip


def tested_json(groups: Groups, found: Tested) -> dict[str, Any]:
    """A comparison as plain values."""
    c = found.comparison
    return {
        "group": _label(groups, c.place),
        "ratio": c.ratio,
        "interval": list(found.interval),
        "log10_p": found.log10_p,
        "restricted_mean": c.means[0],
        "restricted_mean_elsewhere": c.means[1],
        "limit": c.limit,
        "median": c.own.median,
        "median_elsewhere": c.rest.median,
        "blocks": found.blocks,
    }


def _label(groups: Groups, place: int) -> Any:
    label = groups.kept.labels[place]
    return label if isinstance(label, bool | int | float) else str(label)


def _nearest(found: Tested) -> float:
    """The end of the interval that is nearer to 1."""
    return min(found.interval, key=lambda end: abs(math.log(end)))
