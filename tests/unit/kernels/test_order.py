"""Order statistics against NumPy and counting, for any cap and chunking."""

from __future__ import annotations

import math
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from hypothesis import example, given
from hypothesis import strategies as st

from tests.kernel_cases import AWKWARD_FLOATS, comparable
from tests.memory_store import memory_dataset
from toolkit.kernels.base import TableView, make_kernel, request
from toolkit.kernels.order import PROBABILITIES
from toolkit.kernels.scan import state_nbytes
from toolkit.kernels.spill import Spill
from toolkit.kernels.waves import compute


def order(values: Any, chunk_rows: int = 262_144, **params: Any) -> dict[str, Any]:
    wanted = request("order", "x", **params)
    return compute(memory_dataset({"x": values}, chunk_rows), [wanted])[wanted.key]


def check(found: dict[str, Any], values: np.ndarray[Any, Any], k: int = 10, bins: int = 50) -> None:
    """A result against independent computations on the whole array."""
    if values.dtype.kind == "f":
        assert found["nan"] == int(np.isnan(values).sum())
        values = values[~np.isnan(values)]
    assert found["count"] == values.size
    if not values.size:
        assert found["quantiles"] == [None] * len(PROBABILITIES)
        assert (found["min"], found["max"], found["histogram"], found["entropy"]) == (None, None, None, None)
        return
    expected = np.quantile(values, PROBABILITIES, method="inverted_cdf")
    assert found["quantiles"] == expected.tolist()
    assert (found["min"], found["max"]) == (values.min(), values.max())
    counted = Counter(values.tolist())
    assert found["distinct"] == len(counted) == pd.Series(values).nunique()
    assert found["singletons"] == sum(n == 1 for n in counted.values())
    listed = [(v, n) for v, n in counted.items() if n > 1 or len(counted) <= k]
    assert [tuple(t) for t in found["top"]] == sorted(listed, key=lambda t: (-t[1], t[0]))[:k]
    shares = np.array(list(counted.values())) / values.size
    assert found["entropy"] == pytest.approx(scipy.stats.entropy(shares, base=2), rel=1e-12, abs=1e-12)
    finite = values[np.isfinite(values)]
    if not finite.size:
        assert found["histogram"] is None
        return
    assert found["histogram"]["counts"].sum() == finite.size
    edges = found["histogram"]["edges"]
    assert len(edges) == bins + 1
    if np.all(np.abs(finite.astype(float)) < 2**53) and np.all(np.diff(edges) > 0):
        counts, true_edges = np.histogram(finite.astype(float), bins)
        np.testing.assert_array_equal(edges, true_edges)
        np.testing.assert_array_equal(found["histogram"]["counts"], counts)


DATA = {
    "normal": lambda r, n: r.normal(size=n),
    "rounded": lambda r, n: np.round(r.normal(size=n), 1),
    "single": lambda r, n: r.normal(size=n).astype(np.float32),
    "narrow": lambda r, n: r.uniform(1e9, 1e9 + 1, n),
    "awkward": lambda r, n: r.choice(AWKWARD_FLOATS, n),
    "infinite": lambda r, n: r.choice([math.inf, -math.inf], n),
    "zeros": lambda r, n: r.choice([0.0, -0.0, 1.0], n),
    "constant": lambda r, n: np.full(n, 3.25),
    "nan": lambda r, n: np.full(n, math.nan),
    "bytes": lambda r, n: r.integers(-128, 127, n, endpoint=True).astype(np.int8),
    "unsigned_short": lambda r, n: r.integers(0, 65535, n, endpoint=True).astype(np.uint16),
    "middle": lambda r, n: r.integers(-(2**31), 2**31 - 1, n).astype(np.int32),
    "wide": lambda r, n: r.integers(-(2**63), 2**63 - 1, n),
    "few": lambda r, n: r.integers(-5, 5, n),
    "unsigned": lambda r, n: r.integers(0, 2**64 - 1, n, dtype=np.uint64, endpoint=True),
}


@pytest.mark.parametrize("name", DATA)
def test_result_for_any_cap_and_chunking(name: str) -> None:
    rng = np.random.default_rng(7)
    for rows in (1, 2, 13, 300):
        values = DATA[name](rng, rows)
        whole = order(values, k=3)
        check(whole, values, k=3)
        for cap, chunk_rows in ((1, 7), (2, 1000), (5, 50), (20, 7), (100, 50)):
            assert comparable(order(values, chunk_rows, k=3, cap=cap)) == comparable(whole)


@example([1e308, sys.float_info.max], 1, 1)
@given(
    st.lists(st.floats(width=64) | st.sampled_from(AWKWARD_FLOATS), min_size=1, max_size=60),
    st.integers(1, 12),
    st.sampled_from([1, 3, 100]),
)
def test_any_doubles(values: list[float], cap: int, chunk_rows: int) -> None:
    array = np.array(values)
    check(order(array, chunk_rows, cap=cap, k=4), array, k=4)


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=60), st.integers(1, 12))
def test_any_integers(values: list[int], cap: int) -> None:
    array = np.array(values, np.int64)
    check(order(array, 9, cap=cap, k=4), array, k=4)


def test_large_columns_take_the_same_way() -> None:
    rng = np.random.default_rng(8)
    for values in (rng.lognormal(size=50_000), np.round(rng.lognormal(size=50_000), 2)):
        whole = order(values, 10_000)
        check(whole, values)
        assert comparable(order(values, 10_000, cap=4_000)) == comparable(whole)


def test_values_that_differ_in_their_last_bits_only() -> None:
    values = 1.0 + np.arange(3000) * 2.0**-50
    np.random.default_rng(4).shuffle(values)
    for cap in (8, 100, 1000):
        check(order(values, 100, cap=cap), values)


def test_what_does_not_fit_goes_to_disk_and_only_that(tmp_path: Path) -> None:
    spread = np.random.default_rng(5).normal(size=5000)
    for values, on_disk in ((spread, True), (np.round(spread), False)):
        dataset = memory_dataset({"x": values}, 100)
        kernel = make_kernel(request("order", "x", cap=400), TableView(dataset.schema, dataset.grid))
        assert kernel.undivided
        with Spill(tmp_path) as spill:
            kernel.spill = spill
            state = kernel.init()
            for chunk in dataset.chunks():
                state = kernel.update(state, chunk)
                # a block, as many values, and one of six of what is on disk
                assert state_nbytes(state) <= 8 * (2 * 400 + 5000 // 6 + 50)
            assert (spill.nbytes > 30_000) == on_disk
            check(kernel.finish(state), values)
            check(kernel.finish(state), values)  # as another request does that shares the state
            assert not list(tmp_path.iterdir())  # the file has no name


def test_integers_beyond_doubles_have_exact_bins() -> None:
    low = 2**62
    values = np.array([low + i for i in range(10)], np.int64)  # doubles are 1,024 apart there
    found = order(values, bins=5)
    assert found["histogram"]["counts"].tolist() == [2, 2, 2, 2, 2]
    alone = order(np.full(7, 2**63 - 1, np.int64), bins=4)
    assert alone["histogram"]["counts"].tolist() == [0, 0, 7, 0]


def test_bins_over_more_than_a_double_can_span() -> None:
    found = order(np.array([-1.7e308, 0.0, 1.7e308]), bins=3)
    assert found["histogram"]["counts"].tolist() == [1, 1, 1]
    assert np.isfinite(found["histogram"]["edges"]).all()


@pytest.mark.parametrize("low", [0.1, 1.0, 1e-40])
def test_bins_of_single_precision_are_those_of_its_values(low: float) -> None:
    values = np.linspace(low, 7 * low, 999, dtype=np.float32)
    found = order(values, bins=7)
    counts, edges = np.histogram(values.astype(np.float64), 7)
    assert found["histogram"]["counts"].tolist() == counts.tolist()
    assert found["histogram"]["edges"].tolist() == edges.tolist()


def test_chosen_probabilities_in_any_order() -> None:
    values = np.arange(1, 101)
    found = order(values, probabilities=[0.9, 0.1, 0.5, 0.5], cap=7)
    assert found["probabilities"] == [0.9, 0.1, 0.5, 0.5]
    assert found["quantiles"] == [90, 10, 50, 50]


def test_missing_values_take_no_part() -> None:
    mask = np.arange(60) % 3 == 0
    values = np.ma.array(np.where(mask, math.nan, np.arange(60.0)), mask=mask)
    for cap in (4, 1000):
        found = order(values, 7, cap=cap)
        assert (found["count"], found["nan"]) == (40, 0)
        check(found, values.compressed())


def test_times_are_counts_of_their_unit() -> None:
    days = np.array(["2020-01-03", "1960-01-01", "NaT", "2020-01-03"], "M8[D]")
    found = order(days)
    assert (found["min"], found["max"], found["top"][0]) == (-3653, 18264, [18264, 2])


def test_zeros_are_one_value_and_positive() -> None:
    for values in ([-0.0, -0.0], [0.0, -0.0], [-0.0, 0.0]):
        for cap in (1, 100):
            found = order(np.array(values), cap=cap)
            assert found["distinct"] == 1
            assert math.copysign(1, found["min"]) == 1
            assert math.copysign(1, found["top"][0][0]) == 1
