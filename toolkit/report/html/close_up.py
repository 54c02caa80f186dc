"""What a histogram of equal bins hides where a few far values stretch it: the density between quantiles."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from toolkit.report.html.plots import block_path, heights, place_on
from toolkit.report.html.values import plain

_MIDDLE = ("0.05", "0.1", "0.25", "0.5", "0.75", "0.9", "0.95")
_FEWEST_POINTS = 6
"""Different quantiles that a picture on a logarithmic scale has at least."""
_LONG = 100.0
"""Where a logarithmic scale helps: the 99.9 % quantile is so many medians, or the median so many 0.1 % quantiles."""
_HEAPED = 0.01
"""Share of values at the smallest one that a picture from there on may leave out."""


@dataclass(frozen=True, slots=True)
class CloseUp:
    """A picture of a part of a distribution, or of all of it on another scale.

    Attributes
    ----------
    path : str
        Of the picture, as wide as a scale.
    heading, said : str
        What it shows, in short and in a sentence.
    low, high : str
        The ends of its scale.
    """

    path: str
    heading: str
    said: str
    low: str
    high: str


def close_up(column: Mapping[str, Any]) -> CloseUp | None:
    """The density between quantiles, where three quarters of the values or more fall into one bin of the histogram.

    Positive numbers over several orders of magnitude are shown from the smallest to the largest on a logarithmic
    scale, others between the 5 % and 95 % quantiles. None where the histogram says enough, and where quantiles
    coincide, so that there is no density between them.
    """
    histogram = column.get("histogram")
    if not histogram or 4 * max(histogram["counts"], default=0) < 3 * sum(histogram["counts"]):
        return None
    return _logarithmic(column) or _middle(column)


def _logarithmic(column: Mapping[str, Any]) -> CloseUp | None:
    quantiles, kind = column["quantiles"], column["kind"]
    probabilities = sorted(quantiles, key=float)
    values = [quantiles[p] for p in probabilities]
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) and v > 0 for v in values)
    if not numbers or not {"0", "0.001", "0.5", "0.999", "1"} <= set(probabilities):
        return None
    if max(quantiles["0.999"] / quantiles["0.5"], quantiles["0.5"] / quantiles["0.001"]) < _LONG:
        return None
    # Quantiles at one value are one place: the share up to it lies in the block that ends there.
    last = {math.log(v): float(p) for p, v in zip(probabilities, values, strict=True)}
    points = sorted(last.items())
    if len(points) < _FEWEST_POINTS or points[0][1] > _HEAPED:
        return None
    low, high = points[0][0], points[-1][0]
    places = [(at - low) / (high - low) for at, _ in points]
    ends = (plain(values[0], kind), plain(values[-1], kind))
    said = f"Density between quantiles on a logarithmic scale, from {ends[0]} to {ends[1]}"
    return CloseUp(_blocks(places, [p for _, p in points]), "On a logarithmic scale", said, *ends)


def _middle(column: Mapping[str, Any]) -> CloseUp | None:
    quantiles, kind = column["quantiles"], column["kind"]
    if any(p not in quantiles for p in _MIDDLE):
        return None
    low, high = quantiles[_MIDDLE[0]], quantiles[_MIDDLE[-1]]
    places = [place_on(quantiles[p], low, high) for p in _MIDDLE]
    known = [at for at in places if at is not None]
    if len(known) < len(_MIDDLE) or any(b <= a for a, b in pairwise(known)):
        return None
    ends = (plain(low, kind), plain(high, kind))
    said = f"Density between quantiles, from 5 % at {ends[0]} to 95 % at {ends[1]}"
    return CloseUp(_blocks(known, [float(p) for p in _MIDDLE]), "Its middle 90 %", said, *ends)


def _blocks(places: Sequence[float], probabilities: Sequence[float]) -> str:
    """Blocks between places on the scale, as high as values are dense there."""
    widths = [b - a for a, b in pairwise(places)]
    densities = [(b - a) / wide for (a, b), wide in zip(pairwise(probabilities), widths, strict=True)]
    return block_path(places, heights(densities, max(densities)))
