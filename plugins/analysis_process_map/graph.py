"""The directly-follows graph: integer tables of steps, and what they say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin.eventlog import CaseLog
from toolkit.plugin.eventlog.durations import seconds_of

Ints = npt.NDArray[np.int64]
Sums = dict[str, Any]
_LOW = 32
"""Durations are summed in two parts, of their high bits and of this many low ones, so that no sum overflows."""
ROWS = 20
"""First rows that are listed of what is counted."""


@dataclass(frozen=True, slots=True)
class Graph:
    """What follows what.

    Attributes
    ----------
    names : list of str
        The activities by their place in the tables.
    nodes : list of dict
        ``activity``, ``events``, ``first`` and ``last`` (cases that begin and end with it), the most frequent first.
    edges : list of dict
        ``from``, ``to``, ``events``, ``cases``, ``mean_seconds``, the most frequent first.
    events, cases : int
        How many there are.
    """

    names: list[str]
    nodes: list[dict[str, Any]]
    edges: list[dict[str, Any]]
    events: int
    cases: int


def no_edges(nodes: int) -> Sums:
    """Tables of no steps, for so many activities."""
    square, line = np.zeros((nodes, nodes), np.int64), np.zeros(nodes, np.int64)
    return {
        "count": square, "cases": square.copy(), "high": square.copy(), "low": square.copy(),
        "events": line, "first": line.copy(), "last": line.copy(),
    }  # fmt: skip


def edge_sums(log: CaseLog, nodes: Ints, k: int) -> Sums:
    """Count the steps of whole cases.

    Parameters
    ----------
    log : CaseLog
        The cases.
    nodes : ndarray of int64, shape (events,)
        The activity of each event, below ``k``.
    k : int
        Number of activities.
    """
    later = np.flatnonzero(log.follows)
    edge = nodes[later - 1] * k + nodes[later]
    took = log.time[later] - log.time[later - 1]
    seen = np.unique(log.case_of()[later] * (k * k) + edge) % (k * k)

    def table(weights: Ints) -> Ints:
        order = np.argsort(edge, kind="stable")
        heads = np.flatnonzero(np.diff(edge[order], prepend=-1))
        out = np.zeros(k * k, np.int64)
        out[edge[order][heads]] = np.add.reduceat(weights[order], heads) if heads.size else 0
        return out.reshape(k, k)

    return {
        "count": np.bincount(edge, minlength=k * k).reshape(k, k),
        "cases": np.bincount(seen, minlength=k * k).reshape(k, k),
        "high": table(took >> _LOW),
        "low": table(took & ((1 << _LOW) - 1)),
        "events": np.bincount(nodes, minlength=k),
        "first": np.bincount(nodes[log.starts[:-1]], minlength=k),
        "last": np.bincount(nodes[log.starts[1:] - 1], minlength=k),
    }


def merged_sums(left: Sums, right: Sums) -> Sums:
    """Add tables; of rows that are listed keep the first."""
    return {
        name: np.sort(np.concatenate([left[name], right[name]], axis=1), axis=1)[:, :ROWS]
        if name == "rows"
        else left[name] + right[name]
        for name in left
    }


def graph_of(sums: Sums, names: list[str], unit: str) -> Graph:
    """Name the tables."""
    count = sums["count"]
    order = sorted(range(len(names)), key=lambda i: (-int(sums["events"][i]), i))
    nodes = [{"activity": names[i], **{key: int(sums[key][i]) for key in ("events", "first", "last")}} for i in order]
    pairs = sorted(zip(*map(np.ndarray.tolist, np.nonzero(count)), strict=True), key=lambda p: (-int(count[p]), p))
    edges = [
        {
            "from": names[a], "to": names[b], "events": int(count[a, b]), "cases": int(sums["cases"][a, b]),
            "mean_seconds": seconds_of(total(sums, a, b) / int(count[a, b]), unit),
        }
        for a, b in pairs
    ]  # fmt: skip
    return Graph(names, nodes, edges, int(sums["events"].sum()), int(sums["first"].sum()))


def total(sums: Sums, a: int, b: int) -> int:
    """The exact sum of the durations of a step.

    Examples
    --------
    >>> sums = {"high": np.array([[2]]), "low": np.array([[5]])}
    >>> total(sums, 0, 0) == 2 * 2**32 + 5
    True
    """
    return (int(sums["high"][a, b]) << _LOW) + int(sums["low"][a, b])
