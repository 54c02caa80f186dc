"""Predictions: the line is found, outliers don't move it, size never makes less, code that is the same counts."""

from __future__ import annotations

import math
import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.govern.predict import Estimate, Observation, predict, stated

SIZES = st.floats(1.0, 1e12)


def seen(points: list[tuple[float, float]], digest: str = "now") -> list[Observation]:
    return [Observation(x, y, round(y), digest) for x, y in points]


def wall(observations: list[Observation], size: float, digest: str = "now", fixed: float = 0.0) -> Estimate:
    found = predict(observations, size, digest, lambda o: o.wall_ms, fixed)
    assert found is not None
    return found


def test_nothing_is_known_of_nothing() -> None:
    assert predict([], 1.0, "a", lambda o: o.wall_ms) is None
    assert predict([Observation(5, 5.0, 0, "a")], 1.0, "a", lambda o: o.max_rss) is None


@given(st.floats(0, 1e5), st.floats(1e-6, 1e3), st.lists(SIZES, min_size=2, max_size=30, unique=True), SIZES)
def test_a_line_is_found(intercept: float, slope: float, sizes: list[float], size: float) -> None:
    if max(sizes) < 1.01 * min(sizes):
        return  # their difference drowns in rounding
    found = wall(seen([(x, intercept + slope * x) for x in sizes]), size)
    assert found.value == pytest.approx(intercept + slope * size, rel=1e-2)


@given(st.lists(st.tuples(SIZES, st.floats(0.1, 1e9)), min_size=1, max_size=40), SIZES, SIZES, st.floats(0, 1e4))
def test_interval_and_monotony_hold_for_any_history(
    points: list[tuple[float, float]], a: float, b: float, fixed: float
) -> None:
    history = seen(points)
    small, large = (wall(history, size, fixed=fixed) for size in sorted((a, b)))
    for found in (small, large):
        assert 0 <= found.low <= found.value <= found.high
        assert math.isfinite(found.high)
    assert small.value <= large.value * (1 + 1e-9)


@given(st.integers(0, 2**32), st.integers(8, 30), st.floats(1e-3, 1e3))
def test_a_quarter_of_the_history_may_be_anything(seed: int, n: int, wrong: float) -> None:
    rng = random.Random(seed)
    good = [(x, 50 + 2e-3 * x) for x in (rng.uniform(1e5, 1e7) for _ in range(n))]
    bad = [(x, y * wrong) for x, y in good[: n // 5]]
    points = bad + good[n // 5 :]
    rng.shuffle(points)
    size = 5e6
    assert wall(seen(points), size).value == pytest.approx(50 + 2e-3 * size, rel=0.5)


def test_only_the_same_code_counts_where_it_has_run() -> None:
    history = seen([(100, 900.0)] * 9, "old") + seen([(100, 10.0)])
    assert wall(history, 100).value == pytest.approx(10)
    assert (wall(history, 100).basis, wall(history, 100).runs) == ("history", 1)
    assert (wall(history, 100, "next").basis, wall(history, 100, "next").runs) == ("other code", 10)


def test_of_one_size_only_what_is_above_the_fixed_part_grows() -> None:
    history = seen([(1000, 300.0)] * 3)
    assert wall(history, 2000, fixed=100.0).value == pytest.approx(500)
    assert wall(history, 1000, fixed=100.0).value == pytest.approx(300)
    assert wall(history, 10, fixed=100.0).value == pytest.approx(102)
    assert wall(history, 2000, fixed=1e9).value == pytest.approx(300)


def test_going_far_beyond_what_was_seen_widens_the_interval() -> None:
    history = seen([(1000, 300.0), (2000, 590.0), (3000, 910.0)] * 3)
    near, far = wall(history, 2500), wall(history, 250_000)
    assert far.high / far.value > 1.5 * near.high / near.value


@pytest.mark.parametrize("spread", [0.05, 0.3, 0.8])
@pytest.mark.parametrize("n", [3, 10, 30])
def test_intervals_hold_about_as_often_as_they_say(spread: float, n: int) -> None:
    rng = random.Random(round(spread * 1000) + n)

    def draw() -> tuple[float, float]:
        x = rng.choice([1e6, 2e6, 4e6])
        return x, (20 + 1e-4 * x) * rng.lognormvariate(0, spread)

    held = []
    for _ in range(200):
        found = wall(seen([draw() for _ in range(n)]), 2e6)
        actual = (20 + 1e-4 * 2e6) * rng.lognormvariate(0, spread)
        held.append(found.low <= actual <= found.high)
    # Three points, of which a line takes up two, can't tell a spread of a factor of two and more.
    assert statistics.mean(held) >= (0.8 if n > 3 else 0.65)


def test_what_is_stated_is_wide() -> None:
    assert stated(6.0, "manifest") == Estimate(6.0, 2.0, 18.0, "manifest")
    assert stated(6.0, "manifest").to_json(2.0) == {"value": 3, "low": 1, "high": 9, "basis": "manifest", "runs": 0}
