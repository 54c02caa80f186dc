"""A category and a number: moments of each group, by block of rows, and counts of its quantile ranges."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin import Context
from toolkit.plugin.kept_levels import KeptLevels, kept_levels, mostly_pooled

from .textbook import Moments, analysis_of_variance, kruskal_wallis, welch

Floats = npt.NDArray[np.float64]


FOLLOWS_ROWS = 0.95
"""Share of the variance between 64 blocks of rows from which a number stands for the place of its row."""


@dataclass(frozen=True, slots=True)
class Pair:
    """What there is to compare.

    Attributes
    ----------
    group, value : str
        The columns.
    levels : KeptLevels
        The groups.
    moments, distances : Moments
        Of the values, and of their distances from their group's median; the latter in the same unit.
    mean, scale : float
        Mean and standard deviation of all groups together.
    sums : ndarray, shape (64, 3, groups)
        Rows, and sums and squares of the values as standard scores.
    distance_sums : ndarray, shape (64, 2, groups)
        Rows, and sums of the distances in standard deviations.
    ranges : ndarray of int64, shape (groups, levels of the value)
        Rows by group and quantile range.
    value_levels : dict
        What the ranges are.
    """

    group: str
    value: str
    levels: KeptLevels
    moments: Moments
    distances: Moments
    mean: float
    scale: float
    sums: Floats
    distance_sums: Floats
    ranges: npt.NDArray[np.int64]
    value_levels: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """The statistics of the whole pair."""
        return {
            "columns": [self.group, self.value],
            "groups": [_text(label) for label in self.levels.labels],
            "rows": self.moments.n.tolist(),
            "means": (self.mean + self.moments.offset).tolist(),
            "deviations": np.sqrt(self.moments.m2 / np.maximum(self.moments.n - 1, 1)).tolist(),
            "anova": analysis_of_variance(self.moments),
            "welch": welch(self.moments),
            "kruskal_wallis": kruskal_wallis(self.ranges),
            "brown_forsythe": analysis_of_variance(self.distances),
        }


def pair_of(ctx: Context, group: str, value: str) -> Pair | None:
    """Collect what kernels say of a pair; None where there is nothing to compare."""
    found = ctx.kernel("group_moments", group, value, levels=64, names=False)
    groups, n = found["groups"], found["n"][:-1]
    if mostly_pooled(groups):
        return None
    total = found["total"]
    if np.count_nonzero(n) < 2 or not 0.0 < total["m2"] < math.inf or not math.isfinite(total["mean"]):
        return None
    levels = kept_levels(ctx, group, groups, n)
    if len(levels.labels) < 2:
        return None
    sums = _sums(levels, found["blocks"], total["mean"], math.sqrt(total["m2"] / total["n"]))
    if _follows_rows(sums.sum(axis=2)):
        return None
    about = ctx.kernel("group_moments", group, value, levels=64, about="median", names=False)
    table = ctx.kernel("pairs", group, value)
    scale = math.sqrt(total["m2"] / total["n"])
    return Pair(
        group,
        value,
        levels,
        _folded(levels, found),
        _folded(levels, about),
        total["mean"],
        scale,
        sums,
        _sums(levels, about["blocks"], 0.0, scale)[:, :2],
        levels.fold(table["table"][:-1, :-1]),
        table["second"],
    )


def _follows_rows(sums: Floats) -> bool:
    """Whether the blocks of rows make up nearly all of the variance: a counter, or a table sorted by the value."""
    n, s1, s2 = sums.sum(axis=0)
    between = float((sums[:, 1] ** 2 / np.maximum(sums[:, 0], 1.0)).sum()) - s1 * s1 / n
    return bool(n > 8 * len(sums) and between > FOLLOWS_ROWS * (s2 - s1 * s1 / n))


def _folded(levels: KeptLevels, found: Mapping[str, Any]) -> Moments:
    """Moments of the kept groups to the last bit, and of the pooled ones together."""
    n, m2 = found["n"][:-1], found["m2"][:-1]
    offset = np.where(n > 0, found["offset"][:-1], 0.0)
    out = Moments(*(np.zeros(len(levels.labels)) for _ in range(3)))
    out.n[:] = levels.fold(n)
    for k in range(len(levels.labels)):
        inside = (levels.places == k) & (n > 0)
        if np.count_nonzero(inside) == 1:
            out.offset[k], out.m2[k] = offset[inside][0], m2[inside][0]
        elif inside.any():
            own = n[inside] / out.n[k]
            out.offset[k] = math.fsum((own * offset[inside]).tolist())
            apart = (offset[inside] - out.offset[k]) ** 2 * n[inside]
            out.m2[k] = math.fsum([*m2[inside].tolist(), *apart.tolist()])
    return out


def _sums(levels: KeptLevels, blocks: Mapping[str, Any], centre: float, scale: float) -> Floats:
    n = blocks["n"][:, :-1].astype(np.float64)
    scores = np.where(n > 0, (blocks["mean"][:, :-1] - centre) / scale, 0.0)
    squares = np.where(n > 0, blocks["m2"][:, :-1], 0.0) / scale / scale + n * scores * scores
    return levels.fold(np.stack([n, n * scores, squares], axis=1), 2)


def _text(label: Any) -> Any:
    return label if isinstance(label, bool) else str(label)
