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

Counts = npt.NDArray[np.int64]


def no_counts() -> Counts:
    """Counters of nothing."""
    return np.zeros(BUCKETS, np.int64)


def count_words(messages: Mapping[str, int], counts: Counts) -> None:
    """Count each word with its place and the length of its message, as often as the message occurs."""
    buckets: list[int] = []
    weights: list[int] = []
    for message, weight in messages.items():
        found = _word_buckets(words_of(message))
        buckets += found
        weights += [weight] * len(found)
    if buckets:
        np.add.at(counts, buckets, weights)


def shapes_of(messages: Iterable[str], counts: Counts, fewest: int, constants: int) -> dict[str, tuple[str, str]]:
    """A fine and a coarse shape of each message.

    Parameters
    ----------
    messages : iterable of str
        Different masked messages.
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
    for message in messages:
        words = words_of(message)
        found = counts[_word_buckets(words)].tolist()
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
    148459
    """
    return zlib.crc32(text.encode("utf-8", "surrogatepass")) % BUCKETS


def pack(bits: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    """Bits of all counters as bytes."""
    return np.packbits(bits)


def unpack(octets: Any) -> npt.NDArray[np.bool_]:
    """Bits of all counters."""
    return np.unpackbits(octets).astype(bool)


def _word_buckets(words: list[str]) -> list[int]:
    count = len(words)
    return [bucket_of(f"{count} {place} {word}") for place, word in enumerate(words)]
