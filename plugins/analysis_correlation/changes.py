"""Where along the table the relation of two columns changes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin.inference import log10_t, t_quantile

FEWEST_ROWS = 10
"""Rows that a block must have of a pair."""

FEWEST_BLOCKS = 16
_LARGEST_AUTOCORRELATION = 0.2
_MARGIN = 8
"""The part of the blocks, one in so many, that each side of a split has at least."""

_CLOSEST = 1.0 - 1e-12

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Change:
    """The split of the blocks on whose sides correlations differ most.

    Attributes
    ----------
    block : int
        The first of the 64 blocks behind the split.
    before, after : float
        Correlation within blocks on either side.
    difference : float
        ``after - before``.
    interval : tuple of float
        Of the difference, 95 % over all splits that were tried together.
    log10_p : float
        Of no change, times the number of splits.
    """

    block: int
    before: float
    after: float
    difference: float
    interval: tuple[float, float]
    log10_p: float


def find_change(blocks: Mapping[str, Any], at: tuple[int, int]) -> Change | None:
    """Look for a change of the correlation of two columns from one block of rows on.

    Parameters
    ----------
    blocks : mapping
        ``n``, ``mean``, ``m2``, ``cross`` of the kernel ``comoments``, shape (64, columns, columns).
    at : (int, int)
        The two columns.

    Returns
    -------
    Change or None
        None where fewer than 16 blocks have 10 rows, or no block differs from another.

    Notes
    -----
    Fisher's z of the blocks, weighted by their rows; the pooled spread about the two means gives t for each split, and
    Bonferroni's inequality the p-value of the largest. Where what is left of neighbouring blocks correlates beyond 0.2,
    two and two are joined. The interval of the difference is that of Zou (2007), 10.1037/1082-989X.12.4.399.
    """
    i, j = at
    sums = np.stack([blocks["n"][:, i, j], blocks["mean"][:, i, j], blocks["mean"][:, j, i], blocks["m2"][:, i, j],
                     blocks["m2"][:, j, i], blocks["cross"][:, i, j]])  # fmt: skip
    sums, width = np.nan_to_num(sums.astype(np.float64)), 1
    while True:
        with np.errstate(invalid="ignore", divide="ignore"):
            r = sums[5] / np.sqrt(sums[3] * sums[4])
        used = np.flatnonzero((sums[0] >= FEWEST_ROWS) & np.isfinite(r))
        if used.size < FEWEST_BLOCKS:
            return None
        z, weight = np.arctanh(np.clip(r[used], -_CLOSEST, _CLOSEST)), sums[0][used] - 3.0
        found, left = _split(z, weight)
        if found is None:
            return None
        lagged = float((left[:-1] * left[1:]).sum() / (left * left).sum())
        if lagged <= _LARGEST_AUTOCORRELATION or sums.shape[1] // 2 < FEWEST_BLOCKS:
            return _described(int(used[found[0]]) * width, found, used.size)
        sums, width = _joined(sums[:, ::2], sums[:, 1::2]), 2 * width


def _split(z: Floats, weight: Floats) -> tuple[tuple[int, float, float, float, float, float] | None, Floats]:
    """The best split: its place, both means and their errors, and t; and what is left of each block."""
    count = z.size
    margin = max(count // _MARGIN, 2)
    place = np.arange(margin, count - margin + 1)
    sums, weights = np.cumsum(weight * z), np.cumsum(weight)
    left, right = weights[place - 1], weights[-1] - weights[place - 1]
    low, high = sums[place - 1] / left, (sums[-1] - sums[place - 1]) / right
    total = math.fsum((weight * (z - sums[-1] / weights[-1]) ** 2).tolist())
    between = (high - low) ** 2 * left * right / weights[-1]
    best = int(np.argmax(np.round(between, 12)))
    k = int(place[best])
    residual = np.sqrt(weight) * (z - np.where(np.arange(count) < k, low[best], high[best]))
    spread = math.sqrt(max(math.fsum((residual * residual).tolist()), 0.0) / (count - 2))
    if spread <= 1e-9 * math.sqrt(max(total, 1e-300)):
        return None, residual
    errors = spread / math.sqrt(left[best]), spread / math.sqrt(right[best])
    t = (high[best] - low[best]) / math.hypot(*errors)
    return (k, float(low[best]), float(high[best]), *errors, float(t)), residual


def _described(block: int, found: tuple[int, float, float, float, float, float], count: int) -> Change:
    _, low, high, low_error, high_error, t = found
    tried = count - 2 * max(count // _MARGIN, 2) + 1
    reach = t_quantile(1.0 - 0.025 / tried, count - 2)
    before, after = math.tanh(low), math.tanh(high)
    ends = [(math.tanh(z - reach * e), math.tanh(z + reach * e)) for z, e in ((low, low_error), (high, high_error))]
    difference = after - before
    interval = (
        difference - math.hypot(after - ends[1][0], ends[0][1] - before),
        difference + math.hypot(ends[1][1] - after, before - ends[0][0]),
    )
    return Change(block, before, after, difference, interval, min(log10_t(t, count - 2) + math.log10(tried), 0.0))


def _joined(left: Floats, right: Floats) -> Floats:
    n = left[0] + right[0]
    some = np.maximum(n, 1.0)
    gap_x, gap_y = right[1] - left[1], right[2] - left[2]
    weight = left[0] * right[0] / some
    share = right[0] / some
    return np.stack([n, left[1] + gap_x * share, left[2] + gap_y * share, left[3] + right[3] + gap_x**2 * weight,
                     left[4] + right[4] + gap_y**2 * weight, left[5] + right[5] + gap_x * gap_y * weight])  # fmt: skip
