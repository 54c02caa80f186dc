"""Texts of a column as runs of coded words, in an order that does not depend on its chunks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toolkit.plugin import Context, StringBlock
from toolkit.plugin.tokens import Hashes, batches, block_of_values, pieces, spread, token_hashes, tokens_of

from .tokens import CHARACTERS, words_of

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.integer]

_BITS = 18
BUCKETS = 1 << _BITS
"""Counters that words, and bags of words, are hashed into before any is kept."""

_SECOND = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Texts:
    """Some texts that have words: rows of long text, or categories of coded text.

    Attributes
    ----------
    different : list of str
        Each different word once.
    codes : ndarray of int, shape (words,)
        Which of them each word is, text after text.
    starts : ndarray of int64, shape (texts + 1,)
        Where the words of each text begin.
    weights : ndarray of int64, shape (texts,)
        In how many rows each is.
    places : ndarray of int64, shape (texts,)
        Rows, or codes.
    """

    different: list[str]
    codes: Codes
    starts: Ints
    weights: Ints
    places: Ints

    def which(self, kept: npt.NDArray[np.bool_]) -> Texts:
        """Some of the texts."""
        places, starts = pieces(self.starts, np.flatnonzero(kept))
        return Texts(self.different, self.codes[places], starts, self.weights[kept], self.places[kept])

    def words(self) -> tuple[Ints, Codes, Ints]:
        """Of each different word of each text: the text, the word, how often; texts in order, then words by number."""
        of = np.repeat(np.arange(self.weights.size), np.diff(self.starts))
        width = max(len(self.different), 1)
        keys, counts = np.unique(of * width + self.codes, return_counts=True)
        return keys // width, keys % width, counts

    def word_buckets(self) -> Ints:
        """The counter of each different word."""
        return _bucket(token_hashes(self.different))

    def bag_buckets(self) -> tuple[Ints, Ints]:
        """Two counters of the bag of words of each text: sums of hashes, in which their order does not count."""
        if not self.weights.size:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        hashes = token_hashes(self.different)
        first, second = (np.add.reduceat(h[self.codes], self.starts[:-1]) for h in (hashes, spread(hashes ^ _SECOND)))
        return _bucket(spread(first)), _bucket(spread(second))


def texts_of(ctx: Context, column: str, counts: Ints | None) -> Iterator[Texts]:
    """All texts of a column: each row's, or each category once with the number of its rows.

    Parameters
    ----------
    ctx : Context
        The table.
    column : str
        The column.
    counts : ndarray of int64, shape (categories,), or None
        Rows by code for coded text.
    """
    if counts is not None:
        categories = ctx.categories(column)
        used = np.flatnonzero(counts)
        block = block_of_values([str(categories[i]) for i in used.tolist()])
        for part in batches(block):
            yield _texts(block.slice(part.start, part.stop), counts[used[part]], used[part])
        return
    for chunk in ctx.chunks([column]):
        block, valid = chunk.strings(column), chunk.valid(column)
        for part in batches(block):
            rows = np.arange(part.start, part.stop) + chunk.rows.start
            yield _texts(block.slice(part.start, part.stop), valid[part].astype(np.int64), rows)


def code_counts(ctx: Context, column: str) -> Ints | None:
    """Rows by code of a coded column, in a reading of its own; None for long text."""
    if ctx.schema[column].encoding != "coded":
        return None
    counts = np.zeros(ctx.schema[column].categories + 1, np.int64)
    for chunk in ctx.chunks([column]):
        counts += np.bincount(chunk.codes(column).astype(np.intp) + 1, minlength=counts.size)
    return counts[1:]


def _texts(block: StringBlock, weights: Ints, places: Ints) -> Texts:
    """Texts with a word, of those that are in some row."""
    tokens = tokens_of(block, CHARACTERS)
    numbers: dict[str, int] = {}
    words = [[numbers.setdefault(w, len(numbers)) for w in words_of(token)] for token in tokens.different]
    bounds = np.concatenate([[0], np.cumsum([len(of) for of in words], dtype=np.int64)])
    of_tokens = np.array([number for of in words for number in of], np.int64)
    expanded, starts = pieces(bounds, tokens.codes)
    texts = Texts(list(numbers), of_tokens[expanded], starts[tokens.starts], weights, places.astype(np.int64))
    return texts.which((np.diff(texts.starts) > 0) & (weights > 0))


def _bucket(hashes: Hashes) -> Ints:
    return (hashes >> np.uint64(64 - _BITS)).astype(np.int64)
