"""The corpus of a column: a vocabulary, and texts as counts of its words, laid out in pieces of one size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin import Context, Shelf, omission, round_significant

from .texts import Ints, Texts, texts_of
from .tokens import BUCKETS, Buckets, bag_buckets, words_of

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
    pairs : int
        Different words of all texts.
    """

    column: str
    vocabulary: list[str]
    shelf: Shelf
    texts: int = 0
    tokens: int = 0
    messages: int = 0
    pairs: int = 0
    pieces: int = 0
    _held: list[tuple[list[int], list[int], int, int]] = field(default_factory=list)
    _size: int = 0

    def add(self, words: list[str], numbers: dict[str, int], weight: int, place: int) -> None:
        """Take in a text."""
        found = sorted(Counter(numbers[w] for w in words if w in numbers).items())
        if not found:
            return
        ids, counts = [i for i, _ in found], [n for _, n in found]
        self.texts += weight
        self.tokens += weight * sum(counts)
        self._held.append((ids, counts, weight, place))
        self._size += len(ids)
        if self._size >= PIECE_WORDS:
            self.flush()

    def flush(self) -> None:
        """Lay out what is held."""
        if not self._held:
            return
        lengths = np.array([len(ids) for ids, _, _, _ in self._held], np.int64)
        parts: dict[str, npt.NDArray[Any]] = {
            "starts": np.cumsum(lengths) - lengths,
            "words": np.array([i for ids, _, _, _ in self._held for i in ids], np.int32),
            "counts": np.array([n for _, counts, _, _ in self._held for n in counts], np.float64),
            "weights": np.array([w for _, _, w, _ in self._held], np.float64),
            "places": np.array([p for _, _, _, p in self._held], np.int64),
        }
        for name, values in parts.items():
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
    for part in texts_of(ctx, column, codes):
        texts += _count(part, words, bags)
    repeated = Repeated(bags >= max(FEWEST_REPEATS, round_significant(ctx.params["repeated"] * texts)))
    vocabulary, messages = _vocabulary(ctx, column, codes, _floor(words, _most(ctx)), repeated, texts)
    corpus = Corpus(column, vocabulary, Shelf(ctx), messages=messages)
    if len(vocabulary) < FEWEST_WORDS:
        return corpus
    numbers = {word: i for i, word in enumerate(vocabulary)}
    for part in texts_of(ctx, column, codes):
        for text, weight, place in zip(part.texts, part.weights, part.places.tolist(), strict=True):
            found = words_of(text)
            if found and not repeated.has(found):
                corpus.add(found, numbers, weight, place)
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
        self._any = bool(hot.any(axis=1).all())
        self._first, self._second = hot[0].tobytes(), hot[1].tobytes()

    def has(self, words: list[str]) -> bool:
        """Whether a text of these words is repeated."""
        if not self._any:
            return False
        first, second = bag_buckets(words)
        return bool(self._first[first] and self._second[second])


def _count(part: Texts, words: Ints, bags: Ints) -> int:
    """Add words and bags of words to their counters; returns how many texts have a word."""
    known = Buckets()
    buckets: list[int] = []
    repeats: list[int] = []
    pairs: list[tuple[int, int]] = []
    weights: list[int] = []
    for text, weight in zip(part.texts, part.weights, strict=True):
        if found := words_of(text):
            different = set(found)
            buckets += [known[word] for word in different]
            repeats += [weight] * len(different)
            pairs.append(bag_buckets(found))
            weights.append(weight)
    if weights:
        np.add.at(words, buckets, repeats)
        for row, found_in in zip(bags, zip(*pairs, strict=True), strict=True):
            np.add.at(row, list(found_in), weights)
    return sum(weights)


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
    messages, known, common = 0, Buckets(), hot.tobytes()
    for part in texts_of(ctx, column, codes):
        for text, weight in zip(part.texts, part.weights, strict=True):
            found = words_of(text)
            if not found:
                continue
            if repeated.has(found):
                messages += weight
                continue
            for word in set(found):
                if common[known[word]]:
                    counts[word] += weight
    prose = texts - messages
    most = round_significant(ctx.params["common"] * prose)
    kept = [(n, word) for word, n in counts.items() if ctx.params["rare"] <= n <= most and len(word) > 1]
    kept.sort(key=lambda entry: (-entry[0], entry[1]))
    if len(kept) > _most(ctx):
        rule = f"words of {column} in the most texts, ties in alphabetical order"
        ctx.omit(omission("max_groups", _most(ctx), len(kept), rule, [word for _, word in kept[_most(ctx) :][:20]]))
    return [word for _, word in kept[: _most(ctx)]], messages
