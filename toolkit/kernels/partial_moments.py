"""Moments of runs of values, and how they join.

The moments of a run are the seven numbers of `FIELDS`; those of several runs stand side by side in an array of shape
(7, runs).

The mean is ``mean + mean_low``, of which ``mean`` is the rounded sum: differences between two means then keep their
digits, however large both are. ``m2`` to ``m4`` are sums of powers of the differences from the mean, the k-th
divided by ``2 ** (k * exponent)``. The exponent is 0 for values of ordinary size, `NO_SPREAD` where all of them are
zero.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

FIELDS = ("n", "mean", "mean_low", "m2", "m3", "m4", "exponent")
N, MEAN, MEAN_LOW, M2, M3, M4, EXPONENT = range(len(FIELDS))

NO_SPREAD = -8192
"""Exponent of moments that are all zero: below every other, so that a merge takes the other's."""

_SAFE = 200
"""Differences between 2**-200 and 2**200 have fourth powers that can be summed as they are."""

_EXACT_INTEGERS = 1 << 53


def no_moments(runs: int) -> Floats:
    """Moments of no values, shape (7, runs)."""
    out = np.zeros((len(FIELDS), runs))
    out[EXPONENT] = NO_SPREAD
    return out


def float_moments(values: Floats) -> list[float]:
    """Moments of finite doubles, in two passes: their mean, then powers of the differences from it."""
    n = values.size
    if n == 0:
        return no_moments(1)[:, 0].tolist()
    centre = float(values.sum()) / n
    if not math.isfinite(centre):  # the sum overflows, the mean does not
        centre = float((values / n).sum())
    return _about(values - centre, (centre,), values)


def integer_moments(values: npt.NDArray[Any]) -> tuple[list[float], int]:
    """Moments of at least one integer, at most 2**31 of them, and their exact sum.

    64-bit integers are subtracted as integers before they become doubles, so that those beyond 2**53 lose nothing.
    """
    n = values.size
    if values.dtype.itemsize < 8:
        total = int(values.sum(dtype=np.int64))
        centre = total / n
        return _about(values - centre, (centre,)), total
    low, high = int(values.min()), int(values.max())
    if high - low < _EXACT_INTEGERS // n:
        above = (values - values.dtype.type(low)).view(np.int64)
        inner = int(above.sum())
        centre = inner / n
        return _about(above - centre, (*split_integer(low), centre)), n * low + inner
    total = _wide_sum(values)
    middle = total // n
    if high - low < 1 << 63:  # the differences fit 64 bits, though they may wrap on the way
        differences = (values.view(np.uint64) - np.uint64(middle % (1 << 64))).view(np.int64).astype(np.float64)
    else:
        differences = values - float(middle)
    return _about(differences, split_integer(middle)), total


def merge_moments(left: Floats, right: Floats) -> Floats:
    """Join the moments of earlier and later runs, side by side, by the formulas of Chan and Pébay.

    Parameters
    ----------
    left, right : ndarray of float64, shape (7, runs)

    Returns
    -------
    ndarray of float64, shape (7, runs)
    """
    n_left, n_right = left[N], right[N]
    if not (n_left.any() and n_right.any()):  # as it would come out, but sooner
        return left if n_left.any() else right
    n = np.maximum(n_left + n_right, 1.0)
    share_left, share_right = n_left / n, n_right / n
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        gap, gap_exponent = gap_of_means(left, right)
        exponent = np.maximum(np.maximum(left[EXPONENT], right[EXPONENT]), needed_exponent(gap, gap_exponent))
        d = np.ldexp(gap, (gap_exponent - exponent).astype(np.int64))
        a2, a3, a4 = _rescaled(left, exponent)
        b2, b3, b4 = _rescaled(right, exponent)
        weight = n_left * share_right
        d2 = d * d
        m2 = a2 + b2 + d2 * weight
        m3 = a3 + b3 + d2 * d * weight * (share_left - share_right) + 3.0 * d * (share_left * b2 - share_right * a2)
        cross = share_left * share_left - share_left * share_right + share_right * share_right
        m4 = a4 + b4 + d2 * d2 * weight * cross
        m4 += 6.0 * d2 * (share_left * share_left * b2 + share_right * share_right * a2)
        m4 += 4.0 * d * (share_left * b3 - share_right * a3)
        mean, low = two_sum(left[MEAN], left[MEAN_LOW] + gap * share_right)
        # Where the means are too far apart for their difference to be a double, a weighted sum is not.
        far = left[MEAN] * share_left + right[MEAN] * share_right
        mean, low = np.where(gap_exponent, far, mean), np.where(gap_exponent, 0.0, low)
    merged = np.stack([n_left + n_right, mean, low, m2, m3, m4, exponent])
    return np.where(n_right == 0, left, np.where(n_left == 0, right, merged))


def fold_moments(runs: Floats) -> Floats:
    """Join all runs of an array of shape (7, runs), two neighbours at a time: shape (7,)."""
    while runs.shape[1] > 1:
        if runs.shape[1] % 2:
            runs = np.concatenate([runs, no_moments(1)], axis=1)
        runs = merge_moments(runs[:, 0::2], runs[:, 1::2])
    return runs[:, 0]


def gap_of_means(left: Floats, right: Floats) -> tuple[Floats, Floats]:
    """Difference of the means, as ``gap * 2**exponent``; the exponent is 0 unless it would overflow."""
    gap = (right[MEAN] - left[MEAN]) + (right[MEAN_LOW] - left[MEAN_LOW])
    overflows = ~np.isfinite(gap)
    gap = np.where(overflows, np.ldexp(right[MEAN], -2) - np.ldexp(left[MEAN], -2), gap)
    return gap, np.where(overflows, 2.0, 0.0)


def needed_exponent(gap: Floats, gap_exponent: Floats) -> Floats:
    """The exponent with which the fourth power of a difference stays in range."""
    size = np.frexp(gap)[1] + gap_exponent
    return np.where(gap == 0, float(NO_SPREAD), np.where(np.abs(size) < _SAFE, 0.0, size))


def _rescaled(moments: Floats, exponent: Floats) -> tuple[Floats, Floats, Floats]:
    shift = (moments[EXPONENT] - exponent).astype(np.int64)
    return np.ldexp(moments[M2], 2 * shift), np.ldexp(moments[M3], 3 * shift), np.ldexp(moments[M4], 4 * shift)


def _about(differences: Floats, centre: tuple[float, ...], values: Floats | None = None) -> list[float]:
    """Moments from the differences from a centre near the mean, whose parts add up; the differences are overwritten."""
    n = differences.size
    offset = float(differences.sum()) / n
    powers = differences * differences
    s2 = float(powers.sum())
    # A centre that is off by more than a trifle of the spread would cost digits when its effect is subtracted.
    if not 2.0 ** (-2 * _SAFE) < s2 < 2.0 ** (2 * _SAFE) or n * offset * offset > 1e-6 * s2:
        if values is not None and (values == values[0]).all():
            return [float(n), float(values[0]) + 0.0, 0.0, 0.0, 0.0, 0.0, NO_SPREAD]
        if values is not None and not np.isfinite(differences).all():  # too far apart for a double
            return _careful(np.ldexp(values, -2) - math.ldexp(centre[0], -2), centre, 2)
        return _careful(differences, centre, 0)
    np.multiply(powers, differences, out=differences)
    s3 = float(differences.sum())
    np.multiply(powers, powers, out=powers)
    return _recentred([n, s2, s3, float(powers.sum())], offset, centre, 0)


def _careful(differences: Floats, centre: tuple[float, ...], exponent: int) -> list[float]:
    """The same for differences of any size, given over ``2**exponent``: scaled by a power of two and centred again."""
    n = differences.size
    largest = float(np.abs(differences).max())
    if largest == 0:
        return [float(n), *_normalised(centre), 0.0, 0.0, 0.0, NO_SPREAD]
    size = math.frexp(largest)[1] + exponent
    target = 0 if abs(size) < _SAFE else size
    differences = np.ldexp(differences, exponent - target)
    offset = float(differences.sum()) / n
    differences -= offset
    powers = differences * differences
    sums = [n, float(powers.sum()), float((powers * differences).sum()), float((powers * powers).sum())]
    rest = float(differences.sum()) / n
    return _recentred(sums, rest, (*centre, math.ldexp(offset, target)), target)


def _recentred(sums: list[float], offset: float, centre: tuple[float, ...], exponent: int) -> list[float]:
    """Move power sums to the mean, which is ``offset * 2**exponent`` away from the centre."""
    n, s2, s3, s4 = sums
    square = offset * offset
    m2 = max(s2 - n * square, 0.0)
    m3 = s3 - 3.0 * offset * s2 + 2.0 * n * square * offset
    m4 = max(s4 - 4.0 * offset * s3 + 6.0 * square * s2 - 3.0 * n * square * square, 0.0)
    mean = _normalised((*centre, math.ldexp(offset, exponent)))
    if m2 == 0:
        return [float(n), *mean, 0.0, 0.0, 0.0, NO_SPREAD]
    return [float(n), *mean, m2, m3, m4, exponent]


def _normalised(parts: tuple[float, ...]) -> tuple[float, float]:
    """The rounded sum of some doubles, and the rest."""
    total = math.fsum(parts)
    return total, math.fsum((*parts, -total))


def split_integer(value: int) -> tuple[float, float]:
    """An integer of up to 64 bits as two doubles, exactly."""
    high = float(value)
    return high, float(value - int(high))


def two_sum(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """The rounded sum and what rounding left out, exactly (Knuth)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def _wide_sum(values: npt.NDArray[Any]) -> int:
    """Exact sum of 64-bit integers: the two halves of each are summed apart."""
    kind = values.dtype.type
    upper = int((values >> kind(32)).sum())
    return (upper << 32) + int((values & kind(0xFFFFFFFF)).sum())
