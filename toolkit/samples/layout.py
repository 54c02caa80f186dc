"""Where in the sample table each planted effect lies, as a function of the number of rows alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HOUR = 3_600_000_000
"""Microseconds in an hour."""

DAY = 24 * HOUR
"""Microseconds in a day."""

FIRST_EVENT = 1_704_067_200_000_000
"""2024-01-01 00:00:00 in microseconds since 1970, a Monday: the first order's creation."""

SPAN = 364 * DAY
"""From the first to the last order: 52 whole weeks, so that each day of the week comes equally often."""

OUTAGE_HOURS = 36
"""Length of the time gap."""

LARGEST_RELOAD = 10_000
"""Rows of the re-loaded block at most; it is held in memory."""


@dataclass(frozen=True, slots=True)
class RowRange:
    """Rows ``start`` to ``stop`` (exclusive), numbered from 0 in the table as written."""

    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start

    def mask(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which of the given row numbers lie in the range."""
        inside: NDArray[np.bool_] = (rows >= self.start) & (rows < self.stop)
        return inside


@dataclass(frozen=True, slots=True)
class Layout:
    """The plan of a sample table of ``rows`` rows.

    The re-loaded block makes two row numbers of one event: its number as generated, and its row in the table as written
    (`written_row`). All fields are rows of the table as written.
    """

    rows: int
    sentinel: RowRange
    reload_source: RowRange
    reload_copy: RowRange
    meter_outage: RowRange
    repeated_ids: tuple[int, ...]
    gap_row: int
    correlation_end: int
    currency_change: int
    discord_row: int
    shift_row: int

    @property
    def generated(self) -> int:
        """Events to generate: all rows but the second copy of the re-loaded block."""
        return self.rows - len(self.reload_copy)

    def written_row(self, generated: NDArray[np.int64]) -> NDArray[np.int64]:
        """Turn numbers of generated events into rows of the table as written (of their first copy)."""
        rows: NDArray[np.int64] = generated + len(self.reload_copy) * (generated >= self.reload_copy.start)
        return rows

    def plain_time(self, row: NDArray[np.int64]) -> NDArray[np.int64]:
        """Creation time of an order whose first event is at ``row``, in microseconds, before the time gap is cut in."""
        # Divided before it is multiplied, as SPAN times a row number would overflow above 290,000 rows.
        step, rest = divmod(SPAN, self.rows)
        times: NDArray[np.int64] = FIRST_EVENT + row * step + row * rest // self.rows
        return times

    def gap(self) -> tuple[int, int]:
        """Start and end of the time gap, in microseconds since 1970."""
        start = self._time_of(self.gap_row)
        return start, start + OUTAGE_HOURS * HOUR

    def with_gap(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """Move all times from the start of the gap on behind its end."""
        moved: NDArray[np.int64] = times + OUTAGE_HOURS * HOUR * (times >= self.gap()[0])
        return moved

    def discord(self) -> tuple[int, int]:
        """Start and end of the odd day of the dock's load, in microseconds since 1970."""
        start = self._day_of(self.discord_row)
        return start, start + DAY

    def shift(self) -> int:
        """Time from which the dock's load is higher, in microseconds since 1970."""
        return self._day_of(self.shift_row)

    def _time_of(self, row: int) -> int:
        return int(self.plain_time(np.array([row], dtype=np.int64))[0])

    def _day_of(self, row: int) -> int:
        time = int(self.with_gap(self.plain_time(np.array([row], dtype=np.int64)))[0])
        return time - time % DAY


def plan(rows: int) -> Layout:
    """Lay out the effects of a table of ``rows`` rows; in very small tables the ranges are empty.

    Examples
    --------
    >>> layout = plan(200_000)
    >>> layout.reload_source, layout.reload_copy
    (RowRange(start=44000, stop=45000), RowRange(start=45000, stop=46000))
    """
    source = rows * 22 // 100
    size = min(rows // 200, LARGEST_RELOAD)
    return Layout(
        rows=rows,
        sentinel=RowRange(rows * 10 // 100, rows * 13 // 100),
        reload_source=RowRange(source, source + size),
        reload_copy=RowRange(source + size, source + 2 * size),
        meter_outage=RowRange(rows * 40 // 100, rows * 41 // 100),
        repeated_ids=tuple(rows * p // 100 for p in (5, 17, 34, 46, 63, 77, 91)) if rows >= 1000 else (),
        gap_row=rows * 55 // 100,
        correlation_end=rows * 60 // 100,
        currency_change=rows * 70 // 100,
        discord_row=rows * 30 // 100,
        shift_row=rows * 80 // 100,
    )
