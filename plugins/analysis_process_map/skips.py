"""Short cuts: cases that go from one activity to another past the one that mostly lies between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from toolkit.plugin import Groups
from toolkit.plugin.eventlog import CaseLog

from .graph import ROWS, Sums

Ints = npt.NDArray[np.int64]
NO_ROW = np.iinfo(np.int64).max


class Skipped(NamedTuple):
    """An activity that may be skipped, with those around it, as places among the nodes."""

    before: int
    activity: int
    after: int


def skips_of(steps: Ints, groups: Groups, params: Mapping[str, Any]) -> list[Skipped]:
    """Short cuts that few take, those that most take first.

    Parameters
    ----------
    steps : ndarray of int64, shape (nodes, nodes)
        How often each activity follows each.
    groups : Groups
        The activities; the pooled node is no activity.
    params : mapping
        ``rare``, ``usual``, ``listed``.

    Examples
    --------
    >>> steps = np.array([[0, 98, 2], [0, 0, 99], [0, 0, 0]])
    >>> groups = Groups(np.arange(3), np.array([100, 99, 101]), np.arange(3), None)
    >>> skips_of(steps, groups, {"rare": 0.1, "usual": 0.5, "listed": 5})
    [Skipped(before=0, activity=1, after=2)]
    """
    k = len(groups.codes)
    leaving, coming = steps.sum(axis=1), steps.sum(axis=0)
    found: list[tuple[int, Skipped]] = []
    for a, c in zip(*map(np.ndarray.tolist, np.nonzero(steps[:k, :k])), strict=True):
        through = np.minimum(steps[a, :k], steps[:k, c])
        through[[a, c]] = 0
        b = int(np.argmax(through))
        direct = int(steps[a, c])
        usual = params["usual"]
        enough = steps[a, b] >= usual * leaving[a] and steps[b, c] >= usual * coming[c]
        if a != c and through[b] and enough and direct <= params["rare"] * int(through[b]):
            found.append((direct, Skipped(a, b, c)))
    found.sort(key=lambda f: (-f[0], f[1]))
    return [skipped for _, skipped in found[: params["listed"]]]


def no_skips(size: int) -> Sums:
    """Counts of nothing, for so many short cuts."""
    return {"cases": np.zeros(size, np.int64), "rows": np.full((size, ROWS), NO_ROW, np.int64)}


def skip_counts(skipped: Sequence[Skipped], log: CaseLog, nodes: Ints, first_row: int) -> Sums:
    """Cases that take a short cut and never do what they skip, and the first rows at which they take it.

    Parameters
    ----------
    skipped : sequence of Skipped
        The short cuts.
    log : CaseLog
        Whole cases.
    nodes : ndarray of int64, shape (events,)
        The activity of each event, as a place among the nodes.
    first_row : int
        Row of the first event.
    """
    out = no_skips(len(skipped))
    case = log.case_of()
    follows = log.follows[1:]
    for i, (before, activity, after) in enumerate(skipped):
        taken = np.flatnonzero(follows & (nodes[:-1] == before) & (nodes[1:] == after)) + 1
        does = np.zeros(log.starts.size - 1, bool)
        does[case[nodes == activity]] = True
        taken = taken[~does[case[taken]]]
        first = taken[np.unique(case[taken], return_index=True)[1]]
        out["cases"][i] = first.size
        rows = first[:ROWS] + first_row
        out["rows"][i, : rows.size] = rows
    return out
