"""What a person should know of cycles."""

from __future__ import annotations

from typing import Any

import numpy as np

from toolkit.plugin import Finding
from toolkit.plugin.series import Series, moment, span
from toolkit.plugin.wording import percent, quoted

from .calendar_cells import Calendar
from .cycle import Cycle
from .periods import Period

FLOW = ""
"""Name of the series of rows."""


def of_calendar(calendar: Calendar, name: str, cycle: Cycle) -> Finding:
    """A series that goes with the hour, the weekday or the month."""
    series, time = calendar.series, calendar.series.time or ""
    means = np.round(cycle.profile, 9)
    low, high = int(np.nanargmin(means)), int(np.nanargmax(means))
    zone = " (UTC)" if series.timezone and "hour" in calendar.name else ""
    what, of, each = _words(name, time, calendar.each)
    sentence = (
        f"{what} by the {calendar.name}{zone}: it makes up {percent(cycle.share)} of the variance of {of} "
        f"(95 % interval {percent(max(cycle.interval[0], 0.0))} to {percent(cycle.interval[1])}); lowest "
        f"{'at' if 'hour' in calendar.name else 'on' if 'day' in calendar.name else 'in'} {calendar.labels[low]} "
        f"({_number(cycle.profile[low])} {each}), highest {calendar.labels[high]} ({_number(cycle.profile[high])})."
    )
    return Finding(
        "calendar_cycle",
        _columns(name),
        sentence,
        f"Compare {name or 'numbers of rows by ' + time} only at equal {_plural(calendar.name)}, or take the mean by "
        f"{calendar.name} off before you look for trends, changes or outliers.",
        effect=cycle.share,
        measure="eta_squared",
        interval=cycle.interval,
        log10_p=cycle.log10_p,
        evidence={"cycle": calendar.name, "share": cycle.share, "lowest": calendar.labels[low],
                  "lowest_mean": float(cycle.profile[low]), "highest": calendar.labels[high],
                  "highest_mean": float(cycle.profile[high]), "stretches": cycle.stretches,
                  "profile": {label: None if np.isnan(v) else float(v)
                              for label, v in zip(calendar.labels, cycle.profile, strict=True)},
                  **_span(series)},
        references=["10.1214/aos/1176347265"],
    )  # fmt: skip


def of_period(series: Series, name: str, period: Period, explained: list[str]) -> Finding:
    """A series that repeats with a period that is none of the calendar."""
    time, step = series.time or "", series.step_ms or 1
    length, cycle = period_text(period.bins * step), period.cycle
    what, of, _ = _words(name, time, span(step))
    beside = f", beside the {' and the '.join(explained)}" if explained else ""
    return Finding(
        "period",
        _columns(name),
        f"{what} every {length}{beside}: that makes up {percent(cycle.share)} of the variance of what is left of {of} "
        f"(95 % interval {percent(max(cycle.interval[0], 0.0))} to {percent(cycle.interval[1])}); its peak is "
        f"{period.peak.ratio:.4g} times the background.",
        f"Look for what runs every {length} in {name or 'the flow of rows by ' + time}: a batch job, a shift, a "
        f"control loop.",
        effect=cycle.share,
        measure="eta_squared",
        interval=cycle.interval,
        log10_p=period.log10_p,
        evidence={"period_ms": period.bins * step, "period": length, "share": cycle.share,
                  "power_over_background": period.peak.ratio, "log10_p_of_peak": period.peak.log10_p,
                  "log10_p_of_cycle": cycle.log10_p, "bin": span(step), "stretches": cycle.stretches,
                  "beside": explained, **_span(series)},
        references=["10.1098/rspa.1929.0151", "10.3847/1538-4365/aab766"],
    )  # fmt: skip


def period_text(ms: float) -> str:
    """A period as text.

    Examples
    --------
    >>> period_text(21_600_000.0), period_text(5_000_000.0), period_text(864_000_000.0)
    ('6 h', '1.389 h', '10 days')
    """
    for least, one, name in (
        (2 * 86_400_000, 86_400_000, "days"),
        (3_570_000, 3_600_000, "h"),
        (60_000, 60_000, "min"),
    ):
        if ms >= least:
            return f"{ms / one:.4g} {name}"
    return f"{ms / 1000:.4g} s"


def _words(name: str, time: str, each: str) -> tuple[str, str, str]:
    if name == FLOW:
        return f"Rows by {quoted(time)} repeat", f"{each} numbers of rows", "rows on average"
    return f"{quoted(name)} repeats", f"its {each} means", "on average"


def _columns(name: str) -> list[str]:
    """Columns of the derived table that the series is made of."""
    return ["bin_start", "rows" if name == FLOW else f"{name}.mean"]


def _plural(name: str) -> str:
    head, rest = name.split(" ", 1)
    return f"{head}s {rest}"


def _number(value: float) -> str:
    return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"


def _span(series: Series) -> dict[str, Any]:
    start, step = series.start_ms or 0, series.step_ms or 1
    held = np.flatnonzero(series.rows)
    return {
        "bins": len(series), "bin_ms": step, "empty_bins": int(len(series) - held.size),
        "from": moment(start, step), "to": moment(start + len(series) * step, step),
        "rows_in_bins": int(series.rows.sum()),
    }  # fmt: skip
