"""Quantiles of a group from exact counts over the quantile ranges of all rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from .pair import Pair

Counts = npt.NDArray[np.int64]


def quantile(counts: Counts, levels: Mapping[str, Any], probability: float) -> float:
    """Upper end of the range that holds a quantile; where each value is a level, the quantile itself.

    In the last range, whose upper end is the largest value of all, it is the lower end.
    """
    wanted = max(1, int(np.ceil(probability * int(counts.sum()))))
    at = int(np.searchsorted(np.cumsum(counts), wanted))
    if levels["values"] is not None:
        return float(levels["values"][at])
    return float(levels["cuts"][min(at, len(levels["cuts"]) - 1)])


def medians_of(pair: Pair, place: int) -> tuple[float, float]:
    """Median of a group, and of all other rows."""
    own, rest = _apart(pair, place)
    return quantile(own, pair.value_levels, 0.5), quantile(rest, pair.value_levels, 0.5)


def ranges_of(pair: Pair, place: int) -> tuple[float, float]:
    """Interquartile range of a group, and of all other rows."""
    own, rest = (
        quantile(counts, pair.value_levels, 0.75) - quantile(counts, pair.value_levels, 0.25)
        for counts in _apart(pair, place)
    )
    return own, rest


def _apart(pair: Pair, place: int) -> tuple[Counts, Counts]:
    own = pair.ranges[place]
    return own, pair.ranges.sum(axis=0) - own
