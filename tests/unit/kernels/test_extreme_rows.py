from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.memory_store import memory_dataset
from toolkit.core.errors import UsageError
from toolkit.kernels.base import request
from toolkit.kernels.waves import compute

RNG = np.random.default_rng(12)


def run(kernel: str, values: Any, chunk_rows: int = 700, **params: Any) -> dict[str, Any]:
    (found,) = compute(memory_dataset({"x": values}, chunk_rows), [request(kernel, "x", **params)]).values()
    return found


@pytest.mark.parametrize("rows", [1, 2, 999, 5_000])
@pytest.mark.parametrize("kind", ["normal", "skewed", "int", "float32"])
@pytest.mark.parametrize("cap", [64, 2**21])
def test_mad_equals_scipy(kind: str, rows: int, cap: int) -> None:
    values: Any = {
        "normal": RNG.normal(50, 3, rows),
        "skewed": np.exp(RNG.normal(size=rows)),
        "int": RNG.integers(-100, 100, rows).astype(np.int32),
        "float32": RNG.normal(size=rows).astype(np.float32),
    }[kind]
    plain = values.astype(np.float64)
    median = np.median(plain)
    found = run("deviations", values, cap=cap)
    assert found["median"] == median
    assert found["mad"] == stats.median_abs_deviation(plain)
    low = run("deviations", values, side="low", cap=cap)
    assert low["mad"] == np.median(median - plain[plain <= median])
    high = run("deviations", values, side="high", cap=cap)
    assert high["mad"] == np.median(plain[plain >= median] - median)
    with pytest.raises(UsageError, match="side: both, low or high"):
        run("deviations", values, side="left")


def test_integers_beyond_doubles() -> None:
    values = 2**62 + np.arange(101, dtype=np.int64)
    found = run("deviations", values, 13)
    assert (found["median"], found["mad"]) == (2**62 + 50, 25)


@pytest.mark.parametrize("chunk_rows", [1, 333, 10_000])
def test_rows_beyond_the_fences(chunk_rows: int) -> None:
    rows = 500 if chunk_rows == 1 else 6_000
    values = np.round(RNG.standard_t(2, rows), 2)
    found = run("extreme_rows", values, chunk_rows, k=7)
    median = np.median(values)
    scales = [
        1.482602218505602 * np.median(np.abs(values[side] - median)) for side in (values <= median, values >= median)
    ]
    assert (found["rule_low"], found["rule_high"], found["median"]) == ("mad", "mad", median)
    for i, threshold in enumerate((3.5, 5.0, 10.0)):
        low, high = median - threshold * scales[0], median + threshold * scales[1]
        assert found["fences"][i] == pytest.approx([low, high], rel=1e-12)
        assert (found["below"][i], found["above"][i]) == ((values < low).sum(), (values > high).sum())
    beyond = sorted((v, r) for r, v in enumerate(values.tolist()) if v < found["fences"][0][0])
    assert found["low"] == [list(b) for b in beyond[:7]]
    above = sorted((-v, r) for r, v in enumerate(values.tolist()) if v > found["fences"][0][1])
    assert found["high"] == [[-v, r] for v, r in above[:7]]


def test_given_fences_and_ties() -> None:
    values = np.ma.array([5, 1, 5, 9, 9, 9, 0, 9], mask=[0, 0, 0, 1, 0, 0, 0, 0])
    found = run("extreme_rows", values, 3, fences=[[2, 8], [0, 9]], k=2)
    assert found["high"] == [[9, 4], [9, 5]]
    assert found["low"] == [[0, 6], [1, 1]]
    assert (found["below"], found["above"], found["count"]) == ([2, 0], [3, 0], 7)


def test_counts_on_normal_data_agree_with_theory() -> None:
    found = run("extreme_rows", RNG.normal(size=200_000), 65_536, thresholds=[2.0, 3.0])
    for i, threshold in enumerate((2.0, 3.0)):
        expected = 200_000 * stats.norm.sf(threshold)
        for side in ("below", "above"):
            assert found[side][i] == pytest.approx(expected, abs=5 * expected**0.5 + 0.03 * expected)


def test_more_than_half_of_the_values_are_one() -> None:
    values = np.where(RNG.random(10_000) < 0.8, 7.0, 7 + RNG.normal(size=10_000))
    found = run("extreme_rows", values)
    assert found["rule_low"].startswith("q0.9")
    assert 0.3 < found["scale_low"] < 1.5
    constant = run("extreme_rows", np.full(100, 3.0))
    assert (constant["rule_low"], constant["below"], constant["above"]) == ("none", [0, 0, 0], [0, 0, 0])


def test_nothing_in_an_empty_column() -> None:
    found = run("extreme_rows", np.ma.array([1.0, 2.0], mask=True))
    assert (found["median"], found["fences"], found["low"]) == (None, [], [])
    assert run("deviations", np.ma.array([1.0, 2.0], mask=True))["mad"] is None
