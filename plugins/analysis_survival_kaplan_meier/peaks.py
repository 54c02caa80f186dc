"""Times at which events come far more often than just before and after."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .curve import Curve

TIMES_ITS_NEIGHBOURS = 5.0
LEAST_SHARE = 0.02
LEAST_EVENTS = 30
_NEIGHBOURS = 10


@dataclass(frozen=True, slots=True)
class Peak:
    """A time at which the hazard stands out.

    Attributes
    ----------
    time : float
        The time; where times are counted in steps, the first instant of one.
    events, at_risk : int
        Events then, and rows that could have had one.
    usual : float
        Median hazard of the times around it.
    """

    time: float
    events: int
    at_risk: int
    usual: float

    @property
    def ratio(self) -> float:
        """The hazard over that of the times around."""
        return self.events / self.at_risk / self.usual


def highest_peak(curve: Curve) -> Peak | None:
    """The time with most events among those whose hazard is five times the median of the ten times on either side.

    A time counts when it has a fiftieth of all events and thirty at least, and all its neighbours have events, as times
    without any are no part of the curve.

    Examples
    --------
    >>> events = np.full(40, 10)
    >>> events[14] = 200
    >>> peak = highest_peak(Curve(np.arange(40.0), events, events))
    >>> peak.time, peak.events
    (14.0, 200)
    """
    held = np.flatnonzero(curve.events > 0)
    if held.size < 2 * _NEIGHBOURS + 1:
        return None
    hazard = curve.events[held] / curve.at_risk[held]
    least = max(LEAST_EVENTS, LEAST_SHARE * curve.event_count)
    found: list[Peak] = []
    for i in np.flatnonzero(curve.events[held] >= least).tolist():
        low, high = max(0, i - _NEIGHBOURS), min(held.size, i + _NEIGHBOURS + 1)
        # The last times have few at risk, where a single event is a high hazard.
        if high - low < 2 * _NEIGHBOURS + 1 or curve.at_risk[held[high - 1]] < least:
            continue
        usual = float(np.median(np.delete(hazard[low:high], i - low)))
        peak = Peak(float(curve.times[held[i]]), int(curve.events[held[i]]), int(curve.at_risk[held[i]]), usual)
        if peak.ratio >= TIMES_ITS_NEIGHBOURS:
            found.append(peak)
    return max(found, key=lambda peak: (peak.events, -peak.time)) if found else None
