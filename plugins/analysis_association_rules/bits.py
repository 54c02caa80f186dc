"""Transactions as bits: one row of bits for each item, so that a support is an AND and a count."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin import BLOCKS

Ints = npt.NDArray[np.int64]

_WORD = 64
_LARGEST_BATCH = 1 << 16
_CELLS = 1 << 24


@dataclass(frozen=True, slots=True)
class Batch:
    """Some transactions.

    Attributes
    ----------
    bits : ndarray of uint64, shape (items, words)
        Which transactions have an item.
    starts : ndarray of int64, shape (runs,)
        First word of each run of transactions of one block.
    blocks : ndarray of int64, shape (runs,)
        The block, of 64, of each run.
    """

    bits: npt.NDArray[np.uint64]
    starts: Ints
    blocks: Ints


def batch_rows(items: int) -> int:
    """Transactions of a batch: as many as keep its unpacked bits small."""
    return max(_WORD, min(_LARGEST_BATCH, _CELLS // max(items, 1)))


def pack(blocks: Ints, pairs: Iterable[tuple[npt.NDArray[Any], npt.NDArray[Any]]], items: int) -> Batch:
    """Make a batch; runs of one block begin at words of their own.

    Parameters
    ----------
    blocks : ndarray of int64, shape (transactions,)
        Block of each transaction, ascending; at least one.
    pairs : iterable of (transactions, items)
        Which transactions have which items: two arrays of one length; an item below 0 is none.
    items : int
        Number of items.
    """
    firsts = np.flatnonzero(np.r_[True, np.diff(blocks) != 0])
    lengths = np.diff(np.r_[firsts, blocks.size])
    words = -(-lengths // _WORD)
    starts = np.cumsum(words) - words
    places = np.arange(blocks.size) + np.repeat(starts * _WORD - firsts, lengths)
    cells = np.zeros((items, int(words.sum()) * _WORD), bool)
    for rows, held in pairs:
        kept = held >= 0
        cells[held[kept], places[rows[kept]]] = True
    return Batch(np.packbits(cells, axis=1, bitorder="little").view(np.uint64), starts, blocks[firsts])


def count(batches: Iterator[Batch], sets: npt.NDArray[np.int32]) -> Ints:
    """Transactions that have all items of a set, by block.

    Parameters
    ----------
    batches : iterator of Batch
        All transactions.
    sets : ndarray of int32, shape (sets, size)
        Items, in lexicographic order.

    Returns
    -------
    ndarray of int64, shape (64, sets)

    Examples
    --------
    >>> batch = pack(np.zeros(3, np.int64), [(np.array([0, 1, 1]), np.array([0, 0, 1]))], 2)
    >>> count(iter([batch]), np.array([[0, 1]], np.int32))[0]
    array([1])
    """
    out = np.zeros((BLOCKS, len(sets)), np.int64)
    if not len(sets):
        return out
    size = sets.shape[1]
    new = (
        np.r_[True, (np.diff(sets[:, : size - 1], axis=0) != 0).any(axis=1)]
        if size > 1
        else np.r_[True, np.zeros(len(sets) - 1, bool)]
    )
    bounds = [*np.flatnonzero(new).tolist(), len(sets)]
    for batch in batches:
        for lo, hi in pairwise(bounds):
            held = batch.bits[sets[lo:hi, -1]]
            if size > 1:
                held &= np.bitwise_and.reduce(batch.bits[sets[lo, :-1]], axis=0)
            found = np.add.reduceat(np.bitwise_count(held), batch.starts, axis=1, dtype=np.int64)
            out[batch.blocks, lo:hi] += found.T  # a batch has one run of a block at most
    return out
