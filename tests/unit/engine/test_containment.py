"""Enforcement that a policy asks for, what is told of it, and whose word ends a run."""

from __future__ import annotations

import json
import resource
from pathlib import Path

import numpy as np
import pytest

import toolkit.execute.process
import toolkit.run
from tests.plugin_on_disk import plugin_on_disk
from tests.store_on_disk import store_on_disk
from toolkit.contain.lockdown import missing_layers
from toolkit.contain.rules import ContainmentError
from toolkit.core.errors import DamagedStoreError
from toolkit.engine import discovery
from toolkit.engine.run_report import RunReport
from toolkit.engine.runner import run_plugins
from toolkit.govern.policy import load_policy

contained = pytest.mark.skipif(bool(missing_layers()), reason="; ".join(missing_layers()) or "all layers are there")

REPORT = """
import json
def run(ctx):
    return Result(files={"report.json": json.dumps(ctx.report, sort_keys=True).encode()})
"""


class Place:
    """A table and plugins of a test's own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.appdata, self.plugins = folder, folder / "app", folder / "shipped"
        self.dataset = store_on_disk(self.appdata, {"x": np.arange(300.0), "y": np.arange(300.0)}, chunk_rows=30)
        plugin_on_disk(self.plugins, "report_json", REPORT)
        plugin_on_disk(self.plugins, "analysis_well", "def run(ctx):\n    return Result({'n': ctx.rows})\n")

    def run(self, executor: str, policy: str = "", workers: int = 2) -> RunReport:
        path = self.folder / "policy.yaml"
        path.write_text(policy or "partition_chunks: 64\n")
        return run_plugins(
            self.dataset, appdata=self.appdata, executor=executor, policy=path, cache=False, workers=workers
        )


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    made = Place(tmp_path)
    monkeypatch.setattr(discovery, "shipped_plugins", lambda: made.plugins)
    return made


def test_what_is_required_and_can_not_be_had_is_refused_before_anything_starts(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(
        ContainmentError, match="the executor 'serial' runs plugins in the process of the run"
    ) as raised:
        place.run("serial", "enforcement: required")
    assert raised.value.exit_code == 4
    command = [str(place.dataset.location), "--appdata", str(place.appdata), "--executor", "serial"]
    assert toolkit.run.main([*command, "--policy", str(place.folder / "policy.yaml")]) == 4
    assert "enforcement: best-effort" in capsys.readouterr().err
    monkeypatch.setattr(toolkit.execute.process, "missing_layers", lambda: ("this kernel has no Landlock",))
    with pytest.raises(ContainmentError, match="this kernel has no Landlock"):
        place.run("process", "enforcement: required")
    assert not (place.appdata / "runs").exists()


@contained
def test_the_report_is_the_same_and_the_side_file_says_what_was_in_force(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    reports = {e: place.run(e) for e in ("serial", "process")}
    assert len({r.files["report.json"].read_bytes() for r in reports.values()}) == 1
    told = {e: json.loads((r.folder / "run.json").read_text())["enforcement"] for e, r in reports.items()}
    assert told["process"] == {"asked": "best-effort", "in_force": "kernel", "missing": []}
    assert (told["serial"]["in_force"], len(told["serial"]["missing"])) == ("none", 1)
    assert place.run("process", "enforcement: advisory").enforcement["in_force"] == "advisory"
    command = [str(place.dataset.location), "--appdata", str(place.appdata), "--executor", "serial"]
    assert toolkit.run.main([*command, "--no-cache"]) == 0
    assert "plugins were contained in part only: the executor 'serial'" in capsys.readouterr().err


def test_a_policy_can_only_ask_for_what_there_is(place: Place) -> None:
    assert load_policy().enforcement == load_policy("off").enforcement == "best-effort"
    path = place.folder / "mine.yaml"
    path.write_text("extends: default\nenforcement: required\n")
    assert load_policy(str(path)).enforcement == "required"
    path.write_text("summary: of mine\nenforcement: strict\n")
    with pytest.raises(Exception, match=r"mine.yaml.*2.*enforcement takes one of required, best-effort, advisory"):
        load_policy(str(path))


READS = """
def run(ctx):
    try:
        return Result({"sum": float(sum(chunk["y"].sum() for chunk in ctx.chunks()))})
    except Exception:
        return Result()
"""


@pytest.mark.parametrize("executor", ["serial", "process"])
def test_a_plugin_that_meets_damage_ends_the_run_whatever_it_makes_of_it(place: Place, executor: str) -> None:
    plugin_on_disk(place.plugins, "analysis_reads", READS)
    path = place.dataset.location / "y" / "c" / "3"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(DamagedStoreError, match="column 'y', chunk 3"):
        place.run(executor)


CLAIMS = """
from toolkit.core.errors import DamagedStoreError
def run(ctx):
    raise DamagedStoreError("all is lost", column={column!r}, chunk={chunk})
"""


@pytest.mark.parametrize(("column", "chunk"), [("y", 3), ("y", 99), ("y", None), ("no such", 0), ("", None)])
def test_a_plugin_that_claims_damage_fails_alone(place: Place, column: str, chunk: int | None) -> None:
    plugin_on_disk(place.plugins, "analysis_claims", CLAIMS.format(column=column, chunk=chunk))
    report = place.run("serial")
    found = {p.id: p for p in report.plugins}
    assert found["analysis_well"].status == "ok"
    assert "is damaged, and that is not so" in found["analysis_claims"].reason


LIMITS = """
import resource
def run(ctx):
    names = ("DATA", "CPU", "FSIZE", "CORE")
    return Result({n: resource.getrlimit(getattr(resource, f"RLIMIT_{n}"))[0] for n in names})
"""


@contained
def test_the_limits_of_a_budget_are_in_force_in_the_process(place: Place) -> None:
    code = LIMITS.replace("return Result(", "raise ValueError(")
    plugin_on_disk(place.plugins, "analysis_limits", code)
    report = place.run(
        "process", "rules: [{caps: {memory: 1GiB, cpu_limit_ms: 5500, disk: 3MiB, time_limit_ms: 9000}}]"
    )
    said = next(p.reason for p in report.plugins if p.id == "analysis_limits")
    assert f"{{'DATA': {1 << 30}, 'CPU': 6, 'FSIZE': {3 << 20}, 'CORE': 0}}" in said
    assert resource.getrlimit(resource.RLIMIT_CORE)  # and none of it in this process
    assert resource.getrlimit(resource.RLIMIT_DATA)[0] != 1 << 30


@contained
def test_a_small_table_that_stands_for_two_million_rows_is_held_to_the_limits_of_those(place: Place) -> None:
    plugin_on_disk(place.plugins, "analysis_limits", LIMITS.replace("return Result(", "raise ValueError("))
    for rows, seconds in ((None, 1800), (2_000_000, 7200)):
        report = run_plugins(
            place.dataset, appdata=place.appdata, executor="process", policy="default", cache=False, assume_rows=rows
        )
        said = next(p.reason for p in report.plugins if p.id == "analysis_limits")
        assert f"{{'DATA': {4 << 30}, 'CPU': {seconds}, 'FSIZE': {1 << 30}, 'CORE': 0}}" in said


def test_of_parts_that_fail_the_first_in_the_order_of_the_rows_is_told(place: Place) -> None:
    code = """
    import time
    class Plugin(Reducer):
        def init(self):
            return {}
        def update(self, state, chunk):
            if chunk.index == 2:
                time.sleep(0.3)
            assert chunk.index < 2, f"chunk {chunk.index}"
            return state
        def merge(self, left, right):
            return left
        def finish(self, state, ctx):
            return Result()
    """
    plugin_on_disk(place.plugins, "analysis_parts", code)
    for executor, workers in (("process", 1), ("process", 4), ("serial", 1)):
        report = place.run(executor, "partition_chunks: 1\n", workers)
        found = next(p for p in report.plugins if p.id == "analysis_parts")
        assert found.failure is not None
        assert (found.failure.phase, found.failure.chunk) == ("pass 1, part 3", 2)
        assert "chunk 2" in found.reason
