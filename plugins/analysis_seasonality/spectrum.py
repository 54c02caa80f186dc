"""Periodograms of binned series, complete or with gaps, and the background that a peak must stand out from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy import fft, ndimage

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

GAPPY = 0.05
"""Share of empty bins from which Lomb and Scargle's periodogram is taken."""

_LOWEST = 8
_WINDOW = 41
_EFFECTIVE = 20.0
"""Degrees of freedom of the median of a window, halved: half of its ordinates."""

_COEFFICIENTS = np.concatenate([np.arange(0.0, 0.95, 0.05), np.arange(0.95, 0.999, 0.005)])
_BANDS = 24


@dataclass(frozen=True, slots=True)
class Peak:
    """The ordinate that stands out most.

    Attributes
    ----------
    frequency : float
        Cycles a bin.
    ratio : float
        Power over the background.
    log10_p : float
        Of red noise, for having looked at all ordinates.
    """

    frequency: float
    ratio: float
    log10_p: float


def detrended(values: Floats) -> Floats:
    """A series less its straight line; NaN where it is NaN."""
    held = np.isfinite(values)
    if np.count_nonzero(held) < 2:
        return values - (values[held].mean() if held.any() else 0.0)
    place = np.arange(values.size, dtype=np.float64)
    x, y = place[held] - place[held].mean(), values[held] - values[held].mean()
    slope = float((x * y).sum() / (x * x).sum())
    return np.asarray(values - values[held].mean() - slope * (place - place[held].mean()))


def periodogram(values: Floats) -> Floats:
    """Power at 1, 2 ... cycles in the whole series, up to below half a cycle a bin; shape ((bins - 1) // 2,).

    A complete series is tapered by a raised cosine, so that a strong period does not leak into others. With gaps it is
    that of Lomb and Scargle, 10.1086/160554, which here needs no more than two Fourier transforms: bins are on a grid.

    Parameters
    ----------
    values : ndarray of float64, shape (bins,)
        The series; NaN in empty bins.
    """
    held = np.isfinite(values)
    if np.count_nonzero(~held) > GAPPY * values.size:
        return lomb_scargle(values, held)
    taper = np.hanning(values.size + 2)[1:-1]
    power = np.abs(fft.rfft(np.where(held, values, 0.0) * taper)) ** 2 / float((taper**2).sum())
    return np.asarray(power[1 : (values.size + 1) // 2])


def lomb_scargle(values: Floats, held: Bools) -> Floats:
    """Lomb and Scargle's periodogram at the Fourier frequencies of the grid, in the unit of a power.

    Parameters
    ----------
    values : ndarray of float64, shape (bins,)
        The series, of which the mean is taken off.
    held : ndarray of bool, shape (bins,)
        Bins that have a value.
    """
    n = values.size
    y = np.where(held, values - values[held].mean(), 0.0)
    first = fft.fft(y)[1 : (n + 1) // 2]
    places = 2 * np.arange(1, (n + 1) // 2) % n
    double = fft.fft(held.astype(np.float64))[places]
    # At the phase of the double angle, sines and cosines of the held bins are orthogonal.
    phase = np.exp(-0.5j * np.angle(double))
    turned = first * phase
    count, reach = float(np.count_nonzero(held)), np.abs(double)
    cosine, sine = (count + reach) / 2.0, (count - reach) / 2.0
    power = turned.real**2 / cosine + np.where(sine > 1e-9 * count, turned.imag**2 / np.maximum(sine, 1e-300), 0.0)
    return np.asarray(0.5 * power)


def background(power: Floats) -> Floats:
    """The larger of red noise, fitted to all ordinates, and of the median of the ordinates around each.

    Red noise is a first-order autoregression, fitted to medians over bands of frequencies as in 10.1029/95GL03093, so
    that peaks don't count. Where the noise is of another colour, the ordinates around tell.
    """
    m = power.size
    local = ndimage.median_filter(power, min(_WINDOW, m), mode="nearest") / math.log(2.0)
    frequency = np.arange(1, m + 1) / (2.0 * m + 1.0)
    edges = np.unique(np.round(np.geomspace(1, m + 1, _BANDS + 1)).astype(np.int64)) - 1
    bands = [slice(a, b) for a, b in pairwise(edges.tolist())]
    medians = np.array([np.median(power[b]) for b in bands]) / math.log(2.0)
    weight = np.sqrt([float(b.stop - b.start) for b in bands])
    middle = np.array([frequency[b].mean() for b in bands])
    floor = max(float(medians.max()), 1e-300) * 1e-12
    best, colour = math.inf, (0.0, 1.0)
    for rho in _COEFFICIENTS.tolist():
        rest = np.log(np.maximum(medians, floor)) - np.log(_red(rho, middle))
        level = _weighted_median(rest, weight)
        loss = float((np.abs(rest - level) * weight).sum())
        if loss < best - 1e-9:
            best, colour = loss, (rho, math.exp(level))
    return np.asarray(np.maximum(local, colour[1] * _red(colour[0], frequency)))


def strongest(power: Floats, bins: int) -> Peak | None:
    """The peak that stands out most from the background; None for fewer than 16 ordinates, or no power.

    The probability is that of the largest of all ordinates, as Fisher's, 10.1098/rspa.1929.0151, with a background that
    is estimated: F with 2 and 40 degrees of freedom for each.
    """
    if power.size < 2 * _LOWEST or not power.any():
        return None
    ratio = power / np.maximum(background(power), float(power.max()) * 1e-15)
    ratio[: _LOWEST - 1] = 0.0  # of fewer than eight cycles nobody can say that they repeat
    top = int(np.argmax(np.round(ratio, 9)))
    log10_one = -_EFFECTIVE * math.log10(1.0 + float(ratio[top]) / _EFFECTIVE)
    tried = ratio.size - _LOWEST + 1
    log10_all = min(log10_one + math.log10(tried), 0.0)
    return Peak((top + 1) / bins, float(ratio[top]), log10_all)


def _red(rho: float, frequency: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 - 2.0 * rho * np.cos(2.0 * np.pi * frequency) + rho * rho))


def _weighted_median(values: Floats, weights: Floats) -> float:
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2.0)])
