"""Scans of values that don't fit in memory: the same report from disk, nothing left of it, and a full disk named."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.faults.disks import resize
from tests.plugin_on_disk import plugin_on_disk
from tests.process_tree import children
from tests.store_on_disk import store_on_disk
from toolkit.engine import discovery
from toolkit.engine.run_report import RunReport
from toolkit.engine.runner import run_plugins

ROWS = 60_000
READS = """
from toolkit.core.encoding import encode
def run(ctx):
    cap = {cap}
    data = {{c: ctx.kernel("order", c, cap=cap) for c in ("whole", "real")}}
    data["text"] = ctx.kernel("text_order", "text", cap=cap)
    return Result({{"found": encode(data).hex()}})
"""
REPORT = """
import json
def run(ctx):
    found = {name: r.data for name, r in ctx.results.items()}
    return Result(files={"report.txt": json.dumps(found, sort_keys=True).encode()})
"""
FITS = 1 << 21


class Place:
    """A folder with a table of different values, and a plugin that asks for their order."""

    def __init__(self, folder: Path, appdata: Path) -> None:
        self.appdata, self.plugins, self.policy = appdata, folder / "plugins", folder / "policy.yaml"
        rng = np.random.default_rng(1)
        columns = {
            "whole": rng.integers(-(2**62), 2**62, ROWS),
            "real": rng.normal(size=ROWS),
            "text": [f"{v:x}" for v in rng.integers(0, 2**62, ROWS).tolist()],
            "small": rng.integers(0, 9, ROWS),
        }
        self.dataset = store_on_disk(appdata, columns, chunk_rows=2_000)
        self.policy.write_text("partition_chunks: 4\n")
        well = "def run(ctx):\n    return Result({'n': ctx.kernel('order', 'small')['distinct']})\n"
        plugin_on_disk(self.plugins, "analysis_well", well, columns="int", kernels=[{"kernel": "order"}])
        plugin_on_disk(self.plugins, "report_all", REPORT, depends_on=["type:analysis"])

    def ask(self, cap: int) -> None:
        """Have the plugin keep so many values in memory."""
        asked = [
            {"kernel": name, "columns": columns, "params": {"cap": cap}}
            for name, columns in (("order", "numeric"), ("text_order", "text"))
        ]
        plugin_on_disk(self.plugins, "analysis_order", READS.format(cap=cap), columns="any", kernels=asked)

    def run(self, workers: int = 2, executor: str = "process") -> RunReport:
        options = {"appdata": self.appdata, "policy": self.policy, "cache": False}
        return run_plugins(self.dataset, workers=workers, executor=executor, **options)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    made = Place(tmp_path, tmp_path / "app")
    monkeypatch.setattr(discovery, "shipped_plugins", lambda: made.plugins)
    return made


def _scratch_files(appdata: Path) -> list[Path]:
    return [p for folder in (appdata / "runs").glob("*/scratch") for p in folder.rglob("*") if p.is_file()]


def test_the_report_is_that_of_values_in_memory(place: Place) -> None:
    place.ask(FITS)
    held = place.run()
    assert held.status == "ok", [p.reason for p in held.plugins]
    expected = held.files["report.txt"].read_bytes()
    place.ask(1_000)
    for workers, executor in ((1, "process"), (2, "process"), (1, "serial")):
        report = place.run(workers, executor)
        assert report.status == "ok"
        assert report.files["report.txt"].read_bytes() == expected
        assert not list((report.folder).glob("scratch*/*"))


def test_a_full_disk_fails_only_who_needs_it(small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(tmp_path, small_disk / "app")
    monkeypatch.setattr(discovery, "shipped_plugins", lambda: place.plugins)
    place.ask(1_000)
    used = sum(p.stat().st_blocks * 512 for p in small_disk.rglob("*"))
    resize(small_disk, f"size={used + 500_000}")
    summaries = {p.id: p for p in place.run().plugins}
    assert summaries["analysis_well"].status == "ok"
    assert summaries["analysis_order"].status == "failed"
    assert "the disk does not take" in summaries["analysis_order"].reason
    assert "No space left on device" in summaries["analysis_order"].reason
    resize(small_disk, "size=64m")
    assert place.run().status == "ok"


def test_a_kill_leaves_no_file(place: Place) -> None:
    place.ask(1_000)
    program = (
        "from pathlib import Path\n"
        "from toolkit.engine import discovery\n"
        "from toolkit.kernels import spill\n"
        "import time\n"
        "written = spill.Spill.write\n"
        "def slow(self, array):\n"
        "    time.sleep(0.005)\n"
        "    return written(self, array)\n"
        "spill.Spill.write = slow\n"
        "from toolkit.engine.runner import run_plugins\n"
        f"discovery.shipped_plugins = lambda: Path({str(place.plugins)!r})\n"
        f"run_plugins(appdata={str(place.appdata)!r}, policy={str(place.policy)!r}, workers=2)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", program], env=environment, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 30
        while not _spilling(process.pid) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        assert process.poll() is None, "it ended before it wrote anything"
        assert _spilling(process.pid)
        assert not _scratch_files(place.appdata)  # what is written has no name from the start
        os.kill(process.pid, signal.SIGKILL)
    assert place.run().status == "ok"


def _spilling(run: int) -> bool:
    """Whether a worker of a run has a file without a name open in which there is something."""
    workers = [w for z in children(run) for w in children(z)]
    for worker in workers:
        try:
            for entry in Path(f"/proc/{worker}/fd").iterdir():
                target = str(entry.readlink())
                if "/scratch/scans/" in target and target.endswith("(deleted)") and entry.stat().st_size:
                    return True
        except OSError:
            continue
    return False
