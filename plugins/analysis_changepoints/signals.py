"""The series in which changes are looked for: means, spreads and rates by bin, without the calendar's part of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toolkit.plugin.series import BinnedValues, Series

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FEWEST_BINS = 64
VALUES_FOR_SPREAD = 8
"""Values of a bin from which on its variance is used."""

_DAY_MS = 86_400_000
_CYCLES = 8
"""Days or weeks of a series from which on the calendar's part is taken out."""
_LARGEST = 1e150
"""Beyond it, squares are no doubles."""
_SEASONAL = 0.1
"""Share of the variance that the calendar has to explain for that, beyond what chance does."""


@dataclass(frozen=True, slots=True)
class Signal:
    """A series without gaps.

    Attributes
    ----------
    what : str
        ``level``, ``spread`` or ``rate``.
    column : str
        The number, or the time where rows are counted.
    series : Series
        The bins.
    bins : ndarray of int64, shape (n,)
        Those that are used.
    x : ndarray of float64, shape (n,)
        Means, logarithms of variances, or twice the roots of counts, less the calendar's part.
    calendar : ndarray of float64, shape (n,)
        The calendar's part.
    weights : ndarray of float64, shape (n,)
        How much each tells, 1 on average.
    cycle : str
        ``day``, ``week``, or empty where there is no calendar's part.
    values : BinnedValues or None
        The number by bin; None where rows are counted.
    """

    what: str
    column: str
    series: Series
    bins: Ints
    x: Floats
    calendar: Floats
    weights: Floats
    cycle: str
    values: BinnedValues | None = None


def level_signal(series: Series, name: str) -> Signal | None:
    """Means of a number."""
    values = series.column(name)
    bins = np.flatnonzero(values.n > 0)
    if bins.size < FEWEST_BINS:
        return None
    n = values.n[bins].astype(np.float64)
    freedom = float((n - 1.0).sum())
    with np.errstate(over="ignore"):
        within = float(values.m2[bins].sum()) / freedom if freedom > 0 else 0.0
    return _signal("level", name, series, bins, values.mean[bins], within / n, values)


def spread_signal(series: Series, name: str) -> Signal | None:
    """Logarithms of the variances of a number within bins, without the bias that few values bring."""
    values = series.column(name)
    bins = np.flatnonzero((values.n >= VALUES_FOR_SPREAD) & (values.m2 > 0))
    if bins.size < FEWEST_BINS or 2 * bins.size < np.count_nonzero(values.n >= VALUES_FOR_SPREAD):
        return None
    freedom = values.n[bins] - 1.0
    logs = np.log(values.m2[bins] / freedom) + 1.0 / freedom
    return _signal("spread", name, series, bins, logs, 2.0 / freedom, values)


def rate_signal(series: Series) -> Signal | None:
    """Twice the roots of the rows in bins, whose variance does not hang on their number (Anscombe).

    The bins at the ends, of which a part may lie beyond the data, are left out.
    """
    if series.time is None or len(series) < FEWEST_BINS + 2 or int(series.rows.max()) < 2:
        return None
    bins = np.arange(1, len(series) - 1)
    roots = 2.0 * np.sqrt(series.rows[bins] + 0.375)
    return _signal("rate", series.time, series, bins, roots, np.zeros(bins.size), None)


def _signal(
    what: str, column: str, series: Series, bins: Ints, x: Floats, noise: Floats, values: BinnedValues | None
) -> Signal | None:
    if not (np.abs(x) < _LARGEST).all() or not np.isfinite(noise).all() or float(x.min()) == float(x.max()):
        return None
    weights = _weights(x, noise)
    calendar, cycle = _calendar(series, bins, x, weights)
    return Signal(what, column, series, bins, x - calendar, calendar, weights, cycle, values)


def _weights(x: Floats, noise: Floats) -> Floats:
    """Inverse variances: that of sampling is known, that of the bins themselves is read from their neighbours."""
    steps = np.diff(x)
    total = float(np.median(steps * steps)) / (2.0 * 0.4549364231195724)  # the median of chi-square with 1 df
    own = max(total - float(np.median(noise)), 0.0)
    variance = noise + own
    if not (variance > 0).all():
        return np.ones(x.size)
    weights = float(variance.min()) / variance
    return weights / float(weights.mean())


def _calendar(series: Series, bins: Ints, x: Floats, weights: Floats) -> tuple[Floats, str]:
    """The mean of each hour of the week, or of the day, where there are enough of them and they differ."""
    none = np.zeros(x.size), ""
    if series.step_ms is None or series.start_ms is None:
        return none
    for cycle, length in (("week", 7 * _DAY_MS), ("day", _DAY_MS)):
        phases = length // series.step_ms
        if phases < 2 or length % series.step_ms or len(series) < _CYCLES * phases:
            continue
        phase = (series.start_ms // series.step_ms + bins) % phases
        sums = np.bincount(phase, weights * x, phases)
        total = np.maximum(np.bincount(phase, weights, phases), 1e-300)
        middle = float((weights * x).sum() / weights.sum())
        part = (sums / total - middle)[phase]
        rest = x - middle - part
        left, whole = float((weights * rest * rest).sum()), float((weights * (x - middle) ** 2).sum())
        freedom = x.size - np.count_nonzero(np.bincount(phase, minlength=phases))
        if freedom > 0 and 1.0 - left * (x.size - 1) / (whole * freedom) >= _SEASONAL:
            return part, cycle
    return none
