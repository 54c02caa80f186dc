"""Shapes of messages: their frequent words in their places. Vaarandi's clusters, counted exactly in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin.tokens import Hashes, spread, token_hashes

from .masking import LONGEST
from .messages import ANY_CODE, Codes, Messages, Places

_BITS = 18
BUCKETS = 1 << _BITS
"""Counters that words, and shapes, are hashed into: a rare one may share a frequent one's, and is then kept too."""

Counts = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def no_counts() -> Counts:
    """Counters of nothing."""
    return np.zeros(BUCKETS, np.int64)


def count_words(messages: Messages, weights: Counts, counts: Counts) -> None:
    """Count each word with its place and the length of its message, as often as the message occurs."""
    hashes = token_hashes(messages.words)
    for members, table in messages.by_length():
        _count(_in_places(hashes, table), np.repeat(weights[members], table.shape[1]), counts)


@dataclass(frozen=True, slots=True)
class Shapes:
    """Shapes of messages of one length.

    Attributes
    ----------
    members : ndarray of intp, shape (messages,)
        The messages.
    table : ndarray of int32, shape (messages, words)
        Their words.
    fine, coarse : ndarray of bool, shape (messages, words)
        Which words each of their two shapes has.
    fine_hashes, coarse_hashes : ndarray of uint64, shape (messages,)
        Hashes of the two.
    """

    members: Places
    table: Codes
    fine: Bools
    coarse: Bools
    fine_hashes: Hashes
    coarse_hashes: Hashes


def shapes_of(messages: Messages, counts: Counts, fewest: int, constants: int) -> Iterator[Shapes]:
    """A fine and a coarse shape of each message.

    Parameters
    ----------
    messages : Messages
        The messages.
    counts : ndarray of int64, shape (buckets,)
        Of words in their places.
    fewest : int
        Count from which a word is frequent; the fine shape has all such words.
    constants : int
        The coarse shape has those that are no rarer than one in ``constants`` + 1 of the words of the message are, by
        the median: of a place with more different words, all alike frequent, it has none. Thus messages whose frequent
        words meet in too many ways to be frequent together still have a shape that is.
    """
    hashes = token_hashes(messages.words)
    for members, table in messages.by_length():
        keys = _in_places(hashes, table)
        found = counts[_bucket(keys)]
        usual = np.sort(found, axis=1)[:, table.shape[1] // 2]
        any_word = _in_places(hashes, np.full((1, table.shape[1]), ANY_CODE, np.int32))
        fine = found >= fewest
        coarse = found >= np.maximum(fewest, usual / (constants + 1))[:, None]
        both = (spread(np.where(words, keys, any_word).sum(axis=1, dtype=np.uint64)) for words in (fine, coarse))
        yield Shapes(members, table, fine, coarse, *both)


def count_shapes(shapes: Shapes, weights: Counts, counts: Counts) -> None:
    """Count fine and coarse shapes by bucket."""
    weights = weights[shapes.members]
    _count(shapes.fine_hashes, weights, counts)
    other = shapes.coarse_hashes != shapes.fine_hashes
    _count(shapes.coarse_hashes[other], weights[other], counts)


def kept_shapes(shapes: Shapes, hot: Bools, words: list[str]) -> tuple[list[str], Places]:
    """The shape that is counted of each message: the fine one where that may be frequent, else the coarse one, or none.

    Parameters
    ----------
    shapes : Shapes
        Fine and coarse shapes.
    hot : ndarray of bool, shape (buckets,)
        Which buckets of shapes hold enough messages.
    words : list of str
        The words behind their codes.

    Returns
    -------
    list of str
        Different shapes.
    ndarray of intp, shape (messages,)
        Which of them each message has; -1 for none.
    """
    fine = hot[_bucket(shapes.fine_hashes)]
    kept = fine | hot[_bucket(shapes.coarse_hashes)]
    out = np.full(kept.size, -1)
    if not kept.any():
        return [], out
    chosen = np.where(fine[kept, None], shapes.fine[kept], shapes.coarse[kept])
    table = np.where(chosen, shapes.table[kept], ANY_CODE)
    hashes = np.where(fine, shapes.fine_hashes, shapes.coarse_hashes)[kept]
    _, first, numbers = np.unique(hashes, return_index=True, return_inverse=True)
    different = table[first]
    if (different[numbers] != table).any():  # two shapes of one hash
        different, numbers = np.unique(table, axis=0, return_inverse=True)
    out[kept] = numbers.ravel()
    return [" ".join([words[code] for code in row]) for row in different.tolist()], out


def pack(bits: Bools) -> npt.NDArray[np.uint8]:
    """Bits of all counters as bytes."""
    return np.packbits(bits)


def unpack(octets: Any) -> Bools:
    """Bits of all counters."""
    return np.unpackbits(octets).astype(bool)


def _in_places(hashes: Hashes, table: Codes) -> Hashes:
    """A hash of each word with its place and the length of its message."""
    length = table.shape[1]
    places = np.arange(length, dtype=np.uint64) + np.uint64(length * (LONGEST + 2))
    return spread(hashes[table] + spread(places))


def _bucket(hashes: Hashes) -> npt.NDArray[np.int64]:
    return (hashes >> np.uint64(64 - _BITS)).astype(np.int64)


def _count(hashes: Hashes, weights: Counts, counts: Counts) -> None:
    """Add weights to the buckets of hashes; doubles hold sums of rows exactly."""
    counts += np.bincount(_bucket(hashes.ravel()), weights, BUCKETS).astype(np.int64)
