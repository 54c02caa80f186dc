"""Smallest and largest values with their rows, against plain Python."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernel_cases import AWKWARD_FLOATS, AWKWARD_TEXT
from tests.memory_store import memory_dataset
from toolkit.kernels.base import request
from toolkit.kernels.waves import compute

CHUNKS = st.sampled_from([1, 2, 7, 1000])
TEXT = st.sampled_from(AWKWARD_TEXT) | st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def extremes(values: Any, chunk_rows: int = 262_144, encoding: str = "long", **spec: Any) -> dict[str, Any]:
    wanted = request("extremes", "x")
    dataset = memory_dataset({"x": values}, chunk_rows, encodings={"x": encoding}, specs={"x": spec})
    return compute(dataset, [wanted])[wanted.key]


def check_text(found: dict[str, Any], values: Sequence[Any]) -> None:
    present = [v for v in values if v is not None]
    sizes = [len(v.encode()) for v in present]
    assert found["count"] == len(present)
    assert found["missing"] == len(values) - len(present)
    assert found["empty"] == present.count("")
    assert found["total_bytes"] == sum(sizes)
    if not present:
        assert (found["min"], found["max"], found["min_row"], found["min_bytes"]) == (None, None, None, None)
        return
    low, high = min(present, key=str.encode), max(present, key=str.encode)
    assert (found["min"], found["min_row"]) == (low, list(values).index(low))
    assert (found["max"], found["max_row"]) == (high, list(values).index(high))
    assert (found["min_bytes"], found["max_bytes"]) == (min(sizes), max(sizes))


@given(st.lists(st.none() | TEXT, min_size=1, max_size=40), CHUNKS, st.sampled_from(["coded", "long"]))
def test_any_text(values: list[str | None], chunk_rows: int, encoding: str) -> None:
    if any(v is not None for v in values):
        check_text(extremes(values, chunk_rows, encoding), values)


@given(st.lists(st.floats() | st.sampled_from(AWKWARD_FLOATS), min_size=1, max_size=40), CHUNKS)
def test_any_floats(values: list[float], chunk_rows: int) -> None:
    found = extremes(np.array(values), chunk_rows)
    numbers = [v for v in values if not math.isnan(v)]
    assert (found["count"], found["nan"], found["missing"]) == (len(values), len(values) - len(numbers), 0)
    if not numbers:
        assert (found["min"], found["min_row"], found["max"], found["max_row"]) == (None, None, None, None)
        return
    assert (found["min"], found["min_row"]) == (min(numbers), values.index(min(numbers)))
    assert (found["max"], found["max_row"]) == (max(numbers), values.index(max(numbers)))
    assert not (found["min"] == 0 and math.copysign(1, found["min"]) < 0)


@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=40), CHUNKS)
def test_any_integers(values: list[int | None], chunk_rows: int) -> None:
    present = [v for v in values if v is not None]
    if not present:
        return
    found = extremes(values, chunk_rows)
    assert (found["min"], found["min_row"]) == (min(present), values.index(min(present)))
    assert (found["max"], found["max_row"]) == (max(present), values.index(max(present)))
    by_chunk = [values[i : i + chunk_rows].count(None) for i in range(0, len(values), chunk_rows)]
    assert found["missing_by_chunk"].tolist() == by_chunk


def test_what_stands_behind_missing_is_no_value() -> None:
    found = extremes(np.ma.array([5, -100, 7, 100], mask=[0, 1, 0, 1]), 3)
    assert (found["min"], found["min_row"], found["max"], found["max_row"]) == (5, 0, 7, 2)


def test_largest_integers() -> None:
    found = extremes(np.array([2**64 - 1, 2**53 + 1, 2**53], np.uint64))
    assert (found["min"], found["max"]) == (2**53, 2**64 - 1)


@pytest.mark.parametrize("chunk_rows", [1, 3, 100])
def test_bools(chunk_rows: int) -> None:
    found = extremes([True, None, False, True], chunk_rows)
    assert (found["min"], found["min_row"], found["max"], found["max_row"]) == (False, 2, True, 0)
    assert found["true"] == 2
    assert found["min"] is False


def test_nothing_but_missing() -> None:
    for values in ([None, None, None], np.ma.array([1.0, 2.0, 3.0], mask=True)):
        found = extremes(values, 2)
        assert (found["count"], found["missing"], found["min"], found["max_row"]) == (0, 3, None, None)
        assert found["missing_by_chunk"].tolist() == [2, 1]


def test_times_are_counts_of_their_unit() -> None:
    found = extremes(np.array(["2020-01-02", "NaT", "1969-12-31"], "M8[D]"), 1)
    assert (found["min"], found["min_row"], found["max"], found["missing"]) == (-1, 2, 18263, 1)


@pytest.mark.parametrize("encoding", ["coded", "long"])
def test_binary_and_awkward_order(encoding: str) -> None:
    values = [b"\xff", b"\x00\x00", b"\x00", b"\xff\x00", b"\x7f"]
    found = extremes(values, 2, encoding)
    assert (found["min"], found["max"]) == (b"\x00", b"\xff\x00")


@pytest.mark.parametrize("encoding", ["coded", "long"])
def test_only_the_beginning_of_very_long_text_is_compared(encoding: str) -> None:
    head = "a" * 65_536
    values = ["b", head + "z", head + "b"]
    for chunk_rows in (1, 3):
        found = extremes(values, chunk_rows, encoding)
        assert found["min"] == head
        assert found["max_bytes"] == 65_537
    assert extremes(values, 1, "long")["min_row"] == 1


def test_digits_of_decimals_are_compared_as_text() -> None:
    from decimal import Decimal

    found = extremes([Decimal("10.5"), Decimal("9.5"), None], encoding="coded")
    assert (found["min"], found["max"]) == ("10.5", "9.5")
