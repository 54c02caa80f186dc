"""PrefixSpan, level by level: which patterns occur in enough cases, with exact counts.

A pattern is a sequence of sets; it occurs in a sequence whose sets, in this order and with anything between them,
contain its sets. Patterns grow by one activity: in a set of its own (``s``), or in the last set (``i``), where it is
larger than all in it, so that each pattern is reached in one way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt

from .database import Database
from .walks import Pattern, walks

Ints = npt.NDArray[np.int64]
Pieces = Callable[[], Iterable[Database]]


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
            for place, parts in enumerate(walks(piece, level, items)):
                for walk in parts:
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
    items = 1 + max((item for pattern in patterns for group in pattern for item in group), default=0)
    for piece in pieces():
        for place, parts in enumerate(walks(piece, patterns, max(items, int(piece.items.max(initial=0)) + 1))):
            for walk in parts:
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
