"""Exact counts against a Counter."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from tests.memory_store import memory_dataset
from toolkit.kernels.base import request
from toolkit.kernels.waves import compute


def counts(values: Any, chunk_rows: int = 262_144, **params: Any) -> dict[str, Any]:
    wanted = request("counts", "x", **params)
    return compute(memory_dataset({"x": values}, chunk_rows, encodings={"x": "coded"}), [wanted])[wanted.key]


def check(found: dict[str, Any], present: list[Any], k: int) -> None:
    counted = Counter(present)
    assert found["abandoned"] is False
    assert found["count"] == len(present)
    assert found["distinct"] == len(counted)
    assert found["singletons"] == sum(n == 1 for n in counted.values())
    listed = [(v, n) for v, n in counted.items() if n > 1 or len(counted) <= k]
    assert [tuple(t) for t in found["top"]] == sorted(listed, key=lambda t: (-t[1], t[0]))[:k]
    if present:
        entropy = scipy.stats.entropy(list(counted.values()), base=2)
        assert found["entropy"] == pytest.approx(entropy, rel=1e-12, abs=1e-12)
    else:
        assert found["entropy"] is None


@given(
    st.lists(st.none() | st.sampled_from(["b", "a", "", "é", "zz"]), min_size=1, max_size=60).filter(any),
    st.sampled_from([1, 7, 100]),
    st.integers(1, 6),
)
def test_coded_text(values: list[str | None], chunk_rows: int, k: int) -> None:
    found = counts(values, chunk_rows, k=k)
    present = [v for v in values if v is not None]
    check(found, present, k)
    categories = sorted(set(present))
    assert found["counts"].tolist() == [present.count(c) for c in categories]
    assert [categories[code] for code in found["codes"]] == [v for v, _ in found["top"]]


@given(
    st.lists(st.none() | st.integers(-40, 40), min_size=1, max_size=60),
    st.sampled_from([1, 7, 100]),
    st.sampled_from(["i1", "i2", "i4", "i8"]),
)
def test_integers_of_any_width(values: list[int | None], chunk_rows: int, dtype: str) -> None:
    array = np.ma.array([99 if v is None else v for v in values], dtype, mask=[v is None for v in values])
    found = counts(array, chunk_rows, k=3)
    present = [v for v in values if v is not None]
    check(found, present, 3)
    for value in set(present):
        assert found["counts"][value - found["base"]] == present.count(value)
    assert found["counts"].sum() == len(present)


@given(st.lists(st.none() | st.booleans(), min_size=1, max_size=40), st.sampled_from([1, 7, 100]))
def test_bools(values: list[bool | None], chunk_rows: int) -> None:
    present = [v for v in values if v is not None]
    if not present:
        return
    found = counts(values, chunk_rows)
    check(found, present, 10)
    assert found["counts"].tolist() == [present.count(False), present.count(True)]
    assert all(isinstance(v, bool) for v, _ in found["top"])


@pytest.mark.parametrize("chunk_rows", [1, 2, 100])
def test_a_range_that_grows_too_large_is_given_up(chunk_rows: int) -> None:
    exactly = np.array([5, 9, 5, 14, 8], np.int64)
    assert counts(exactly, chunk_rows, largest_range=10)["counts"].tolist() == [2, 0, 0, 1, 1, 0, 0, 0, 0, 1]
    assert counts(exactly, chunk_rows, largest_range=9) == {"abandoned": True}
    extreme = np.array([-(2**63), 2**63 - 1], np.int64)
    assert counts(extreme, chunk_rows) == {"abandoned": True}
    large = np.array([2**64 - 1, 2**64 - 2, 2**64 - 1], np.uint64)
    assert counts(large, chunk_rows)["top"] == [[2**64 - 1, 2], [2**64 - 2, 1]]


def test_times() -> None:
    days = np.array(["1970-01-03", "NaT", "1970-01-03", "1970-01-05"], "M8[D]")
    found = counts(days, 2)
    assert (found["base"], found["counts"].tolist(), found["top"]) == (2, [2, 0, 1], [[2, 2], [4, 1]])
