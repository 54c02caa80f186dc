"""Hours, weekdays and months of the bins of a series."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toolkit.plugin.series import Series

Ints = npt.NDArray[np.int64]

HOUR = 3_600_000
DAY = 24 * HOUR
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
          "December")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Calendar:
    """One cycle of the calendar on the bins of a series.

    Attributes
    ----------
    name : str
        ``hour of the day``, ``day of the week`` or ``month of the year``.
    series : Series
        In the bins on which the cycle is judged.
    cells : ndarray of int64, shape (bins,)
        Hour, weekday or month.
    turns : ndarray of int64, shape (bins,)
        Number of the day, week or year.
    labels : tuple of str
        Names of the cells.
    each : str
        What a bin is, in words.
    """

    name: str
    series: Series
    cells: Ints
    turns: Ints
    labels: tuple[str, ...]
    each: str


def calendars(series: Series) -> list[Calendar]:
    """The cycles that the bins are fine enough for.

    Parameters
    ----------
    series : Series
        In the order of time.
    """
    found, step = [], _step(series)
    if step <= HOUR or step == 6 * HOUR:
        hourly = at_step(series, max(step, HOUR))
        width = _step(hourly) // HOUR
        hours, days = starts(hourly) // HOUR, starts(hourly) // DAY
        labels = tuple(f"{h:02d}:00" for h in range(0, 24, width))
        each = "hourly" if width == 1 else f"{width}-hourly"
        found.append(Calendar("hour of the day", hourly, hours % 24 // width, days - days[0], labels, each))
    if step <= DAY:
        daily = at_step(series, DAY)
        days = starts(daily) // DAY
        weeks = (days + 3) // 7  # 1970 began on a Thursday
        found.append(Calendar("day of the week", daily, (days + 3) % 7, weeks - weeks[0], WEEKDAYS, "daily"))
        months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
        years = months // 12
        found.append(Calendar("month of the year", daily, months % 12, years - years[0], MONTHS, "daily"))
    return found


def at_step(series: Series, step_ms: int) -> Series:
    """The series in bins of a step of the ladder, or as it is where its bins are that long."""
    own = _step(series)
    if own >= step_ms:
        return series
    start = series.start_ms or 0
    last = start + (len(series) - 1) * own
    return series.fitted(max(2, last // step_ms - start // step_ms + 1))


def starts(series: Series) -> Ints:
    """First instants of the bins, in milliseconds since 1970; shape (bins,)."""
    return (series.start_ms or 0) + np.arange(len(series), dtype=np.int64) * _step(series)


def _step(series: Series) -> int:
    assert series.step_ms is not None
    return series.step_ms
