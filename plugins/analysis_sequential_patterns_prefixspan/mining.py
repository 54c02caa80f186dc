"""PrefixSpan, level by level: which patterns occur in enough cases, with exact counts.

A pattern is a sequence of sets; it occurs in a sequence whose sets, in this order and with anything between them,
contain its sets. Patterns grow by one activity: in a set of its own (``s``), or in the last set (``i``), where it is
larger than all in it, so that each pattern is reached in one way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from .database import Database

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Pattern = tuple[tuple[int, ...], ...]
Pieces = Callable[[], Iterable[Database]]

_MARKS_A_VALUE = 64
"""Marks that are looked through in the time in which one value is sorted."""


def frequent(pieces: Pieces, items: int, least: int, longest: int, most: int) -> tuple[dict[Pattern, int], int]:
    """All patterns that occur in enough cases.

    Parameters
    ----------
    pieces : callable
        Gives the sequences, in any number of databases, as often as it is called.
    items : int
        Number of activities.
    least : int
        Cases that a pattern must occur in.
    longest : int
        Activities of a pattern, at most.
    most : int
        Patterns of a length, at most: where there are more, ``least`` is raised.

    Returns
    -------
    patterns : dict of tuple to int
        Cases by pattern, shorter ones first, then in the order of their activities.
    least : int
        As it was, or as small as it could be raised to.
    """
    found: dict[Pattern, int] = {}
    level: list[Pattern] = [()]
    for _ in range(longest):
        counts = np.zeros((len(level), 2, items), np.int64)
        for piece in pieces():
            for place, walk in enumerate(_walks(piece, level)):
                counts[place] += walk.extensions(items)
        for place, pattern in enumerate(level):
            counts[place, 1, : pattern[-1][-1] + 1 if pattern else items] = 0
        grown = {
            _grown(level[place], kind, item): int(counts[place, kind, item])
            for place, kind, item in zip(*map(np.ndarray.tolist, np.nonzero(counts >= least)), strict=True)
        }
        if len(grown) > most:
            least = sorted(grown.values(), reverse=True)[most] + 1
            grown = {pattern: count for pattern, count in grown.items() if count >= least}
        level = sorted(grown)
        found |= {pattern: grown[pattern] for pattern in level}
        if not level:
            break
    return {pattern: count for pattern, count in found.items() if count >= least}, least


def occurrences(pieces: Pieces, patterns: Sequence[Pattern], cells: int) -> Ints:
    """Cases in which patterns occur, by outcome and stretch of time; shape (patterns, cells).

    Parameters
    ----------
    pieces : callable
        As of `frequent`.
    patterns : sequence of tuple
        In sorted order, which saves work.
    cells : int
        How many outcomes and stretches there are.
    """
    out = np.zeros((len(patterns), cells), np.int64)
    for piece in pieces():
        for place, walk in enumerate(_walks(piece, patterns)):
            out[place] += walk.cells()
    return out


def _grown(pattern: Pattern, kind: int, item: int) -> Pattern:
    return (*pattern, (item,)) if kind == 0 else (*pattern[:-1], (*pattern[-1], item))


def closed_patterns(found: dict[Pattern, int]) -> list[Pattern]:
    """Patterns that no longer one contains that occurs in as many cases.

    Examples
    --------
    >>> closed_patterns({((1,),): 3, ((2,),): 2, ((1,), (2,)): 2})
    [((1,),), ((1,), (2,))]
    """
    by_count: dict[int, list[Pattern]] = {}
    for pattern, count in found.items():
        by_count.setdefault(count, []).append(pattern)
    hidden: set[Pattern] = set()
    for patterns in by_count.values():
        sizes: dict[int, list[Pattern]] = {}
        for pattern in patterns:
            sizes.setdefault(sum(map(len, pattern)), []).append(pattern)
        for size, shorter in sizes.items():
            hidden.update(p for p in shorter if any(contains(longer, p) for longer in sizes.get(size + 1, ())))
    return [pattern for pattern in found if pattern not in hidden]


def contains(longer: Pattern, shorter: Pattern) -> bool:
    """Whether a pattern occurs in another.

    Examples
    --------
    >>> contains(((1,), (2, 3), (1,)), ((1,), (3,))), contains(((1, 2),), ((1,), (2,)))
    (True, False)
    """
    place = 0
    for found in longer:
        if place < len(shorter) and set(shorter[place]) <= set(found):
            place += 1
    return place == len(shorter)


class _Events:
    """What all walks over a database share."""

    def __init__(self, data: Database) -> None:
        self.data = data
        self.owner = data.sequence_of_set
        self.owner_of_event = self.owner[data.sets]
        self.sequences = data.weights.shape[0]
        # Sums of doubles, exact below 2**53.
        self.cases = data.weights.sum(axis=1).astype(np.float64)
        order = np.argsort(data.items, kind="stable")
        self._sets_by_item = data.sets[order]
        self._starts = np.searchsorted(data.items[order], np.arange(int(data.items.max(initial=-1)) + 2))

    def sets_with(self, item: int) -> Ints:
        """The sets that hold an activity."""
        if item + 1 >= self._starts.size:
            return self._sets_by_item[:0]
        return self._sets_by_item[self._starts[item] : self._starts[item + 1]]


class _Walk:
    """Where the sets of a database are at which a pattern can end."""

    def __init__(self, events: _Events, ends: Bools | None) -> None:
        self._events = events
        self._ends = ends

    def grown(self, item: int, *, new_set: bool) -> _Walk:
        """The same for the pattern with one more activity."""
        has = np.zeros(self._events.owner.size, bool)
        has[self._events.sets_with(item)] = True
        if self._ends is not None:
            has &= self._after() if new_set else self._ends
        return _Walk(self._events, has)

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
        """Cases of each way to grow, shape (2, items): in a set of its own, in the last set."""
        out = np.zeros((2, items), np.int64)
        out[0] = self._cases(None if self._ends is None else self._after(), items)
        if self._ends is not None and self._events.data.has_larger_sets:
            out[1] = self._cases(self._ends, items)
        return out

    def _cases(self, allowed: Bools | None, items: int) -> Ints:
        owner, found = self._events.owner_of_event, self._events.data.items
        if allowed is not None:
            events = np.flatnonzero(allowed[self._events.data.sets])
            owner, found = owner[events], found[events]
        pairs = _distinct(owner * items + found, self._events.sequences * items)
        return np.bincount(pairs % items, self._events.cases[pairs // items], items).astype(np.int64)

    def cells(self) -> Ints:
        """Cases in which the pattern occurs, by outcome and stretch of time."""
        assert self._ends is not None
        found = _distinct(self._events.owner[self._ends], self._events.sequences)
        out: Ints = self._events.data.weights[found].sum(axis=0)
        return out


def _distinct(values: Ints, below: int) -> Ints:
    """Distinct values, sorted: by a mark for each that there can be, where sorting would take longer."""
    if below > _MARKS_A_VALUE * values.size:
        return np.unique(values)
    marked = np.zeros(below, bool)
    marked[values] = True
    return np.flatnonzero(marked)


def _walks(data: Database, patterns: Sequence[Pattern]) -> Iterator[_Walk]:
    """A walk for each pattern; neighbours share what they begin with."""
    path: list[tuple[tuple[bool, int], _Walk]] = []
    root = _Walk(_Events(data), None)
    for pattern in patterns:
        steps = [(place == 0, item) for group in pattern for place, item in enumerate(group)]
        shared = 0
        while shared < min(len(path), len(steps)) and path[shared][0] == steps[shared]:
            shared += 1
        del path[shared:]
        for new_set, item in steps[shared:]:
            last = path[-1][1] if path else root
            path.append(((new_set, item), last.grown(item, new_set=new_set)))
        yield path[-1][1] if path else root
