"""Times of rows that come with no hole and no period but the hours that are asked for."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.null_tables import ar1

FLOWS = ("even", "day and night", "autocorrelated", "grouped")
DAY = 86_400


def flow(seed: int, kind: str, days: int = 60, each: float = 150.0) -> Any:
    """Times of a flow in seconds since 1970, ascending, with so many rows a day on average.

    Its rate is even, goes with the hour of the day, wanders from hour to hour, or jumps every 60 hours.
    """
    rng = np.random.default_rng([17, seed])
    hours = days * 24
    rate = np.full(hours, each / 24)
    if kind == "day and night":
        rate *= np.where((np.arange(hours) % 24 >= 7) & (np.arange(hours) % 24 < 19), 1.9, 0.1)
    elif kind == "autocorrelated":
        rate *= np.exp(0.7 * ar1(rng, hours, 0.9))
    elif kind == "grouped":
        rate *= np.exp(np.repeat(rng.normal(0, 0.7, -(-hours // 60)), 60)[:hours])
    counts = rng.poisson(rate)
    return np.sort(np.repeat(np.arange(hours), counts) * 3600 + rng.integers(0, 3600, counts.sum())) + 19_700 * DAY
