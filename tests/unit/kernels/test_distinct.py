"""The k smallest hashes: exact below k, within their error above, comparable between columns."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernel_cases import AWKWARD_FLOATS, whole_state
from tests.memory_store import memory_dataset
from toolkit.core.encoding import decode
from toolkit.core.errors import UsageError
from toolkit.kernels.base import request
from toolkit.kernels.waves import compute


def distinct(values: Any, chunk_rows: int = 262_144, encoding: str = "long", **params: Any) -> dict[str, Any]:
    wanted = request("distinct", "x", **params)
    return compute(memory_dataset({"x": values}, chunk_rows, encodings={"x": encoding}), [wanted])[wanted.key]


def hashes(values: Any, encoding: str = "long", k: int = 64) -> list[int]:
    dataset = memory_dataset({"x": values}, 7, encodings={"x": encoding})
    found: list[int] = decode(whole_state(request("distinct", "x", k=k), dataset))["hashes"].tolist()
    return found


@given(st.lists(st.floats() | st.sampled_from(AWKWARD_FLOATS), min_size=1, max_size=60), st.sampled_from([1, 7, 99]))
def test_exact_below_k(values: list[float], chunk_rows: int) -> None:
    found = distinct(np.array(values), chunk_rows)
    numbers = [v for v in values if not math.isnan(v)]
    assert found == {"distinct": len(set(numbers)), "exact": True, "relative_error": 0.0, "count": len(numbers)}


@given(
    st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=9), min_size=1).filter(any),
    st.sampled_from(["coded", "long"]),
)
def test_exact_for_text(values: list[str | None], encoding: str) -> None:
    present = [v for v in values if v is not None]
    found = distinct(values, 3, encoding)
    assert (found["distinct"], found["exact"], found["count"]) == (len(set(present)), True, len(present))


@pytest.mark.parametrize("true", [300, 5_000, 200_000])
def test_estimates_are_within_their_error(true: int) -> None:
    for k in (256, 1024):
        found = distinct(np.arange(true, dtype=np.int64) * 977, 50_000, k=k)
        assert found["exact"] is (true < k)
        assert abs(found["distinct"] / true - 1) <= 4 * found["relative_error"]
        assert found["relative_error"] == (0 if true < k else pytest.approx(1 / math.sqrt(k - 2)))


def test_estimates_are_right_on_the_average() -> None:
    numbers = np.tile(np.arange(400), 20)
    shares = [distinct(numbers + 1000 * seed, k=16)["distinct"] / 400 for seed in range(400)]
    error = 1 / math.sqrt(14) / math.sqrt(400)
    assert abs(np.mean(shares) - 1) < 4 * error  # k in the place of k - 1 would be 5 errors away


def test_never_more_than_there_are_values() -> None:
    for seed in range(20):
        values = np.random.default_rng(seed).integers(0, 2**63 - 1, 10)
        found = distinct(values, k=3)
        assert 3 <= found["distinct"] <= 10


def test_the_same_values_have_the_same_hashes_however_they_are_stored() -> None:
    numbers = [0, 1, -5, 100, 127]
    expected = hashes(np.array(numbers, np.int8))
    for dtype in (np.int16, np.int32, np.int64, np.float32, np.float64):
        assert hashes(np.array(numbers, dtype)) == expected
    assert hashes(np.array([0, 1, 1])) == hashes([False, True, True])
    words = ["a", "", "é", "longer than eight bytes", "a"]
    assert hashes(words, "coded") == hashes(words, "long") == hashes([w.encode() for w in words])


def test_halves_share_the_smallest_hashes_of_the_whole() -> None:
    values = np.random.default_rng(1).normal(size=5000)
    halves = hashes(values[:2500]) + hashes(values[2500:])
    assert sorted(set(halves))[:64] == hashes(values)


def test_too_small_k_is_refused() -> None:
    with pytest.raises(UsageError, match="at least 3, not 2"):
        distinct(np.arange(3), k=2)
