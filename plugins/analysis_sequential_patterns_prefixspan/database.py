"""Sequences of sets of activities, each different one once, with how many cases go through it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin import places_of_runs
from toolkit.plugin.eventlog import CaseLog, case_runs, sequence_hashes

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Database:
    """Sequences, weighted.

    Attributes
    ----------
    items : ndarray of int64, shape (events,)
        Activities, ascending within a set.
    sets : ndarray of int64, shape (events,)
        The set of each, counted over all sequences.
    set_starts : ndarray of int64, shape (sequences + 1,)
        Where the sets of each sequence begin.
    weights : ndarray of int64, shape (sequences, cells)
        Cases that go through each sequence, by outcome and stretch of time.
    hashes : ndarray of uint64, shape (sequences, 2)
        Of the sequences.
    """

    items: Ints
    sets: Ints
    set_starts: Ints
    weights: Ints
    hashes: npt.NDArray[np.uint64]

    @property
    def sequence_of_set(self) -> Ints:
        """The sequence of each set."""
        return np.repeat(np.arange(self.set_starts.size - 1), np.diff(self.set_starts))

    def __len__(self) -> int:
        return self.set_starts.size - 1

    @property
    def sizes(self) -> Ints:
        """Activities of each sequence."""
        return np.diff(np.searchsorted(self.sets, self.set_starts))

    def which(self, chosen: npt.NDArray[Any]) -> Database:
        """Some of the sequences, by their numbers or by a mark for each."""
        kept = np.flatnonzero(chosen) if chosen.dtype == bool else chosen
        bounds = np.searchsorted(self.sets, self.set_starts)
        sizes = np.diff(bounds)[kept]
        events, _ = places_of_runs(bounds[kept], sizes)
        sets = np.diff(self.set_starts)[kept]
        starts = np.concatenate([[0], np.cumsum(sets)])
        moved = np.repeat(starts[:-1] - self.set_starts[kept], sizes)
        return Database(self.items[events], self.sets[events] + moved, starts, self.weights[kept], self.hashes[kept])


def database(log: CaseLog, items: Ints, cells: Ints, n_cells: int, *, together: bool) -> Database:
    """The sequences of some cases.

    Parameters
    ----------
    log : CaseLog
        The cases.
    items : ndarray of int64, shape (events,)
        Activities; those below 0 are left out.
    cells : ndarray of int64, shape (cases,)
        The outcome and stretch of time of each case; below 0 where it has none and is left out.
    n_cells : int
        How many there are.
    together : bool
        Whether activities of a case at one time are a set.
    """
    case = log.case_of()
    kept = (items >= 0) & (cells[case] >= 0)
    case, items, time = case[kept], items[kept], log.time[kept]
    new_case = np.diff(case, prepend=-1) != 0
    opens = new_case | (np.diff(time, prepend=0) != 0) if together else np.ones(case.size, bool)
    sets = np.cumsum(opens) - 1
    if together:
        order = np.lexsort((items, sets))
        items, case, sets = items[order], case[order], sets[order]
        once = np.ones(items.size, bool)
        once[1:] = (np.diff(sets) != 0) | (np.diff(items) != 0)
        items, case, sets = items[once], case[once], sets[once]
    starts = case_runs(case)
    opened = np.diff(sets, prepend=-1) != 0
    first, second = sequence_hashes(2 * items + opened, starts)
    set_counts = np.add.reduceat(opened.astype(np.int64), starts[:-1]) if case.size else np.empty(0, np.int64)
    held = Database(
        items, sets, np.concatenate([[0], np.cumsum(set_counts)]), _one_hot(cells[case[starts[:-1]]], n_cells),
        np.stack([first, second], axis=1),
    )  # fmt: skip
    return joined([held])


def joined(parts: Sequence[Database]) -> Database:
    """The sequences of several databases, equal ones put together; in the order of their hashes."""
    hashes = np.concatenate([p.hashes for p in parts])
    weights = np.concatenate([p.weights for p in parts])
    order = np.lexsort((hashes[:, 1], hashes[:, 0]))
    ordered = hashes[order]
    new = np.ones(order.size, bool)
    new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    heads = np.flatnonzero(new)
    kept = order[heads]
    summed = np.add.reduceat(weights[order], heads, axis=0) if heads.size else weights[:0]
    sets_before = np.cumsum([0, *(int(p.set_starts[-1]) for p in parts)])
    set_starts = np.concatenate([p.set_starts[:-1] + b for p, b in zip(parts, sets_before, strict=False)])
    set_ends = np.concatenate([p.set_starts[1:] + b for p, b in zip(parts, sets_before, strict=False)])
    sets = np.concatenate([p.sets + b for p, b in zip(parts, sets_before, strict=False)])
    items = np.concatenate([p.items for p in parts])
    firsts, lasts = np.searchsorted(sets, set_starts[kept]), np.searchsorted(sets, set_ends[kept])
    events, _ = places_of_runs(firsts, lasts - firsts)
    opened = np.ones(events.size, bool)
    taken = sets[events]
    sequence = np.repeat(np.arange(kept.size), lasts - firsts)
    opened[1:] = (np.diff(taken) != 0) | (np.diff(sequence) != 0)
    counts = set_ends[kept] - set_starts[kept]
    return Database(
        items[events], np.cumsum(opened) - 1, np.concatenate([[0], np.cumsum(counts)]), summed, ordered[heads]
    )


def weight_of(parts: Iterator[Database]) -> int:
    """Cases of all sequences."""
    return sum(int(p.weights.sum()) for p in parts)


def _one_hot(cells: Ints, n_cells: int) -> Ints:
    out = np.zeros((cells.size, n_cells), np.int64)
    out[np.arange(cells.size), cells] = 1
    return out
