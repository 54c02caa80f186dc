"""From rows of equal hashes to rows of equal values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from toolkit.core.chunk import Chunk
from toolkit.plugin.context import Context
from toolkit.plugin.repeats.compare import equal_rows
from toolkit.plugin.repeats.filter import Filter, Hashes, hit_again
from toolkit.plugin.repeats.gather import MOST, Gathered, Rows, add_rows, nothing_gathered

TOP = 10
"""Rows that are repeated most often, of which the number is kept."""


@dataclass(slots=True)
class Repeats:
    """Rows that repeat an earlier one.

    Attributes
    ----------
    count : int
        How many there are.
    groups : int
        Different rows that occur more than once.
    rows, firsts : ndarray of int64, shape (kept,)
        Repeating rows, ascending, and the first row that each repeats; the first ``most`` of them.
    top : dict of int to int
        How often the rows that are repeated most often are repeated, by the number of their first row.
    readings : int
        How often the table was read beyond the two passes, because more rows were gathered than are held at once.
    """

    count: int = 0
    groups: int = 0
    rows: Rows = field(default_factory=lambda: np.empty(0, np.int64))
    firsts: Rows = field(default_factory=lambda: np.empty(0, np.int64))
    top: dict[int, int] = field(default_factory=dict)
    readings: int = 0

    @property
    def complete(self) -> bool:
        """Whether every repeating row is listed."""
        return self.rows.size == self.count


def confirm(ctx: Context, columns: Sequence[str], hashes: Hashes, rows: Rows) -> tuple[Rows, Rows]:
    """Find the rows that repeat an earlier one among rows with their hashes, ascending by hash, then row.

    Returns
    -------
    rows, firsts : ndarray of int64
        Repeating rows, and the first row that each repeats; in the order in which they came.
    """
    found: list[tuple[Rows, Rows]] = []
    places = np.arange(rows.size)
    while places.size:
        starts = np.concatenate([[True], hashes[places][1:] != hashes[places][:-1]])
        group = np.cumsum(starts) - 1
        first = places[starts][group]
        others = ~starts
        left, right = places[others], first[others]
        equal = equal_rows(ctx, columns, rows[left], rows[right])
        found.append((left[equal], right[equal]))
        places = left[~equal]  # equal hashes, other values: once more among themselves
    at = np.concatenate([f[0] for f in found]) if found else places
    firsts = np.concatenate([f[1] for f in found]) if found else places
    order = np.argsort(at, kind="stable")
    return rows[at[order]], rows[firsts[order]]


def find_repeats(
    ctx: Context,
    columns: Sequence[str],
    gathered: Gathered,
    suspects: Filter,
    hashes_of: Callable[[Chunk], Hashes],
    most: int = MOST,
) -> Repeats:
    """All rows that repeat an earlier one, from those that were gathered, reading the table again where some were not.

    Parameters
    ----------
    ctx : Context
        Reads the rows.
    columns : sequence of str
        The columns in which rows are compared.
    gathered : Gathered
        Rows of the hashes that the filter found twice, the smallest of them where there are too many.
    suspects : Filter
        The filter.
    hashes_of : callable
        Hashes of the rows of a chunk, the same as those that were gathered.
    most : int
        Rows that are held at once.
    """
    out = Repeats()
    open_groups: dict[int, int] = {}
    while True:
        cut = gathered["cut"]
        open_groups = _take(ctx, columns, gathered, open_groups, out, most)
        if cut is None:
            return out
        out.readings += 1
        gathered = _gather_after(ctx, columns, (int(cut[0]), int(cut[1])), suspects, hashes_of, most)


def _take(
    ctx: Context, columns: Sequence[str], gathered: Gathered, open_groups: dict[int, int], out: Repeats, most: int
) -> dict[int, int]:
    """Confirm one round.

    ``open_groups`` has the different rows of the hash at which the round before was cut, and how often each was
    repeated so far; so has what is returned, of this round's.
    """
    hashes, rows, cut = gathered["hashes"], gathered["rows"], gathered["cut"]
    earlier = np.array(sorted(open_groups), np.int64)
    if earlier.size:  # this round begins with the row that was cut, so with their hash
        hashes = np.concatenate([np.repeat(hashes[:1], earlier.size), hashes])
        rows = np.concatenate([earlier, rows])
    same = hashes[1:] == hashes[:-1]
    twice = np.concatenate([same, [False]]) | np.concatenate([[False], same]) if rows.size else np.empty(0, bool)
    repeats, firsts = confirm(ctx, columns, hashes[twice], rows[twice])
    known, counts = (a.tolist() for a in np.unique(firsts, return_counts=True))
    total = dict(open_groups)
    for first, count in zip(known, counts, strict=True):
        total[first] = total.get(first, 0) + count
    last = rows[:0] if cut is None else rows[hashes == np.uint64(cut[0])]
    unfinished = set(np.setdiff1d(last, repeats).tolist())
    finished = {first: count for first, count in total.items() if first not in unfinished and count}
    out.count += repeats.size
    out.groups += len(finished)
    leading = sorted([*out.top.items(), *finished.items()], key=lambda entry: (-entry[1], entry[0]))
    out.top = dict(leading[:TOP])
    listed = np.concatenate([out.rows, repeats]), np.concatenate([out.firsts, firsts])
    order = np.argsort(listed[0])[:most]
    out.rows, out.firsts = listed[0][order], listed[1][order]
    return {row: total.get(row, 0) for row in sorted(unfinished)}


def _gather_after(
    ctx: Context,
    columns: Sequence[str],
    cut: tuple[int, int],
    suspects: Filter,
    hashes_of: Callable[[Chunk], Hashes],
    most: int,
) -> Gathered:
    """Read the table for the rows from a hash and row on."""
    found = nothing_gathered()
    for chunk in ctx.chunks(columns):
        hashes, rows = hashes_of(chunk), np.arange(chunk.rows.start, chunk.rows.stop)
        after = (hashes > np.uint64(cut[0])) | ((hashes == np.uint64(cut[0])) & (rows >= cut[1]))
        after &= hit_again(suspects, hashes)
        found = add_rows(found, hashes[after], rows[after], most)
    return found
