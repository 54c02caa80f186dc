"""Waits and times at work, of each event of whole cases."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin import Chunk
from toolkit.plugin.eventlog import CaseLog, Labels, Roles, span
from toolkit.plugin.eventlog.durations import range_bounds, seconds_of
from toolkit.plugin.inference import jackknife_of_sums

from .sums import joined

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Waits:
    """Lengths of time up to events.

    Attributes
    ----------
    place : ndarray of int64, shape (waits,)
        Which event of the chunk each is of.
    node : ndarray of int64, shape (waits,)
        Its activity.
    length : ndarray of int64, shape (waits,)
        In the unit of the timestamp, not negative.
    began : ndarray of int64, shape (waits,)
        When it began.
    """

    place: Ints
    node: Ints
    length: Ints
    began: Ints

    def of(self, node: int) -> Waits:
        """Those of one activity."""
        kept = self.node == node
        return Waits(self.place[kept], self.node[kept], self.length[kept], self.began[kept])


@dataclass(frozen=True, slots=True)
class EventTimes:
    """Waits before events, and how long events took where the log says so."""

    waits: Waits
    work: Waits

    def of(self, node: int) -> Waits:
        """The waits before one activity."""
        return self.waits.of(node)


@dataclass(frozen=True, slots=True)
class Stages:
    """The column of the lifecycle, and its codes of a start and of a completion."""

    labels: Labels
    start: int
    complete: int

    def of(self, chunk: Chunk) -> Ints:
        """The code of each event."""
        return self.labels.codes(chunk.data(self.labels.name).values, chunk.valid(self.labels.name))


def stages_of(labels: Labels) -> Stages | None:
    """Those of a lifecycle; None where it does not have both.

    The names are those of the standard lifecycle of XES (IEEE 1849), in any case.
    """
    known = {name.casefold(): code for code, name in enumerate(labels.names)}
    both = "start" in known and "complete" in known
    return Stages(labels, known["start"], known["complete"]) if both else None


def steps_of(chunk: Chunk, log: CaseLog, nodes: Ints, roles: Roles, stages: Stages | None = None) -> EventTimes:
    """Waits and work of a chunk.

    Parameters
    ----------
    chunk : Chunk
        Of the sorted log.
    log : CaseLog
        Its cases.
    nodes : ndarray of int64, shape (events,)
        The activity of each event.
    roles : Roles
        The columns.
    stages : Stages or None
        Where events are starts and completions: from one to the other, when they follow each other, is work.
    """
    start, end = log.time, log.time
    has_start = has_end = np.ones(log.time.size, bool)
    scale = _scale(chunk, roles)
    if roles.end:
        end, has_end = chunk.raw(roles.end).astype(np.int64) * scale[0] // scale[1], chunk.valid(roles.end)
    elif roles.start:
        start, has_start = chunk.raw(roles.start).astype(np.int64) * scale[0] // scale[1], chunk.valid(roles.start)
    later = np.flatnonzero(log.follows)
    before = later - 1
    repeats = (log.time[later] == log.time[before]) & (nodes[later] == nodes[before])
    if stages is not None:
        stage = stages.of(chunk)
        works = (nodes[later] == nodes[before]) & (stage[before] == stages.start) & (stage[later] == stages.complete)
        repeats &= stage[later] == stage[before]
        took = log.time[later] - log.time[before]
        waited = ~works & ~repeats
        waits, work = (
            Waits(later[which], nodes[later[which]], took[which], log.time[before[which]]) for which in (waited, works)
        )
        return EventTimes(waits, work)
    kept = ~repeats & has_end[before] & has_start[later]
    later, before = later[kept], before[kept]
    waits = Waits(later, nodes[later], np.maximum(start[later] - end[before], 0), end[before])
    timed = np.flatnonzero(has_start & has_end) if roles.end or roles.start else np.empty(0, np.int64)
    if timed.size:
        again = np.zeros(log.time.size, bool)
        again[1:] = log.follows[1:] & (log.time[1:] == log.time[:-1]) & (nodes[1:] == nodes[:-1])
        timed = timed[~again[timed]]
    work = Waits(timed, nodes[timed], np.maximum(end[timed] - start[timed], 0), start[timed])
    return EventTimes(waits, work)


def _scale(chunk: Chunk, roles: Roles) -> tuple[int, int]:
    """By what to multiply, and to divide, the second time to have it in the unit of the first."""
    per_day = {"D": 1, "s": 86_400, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}
    other = roles.end or roles.start
    if not other:
        return 1, 1
    ours, theirs = per_day[chunk.spec(roles.timestamp).unit], per_day[chunk.spec(other).unit]
    common = math.gcd(ours, theirs)
    return ours // common, theirs // common


@dataclass(frozen=True, slots=True)
class Steps:
    """What goes into waiting for an activity, or into the activity itself.

    Attributes
    ----------
    activity : str
        The activity.
    what : str
        ``waiting``, ``work``, or ``up to`` where the log does not tell the two apart.
    count : int
        How many waits, or times at work.
    seconds, share : float
        Their sum, and its share of all time in cases.
    interval : tuple of float
        95 % interval of the share.
    median, p90 : float
        Seconds: the middle of a range of one part in 128.
    """

    activity: str
    what: str
    count: int
    seconds: float
    share: float
    interval: tuple[float, float]
    median: float
    p90: float

    def sure(self, least: float) -> bool:
        """Whether the share is sure to be so large."""
        return self.interval[0] >= least

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "activity": self.activity, "what": self.what, "count": self.count, "seconds": self.seconds,
            "share": self.share, "interval": list(self.interval), "median": self.median, "p90": self.p90,
            "shown": {"median": span(self.median), "p90": span(self.p90)},
        }  # fmt: skip

    @classmethod
    def of_sums(cls, sums: dict[str, Any], names: list[str], unit: str, *, apart: bool) -> list[Steps]:
        """All of them, the largest sum first."""
        blocks = np.concatenate([joined(sums["waits"]), joined(sums["work"])], axis=1)  # doubles: shares need no more
        whole = float(blocks.sum())
        if not whole:
            return []
        cases = sums["cases"]
        found = jackknife_of_sums(blocks, lambda s: s / max(float(s.sum()), 1e-300), cases)
        low, high = (np.clip(np.nan_to_num(end, nan=0.0), 0.0, 1.0) for end in found.interval())
        out = []
        for i in range(2 * len(names)):
            what, node = ("waiting" if apart else "up to", i) if i < len(names) else ("work", i - len(names))
            counts = sums["waits" if i < len(names) else "work"]["counts"][node]
            if not counts.any():
                continue
            out.append(
                cls(
                    activity=names[node], what=what, count=int(counts.sum()),
                    seconds=seconds_of(float(blocks[:, i].sum()), unit), share=float(found.value[i]),
                    interval=(float(low[i]), float(high[i])),
                    median=seconds_of(_middle(counts, 0.5), unit), p90=seconds_of(_middle(counts, 0.9), unit),
                )
            )  # fmt: skip
        return sorted(out, key=lambda s: (-s.seconds, s.activity, s.what))


def _middle(counts: Ints, probability: float) -> float:
    """The middle of the range in which a quantile lies."""
    rank = max(int(np.ceil(probability * int(counts.sum()) - 1e-9)), 1)
    low, high = range_bounds(int(np.searchsorted(np.cumsum(counts), rank)))
    return (low + high) / 2
