"""Exact sums and counts of waits by activity and by block of cases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin.eventlog import CASE_BLOCKS
from toolkit.plugin.eventlog.durations import range_of, ranges

if TYPE_CHECKING:
    from .steps import EventTimes, Waits

Ints = npt.NDArray[np.int64]
_LOW = 32


def no_times(nodes: int) -> dict[str, Any]:
    """Tables of no waits."""
    return {"waits": _nothing(nodes), "work": _nothing(nodes), "cases": np.zeros(CASE_BLOCKS, np.int64)}


def _nothing(nodes: int) -> dict[str, Ints]:
    sums = np.zeros((CASE_BLOCKS, nodes), np.int64)
    return {"counts": np.zeros((nodes, ranges()), np.int64), "high": sums, "low": sums.copy()}


def times(steps: EventTimes, blocks: Ints, nodes: int) -> dict[str, Any]:
    """Count and add up the waits and the work of a chunk."""
    rows = np.bincount(blocks, minlength=CASE_BLOCKS)
    return {"waits": _summed(steps.waits, blocks, nodes), "work": _summed(steps.work, blocks, nodes), "cases": rows}


def _summed(waits: Waits, blocks: Ints, nodes: int) -> dict[str, Ints]:
    size = ranges()
    cell = blocks[waits.place] * nodes + waits.node
    order = np.argsort(cell, kind="stable")
    heads = np.flatnonzero(np.diff(cell[order], prepend=-1))
    parts = {}
    for name, part in (("high", waits.length >> _LOW), ("low", waits.length & ((1 << _LOW) - 1))):
        table = np.zeros(CASE_BLOCKS * nodes, np.int64)
        if heads.size:
            table[cell[order][heads]] = np.add.reduceat(part[order], heads)
        parts[name] = table.reshape(CASE_BLOCKS, nodes)
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
