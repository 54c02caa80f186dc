"""How long each row or case was watched, whether its event came then, and to which groups it belongs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin import Chunk, Context, block_of_rows
from toolkit.plugin.kept_levels import Coder

from .source import Source

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

TICKS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9, "D": 0}
"""Ticks of a unit in a second; a day has its own."""

_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows or cases.

    Attributes
    ----------
    times : ndarray of float64, shape (n,)
        Until the event or the end of watching; of clocks and durations in seconds.
    happened : ndarray of bool, shape (n,)
        Whether it ended with the event.
    codes : dict of str to ndarray of int64, each of shape (n,)
        Level of each column of groups; one more stands for missing.
    blocks : ndarray of int64, shape (n,)
        Which of the 64 blocks of rows it stands in.
    left_out : dict of str to int
        Rows that have no time or no word on the event, by reason.
    """

    times: Floats
    happened: npt.NDArray[np.bool_]
    codes: Mapping[str, Ints]
    blocks: Ints
    left_out: Mapping[str, int]


class Rows:
    """Batches of a table in which a row stands for itself; read as often as they are asked for.

    Parameters
    ----------
    ctx : Context
        The table.
    source : Source
        Of kind ``columns`` or ``dates``.
    groups : sequence of str
        Columns of groups.

    Examples
    --------
    >>> seconds(np.array([90, 120], "<i4"), "ms").tolist()
    [0.09, 0.12]
    """

    def __init__(self, ctx: Context, source: Source, groups: Sequence[str]) -> None:
        self._ctx, self._source = ctx, source
        self._coders = {name: Coder(ctx.schema[name], ctx.kernel("levels", name)) for name in groups}
        self._read: Callable[[Chunk], tuple[Floats, npt.NDArray[np.bool_], dict[str, npt.NDArray[np.bool_]]]]
        self._read = self._column if source.kind == "columns" else self._dates
        self._latest = 0 if source.kind == "columns" else self._latest_time()

    def __iter__(self) -> Iterator[Batch]:
        names = [*self._source.columns.values(), *self._coders]
        for chunk in self._ctx.chunks(list(dict.fromkeys(names))):
            times, happened, wrong = self._read(chunk)
            kept = ~np.logical_or.reduce(list(wrong.values()))
            yield Batch(
                times[kept],
                happened[kept],
                {name: coder.codes(chunk)[kept].astype(np.int64) for name, coder in self._coders.items()},
                block_of_rows(chunk.rows.start, chunk.rows.stop, self._ctx.rows)[kept],
                {reason: int(np.count_nonzero(rows)) for reason, rows in wrong.items()},
            )

    def _column(self, chunk: Chunk) -> tuple[Floats, npt.NDArray[np.bool_], dict[str, npt.NDArray[np.bool_]]]:
        duration, event = self._source.columns["duration"], self._source.columns["event"]
        spec, raw = self._ctx.schema[duration], chunk.raw(duration)
        times = seconds(raw, spec.unit) if spec.kind == "duration" else raw.astype(np.float64)
        said = chunk.raw(event)
        happened, value = said == self._source.happened, self._source.happened
        present = chunk.valid(event)
        if self._ctx.schema[event].encoding == "coded":
            happened = said == self._ctx.categories(event)[:-1].tolist().index(value)
        elif said.dtype.kind == "f":
            present = present & ~np.isnan(said)
        known = chunk.valid(duration) & np.isfinite(times)
        wrong = {
            f"without a number in {duration}": ~known,
            f"with a negative {duration}": known & (times < 0),
            f"without a value in {event}": known & (times >= 0) & ~present,
        }
        return np.where(known, times, 0.0) + 0.0, np.asarray(happened, bool), wrong

    def _dates(self, chunk: Chunk) -> tuple[Floats, npt.NDArray[np.bool_], dict[str, npt.NDArray[np.bool_]]]:
        start, end = self._source.columns["start"], self._source.columns["end"]
        begun, closed = self._ticks(chunk, start), self._ticks(chunk, end)
        happened = chunk.valid(end)
        known = chunk.valid(start)
        length = np.where(happened, closed, self._latest) - begun
        wrong = {
            f"without a value in {start}": ~known,
            f"with {end} before {start}": known & (length < 0),
        }
        return seconds(np.where(known, length, 0), self._unit()), np.asarray(happened, bool), wrong

    def _latest_time(self) -> int:
        columns = list(self._source.columns.values())
        latest = [
            int(self._ticks(chunk, name)[chunk.valid(name)].max())
            for chunk in self._ctx.chunks(columns) for name in columns if chunk.valid(name).any()
        ]  # fmt: skip
        return max(latest, default=0)

    def _unit(self) -> str:
        units = {self._ctx.schema[name].unit for name in self._source.columns.values()}
        return max(units, key=lambda unit: TICKS[unit])

    def _ticks(self, chunk: Chunk, name: str) -> Ints:
        """Times in the finer unit of both columns."""
        return in_unit(chunk.raw(name), self._ctx.schema[name].unit, self._unit())


def seconds(ticks: npt.NDArray[Any], unit: str) -> Floats:
    """Counts of a unit of time in seconds."""
    return ticks * float(_DAY) if unit == "D" else ticks / TICKS[unit]


def in_unit(ticks: npt.NDArray[Any], unit: str, finer: str) -> Ints:
    """Counts of a unit in another that is as fine or finer.

    Examples
    --------
    >>> in_unit(np.array([1]), "D", "ms").tolist(), in_unit(np.array([1]), "s", "s").tolist()
    ([86400000], [1])
    """
    if unit == finer:
        return ticks.astype(np.int64)
    one = _DAY * TICKS[finer] if unit == "D" else TICKS[finer] // TICKS[unit]
    return ticks.astype(np.int64) * one
