"""analysis_seasonality: what repeats by the hour, the weekday, the month, or with any other period.

What it finds. Numbers and flows of rows that go with the calendar: "`dock_load_kw` repeats by the hour of the day: it
makes up 71.3 % of the variance of its hourly means (95 % interval 69.0 % to 73.6 %); lowest at 03:00 (147 on average),
highest 11:00 (456)." And periods that no calendar knows of: "`orders` repeats every 6 h, beside the hour of the day."

Method. The series are those of ``transform_binned_series``: every row is in a bin. A cycle of the calendar is judged by
its profiles in up to 64 separate stretches of whole cycles: what repeats is in all of them, what does not averages out
between them, however strongly neighbouring bins depend on each other. So the mean product of the profiles of two
different stretches estimates the variance that repeats without what chance adds, and its share of all variance (eta
squared) has a jackknife interval over the stretches; the test holds the profiles of one half of the stretches against
the mean profile of the other. Any other period is looked for in the periodogram of what the calendar leaves: tapered
where at most 5 % of the bins are empty, else Lomb and Scargle's, which two Fourier transforms give exactly on a grid of
bins. An ordinate must stand out from red noise fitted to all ordinates and from those around it, as tests against white
noise find periods in every real series; the probability is that of the largest of all ordinates, after Fisher. The
period is then refined, judged as a cycle like those of the calendar, and taken off before the next is looked for; a
whole part of a cycle that was found is no finding of its own, as a profile that changes over the year looks like that.
A finding has a q-value of at most 5 % within the plugin, and its interval lies beyond 1 % of the variance.

Cost. It reads the bins, not the rows: about 0.1 s a column for 35,000 bins.

Caps. ``max_windows`` below the number of bins joins bins to longer ones, so that short periods are not seen; all rows
count. The columns are those that ``transform_binned_series`` took.

What it does not do. A cycle needs eight turns: eight days for hours, eight weeks for weekdays, eight years for months.
Times without a zone are taken as they stand, those with one as UTC, so that summer time blurs hours a little. Where a
few false dates stretch the series over centuries its bins are too long for hours: mend the dates (see
``analysis_time_gaps``). No season that changes its period, no forecasts.

References
----------
10.1098/rspa.1929.0151, 10.1086/160554, 10.3847/1538-4365/aab766, 10.1029/95GL03093, 10.1214/aos/1176347265,
10.1111/j.2517-6161.1995.tb02031.x
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin import Context, Finding, Result, Skip, discoveries, omission, round_significant
from toolkit.plugin.series import Series, read_series

from .calendar_cells import DAY, HOUR, Calendar, at_step, calendars, starts
from .cycle import Cycle, find_cycle
from .findings import FLOW, of_calendar, of_period
from .periods import Period, find_periods
from .spectrum import Peak, detrended

Floats = npt.NDArray[np.float64]

_FEWEST_BINS = 64
_EVEN = 0.5
_TRIMMED = 0.4
"""Variance of the middle three quarters of a normal distribution, about."""

_HOURS_OF_WEEK = 168
_FEWEST_WEEKS = 8
_FLEX = 0.03
_CYCLES = {"hour of the day": DAY, "day of the week": 7 * DAY}


def run(ctx: Context) -> Result:
    """Judge the flow of rows, and each number over time.

    Returns
    -------
    Result
        ``data["series"]``: by column, and under an empty name for the flow of rows, ``calendar`` (by cycle ``share``,
        ``interval``, ``log10_p``, ``profile``), ``periods`` (``period_ms``, ``share``, ``interval``, ``log10_p``) and
        ``peak`` (of the strongest ordinate beside the calendar); ``data["left_out"]``: why others were not judged.

    Examples
    --------
    >>> even_flow(np.array([4, 4, 5, 4, 4, 5, 4, 4])), even_flow(np.array([0, 9, 2, 7, 1, 8, 4, 3]))
    (True, False)
    """
    series = read_series(ctx)
    if series.order != "time":
        raise Skip("rows have no time", "declare a column of times with --types, or convert one that is text to a time")
    series = _within(ctx, series)
    if len(series) < _FEWEST_BINS:
        raise Skip(
            f"the times of {series.time} fill {len(series)} bins, fewer than {_FEWEST_BINS}",
            f"give {series.time} a finer resolution, or a longer stretch of time",
        )
    findings: list[Finding] = []
    data: dict[str, Any] = {}
    left_out, n_tests = {}, 0
    kinds = calendars(series)
    for name in [FLOW, *series.columns]:
        problem = _unfit(series, name)
        if problem:
            left_out[name] = problem
            continue
        found, entry, tests = _of_series(ctx, series, kinds, name)
        findings, n_tests = findings + found, n_tests + tests
        data[name] = entry
    ctx.cover("windows", len(series), len(series))
    return Result({"series": data, "left_out": left_out}, discoveries(findings, n_tests, ctx.params["rate"]), n_tests)


def _within(ctx: Context, series: Series) -> Series:
    """As fine as the budget and the rows allow."""
    whole = series.fitted(len(series), ctx.params["rows_per_bin"])
    most = ctx.budget.max_windows
    if most is None or len(whole) <= most:
        return whole
    joined = whole.fitted(most)
    rule = f"bins joined to {joined.width()}; every row still falls in one"
    ctx.omit(omission("max_windows", most, len(whole), rule, [], min(most, len(joined))))
    return joined


def _of_series(
    ctx: Context, series: Series, kinds: list[Calendar], name: str
) -> tuple[list[Finding], dict[str, Any], int]:
    findings, cycles, tests = [], {}, 0
    for calendar in kinds:
        values = values_of(calendar.series, name)
        cycle = find_cycle(detrended(values), calendar.cells, calendar.turns, len(calendar.labels))
        if cycle is None:
            continue
        tests += 1
        cycle = _with_means(cycle, values, calendar)
        cycles[calendar.name] = cycle
        if _is_sure(ctx, cycle):
            findings.append(of_calendar(calendar, name, cycle))
    explained = [f.evidence["cycle"] for f in findings]
    rest = without_calendar(series, detrended(values_of(series, name)))
    periods, tried, peak = find_periods(rest, ctx.params["max_periods"])
    step = series.step_ms or 1
    known = [length for cycle, length in _CYCLES.items() if cycle in explained]
    own = [p for p in periods if not any(is_part(p.bins * step, length) for length in known)]
    own = [p for i, p in enumerate(own) if not any(is_part(p.bins, q.bins) for q in own[:i])]
    findings += [of_period(series, name, p, explained) for p in own if _is_sure(ctx, p.cycle)]
    return findings, _entry(series, cycles, periods, peak), tests + tried


def is_part(period: float, whole: float) -> bool:
    """Whether one period is another or a whole part of it, nearly: a profile that changes over time looks like that.

    Examples
    --------
    >>> is_part(4.797, 24.0), is_part(5.343, 24.0), is_part(70.0, 24.0), is_part(6.985, 7.0)
    (True, False, False, True)
    """
    turns = whole / period
    return turns > 0.5 and abs(turns - round(turns)) <= _FLEX


def values_of(series: Series, name: str) -> Floats:
    """Numbers of rows, or means of a column, by bin; NaN where a bin has no value."""
    return series.rows.astype(np.float64) if name == FLOW else series.column(name).mean


def _with_means(cycle: Cycle, values: Floats, calendar: Calendar) -> Cycle:
    """The same with the means of the series as it is, which people know."""
    held, count = np.isfinite(values), len(calendar.labels)
    n = np.bincount(calendar.cells[held], minlength=count)
    sums = np.bincount(calendar.cells[held], values[held], count)
    profile = np.divide(sums, n, out=np.full(count, np.nan), where=n > 0)
    return Cycle(cycle.share, cycle.interval, cycle.log10_p, profile, cycle.stretches)


def without_calendar(series: Series, values: Floats) -> Floats:
    """The series less the means of its hours of the week, or of the day where there are few weeks."""
    step = series.step_ms or 1
    if step >= DAY:
        return values
    unit = max(step, HOUR)
    weeks = len(series) * step / (7 * DAY)
    cells = starts(series) // unit % (_HOURS_OF_WEEK * HOUR // unit if weeks >= _FEWEST_WEEKS else DAY // unit)
    held = np.isfinite(values)
    n = np.bincount(cells[held])
    means = np.bincount(cells[held], values[held]) / np.maximum(n, 1)
    out = values.copy()
    out[held] -= means[cells[held]]
    return out


def _unfit(series: Series, name: str) -> str:
    """Why a series is not judged; empty when it is."""
    values = values_of(series, name)
    held = np.isfinite(values)
    if np.count_nonzero(held) < _FEWEST_BINS:
        return f"it has values in {np.count_nonzero(held)} bins"
    if round_significant(float(np.ptp(values[held]))) == 0:
        return "it does not change"
    if name == FLOW and even_flow(at_step(series, HOUR).rows):
        return "rows come at an even pace, in which bins make a beat"
    return ""


def even_flow(rows: npt.NDArray[np.int64]) -> bool:
    """Whether numbers of rows vary far less than those of events that come by chance."""
    middle = np.sort(rows)[rows.size // 8 : rows.size - rows.size // 8]
    return bool(middle.size and float(middle.var()) < _EVEN * float(middle.mean()) * _TRIMMED)


def _is_sure(ctx: Context, cycle: Cycle) -> bool:
    return bool(round_significant(cycle.interval[0]) > ctx.params["eta_squared"])


def _entry(series: Series, cycles: dict[str, Cycle], periods: list[Period], peak: Peak | None) -> dict[str, Any]:
    step = series.step_ms or 1
    return {
        "calendar": {
            name: {"share": c.share, "interval": list(c.interval), "log10_p": c.log10_p, "stretches": c.stretches,
                   "profile": [None if np.isnan(v) else float(v) for v in c.profile]}
            for name, c in cycles.items()
        },
        "periods": [
            {"period_ms": p.bins * step, "share": p.cycle.share, "interval": list(p.cycle.interval),
             "log10_p": p.log10_p}
            for p in periods
        ],
        "peak": None if peak is None else
        {"period_ms": step / peak.frequency, "ratio": peak.ratio, "log10_p": peak.log10_p},
    }  # fmt: skip
