"""kill -9 of the run, of the process that forks the workers, and of workers, at random moments; then --resume.

Two kills in the quick tests, a dozen in the slow ones; TOOLKIT_TEST_KILLS=40 makes the whole campaign.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.plugin_on_disk import plugin_on_disk
from tests.process_tree import children, is_alive
from tests.store_on_disk import store_on_disk
from toolkit.engine import discovery
from toolkit.engine.runner import run_plugins

SUM = """
import time
class Plugin(Reducer):
    passes = 2
    def init(self):
        return {"sum": 0.0}
    def update(self, state, chunk):
        time.sleep(0.01)
        return {"sum": state["sum"] + sum(float(chunk[c].sum()) for c in chunk.columns)}
    def merge(self, left, right):
        return {"sum": left["sum"] + right["sum"]}
    def finish(self, state, ctx):
        return Result({**state, "before": self.former})
"""
MEANS = "def run(ctx):\n    return Result({c: ctx.kernel('order', c)['quantiles'] for c in ctx.columns()})\n"
SLOW = """
import time
def run(ctx):
    time.sleep(0.08)
    return Result({{"n": {n}, "r": ctx.rng().random(3).tolist()}}, [Finding("k", ["x"], "X is {n}.", "Do it.")])
"""
REPORT = """
import json
def run(ctx):
    data = {name: result.data for name, result in ctx.results.items()}
    return Result(files={"report.json": json.dumps([ctx.report, data], sort_keys=True).encode()})
"""
POLICY = "partition_chunks: 4\n"
VICTIMS = ("run", "run", "zygote", "worker", "worker")


class Place:
    """A folder with a store, a policy and plugins of all sorts."""

    def __init__(self, folder: Path) -> None:
        self.appdata, self.plugins, self.policy = folder / "app", folder / "plugins", folder / "policy.yaml"
        self.policy.write_text(POLICY)
        rng = np.random.default_rng(1)
        store_on_disk(self.appdata, {"x": rng.normal(size=500), "y": rng.normal(size=500)}, chunk_rows=30)
        plugin_on_disk(self.plugins, "profile_means", MEANS, columns="numeric", kernels=[{"kernel": "order"}])
        plugin_on_disk(self.plugins, "analysis_sum", SUM, columns="numeric", passes=2)
        for n in range(4):
            plugin_on_disk(self.plugins, f"analysis_slow_{n}", SLOW.format(n=n))
        plugin_on_disk(self.plugins, "report_json", REPORT, depends_on=["type:analysis", "type:profile"])
        self.program = (
            "from pathlib import Path\n"
            "from toolkit.engine import discovery\n"
            "from toolkit.engine.runner import run_plugins\n"
            f"discovery.shipped_plugins = lambda: Path({str(self.plugins)!r})\n"
            f"run_plugins(appdata={str(self.appdata)!r}, policy={str(self.policy)!r}, workers=2)\n"
        )

    def begin(self) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        return subprocess.Popen([sys.executable, "-c", self.program], env=environment, stderr=subprocess.PIPE)

    def forget(self) -> None:
        """Everything but the store and telemetry."""
        for name in ("runs", "results"):
            shutil.rmtree(self.appdata / name, ignore_errors=True)

    def resume(self) -> bytes:
        """Go on with what there is, or begin anew where there is nothing yet; the report."""
        plans = list((self.appdata / "runs").glob("*/plan.json"))
        known = plans[0].parent.name if plans else ""
        report = run_plugins(appdata=self.appdata, policy=self.policy, workers=2, resume=known)
        assert report.status == "ok"
        return report.files["report.json"].read_bytes()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    made = Place(tmp_path)
    monkeypatch.setattr(discovery, "shipped_plugins", lambda: made.plugins)
    monkeypatch.delenv("TOOLKIT_RESULT_CACHE", raising=False)
    return made


def kill(process: subprocess.Popen[bytes], victim: str) -> set[int]:
    """Kill the run or one that descends from it; all that descended from it."""
    zygotes = children(process.pid)
    workers = [p for z in zygotes for p in children(z)]
    chosen = {"run": [process.pid], "zygote": zygotes, "worker": workers}[victim] or [process.pid]
    with contextlib.suppress(ProcessLookupError):
        os.kill(chosen[0], signal.SIGKILL)
    return {*zygotes, *workers}


def campaign(place: Place, kills: int, seed: int) -> None:
    rng = random.Random(seed)
    place.forget()
    began = time.monotonic()
    with place.begin() as process:
        assert process.wait() == 0
    length = time.monotonic() - began
    expected = place.resume()
    for number in range(kills):
        place.forget()
        victim = VICTIMS[number % len(VICTIMS)]
        with place.begin() as process:
            time.sleep(rng.uniform(0.1, 1.0) * length)
            family = kill(process, victim)
            process.communicate(timeout=60)
        deadline = time.monotonic() + 10
        while any(map(is_alive, family)) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not [p for p in family if is_alive(p)], victim
        assert place.resume() == expected, (number, victim)


def test_a_run_that_is_killed_gives_the_same_report_when_it_is_gone_on_with(place: Place) -> None:
    campaign(place, int(os.environ.get("TOOLKIT_TEST_KILLS", "2")), seed=1)


@pytest.mark.slow
def test_a_dozen_kills(place: Place) -> None:
    campaign(place, 12, seed=2)
