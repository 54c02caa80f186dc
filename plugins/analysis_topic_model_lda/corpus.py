"""The corpus of a column: a vocabulary, and texts as counts of its words, laid out in pieces of one size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin import Context, Shelf, omission, round_significant

from .texts import BUCKETS, Ints, Texts, texts_of

PIECE_WORDS = 1 << 16
"""Different words of the texts of a piece, about."""

_CANDIDATES = 4
FEWEST_REPEATS = 10
FEWEST_WORDS = 30
"""Words of a vocabulary; texts with fewer are not laid out."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some texts.

    Attributes
    ----------
    number : int
        Of the piece.
    starts : ndarray of int64, shape (texts,)
        Where the words of each begin.
    words : ndarray of int32, shape (pairs,)
        Numbers of the different words of each text, one text after another.
    counts : ndarray of float64, shape (pairs,)
        How often the text has the word.
    weights : ndarray of float64, shape (texts,)
        In how many rows it is.
    places : ndarray of int64, shape (texts,)
        Its row, or its code.
    """

    number: int
    starts: Ints
    words: npt.NDArray[np.int32]
    counts: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]
    places: Ints

    @property
    def text_of(self) -> Ints:
        """The text of each pair."""
        return np.repeat(np.arange(self.starts.size), np.diff(np.r_[self.starts, self.words.size]))


@dataclass(slots=True)
class Corpus:
    """Texts as counts of words.

    Attributes
    ----------
    column : str
        The column.
    vocabulary : list of str
        Its words, the most common first.
    texts : int
        Texts that have a word of the vocabulary, weighted by rows.
    tokens : int
        Their words, weighted by rows.
    messages : int
        Texts that were left out as they are the same for many rows.
    different : int or None
        Different words of the column, where they are too few for a vocabulary.
    pairs : int
        Different words of all texts.
    """

    column: str
    vocabulary: list[str]
    shelf: Shelf
    texts: int = 0
    tokens: int = 0
    messages: int = 0
    different: int | None = None
    pairs: int = 0
    pieces: int = 0
    _held: list[dict[str, npt.NDArray[Any]]] = field(default_factory=list)
    _size: int = 0

    def add(self, texts: Texts, numbers: Mapping[str, int]) -> None:
        """Take in the words of texts that have numbers."""
        number_of = np.array([numbers.get(word, -1) for word in texts.different], np.int64)[texts.codes]
        known = number_of >= 0
        starts = np.concatenate([[0], np.cumsum(known)])[texts.starts]
        vocabulary = list(numbers)
        texts = Texts(vocabulary, number_of[known], starts, texts.weights, texts.places).which(np.diff(starts) > 0)
        of, words, counts = texts.words()
        sizes = np.bincount(of, minlength=texts.weights.size)
        self.texts += int(texts.weights.sum())
        self.tokens += int((texts.weights[of] * counts).sum())
        done, pairs = 0, 0
        while done < sizes.size:
            # A piece ends with the text that makes it large enough, whatever the chunks.
            until = np.cumsum(sizes[done:])
            some = min(int(np.searchsorted(until, PIECE_WORDS - self._size)) + 1, until.size)
            own, own_pairs = slice(done, done + some), slice(pairs, pairs + int(until[some - 1]))
            self._held.append(
                {
                    "sizes": sizes[own],
                    "words": words[own_pairs].astype(np.int32),
                    "counts": counts[own_pairs].astype(np.float64),
                    "weights": texts.weights[own].astype(np.float64),
                    "places": texts.places[own],
                }
            )
            self._size += int(until[some - 1])
            done, pairs = done + some, pairs + int(until[some - 1])
            if self._size >= PIECE_WORDS:
                self.flush()

    def flush(self) -> None:
        """Lay out what is held."""
        if not self._held:
            return
        parts = {name: np.concatenate([held[name] for held in self._held]) for name in self._held[0]}
        sizes = parts.pop("sizes")
        for name, values in {"starts": np.cumsum(sizes) - sizes, **parts}.items():
            self.shelf.put(self._name(name, self.pieces), values)
        self.pieces += 1
        self.pairs += self._size
        self._held, self._size = [], 0

    def __iter__(self) -> Iterator[Piece]:
        for number in range(self.pieces):
            yield Piece(
                number,
                self.shelf.take(self._name("starts", number), np.int64),
                self.shelf.take(self._name("words", number), np.int32),
                self.shelf.take(self._name("counts", number), np.float64),
                self.shelf.take(self._name("weights", number), np.float64),
                self.shelf.take(self._name("places", number), np.int64),
            )

    def gamma(self, number: int, topics: int) -> npt.NDArray[np.float64] | None:
        """Topics of the texts of a piece after the round before; None in the first."""
        held = self.shelf.take(self._name("gamma", number), np.float64)
        return held.reshape(-1, topics) if held.size else None

    def keep_gamma(self, number: int, gamma: npt.NDArray[np.float64]) -> None:
        """Keep them for the next round."""
        self.shelf.put(self._name("gamma", number), gamma)

    def forget(self) -> None:
        """Give everything away."""
        for number in range(self.pieces):
            for what in ("starts", "words", "counts", "weights", "places", "gamma"):
                self.shelf.take(self._name(what, number), np.uint8, last=True)

    def _name(self, what: str, number: int) -> str:
        return f"{what}-{number}"


def corpus_of(ctx: Context, column: str, codes: Ints | None) -> Corpus:
    """Read a column three times: words are counted by bucket, then the common ones exactly, then texts are laid out.

    Parameters
    ----------
    ctx : Context
        The table.
    column : str
        Text.
    codes : ndarray of int64 or None
        Rows by code, where the column is coded.
    """
    words, bags, texts = np.zeros(BUCKETS, np.int64), np.zeros((2, BUCKETS), np.int64), 0
    different: set[str] = set()
    for part in texts_of(ctx, column, codes):
        texts += _count(part, words, bags)
        if len(different) < FEWEST_WORDS:
            different.update(part.different)
    if len(different) < FEWEST_WORDS:  # no vocabulary can have more
        return Corpus(column, [], Shelf(ctx), different=len(different))
    repeated = Repeated(bags >= max(FEWEST_REPEATS, round_significant(ctx.params["repeated"] * texts)))
    vocabulary, messages = _vocabulary(ctx, column, codes, _floor(words, _most(ctx)), repeated, texts)
    corpus = Corpus(column, vocabulary, Shelf(ctx), messages=messages)
    if len(vocabulary) < FEWEST_WORDS:
        return corpus
    numbers = {word: i for i, word in enumerate(vocabulary)}
    for part in texts_of(ctx, column, codes):
        corpus.add(part.which(~repeated.among(part)), numbers)
    corpus.flush()
    return corpus


class Repeated:
    """Bags of words that come again and again.

    Parameters
    ----------
    hot : ndarray of bool, shape (2, buckets)
        Buckets that hold enough texts; a bag is repeated where both of its own do.
    """

    def __init__(self, hot: npt.NDArray[np.bool_]) -> None:
        self._hot = hot

    def among(self, texts: Texts) -> npt.NDArray[np.bool_]:
        """Which texts are of words that are repeated, shape (texts,)."""
        if not self._hot.any(axis=1).all():
            return np.zeros(texts.weights.size, bool)
        first, second = texts.bag_buckets()
        return np.asarray(self._hot[0][first] & self._hot[1][second])


def _count(part: Texts, words: Ints, bags: Ints) -> int:
    """Add words and bags of words to their counters; returns how many rows have a word."""
    of, different, _ = part.words()
    _add(words, part.word_buckets()[different], part.weights[of])
    for counters, buckets in zip(bags, part.bag_buckets(), strict=True):
        _add(counters, buckets, part.weights)
    return int(part.weights.sum())


def _add(counters: Ints, buckets: Ints, weights: Ints) -> None:
    """Add rows to counters; doubles hold their sums exactly."""
    counters += np.bincount(buckets, weights, BUCKETS).astype(np.int64)


def _most(ctx: Context) -> int:
    return int(ctx.budget.max_groups or 5_000)


def _floor(words: Ints, most: int) -> npt.NDArray[np.bool_]:
    """Buckets that may hold one of the commonest words: four times as many as are wanted."""
    wanted = min(_CANDIDATES * most, BUCKETS)
    least = int(np.partition(words, BUCKETS - wanted)[BUCKETS - wanted])
    return words >= max(least, 1)


def _vocabulary(
    ctx: Context, column: str, codes: Ints | None, hot: npt.NDArray[np.bool_], repeated: Repeated, texts: int
) -> tuple[list[str], int]:
    """The commonest words by the number of texts that have them, exactly, and the texts that are messages."""
    counts: Counter[str] = Counter()
    messages = 0
    for part in texts_of(ctx, column, codes):
        same = repeated.among(part)
        messages += int(part.weights[same].sum())
        own = part.which(~same)
        of, words, _ = own.words()
        found = np.bincount(words, own.weights[of], len(own.different)).astype(np.int64)
        for word in np.flatnonzero((found > 0) & hot[own.word_buckets()]).tolist():
            counts[own.different[word]] += int(found[word])
    prose = texts - messages
    most = round_significant(ctx.params["common"] * prose)
    kept = [(n, word) for word, n in counts.items() if ctx.params["rare"] <= n <= most and len(word) > 1]
    kept.sort(key=lambda entry: (-entry[0], entry[1]))
    if len(kept) > _most(ctx):
        rule = f"words of {column} in the most texts, ties in alphabetical order"
        ctx.omit(omission("max_groups", _most(ctx), len(kept), rule, [word for _, word in kept[_most(ctx) :][:20]]))
    return [word for _, word in kept[: _most(ctx)]], messages
