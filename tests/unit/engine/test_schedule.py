"""Runs: what depends on what, what fails alone, what is kept, what is the same bytes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.plugin_on_disk import plugin_on_disk
from tests.store_on_disk import store_on_disk
from toolkit.core.errors import DamagedStoreError, ToolkitError, UsageError
from toolkit.engine import discovery
from toolkit.engine.run_report import RunReport
from toolkit.engine.runner import run_plugins
from toolkit.storage.dataset import Dataset

REPORT = """
import json
def run(ctx):
    return Result(files={"report.json": json.dumps(ctx.report, sort_keys=True).encode()})
"""
KERNEL = """
def run(ctx):
    return Result({c: ctx.kernel("moments", c)["mean"] for c in ctx.columns()})
"""
SUM = """
class Plugin(Reducer):
    def init(self):
        return {"sum": 0.0}
    def update(self, state, chunk):
        return {"sum": state["sum"] + sum(float(chunk[c].sum()) for c in chunk.columns)}
    def merge(self, left, right):
        return {"sum": left["sum"] + right["sum"]}
    def finish(self, state, ctx):
        return Result(state)
"""


class Place:
    """A folder with a store and plugins of a test's own."""

    def __init__(self, folder: Path) -> None:
        self.appdata = folder / "app"
        self.plugins = folder / "shipped"
        rng = np.random.default_rng(1)
        self.dataset: Dataset = store_on_disk(
            self.appdata, {"x": rng.normal(size=500), "y": rng.normal(size=500), "n": np.arange(500)}, chunk_rows=30
        )
        self.add("report_json", REPORT)

    def add(self, plugin: str, code: str, **manifest: Any) -> Path:
        return plugin_on_disk(self.plugins, plugin, code, **manifest)

    def run(self, **options: Any) -> RunReport:
        return run_plugins(self.dataset, appdata=self.appdata, **{"executor": "serial", "policy": "off", **options})


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    made = Place(tmp_path)
    monkeypatch.setattr(discovery, "shipped_plugins", lambda: made.plugins)
    monkeypatch.delenv("TOOLKIT_RESULT_CACHE", raising=False)
    return made


def status(report: RunReport) -> dict[str, str]:
    return {p.id: p.status for p in report.plugins}


def reason(report: RunReport, plugin: str) -> str:
    return next(p.reason for p in report.plugins if p.id == plugin)


def report_bytes(report: RunReport) -> bytes:
    return report.files["report.json"].read_bytes()


def add_all(place: Place) -> None:
    place.add("profile_kernel", KERNEL, columns="numeric", kernels=[{"kernel": "moments"}])
    place.add("analysis_sum", SUM, columns="numeric")
    place.add("analysis_bad", "def run(ctx):\n    raise ValueError(f'no {ctx.rows}')\n")
    place.add("analysis_needs", "def run(ctx):\n    return Result()\n", depends_on=["analysis_bad"])
    place.add(
        "analysis_sees",
        "def run(ctx):\n    return Result({'seen': ctx.result('profile_kernel').data, 'all': sorted(ctx.results)})\n",
        depends_on=["profile_kernel", "type:analysis"],
    )
    place.add("analysis_skips", "def run(ctx):\n    raise Skip('there is no time', 'add one')\n")
    place.add("analysis_dates", "def run(ctx):\n    return Result()\n", columns="time")
    place.add("analysis_random", "def run(ctx):\n    return Result({'r': ctx.rng().random(3).tolist()})\n")


def test_the_same_bytes_for_any_executor_workers_and_cache(place: Place) -> None:
    add_all(place)
    runs = [
        place.run(),
        place.run(),
        place.run(cache=False),
        place.run(cache=False, executor="process", workers=1),
        place.run(cache=False, executor="process", workers=3),
    ]
    assert len({report_bytes(r) for r in runs}) == 1
    assert all(p.cached == (p.status in ("ok", "skipped") and p.id != "analysis_needs") or p.id == "analysis_dates"
               for p in runs[1].plugins)  # fmt: skip
    assert not any(p.cached for p in runs[2].plugins)


def test_partitions_of_a_policy_change_no_byte(place: Place, tmp_path: Path) -> None:
    add_all(place)
    expected = report_bytes(place.run())
    for chunks in (1, 3, 5):
        policy = tmp_path / f"p{chunks}.yaml"
        policy.write_text(f"extends: off\npartition_chunks: {chunks}\n")
        split = place.run(policy=policy, cache=False, executor="process", workers=2)
        assert report_bytes(split) == expected


def test_a_failure_is_its_own_and_its_dependants(place: Place) -> None:
    add_all(place)
    report = place.run()
    assert status(report) == {
        "profile_kernel": "ok",
        "analysis_sum": "ok",
        "analysis_bad": "failed",
        "analysis_needs": "skipped",
        "analysis_sees": "ok",
        "analysis_skips": "skipped",
        "analysis_dates": "skipped",
        "analysis_random": "ok",
        "report_json": "ok",
    }
    assert report.status == "failed"
    assert reason(report, "analysis_bad") == "ValueError: no 500 (plugin.py, line 3)"
    assert (
        reason(report, "analysis_needs")
        == "it needs analysis_bad, which failed: ValueError: no 500 (plugin.py, line 3)"
    )
    assert reason(report, "analysis_skips") == "there is no time; add one"
    assert reason(report, "analysis_dates") == "there is no column of kind time"
    plugins = {p["id"]: p for p in report.report["plugins"]}
    assert plugins["analysis_bad"]["status"] == "failed"
    assert plugins["analysis_sum"]["coverage"]["complete"] is True


def test_crashes_are_failures_of_their_plugins(place: Place) -> None:
    place.add("analysis_dies", "import os\ndef run(ctx):\n    os._exit(3)\n")
    place.add(
        "analysis_forges",
        "import os, struct\ndef run(ctx):\n    os.write(3, struct.pack('<cQ', b'R', 4) + b'abcd')\n    os._exit(0)\n",
    )
    place.add(
        "analysis_lies",
        """
        import os
        from toolkit.core.encoding import encode
        from toolkit.execute.frames import write_frame
        def run(ctx):
            write_frame(3, b"R", encode({"ok": True, "value": {"status": "ok", "result": encode([1])}}))
            os._exit(0)
        """,
    )
    place.add("analysis_well", "def run(ctx):\n    return Result()\n")
    report = place.run(executor="process", workers=2)
    assert status(report) == {
        "analysis_dies": "failed", "analysis_forges": "failed", "analysis_lies": "failed", "analysis_well": "ok",
        "report_json": "ok",
    }  # fmt: skip
    assert reason(report, "analysis_dies").startswith("its process ended without a result (exit code 3)")
    for name in ("analysis_forges", "analysis_lies"):
        assert reason(report, name) == "it handed back bytes that are no result"


def test_a_time_limit_is_told(place: Place, tmp_path: Path) -> None:
    place.add("analysis_sleeps", "import time\ndef run(ctx):\n    time.sleep(30)\n")
    policy = tmp_path / "p.yaml"
    policy.write_text("rules: [{id: analysis_sleeps, caps: {time_limit_ms: 200}}]\n")
    report = place.run(executor="process", policy=policy)
    assert status(report)["analysis_sleeps"] == "timed_out"
    expected = "reached time_limit_ms: 200; lower max_cols to less than 3, or raise the limit"
    assert reason(report, "analysis_sleeps") == expected
    assert report.status == "failed"


def test_a_part_that_fails_fails_the_plugin_once(place: Place, tmp_path: Path) -> None:
    place.add(
        "analysis_sum",
        SUM.replace('return {"sum": state', 'assert chunk.index < 7\n        return {"sum": state'),
        columns="numeric",
    )
    policy = tmp_path / "p.yaml"
    policy.write_text("partition_chunks: 2\n")
    report = place.run(policy=policy, executor="process", workers=2)
    assert status(report)["analysis_sum"] == "failed"
    assert reason(report, "analysis_sum").startswith("AssertionError: ")
    assert len(report.plugins) == 2


def test_a_failed_result_is_not_kept(place: Place) -> None:
    flag = place.appdata / "flag"
    place.add(
        "analysis_once",
        f"import pathlib\ndef run(ctx):\n    assert pathlib.Path({str(flag)!r}).exists()\n    return Result()\n",
    )
    assert status(place.run())["analysis_once"] == "failed"
    flag.touch()
    assert status(place.run())["analysis_once"] == "ok"


def cached(report: RunReport) -> set[str]:
    return {p.id for p in report.plugins if p.cached}


def test_only_what_changed_is_computed_again(place: Place, tmp_path: Path) -> None:
    place.add("profile_a", "def run(ctx):\n    return Result({'a': 1})\n")
    place.add(
        "analysis_b",
        "def run(ctx):\n    return Result({'b': ctx.result('profile_a').data['a']})\n",
        depends_on=["profile_a"],
    )
    place.add(
        "analysis_c",
        "def run(ctx):\n    return Result({'c': ctx.params['k']})\n",
        params={"k": {"type": "int", "default": 1}},
    )
    everything = {"profile_a", "analysis_b", "analysis_c", "report_json"}
    assert cached(place.run()) == set()
    assert cached(place.run()) == everything
    assert cached(place.run(params={"analysis_c": {"k": 2}})) == {"profile_a", "analysis_b", "report_json"}
    assert cached(place.run(seed=1)) == set()
    place.add("profile_a", "def run(ctx):\n    return Result({'a': 1})  # another comment\n")
    assert cached(place.run()) == {"analysis_b", "analysis_c", "report_json"}
    place.add("profile_a", "def run(ctx):\n    return Result({'a': 2})\n")
    assert cached(place.run()) == {
        "analysis_c",
        "report_json",
    }  # whose input, the report's tree, holds no data of these
    policy = tmp_path / "p.yaml"
    policy.write_text("rules: [{id: analysis_c, caps: {max_groups: 3}}]\n")
    assert "analysis_c" not in cached(place.run(policy=policy))


def test_damaged_results_are_computed_again(place: Place) -> None:
    add_all(place)
    expected = report_bytes(place.run())
    for path in (place.appdata / "results").rglob("*.tkr"):
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        data[50] ^= 1
        path.write_bytes(bytes(data))
    again = place.run()
    assert cached(again) == set()
    assert report_bytes(again) == expected


@pytest.mark.parametrize("executor", ["serial", "process"])
def test_a_damaged_chunk_ends_the_run(place: Place, executor: str) -> None:
    place.add("profile_kernel", KERNEL, columns="numeric", kernels=[{"kernel": "moments"}])
    path = place.dataset.location / "y" / "c" / "3"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DamagedStoreError, match="column 'y', chunk 3") as raised:
        place.run(executor=executor)
    assert raised.value.exit_code == 3


def test_two_reports_of_one_file(place: Place) -> None:
    place.add("report_second", REPORT)
    report = place.run()
    assert status(report) == {"report_json": "ok", "report_second": "failed"}
    assert reason(report, "report_second") == "it writes report.json, and so does report_json"


def test_a_run_can_be_gone_on_with(place: Place) -> None:
    add_all(place)
    first = place.run(plugins=["analysis_sum", "profile_kernel"])
    again = run_plugins(appdata=place.appdata, resume=first.run_id, executor="serial")
    assert again.run_id == first.run_id
    assert status(again) == status(first)
    assert report_bytes(again) == report_bytes(first)
    assert cached(again) == set(status(first))


def test_an_unknown_run_is_an_error(place: Place) -> None:
    place.run()
    with pytest.raises(ToolkitError, match="there is no run 'nope'"):
        place.run(resume="nope")


def test_an_unknown_executor_lists_the_known(place: Place) -> None:
    with pytest.raises(UsageError) as raised:
        place.run(executor="cluster")
    assert "process, serial" in raised.value.remedy


def test_nothing_of_time_or_machine_is_in_plan_or_report(place: Place) -> None:
    add_all(place)
    first, second = place.run(cache=False), place.run(cache=False, executor="process", workers=2)
    assert (first.folder / "plan.json").read_bytes() == (second.folder / "plan.json").read_bytes()
    text = report_bytes(first).decode() + (first.folder / "plan.json").read_text()
    for word in ("duration", "worker", "seconds", "host", first.run_id, "pid", "cached"):
        assert word not in text


def test_the_side_file_says_what_it_cost(place: Place) -> None:
    add_all(place)
    report = place.run(executor="process", workers=2)
    side = json.loads((report.folder / "run.json").read_text())
    assert (side["executor"], side["workers"]) == ("process", 2)
    costs = {p["id"]: p for p in side["plugins"]}
    assert costs["analysis_sum"]["duration_ms"] > 0
    assert costs["analysis_sum"]["max_rss"] > 10 << 20
    assert "Traceback" in costs["analysis_bad"]["log"]


def test_a_scan_that_crashes_its_worker_fails_what_needs_it(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the column that brings the worker down; the others of its batch are scanned again, each alone."""
    from toolkit.contain.verdict import Verdict
    from toolkit.execute.base import Limits, Outcome, Task
    from toolkit.execute.serial import SerialExecutor

    place.add("profile_kernel", KERNEL, columns="numeric", kernels=[{"kernel": "moments"}])
    place.add("profile_one", KERNEL, columns="int", kernels=[{"kernel": "moments"}])
    real = SerialExecutor._run

    def crashing(self: SerialExecutor, task: Task) -> Outcome:
        assert isinstance(task.limits, Limits)
        if task.id.startswith("scan") and b"\xa1y" in task.payload:
            return Outcome(task.id, None, Verdict("failed", "crash", "its process crashed (SIGSEGV)"))
        return real(self, task)

    monkeypatch.setattr(SerialExecutor, "_run", crashing)
    report = place.run()
    assert status(report) == {"profile_kernel": "failed", "profile_one": "ok", "report_json": "ok"}
    assert reason(report, "profile_kernel") == "kernel moments on y: its process crashed (SIGSEGV)"


def test_a_run_that_is_killed_is_gone_on_with(place: Place) -> None:
    """At several moments; the report of the resumed run has the bytes of an undisturbed one."""
    add_all(place)
    for i in range(4):
        place.add(
            f"analysis_slow_{i}", f"import time\ndef run(ctx):\n    time.sleep(0.1)\n    return Result({{'i': {i}}})\n"
        )
    expected = report_bytes(place.run(executor="process", workers=2))
    program = (
        "from pathlib import Path\n"
        "from toolkit.engine import discovery\n"
        "from toolkit.engine.runner import run_plugins\n"
        f"discovery.shipped_plugins = lambda: Path({str(place.plugins)!r})\n"
        f"run_plugins(appdata={str(place.appdata)!r}, policy='off', workers=2)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    resumed: list[RunReport] = []
    for delay in (0.0, 0.15, 0.35):
        shutil.rmtree(place.appdata / "results", ignore_errors=True)
        before = set((place.appdata / "runs").iterdir())
        with subprocess.Popen([sys.executable, "-c", program], env=environment) as process:
            while not (new := set((place.appdata / "runs").iterdir()) - before) and process.poll() is None:
                time.sleep(0.005)
            time.sleep(delay)
            process.kill()
        (folder,) = new
        if (folder / "plan.json").exists():  # else it was killed before there was anything to go on with
            resumed.append(run_plugins(appdata=place.appdata, resume=folder.name))
    assert {report_bytes(r) for r in resumed} == {expected}


def test_an_interrupt_ends_the_workers(place: Place) -> None:
    place.add(
        "analysis_sleeps",
        """
        import os, time
        def run(ctx):
            (ctx.scratch / "pid").write_text(str(os.getpid()))
            time.sleep(30)
        """,
    )
    pids: list[int] = []

    def interrupt() -> None:
        deadline = time.monotonic() + 20
        while not pids and time.monotonic() < deadline:
            pids.extend(int(p.read_text() or 0) for p in place.appdata.glob("runs/*/scratch/*/pid"))
        os.kill(os.getpid(), signal.SIGINT)

    (watcher := threading.Thread(target=interrupt)).start()
    with pytest.raises(KeyboardInterrupt):
        place.run(executor="process")
    watcher.join()
    assert not Path(f"/proc/{pids[0]}").exists()
    assert list(place.appdata.glob("runs/*/scratch")) == []
