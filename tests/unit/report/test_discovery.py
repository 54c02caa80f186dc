"""False discoveries are controlled over the whole run, and what is dropped is counted."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from tests.unit.report.sample_report import COLUMNS, DATASET
from toolkit.govern.discovery import FAMILIES, METHODS, DiscoveryControl
from toolkit.plugin.inference import MINIMUM_EFFECTS
from toolkit.plugin.inference.effects import RATIOS
from toolkit.report.discovery import CHANCE, NO_INTERVAL, SMALL, weakness
from toolkit.report.model import build_report
from toolkit.report.renderers.markdown_report import MarkdownRenderer
from toolkit.report.validation import check_report

P_VALUES = st.lists(st.floats(1e-12, 1.0), min_size=1, max_size=60)


def trend(p: float | None, columns: tuple[str, ...] = ("price",), **fields: Any) -> dict[str, Any]:
    return {
        "kind": "trend", "columns": list(columns), "effect": 0.5, "interval": (0.4, 0.6),
        "log10_p": None if p is None else math.log10(p), "evidence": {"p": p}, "sentence": f"p is {p}.",
        "recommendation": "Look.", "references": [],
    } | fields  # fmt: skip


def outcome(plugin: str, findings: list[dict[str, Any]], n_tests: int = 0, **fields: Any) -> dict[str, Any]:
    return {
        "id": plugin, "type": "analysis", "version": 1, "status": "ok", "reason": "", "coverage": {}, "budget": {},
        "references": [], "data": {}, "omitted": [], "findings": findings, "n_tests": n_tests,
    } | fields  # fmt: skip


def report_of(*outcomes: dict[str, Any], control: DiscoveryControl | None = None) -> dict[str, Any]:
    report = build_report(DATASET, COLUMNS, outcomes, control=control or DiscoveryControl())
    check_report(report)
    return report


@pytest.mark.parametrize(("method", "name"), list(zip(METHODS, ("fdr_bh", "fdr_by"), strict=True)))
@given(p_values=P_VALUES, parts=st.integers(1, 4), rate=st.sampled_from([0.01, 0.05]))
def test_the_run_keeps_what_statsmodels_rejects_though_it_hears_only_of_small_p_values(
    method: str, name: str, p_values: list[float], parts: int, rate: float
) -> None:
    """Plugins hand over p <= 0.05 and count the rest, and yet the decisions are those over all hypotheses."""
    rejected, expected, _, _ = multipletests(p_values, rate, name)
    assume(np.abs(expected - rate).min() > 1e-8)  # at the very rate, the last digit decides
    outcomes = []
    for part in range(parts):
        own = p_values[part::parts]
        found = [trend(p, kind=f"trend {part}", evidence={"i": i}) for i, p in enumerate(own) if p <= 0.05]
        outcomes.append(outcome(f"analysis_{part}", found, len(own)))
    report = report_of(*outcomes, control=DiscoveryControl(rate, method))
    kept = sorted(f["q_value"] for f in report["findings"])
    assert len(kept) == rejected.sum()
    np.testing.assert_allclose(kept, np.sort(expected[rejected]), rtol=1e-8)
    account = report["discovery"]
    handed = sum(p <= 0.05 for p in p_values)
    assert (account["n_tests"], account["tested"], account["kept"]) == (len(p_values), handed, len(kept))
    assert sum(d["count"] for d in account["dropped"]) == handed - len(kept)


@given(P_VALUES, st.data())
def test_a_finding_left_out_for_its_size_never_helps_another(p_values: list[float], data: st.DataObject) -> None:
    weak = data.draw(st.lists(st.booleans(), min_size=len(p_values), max_size=len(p_values)))
    found = [trend(p, evidence={"i": i}) for i, p in enumerate(p_values)]
    spoilt = [f | ({"interval": None} if w else {}) for f, w in zip(found, weak, strict=True)]
    before = {f["evidence"]["i"]: f["q_value"] for f in report_of(outcome("analysis_a", found))["findings"]}
    after = {f["evidence"]["i"]: f["q_value"] for f in report_of(outcome("analysis_a", spoilt))["findings"]}
    assert set(after) <= set(before)
    assert all(q >= before[i] for i, q in after.items())


def test_tests_of_all_plugins_that_were_done_count_and_no_others() -> None:
    found = [trend(0.001)]
    others = [outcome("analysis_b", [], 30), outcome("analysis_c", [], 10**6, status="failed")]
    (kept,) = report_of(outcome("analysis_a", found, 10), *others)["findings"]
    assert kept["q_value"] == pytest.approx(0.001 * 40)
    assert report_of(outcome("analysis_a", found, 10), outcome("analysis_b", [], 60))["findings"] == []


def test_what_is_dropped_is_counted_by_plugin_and_reason() -> None:
    small = {"interval": (0.05, 0.95), "measure": "correlation"}
    first = [trend(1e-9), trend(1e-8, **small), trend(1e-7, interval=None), trend(1e-6, effect=None), trend(0.04)]
    report = report_of(outcome("analysis_b", [trend(0.03)], 50), outcome("analysis_a", first, 50))
    assert report["discovery"]["dropped"] == [
        {"plugin": "analysis_a", "reason": NO_INTERVAL, "count": 2},
        {"plugin": "analysis_a", "reason": CHANCE, "count": 1},
        {"plugin": "analysis_a", "reason": SMALL, "count": 1},
        {"plugin": "analysis_b", "reason": CHANCE, "count": 1},
    ]
    assert [f["q_value"] for f in report["findings"]] == [1e-7]
    text = MarkdownRenderer().render(report).decode()
    assert "100 hypotheses, 6 findings of which 1 is kept" in text
    assert f"2 of `analysis_a`: {NO_INTERVAL}" in text


def test_facts_are_neither_counted_nor_dropped() -> None:
    report = report_of(outcome("analysis_a", [trend(None, interval=None), trend(0.9)], 1))
    assert [f["q_value"] for f in report["findings"]] == [None]
    assert (report["discovery"]["n_tests"], report["discovery"]["tested"]) == (1, 1)


@pytest.mark.parametrize("measure", MINIMUM_EFFECTS)
def test_each_minimum_effect_is_enforced_on_both_sides(measure: str) -> None:
    least = MINIMUM_EFFECTS[measure]
    ratio = measure in RATIOS
    cases = [
        ([least * 1.01, least * 2], True),
        ([least * 0.99, least * 2], False),
        ([1 / (least * 2), 1 / (least * 1.01)] if ratio else [-least * 2, -least * 1.01], True),
        ([1 / (least * 2), 1 / (least * 0.99)] if ratio else [-least * 2, -least * 0.99], False),
        ([least * 1.01, None], True),
        ([None, least * 2], False),
    ]
    for interval, sure in cases:
        finding = {"effect": 1.0, "interval": interval, "measure": measure}
        assert (weakness(finding, {}) == "") is sure, (measure, interval)
    finding = {"effect": 1.0, "interval": [least * 1.01, least * 2], "measure": measure}
    assert weakness(finding, {measure: least * 1.5}) == SMALL


def test_families_have_q_values_of_their_own() -> None:
    report = report_of(
        outcome("analysis_a", [trend(0.001)], 10, family="association"),
        outcome("analysis_b", [trend(1e-5, kind="another")], 20, family="time"),
        outcome("analysis_c", [trend(1e-6, kind="other")], 10),
        outcome("analysis_d", [], 5, family="association"),
    )
    found = {f["plugin"]: (f["family"], f["family_q_value"]) for f in report["findings"]}
    assert found == {
        "analysis_a": ("association", 0.015),
        "analysis_b": ("time", 0.0002),
        "analysis_c": (None, None),
    }
    assert report["discovery"]["families"] == [
        {"family": "association", "n_tests": 15, "kept": 1},
        {"family": "time", "n_tests": 20, "kept": 1},
    ]
    assert [f["family"] for f in report["discovery"]["families"]] == [
        f for f in FAMILIES if f in ("association", "time")
    ]


def test_facts_come_first_then_tests_by_q_value_size_and_column() -> None:
    a = [
        trend(None, kind="second_fact"),
        trend(0.001, ("order_id",), effect=0.5, interval=(0.4, 0.6)),
        trend(0.001, ("price",), effect=0.5),
        trend(0.001, ("order_id",), effect=-0.9, interval=(-1.0, -0.8)),
    ]
    b = [trend(1e-9, ("order_id",), kind="surest"), trend(None, kind="a_fact")]
    found = report_of(outcome("analysis_b", b, 2), outcome("analysis_a", a, 3))["findings"]
    assert [(f["kind"], f["columns"][0], f["effect"]) for f in found] == [
        ("second_fact", "price", 0.5), ("a_fact", "price", 0.5), ("surest", "order_id", 0.5),
        ("trend", "order_id", -0.9), ("trend", "price", 0.5), ("trend", "order_id", 0.5),
    ]  # fmt: skip


def test_two_plugins_that_say_the_same_of_the_same_columns_are_one_group() -> None:
    fact = trend(None, ("price", "order_id"), kind="same")
    mirrored = trend(None, ("order_id", "price"), kind="same", sentence="In other words.")
    other = trend(None, ("price",), kind="same")
    found = report_of(outcome("analysis_a", [fact, other]), outcome("analysis_b", [mirrored]))["findings"]
    assert [(f["columns"], f["plugin"], f["also_found_by"]) for f in found] == [
        (["price", "order_id"], "analysis_a", ["analysis_b"]),
        (["order_id", "price"], "analysis_b", []),
        (["price"], "analysis_a", []),
    ]
    assert [f["group"] for f in found] == [found[0]["id"], found[0]["id"], found[2]["id"]]
    twice = report_of(outcome("analysis_a", [trend(None, kind="same"), {**other, "sentence": "Another thing."}]))
    assert len({f["group"] for f in twice["findings"]}) == 2  # one plugin may say two things of one kind
