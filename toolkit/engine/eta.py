"""How long a run has to go: what is left is scheduled in thought, with durations corrected by those seen so far.

Plugins differ in cost by orders of magnitude, so their number says nothing. Each has an expected duration, from the
medians of the same plugin's history or from a cost model. Durations are taken for lognormal around that, with
one line and one spread for all of the same basis: those that have ended give them, the latest with the most weight,
and those that run and are not through bound them from below. Durations of what is left are drawn and scheduled,
again and again; the estimate is the median of the ends, the interval their fifth and ninety-fifth percentile.
"""

from __future__ import annotations

import heapq
import math
import random
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from toolkit.govern.predict import Estimate
from toolkit.govern.telemetry_schema import Heartbeat

ENDED = frozenset({"ok", "skipped", "failed", "timed_out"})
_NORMAL = statistics.NormalDist()
_NINETY_PERCENT = 1.645
_FORGET = 0.97
"""What the weight of a plugin that has ended is multiplied by with each that ends after it: a moving average."""
_DOUBT = {"history": 0.4, "other code": 0.7, "scans": 0.4}
_MOST_DOUBT = 2.0
"""Standard deviation of the logarithm by which all expectations of a basis may be off together: another machine, a
model that means something else."""
_SLOPE = {"history": (1.0, 0.03), "other code": (1.0, 0.05), "scans": (1.0, 0.03)}
_VAGUE_SLOPE = (0.9, 0.15)
_UNKNOWN_SPREAD = 1.2
"""Of plugins of which nothing is known: some take ten times as long as others."""
_SPREAD_WEIGHT = 3.0
_STEPS = 12
_DRAWS, _MOST_JOBS_DRAWN = 80, 8000


@dataclass(frozen=True, slots=True)
class Eta:
    """Seconds until a run ends, and an interval that is meant to hold nine of ten outcomes."""

    seconds: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Job:
    """What is left of a run in one piece.

    Attributes
    ----------
    name : str
        The plugin, or the task of a scan.
    expected : Estimate
        Milliseconds from beginning to end.
    elapsed : float or None
        Milliseconds that it has run; None when it has not begun.
    waits_for : tuple of str
        Jobs that have to end first.
    alone : bool
        Whether nothing may run beside it.
    """

    name: str
    expected: Estimate
    elapsed: float | None = None
    waits_for: tuple[str, ...] = ()
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Ended:
    """A plugin that was computed in this run: what was expected of it, and the milliseconds that it took."""

    expected: Estimate
    wall_ms: float


def eta_of(jobs: Sequence[Job], ended: Sequence[Ended], workers: int) -> Eta:
    """Estimate when the jobs are through.

    Parameters
    ----------
    jobs : sequence of Job
        What is left.
    ended : sequence of Ended
        What has been computed, in its order.
    workers : int
        Jobs that run at once.

    Examples
    --------
    >>> minute = Estimate(60_000, 50_000, 70_000, "history", 9)
    >>> eta = eta_of([Job("a", minute), Job("b", minute), Job("c", minute, 59_999.0)], [], 2)
    >>> round(eta.seconds), eta.low < eta.seconds < eta.high
    (82, True)
    """
    if not jobs:
        return Eta(0.0, 0.0, 0.0)
    paces = {basis: _pace(basis, jobs, ended) for basis in sorted({j.expected.basis for j in jobs})}
    # The same numbers for the same state: an estimate that jumps while nothing happens is no help.
    rng = random.Random(0)  # noqa: S311  no secret
    draws = max(20, min(_DRAWS, _MOST_JOBS_DRAWN // len(jobs)))
    ends = []
    for _ in range(draws):
        drawn = {basis: pace.drawn(rng) for basis, pace in paces.items()}
        left = {job.name: _draw(job, drawn[job.expected.basis], rng.random()) for job in jobs}
        ends.append(_makespan(jobs, left, max(workers, 1)) / 1e3)
    ends.sort()
    return Eta(statistics.median(ends), ends[draws // 20], ends[-1 - draws // 20])


def eta_from_state(state: Mapping[str, Any], running: Sequence[Heartbeat], now: float) -> Eta:
    """Estimate from what a run has written of itself; see `toolkit.engine.side_file.run_state`.

    Parameters
    ----------
    state : mapping
        The run's state.
    running : sequence of Heartbeat
        What runs.
    now : float
        Seconds since 1970.
    """
    since = {beat.plugin: min(beat.started, now) for beat in reversed(running) if beat.plugin != "kernels"}
    scanning = {beat.task: min(beat.started, now) for beat in running}
    jobs, ended = [], []
    for name, ms in state.get("scans", {}).items():
        started = scanning.get(name)
        expected = Estimate(ms, ms / 1.5, ms * 1.5, "scans")
        jobs.append(Job(name, expected, None if started is None else (now - started) * 1e3))
    scans = tuple(job.name for job in jobs)
    plugins: Mapping[str, dict[str, Any]] = state.get("plugins", {})
    for name, plugin in plugins.items():
        if plugin.get("expected") is None:
            continue
        expected = Estimate(**plugin["expected"])
        if plugin["status"] in ENDED:
            if plugin["wall_ms"] > 0:
                ended.append(Ended(expected, plugin["wall_ms"]))
            continue
        started = since.get(name)
        elapsed = None if started is None else max((now - started) * 1e3, plugin["wall_ms"])
        waits = tuple(w for w in plugin["waits_for"] if plugins[w]["status"] not in ENDED)
        jobs.append(Job(name, expected, elapsed, waits + (scans if plugin["kernels"] else ()), plugin["alone"]))
    return eta_of(jobs, ended, int(state.get("workers", 1)))


@dataclass(frozen=True, slots=True)
class _Pace:
    """How durations of one basis lie around their expectations: a line through the logarithms of both, and a spread.

    The slope is below 1 where expectations are vague: the largest of many is more often too large than too small.
    """

    pivot: float
    middle: float
    slope: float
    spread: float
    doubts: tuple[float, float] = (0.0, 0.0)
    tilt: float = 0.0

    def center(self, expected: Estimate) -> float:
        """Of the logarithm of a duration."""
        return self.middle + self.slope * (_log(expected.value) - self.pivot)

    def drawn(self, rng: random.Random) -> _Pace:
        """One of the lines that what is known allows."""
        off = rng.gauss(0, self.doubts[1])
        middle = self.middle - self.tilt * off + rng.gauss(0, self.doubts[0])
        return _Pace(self.pivot, middle, self.slope + off, self.spread)


def _pace(basis: str, jobs: Sequence[Job], ended: Sequence[Ended]) -> _Pace:
    """Fit line and spread to what has ended and to what has run so long already (censored, by expectation)."""
    done = [e for e in ended if e.expected.basis == basis and e.wall_ms > 0]
    mine = [j for j in jobs if j.expected.basis == basis]
    going = [j for j in mine if j.elapsed]
    pivot = statistics.mean([_log(e.expected.value) for e in done] + [_log(j.expected.value) for j in mine])
    x = [_log(e.expected.value) - pivot for e in done] + [_log(j.expected.value) - pivot for j in going]
    y = [_log(e.wall_ms) for e in done]
    weights = [_FORGET**age for age in reversed(range(len(done)))]
    usual = _UNKNOWN_SPREAD if basis == "default" else statistics.mean(_sigma(j.expected) for j in mine)
    pace = _Pace(pivot, pivot, 1.0, usual)
    for _ in range(_STEPS):
        beyond = [_beyond(_log(j.elapsed or 0.0), pace.center(j.expected), pace.spread) for j in going]
        values = y + [mean for mean, _ in beyond]
        pace = _line(pace, basis, x, values, weights + [1.0] * len(going))
        residuals = [v - pace.middle - pace.slope * d for v, d in zip(values, x, strict=True)]
        squares = sum(w * r**2 for w, r in zip(weights + [1.0] * len(going), residuals, strict=True))
        squares += sum(variance for _, variance in beyond) + _SPREAD_WEIGHT * usual**2
        pace = replace(pace, spread=math.sqrt(squares / (sum(weights) + len(going) + _SPREAD_WEIGHT)))
    # One that still runs says half as much as one that has ended.
    doubts = _line(pace, basis, x, values, weights + [0.5] * len(going))
    return replace(pace, doubts=doubts.doubts, tilt=doubts.tilt)


def _line(pace: _Pace, basis: str, x: Sequence[float], y: Sequence[float], weights: Sequence[float]) -> _Pace:
    """The line through points that expectations say nothing against: least squares with a prior."""
    slope, slope_doubt = _SLOPE.get(basis, _VAGUE_SLOPE)
    a = (pace.spread / _DOUBT.get(basis, _MOST_DOUBT)) ** 2
    b = (pace.spread / slope_doubt) ** 2
    s0 = sum(weights) + a
    s1 = sum(w * d for w, d in zip(weights, x, strict=True))
    s2 = sum(w * d * d for w, d in zip(weights, x, strict=True)) + b
    t0 = sum(w * (v - pace.pivot) for w, v in zip(weights, y, strict=True))
    t1 = sum(w * d * (v - pace.pivot) for w, d, v in zip(weights, x, y, strict=True)) + b * slope
    det = s0 * s2 - s1 * s1
    doubts = (pace.spread / math.sqrt(s0), pace.spread * math.sqrt(s0 / det))
    middle = pace.pivot + (t0 * s2 - t1 * s1) / det
    return _Pace(pace.pivot, middle, (s0 * t1 - s1 * t0) / det, pace.spread, doubts, s1 / s0)


def _log(ms: float) -> float:
    return math.log(max(ms, 1e-3))


def _beyond(bound: float, middle: float, spread: float) -> tuple[float, float]:
    """Mean and variance of a normal variable that lies above a bound."""
    z = (bound - middle) / spread
    tail = _NORMAL.cdf(-z)
    if tail < 1e-9:
        return bound, 0.0
    hazard = _NORMAL.pdf(z) / tail
    return middle + spread * hazard, max(spread**2 * (1 + z * hazard - hazard**2), 0.0)


def _sigma(expected: Estimate) -> float:
    """Standard deviation of the logarithm, taking the interval for one of nine tenths."""
    if expected.low <= 0 or expected.high <= expected.low:
        return 0.1
    return math.log(expected.high / expected.low) / (2 * _NINETY_PERCENT)


def _draw(job: Job, pace: _Pace, uniform: float) -> float:
    """Milliseconds that a job needs still, drawn from those durations that are longer than it has run already."""
    center, spread = pace.center(job.expected), pace.spread
    if not job.elapsed or job.elapsed <= 0:
        return math.exp(center + spread * _NORMAL.inv_cdf(min(max(uniform, 1e-9), 1 - 1e-9)))
    tail = _NORMAL.cdf((center - math.log(job.elapsed)) / spread)
    if tail < 1e-9:
        return job.elapsed * spread * (0.5 + uniform)  # far beyond all that is known: what has lasted will last
    # From the upper end, where small probabilities are exact.
    z = -_NORMAL.inv_cdf(max(tail * (1 - uniform), 1e-300))
    return max(math.exp(center + spread * z) - job.elapsed, 0.0)


def _makespan(jobs: Sequence[Job], left: Mapping[str, float], workers: int) -> float:
    """Milliseconds until all jobs are through: those that run go on, then the longest that can begins."""
    by_name = {j.name: j for j in jobs}
    open_for = {j.name: {w for w in j.waits_for if w in by_name} for j in jobs}
    followers: dict[str, list[str]] = defaultdict(list)
    for name, waits in open_for.items():
        for wait in waits:
            followers[wait].append(name)
    running = [(left[j.name], j.name) for j in jobs if j.elapsed is not None]
    heapq.heapify(running)
    begun = {name for _, name in running}
    ready = [(-by_name[n].expected.value, n) for n, waits in open_for.items() if not waits and n not in begun]
    heapq.heapify(ready)
    now = 0.0
    through = 0
    while running or ready:
        held = []
        while ready and len(running) < workers:
            entry = heapq.heappop(ready)
            job = by_name[entry[1]]
            if running and (job.alone or by_name[running[0][1]].alone):
                held.append(entry)
            else:
                heapq.heappush(running, (now + left[job.name], job.name))
        for entry in held:
            heapq.heappush(ready, entry)
        now, name = heapq.heappop(running)
        through += 1
        for follower in followers[name]:
            open_for[follower].discard(name)
            if not open_for[follower] and by_name[follower].elapsed is None:
                heapq.heappush(ready, (-by_name[follower].expected.value, follower))
    if through < len(jobs):  # the rest waits for each other
        now += sum(left.values()) / workers
    return now
