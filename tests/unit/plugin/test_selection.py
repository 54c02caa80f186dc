"""Which columns and pairs a plugin takes, and what the ledger says of the others."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.core.schema import KINDS, ColumnSpec, Schema
from toolkit.plugin.selection import SELECTORS, select_columns, select_pairs

SCHEMA = Schema(
    (
        ColumnSpec("i", "i", "int", "<i4"),
        ColumnSpec("f", "f", "float", "<f8"),
        ColumnSpec("b", "b", "bool", "|b1"),
        ColumnSpec("coded", "coded", "string", "|i1", encoding="coded", categories=3),
        ColumnSpec("long", "long", "string", "utf8", encoding="long"),
        ColumnSpec("at", "at", "timestamp", "<i8", unit="ms"),
        ColumnSpec("day", "day", "date", "<i4", unit="D"),
        ColumnSpec("took", "took", "duration", "<i8", unit="s"),
        ColumnSpec("money", "money", "decimal", "utf8", encoding="long", scale=2),
    )
)


@pytest.mark.parametrize(
    ("selectors", "expected"),
    [
        (["any"], SCHEMA.names),
        (["numeric"], ["i", "f"]),
        (["text"], ["coded", "long"]),
        (["categorical"], ["b", "coded"]),
        (["time"], ["at", "day", "took"]),
        (["instant"], ["at", "day"]),
        (["text", "int"], ["i", "coded", "long"]),
        (["decimal"], ["money"]),
        (["binary"], []),
    ],
)
def test_takes_what_fits_in_table_order(selectors: list[str], expected: list[str]) -> None:
    assert select_columns(SCHEMA, selectors) == (expected, None)


def test_every_kind_selects_itself_and_no_other() -> None:
    names = {kind: "time_of_day" if kind == "time" else kind for kind in KINDS}
    for kind in KINDS:
        spec = ColumnSpec("x", "x", kind, "<i4")  # type: ignore[arg-type]
        assert [k for k, name in names.items() if SELECTORS[name](spec)] == [kind]


def test_a_cap_keeps_the_first_and_says_what_it_left_out() -> None:
    names, left_out = select_columns(SCHEMA, ["any"], 7)
    assert names == SCHEMA.names[:7]
    assert left_out == {
        "what": "2 of 9 cols left out by max_cols: 7",
        "cap": "max_cols",
        "value": 7,
        "requested": 9,
        "evaluated": 7,
        "rule": "the first columns in table order",
        "left_out": ["took", "money"],
        "restore": "max_cols: 9",
    }


@given(st.integers(0, 7), st.none() | st.integers(1, 30))
def test_pairs_are_the_first_of_all_pairs(columns: int, cap: int | None) -> None:
    names = [str(i) for i in range(columns)]
    expected = list(combinations(names, 2))
    pairs, left_out = select_pairs(names, cap)
    assert pairs == expected[:cap]
    assert (left_out is None) == (cap is None or cap >= len(expected))
    if left_out is not None:
        assert (left_out["requested"], left_out["evaluated"]) == (len(expected), cap)
