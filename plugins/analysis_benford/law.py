"""First and last digits of one column against what they should be."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin.inference import Estimates, TableTest, fit_test, jackknife_of_sums
from toolkit.plugin.inference.jackknife import FEWEST_FILLED, long_blocks

FIRST_TWO = np.array([math.log10(1.0 + 1.0 / d) for d in range(10, 100)])
"""Shares of 10 to 99 by Benford's law."""

BANDS = ((0.0012, "close conformity"), (0.0018, "acceptable conformity"), (0.0022, "marginal conformity"))
"""Nigrini's bands of the mean absolute deviation of first two digits (10.1002/9781119203094, table 5.3)."""

_HALF = 0.5
_LONG_ENOUGH = 1000
"""The median without its decimal point, from which the last two digits are not the first ones too."""

Floats = npt.NDArray[np.float64]


@dataclass(slots=True)
class Excess:
    """Digits that occur too often: how many times, with its interval, and the p-value."""

    digits: int
    count: int
    ratio: float
    interval: tuple[float, float]
    log10_p: float


@dataclass(slots=True)
class Law:
    """What one column's digits say."""

    column: str
    n: int
    deviation: float
    chance: float
    deviation_low: float
    test: TableTest
    counts: list[int]
    excesses: list[Excess]
    last: list[Excess] = field(default_factory=list)
    n_last: int = 0
    decimals: int = 0


def band(deviation: float) -> str:
    """Nigrini's word for a mean absolute deviation.

    Examples
    --------
    >>> band(0.0005), band(0.0023)
    ('close conformity', 'nonconformity')
    """
    return next((word for end, word in BANDS if deviation <= end), "nonconformity")


def mean_absolute_deviation(counts: Any) -> float:
    """Of the shares of 10 to 99 from the law's, shape (90,).

    Examples
    --------
    >>> mean_absolute_deviation(FIRST_TWO * 1000) < 1e-15
    True
    """
    n = max(float(counts.sum()), 1.0)
    return math.fsum(np.abs(counts / n - FIRST_TWO).tolist()) / 90


def judge(column: str, digits: dict[str, Any], median: float) -> Law:
    """Everything about a column that the kernel ``digits`` counted."""
    blocks = digits["first_two_blocks"]
    counts = digits["first_two"]
    n, test = int(counts.sum()), fit_test(blocks, FIRST_TWO)
    estimate = jackknife_of_sums(blocks, mean_absolute_deviation, blocks.sum(axis=1))
    # What the deviation would be on average if the law held: the mean of |normal| for each share.
    chance = math.fsum(np.sqrt(2 * FIRST_TWO * (1 - FIRST_TWO) * test.design_effect / (math.pi * n)).tolist()) / 90
    low = float(estimate.interval()[0]) - chance
    law = Law(column, n, float(estimate.value), chance, low, test, counts.tolist(), _first(blocks, counts))
    if _has_last_digits(digits) and median * 10 ** digits["decimals"] >= _LONG_ENOUGH:
        law.last, law.n_last = _last(digits), int(digits["last_two"].sum())
    law.decimals = digits["decimals"]
    return law


def local_excess(counts: Any) -> Floats:
    """Logarithm of how many times as often digits occur as the law and the four digits around them say.

    Parameters
    ----------
    counts : ndarray, shape (90,)

    Returns
    -------
    ndarray of float64, shape (90,)
    """
    share = (counts + _HALF) / FIRST_TWO
    padded = np.concatenate([share[[2, 1]], share, share[[-2, -3]]])
    around = (padded[:-4] + padded[1:-3] + padded[3:-1] + padded[4:]) / 4.0
    return np.asarray(np.log(share / np.maximum(around, share.sum() / 90 / 4)))


def _first(blocks: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> list[Excess]:
    return _excesses(blocks, counts, local_excess, range(10, 100))


def _last(digits: dict[str, Any]) -> list[Excess]:
    def log_ratio(counts: Any) -> Floats:
        return np.asarray(np.log((counts + _HALF) / (counts.sum() + 50.0) * 100.0))

    return _excesses(digits["last_two_blocks"], digits["last_two"], log_ratio, range(100))


def _excesses(
    blocks: npt.NDArray[np.int64], counts: npt.NDArray[np.int64], statistic: Any, names: range
) -> list[Excess]:
    estimate = jackknife_of_sums(blocks, statistic, blocks.sum(axis=1))
    (low, high), p = estimate.interval(), _log10_p_of_blocks(blocks, statistic, estimate)
    found = [
        Excess(names[i], int(counts[i]), math.exp(float(estimate.value[i])), _ends(low[i], high[i]), float(p[i]))
        for i in range(len(names))
        if not math.isnan(p[i])
    ]
    return sorted(found, key=lambda e: (-round(e.ratio, 9), e.digits))


def _log10_p_of_blocks(blocks: npt.NDArray[np.int64], statistic: Any, estimate: Estimates) -> Floats:
    """Test of an excess in all rows, and the sign test of that in long blocks; the smaller p-value, doubled.

    Where one block has most of the digits, that of all rows has a large error however common they are elsewhere.
    """
    from scipy import special

    of_all = estimate.log10_p()
    long = long_blocks(blocks)
    long = long[long.sum(axis=1) > 0]
    if len(long) < FEWEST_FILLED:
        return of_all
    signs = np.sign([statistic(counts) for counts in long]) * np.sign(estimate.value)
    against = (signs <= 0).sum(axis=0)
    of_each = np.log10(np.minimum(2.0 * special.bdtr(against, len(long), 0.5), 1.0))
    return np.asarray(np.minimum(np.minimum(of_all, of_each) + math.log10(2.0), 0.0))


def _ends(low: float, high: float) -> tuple[float, float]:
    return math.exp(max(float(low), -700.0)), math.exp(min(float(high), 700.0))


def _has_last_digits(digits: dict[str, Any]) -> bool:
    """Whether last digits could be even: not those of short numbers, nor of numbers that nobody wrote."""
    n = int(digits["last_two"].sum())
    return n >= 1000 and digits["long"] + digits["finer"] <= 0.05 * n
