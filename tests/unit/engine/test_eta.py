"""The time that is left, on replayed timelines: known plugins, new ones with a cost model, and nothing known at all."""

from __future__ import annotations

import heapq
import math
import random
import statistics
from dataclasses import dataclass, field
from statistics import NormalDist

import pytest

from toolkit.engine.eta import Ended, Eta, Job, eta_from_state, eta_of
from toolkit.govern.predict import Estimate, Observation, predict, stated

RUNS = 60
PLUGINS = 40
AFTER = 10


@dataclass
class Timeline:
    """One run as it really went."""

    durations: dict[str, float]
    expected: dict[str, Estimate]
    waits_for: dict[str, tuple[str, ...]]
    workers: int
    begun: dict[str, float] = field(default_factory=dict)
    ended: dict[str, float] = field(default_factory=dict)

    def play(self) -> Timeline:
        """From the beginning to the end."""
        self.ended = self._go_on(self.durations, {}, {}, 0.0)
        return self

    def end_with(self, durations: dict[str, float], through: list[str], running: dict[str, float], now: float) -> float:
        """When all is through, where what has not ended takes other durations."""
        return max(self._go_on(durations, dict.fromkeys(through, 0.0), running, now).values())

    def _go_on(
        self, durations: dict[str, float], ended: dict[str, float], begun: dict[str, float], now: float
    ) -> dict[str, float]:
        """Workers that take the job expected to be longest among those that can begin."""
        running = [(begin + durations[name], name) for name, begin in begun.items()]
        heapq.heapify(running)
        waiting = sorted(durations, key=lambda n: -self.expected[n].value)
        waiting = [n for n in waiting if n not in ended and n not in begun]
        while waiting or running:
            for name in list(waiting):
                if len(running) < self.workers and all(w in ended for w in self.waits_for[name]):
                    waiting.remove(name)
                    if durations is self.durations:
                        self.begun[name] = now
                    heapq.heappush(running, (now + durations[name], name))
            now, name = heapq.heappop(running)
            ended[name] = now
        return ended

    def eta_after(self, count: int) -> tuple[Eta, float]:
        """What is estimated when so many plugins have ended, and the truth; milliseconds and seconds."""
        order = sorted(self.ended, key=self.ended.__getitem__)
        now = self.ended[order[count - 1]]
        jobs = []
        for name in order[count:]:
            elapsed = now - self.begun[name] if self.begun[name] < now else None
            jobs.append(Job(name, self.expected[name], elapsed, self.waits_for[name]))
        ended = [Ended(self.expected[n], self.durations[n]) for n in order[:count]]
        return eta_of(jobs, ended, self.workers), (max(self.ended.values()) - now) / 1e3


def timeline(rng: random.Random, kind: str, workers: int) -> Timeline:
    """Plugins whose costs have a heavy tail, on a machine that is slower or quicker than it was before."""
    names = [f"p{i}" for i in range(PLUGINS)]
    usual = {n: 2000 * rng.lognormvariate(0, 1.3) for n in names}
    machine = rng.lognormvariate(0, 0.4)
    durations = {n: usual[n] * machine * rng.lognormvariate(0, 0.2) for n in names}
    expected = {}
    for name in names:
        if kind == "history":
            seen = [Observation(100, usual[name] * rng.lognormvariate(0, 0.2), 0, "d") for _ in range(5)]
            found = predict(seen, 100, "d", lambda o: o.wall_ms)
            assert found is not None
        elif kind == "manifest":
            found = stated(usual[name] * rng.lognormvariate(1.0, 0.5), "manifest")
        else:
            found = stated(500.0, "default")
        expected[name] = found
    layers = {
        n: () if i < PLUGINS * 3 // 4 else tuple(rng.sample(names[: PLUGINS // 2], 2)) for i, n in enumerate(names)
    }
    return Timeline(durations, expected, layers, workers).play()


BOUNDS = {
    ("history", 1): 0.15,
    ("history", 2): 0.15,
    ("history", 8): 0.25,
    ("manifest", 1): 0.25,
    ("manifest", 2): 0.25,
}
"""Median of the relative errors of what is left."""


def errors_of(kind: str, workers: int) -> tuple[list[float], list[float], list[bool]]:
    """Relative errors of the estimate and of one that knows the laws, and whether the interval held the truth."""
    rng, draws = random.Random(f"{kind} {workers}"), random.Random(1)
    errors, least, held = [], [], []
    for _ in range(RUNS):
        line = timeline(rng, kind, workers)
        eta, truth = line.eta_after(AFTER)
        assert eta.low <= eta.seconds <= eta.high
        errors.append(abs(eta.seconds - truth) / truth)
        held.append(eta.low <= truth <= eta.high)
        if kind != "history":
            least.append(abs(all_knowing(line, kind, draws) - truth) / truth)
    return errors, least, held


def all_knowing(line: Timeline, kind: str, rng: random.Random) -> float:
    """What one would estimate who knows the laws that `timeline` draws from, but not what it drew."""
    order = sorted(line.ended, key=line.ended.__getitem__)
    now = line.ended[order[AFTER - 1]]
    elapsed = {n: now - line.begun[n] for n in order[AFTER:] if line.begun[n] < now}
    law = {n: law_of(line.expected[n], kind) for n in order}
    machines = [0.4 * (i / 10 - 3) for i in range(61)]
    chances = []
    for machine in machines:
        chance = NormalDist(0, 0.4).pdf(machine)
        for name in order[:AFTER]:
            chance *= law[name].pdf(math.log(line.durations[name]) - machine)
        for name, ms in elapsed.items():
            chance *= max(1 - law[name].cdf(math.log(ms) - machine), 1e-12)
        chances.append(chance)
    ends = []
    for machine in rng.choices(machines, chances, k=60):
        drawn = {}
        for name in order[AFTER:]:
            least = law[name].cdf(math.log(elapsed[name]) - machine) if name in elapsed else 0.0
            share = min(max(least + (1 - least) * rng.random(), 1e-12), 1 - 1e-12)
            drawn[name] = max(math.exp(law[name].inv_cdf(share) + machine), elapsed.get(name, 0.0))
        begun = {n: line.begun[n] for n in elapsed}
        known = {n: line.durations[n] for n in order[:AFTER]}
        ends.append(line.end_with({**known, **drawn}, order[:AFTER], begun, now) - now)
    return statistics.median(ends) / 1e3


def law_of(expected: Estimate, kind: str) -> NormalDist:
    """Of the logarithm of a duration on the usual machine, given what is expected of it."""
    middle, variance = math.log(2000), 1.3**2
    if kind == "manifest":
        stated_, vague = math.log(expected.value) - 1.0, 0.5**2
        middle = (middle * vague + stated_ * variance) / (variance + vague)
        variance = variance * vague / (variance + vague)
    return NormalDist(middle, math.sqrt(variance + 0.2**2))


@pytest.mark.parametrize(("kind", "workers"), BOUNDS)
def test_after_ten_plugins_the_estimate_is_near_the_truth(kind: str, workers: int) -> None:
    errors, _, held = errors_of(kind, workers)
    assert statistics.median(errors) <= BOUNDS[kind, workers]
    assert statistics.mean(held) >= 0.65


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "workers"), [("manifest", 8), ("nothing", 2)])
def test_where_little_is_known_no_estimate_could_be_much_nearer(kind: str, workers: int) -> None:
    errors, least, held = errors_of(kind, workers)
    assert statistics.median(errors) <= 1.5 * statistics.median(least)
    assert statistics.mean(held) >= 0.65


@pytest.mark.parametrize("kind", ["history", "manifest"])
def test_the_number_of_plugins_would_be_a_worse_guide(kind: str) -> None:
    rng = random.Random(kind)
    errors, naive = [], []
    for _ in range(RUNS):
        line = timeline(rng, kind, 2)
        eta, truth = line.eta_after(AFTER)
        now = sorted(line.ended.values())[AFTER - 1] / 1e3
        errors.append(abs(eta.seconds - truth) / truth)
        naive.append(abs(now / AFTER * (PLUGINS - AFTER) - truth) / truth)
    assert statistics.median(errors) < statistics.median(naive) / 2


def test_the_estimate_comes_nearer_as_the_run_goes_on() -> None:
    rng = random.Random(4)
    wrong: dict[int, list[float]] = {5: [], 20: [], 38: []}
    for _ in range(RUNS):
        line = timeline(rng, "manifest", 2)
        whole = max(line.ended.values()) / 1e3
        for count, errors in wrong.items():
            eta, truth = line.eta_after(count)
            errors.append(abs(eta.seconds - truth) / whole)
    medians = [statistics.median(e) for e in wrong.values()]
    assert medians == sorted(medians, reverse=True)


def minute(basis: str = "history") -> Estimate:
    return Estimate(60_000, 50_000, 70_000, basis, 9)


def test_nothing_is_left() -> None:
    assert eta_of([], [Ended(minute(), 1.0)], 2) == Eta(0, 0, 0)


def test_a_chain_takes_its_sum_however_many_workers() -> None:
    jobs = [Job("a", minute()), Job("b", minute(), waits_for=("a",)), Job("c", minute(), waits_for=("b",))]
    assert eta_of(jobs, [], 8).seconds == pytest.approx(180, rel=0.1)


def test_one_that_runs_alone_lets_nothing_beside_it() -> None:
    jobs = [Job("a", minute(), alone=True), Job("b", minute()), Job("c", minute())]
    assert eta_of(jobs, [], 3).seconds == pytest.approx(120, rel=0.1)


def test_a_circle_or_a_job_that_is_gone_ends_all_the_same() -> None:
    jobs = [
        Job("a", minute(), waits_for=("b",)),
        Job("b", minute(), waits_for=("a",)),
        Job("c", minute(), None, ("x",)),
    ]
    assert math.isfinite(eta_of(jobs, [], 2).seconds)


@pytest.mark.parametrize("elapsed", [1.0, 59_000.0, 61_000.0, 3.6e6, 1e12])
def test_one_that_takes_longer_than_it_ever_did_is_never_overdue(elapsed: float) -> None:
    eta = eta_of([Job("a", minute(), elapsed)], [], 1)
    assert 0 < eta.seconds < 1e12
    assert eta.low < eta.seconds < eta.high


def test_from_what_a_run_writes_of_itself() -> None:
    plugin = {"type": "analysis", "skip": False, "alone": False, "kernels": False, "waits_for": [], "wall_ms": 0.0}
    expected = minute().to_json()
    plugins = {
        "a": {**plugin, "status": "ok", "wall_ms": 60_000.0, "expected": expected},
        "b": {**plugin, "status": "running", "expected": expected, "kernels": True},
        "c": {**plugin, "status": "skipped", "expected": None},
        "d": {**plugin, "status": "waiting", "expected": expected, "waits_for": ["a", "b"]},
    }
    state = {"workers": 4, "plugins": plugins, "scans": {"scan:1.0": 30_000.0}}
    assert eta_from_state(state, [], 1000.0).seconds == pytest.approx(150, rel=0.1)
    assert eta_from_state({}, [], 1000.0) == Eta(0, 0, 0)
