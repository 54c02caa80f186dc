"""Words of a text."""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Sequence

BUCKETS = 1 << 18
"""Counters that words are hashed into before any is kept."""

_LOOKED_UP = 1 << 18
_CHARACTERS = 1 << 16
_WORD = re.compile(r"[^\W\d_]+(?:['’.-][^\W\d_]+)*")


def words_of(text: str) -> list[str]:
    """Words in small letters, in Unicode's compatibility form; no numbers, and nothing with a figure at its start.

    Examples
    --------
    >>> words_of("The U.S. doesn't PAY 4,000 ﬁnes - re-open!")
    ['the', 'u.s', "doesn't", 'pay', 'fines', 're-open']
    """
    text = text[:_CHARACTERS]
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return _WORD.findall(text.lower())


class Buckets(dict[str, int]):
    """The counter of each word, found when it is first asked for.

    Examples
    --------
    >>> Buckets()["wet"] == zlib.crc32(b"wet") % BUCKETS
    True
    """

    def __missing__(self, word: str) -> int:
        if len(self) >= _LOOKED_UP:
            self.clear()
        self[word] = zlib.crc32(word.encode("utf-8", "surrogatepass")) % BUCKETS
        return self[word]


def bag_buckets(words: Sequence[str]) -> tuple[int, int]:
    """Two counters of a text's bag of words."""
    octets = " ".join(sorted(words)).encode("utf-8", "surrogatepass")
    return zlib.crc32(octets) % BUCKETS, zlib.adler32(octets, zlib.crc32(octets, 77)) % BUCKETS
