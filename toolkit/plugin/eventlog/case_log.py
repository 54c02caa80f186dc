"""A chunk of the table that ``transform_sort_eventlog`` derives, as runs of events: one a case."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toolkit.core.chunk import Chunk
from toolkit.plugin.eventlog.case_keys import run_marks
from toolkit.plugin.eventlog.labels import Labels
from toolkit.plugin.eventlog.roles import Roles
from toolkit.plugin.eventlog.sorting import case_runs

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class CaseLog:
    """Whole cases, one after the other.

    Attributes
    ----------
    starts : ndarray of int64, shape (cases + 1,)
        Where each case begins, and where the last ends.
    activity : ndarray of int64, shape (events,)
        Codes of `Labels`.
    time : ndarray of int64, shape (events,)
        The timestamp, in its column's unit.
    follows : ndarray of bool, shape (events,)
        Which events have the one before them in their case.
    """

    starts: Ints
    activity: Ints
    time: Ints
    follows: npt.NDArray[np.bool_]

    @property
    def lengths(self) -> Ints:
        """Events of each case, shape (cases,)."""
        return np.diff(self.starts)

    def case_of(self) -> Ints:
        """The case of each event, from 0, shape (events,)."""
        return np.repeat(np.arange(self.starts.size - 1), self.lengths)


def case_log(chunk: Chunk, roles: Roles, labels: Labels) -> CaseLog:
    """The events of a chunk; it holds whole cases, as that transform cuts chunks between them.

    Parameters
    ----------
    chunk : Chunk
        Of the sorted log.
    roles : Roles
        Its columns.
    labels : Labels
        Codes of its activities.
    """
    starts = case_runs(run_marks(chunk.data(roles.case).values))
    follows = np.ones(len(chunk), bool)
    follows[starts[:-1]] = False
    codes = labels.codes(chunk.data(roles.activity).values, chunk.valid(roles.activity))
    return CaseLog(starts, codes, chunk.raw(roles.timestamp).astype(np.int64), follows)
