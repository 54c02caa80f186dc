"""Exact sums and counts of waits by activity and by block of cases, and the blocks themselves: stretches of time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin.eventlog import CaseLog
from toolkit.plugin.eventlog.durations import range_of, ranges

if TYPE_CHECKING:
    from .steps import EventTimes, Waits

Ints = npt.NDArray[np.int64]
BLOCKS = 16
"""Stretches of time with about equally many cases: long ones, as cases that run side by side depend on each other."""
_SLICES = 4096
"""Equal slices of the span of the log, of which stretches are made."""
_LOW = 32


def slices_of(log: CaseLog | None, profile: Mapping[str, Any]) -> Ints:
    """How many cases begin in each slice of the log's span, shape (4096,)."""
    if log is None:
        return np.zeros(_SLICES, np.int64)
    return np.bincount(_slice(log, profile), minlength=_SLICES)


def slice_bounds(starts: Ints) -> Ints:
    """The slices at which a new block of cases begins, shape (15,)."""
    seen = np.cumsum(starts)
    return np.searchsorted(seen, np.arange(1, BLOCKS) * int(seen[-1]) // BLOCKS, side="right")


def case_blocks(log: CaseLog, profile: Mapping[str, Any], bounds: Ints) -> Ints:
    """The block of each event's case, shape (events,)."""
    blocks = np.searchsorted(bounds, _slice(log, profile), side="right")
    return np.repeat(blocks, log.lengths)


def _slice(log: CaseLog, profile: Mapping[str, Any]) -> Ints:
    low, high = profile["span"]
    width = (int(high) - int(low)) // _SLICES + 1
    return (log.time[log.starts[:-1]] - int(low)) // width


def no_times(nodes: int) -> dict[str, Any]:
    """Tables of no waits."""
    return {"waits": _nothing(nodes), "work": _nothing(nodes), "cases": np.zeros(BLOCKS, np.int64)}


def _nothing(nodes: int) -> dict[str, Ints]:
    sums = np.zeros((BLOCKS, nodes), np.int64)
    return {"counts": np.zeros((nodes, ranges()), np.int64), "high": sums, "low": sums.copy()}


def times(steps: EventTimes, blocks: Ints, nodes: int) -> dict[str, Any]:
    """Count and add up the waits and the work of a chunk."""
    rows = np.bincount(blocks, minlength=BLOCKS)
    return {"waits": _summed(steps.waits, blocks, nodes), "work": _summed(steps.work, blocks, nodes), "cases": rows}


def _summed(waits: Waits, blocks: Ints, nodes: int) -> dict[str, Ints]:
    size = ranges()
    cell = blocks[waits.place] * nodes + waits.node
    order = np.argsort(cell, kind="stable")
    heads = np.flatnonzero(np.diff(cell[order], prepend=-1))
    parts = {}
    for name, part in (("high", waits.length >> _LOW), ("low", waits.length & ((1 << _LOW) - 1))):
        table = np.zeros(BLOCKS * nodes, np.int64)
        if heads.size:
            table[cell[order][heads]] = np.add.reduceat(part[order], heads)
        parts[name] = table.reshape(BLOCKS, nodes)
    counts = np.bincount(waits.node * size + range_of(waits.length), minlength=nodes * size).reshape(nodes, size)
    return {"counts": counts, **parts}


def joined(sums: Mapping[str, Any]) -> npt.NDArray[np.float64]:
    """Both parts of the sums as doubles, shape (blocks, nodes)."""
    return np.asarray(sums["high"], np.float64) * float(1 << _LOW) + np.asarray(sums["low"], np.float64)


def worst(sums: Mapping[str, Any]) -> int:
    """The activity with the longest sum of waits; the first of several."""
    high, low = (np.asarray(sums["waits"][part]).sum(axis=0) for part in ("high", "low"))
    exact = [(int(h) << _LOW) + int(v) for h, v in zip(high, low, strict=True)]
    return max(range(len(exact)), key=lambda i: (exact[i], -i))
