"""The sequences of the sorted log: held together where the different ones fit, else made of each chunk again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin import Chunk, Context, Groups, keep_groups
from toolkit.plugin.eventlog import (
    CASE_BLOCKS,
    CaseLog,
    Labels,
    Roles,
    block_of_cases,
    block_starts,
    case_log,
    starts_by_slice,
)

from .database import Database, database, joined

Ints = npt.NDArray[np.int64]
_OUTCOMES = frozenset({"outcome", "result", "resolution", "disposition", "decision", "verdict", "final"})
_CONSTANT = 0.99
"""Share of the cases in which an outcome must be the same in all rows."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How cases end.

    Attributes
    ----------
    column : str
        The column; empty where there is none.
    groups : Groups or None
        Its values that are looked at.
    labels : list of str
        Their names.
    """

    column: str = ""
    groups: Groups | None = None
    labels: tuple[str, ...] = ()

    @property
    def cells(self) -> int:
        """Outcomes, with one of cases that have another or none, by stretch of time."""
        return (len(self.labels) + 1) * CASE_BLOCKS

    def of_cases(self, chunk: Chunk, log: CaseLog) -> Ints:
        """The outcome of each case: that of its last event."""
        others = len(self.labels)
        if self.groups is None:
            return np.full(log.starts.size - 1, others)
        found = self.groups.of(chunk.codes(self.column)[log.starts[1:] - 1])
        return np.where((found < 0) | (found > others), others, found)


class Sequences:
    """The sequences of a log, in as many databases as they take.

    Parameters
    ----------
    ctx : Context
        The sorted log.
    roles : Roles
        Its columns.
    profile : dict
        Data of ``profile_eventlog``.
    """

    def __init__(self, ctx: Context, roles: Roles, profile: dict[str, Any]) -> None:
        self._ctx, self._roles, self._profile = ctx, roles, profile
        self._labels = Labels(ctx, roles.activity)
        counts = np.zeros(len(self._labels), np.int64)
        starts = starts_by_slice(None, profile)
        candidates = _candidates(ctx, roles)
        seen = {name: np.zeros(ctx.schema[name].categories, np.int64) for name in candidates}
        changing = dict.fromkeys(candidates, 0)
        self.cases = 0
        for chunk in ctx.chunks([*self._needed(), *candidates]):
            log = case_log(chunk, roles, self._labels)
            self.cases += log.starts.size - 1
            counts += np.bincount(log.activity, minlength=counts.size)
            starts += starts_by_slice(log, profile)
            for name in candidates:
                codes = chunk.codes(name).astype(np.int64)
                seen[name] += np.bincount(codes[log.starts[1:] - 1] + 1, minlength=seen[name].size + 1)[1:]
                changes = np.flatnonzero(log.follows[1:] & (codes[1:] != codes[:-1]))
                changing[name] += np.unique(log.case_of()[changes]).size
        self.groups = keep_groups(counts, ctx.budget.max_groups, self._labels.names)
        self._bounds = block_starts(starts)
        self.outcome = Outcome()
        steady = [
            n for n in candidates if changing[n] <= (1 - _CONSTANT) * self.cases and np.count_nonzero(seen[n]) > 1
        ]
        if steady:
            kept = keep_groups(seen[steady[0]], ctx.params["levels"])
            names = ctx.categories(steady[0])
            self.outcome = Outcome(steady[0], kept, tuple(str(names[code]) for code in kept.codes.tolist()))
        self._held = self._all_together()

    @property
    def items(self) -> list[str]:
        """The activities that patterns are made of."""
        return [self._labels.names[code] for code in np.sort(self.groups.codes).tolist()]

    def __call__(self) -> Iterator[Database]:
        """The databases."""
        if self._held is not None:
            yield self._held
            return
        for chunk in self._ctx.chunks(self._needed()):
            yield self._of(chunk)

    def _all_together(self) -> Database | None:
        held: Database | None = None
        for chunk in self._ctx.chunks(self._needed()):
            part = self._of(chunk)
            held = part if held is None else joined([held, part])
            if held.items.size + held.weights.size > self._ctx.params["held"]:
                return None
        return held

    def _of(self, chunk: Chunk) -> Database:
        log = case_log(chunk, self._roles, self._labels)
        places = np.full(self.groups.places.size, -1, np.int64)
        places[np.sort(self.groups.codes)] = np.arange(len(self.groups.codes))
        blocks = block_of_cases(log, self._profile, self._bounds)
        cells = self.outcome.of_cases(chunk, log) * CASE_BLOCKS + blocks
        together = self._ctx.params["ties"] == "together"
        return database(log, places[log.activity], cells, self.outcome.cells, together=together)

    def _needed(self) -> list[str]:
        outcome = getattr(self, "outcome", Outcome()).column
        return [*list(self._roles.given.values())[:3], *([outcome] if outcome else [])]


def _candidates(ctx: Context, roles: Roles) -> list[str]:
    """Columns that may be the outcome, by the parameter or by their names."""
    given = ctx.params["outcome"]
    taken = set(roles.given.values())
    fitting = [n for n in ctx.columns("categorical") if n not in taken and ctx.schema[n].encoding == "coded"]
    if given:
        return [n for n in fitting if n == given]
    return [n for n in fitting if _OUTCOMES & set(n.lower().replace("_", " ").replace(":", " ").split())]
