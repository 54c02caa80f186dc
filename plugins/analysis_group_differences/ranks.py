"""Each group against all other rows by ranks, in which no value is extreme."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from toolkit.plugin.inference import log10_t

from .pair import Pair
from .ranges import quantile

Floats = npt.NDArray[np.float64]


def level_scores(pair: Pair) -> Floats:
    """Standard scores of the rank sums of each group's values, for independent rows; shape (groups,)."""
    return rank_scores(pair.ranges, np.arange(pair.ranges.shape[1])[None, :] + np.zeros((len(pair.ranges), 1)))


def spread_scores(pair: Pair) -> Floats:
    """The same of the distances of values from their group's median; the values of a range count as its middle."""
    middles = _middles(pair)
    medians = [quantile(own, pair.value_levels, 0.5) if own.any() else 0.0 for own in pair.ranges]
    with np.errstate(over="ignore"):
        return rank_scores(pair.ranges, np.abs(middles[None, :] - np.array(medians)[:, None]))


def rank_scores(counts: npt.NDArray[np.int64], values: Floats) -> Floats:
    """Wilcoxon's rank sums of each group against all other rows, as standard scores, with ties.

    10.2307/3001968; 0 where there is nothing to compare.

    Parameters
    ----------
    counts, values : ndarray, shape (groups, cells)
        Rows by group, and the value that they have.

    Examples
    --------
    >>> rank_scores(np.array([[5, 0], [0, 5]]), np.array([[1.0, 2.0], [1.0, 2.0]])).tolist()
    [-3.0, 3.0]
    """
    _, place = np.unique(values, return_inverse=True)
    flat = counts.astype(np.float64)
    tied = np.bincount(place.ravel(), flat.ravel())
    n, own = float(flat.sum()), flat.sum(axis=1)
    ranks = np.cumsum(tied) - tied / 2.0 - n / 2.0
    sums = (flat * ranks[place.reshape(counts.shape)]).sum(axis=1)
    variance = own * (n - own) / max(n * (n - 1.0), 1.0) * float((tied * ranks * ranks).sum())
    return np.asarray(np.divide(sums, np.sqrt(variance), out=np.zeros_like(sums), where=variance > 0))


def log10_p_of_score(score: float, error: float, independent: float, df: float) -> float:
    """Test of a rank sum where rows depend on each other as they do in the test of means.

    Parameters
    ----------
    score : float
        Of independent rows.
    error, independent : float
        Standard error of the means' measure by the block jackknife, and for independent rows; their ratio, at least 1,
        is what the score is divided by.
    df : float
        Degrees of freedom of the former.
    """
    return log10_t(score / max(error / independent, 1.0), df) if independent > 0 else math.nan


def _middles(pair: Pair) -> Floats:
    if pair.value_levels["values"] is not None:
        return np.array([float(v) for v in pair.value_levels["values"]])
    cuts = np.array([float(c) for c in pair.value_levels["cuts"]])
    ends = np.concatenate([cuts[:1], cuts, cuts[-1:]])
    return np.asarray(ends[:-1] / 2.0 + ends[1:] / 2.0)
