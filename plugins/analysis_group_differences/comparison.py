"""A group against all other rows: how much higher, or how much more spread, with errors from the blocks of rows."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from toolkit.plugin.inference import Estimates, cliffs_delta, jackknife_of_sums

from .pair import Pair

Floats = npt.NDArray[np.float64]

FEWEST_EVEN = 12.0
"""Blocks of equally many rows that a group must be worth: with fewer the errors come out too small."""


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
    out = _comparisons("level", own, found, filled)
    found = jackknife_of_sums(pair.distance_sums, lambda s: _log_ratio(s)[own], filled)
    return out + _comparisons("spread", own, found, filled)


def delta_of(pair: Pair, place: int) -> float:
    """Cliff's delta of a group against all other rows."""
    own = pair.ranges[place]
    return cliffs_delta(own, pair.ranges.sum(axis=0) - own)


def _comparisons(what: Literal["level", "spread"], own: list[int], found: Estimates, rows: Floats) -> list[Comparison]:
    """Tests with as many degrees of freedom as the blocks that a group stands in are worth."""
    even = np.array([_even_blocks(rows[:, i], int(found.blocks[i])) for i in range(len(own))])
    found = replace(found, df=np.minimum(found.df, np.maximum(even - 1.0, 1.0)))
    lows, highs = (ends.tolist() for ends in found.interval())
    log10_p = found.log10_p().tolist()
    return [
        Comparison(what, k, float(found.value[i]), (lows[i], highs[i]), log10_p[i], int(found.blocks[i]))
        for i, k in enumerate(own)
        if math.isfinite(log10_p[i]) and even[i] >= FEWEST_EVEN
    ]


def _even_blocks(rows: Floats, blocks: int) -> float:
    """How many blocks of equally many rows tell as much as these; 10.1162/REST_a_00639.

    Parameters
    ----------
    rows : ndarray, shape (64,)
        Rows of a group in each block.
    blocks : int
        Blocks that were compared, after neighbours were joined.

    Examples
    --------
    >>> _even_blocks(np.ones(64), 16), _even_blocks(np.arange(64) == 5, 64)
    (16.0, 1.0)
    """
    joined = np.asarray(rows, np.float64).reshape(blocks, -1).sum(axis=1)
    return float(joined.sum() ** 2 / max(float((joined**2).sum()), 1.0))


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
