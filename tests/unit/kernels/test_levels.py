from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.kernel_cases import AWKWARD_FLOATS
from tests.memory_store import memory_dataset
from toolkit.core.errors import UsageError
from toolkit.kernels.base import request
from toolkit.kernels.coding import Coder
from toolkit.kernels.cut_search import CutSearch
from toolkit.kernels.waves import compute


def levels(values: Any, most: int, chunk_rows: int = 10_000) -> tuple[dict[str, Any], list[int]]:
    """Result of the kernel and the codes of all rows."""
    dataset = memory_dataset({"x": values}, chunk_rows)
    (found,) = compute(dataset, [request("levels", "x", levels=most)]).values()
    coder = Coder(dataset.schema["x"], found)
    return found, [int(c) for chunk in dataset.chunks() for c in coder.codes(chunk)]


@pytest.mark.parametrize("most", [32, 64, 1024])
@pytest.mark.parametrize("shape", ["normal", "lognormal", "rounded", "spike", "float32", "int"])
def test_ranges_hold_less_than_two_steps_or_one_value(shape: str, most: int) -> None:
    rng = np.random.default_rng(1)
    values: Any = {
        "normal": rng.normal(size=20_000),
        "lognormal": np.exp(2 * rng.normal(size=20_000)),
        "rounded": np.round(rng.normal(0, 100, 20_000)),
        "spike": np.where(rng.random(20_000) < 0.4, 0.0, rng.normal(size=20_000)),
        "float32": rng.normal(size=20_000).astype(np.float32),
        "int": rng.integers(-(10**9), 10**9, 20_000),
    }[shape]
    found, codes = levels(values, most)
    assert max(codes) < found["levels"] <= most
    assert found["cuts"].dtype == values.dtype
    assert (np.diff(found["cuts"]) > 0).all()
    np.testing.assert_array_equal(codes, np.searchsorted(found["cuts"], values))
    counts = np.bincount(codes, minlength=found["levels"])
    for code in np.flatnonzero(counts >= 2 * values.size / most + 1):
        assert np.unique(values[np.array(codes) == code]).size == 1
    if found["kind"] == "ranges":
        assert found["levels"] > most / 4


def test_fewer_levels_are_unions_of_more() -> None:
    rng = np.random.default_rng(2)
    values = np.where(rng.random(9_000) < 0.2, 1.0, np.round(rng.normal(size=9_000), 2))
    fine, coarse = np.array(levels(values, 1024)[1]), np.array(levels(values, 64)[1])
    assert all(np.unique(coarse[fine == code]).size == 1 for code in np.unique(fine))


def test_few_values_are_levels_of_their_own() -> None:
    found, codes = levels(np.ma.array([3.0, -0.0, np.nan, 0.0, np.inf, 7.0], mask=[0, 0, 0, 0, 0, 1]), 4)
    assert found["kind"] == "values"
    assert found["values"] == [0.0, 3.0, np.inf]
    assert found["counts"].tolist() == [2, 1, 1]
    assert codes == [1, 0, 3, 0, 2, 3]


def test_rare_categories_share_a_level() -> None:
    texts = ["d"] * 4 + ["a"] * 4 + ["c"] * 4 + ["b"] * 2 + ["e", None]
    found, codes = levels(texts, 4)
    assert found["values"] == [0, 2, 3, -1]  # a, c and d tie at 4 rows
    assert found["counts"].tolist() == [4, 4, 4, 3]
    assert found["other"] == 3
    assert codes == [2] * 4 + [0] * 4 + [1] * 4 + [3] * 2 + [3, 4]
    assert levels(texts, 8)[0]["other"] is None


def test_bools_and_empty_columns() -> None:
    assert levels(np.ma.array([True, False, True], mask=[0, 0, 1]), 64)[1] == [1, 0, 2]
    found, codes = levels(np.ma.array([1.0, 2.0], mask=True), 64)
    assert (found["levels"], codes) == (0, [0, 0])


@pytest.mark.parametrize("wrong", [1, 63, 2048])
def test_numbers_of_levels_that_are_refused(wrong: int) -> None:
    with pytest.raises(UsageError, match="power of two from 2 to 1024"):
        levels([1.0], wrong)


@given(
    st.lists(st.one_of(st.floats(allow_nan=False), st.sampled_from(AWKWARD_FLOATS[:8])), min_size=1, max_size=40),
    st.lists(st.one_of(st.floats(), st.sampled_from(AWKWARD_FLOATS)), min_size=1, max_size=60),
    st.sampled_from([np.float64, np.float32]),
)
@example([-1e308, 1e308], [0.0, 1e308, -1e308], np.float64)
@example([5e-324, 1e-320], [0.0, 5e-324, 1.0], np.float64)
def test_search_equals_searchsorted_on_floats(cuts: list[float], values: list[float], dtype: Any) -> None:
    with np.errstate(over="ignore"):
        ascending = np.unique(np.array(cuts, dtype) + dtype(0.0))
        asked = np.array([*values, *cuts], dtype)
    numbers = ~np.isnan(asked)
    found = CutSearch(ascending)(asked)
    np.testing.assert_array_equal(found[numbers], np.searchsorted(ascending, asked)[numbers])


@given(st.data(), st.sampled_from(["i1", "i2", "i4", "i8", "u8", "u1"]))
def test_search_equals_searchsorted_on_integers(data: st.DataObject, dtype: str) -> None:
    limits = np.iinfo(dtype)
    integers = st.one_of(st.integers(int(limits.min), int(limits.max)), st.integers(0, 9))
    ascending = np.unique(np.array(data.draw(st.lists(integers, max_size=40)), dtype))
    asked = np.array(data.draw(st.lists(integers, min_size=1, max_size=60)) + ascending.tolist(), dtype)
    np.testing.assert_array_equal(CutSearch(ascending)(asked), np.searchsorted(ascending, asked))


@pytest.mark.parametrize("dtype", [np.int32, np.float64])
def test_levels_of_one_value_are_told(dtype: type) -> None:
    """A level is said to be one value only where it is."""
    rng = np.random.default_rng(5)
    values = np.concatenate([np.full(3_000, 5), rng.integers(6, 9_000, 6_000), np.full(800, 70), np.full(500, 9_001)])
    found, coded = levels(values.astype(dtype), 64)
    assert found["kind"] == "ranges"
    codes = np.array(coded)
    several = [np.unique(values[codes == k]).size > 1 for k in range(found["levels"])]
    assert not (found["single"] & several).any()
    assert found["single"][[codes[0], np.searchsorted(found["cuts"], 70), found["levels"] - 1]].all()
    assert found["single"].shape == (found["levels"],)
