"""Distinct and top values of long text against counting, for any cap and chunking."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernel_cases import AWKWARD_TEXT, comparable
from tests.memory_store import memory_dataset
from toolkit.kernels.base import request
from toolkit.kernels.waves import compute

TEXT = st.sampled_from(AWKWARD_TEXT) | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def text_order(values: Sequence[Any], chunk_rows: int = 262_144, **params: Any) -> dict[str, Any]:
    wanted = request("text_order", "x", **params)
    return compute(memory_dataset({"x": values}, chunk_rows, encodings={"x": "long"}), [wanted])[wanted.key]


def octets(value: Any) -> bytes:
    return value if isinstance(value, bytes) else value.encode()


def check(found: dict[str, Any], values: Sequence[Any], k: int) -> None:
    counted = Counter(v for v in values if v is not None)
    assert found["count"] == sum(counted.values())
    assert found["distinct"] == len(counted)
    assert found["singletons"] == sum(n == 1 for n in counted.values())
    listed = [(v, n) for v, n in counted.items() if n > 1 or len(counted) <= k]
    expected = sorted(listed, key=lambda t: (-t[1], octets(t[0])))[:k]
    assert [tuple(t) for t in found["top"]] == expected
    assert found["first_rows"] == [list(values).index(v) for v, _ in expected]
    assert found["ties"] == "value"


@given(
    st.lists(st.none() | TEXT, min_size=1, max_size=50).filter(lambda v: any(x is not None for x in v)),
    st.integers(1, 12),
    st.sampled_from([1, 3, 100]),
)
def test_any_text(values: list[str | None], cap: int, chunk_rows: int) -> None:
    check(text_order(values, chunk_rows, cap=cap, k=4), values, 4)


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=40), st.integers(1, 8))
def test_any_binary(values: list[bytes], cap: int) -> None:
    check(text_order(values, 7, cap=cap, k=3), values, 3)


def test_result_does_not_depend_on_cap_and_chunks() -> None:
    rng = np.random.default_rng(1)
    for distinct in (1, 3, 40, 5000):
        values = [f"value {i}" for i in rng.integers(0, distinct, 3000)]
        whole = text_order(values)
        check(whole, values, 10)
        for cap, chunk_rows in ((1000, 500), (64, 1000), (10**6, 100)):
            assert comparable(text_order(values, chunk_rows, cap=cap)) == comparable(whole)


def test_ties_beyond_the_limit_go_to_the_first_rows() -> None:
    values = ["top"] * 5 + [f"{9 - i}" for i in range(10) for _ in range(2)]
    by_value = text_order(values, 4, k=4, ties=10)
    assert (by_value["top"], by_value["ties"]) == ([["top", 5], ["0", 2], ["1", 2], ["2", 2]], "value")
    for cap in (1, 3, 100):
        by_row = text_order(values, 4, k=4, ties=9, cap=cap)
        assert (by_row["ties"], by_row["first_rows"]) == ("row", [0, 9, 7, 5])
        assert by_row["top"] == [["top", 5], ["7", 2], ["8", 2], ["9", 2]]


@pytest.mark.parametrize("cap", [2, 100])
def test_values_that_occur_once_are_listed_only_where_there_are_few(cap: int) -> None:
    assert text_order(["b", "a", "c"], 2, k=3, cap=cap)["top"] == [["a", 1], ["b", 1], ["c", 1]]
    assert text_order(["b", "a", "c"], 2, k=2, cap=cap)["top"] == []
    assert text_order(["b", "a", "c", "c"], 2, k=2, cap=cap)["top"] == [["c", 2]]


def test_long_values_are_shown_cut() -> None:
    long = "é" * 40_000  # 80,000 bytes: the cut at 65,536 falls between two characters here, and within one below
    assert text_order([long, long, "x"])["top"][0][0] == "é" * 32_768
    assert text_order(["x" + long, "x" + long, "x"])["top"][0][0] == "x" + "é" * 32_767


def test_nothing_present_but_empty_text() -> None:
    found = text_order(["", "", None])
    assert (found["count"], found["distinct"], found["top"]) == (2, 1, [["", 2]])
