"""Whether changes of level are more than what the series does anyway: least squares on means of long blocks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from toolkit.plugin.inference import log10_t, t_quantile

from .segments import block_means

Floats = npt.NDArray[np.float64]

BLOCKS = (64, 32, 16)
_CERTAIN = -1e4
_FEWEST_DF = 3
_SINGULAR = 1e8


@dataclass(frozen=True, slots=True)
class Step:
    """A change of level.

    Attributes
    ----------
    place : int
        Where the later level begins.
    before, after : float
        Levels of the segments on either side.
    interval : tuple of float
        95 % interval of ``after - before``.
    log10_p : float
        Of no change at any of the places that were searched.
    blocks : int
        Blocks that the largest p-value comes from.
    """

    place: int
    before: float
    after: float
    interval: tuple[float, float]
    log10_p: float
    blocks: int


def steps_of(x: Floats, weights: Floats, places: list[int]) -> list[Step] | None:
    """Every change, tested beside the others.

    Means of 64, 32 and 16 blocks are regressed on the levels of the segments, weighted by the part of each that lies in
    a block. Of the p-values the largest counts, times the shortest segments that the series has room for, as the places
    were searched for; of the intervals the widest. Where a straight line leaves less, it is a drift and no step.

    Returns
    -------
    list of Step, or None
        None where the blocks can't tell the segments apart, or a line fits better.
    """
    levels = _levels(x, weights, places)
    worst = [(-math.inf, 0)] * len(places)
    reach = [0.0] * len(places)
    for count in BLOCKS:
        if x.size < 2 * count:
            continue
        sizes, means = block_means(x, weights, count)
        design = _design(weights, places, count)
        fitted = _contrasts(means, sizes, design, len(places))
        if fitted is None or fitted.variance > _left_by_a_line(means, sizes):
            return None
        for k, (step, error) in enumerate(fitted.steps):
            p = log10_t(step / error, fitted.df) if error > 0 else _CERTAIN
            worst[k] = max(worst[k], (max(p, _CERTAIN), count))
            reach[k] = max(reach[k], t_quantile(0.975, fitted.df) * error)
    searched = math.log10(BLOCKS[0])
    found = []
    for k, place in enumerate(places):
        gap = levels[k + 1] - levels[k]
        p = min(worst[k][0] + searched, 0.0)
        ends = (gap - reach[k], gap + reach[k])
        found.append(Step(place, levels[k], levels[k + 1], ends, p, worst[k][1]))
    return found


def _levels(x: Floats, weights: Floats, places: list[int]) -> list[float]:
    bounds = [0, *places, x.size]
    out = []
    for start, stop in pairwise(bounds):
        w = weights[start:stop]
        out.append(float((w * x[start:stop]).sum() / w.sum()))
    return out


def _design(weights: Floats, places: list[int], count: int) -> Floats:
    """Part of the weight of each block that lies in each segment: shape (count, segments)."""
    starts = np.arange(count) * weights.size // count
    segment = np.zeros(weights.size, np.int64)
    for place in places:
        segment[place:] += 1
    parts = [np.add.reduceat(np.where(segment == k, weights, 0.0), starts) for k in range(len(places) + 1)]
    return np.stack(parts, axis=1) / np.add.reduceat(weights, starts)[:, None]


@dataclass(frozen=True, slots=True)
class _Fit:
    """Differences of neighbouring levels with their standard errors, and what the levels leave."""

    steps: list[tuple[float, float]]
    variance: float
    df: float


def _contrasts(means: Floats, sizes: Floats, design: Floats, steps: int) -> _Fit | None:
    df = float(len(design) - design.shape[1])
    if df < _FEWEST_DF:
        return None
    roots = np.sqrt(sizes / sizes.mean())
    scaled = design * roots[:, None]
    # Products by einsum: BLAS gives other bits on other machines, and these are tiny.
    normal = np.einsum("ij,ik->jk", scaled, scaled)
    if np.linalg.cond(normal) > _SINGULAR:
        return None
    inverse = np.linalg.inv(normal)
    levels = np.einsum("jk,k->j", inverse, np.einsum("ij,i->j", scaled, means * roots))
    rest = means * roots - np.einsum("ij,j->i", scaled, levels)
    variance = float((rest * rest).sum()) / df
    found = []
    for k in range(steps):
        squared = variance * (inverse[k, k] + inverse[k + 1, k + 1] - 2.0 * inverse[k, k + 1])
        found.append((float(levels[k + 1] - levels[k]), math.sqrt(max(squared, 0.0))))
    return _Fit(found, variance, df)


def _left_by_a_line(means: Floats, sizes: Floats) -> float:
    line = np.arange(means.size) - (means.size - 1) / 2.0
    fit = _contrasts(means, sizes, np.stack([np.ones(means.size), line / means.size], axis=1), 0)
    return math.inf if fit is None else fit.variance
