"""How plugins get at the rows: the files in docs are up to date, and no status is claimed that was not seen."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.plugin_on_disk import plugin_on_disk
from toolkit.engine.access_matrix import access_matrix, matrix_markdown, patterns_in, recorded_table, stale_files
from toolkit.engine.discovery import below, shipped_plugins
from toolkit.engine.manifest import load_manifest
from toolkit.engine.runner import run_plugins

DOCS = Path(__file__).resolve().parents[3] / "docs"
SCRIPT = DOCS.parent / "scripts" / "plugin_data_access_matrix.py"

GIVES = "def run(ctx):\n    return Result({'n': VALUE})\n"
PLUGINS = {
    "analysis_batches": GIVES.replace("VALUE", "[len(b) for b in ctx.dataset_iter_batches()]"),
    "analysis_chunks": GIVES.replace("VALUE", "[len(c['quantity']) for c in ctx.chunks()]"),
    "analysis_hides": GIVES.replace("VALUE", "[len(c['quantity']) for c in getattr(ctx, 'ch' + 'unks')()]"),
    "analysis_hides_a_load": GIVES.replace("VALUE", "len(getattr(ctx, 'data' + 'set_loader')(['quantity']))"),
    "analysis_loads": "def run(ctx):\n    load = ctx.dataset_loader\n    return Result({'n': len(load())})\n",
    "analysis_partial": GIVES.replace("VALUE", "len(list(ctx.dataset_iter_batches(row_limit=5)))"),
    "analysis_reduces": """
class Plugin(Reducer):
    def init(self):
        return {"n": 0}
    def update(self, state, chunk):
        return {"n": state["n"] + len(chunk["quantity"])}
    def merge(self, left, right):
        return {"n": left["n"] + right["n"]}
    def finish(self, state, ctx):
        return Result(state)
""",
    "analysis_rests": "def run(ctx):\n    return Result()\n",
    "analysis_skips": "def run(ctx):\n    if ctx.rows:\n        raise Skip('not here')\n    ctx.chunks()\n",
}
EXPECTED: dict[str, tuple[list[str], str, str]] = {
    "analysis_batches": (["batches"], "streaming_ok", ""),
    "analysis_chunks": (["chunks"], "streaming_ok", ""),
    "analysis_hides": (["none"], "in_progress", "its code does not show"),
    "analysis_hides_a_load": (["none"], "in_progress", "loaded the table whole"),
    "analysis_loads": (["full load"], "not_started", "calls ctx.dataset_loader()"),
    "analysis_partial": (["batches"], "in_progress", "did not read every row"),
    "analysis_reduces": (["chunks"], "streaming_ok", ""),
    "analysis_rests": (["none"], "streaming_ok", ""),
    "analysis_skips": (["chunks"], "in_progress", "ended as skipped: not here"),
}


def test_the_files_in_docs_are_what_the_code_does(tmp_path: Path) -> None:
    """To renew them: python scripts/plugin_data_access_matrix.py."""
    matrix = access_matrix({f.name: load_manifest(f) for f in below(shipped_plugins())}, tmp_path)
    assert stale_files(matrix, DOCS) == []
    assert {p["id"]: (p["status"], p["recorded"]["full_loads"]) for p in matrix["plugins"]} == {
        f.name: ("streaming_ok", 0) for f in below(shipped_plugins())
    }


def test_every_pattern_is_found_and_confirmed(tmp_path: Path) -> None:
    assert set(PLUGINS) == set(EXPECTED)
    manifests = {}
    for plugin, code in PLUGINS.items():
        manifests[plugin] = load_manifest(plugin_on_disk(tmp_path / "mine", plugin, code))
    matrix = access_matrix(manifests, tmp_path / "work")
    found = {p["id"]: p for p in matrix["plugins"]}
    for plugin, (access, status, why) in EXPECTED.items():
        assert (found[plugin]["access"], found[plugin]["status"]) == (access, status), plugin
        assert why in found[plugin]["why"], plugin
    read = {plugin: found[plugin]["recorded"]["chunks"] for plugin in PLUGINS}
    columns, chunks = matrix["table"]["columns"], matrix["table"]["chunks"]
    assert (read["analysis_batches"], read["analysis_reduces"], read["analysis_rests"]) == (columns * chunks, chunks, 0)
    assert matrix_markdown(matrix).decode().count("streaming_ok |") == 4


def test_a_load_is_found_by_any_name() -> None:
    assert patterns_in(["getattr(ctx, 'dataset_loader')()"]) == {"full load"}
    assert patterns_in(["x = 'chunks'", "# ctx.chunks()"]) == set()


def script(monkeypatch: pytest.MonkeyPatch, *args: str) -> Any:
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), *args])
    with pytest.raises(SystemExit) as raised:
        runpy.run_path(str(SCRIPT), run_name="__main__")
    return raised.value.code


def test_the_script_writes_and_checks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert script(monkeypatch, "--into", str(tmp_path)) == 0
    path = tmp_path / "plugin_data_access_matrix.json"
    assert path.read_bytes() == (DOCS / path.name).read_bytes()
    path.write_text(json.dumps({}))
    capsys.readouterr()
    assert script(monkeypatch, "--into", str(tmp_path), "--check") == 1
    assert "plugin_data_access_matrix.json is stale" in capsys.readouterr().err


LOADS_ALL = GIVES.replace("VALUE", "len(ctx.dataset_loader())")
LOADS_BY_BATCH = GIVES.replace("VALUE", "[len(b) for b in ctx.dataset_iter_batches(batch_size=10**9)]")
BUDGET = "def run(ctx):\n    return Result(ctx.budget.to_json())\n"


def test_a_small_table_that_stands_for_two_million_rows(tmp_path: Path) -> None:
    """Budgets and limits are those of the long table, and nothing is loaded whole."""
    dataset = recorded_table(tmp_path)
    for plugin, code in {"analysis_loads": LOADS_ALL, "analysis_batch": LOADS_BY_BATCH, "analysis_lda": BUDGET}.items():
        plugin_on_disk(tmp_path / "mine", plugin, code)
    options: dict[str, Any] = {
        "appdata": tmp_path, "plugin_dirs": [tmp_path / "mine"], "executor": "serial", "policy": "default"
    }  # fmt: skip
    free = run_plugins(dataset, **options)
    assert {p.id: p.status for p in free.plugins}["analysis_loads"] == "ok"
    bound = run_plugins(dataset, assume_rows=2_000_000, **options)
    ended = {p.id: p for p in bound.plugins}
    assert {p: r.status for p, r in ended.items() if r.status != "ok"} == {"analysis_loads": "failed"}
    for words in ("2,000,000 rows of 28 columns", "ctx.dataset_iter_batches()", "raise full_load in the policy"):
        assert words in ended["analysis_loads"].reason
    report = json.loads(bound.files["report.json"].read_text())
    coverage = {p["id"]: p["coverage"] for p in report["plugins"]}
    assert not any("full_loads" in c for c in coverage.values())
    assert report["dataset"]["sampled"] is False
    plan = json.loads((bound.folder / "plan.json").read_text())
    assert (plan["rows"], plan["assumed_rows"], plan["sampled"]) == (dataset.rows, 2_000_000, False)
    budgets = {p["id"]: p["budget"] for p in plan["plugins"]}
    assert budgets["analysis_lda"] == {
        "batch_size": 262_144, "max_cols": 500, "max_pairs": 2000, "max_groups": 2000, "max_windows": 10_000,
        "max_findings": 200, "time_limit_ms": 1_800_000, "cpu_limit_ms": 7_200_000, "memory": 4 << 30,
        "disk": 1 << 30,
    }  # fmt: skip
    units = {p["id"]: p["units"] for p in plan["plugins"]}
    assert units["analysis_lda"] == {
        "rows": 2_000_000, "columns": 28, "pairs": 378, "groups": 2000, "windows": 10_000,
    }  # fmt: skip
