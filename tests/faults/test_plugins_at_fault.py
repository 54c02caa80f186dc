"""A run with every kind of plugin that misbehaves: each ends in its verdict, alone, and leaves nothing behind."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from tests.faults.misdeeds import MISDEEDS, REDUCER
from tests.plugin_on_disk import plugin_on_disk
from tests.store_on_disk import store_on_disk
from toolkit.contain.lockdown import missing_layers
from toolkit.engine import discovery
from toolkit.engine.run_report import PluginSummary, RunReport
from toolkit.engine.run_settings import Listeners, RunSettings
from toolkit.engine.runner import carry_out, prepare_run
from toolkit.execute.process import ProcessExecutor

MISSING = "; ".join(missing_layers())
pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(MISSING), reason=MISSING or "all layers are there")]

REPORT = """
import json
def run(ctx):
    return Result(files={"report.json": json.dumps(ctx.report, sort_keys=True).encode()})
"""
WELL = {
    "profile_well": """
def run(ctx):
    return Result({"columns": [{"name": c, "mean": ctx.kernel("moments", c)["mean"]} for c in ctx.columns("numeric")]})
""",
    "analysis_well": """
def run(ctx):
    total = float(sum(chunk["x"].sum() for chunk in ctx.chunks()))
    found = Finding("total", ["x"], f"The sum is {total}.", "Keep x.", evidence={"total": total})
    return Result({"total": total}, [found])
""",
    "analysis_reduces": REDUCER,
    "analysis_writes": """
def run(ctx):
    (ctx.scratch / "kept").write_bytes(bytes(100))
    return Result({"size": (ctx.scratch / "kept").stat().st_size})
""",
}


class Arena:
    """A table, plugins, and runs with and without those that misbehave."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.appdata, self.plugins = base / "app", base / "plugins"
        rng = np.random.default_rng(1)
        self.dataset = store_on_disk(self.appdata, {"x": rng.normal(size=400), "n": np.arange(400)}, chunk_rows=40)
        plugin_on_disk(self.plugins, "report_json", REPORT)
        for name, code in WELL.items():
            kernels = [{"kernel": "moments"}] if name.startswith("profile") else []
            plugin_on_disk(self.plugins, name, code, columns="numeric", kernels=kernels)
        rules = []
        for name, misdeed in MISDEEDS.items():
            plugin_on_disk(self.plugins, f"{misdeed.type}_bad_{name}", misdeed.code, columns="numeric")
            if misdeed.caps:
                rules.append({"id": f"*_bad_{name}", "caps": misdeed.caps})
        self.policy = base / "policy.yaml"
        self.policy.write_text(yaml.safe_dump({"partition_chunks": 2, "enforcement": "required", "rules": rules}))
        self.zygotes: list[int] = []

    def run(self, workers: int, *plugins: str) -> RunReport:
        settings = RunSettings(
            self.dataset, self.appdata, plugins, policy=str(self.policy), workers=workers, cache=False
        )
        executor = ProcessExecutor()
        self.zygotes.append(executor._pid)
        try:
            return carry_out(prepare_run(settings), executor, Listeners())
        finally:
            executor.close()

    def fingerprint(self) -> dict[str, tuple[Any, ...]]:
        """All files that no run has to do with."""
        own = [self.appdata / name for name in ("runs", "results", "telemetry.sqlite")]
        found = {}
        for path in sorted(self.base.rglob("*")):
            if not any(path.is_relative_to(o) or path.name.startswith("telemetry") for o in own):
                state = path.lstat()
                content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
                # Telemetry comes and goes beside the runs.
                times = 0 if path == self.appdata else state.st_mtime_ns
                found[str(path)] = (state.st_mode, times, state.st_nlink, content)
        return found


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    made = Arena(tmp_path_factory.mktemp("arena"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(discovery, "shipped_plugins", lambda: made.plugins)
        patch.delenv("TOOLKIT_RESULT_CACHE", raising=False)
        yield made


@pytest.fixture(scope="module")
def undisturbed(arena: Arena) -> RunReport:
    return arena.run(2, *WELL, "report_json")


@pytest.fixture(scope="module")
def report(arena: Arena, undisturbed: RunReport) -> RunReport:
    before = arena.fingerprint()
    made = arena.run(3)
    assert arena.fingerprint() == before
    return made


def summary(report: RunReport, plugin: str) -> PluginSummary:
    return next(p for p in report.plugins if p.id == plugin)


@pytest.mark.parametrize("name", MISDEEDS)
def test_a_misdeed_ends_in_its_verdict(report: RunReport, name: str) -> None:
    misdeed = MISDEEDS[name]
    found = summary(report, f"{misdeed.type}_bad_{name}")
    record = found.failure
    assert record is not None, found
    assert (found.status, record.cause, record.phase) == (misdeed.status, misdeed.cause, misdeed.phase), found
    assert (record.signal, record.limit) == (misdeed.signal, misdeed.limit)
    assert misdeed.reason in found.reason
    assert record.chunk == misdeed.chunk
    assert record.remedy or misdeed.cause in ("error", "no_result")


def test_the_others_have_the_results_of_an_undisturbed_run(
    arena: Arena, report: RunReport, undisturbed: RunReport
) -> None:
    trees = [json.loads(r.files["report.json"].read_bytes()) for r in (report, undisturbed)]
    entries = [[p for p in t["plugins"] if p["id"] in WELL] for t in trees]
    assert len(entries[0]) == len(WELL)
    assert entries[0] == entries[1]
    assert (trees[0]["findings"], trees[0]["columns"]) == (trees[1]["findings"], trees[1]["columns"])


def test_the_report_tells_of_failures_and_is_the_same_for_any_number_of_workers(
    arena: Arena, report: RunReport
) -> None:
    again = arena.run(1)
    assert again.files["report.json"].read_bytes() == report.files["report.json"].read_bytes()
    told = {p["id"]: p for p in json.loads(report.files["report.json"].read_bytes())["plugins"]}
    for name, misdeed in MISDEEDS.items():
        if misdeed.type == "analysis":
            failure = told[f"analysis_bad_{name}"]["failure"]
            assert (failure["cause"], failure["phase"]) == (misdeed.cause, misdeed.phase)
            assert str(arena.appdata) not in json.dumps(told[f"analysis_bad_{name}"])


def test_nothing_is_left(arena: Arena, report: RunReport) -> None:
    assert not list(arena.appdata.glob("runs/*/scratch"))
    assert not list(arena.base.rglob("escaped"))
    assert not Path("/tmp/contained-elsewhere").exists()
    sessions = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        sessions[int(stat.parent.name)] = int(fields[3])
    assert [pid for pid, session in sessions.items() if session in arena.zygotes] == []


def test_what_was_in_force_is_told(report: RunReport) -> None:
    said = json.loads((report.folder / "run.json").read_text())
    assert said["enforcement"] == {"asked": "required", "in_force": "kernel", "missing": []}
    assert json.loads(report.files["report.json"].read_bytes())["enforcement"] == "required"
    record = next(p for p in said["plugins"] if p["id"] == "analysis_bad_floods_its_log")["failure"]
    assert "y" * 1000 in record["log"]
    assert record["rss"] > 1 << 20
