"""planner_basic: golden plans for a dozen tables, and what a further plugin may not change."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plugins.planner_basic.plugin import planned
from tests.memory_store import memory_dataset
from tests.plugin_on_disk import plugin_on_disk
from toolkit.engine.manifest import Manifest, load_manifest
from toolkit.engine.plan import make_plan
from toolkit.govern.policy import Policy
from toolkit.govern.rules import Origin, Rule
from toolkit.storage.dataset import Dataset

GOLDEN = Path(__file__).with_name("planner_golden.json")
CAPS = {"max_cols": 6, "max_pairs": 10, "max_groups": 4, "max_windows": 50}
POLICY = Policy(rules=(Rule("rule 1", None, (), (), dict(CAPS), {c: Origin("p.yaml", 7, "rule 1") for c in CAPS}),))
REGISTRY: dict[str, dict[str, Any]] = {
    "profile_p": {},
    "planner_p": {},
    "transform_sort": {"columns": "instant", "requires": {"categorical": ">=1", "instant": ">=1"}},
    "analysis_correlation": {
        "columns": "numeric", "requires": {"numeric": ">=2", "rows": ">=30"}, "cost": {"rows": 1, "pairs": 1},
    },
    "analysis_drift": {"columns": ["numeric", "categorical"], "requires": {"rows": ">=200"}, "passes": 2},
    "analysis_groups": {"columns": "numeric", "requires": {"numeric": 1, "categorical": 1},
                        "cost": {"rows": 1, "columns": 1, "groups": 1}},
    "analysis_motifs": {"columns": "numeric", "requires": {"instant": ">=1"}, "cost": {"windows": 2, "columns": 1}},
    "analysis_topics": {"columns": "text", "requires": {"text": ">=1", "rows": ">=50"}},
    "analysis_cases": {"columns": "any", "table": "transform_sort"},
}  # fmt: skip


def tables() -> dict[str, Mapping[str, Any]]:
    """Columns of a dozen tables."""

    def numbers(count: int, rows: int) -> dict[str, Any]:
        return {f"n{k}": np.arange(rows) * (k + 1.5) for k in range(count)}

    def words(rows: int, kinds: int = 3) -> list[str]:
        return [f"w{i % kinds}" for i in range(rows)]

    def times(rows: int) -> Any:
        return (np.arange(rows) * 60).astype("M8[s]")

    return {
        "one number": numbers(1, 300),
        "few rows": numbers(3, 20),
        "numbers": numbers(5, 300),
        "more numbers than max_cols": numbers(9, 300),
        "one row": {"n0": np.array([1.0]), "w": ["a"]},
        "words alone": {"w": words(300)},
        "long text alone": {"t": [f"text {i}" for i in range(300)]},
        "numbers and words": {**numbers(2, 300), "w": words(300, 7)},
        "an event log": {"case": words(300, 40), "activity": words(300), "at": times(300), **numbers(2, 300)},
        "a series": {"at": times(300), **numbers(1, 300)},
        "flags": {"flag": np.arange(300) % 2 == 0, "other": np.arange(300) % 3 == 0},
        "nothing but missing values": {"gone": [None] * 300},
    }


def manifests(folder: Path, registry: Mapping[str, Mapping[str, Any]]) -> dict[str, Manifest]:
    for plugin, manifest in registry.items():
        plugin_on_disk(folder, plugin, "", **manifest)
    return {p.name: load_manifest(p) for p in sorted(folder.iterdir())}


def profile_of(dataset: Dataset) -> list[dict[str, Any]]:
    """A profile that says of coded columns that they are categories, and of ``n0`` that it is constant."""
    out = []
    for spec in dataset.schema:
        role = "category" if spec.encoding == "coded" else "constant" if spec.name == "n0" else "measure"
        out.append({"name": spec.name, "role": role})
    return out


def plan_of(dataset: Dataset, known: Mapping[str, Manifest]) -> list[dict[str, Any]]:
    plan = make_plan(dataset, known, [], POLICY).to_json()
    return planned(plan["plugins"], len(dataset.schema), profile_of(dataset))


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Manifest]:
    return manifests(tmp_path_factory.mktemp("registry"), REGISTRY)


@pytest.mark.parametrize("name", tables())
def test_the_plan_of_a_table_is_the_golden_one(name: str, known: dict[str, Manifest]) -> None:
    fields = ("included", "reason", "n_columns", "work_units", "omitted")
    found = {p["id"]: {f: p[f] for f in fields} for p in plan_of(memory_dataset(tables()[name], 64), known)}
    assert found == json.loads(GOLDEN.read_text("utf-8"))[name]


def test_every_plugin_has_a_reason_and_every_cap_its_line(known: dict[str, Manifest]) -> None:
    for columns in tables().values():
        for plugin in plan_of(memory_dataset(columns, 64), known):
            assert plugin["reason"]
            assert plugin["included"] or plugin["work_units"] is None
            assert plugin["caps"] == CAPS
            assert plugin["caps_set_by"] == dict.fromkeys(sorted(CAPS), "p.yaml, line 7")


@pytest.mark.parametrize("further", REGISTRY)
def test_a_further_plugin_changes_nothing_of_the_others(further: str, tmp_path: Path) -> None:
    needed = {further, *(p for p, m in REGISTRY.items() if m.get("table") == further)}
    without = manifests(tmp_path / "without", {p: m for p, m in REGISTRY.items() if p not in needed})
    whole = manifests(tmp_path / "whole", REGISTRY)
    for columns in tables().values():
        dataset = memory_dataset(columns, 64)
        expected = {p["id"]: p for p in plan_of(dataset, without)}
        found = {p["id"]: p for p in plan_of(dataset, whole) if p["id"] in expected}
        assert found == expected
