"""A run as a command, watched from outside: its status, its heartbeats, and the memory of all its processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import toolkit.status
from tests.plugin_on_disk import plugin_on_disk
from tests.process_tree import resident_tree
from tests.store_on_disk import store_on_disk
from toolkit.engine.run_folder import RunFolder
from toolkit.govern.telemetry import heartbeats
from toolkit.storage.appdata import AppData

MIB = 1 << 20
HUNGRY = """
import time
import numpy
def run(ctx):
    held = numpy.ones(150 << 17)
    time.sleep(0.3)
    return Result({"sum": float(held.sum())})
"""
STEPS = """
import time
def run(ctx):
    for done in range(40):
        ctx.progress(done, 40)
        time.sleep(0.1)
    return Result()
"""


@pytest.fixture
def place(tmp_path: Path) -> AppData:
    """An appdata folder with a store; plugins go into the folder beside it."""
    store_on_disk(tmp_path / "app", {"x": np.arange(100.0)})
    return AppData(tmp_path / "app")


def begin(place: AppData, *args: str, plugins: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "toolkit.run", "--appdata", str(place.root), "--plugins", plugins]
    command += ["--plugin-dir", str(place.root.parent / "mine"), *args]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TOOLKIT_")}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)


def test_all_processes_together_stay_within_the_policys_limit(place: AppData) -> None:
    """Four that allocate 150 MiB each, four workers, and a limit for two of them beside the harness."""
    for i in range(4):
        plugin_on_disk(place.root.parent / "mine", f"analysis_hungry_{i}", HUNGRY, memory="160MiB")
    policy = place.root.parent / "p.yaml"
    policy.write_text("max_memory: 740MiB\n")
    peak = 0
    with begin(place, "--policy", str(policy), "--workers", "4", plugins="analysis_hungry_*") as process:
        while process.poll() is None:
            peak = max(peak, resident_tree(process.pid))
            time.sleep(0.005)
        assert process.stderr is not None
        said = process.stderr.read()
    assert process.returncode == 0, said
    assert 300 * MIB < peak <= 740 * MIB
    assert "(max_memory)" in said


def test_status_from_another_process(place: AppData, capsys: pytest.CaptureFixture[str]) -> None:
    plugin_on_disk(place.root.parent / "mine", "analysis_steps", STEPS)
    plugin_on_disk(place.root.parent / "mine", "analysis_dates", STEPS, columns="time")
    with begin(place, "--workers", "1", plugins="analysis_steps,analysis_dates") as process:
        deadline = time.monotonic() + 60
        found: dict[str, object] = {}
        while time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.1)
            if not place.runs.exists() or not any(place.runs.glob("*/state.json")):
                continue
            found = toolkit.status.run_status(RunFolder.find(place.runs), place)
            tasks = found["tasks"]
            assert isinstance(tasks, list)
            if any(task["done"] for task in tasks):
                break
        assert toolkit.status.main(["--appdata", str(place.root)]) == 0
        text = capsys.readouterr().out
        assert "analysis_steps  chunk" in text
        assert "left (" in text
        process.kill()
    assert (found["state"], found["running"], found["skipped"]) == ("running", 1, 1)
    assert found["expected_plugins_executable"] == 2
    (task,) = tasks
    assert (task["plugin"], task["total"]) == ("analysis_steps", 40)
    assert task["rss"] > 5 * MIB
    assert isinstance(found["eta_minutes"], float)
    folder = RunFolder.find(place.runs)
    deadline = time.monotonic() + 10
    while folder.is_live() and time.monotonic() < deadline:
        time.sleep(0.01)
    after = toolkit.status.run_status(folder, place)
    assert (after["state"], after["eta_minutes"], after["tasks"]) == ("interrupted", None, [])
    assert heartbeats(place.telemetry, folder.run_id)  # of a run that was killed: nobody took them away
