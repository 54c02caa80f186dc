"""Latent Dirichlet allocation by batch variational Bayes: all texts in every round, and a bound that never falls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .corpus import Corpus, Piece

Floats = npt.NDArray[np.float64]

_INNER = 20
_INNER_CHANGE = 1e-3
_TINY = 1e-100


@dataclass(frozen=True, slots=True)
class Model:
    """A fitted model.

    Attributes
    ----------
    topics : ndarray of float64, shape (topics, words)
        Parameters of the Dirichlet distribution of each topic's words.
    bounds : list of float
        The evidence lower bound after each round, in nats.
    converged : bool
        Whether the last round gained less than the tolerance.
    alpha : float
        Concentration of topics in a text.
    """

    topics: Floats
    bounds: list[float]
    converged: bool
    alpha: float

    @property
    def words(self) -> Floats:
        """Mean probability of each word in each topic, shape (topics, words)."""
        return np.asarray(self.topics / self.topics.sum(axis=1, keepdims=True))


def fit(
    corpus: Corpus, start: Floats, alpha: float, eta: float, rounds: int, tolerance: float,
    on_round: Callable[[int, int], None] = lambda done, total: None,
) -> Model:  # fmt: skip
    """Fit a model to a corpus.

    Parameters
    ----------
    corpus : Corpus
        The texts.
    start : ndarray of float64, shape (topics, words)
        Parameters of the topics to begin with.
    alpha, eta : float
        Concentrations of topics in a text and of words in a topic.
    rounds : int
        Most readings of all texts.
    tolerance : float
        Relative gain of the bound below which it ends.
    on_round : callable, optional
        Told the round and the most rounds.

    Notes
    -----
    Blei, Ng and Jordan (2003), 10.1162/jmlr.2003.3.4-5.993, with Dirichlet topics. Each step of the coordinate ascent,
    texts with topics held and topics with texts held, can only raise the bound, as a text goes on from where the round
    before left it. Sums are taken text by text in one order, so that neither chunks nor workers change a bit.
    """
    topics, bounds = start.copy(), [-np.inf]
    for number in range(rounds):
        log_words = _mean_logs(topics)
        found, bound = np.zeros_like(topics), _topics_bound(topics, log_words, eta)
        for piece in corpus:
            part, gamma, sums = _texts_step(piece, corpus.gamma(piece.number, len(topics)), log_words, alpha)
            corpus.keep_gamma(piece.number, gamma)
            bound += part
            found += sums
        bounds.append(bound)
        on_round(number + 1, rounds)
        if number and bound - bounds[-2] < tolerance * abs(bounds[-2]):
            return Model(topics, bounds[1:], True, alpha)
        topics = eta + found
    return Model(topics, bounds[1:], False, alpha)


def proportions(corpus: Corpus, piece: Piece, model: Model) -> Floats:
    """Mean share of each topic in each text of a piece, shape (texts, topics)."""
    gamma = corpus.gamma(piece.number, len(model.topics))
    assert gamma is not None
    return np.asarray(gamma / gamma.sum(axis=1, keepdims=True))


def _texts_step(piece: Piece, gamma: Floats | None, log_words: Floats, alpha: float) -> tuple[float, Floats, Floats]:
    """Topics of the texts of a piece: their part of the bound, their parameters, and what they say of the words."""
    topics = len(log_words)
    text_of = piece.text_of
    words = np.exp(log_words[:, piece.words]).T
    if gamma is None:
        lengths = np.add.reduceat(piece.counts, piece.starts)
        gamma = np.repeat(alpha + lengths[:, None] / topics, topics, axis=1)
    for _ in range(_INNER):
        shares = np.exp(_mean_logs(gamma))
        norm = (shares[text_of] * words).sum(axis=1) + _TINY
        new = alpha + shares * np.add.reduceat(words * (piece.counts / norm)[:, None], piece.starts, axis=0)
        change = float(np.abs(new - gamma).mean())
        gamma = new
        if change < _INNER_CHANGE:
            break
    logs = _mean_logs(gamma)
    shares = np.exp(logs)
    norm = (shares[text_of] * words).sum(axis=1) + _TINY
    told = np.add.reduceat(piece.counts * np.log(norm), piece.starts)
    bound = float((piece.weights * (told + _texts_bound(gamma, logs, alpha))).sum())
    weights = piece.counts * piece.weights[text_of] / norm
    by_pair = shares[text_of] * words * weights[:, None]
    width = log_words.shape[1]
    sums = np.stack([np.bincount(piece.words, by_pair[:, k], width).astype(np.float64) for k in range(topics)])
    return bound, gamma, sums


def _mean_logs(parameters: Floats) -> Floats:
    """Mean logarithms of the shares that Dirichlet distributions give, one distribution a row."""
    from scipy.special import psi

    return np.asarray(psi(parameters) - psi(parameters.sum(axis=1, keepdims=True)))


def _texts_bound(gamma: Floats, logs: Floats, alpha: float) -> Floats:
    """What each text adds to the bound besides its words."""
    from scipy.special import gammaln

    topics = gamma.shape[1]
    own = ((alpha - gamma) * logs + gammaln(gamma)).sum(axis=1) - gammaln(gamma.sum(axis=1))
    return np.asarray(own + float(gammaln(topics * alpha)) - topics * float(gammaln(alpha)))


def _topics_bound(topics: Floats, logs: Floats, eta: float) -> float:
    """What the topics add to the bound."""
    from scipy.special import gammaln

    words = topics.shape[1]
    own = ((eta - topics) * logs + gammaln(topics)).sum(axis=1) - gammaln(topics.sum(axis=1))
    return float(own.sum() + len(topics) * (gammaln(words * eta) - words * gammaln(eta)))
