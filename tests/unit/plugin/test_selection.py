"""Which columns and pairs a plugin takes, and what the ledger says of the others."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.core.schema import KINDS, ColumnSpec, Schema
from toolkit.plugin import selection
from toolkit.plugin.facts import ColumnFacts, column_facts
from toolkit.plugin.selection import SELECTORS, rank_columns, select_columns, select_pairs

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
        assert left_out["left_out"] == [f"{a} × {b}" for a, b in expected[cap:][:20]]


FACTS = st.builds(
    ColumnFacts,
    present=st.integers(0, 3),
    distinct=st.none() | st.integers(0, 4),
    entropy=st.none() | st.sampled_from([0.0, 0.5, 1.0]),
    role=st.sampled_from([None, "measure", "category"]),
)


@given(st.lists(st.none() | FACTS, max_size=7), st.none() | st.integers(1, 5), st.data())
def test_columns_come_by_role_presence_distinct_values_and_place(
    listed: list[ColumnFacts | None], ideal: int | None, data: st.DataObject
) -> None:
    names = [f"c{i}" for i in range(len(listed))]
    facts = {n: f for n, f in zip(names, listed, strict=True) if f is not None}
    ranked = rank_columns(names, facts, ["measure"], ideal)
    assert sorted(ranked) == sorted(names)
    shuffled = dict(data.draw(st.permutations(list(facts.items()))))
    assert rank_columns(names, shuffled, ["measure"], ideal) == ranked
    for first, second in pairwise(ranked):
        assert not beats(second, first, names, facts, ideal)


def beats(a: str, b: str, names: list[str], facts: dict[str, ColumnFacts], ideal: int | None) -> bool:
    """Whether a must come before b, criterion after criterion."""
    if a not in facts or b not in facts:
        return a in facts if (a in facts) != (b in facts) else names.index(a) < names.index(b)
    left, right = facts[a], facts[b]
    if (left.role == "measure") != (right.role == "measure"):
        return left.role == "measure"
    if left.present != right.present:
        return left.present > right.present
    if ideal is not None:
        near, far = (Fraction(max(f.distinct, ideal), min(f.distinct, ideal)) if f.distinct else None
                     for f in (left, right))  # fmt: skip
        if near != far:
            return far is None or (near is not None and near < far)
    return names.index(a) < names.index(b)


def test_a_cap_keeps_the_best_in_table_order() -> None:
    facts = {n: ColumnFacts(9, role="measure" if n in ("at", "f") else "text") for n in SCHEMA.names}
    names, left_out = select_columns(SCHEMA, ["any"], 3, facts=facts, roles=["measure"])
    assert names == ["i", "f", "at"]
    assert left_out is not None
    assert left_out["rule"].startswith("by role")
    assert left_out["left_out"] == ["b", "coded", "long", "day", "took", "money"]


@given(st.lists(FACTS, min_size=2, max_size=9), st.integers(1, 40), st.sampled_from([0, 3, 1 << 20]))
def test_pairs_are_the_richest_by_brute_force(listed: list[ColumnFacts], cap: int, held: int) -> None:
    """Also where pairs are dropped while others are still to come."""
    names = [f"c{i}" for i in range(len(listed))]
    facts = dict(zip(names, listed, strict=True))

    def richness(pair: tuple[str, str]) -> float:
        present = min(facts[n].present for n in pair)
        return present * min(entropy(facts[n]) for n in pair)

    every = list(combinations(names, 2))
    best = sorted(every, key=lambda p: (-richness(p), every.index(p)))[:cap]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(selection, "_HELD_PAIRS", held)
        assert select_pairs(names, cap, facts=facts)[0] == sorted(best, key=every.index)


def entropy(facts: ColumnFacts) -> float:
    if facts.entropy is not None:
        return facts.entropy
    return 0.0 if facts.distinct in (0, 1) else 1.0


def test_facts_are_read_from_a_profile() -> None:
    entries = [
        {"name": "a", "count": 10, "nan": 2, "distinct": 8, "entropy": 3.0, "role": "measure"},
        {"name": "b", "count": 10, "distinct": 1, "entropy": 0.0},
        {"name": "c", "count": None, "distinct": None},
    ]
    assert column_facts(entries) == {
        "a": ColumnFacts(8, 8, 1.0, "measure"), "b": ColumnFacts(10, 1, 0.0), "c": ColumnFacts(0),
    }  # fmt: skip
