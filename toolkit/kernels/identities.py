"""Distinct texts known by 128-bit hashes, with how often each occurs and where first.

Two different texts share both hashes with a probability of about ``n**2 / 2**129``: for a billion different texts
10**-21.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from toolkit.core.chunk import Chunk
from toolkit.kernels.frequency import Counts, frequency_table, join_tables, kth_largest
from toolkit.kernels.hashing import Hashes, hash_text
from toolkit.kernels.present import LastDerived, present_rows
from toolkit.kernels.tally import narrowest

Rows = npt.NDArray[np.int64]


class HashRange(NamedTuple):
    """First and last of the first hashes that texts may have."""

    low: int
    high: int


ALL_HASHES = HashRange(0, (1 << 64) - 1)


class Identities(NamedTuple):
    """Distinct texts, ascending by their hashes.

    Attributes
    ----------
    first, second : ndarray of uint64, shape (distinct,)
        The two hashes.
    rows : ndarray of int64, shape (distinct,)
        The first row of each.
    counts : ndarray of unsigned integers, shape (distinct,), or None
        How often each occurs, in the narrowest dtype; None when each occurs once.
    """

    first: Hashes
    second: Hashes
    rows: Rows
    counts: npt.NDArray[Any] | None


NONE = Identities(np.empty(0, np.uint64), np.empty(0, np.uint64), np.empty(0, np.int64), None)


def _hashed(chunk: Chunk, column: str) -> Identities:
    first, second = hash_text(chunk.strings(column), (0, 1))
    rows = present_rows(chunk, column)
    if rows.size < first.size:
        at = rows - chunk.rows.start
        first, second = first[at], second[at]
    return Identities(first, second, rows, None)


hashed_rows = LastDerived(_hashed)
"""Hashes and rows where a long text column is present, in row order; texts that repeat are there several times."""


class _Groups(NamedTuple):
    """Texts side by side, and how they fall into groups of equal ones.

    Members of group ``i`` are at ``order[starts[i]:starts[i + 1]]``; groups ascend by their hashes, ``starts`` has
    one more entry than there are groups.
    """

    first: Hashes
    second: Hashes
    rows: Rows
    counts: npt.NDArray[Any] | None
    order: Rows
    starts: Rows

    def totals(self) -> Counts:
        """How often each text occurs."""
        if self.counts is None:
            return np.diff(self.starts)
        return np.add.reduceat(self.counts[self.order].astype(np.int64), self.starts[:-1])

    def first_rows(self, wanted: npt.NDArray[np.int64] | slice = slice(None)) -> Rows:
        """The first row of each text, or of some."""
        heads = self.starts[:-1]
        if self.counts is None:  # members of a group are in the order of their rows
            return self.rows[self.order[heads[wanted]]]
        rows: Rows = np.minimum.reduceat(self.rows[self.order], heads)[wanted]
        return rows


def join_identities(parts: list[Identities], keys: HashRange) -> Identities:
    """Sort and count texts, each of which may come several times.

    Parameters
    ----------
    parts : list of Identities
        In any order; those of a chunk, which are not counted yet, have ascending rows.
    keys : HashRange
        The range that all first hashes are in.
    """
    parts = [p for p in parts if p.rows.size]
    if not parts:
        return NONE
    groups = _grouped(parts, keys)
    heads = groups.order[groups.starts[:-1]]
    totals = groups.totals()
    counts = None if int(totals.max()) == 1 else narrowest(totals)
    return Identities(groups.first[heads], groups.second[heads], groups.first_rows(), counts)


def _grouped(parts: list[Identities], keys: HashRange) -> _Groups:
    parts = sorted(parts, key=lambda p: int(p.rows[0]))
    first, second, rows = (np.concatenate([p[i] for p in parts]) for i in range(3))
    counts = None
    if any(p.counts is not None for p in parts) or bool((rows[1:] < rows[:-1]).any()):
        counts = np.concatenate([np.ones(p.rows.size, np.uint8) if p.counts is None else p.counts for p in parts])
    order, repeated = _sorted_pairs(first, second, keys)
    starts = np.empty(order.size - int(np.count_nonzero(repeated)) + 1, np.int64)
    starts[:-1], starts[-1] = np.flatnonzero(~repeated), order.size
    return _Groups(first, second, rows, counts, order, starts)


def _sorted_pairs(first: Hashes, second: Hashes, keys: HashRange) -> tuple[Rows, npt.NDArray[np.bool_]]:
    """The order in which pairs ascend, and which of them, in that order, repeat the one before.

    The position is put in the place of the hash's low bits, so that one plain sort of integers, many times quicker
    than an indirect one, gives the order up to ties in the remaining bits; those are then put right.
    """
    size = first.size
    low_bits = np.uint64(max(size - 1, 1).bit_length())
    spare = np.uint64(64 - max((keys.high - keys.low).bit_length(), 1))
    packed = ((first - np.uint64(keys.low)) << spare) >> low_bits << low_bits
    packed |= np.arange(size, dtype=np.uint64)
    packed.sort()
    order = (packed & ((np.uint64(1) << low_bits) - np.uint64(1))).astype(np.int64)
    packed >>= low_bits
    ties = np.flatnonzero(packed[1:] == packed[:-1])
    equal = _equal(first, second, order, ties)
    if not equal.all():
        tied = np.union1d(ties, ties + 1)
        inside = order[tied]
        order[tied] = inside[np.lexsort((inside, second[inside], first[inside]))]
        equal = _equal(first, second, order, ties)
    repeated = np.zeros(size, bool)
    repeated[ties[equal] + 1] = True
    return order, repeated


def _equal(first: Hashes, second: Hashes, order: Rows, at: Rows) -> npt.NDArray[np.bool_]:
    """Whether the pairs at some places of an order equal their successors."""
    here, there = order[at], order[at + 1]
    same: npt.NDArray[np.bool_] = (first[here] == first[there]) & (second[here] == second[there])
    return same


class Leaders(NamedTuple):
    """The texts that occur most often, and those between which a tie at the last place has to be broken.

    Attributes
    ----------
    rows, counts : ndarray of int64
        Texts that occur more often than ``threshold``: their first rows and counts.
    threshold : int
        The k-th largest count; 0 where there are at most k texts, and none is left out.
    tied : int
        Number of texts that occur ``threshold`` times.
    tied_rows : ndarray of int64
        The smallest of their first rows, ascending, as many as are kept.
    table : tuple of two ndarrays of int64
        How many texts occur how often.
    """

    rows: Rows
    counts: Counts
    threshold: int
    tied: int
    tied_rows: Rows
    table: tuple[Counts, Counts]


def leaders(parts: list[Identities], keys: HashRange, k: int, keep: int) -> Leaders:
    """The leaders of a set of texts, each of which may come several times.

    Parameters
    ----------
    parts, keys
        As `join_identities` takes them.
    k : int
        How many are wanted.
    keep : int
        How many tied rows to keep.
    """
    parts = [p for p in parts if p.rows.size]
    if not parts:
        return _leaders(NONE.rows, np.empty(0, np.int64), k, keep, join_tables([]))
    groups = _grouped(parts, keys)
    counts = groups.totals()
    wanted = np.flatnonzero(counts >= max(kth_largest(counts, k), 2)) if counts.size > k else np.arange(counts.size)
    return _leaders(groups.first_rows(wanted), counts[wanted], k, keep, frequency_table(counts))


def join_leaders(parts: list[Leaders], k: int, keep: int) -> Leaders:
    """The leaders of the union of disjoint sets of texts."""
    table = join_tables([p.table for p in parts])
    rows = np.concatenate([p.rows for p in parts] + [p.tied_rows for p in parts])
    tied_counts = [np.full(p.tied_rows.size, p.threshold, np.int64) for p in parts]
    counts = np.concatenate([p.counts for p in parts] + tied_counts)
    joined = _leaders(rows, counts, k, keep, table)
    # Texts of which a part did not keep the row are still to be counted among the tied ones.
    unseen = sum(p.tied - p.tied_rows.size for p in parts if p.threshold == joined.threshold)
    return joined._replace(tied=joined.tied + unseen)


def _leaders(rows: Rows, counts: Counts, k: int, keep: int, table: tuple[Counts, Counts]) -> Leaders:
    distinct = int(table[1].sum())
    threshold = 0 if distinct <= k else max(kth_largest(counts, k), 1)
    above = counts > threshold
    tied = np.sort(rows[counts == threshold]) if threshold > 1 else rows[:0]
    order = np.lexsort((rows[above], -counts[above]))
    return Leaders(rows[above][order], counts[above][order], threshold, tied.size, tied[:keep].copy(), table)
