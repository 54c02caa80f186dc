"""Where in the sequences of a database a pattern can end, from which the cases of every longer one follow.

Two kinds of sequences are walked in two ways. Where each set holds one activity, as in most logs, a table says of every
event and activity where the activity comes next; a pattern is then the sequences that have it, with the place behind
its first end, and growing it is one look into the table for each of them. Where sets hold several, all sets at which
the pattern can end are marked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from .database import Database

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Pattern = tuple[tuple[int, ...], ...]

_MARKS_A_VALUE = 64
"""Marks that are looked through in the time in which one value is sorted."""
_CELLS = 1 << 19
"""Entries of a table of next places at most, 2 MiB, which processors have close by."""


class Walk(Protocol):
    """A pattern, walked through the sequences of a database."""

    def grown(self, item: int, *, new_set: bool) -> Walk:
        """The same for the pattern with one more activity."""

    def extensions(self, items: int) -> Ints:
        """Cases of each way to grow, shape (2, items): in a set of its own, in the last set."""

    def cells(self) -> Ints:
        """Cases in which the pattern occurs, by outcome and stretch of time."""


def walks(data: Database, patterns: Sequence[Pattern], items: int) -> Iterator[list[Walk]]:
    """For each pattern its walks, one for each part of the database; neighbours share what they begin with.

    Parameters
    ----------
    data : Database
        The sequences.
    patterns : sequence of tuple
        In sorted order, which saves work.
    items : int
        Number of activities.
    """
    path: list[tuple[tuple[bool, int], list[Walk]]] = []
    root = _roots(data, items)
    for pattern in patterns:
        steps = [(place == 0, item) for group in pattern for place, item in enumerate(group)]
        shared = 0
        while shared < min(len(path), len(steps)) and path[shared][0] == steps[shared]:
            shared += 1
        del path[shared:]
        for new_set, item in steps[shared:]:
            last = path[-1][1] if path else root
            path.append(((new_set, item), [walk.grown(item, new_set=new_set) for walk in last]))
        yield path[-1][1] if path else root


def _roots(data: Database, items: int) -> list[Walk]:
    """Walks of the pattern of nothing."""
    simple = data.sizes == np.diff(data.set_starts)
    found: list[Walk] = []
    if not simple.all():
        found.append(_Marked(_Sets(data.which(~simple)), None))
    rest = data if simple.all() else data.which(simple)
    # Runs of sequences, the tables of which stay small.
    most = max(1, _CELLS // max(items, 1))
    at = 0
    while at < len(rest):
        stop = int(np.searchsorted(rest.set_starts, rest.set_starts[at] + most, side="right")) - 1
        part = np.arange(at, min(max(stop, at + 1), len(rest)))
        found.append(_Next(_Table(rest if part.size == len(rest) else rest.which(part), items)))
        at = int(part[-1]) + 1
    return found


class _Weights:
    """How many cases go through sequences, by outcome and stretch of time."""

    def __init__(self, weights: Ints) -> None:
        self._shape = weights.shape
        self._sequences, self._cells = np.nonzero(weights)
        # Sums of doubles, exact below 2**53.
        self._counts = weights[self._sequences, self._cells].astype(np.float64)
        self.cases = weights.sum(axis=1).astype(np.float64)

    def cells(self, sequences: npt.NDArray[np.integer]) -> Ints:
        """Cases of some sequences, by cell."""
        some = np.zeros(self._shape[0], bool)
        some[sequences] = True
        kept = some[self._sequences]
        return np.bincount(self._cells[kept], self._counts[kept], self._shape[1]).astype(np.int64)


class _Table:
    """Where each activity comes next, from every event on."""

    def __init__(self, data: Database, items: int) -> None:
        self.weights = _Weights(data.weights)
        self.starts, self.ends = data.set_starts[:-1].astype(np.int32), data.set_starts[1:].astype(np.int32)
        events = data.items.size
        table = np.full((events + 1, items), events, np.int32)
        table[np.arange(events), data.items] = np.arange(events)
        # From the last event to the first; a place behind the end of a sequence is one where the activity is not.
        np.minimum.accumulate(table[::-1], axis=0, out=table[::-1])
        self.next = table


class _Next:
    """Sequences that have a pattern, and where each goes on behind its first end; all from their start by default."""

    def __init__(self, table: _Table, sequences: Ints | None = None, places: Ints | None = None) -> None:
        self._table = table
        self._sequences = np.arange(table.starts.size) if sequences is None else sequences
        self._places = table.starts if places is None else places

    def grown(self, item: int, *, new_set: bool) -> _Next:
        if not new_set:
            return _Next(self._table, self._sequences[:0], self._places[:0])
        found = self._table.next[self._places, item]
        kept = found < self._table.ends[self._sequences]
        return _Next(self._table, self._sequences[kept], found[kept] + 1)

    def extensions(self, items: int) -> Ints:
        out = np.zeros((2, items), np.int64)
        for a in range(0, self._sequences.size, _MOST_AT_ONCE):
            part = slice(a, a + _MOST_AT_ONCE)
            own = self._sequences[part]
            there = self._table.next[self._places[part]] < self._table.ends[own][:, None]
            out[0] += (self._table.weights.cases[own] @ there).astype(np.int64)
        return out

    def cells(self) -> Ints:
        return self._table.weights.cells(self._sequences)


_MOST_AT_ONCE = 1 << 13
"""Sequences that are looked at together, so that what is computed of them stays in the processor's cache."""


class _Sets:
    """What all walks over sequences of larger sets share."""

    def __init__(self, data: Database) -> None:
        self.data = data
        self.weights = _Weights(data.weights)
        self.owner = data.sequence_of_set
        self.owner_of_event = self.owner[data.sets]
        self.sequences = len(data)
        order = np.argsort(data.items, kind="stable")
        self._sets_by_item = data.sets[order]
        self._starts = np.searchsorted(data.items[order], np.arange(int(data.items.max(initial=-1)) + 2))

    def sets_with(self, item: int) -> Ints:
        """The sets that hold an activity."""
        if item + 1 >= self._starts.size:
            return self._sets_by_item[:0]
        return self._sets_by_item[self._starts[item] : self._starts[item + 1]]


class _Marked:
    """The sets at which a pattern can end; None for the pattern of nothing."""

    def __init__(self, events: _Sets, ends: Bools | None) -> None:
        self._events = events
        self._ends = ends

    def grown(self, item: int, *, new_set: bool) -> _Marked:
        has = np.zeros(self._events.owner.size, bool)
        has[self._events.sets_with(item)] = True
        if self._ends is not None:
            has &= self._after() if new_set else self._ends
        return _Marked(self._events, has)

    def _after(self) -> Bools:
        """Sets behind the first at which the pattern can end."""
        assert self._ends is not None
        starts = self._events.data.set_starts
        # Where the first end of each sequence is: the next end from its beginning on, if that is its own.
        ends = np.append(np.flatnonzero(self._ends), self._ends.size)
        first = np.minimum(ends[np.searchsorted(ends, starts[:-1])], starts[1:] - 1)
        # One mark a sequence, behind its first end or behind its last set; a running sum tells what is behind a mark.
        change = np.zeros(self._ends.size + 1, np.int8)
        change[first + 1] += 1
        change[starts[1:]] -= 1
        out: Bools = np.cumsum(change[:-1], dtype=np.int8).view(bool)
        return out

    def extensions(self, items: int) -> Ints:
        out = np.zeros((2, items), np.int64)
        out[0] = self._cases(None if self._ends is None else self._after(), items)
        if self._ends is not None:
            out[1] = self._cases(self._ends, items)
        return out

    def _cases(self, allowed: Bools | None, items: int) -> Ints:
        owner, found = self._events.owner_of_event, self._events.data.items
        if allowed is not None:
            events = np.flatnonzero(allowed[self._events.data.sets])
            owner, found = owner[events], found[events]
        pairs = _distinct(owner * items + found, self._events.sequences * items)
        return np.bincount(pairs % items, self._events.weights.cases[pairs // items], items).astype(np.int64)

    def cells(self) -> Ints:
        assert self._ends is not None
        return self._events.weights.cells(self._events.owner[self._ends])


def _distinct(values: Ints, below: int) -> Ints:
    """Distinct values, sorted: by a mark for each that there can be, where sorting would take longer."""
    if below > _MARKS_A_VALUE * values.size:
        return np.unique(values)
    marked = np.zeros(below, bool)
    marked[values] = True
    return np.flatnonzero(marked)
