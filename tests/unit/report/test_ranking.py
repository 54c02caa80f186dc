"""What is read first, and what stands together because it has one cause."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from toolkit.report.ranking import lead_and_others, ranked

COLUMNS = ["a", "b", "c"]
ROWS = {None: 100, "derived": 10}


def finding(id_: str, columns: str = "a", rows: Any = None, **fields: Any) -> dict[str, Any]:
    evidence = {**({} if rows is None else {"rows": rows}), **fields.pop("evidence", {})}
    made = {"id": id_, "plugin": f"analysis_{id_}", "kind": id_, "columns": list(columns), "table": None}
    made |= {"effect": None, "interval": None, "measure": None, "log10_p": None, "q_value": None, "evidence": evidence}
    return made | fields


def hypothesis(
    id_: str, measure: str | None, low: float | None, high: float | None, q: float = 0.01, **fields: Any
) -> dict[str, Any]:
    effect = next(end for end in (low, high) if end is not None)
    return finding(id_, interval=[low, high], measure=measure, effect=effect, log10_p=-3.0, q_value=q, **fields)


def order(*findings: dict[str, Any]) -> list[str]:
    return [f["id"] for f in ranked(list(findings), COLUMNS, ROWS)]


def groups(*findings: dict[str, Any]) -> set[frozenset[str]]:
    found = ranked(list(findings), COLUMNS, ROWS)
    return {frozenset(found[i]["id"] for i in (lead, *others)) for lead, others in lead_and_others(found)}


def test_what_can_be_mended_comes_first() -> None:
    whole = finding("whole", "a", [[0, 99]], effect=1.0)
    fact = finding("fact", "b", effect=0.5)
    rows = finding("rows", "c", [[3, 4]], effect=0.02)
    bare = hypothesis("tested", "correlation", 0.9, 0.95)
    placed = hypothesis("placed", "cliffs_delta", 0.2, 0.3, rows=[[50, 99]])
    assert order(bare, whole, placed, fact, rows) == ["rows", "whole", "fact", "placed", "tested"]


def test_facts_by_the_share_of_rows() -> None:
    few = finding("few", effect=0.01)
    factor = finding("factor", "b", effect=1000.0, evidence={"share": 0.2})
    many = finding("many", "c", effect=0.7)
    odd = finding("odd", "a", effect=5.0)
    assert order(odd, few, factor, many) == ["many", "factor", "few", "odd"]


def test_tests_by_how_far_they_are_sure_to_exceed_what_matters() -> None:
    weak = hypothesis("weak", "correlation", 0.11, 0.9, q=1e-9)
    strong = hypothesis("strong", "cliffs_delta", -0.8, -0.6, q=0.04)
    ratio = hypothesis("ratio", "lift", 1.9, 4.0)
    inverse = hypothesis("inverse", "lift", 0.1, 0.2)
    unknown = hypothesis("unknown", None, 0.1, 0.2, q=1e-12)
    open_end = hypothesis("open", "hedges_g", 0.3, None)
    # 4, log 5 / log 1.2 = 8.8, log 1.9 / log 1.2 = 3.5, 1.5, 1.1, 1
    assert order(weak, strong, ratio, inverse, unknown, open_end) == [
        "inverse", "strong", "ratio", "open", "weak", "unknown",
    ]  # fmt: skip
    again = hypothesis("again", "correlation", 0.11, 0.9, q=1e-10)
    assert order(weak, again) == ["again", "weak"]


class TestOneCause:
    def test_the_same_columns_in_any_order_and_kind(self) -> None:
        mirrored = hypothesis("y", "correlation", 0.5, 0.6, columns=["b", "a"])
        assert groups(finding("x", "ab"), mirrored, finding("z", "ac")) == {frozenset("xy"), frozenset("z")}

    def test_the_same_part_of_the_rows(self) -> None:
        part, whole = [[3, 9]], [[0, 99]]
        assert groups(finding("x", "a", part), finding("y", "b", part), finding("z", "c", [[3, 8]])) == {
            frozenset("xy"), frozenset("z"),
        }  # fmt: skip
        assert len(groups(finding("x", "a", whole), finding("y", "b", whole))) == 2

    def test_one_column_alone_may_have_many_causes(self) -> None:
        assert len(groups(finding("x", "a"), finding("y", "a"))) == 2
        assert len(groups(finding("x", "a", kind="k"), finding("y", "a", kind="k"))) == 1

    def test_tables_are_kept_apart(self) -> None:
        assert len(groups(finding("x", "ab"), finding("y", "ab", table="derived"))) == 2

    def test_through_others(self) -> None:
        found = [finding("x", "a", [[1, 2]]), finding("y", "bc", [[1, 2]]), finding("z", "bc")]
        for order_ in itertools.permutations(found):
            assert groups(*order_) == {frozenset("xyz")}

    def test_members_follow_their_lead_and_none_is_lost(self) -> None:
        found = ranked([finding(i, c) for i, c in (("p", "ab"), ("q", "c"), ("r", "ba"))], COLUMNS, ROWS)
        assert [(f["id"], f["group"]) for f in found] == [("p", "p"), ("r", "p"), ("q", "q")]

    @pytest.mark.parametrize("rows", ["all", [3], [[1, "x"]], [[True, False]], []])
    def test_odd_evidence_is_no_cause(self, rows: Any) -> None:
        assert len(groups(finding("x", "a", rows), finding("y", "b", rows))) == 2
