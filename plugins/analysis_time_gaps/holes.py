"""Stretches of time without a row that should have had many."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .ranges import Bulk
from .segment import differences

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

STRETCHES = 64
STANDS_OUT = 15.0
"""By how many scales of the longest gaps elsewhere a hole is beyond them, plainly and in logarithms."""

_SCALE = 0.02
_FEWEST_DAYS = 4
_FEWEST_WEEKS = 4
_HOURS = 24
_ROWS_AN_HOUR = 2.0
_LEAST_FLOW = 0.02
_QUARTILES = math.log(math.log(4.0) / math.log(4.0 / 3.0))
"""Distance of the quartiles of Gumbel's distribution, in its scale: ln(ln 4) - ln(ln 4/3)."""


@dataclass(frozen=True, slots=True)
class Hole:
    """A gap that stands out.

    Attributes
    ----------
    start, stop : int
        The last time before it and the first after it, in the column's unit.
    before, after : float
        Rows in the equally long stretches on both sides; where the flow has an hour of the day or of the week, equally
        long by its usual rows.
    """

    start: int
    stop: int
    before: float
    after: float

    @property
    def expected(self) -> float:
        """Rows that it should have had: as many as the emptier side."""
        return min(self.before, self.after)


@dataclass(frozen=True, slots=True)
class Holes:
    """What stands out, and against what.

    Attributes
    ----------
    found : list of Hole
        By the rows that they should have had, the most first.
    usual : float
        Rows that the longest gap of a stretch should have had: the median over 64 stretches of equally many rows.
    season : str
        ``hour of the week``, ``hour of the day``, or empty.
    gaps : int
        Gaps at least as long as a bin, all of which were looked at.
    """

    found: list[Hole]
    usual: float
    season: str
    gaps: int


def find_holes(bulk: Bulk, state: dict[str, Any], times_usual: float, hole_rows: int, day: int) -> Holes | None:
    """Gaps between neighbouring times that are far longer than the longest elsewhere; None below 64 rows.

    Every gap at least as long as a bin lies between the largest time of a bin and the smallest of the next one that
    has rows, so all of them are known exactly, in whatever order the rows stand. A gap is judged by the rows that it
    should have had, and those by the 64 longest gaps of stretches of the series: the extremes of stretches follow
    Gumbel's law where gaps have exponential tails, 10.1017/S0305004100015681, and their logarithms where tails are
    heavier; a hole must be beyond both.

    Parameters
    ----------
    bulk : Bulk
        The column.
    state : dict
        Of `segment`.
    times_usual : float
        Times the usual longest gap, at least.
    hole_rows : int
        Rows that a hole should have had, at least.
    day : int
        Length of a day in the column's unit; 0 for dates.
    """
    rows: Ints = state["rows"]
    if int(rows.sum()) < STRETCHES:
        return None
    held = np.flatnonzero(rows)
    start, stop = state["high"][held[:-1]], state["low"][held[1:]]
    long = differences(start, stop) >= bulk.bins.step
    start, stop, after = start[long], stop[long], held[1:][long]
    weights, season = _season(bulk, rows, day)
    flow = _Flow(bulk, rows, weights)
    before_rows, after_rows = flow.sides(start, stop)
    expected = np.minimum(before_rows, after_rows)
    # Longest gap of each of 64 stretches of equally many rows; gaps within a bin should have had at most its rows.
    total = np.cumsum(rows)
    stretch = np.minimum((total[after] - rows[after]) * STRETCHES // total[-1], STRETCHES - 1)
    longest = np.full(STRETCHES, min(float(total[-1]) / rows.size, float(np.median(rows[held]))))
    np.maximum.at(longest, stretch, expected)
    usual = float(np.median(longest))
    beyond = (expected >= hole_rows) & (expected >= times_usual * usual)
    beyond &= (_scales(expected, longest) > STANDS_OUT) & (_scales(np.log1p(expected), np.log1p(longest)) > STANDS_OUT)
    order = np.lexsort((start, -np.round(expected, 6)))
    found = [Hole(int(start[i]), int(stop[i]), float(before_rows[i]), float(after_rows[i])) for i in order if beyond[i]]
    return Holes(found, usual, season, int(start.size))


def _scales(values: Floats, extremes: Floats) -> Floats:
    """How far values lie beyond extremes of stretches, in the scale of Gumbel's law through their quartiles."""
    low, middle, high = np.quantile(extremes, [0.25, 0.5, 0.75])
    scale = max((high - low) / _QUARTILES, _SCALE * abs(middle), 1e-9)
    return np.asarray((values - middle) / scale)


class _Flow:
    """Rows over time, by which equally long stretches are measured: long in usual rows, not in hours."""

    def __init__(self, bulk: Bulk, rows: Ints, weights: Floats) -> None:
        self._edges = (bulk.bins.first + np.arange(rows.size + 1)) * float(bulk.bins.step)
        self._rows = np.concatenate([[0.0], np.cumsum(rows)])
        self._usual = np.concatenate([[0.0], np.cumsum(weights)])

    def sides(self, start: Ints, stop: Ints) -> tuple[Floats, Floats]:
        """Rows of the stretches before and after gaps that should have as many rows as the gap."""
        low, high = (np.interp(ends.astype(np.float64), self._edges, self._usual) for ends in (start, stop))
        length = high - low
        # The one row at the edge is not of the gap's making.
        before = np.interp(low, self._usual, self._rows) - np.interp(low - length, self._usual, self._rows)
        after = np.interp(high + length, self._usual, self._rows) - np.interp(high, self._usual, self._rows)
        return np.maximum(before, 0.0), np.maximum(after, 0.0)


def _season(bulk: Bulk, rows: Ints, day: int) -> tuple[Floats, str]:
    """Usual rows of each bin by hour of the week or of the day, where there are enough of them; else all alike."""
    hour = day // _HOURS
    if not day or bulk.bins.step > hour:
        return np.ones(rows.size), ""
    span = rows.size * bulk.bins.step
    period, name = (7 * _HOURS, "hour of the week") if span >= _FEWEST_WEEKS * 7 * day else (_HOURS, "hour of the day")
    if span < _FEWEST_DAYS * day:
        return np.ones(rows.size), ""
    hours = (bulk.bins.first + np.arange(rows.size)) * bulk.bins.step // hour
    # An outage lasts less than half of all weeks, so medians of hours don't know of it.
    first = int(hours[0])
    by_hour = np.bincount(hours - first, rows, int(hours[-1]) - first + 1)
    mean = float(by_hour.mean())
    if mean < _ROWS_AN_HOUR:  # hours of so few rows have no usual number
        return np.ones(rows.size), ""
    places = (np.arange(by_hour.size) + first) % period
    usual = np.array([_middle(by_hour[places == p]) for p in range(period)])
    return np.maximum(usual, _LEAST_FLOW * mean)[hours % period], name


def _middle(values: Floats) -> float:
    """Mean of the middle half: as robust as it has to be, and not 0 for flows of few rows."""
    if not values.size:
        return 0.0
    ordered = np.sort(values)
    cut = ordered.size // 4
    return float(ordered[cut : ordered.size - cut].mean())
