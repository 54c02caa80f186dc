"""The row at which a change begins: the bins of the table are searched in steps, then the rows of two of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin import Chunk, Context
from toolkit.plugin.series import Series, moment

from .signals import Signal
from .testing import Step

Floats = npt.NDArray[np.float64]

MOST_CHUNKS = 16
"""Chunks of the parent that are read for the rows of a change."""
_AROUND = 2
"""Coarse bins on either side that are searched."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a change begins.

    Attributes
    ----------
    when : str
        The time, or the row, as a sentence has it.
    row : int or None
        The first row of the later level, in the order of time; None where rows were not looked at.
    rows : tuple of int
        First and last row of the parent among which the change lies.
    chunks : list of int
        Chunks of the parent that hold them, the first 50.
    """

    when: str
    row: int | None
    rows: tuple[int, int]
    chunks: list[int]


def locate(ctx: Context, base: Series, signal: Signal, step: Step) -> Place:
    """Search the table's own bins around a change, then the rows of the two bins at it.

    Levels are held as they were fitted, so that the place of least cost is unique but for ties, of which the first is
    taken; see Bai (1997), 10.1162/003465397557132, for the least squares estimate of a date.
    """
    series, bins = signal.series, signal.bins
    low, high = max(step.place - _AROUND, 0), min(step.place + _AROUND, bins.size) - 1
    starts = np.arange(len(base) + 1) if series.starts is None else np.append(series.starts, len(base))
    fine = np.arange(starts[bins[low]], starts[bins[high] + 1])
    coarse = np.searchsorted(starts, fine, side="right") - 1
    calendar = signal.calendar[np.clip(np.searchsorted(bins, coarse), 0, bins.size - 1)]
    gains = _gains_of_bins(base, signal, step, fine, calendar)
    at = _best(gains)
    first, last = int(fine[max(at - 1, 0)]), int(fine[min(at, fine.size - 1)])
    held = [i for i in range(first, last + 1) if base.rows[i] > 0]
    if not held:
        held = [i for i in fine.tolist() if base.rows[i] > 0]
    rows = (int(base.first_row[held].min()), int(base.last_row[held].max()))
    when, row = base.when(int(fine[min(at, fine.size - 1)])), None
    chunks = [] if ctx.source is None else _chunks(ctx, rows)
    if signal.what != "rate" and ctx.source is not None and len(chunks) <= MOST_CHUNKS:
        found = _row(ctx, base, signal, step, (first, last, float(calendar[min(at, fine.size - 1)])), rows)
        if found is not None:
            row, when = found[0], found[1] or f"row {found[0]:,}"
            chunks = [ctx.source.grid.chunk_of(row)]
            rows = (row, row)
    return Place(when, row, rows, chunks[:50])


def _best(gains: Floats) -> int:
    """How many of the first belong to the earlier level; the first of equals, after rounding."""
    sums = np.concatenate([[0.0], np.cumsum(gains)])
    lowest = float(sums.min())
    return int(np.flatnonzero(sums <= lowest + 1e-9 * max(abs(lowest), float(np.abs(sums).max()), 1e-300))[0])


def _gains_of_bins(base: Series, signal: Signal, step: Step, fine: Any, calendar: Floats) -> Floats:
    """For each bin: cost on the earlier level less cost on the later one."""
    if signal.what == "rate":
        parts = len(base) / len(signal.series)
        rates = [np.maximum((level + calendar) ** 2 / 4.0 - 0.375, 1e-9) / parts for level in (step.before, step.after)]
        rows = base.rows[fine]
        return np.asarray(rates[0] - rates[1] - rows * np.log(rates[0] / rates[1]))
    assert signal.values is not None
    values = base.column(signal.column)
    n, mean, m2 = values.n[fine], np.nan_to_num(values.mean[fine]), np.nan_to_num(values.m2[fine])
    if signal.what == "level":
        early, late = step.before + calendar, step.after + calendar
        return np.asarray(n * ((mean - early) ** 2 - (mean - late) ** 2))
    centre = np.full(n.size, float((n * mean).sum() / max(n.sum(), 1)))
    spread = m2 + n * (mean - centre) ** 2
    early, late = np.exp(step.before + calendar), np.exp(step.after + calendar)
    return np.asarray(n * np.log(early / late) + spread * (1.0 / early - 1.0 / late))


def _row(
    ctx: Context, base: Series, signal: Signal, step: Step, bins: tuple[int, int, float], rows: tuple[int, int]
) -> tuple[int, str] | None:
    """The first row of the later level, and its time; None where the two bins hold no value."""
    assert ctx.source is not None
    numbers, order, values = [], [], []
    for chunk in ctx.source.chunks([n for n in (base.time, signal.column) if n], *rows):
        chosen, keys = _inside(chunk, base, bins, rows)
        chosen &= chunk.valid(signal.column)
        found = chunk.raw(signal.column).astype(np.float64)
        chosen &= np.isfinite(found)
        at = np.flatnonzero(chosen)
        numbers.append(at + chunk.rows.start)
        order.append(keys[at])
        values.append(found[at])
    number, key, value = np.concatenate(numbers), np.concatenate(order), np.concatenate(values)
    if not number.size:
        return None
    place = np.lexsort((number, key))
    number, key, value = number[place], key[place], value[place]
    calendar = bins[2]
    if signal.what == "level":
        gains = (value - step.before - calendar) ** 2 - (value - step.after - calendar) ** 2
    else:
        square = (value - float(value.mean())) ** 2
        early, late = float(np.exp(step.before + calendar)), float(np.exp(step.after + calendar))
        gains = np.log(early / late) + square * (1.0 / early - 1.0 / late)
    at = min(_best(gains), number.size - 1)
    return int(number[at]), "" if base.time is None else moment(int(key[at]))


def _inside(chunk: Chunk, base: Series, bins: tuple[int, int, float], rows: tuple[int, int]) -> tuple[Any, Any]:
    """Which rows of a chunk lie in the bins, and by what they are ordered."""
    if base.time is None or base.start_ms is None or base.step_ms is None:
        numbers = np.arange(chunk.rows.start, chunk.rows.stop)
        return (numbers >= rows[0]) & (numbers <= rows[1]), numbers
    ms = chunk[base.time].astype("M8[ms]").view(np.int64)
    start, stop = base.start_ms + bins[0] * base.step_ms, base.start_ms + (bins[1] + 1) * base.step_ms
    return chunk.valid(base.time) & (ms >= start) & (ms < stop), ms


def _chunks(ctx: Context, rows: tuple[int, int]) -> list[int]:
    assert ctx.source is not None
    grid = ctx.source.grid
    return list(range(grid.chunk_of(rows[0]), grid.chunk_of(rows[1]) + 1))
