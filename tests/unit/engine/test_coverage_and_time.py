"""What a result says of its coverage, and what is left of a plugin whose time ran out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.plugin_on_disk import plugin_on_disk
from tests.store_on_disk import store_on_disk
from toolkit.engine import discovery
from toolkit.engine.manifest import load_manifest
from toolkit.engine.plan import make_plan
from toolkit.engine.runner import run_plugins
from toolkit.govern.policy import load_policy
from toolkit.storage.dataset import Dataset

REPORT = """
import json
def run(ctx):
    return Result(files={"report.json": json.dumps(ctx.report).encode()})
"""
PAIRS = """
from toolkit.plugin import keep_groups, time_bins
import numpy as np
def run(ctx):
    groups = keep_groups(np.array([3, 2, 1]), ctx.budget.max_groups)
    if groups.omission:
        ctx.omit(groups.omission)
    bins = time_bins(0, 9, "s", ctx.budget.max_windows, 10**9)
    ctx.cover("windows", 10, bins.count)
    return Result()
"""
SLOW_PART = """
import time
class Plugin(Reducer):
    def init(self):
        return {"n": 0}
    def update(self, state, chunk):
        if chunk.index == 3:
            time.sleep(60)
        return {"n": state["n"] + len(chunk)}
    def merge(self, left, right):
        return {"n": left["n"] + right["n"]}
    def finish(self, state, ctx):
        return Result(state, [Finding("k", ["a"], "So.", "Do it.")])
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shipped = tmp_path / "shipped"
    monkeypatch.setattr(discovery, "shipped_plugins", lambda: shipped)
    plugin_on_disk(shipped, "report_json", REPORT)
    return tmp_path


def table(place: Path) -> Dataset:
    columns = {name: np.arange(40.0) for name in "abcde"}
    return store_on_disk(place / "app", columns, chunk_rows=10)


def report_of(place: Path, policy: str, **options: Any) -> dict[str, Any]:
    path = place / "p.yaml"
    path.write_text(policy, "utf-8")
    done = run_plugins(table(place), appdata=place / "app", policy=path, **{"executor": "serial", **options})
    found: dict[str, Any] = json.loads(done.files["report.json"].read_text("utf-8"))
    return found


def test_coverage_says_what_was_requested_and_evaluated(place: Path) -> None:
    plugin_on_disk(place / "shipped", "analysis_pairs", PAIRS, kernels=[{"kernel": "moments", "columns": "numeric"}])
    free = report_of(place, "extends: off\n")
    assert free["plugins"][0]["coverage"]["units"] == {
        "columns": {"requested": 5, "evaluated": 5}, "windows": {"requested": 10, "evaluated": 10},
    }  # fmt: skip
    assert free["omitted"] == []
    capped = report_of(place, "extends: off\nrules: [{caps: {max_cols: 3, max_groups: 2, max_windows: 4}}]\n")
    (plugin,) = capped["plugins"]
    assert plugin["coverage"]["units"] == {
        "columns": {"requested": 5, "evaluated": 3},
        "groups": {"requested": 3, "evaluated": 2},
        "windows": {"requested": 10, "evaluated": 2},
    }
    assert (plugin["coverage"]["rows"], plugin["coverage"]["complete"]) == (40, True)
    assert [(o["cap"], o["restore"]) for o in capped["omitted"]] == [
        ("max_cols", "max_cols: 5"), ("max_groups", "max_groups: 3"),
    ]  # fmt: skip


def test_a_time_limit_leaves_no_part_of_a_result_and_names_a_cap(place: Path) -> None:
    plugin_on_disk(place / "shipped", "analysis_slow", SLOW_PART, cost={"rows": 1, "columns": 1, "windows": 2})
    policy = "extends: off\npartition_chunks: 1\nrules: [{caps: {time_limit_ms: 300, max_windows: 16}}]\n"
    report = report_of(place, policy, executor="process", workers=2)
    (plugin,) = report["plugins"]
    assert (plugin["status"], plugin["coverage"]) == ("timed_out", {})
    assert plugin["reason"] == "reached time_limit_ms: 300; lower max_windows to less than 16, or raise the limit"
    assert report["findings"] == []


def test_a_manifests_own_caps_reach_the_plugin_and_its_plan(place: Path) -> None:
    code = "def run(ctx):\n    return Result({'windows': ctx.budget.max_windows, 'columns': ctx.columns()})\n"
    folder = plugin_on_disk(
        place / "shipped", "analysis_own", code, columns="numeric", caps={"max_windows": 64, "max_cols": 2},
        cost={"windows": 2, "columns": 1},
    )  # fmt: skip
    manifests = {"analysis_own": load_manifest(folder)}
    (planned,) = make_plan(table(place), manifests, [], load_policy(), assume_rows=2_000_000).plugins
    assert planned.origins["max_windows"].source.endswith("analysis_own/plugin.yaml")
    shown = planned.to_json()
    assert (shown["budget"]["max_windows"], shown["columns"]) == (64, ["a", "b"])
    assert shown["work_units"] == 64 * 64 * 2
    policy = "rules: [{caps: {max_windows: 7}}, {id: analysis_own, caps: {max_cols: 1}}]\n"
    (plugin,) = report_of(place, policy)["plugins"]
    assert (plugin["budget"]["max_windows"], plugin["budget"]["max_cols"]) == (64, 1)
