"""Work units: from sizes and caps alone, the same everywhere; and which cap to lower when time runs out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.engine.work import CAP_OF, remedy_for_time, unit_counts, work_units
from toolkit.plugin.budget import Budget

COUNTS = {"rows": 1_000_000, "columns": 5, "pairs": 10, "groups": 100, "windows": 64}


@pytest.mark.parametrize(
    ("cost", "passes", "expected"),
    [
        ({}, 1, 5e6),
        ({"ns": 40}, 2, 1e7),
        ({"rows": 1, "pairs": 1}, 3, 3e7),
        ({"windows": 2, "columns": 1, "ns": 7}, 1, 64 * 64 * 5),
        ({"rows": 0.5}, 1, 1000),
        ({"rows": 300, "windows": 300}, 1, 1e300),
    ],
)
def test_units_are_the_product_of_powers(cost: dict[str, float], passes: int, expected: float) -> None:
    assert work_units(cost, COUNTS, passes) == expected


@given(
    rows=st.integers(1, 10**10), columns=st.integers(0, 3000), cap=st.none() | st.integers(1, 10**6),
    cost=st.dictionaries(st.sampled_from(["rows", *CAP_OF]), st.sampled_from([0.5, 1, 2, 3])),
)  # fmt: skip
def test_a_cap_never_makes_more_work(rows: int, columns: int, cap: int | None, cost: dict[str, float]) -> None:
    free = unit_counts(rows, columns, Budget())
    capped = unit_counts(rows, columns, Budget(max_pairs=cap, max_groups=cap, max_windows=cap))
    assert all(capped[unit] <= free[unit] for unit in free)
    assert 0 < work_units(cost, capped) <= work_units(cost, free)
    assert capped["rows"] == rows


@pytest.mark.parametrize(
    ("cost", "said"),
    [
        ({"windows": 2, "columns": 1}, "lower max_windows to less than 64,"),
        ({"windows": 1, "columns": 1.5}, "lower max_cols to less than 5,"),
        ({"pairs": 1, "windows": 1, "groups": 1}, "lower max_windows to less than 64,"),
        ({"pairs": 1, "groups": 1}, "lower max_pairs to less than 10,"),
        ({}, "lower max_cols to less than 5,"),
        ({"rows": 2}, "no cap can make it less work"),
    ],
)
def test_the_cap_of_the_largest_exponent_is_named(cost: dict[str, float], said: str) -> None:
    for order in (list(cost), list(reversed(cost))):
        assert remedy_for_time({unit: cost[unit] for unit in order}, COUNTS).startswith(said)


def test_a_cap_that_can_not_be_lowered_is_not_named() -> None:
    assert remedy_for_time({"windows": 2, "columns": 1}, {**COUNTS, "windows": 1}).startswith("lower max_cols")
    assert remedy_for_time({"columns": 1}, {**COUNTS, "columns": 1}).startswith("no cap can")
