"""Shapes of messages: their frequent words in their places. Vaarandi's clusters, counted exactly in bounded memory."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from .masking import ANY, words_of

BUCKETS = 1 << 18
"""Counters that words, and shapes, are hashed into: a rare one may share a frequent one's, and is then kept too."""

Bits = npt.NDArray[np.bool_]
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


def shapes_of(messages: Mapping[str, int], frequent: Bits) -> dict[str, str]:
    """The shape of each message: words that are frequent in their place, and a mark for each other one."""
    out = {}
    for message in messages:
        words = words_of(message)
        kept = frequent[_word_buckets(words)].tolist()
        out[message] = " ".join([word if keep else ANY for word, keep in zip(words, kept, strict=True)])
    return out


def count_shapes(messages: Mapping[str, int], frequent: Bits, counts: Counts) -> None:
    """Count shapes by bucket."""
    found: Counter[str] = Counter()
    shapes = shapes_of(messages, frequent)
    for message, weight in messages.items():
        found[shapes[message]] += weight
    np.add.at(counts, [bucket_of(shape) for shape in found], list(found.values()))


def bucket_of(text: str) -> int:
    """The counter of a text.

    Examples
    --------
    >>> bucket_of("scan id=<num>")
    148459
    """
    return zlib.crc32(text.encode("utf-8", "surrogatepass")) % BUCKETS


def pack(bits: Bits) -> npt.NDArray[np.uint8]:
    """Bits of all counters as bytes."""
    return np.packbits(bits)


def unpack(octets: Any) -> Bits:
    """Bits of all counters."""
    return np.unpackbits(octets).astype(bool)


def _word_buckets(words: list[str]) -> list[int]:
    count = len(words)
    return [bucket_of(f"{count} {place} {word}") for place, word in enumerate(words)]
