"""Plans: which plugins, in which order, on what, within which bounds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.memory_store import memory_dataset
from tests.plugin_on_disk import plugin_on_disk
from toolkit.core.errors import BadInputError, UsageError
from toolkit.engine.manifest import Manifest, load_manifest
from toolkit.engine.plan import Plan, make_plan
from toolkit.govern.policy import Policy
from toolkit.govern.rules import Origin, Rule

DATASET = memory_dataset({"a": np.arange(9.0), "b": np.arange(9), "c": np.arange(9.0), "w": ["x", "y", "x"] * 3}, 4)


def plan(folder: Path, *patterns: str, policy: Policy | None = None, **options: Any) -> Plan:
    return make_plan(DATASET, manifests(folder), patterns, policy or Policy(), **options)


def manifests(folder: Path) -> dict[str, Manifest]:
    return {p.name: load_manifest(p) for p in sorted(folder.iterdir())}


def capped(**caps: int) -> Policy:
    origins = {cap: Origin("test", 1, "rule 1") for cap in caps}
    return Policy(rules=(Rule("rule 1", None, (), (), dict(caps), origins),))


def test_types_run_in_their_order(tmp_path: Path) -> None:
    for kind in ("llm", "report", "analysis", "transform", "planner", "profile"):
        plugin_on_disk(tmp_path, f"{kind}_a", "")
    plugin_on_disk(tmp_path, "analysis_b", "")
    assert plan(tmp_path).layers == [
        ["profile_a"], ["planner_a"], ["transform_a"], ["analysis_a", "analysis_b"], ["report_a"], ["llm_a"],
    ]  # fmt: skip


def test_dependencies_make_layers(tmp_path: Path) -> None:
    plugin_on_disk(tmp_path, "analysis_a", "", depends_on=["analysis_c"])
    plugin_on_disk(tmp_path, "analysis_b", "")
    plugin_on_disk(tmp_path, "analysis_c", "", depends_on=["analysis_b"])
    made = plan(tmp_path)
    assert made.layers == [["analysis_b"], ["analysis_c"], ["analysis_a"]]
    by_id = {p.id: p for p in made.plugins}
    assert by_id["analysis_a"].needs == ["analysis_c"]
    assert by_id["analysis_a"].sees == ["analysis_c"]


def test_a_type_as_dependency_is_seen_and_not_needed(tmp_path: Path) -> None:
    plugin_on_disk(tmp_path, "profile_a", "")
    plugin_on_disk(tmp_path, "profile_b", "", depends_on=["type:profile"])
    planned = {p.id: p for p in plan(tmp_path).plugins}["profile_b"]
    assert (planned.needs, planned.sees) == ([], ["profile_a"])


def test_patterns_bring_dependencies_and_reports_along(tmp_path: Path) -> None:
    plugin_on_disk(tmp_path, "analysis_a", "", depends_on=["profile_x"])
    plugin_on_disk(tmp_path, "profile_x", "", depends_on=["profile_y"])
    for name in ("profile_y", "profile_z", "analysis_b", "report_a", "llm_a"):
        plugin_on_disk(tmp_path, name, "")
    assert {p.id for p in plan(tmp_path, "analysis_[a]*").plugins} == {
        "analysis_a",
        "profile_x",
        "profile_y",
        "report_a",
    }
    assert len(plan(tmp_path).plugins) == 7


def test_a_pattern_that_fits_nothing_is_an_error(tmp_path: Path) -> None:
    plugin_on_disk(tmp_path, "analysis_a", "")
    with pytest.raises(UsageError, match="no plugin fits 'profile_x'") as raised:
        plan(tmp_path, "analysis_a", "profile_x")
    assert "analysis_a" in raised.value.remedy


def test_a_dependency_that_is_not_there_is_named_by_line(tmp_path: Path) -> None:
    plugin_on_disk(tmp_path, "analysis_a", "", depends_on=["profile_none"])
    with pytest.raises(BadInputError, match=r"plugin\.yaml, line 4: there is no plugin 'profile_none'"):
        plan(tmp_path)


def test_a_circle_is_named(tmp_path: Path) -> None:
    plugin_on_disk(tmp_path, "analysis_a", "", depends_on=["analysis_b"])
    plugin_on_disk(tmp_path, "analysis_b", "", depends_on=["analysis_a"])
    with pytest.raises(BadInputError, match="in a circle: analysis_a, analysis_b"):
        plan(tmp_path)


def test_an_analysis_that_a_profile_needs_is_a_circle_of_types(tmp_path: Path) -> None:
    plugin_on_disk(tmp_path, "profile_a", "", depends_on=["analysis_b"])
    plugin_on_disk(tmp_path, "planner_a", "")
    plugin_on_disk(tmp_path, "analysis_b", "")
    with pytest.raises(BadInputError, match="in a circle"):
        plan(tmp_path)


def test_kernels_are_asked_for_where_they_are_defined(tmp_path: Path) -> None:
    plugin_on_disk(tmp_path, "analysis_a", "", columns="any", kernels=[{"kernel": "moments"}])
    (planned,) = plan(tmp_path).plugins
    assert [r.columns for _, r in planned.requests] == [("a",), ("b",), ("c",)]
    assert planned.columns == ["a", "b", "c", "w"]


def test_caps_reach_columns_and_kernels_and_are_recorded(tmp_path: Path) -> None:
    kernels = [{"kernel": "moments"}, {"kernel": "distinct", "columns": "any", "capped": False}]
    plugin_on_disk(tmp_path, "analysis_a", "", columns="numeric", kernels=kernels)
    (planned,) = plan(tmp_path, policy=capped(max_cols=2)).plugins
    assert planned.columns == ["a", "b"]
    asked = [(r.kernel, r.columns) for _, r in planned.requests]
    assert asked == [("moments", ("a",)), ("moments", ("b",)), *(("distinct", (c,)) for c in "abcw")]
    assert [o["left_out"] for o in planned.omitted] == [["c"]]
    assert planned.origins["max_cols"].rule == "rule 1"


def test_an_unknown_kernel_is_named_by_line(tmp_path: Path) -> None:
    plugin_on_disk(tmp_path, "analysis_a", "", kernels=[{"kernel": "magic"}])
    with pytest.raises(BadInputError, match=r"plugin\.yaml, line 5: there is no kernel 'magic'"):
        plan(tmp_path)


def test_an_unknown_parameter_of_a_kernel_is_named_by_line(tmp_path: Path) -> None:
    plugin_on_disk(tmp_path, "analysis_a", "", kernels=[{"kernel": "moments", "params": {"magic": 1}}])
    with pytest.raises(BadInputError, match=r"plugin\.yaml, line 5: kernel 'moments' has no parameter 'magic'"):
        plan(tmp_path)


def test_a_plugin_without_columns_is_skipped(tmp_path: Path) -> None:
    plugin_on_disk(tmp_path, "analysis_a", "", columns=["time", "bool"])
    (planned,) = plan(tmp_path).plugins
    assert planned.skip == "there is no column of kind time or bool"


def test_parameters_are_checked(tmp_path: Path) -> None:
    plugin_on_disk(tmp_path, "analysis_a", "", params={"k": {"type": "int", "default": 3, "min": 1}})
    assert plan(tmp_path).plugins[0].params == {"k": 3}
    assert plan(tmp_path, params={"analysis_a": {"k": 5}}).plugins[0].params == {"k": 5}
    for wrong in ({"analysis_a": {"k": 0}}, {"analysis_a": {"j": 1}}, {"analysis_b": {"k": 1}}):
        with pytest.raises(UsageError):
            plan(tmp_path, params=wrong)


def test_a_plan_is_plain_and_the_same_again(tmp_path: Path) -> None:
    from toolkit.core.canonical import canonical_json

    plugin_on_disk(tmp_path, "analysis_a", "", kernels=[{"kernel": "moments", "columns": "numeric"}])
    first, second = (canonical_json(plan(tmp_path).to_json()) for _ in range(2))
    assert first == second
    assert '"sampled":false' in first


REQUIRED = {
    "rows: '>=9'": "",
    "numeric: 3": "",
    "{numeric: '>=2', categorical: '==1', columns: '<=4', text: '<2', rows: '>8'}": "",
    "rows: '>=10'": "it needs at least 10 rows, and the table has 9; run it on a longer table",
    "rows: '<9'": "it needs fewer than 9 rows, and the table has 9; run it on a shorter table",
    "numeric: '>=4'": "it needs at least 4 numeric columns, and the table has 3; declare further ones with --types, "
    "if there are any",
    "text: '==0'": "it needs exactly 0 text columns, and the table has 1; choose fewer columns with --columns",
    "columns: '>4'": "it needs more than 4 columns, and the table has 4; convert the table with more of its columns",
    "{rows: 1, time: 1}": "it needs at least 1 time column, and the table has 0; declare further ones with --types, "
    "if there are any",
}


@pytest.mark.parametrize("requires", REQUIRED)
def test_what_a_plugin_requires_is_looked_at_before_it_starts(requires: str, tmp_path: Path) -> None:
    plugin_on_disk(tmp_path, "analysis_a", "")
    text = requires if requires.startswith("{") else f"{{{requires}}}"
    with (tmp_path / "analysis_a/plugin.yaml").open("a") as stream:
        stream.write(f"requires: {text}\n")
    assert plan(tmp_path).plugins[0].skip == REQUIRED[requires]


def test_a_plugin_on_a_derived_table_is_planned_later(tmp_path: Path) -> None:
    plugin_on_disk(tmp_path, "transform_t", "")
    plugin_on_disk(tmp_path, "analysis_a", "", table="transform_t", columns="time", kernels=[{"kernel": "moments"}])
    made = plan(tmp_path, "analysis_a")
    assert made.layers == [["transform_t"], ["analysis_a"]]
    planned = made.plugins[1]
    assert (planned.deferred, planned.skip, planned.columns, planned.requests) == (True, "", [], [])
    assert (planned.needs, planned.sees) == (["transform_t"], ["transform_t"])


def test_what_needs_a_plugin_that_does_not_apply_does_not_either(tmp_path: Path) -> None:
    plugin_on_disk(tmp_path, "transform_t", "", columns="time")
    plugin_on_disk(tmp_path, "analysis_a", "", table="transform_t")
    plugin_on_disk(tmp_path, "analysis_b", "", depends_on=["analysis_a"])
    plugin_on_disk(tmp_path, "analysis_c", "", depends_on=["type:transform"])
    skips = {p.id: p.skip for p in plan(tmp_path).plugins}
    assert skips["transform_t"] == "there is no column of kind time"
    assert skips["analysis_a"] == f"it needs transform_t, which was skipped: {skips['transform_t']}"
    assert skips["analysis_b"] == f"it needs analysis_a, which was skipped: {skips['analysis_a']}"
    assert skips["analysis_c"] == ""


def test_what_a_table_can_not_be(tmp_path: Path) -> None:
    plugin_on_disk(tmp_path, "analysis_a", "", table="transform_gone")
    with pytest.raises(BadInputError, match=r"plugin.yaml, line \d+: there is no plugin 'transform_gone'"):
        plan(tmp_path)
    plugin_on_disk(tmp_path, "analysis_a", "", table="analysis_b")
    with pytest.raises(BadInputError, match="table takes the id of a transform"):
        plan(tmp_path)
    plugin_on_disk(tmp_path, "profile_a", "", table="transform_t")
    with pytest.raises(BadInputError, match="a profile runs before any transform"):
        load_manifest(tmp_path / "profile_a")


CIRCLES: dict[str, dict[str, dict[str, Any]]] = {
    "by name": {"analysis_a": {"depends_on": ["analysis_b"]}, "analysis_b": {"depends_on": ["analysis_a"]}},
    "by type": {"analysis_a": {"depends_on": ["type:analysis"]}, "analysis_b": {"depends_on": ["type:analysis"]}},
    "by table": {"transform_a": {"table": "transform_b"}, "transform_b": {"table": "transform_a"}},
    "of an earlier type": {"profile_a": {"depends_on": ["transform_b"]}, "transform_b": {}, "planner_c": {}},
}


@pytest.mark.parametrize("name", CIRCLES)
def test_circles_of_all_sorts_are_found(name: str, tmp_path: Path) -> None:
    for plugin, manifest in CIRCLES[name].items():
        plugin_on_disk(tmp_path, plugin, "", **manifest)
    with pytest.raises(BadInputError, match="in a circle: " + ", ".join(sorted(CIRCLES[name]))):
        plan(tmp_path)
