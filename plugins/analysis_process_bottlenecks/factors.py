"""What waits may go with: categories, and the hour and the day of the week at which they began."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin import Chunk, ColumnSpec, Context, keep_groups, round_significant
from toolkit.plugin.eventlog import CASE_BLOCKS, Roles, span
from toolkit.plugin.eventlog.durations import range_bounds, range_of, ranges, seconds_of
from toolkit.plugin.inference import beyond, cliffs_delta, jackknife_of_sums
from toolkit.plugin.wording import shown

from .steps import Waits

Ints = npt.NDArray[np.int64]
_BITS = 4
_LEVELS = 15
_MOST = 1000
"""Categories of a column that is looked at; names and numbers of things have more."""
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_PER_HOUR = {"s": 3_600, "ms": 3_600_000, "us": 3_600_000_000, "ns": 3_600_000_000_000}


@dataclass(frozen=True, slots=True)
class Factor:
    """Something that parts waits into groups.

    Attributes
    ----------
    name : str
        The column, or ``hour`` or ``weekday``.
    column : str
        The column; the timestamp's for the last two.
    labels : list of str
        Levels as sentences have them; the last is of all others and is not compared.
    places : ndarray of int64
        Of a category: the level of each code.
    """

    name: str
    column: str
    labels: list[str]
    places: Ints

    def nothing(self) -> Ints:
        """A table of no waits, shape (blocks, levels, ranges)."""
        return np.zeros((CASE_BLOCKS, len(self.labels), ranges(_BITS)), np.int64)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Waits of one level against all others.

    Attributes
    ----------
    factor : Factor
        What parts them.
    level : str
        The level.
    delta : float
        Cliff's delta: above 0 where its waits are longer.
    interval : tuple of float
        Its 95 % interval.
    log10_p : float
        Of no difference.
    inside, outside : int
        How many waits there are.
    medians : tuple of float
        Seconds, of both.
    """

    factor: Factor
    level: str
    delta: float
    interval: tuple[float, float]
    log10_p: float
    inside: int
    outside: int
    medians: tuple[float, float]

    def sure(self, least: float) -> bool:
        """Whether it is sure to matter."""
        low, high = (round_significant(end) for end in self.interval)
        return self.log10_p <= math.log10(0.05) and beyond(low, high, least)

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "factor": self.factor.name, "level": self.level, "cliffs_delta": self.delta, "log10_p": self.log10_p,
            "interval": list(self.interval), "inside": self.inside, "outside": self.outside,
            "medians": [span(m) for m in self.medians],
        }  # fmt: skip


def level_counts(spec: ColumnSpec, chunk: Chunk | None = None) -> Ints:
    """Events by category of a column; of nothing without a chunk."""
    size = 2 if spec.kind == "bool" else spec.categories
    if chunk is None or size > _MOST:
        return np.zeros(size, np.int64)
    return np.bincount(_codes(chunk, spec.name) + 1, minlength=size + 1)[1:]


def factors_of(ctx: Context, roles: Roles, levels: dict[str, Any]) -> list[Factor]:
    """Categories with several levels, then the hour and the day of the week."""
    out = []
    for name, counts in levels.items():
        found = np.asarray(counts)
        if np.count_nonzero(found) < 2 or found.size > _MOST:
            continue
        groups = keep_groups(found, _LEVELS)
        names = [False, True] if ctx.schema[name].kind == "bool" else list(ctx.categories(name)[:-1])
        labels = [shown(names[code]) for code in groups.codes.tolist()] + ["another"]
        out.append(Factor(name, name, labels, np.append(groups.places, -1)))
    unit = ctx.schema[roles.timestamp].unit
    if unit in _PER_HOUR:
        out.append(Factor("hour", roles.timestamp, [f"{h}:00" for h in range(24)] + ["none"], np.arange(25)))
    out.append(Factor("weekday", roles.timestamp, [*_DAYS, "none"], np.arange(8)))
    return out


def tabled(factor: Factor, chunk: Chunk, waits: Waits, blocks: Ints) -> Ints:
    """Count some waits by block, level and length."""
    if factor.name == factor.column:
        level = factor.places[_codes(chunk, factor.column)[waits.place]]
    else:
        unit = chunk.spec(factor.column).unit
        hours = waits.began * 24 if unit == "D" else waits.began // _PER_HOUR[unit]
        level = hours % 24 if factor.name == "hour" else (hours // 24 + 3) % 7  # 1970-01-01 was a Thursday
    kept = level >= 0
    table = factor.nothing()
    _, levels, size = table.shape
    cell = (blocks[waits.place[kept]] * levels + level[kept]) * size + range_of(waits.length[kept], _BITS)
    return np.bincount(cell, minlength=table.size).reshape(table.shape)


def compared(ctx: Context, factor: Factor, table: Ints, unit: str) -> list[Comparison]:
    """Each level against all others, as far as both have enough waits."""
    whole, least = table.sum(axis=0), ctx.params["least_waits"]
    out = []
    for level, label in enumerate(factor.labels[:-1]):
        inside, outside = whole[level], whole.sum(axis=0) - whole[level]
        if min(int(inside.sum()), int(outside.sum())) < least:
            continue
        pair = np.stack([table[:, level], table.sum(axis=1) - table[:, level]], axis=1)
        found = jackknife_of_sums(pair, lambda t: cliffs_delta(t[0], t[1]), pair.sum(axis=2).min(axis=1))
        low, high = (float(end) for end in found.interval())
        log10_p = float(found.log10_p())
        if not all(map(math.isfinite, (low, high, log10_p))):
            continue
        medians = (seconds_of(_median(inside), unit), seconds_of(_median(outside), unit))
        sizes = int(inside.sum()), int(outside.sum())
        out.append(Comparison(factor, label, float(found.value), (low, high), log10_p, *sizes, medians))
    return out


def _codes(chunk: Chunk, name: str) -> Ints:
    """Codes of a category, -1 where it is missing."""
    if chunk.spec(name).kind == "bool":
        return np.where(chunk.valid(name), chunk.raw(name).astype(np.int64), -1)
    return chunk.codes(name).astype(np.int64)


def _median(counts: Ints) -> float:
    place = int(np.searchsorted(np.cumsum(counts), (int(counts.sum()) + 1) // 2))
    low, high = range_bounds(place, _BITS)
    return (low + high) / 2
