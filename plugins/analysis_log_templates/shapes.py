"""Shapes of messages: their frequent words in their places. Vaarandi's clusters, counted exactly in bounded memory."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from .masking import ANY, words_of

BUCKETS = 1 << 18
"""Counters that words, and shapes, are hashed into: a rare one may share a frequent one's, and is then kept too."""

_LOOKED_UP = 1 << 16

Counts = npt.NDArray[np.int64]


def no_counts() -> Counts:
    """Counters of nothing."""
    return np.zeros(BUCKETS, np.int64)


class Buckets:
    """Counters of words in their places; those that were looked up are kept, as words come again."""

    def __init__(self) -> None:
        self._known: dict[int, list[_Places]] = {}
        self._size = 0

    def of(self, words: list[str]) -> list[int]:
        """The counter of each word of a message."""
        known = self._known.get(len(words))
        if known is None:
            known = self._known[len(words)] = [_Places(f"{len(words)} {place} ") for place in range(len(words))]
        found = [place[word] for place, word in zip(known, words, strict=True)]
        self._size += 1
        if self._size >= _LOOKED_UP:
            self._known, self._size = {}, 0
        return found


class _Places(dict[str, int]):
    """Counters of words in one place, found when they are first asked for."""

    def __init__(self, prefix: str) -> None:
        super().__init__()
        self._prefix = prefix

    def __missing__(self, word: str) -> int:
        self[word] = bucket_of(self._prefix + word)
        return self[word]


def count_words(messages: Mapping[str, int], buckets: Buckets, counts: Counts) -> None:
    """Count each word with its place and the length of its message, as often as the message occurs."""
    places: list[int] = []
    weights: list[int] = []
    for message, weight in messages.items():
        found = buckets.of(words_of(message))
        places += found
        weights += [weight] * len(found)
    if places:
        np.add.at(counts, places, weights)


def shapes_of(
    messages: Iterable[str], buckets: Buckets, counts: Counts, fewest: int, constants: int
) -> dict[str, tuple[str, str]]:
    """A fine and a coarse shape of each message.

    Parameters
    ----------
    messages : iterable of str
        Different masked messages.
    buckets : Buckets
        Where words are counted.
    counts : ndarray of int64, shape (buckets,)
        Of words in their places.
    fewest : int
        Count from which a word is frequent; the fine shape has all such words.
    constants : int
        The coarse shape has those that are no rarer than one in ``constants`` + 1 of the words of the message are, by
        the median: of a place with more different words, all alike frequent, it has none. Thus messages whose frequent
        words meet in too many ways to be frequent together still have a shape that is.
    """
    out = {}
    held = counts.tolist()
    for message in messages:
        words = words_of(message)
        found = [held[bucket] for bucket in buckets.of(words)]
        usual = sorted(found)[len(found) // 2]
        fine = " ".join([w if n >= fewest else ANY for w, n in zip(words, found, strict=True)])
        rare = max(fewest, usual / (constants + 1))
        out[message] = fine, " ".join([w if n >= rare else ANY for w, n in zip(words, found, strict=True)])
    return out


def count_shapes(messages: Mapping[str, int], shapes: Mapping[str, tuple[str, str]], counts: Counts) -> None:
    """Count fine and coarse shapes by bucket."""
    found: Counter[str] = Counter()
    for message, weight in messages.items():
        for shape in set(shapes[message]):
            found[shape] += weight
    np.add.at(counts, [bucket_of(shape) for shape in found], list(found.values()))


def bucket_of(text: str) -> int:
    """The counter of a text.

    Examples
    --------
    >>> bucket_of("scan id=<num>")
    174064
    """
    return zlib.crc32(text.encode("utf-8", "surrogatepass")) % BUCKETS


def pack(bits: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    """Bits of all counters as bytes."""
    return np.packbits(bits)


def unpack(octets: Any) -> npt.NDArray[np.bool_]:
    """Bits of all counters."""
    return np.unpackbits(octets).astype(bool)
