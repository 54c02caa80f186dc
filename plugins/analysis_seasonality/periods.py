"""Periods that no calendar knows of, the strongest first, each taken off before the next is looked for."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .cycle import Cycle, find_cycle
from .spectrum import Peak, detrended, periodogram, strongest

Floats = npt.NDArray[np.float64]

_HARMONICS = 4
_CELLS = 24
_LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Period:
    """A period of a series.

    Attributes
    ----------
    bins : float
        Its length in bins.
    peak : Peak
        In the periodogram.
    cycle : Cycle
        The series folded with it.
    """

    bins: float
    peak: Peak
    cycle: Cycle

    @property
    def log10_p(self) -> float:
        """The larger of that of the peak and that of the folded series."""
        return max(self.peak.log10_p, self.cycle.log10_p)


def find_periods(values: Floats, most: int) -> tuple[list[Period], int, Peak | None]:
    """Periods of a series, and how many peaks were tested.

    Parameters
    ----------
    values : ndarray of float64, shape (bins,)
        The series without its trend and without the cycles of the calendar; NaN in empty bins.
    most : int
        Periods, at most.

    Returns
    -------
    list of Period
        Those whose peak stands out.
    int
        Peaks that were tested.
    Peak or None
        The first.
    """
    rest, found, first, tests = values, [], None, 0
    for _ in range(most):
        peak = strongest(periodogram(rest), rest.size)
        first = first or peak
        if peak is None:
            break
        tests += 1
        if peak.log10_p > math.log10(_LEVEL):
            break
        frequency = _refined(rest, peak.frequency)
        cycle = _folded(rest, frequency)
        if cycle is not None:
            found.append(Period(1.0 / frequency, peak, cycle))
        rest = detrended(rest - _waves(rest, frequency))
    return found, tests, first


def _folded(values: Floats, frequency: float) -> Cycle | None:
    phase = np.arange(values.size) * frequency
    turns = np.floor(phase)
    cells = max(2, min(_CELLS, int(1.0 / frequency)))
    place = np.minimum(np.floor((phase - turns) * cells), cells - 1)
    return find_cycle(values, place.astype(np.int64), turns.astype(np.int64), cells)


def _refined(values: Floats, frequency: float) -> float:
    """The frequency between the neighbouring ordinates at which one wave takes most off, to a hundredth of them."""
    held = np.flatnonzero(np.isfinite(values))
    y, spacing = values[held], 1.0 / values.size

    def power(at: float) -> float:
        angle = 2.0 * math.pi * at * held
        return float((y * np.cos(angle)).sum() ** 2 + (y * np.sin(angle)).sum() ** 2)

    centre, width = frequency, spacing
    for _ in range(4):
        tried = centre + width * np.linspace(-1.0, 1.0, 9)
        powers = np.round([power(f) for f in tried], 6)
        centre, width = float(tried[int(np.argmax(powers))]), width / 4.0
    return min(max(centre, spacing), 0.5)


def _waves(values: Floats, frequency: float) -> Floats:
    """What waves of a frequency and its first multiples explain, by least squares; shape (bins,)."""
    held, place = np.isfinite(values), np.arange(values.size)
    waves = [np.ones(values.size)]
    for k in range(1, _HARMONICS + 1):
        if k * frequency < 0.5:
            angle = 2.0 * math.pi * k * frequency * place
            waves += [np.cos(angle), np.sin(angle)]
    design = np.stack(waves)
    normal = np.einsum("ik,jk->ij", design[:, held], design[:, held])
    right = np.einsum("ik,k->i", design[:, held], values[held])
    return np.asarray(np.einsum("i,ik->k", np.linalg.lstsq(normal, right, rcond=1e-10)[0], design))
