"""A group against all other rows: how much higher, or how much more spread, with errors from the blocks of rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from toolkit.plugin.inference import Estimates, cliffs_delta, effective_blocks, jackknife_of_sums

from .pair import Pair
from .ranks import level_scores, log10_p_of_score, spread_scores
from .textbook import Moments

Floats = npt.NDArray[np.float64]

FEWEST_EVEN = 8.0
"""Of 16 long blocks, so many that a group must be worth: with fewer the errors come out too small."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One group.

    Attributes
    ----------
    what : str
        ``level``: the effect is Hedges' g. ``spread``: the logarithm of the ratio of mean distances from medians.
    place : int
        The group.
    effect, interval, log10_p
        With the 95 % interval, and the test of no difference.
    blocks : int
        Blocks of rows that the error comes from.
    """

    what: Literal["level", "spread"]
    place: int
    effect: float
    interval: tuple[float, float]
    log10_p: float
    blocks: int

    def to_json(self, pair: Pair) -> dict[str, Any]:
        """Plain values; the spread as a ratio."""
        label = pair.levels.labels[self.place]
        effect, ends = self.effect, list(self.interval)
        if self.what == "spread":
            effect, *ends = (math.exp(min(x, 700.0)) for x in (effect, *ends))
        return {
            "what": self.what,
            "group": label if isinstance(label, bool) else str(label),
            "hedges_g" if self.what == "level" else "ratio": effect,
            "interval": ends,
            "log10_p": self.log10_p,
            "blocks": self.blocks,
        }


def compare(pair: Pair, least_rows: int) -> list[Comparison]:
    """Test every group of enough rows; of two groups one, as the other's test is the same."""
    n = pair.moments.n
    own = [k for k in range(pair.levels.own) if n[k] >= least_rows and n.sum() - n[k] >= least_rows]
    if len(n) == 2 and len(own) == 2:
        own = [min(own, key=lambda k: (n[k], k))]
    if not own:
        return []
    filled = pair.sums[:, 0, own]
    found = jackknife_of_sums(pair.sums, lambda s: _hedges_g(s)[own], filled)
    ranks = level_scores(pair), _independent_errors(pair.moments)
    out = _comparisons("level", own, found, filled, ranks)
    found = jackknife_of_sums(pair.distance_sums, lambda s: _log_ratio(s)[own], filled)
    ranks = spread_scores(pair), _independent_errors(pair.distances, pair.distance_sums.sum(axis=0)[1] * pair.scale)
    return out + _comparisons("spread", own, found, filled, ranks)


def delta_of(pair: Pair, place: int) -> float:
    """Cliff's delta of a group against all other rows."""
    own = pair.ranges[place]
    return cliffs_delta(own, pair.ranges.sum(axis=0) - own)


def _comparisons(
    what: Literal["level", "spread"], own: list[int], found: Estimates, rows: Floats, ranks: tuple[Floats, Floats]
) -> list[Comparison]:
    """Tests of groups that stand in enough blocks: the p-value is the larger of that of means and that of ranks.

    Means of a few skewed values are followed too closely by their errors; ranks have no extreme values.
    """
    even = effective_blocks(rows)
    lows, highs = (ends.tolist() for ends in found.interval())
    of_means = found.log10_p().tolist()
    out = []
    for i, k in enumerate(own):
        scores, independent = ranks
        of_ranks = log10_p_of_score(scores[k], float(found.error[i]), float(independent[k]), float(found.df[i]))
        if math.isfinite(of_means[i]) and even[i] >= FEWEST_EVEN:
            log10_p = max(of_means[i], of_ranks) if math.isfinite(of_ranks) else of_means[i]
            blocks = int(found.blocks[i])
            out.append(Comparison(what, k, float(found.value[i]), (lows[i], highs[i]), log10_p, blocks))
    return out


def _independent_errors(moments: Moments, distances: Floats | None = None) -> Floats:
    """Standard errors of a group's mean less that of all other rows, were rows independent; shape (groups,).

    Parameters
    ----------
    moments : Moments
        Of the groups.
    distances : ndarray, shape (groups,), optional
        Sums of the values, which are distances: the errors are of the logarithm of the ratio of the means. Else they
        are in pooled standard deviations.
    """
    n, m2, offset = moments.n, moments.m2, moments.offset
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        rest_n, sums = n.sum() - n, n * offset
        rest_mean = (sums.sum() - sums) / rest_n
        squares = m2 + n * offset * offset
        rest_m2 = np.maximum(squares.sum() - squares - rest_n * rest_mean * rest_mean, 0.0)
        parts = m2 / n / n, rest_m2 / rest_n / rest_n
        if distances is not None:
            found = np.sqrt(parts[0] / (distances / n) ** 2 + parts[1] / ((distances.sum() - distances) / rest_n) ** 2)
        else:
            found = np.sqrt((parts[0] + parts[1]) / ((m2 + rest_m2) / n.sum()))
    return np.asarray(np.nan_to_num(found, nan=0.0, posinf=0.0))


def _hedges_g(sums: Floats) -> Floats:
    """Each group against the rest, shape (groups,); sums of shape (3, groups)."""
    n, s1, s2 = sums
    with np.errstate(invalid="ignore", divide="ignore"):
        rest_n, rest_s1, rest_s2 = n.sum() - n, s1.sum() - s1, s2.sum() - s2
        within = s2 - s1 * s1 / n + rest_s2 - rest_s1 * rest_s1 / rest_n
        df = n + rest_n - 2.0
        gap = s1 / n - rest_s1 / rest_n
        found: Floats = (1.0 - 3.0 / (4.0 * df - 1.0)) * gap / np.sqrt(np.maximum(within, 0.0) / df)
    return found


def _log_ratio(sums: Floats) -> Floats:
    """Logarithm of each group's mean over that of the rest, shape (groups,); sums of shape (2, groups)."""
    n, s = sums
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = np.log(s / n) - np.log((s.sum() - s) / (n.sum() - n))
    return found
