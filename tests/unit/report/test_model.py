from __future__ import annotations

import copy
import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from tests.unit.report.sample_report import COLUMNS, DATASET, FINDING, NASTY, outcomes
from toolkit.core.canonical import canonical_json
from toolkit.plugin.inference.multiplicity import q_values
from toolkit.report.findings import finding_id
from toolkit.report.model import build_report
from toolkit.report.plain import plain_tree
from toolkit.report.renderers.markdown_report import MarkdownRenderer
from toolkit.report.schema import report_schema
from toolkit.report.validation import ReportError, check_report

TOP_LEVEL = {
    "schema_version", "dataset", "enforcement", "columns", "plugins", "derived", "discovery", "findings",
    "associations", "pictures", "omitted",
    "references",
}  # fmt: skip


def test_the_report_conforms_to_its_schema_and_has_the_agreed_parts() -> None:
    report = build_report(DATASET, COLUMNS, outcomes())
    check_report(report)
    assert set(report) == TOP_LEVEL
    assert report["dataset"] == {**DATASET, "sampled": False}
    assert [c["name"] for c in report["columns"]] == [c["name"] for c in COLUMNS]
    assert [p["id"] for p in report["plugins"]] == ["analysis_trend", "analysis_x", "analysis_y", "profile_basic"]
    fields = {"id", "version", "status", "reason", "failure", "table", "coverage", "budget"}
    assert set(report["plugins"][0]) == fields
    assert report["plugins"][0]["coverage"] == {"rows": 100, "n_tests": 40}


def test_the_same_outcomes_in_any_order_give_the_same_bytes() -> None:
    texts = {
        canonical_json(build_report(DATASET, COLUMNS, list(order))) for order in itertools.permutations(outcomes())
    }
    assert len(texts) == 1


def test_nothing_about_time_or_machine_enters() -> None:
    changed = outcomes()
    changed[0] |= {"duration_ms": 99.0, "workers": 7, "host": "elsewhere"}
    first, second = (build_report(DATASET, COLUMNS, o) for o in (outcomes(), changed))
    assert canonical_json(first) == canonical_json(second)


def test_statistics_keep_full_precision_and_findings_are_rounded() -> None:
    report = build_report(DATASET, COLUMNS, outcomes())
    price, order_id = report["columns"][0], report["columns"][2]
    assert price["mean"] == 1 / 3
    assert order_id["max"] == 2**63 + 1
    assert isinstance(order_id["max"], int)
    finding = next(f for f in report["findings"] if f["plugin"] == "profile_basic")
    assert finding["effect"] == 0.3
    assert finding["interval"] == [0.3333333333, 0.6666666667]
    assert finding["evidence"]["share"] == 0.1428571429
    assert finding["evidence"]["rows"] == [[3, 17], [5, 5]]


def test_a_column_without_a_profile_has_every_required_field() -> None:
    report = build_report(DATASET, COLUMNS, outcomes()[1:])
    check_report(report)
    assert all(c["count"] is None and c["quantiles"] == {} and c["top"] == [] for c in report["columns"])
    assert report["columns"][0]["quantiles"] is not report["columns"][1]["quantiles"]


def test_only_profiles_that_ended_well_describe_columns_and_the_first_id_is_heard() -> None:
    other = {"id": "profile_zz", "type": "profile", "version": 1, "status": "ok", "coverage": {}, "budget": {}}
    extra = [{"name": "price", "mean": 7.0, "role": "flag", "entropy": 2.0, "unheard_of": 1}]
    report = build_report(DATASET, COLUMNS, [*outcomes(), {**other, "data": {"columns": extra}}])
    check_report(report)
    assert (report["columns"][0]["mean"], report["columns"][0]["role"]) == (1 / 3, "measure")
    assert report["columns"][0]["entropy"] == 2.0
    failed = outcomes()
    failed[0]["status"] = "failed"
    assert build_report(DATASET, COLUMNS, failed)["columns"][0]["mean"] is None


def test_findings_come_only_from_plugins_that_ended_well() -> None:
    report = build_report(DATASET, COLUMNS, outcomes())
    assert {f["plugin"] for f in report["findings"]} == {"profile_basic", "analysis_trend"}
    assert len({f["id"] for f in report["findings"]}) == len(report["findings"]) == 4


def test_ids_depend_on_content_alone_and_equal_findings_are_one() -> None:
    twice = outcomes()
    twice[0]["findings"].append(copy.deepcopy(FINDING))
    report = build_report(DATASET, COLUMNS, twice)
    assert len(report["findings"]) == 4
    nudged = {**FINDING, "effect": 0.3}  # equal to 10 digits
    assert finding_id("profile_basic", nudged) == finding_id("profile_basic", FINDING)
    for field, value in {"sentence": "Another.", "columns": ["x"], "effect": 0.31, "kind": "k"}.items():
        assert finding_id("profile_basic", {**FINDING, field: value}) != finding_id("profile_basic", FINDING)
    assert finding_id("other", FINDING) != finding_id("profile_basic", FINDING)


def test_q_values_count_every_hypothesis_of_the_run() -> None:
    report = build_report(DATASET, COLUMNS, outcomes())
    tested = {f["log10_p"]: f["q_value"] for f in report["findings"] if f["log10_p"] is not None}
    # 40 tests of the plugin that was done; the 7 of the one that timed out do not count
    assert tested[-3.0] == pytest.approx(1e-3 * 40 / 2, rel=1e-9)
    assert tested[-2.5] == pytest.approx(10**-2.5 * 40 / 3, rel=1e-9)
    assert tested[-400.0] == 0.0
    facts = [f for f in report["findings"] if f["log10_p"] is None]
    assert facts
    assert all(f["q_value"] is None for f in facts)


def test_a_plugin_that_undercounts_its_tests_does_not_gain_by_it() -> None:
    cheat = outcomes()
    cheat[1]["n_tests"] = 0
    tested = [f for f in build_report(DATASET, COLUMNS, cheat)["findings"] if f["log10_p"] == -2.5]
    assert tested[0]["q_value"] == pytest.approx(10**-2.5, rel=1e-9)


@given(st.lists(st.floats(-12, 0), min_size=1, max_size=40))
def test_q_values_agree_with_scipy(log10_p: list[float]) -> None:
    expected = false_discovery_control([10**p for p in log10_p])
    np.testing.assert_allclose(q_values(log10_p, len(log10_p)), expected, rtol=1e-9)


def test_q_values_of_a_part_equal_those_of_the_whole_family() -> None:
    family = [-9.0, -5.0, -2.5] + [-0.01] * 97
    np.testing.assert_allclose(q_values(family[:3], 100), q_values(family, 100)[:3], rtol=1e-12)


def test_references_say_who_used_them_and_unused_ones_are_left_out() -> None:
    report = build_report(DATASET, COLUMNS, outcomes())
    assert report["references"] == [
        {"doi": "10.1007/s00180-015-0637-z", "used_by": ["profile_basic"]},
        {"doi": "10.1080/00031305.1996.10473566", "used_by": ["analysis_trend", "profile_basic"]},
    ]


def test_omissions_carry_their_plugin() -> None:
    (entry,) = build_report(DATASET, COLUMNS, outcomes())["omitted"]
    assert (entry["plugin"], entry["cap"], entry["left_out"]) == ("profile_basic", "max_cols", ["started at"])


def test_the_input_is_not_changed() -> None:
    given_outcomes = outcomes()
    build_report(DATASET, COLUMNS, given_outcomes)
    assert given_outcomes == outcomes()


def test_plain_trees_hold_what_json_holds() -> None:
    tree = {"a": np.arange(3), "b": np.float64(0.5), "c": (math.nan, math.inf, np.ones(1, bool)[0]), 4: None}
    assert plain_tree(tree) == {"a": [0, 1, 2], "b": 0.5, "c": [None, None, True], "4": None}
    json.dumps(plain_tree(tree), allow_nan=False)
    with pytest.raises(TypeError, match="set"):
        plain_tree({"a": {1, 2}})


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        (("schema_version",), "0.9", "schema_version"),
        (("columns", 0, "kind"), "number", "columns[0].kind"),
        (("columns", 0, "count"), -1, "columns[0].count"),
        (("columns", 0, "quantiles"), {"1.5": 3}, "columns[0].quantiles"),
        (("plugins", 0, "status"), "done", "plugins[0].status"),
        (("findings", 0, "log10_p"), 0.5, "findings[0].log10_p"),
        (("findings", 0, "surprise"), 1, "findings[0]"),
        (("started",), "2020-01-01", "$"),
    ],
)
def test_the_schema_refuses_what_is_no_report(path: tuple[str | int, ...], value: object, place: str) -> None:
    report = build_report(DATASET, COLUMNS, outcomes())
    target = report
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    with pytest.raises(ReportError) as caught:
        check_report(report)
    assert place in str(caught.value)


def test_the_schema_is_a_schema_with_an_id_and_a_version() -> None:
    import jsonschema

    schema = report_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"].endswith(":" + schema["properties"]["schema_version"]["enum"][-1])


def test_names_with_anything_in_them_stay_as_they_are() -> None:
    assert build_report(DATASET, COLUMNS, outcomes())["columns"][1]["name"] == NASTY


def test_what_speaks_of_a_derived_table_says_so() -> None:
    columns = [{"name": "x", "kind": "float", "of": ["x"], "how": "text to number", "kept": False}]
    made = {"key": "ab", "parent": "cd", "store": "ab", "rows": 3, "rows_are": "same", "columns": columns}
    on = {"plugin": "transform_t", "key": "ab", "rows": 3, "rows_are": "same"}
    given = [dict(o) for o in outcomes()]
    before = build_report(DATASET, COLUMNS, given)
    for outcome in given:
        outcome["table"] = on
    given.append({**given[0], "id": "transform_t", "type": "transform", "findings": [], "table": None, "derived": made})
    report = build_report(DATASET, COLUMNS, given)
    check_report(report)
    assert report["derived"] == [{"plugin": "transform_t", **{k: v for k, v in made.items() if k != "store"}}]
    assert {f["table"] for f in report["findings"]} == {"ab"}
    assert {f["table"] for f in before["findings"]} == {None}
    # a profile of another table says nothing of this one's columns
    assert all(c["count"] is None for c in report["columns"])
    text = MarkdownRenderer().render(report).decode()
    assert "of the derived table `ab`" in text
    assert "`x` (float) of `x`: text to number" in text


def test_where_values_are_missing_is_taken_from_whoever_says_so() -> None:
    counts = {"price": [0, 1], "order_id": [-1, 2], "unknown": [1]}
    other = {**outcomes()[1], "data": {"missing_by_block": counts}}
    derived = {**other, "id": "aaa", "table": {"key": "ab"}, "data": {"missing_by_block": {"price": [7, 7]}}}
    columns = build_report(DATASET, COLUMNS, [outcomes()[0], other, derived])["columns"]
    assert [c.get("missing_by_block") for c in columns] == [[0, 1], None, None, None]


def test_the_grid_is_said_where_it_is_known() -> None:
    report = build_report({**DATASET, "chunk_rows": 64}, COLUMNS, [])
    check_report(report)
    assert report["dataset"] == {**DATASET, "chunk_rows": 64, "sampled": False}
