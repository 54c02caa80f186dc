"""Random draws in whole numbers only.

No logarithm or exponential is taken per row: their last bits differ between processors, and the sample's bytes must
not. The few tables that need them are computed once, in plain Python, and rounded to integers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

_STEPS = 4096


def block_generator(seed: int, block: int) -> np.random.Generator:
    """Return the random stream of one block of orders; blocks do not depend on each other."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, block])))


def lognormal_table(sigma: float) -> Ints:
    """Return the quantiles of a lognormal distribution with median 1, in thousandths.

    Parameters
    ----------
    sigma : float
        Standard deviation of the logarithm.

    Returns
    -------
    ndarray, shape (4096,), int64
        A uniform draw of an entry is a draw of the distribution.
    """
    normal = NormalDist()
    quantiles = [math.exp(sigma * normal.inv_cdf((i + 0.5) / _STEPS)) for i in range(_STEPS)]
    return np.array([round(1000 * q) for q in quantiles], dtype=np.int64)


def draw(rng: np.random.Generator, table: Ints, size: int) -> Ints:
    """Draw entries of a table, each with the same chance."""
    picked: Ints = table[rng.integers(0, len(table), size)]
    return picked


def weighted(rng: np.random.Generator, weights: Sequence[int], size: int) -> Ints:
    """Draw indices with chances in proportion to whole-number weights."""
    bounds = np.cumsum(np.asarray(weights, dtype=np.int64))
    return np.searchsorted(bounds, rng.integers(0, bounds[-1], size), side="right").astype(np.int64)


def chance(rng: np.random.Generator, per_10_000: int, size: int) -> NDArray[np.bool_]:
    """Draw events that happen ``per_10_000`` times in 10,000."""
    happens: NDArray[np.bool_] = rng.integers(0, 10_000, size) < per_10_000
    return happens
