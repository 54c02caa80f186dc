"""Where the topics begin, and how many there are: from the words that occur together, without chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .corpus import Corpus

WORDS = 1_000
"""Commonest words whose joint occurrence is counted."""

FIRST = 10
"""First words of a topic by which it is judged."""

CHOICES = (2, 3, 5, 10, 20)
"""Numbers of topics that are tried where none is given."""

_STEPS = 300
_RATE = 50.0
_ALIKE = 0.01

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Together:
    """In how many texts words occur, and occur together.

    Attributes
    ----------
    counts : ndarray of int64, shape (words, words)
        Texts that have both; on the diagonal those that have the word.
    texts : int
        All texts.
    tokens : ndarray of float64, shape (vocabulary,)
        How often each word of the vocabulary occurs.
    """

    counts: Ints
    texts: int
    tokens: Floats

    @property
    def common(self) -> Floats:
        """Share of each word among all words."""
        return np.asarray(self.tokens / max(float(self.tokens.sum()), 1.0))


def together(corpus: Corpus) -> Together:
    """Count in one reading of the corpus; exact."""
    from scipy import sparse

    size = min(WORDS, len(corpus.vocabulary))
    counts, tokens = np.zeros((size, size), np.int64), np.zeros(len(corpus.vocabulary))
    for piece in corpus:
        tokens += np.bincount(piece.words, piece.counts * piece.weights[piece.text_of], tokens.size)
        kept = piece.words < size
        text_of = piece.text_of[kept]
        weights = piece.weights.astype(np.int64)[text_of]
        shape = (piece.starts.size, size)
        has = sparse.csr_matrix((np.ones(text_of.size, np.int64), (text_of, piece.words[kept])), shape)
        weighted = sparse.csr_matrix((weights, (text_of, piece.words[kept])), shape)
        counts += (has.T @ weighted).toarray()
    return Together(counts, corpus.texts, tokens)


def topics_of(found: Together, topics: int) -> Floats:
    """Probabilities of words in topics, shape (topics, words), by anchor words.

    Arora and others (2013): the words that are farthest from each other by the company that they keep stand for the
    topics, and every word is a mixture of them.
    """
    joint = found.counts.astype(np.float64)
    np.fill_diagonal(joint, 0.0)
    sums = joint.sum(axis=1)
    rows = joint / np.maximum(sums, 1.0)[:, None]
    anchors = _anchors(rows, sums, topics)
    mixture = _mixtures(rows, rows[anchors])
    given = mixture * np.diag(found.counts).astype(np.float64)[:, None]
    return np.asarray((given / np.maximum(given.sum(axis=0), 1e-300)).T)


def start_of(found: Together, topics: int, eta: float) -> Floats:
    """Parameters of the topics to begin with, shape (topics, vocabulary); rarer words are in all topics alike."""
    size = len(found.counts)
    words = np.tile(found.common, (topics, 1))
    own = topics_of(found, topics)
    words[:, :size] = own * found.common[:size].sum() + 0.01 * words[:, :size]
    return np.asarray(eta + words * found.tokens.sum() / topics)


def coherence(found: Together, words: Ints) -> float:
    """Mean normalised pointwise mutual information of pairs of words.

    Röder, Both and Hinneburg (2015), 10.1145/2684822.2685324.
    """
    pmi = _pmi(Together(found.counts[np.ix_(words, words)], found.texts, found.tokens[words]))
    return float(pmi[~np.eye(len(words), dtype=bool)].mean()) if len(words) > 1 else 0.0


def telling(words: Floats, common: Floats, count: int = FIRST) -> Ints:
    """The words that tell of each topic, shape (topics, count): common in it, and commoner than elsewhere.

    Relevance after Sievert and Shirley (2014), 10.3115/v1/W14-3110, with a weight of 0.6.

    Parameters
    ----------
    words : ndarray of float64, shape (topics, words)
        Probabilities in topics.
    common : ndarray of float64, shape (words,)
        Probabilities in all texts.
    count : int
        Words of a topic.
    """
    logs = np.log(np.maximum(words, 1e-300))
    relevance = 0.6 * logs + 0.4 * (logs - np.log(np.maximum(common, 1e-300)))
    return np.argsort(-np.round(relevance, 9), axis=1, kind="stable")[:, :count]


def choose(found: Together) -> tuple[int, dict[int, float]]:
    """The number of topics that are coherent and apart from each other, and the scores of all that were tried.

    The score of a topic is the coherence of its first words less that with the words of the nearest other topic, where
    that is above 0, as in Rousseeuw's silhouettes (10.1016/0377-0427(87)90125-7): halves of one topic have none. Of
    scores within 0.01 the smallest number is taken.
    """
    size = len(found.counts)
    pmi = _pmi(found)
    scores = {}
    for topics in CHOICES:
        if size < topics * FIRST:
            continue
        first = telling(topics_of(found, topics), found.common[:size])
        scores[topics] = float(np.mean([_separation(pmi, first, k) for k in range(topics)]))
    best = max(scores.values(), default=0.0)
    return next((k for k, score in scores.items() if score >= best - _ALIKE), 0), scores


def _separation(pmi: Floats, first: Ints, topic: int) -> float:
    own = first[topic]
    within = float(pmi[np.ix_(own, own)][~np.eye(len(own), dtype=bool)].mean())
    across = [float(pmi[np.ix_(own, other)].mean()) for k, other in enumerate(first) if k != topic]
    return within - max(0.0, *across)


def _pmi(found: Together) -> Floats:
    """Normalised pointwise mutual information of all pairs: 0 for independent words, 1 for words always together."""
    both = found.counts.astype(np.float64) / max(found.texts, 1)
    single = np.diag(both)
    with np.errstate(divide="ignore", invalid="ignore"):
        out = np.log(both / np.outer(single, single)) / -np.log(both)
    # Words that never meet have -1, and those in every text 0.
    return np.where(both >= 1.0, 0.0, np.where(both > 0, out, -1.0))


def _anchors(rows: Floats, sums: Floats, topics: int) -> list[int]:
    """The farthest rows from the span of those before, by Gram and Schmidt; of words that are common enough."""
    allowed = sums >= np.quantile(sums, 0.5, method="inverted_cdf")
    held = rows - rows[allowed].mean(axis=0)
    anchors: list[int] = []
    for step in range(topics):
        distance = np.where(allowed, np.round((held * held).sum(axis=1), 12), -1.0)
        distance[anchors] = -1.0
        anchors.append(int(np.argmax(distance)))
        if step == 0:
            # The first anchor becomes the origin; the others are sought around it.
            held = rows - rows[anchors[0]]
            continue
        axis = held[anchors[-1]] / max(float(np.sqrt((held[anchors[-1]] ** 2).sum())), 1e-300)
        held = held - np.einsum("ij,j->i", held, axis)[:, None] * axis
    return anchors


def _mixtures(rows: Floats, anchors: Floats) -> Floats:
    """Weights of the anchors in each row, by exponentiated gradient on the squared distance."""
    weights = np.full((len(rows), len(anchors)), 1.0 / len(anchors))
    inner, outer = np.einsum("ik,jk->ij", anchors, anchors), np.einsum("ik,jk->ij", rows, anchors)
    scale = _RATE / max(float(np.abs(inner).max()), 1e-300)
    for _ in range(_STEPS):
        gradient = np.einsum("ij,jk->ik", weights, inner) - outer
        steps = -scale * gradient / 10.0
        weights = weights * np.exp(steps - steps.max(axis=1, keepdims=True))
        weights /= weights.sum(axis=1, keepdims=True)
    return weights
