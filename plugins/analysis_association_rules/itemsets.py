"""Frequent sets of items, one size after another, each counted over all transactions."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import numpy.typing as npt

from toolkit.plugin import BLOCKS, Context, omission, round_significant

from .bits import Ints, count
from .transactions import Transactions

Sets = npt.NDArray[np.int32]


@dataclass(slots=True)
class Itemsets:
    """Frequent sets of items of all sizes.

    Attributes
    ----------
    sets : list of tuple of int
        Items of each set, ascending; by size, then in lexicographic order.
    counts : list of int
        Transactions that have all of them.
    blocks : ndarray of int64, shape (64, sets)
        The same by block.
    place : dict
        Where a set stands.
    candidates : list of ndarray of int32, each of shape (sets, size)
        Sets that were counted, by size from 1 on.
    """

    sets: list[tuple[int, ...]] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    blocks: Ints = field(default_factory=lambda: np.zeros((BLOCKS, 0), np.int64))
    place: dict[tuple[int, ...], int] = field(default_factory=dict)
    candidates: list[Sets] = field(default_factory=list)

    def by_size(self) -> dict[int, int]:
        """How many sets there are of each size."""
        sizes = np.bincount([len(s) for s in self.sets], minlength=1)
        return {size: int(n) for size, n in enumerate(sizes.tolist()) if n}


def least_rows(support: float, transactions: int) -> int:
    """The fewest transactions whose share reaches a support.

    Examples
    --------
    >>> least_rows(0.01, 9835), least_rows(0.5, 10), least_rows(0.0, 10)
    (99, 5, 1)
    """
    return max(1, math.ceil(round_significant(support * transactions)))


def frequent(ctx: Context, table: Transactions, least: int, longest: int) -> Itemsets:
    """Count candidates of one size after another, each in one reading of all transactions.

    Parameters
    ----------
    ctx : Context
        Its budget's ``max_pairs`` bounds the candidates of a size; what it leaves out is recorded.
    table : Transactions
        What is counted.
    least : int
        Fewest transactions of a frequent set.
    longest : int
        Most items of a set.
    """
    found = Itemsets()
    counted: list[Ints] = []
    candidates: Sets = np.arange(len(table.items), dtype=np.int32)[:, None]
    for size in range(1, longest + 1):
        if size > 1:
            candidates = _within(ctx, candidates, found, size)
        if not len(candidates):
            break
        blocks = count(table.batches(), candidates)
        found.candidates.append(candidates)
        kept = np.flatnonzero(blocks.sum(axis=0) >= least)
        sets = [tuple(s) for s in candidates[kept].tolist()]
        found.place |= {s: len(found.sets) + i for i, s in enumerate(sets)}
        found.sets += sets
        found.counts += blocks[:, kept].sum(axis=0).tolist()
        counted.append(blocks[:, kept])
        candidates = _joined(table, sets, found)
    if counted:
        found.blocks = np.concatenate(counted, axis=1)
    return found


def _joined(table: Transactions, sets: list[tuple[int, ...]], found: Itemsets) -> Sets:
    """Sets of one item more of which all parts are frequent."""
    out: list[tuple[int, ...]] = []
    first = 0
    while first < len(sets):
        last = first
        while last < len(sets) and sets[last][:-1] == sets[first][:-1]:
            last += 1
        for a, b in combinations(sets[first:last], 2):
            joined = (*a, b[-1])
            if len(a) == 1:
                if table.together(a[0], b[0]):
                    out.append(joined)
            elif all(joined[:i] + joined[i + 1 :] in found.place for i in range(len(joined) - 2)):
                out.append(joined)
        first = last
    size = len(sets[0]) + 1 if sets else 1
    return np.array(out, np.int32).reshape(-1, size)


def _within(ctx: Context, candidates: Sets, found: Itemsets, size: int) -> Sets:
    """Those that can be most frequent, where the cap leaves some out: no set is in more rows than a part of it."""
    most = ctx.budget.max_pairs
    if most is None or len(candidates) <= most:
        return candidates
    bounds = [min(found.counts[found.place[part]] for part in combinations(s, size - 1)) for s in candidates.tolist()]
    best = np.sort(np.argsort(-np.array(bounds), kind="stable")[:most])
    rule = f"sets of {size} items that could be the most frequent, by their rarest part, ties in order of the items"
    ctx.omit(omission("max_pairs", most, len(candidates), rule, []))
    return candidates[best]
