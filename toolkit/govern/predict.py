"""What a plugin is going to take, from what it took before: a robust line through size and cost.

The line is Theil and Sen's: its slope is the median of the slopes between all two observations of different size, so
that up to 29 of 100 observations may be as wrong as they like (a run on a machine that swapped, a run that was cut
short). Memory and time never become less with size, so neither slope nor intercept is below 0.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

MOST_OBSERVATIONS = 30
"""The latest ones that are looked at; their pairs are 435."""
_NORMAL_MAD = 1.4826
_NINETY_PERCENT = 1.645
USUAL_TIME, USUAL_MEMORY = 0.3, 0.05
"""By how much times and peaks of memory of the same work differ between runs: standard deviations of the logarithm."""
_USUAL_WEIGHT = 3
"""Observations that this is worth."""
_UNKNOWN = 3.0
"""Factor either way where nothing but a manifest's or a general figure is known."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure that is not known yet.

    Attributes
    ----------
    value, low, high : float
        The prediction, and an interval that is meant to hold nine of ten outcomes.
    basis : str
        ``history``: of the same code; ``other code``: of other versions of the plugin; ``manifest``: what the plugin
        says of itself; ``default``: what is assumed of any plugin.
    runs : int
        Observations that it rests on.
    """

    value: float
    low: float
    high: float
    basis: str
    runs: int = 0

    def to_json(self, scale: float = 1.0, digits: int = 3) -> dict[str, float | str | int]:
        """Plain values, divided by a unit."""
        figures = {name: getattr(self, name) / scale for name in ("value", "low", "high")}
        rounded = {k: round(v, digits) if digits else round(v) for k, v in figures.items()}
        return {**rounded, "basis": self.basis, "runs": self.runs}


@dataclass(frozen=True, slots=True)
class Observation:
    """What a plugin took once.

    Attributes
    ----------
    size : float
        Rows x columns.
    wall_ms : float
        Of all its tasks, milliseconds.
    max_rss : int
        Peak resident bytes of any of its processes; 0 when that was not measured for it alone.
    code_digest : str
        Of its code.
    """

    size: float
    wall_ms: float
    max_rss: int
    code_digest: str


def predict(
    observations: Sequence[Observation],
    size: float,
    code_digest: str,
    measure: Callable[[Observation], float],
    fixed: float = 0.0,
    usual: float = USUAL_TIME,
) -> Estimate | None:
    """Predict a figure of a plugin for a table of some size.

    Parameters
    ----------
    observations : sequence of Observation
        The latest first, of any version of the plugin's code.
    size : float
        Rows x columns of what is ahead.
    code_digest : str
        Of the code that is to run. Where it has been observed, other versions don't count.
    measure : callable
        Gives the figure of an observation; those of which it is 0 don't count.
    fixed : float
        How much of the figure does not grow with size, where all observations are of one size.
    usual : float
        By how much such a figure differs between runs as a rule, as a standard deviation of its logarithm.

    Returns
    -------
    Estimate or None
        None when nothing was observed.

    References
    ----------
    Sen, P. K. (1968). Estimates of the regression coefficient based on Kendall's tau.
    https://doi.org/10.1080/01621459.1968.10480934

    Examples
    --------
    >>> seen = [Observation(n, 100 + 2 * n, 0, "a") for n in (10, 20, 40)]
    >>> round(predict(seen, 80, "a", lambda o: o.wall_ms).value)
    260
    """
    usable = [o for o in observations if measure(o) > 0]
    same = [o for o in usable if o.code_digest == code_digest]
    chosen = (same or usable)[:MOST_OBSERVATIONS]
    if not chosen:
        return None
    points = [(o.size, float(measure(o))) for o in chosen]
    line = _line(points, fixed)
    factors = _factors([y / max(line(x), 1e-9) for x, y in points], usual)
    value = line(size)
    reach = _reach([x for x, _ in points], size)
    low, high = value / (factors[0] * reach), value * factors[1] * reach
    return Estimate(value, low, high, "history" if same else "other code", len(chosen))


def stated(value: float, basis: str) -> Estimate:
    """An estimate that rests on no observation."""
    return Estimate(value, value / _UNKNOWN, value * _UNKNOWN, basis)


def _line(points: Sequence[tuple[float, float]], fixed: float) -> Callable[[float], float]:
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(points, 2) if a[0] != b[0]]
    if slopes:
        slope = max(0.0, statistics.median(slopes))
        intercept = statistics.median(y - slope * x for x, y in points)
        if intercept < 0:
            # Through the origin, where a line below it would promise work for nothing.
            intercept, slope = 0.0, statistics.median(y / max(x, 1.0) for x, y in points)
    else:
        middle = statistics.median(y for _, y in points)
        intercept = min(fixed, middle)
        slope = (middle - intercept) / max(points[0][0], 1.0)
    return lambda x: intercept + slope * x


def _factors(ratios: Sequence[float], usual: float) -> tuple[float, float]:
    """By how much an outcome may lie below and above the line: from the spread so far, more for fewer observations."""
    logs = [math.log(max(r, 1e-9)) for r in ratios]
    middle = statistics.median(logs)
    spread = _NORMAL_MAD * statistics.median(abs(v - middle) for v in logs)
    n = len(logs)
    held = math.sqrt((n * spread**2 + _USUAL_WEIGHT * usual**2) / (n + _USUAL_WEIGHT))
    width = _NINETY_PERCENT * held * (1 + 3 / n)
    return math.exp(max(width - middle, 0.05)), math.exp(max(width + middle, 0.05))


def _reach(sizes: Sequence[float], size: float) -> float:
    """A factor for going beyond the sizes that were seen: 1 within them, 2 at ten times the largest."""
    beyond = max(size / max(*sizes, 1.0), min(sizes) / max(size, 1.0), 1.0)
    return float(2 ** math.log10(beyond))
