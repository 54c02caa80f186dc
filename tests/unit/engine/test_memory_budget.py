"""Memory of a run: what would not fit together runs one after the other; what fits nowhere is refused beforehand."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import toolkit.run
from tests.plugin_on_disk import plugin_on_disk
from tests.process_tree import children, resident
from tests.store_on_disk import store_on_disk
from toolkit.core.code import code_digest
from toolkit.core.errors import BudgetError
from toolkit.engine import discovery
from toolkit.engine.run_report import RunReport
from toolkit.engine.runner import run_plugins
from toolkit.govern import workers
from toolkit.govern.telemetry import Telemetry, read_telemetry
from toolkit.govern.telemetry_schema import PluginRow

MIB = 1 << 20
HUNGRY = """
import time
import numpy
def run(ctx):
    held = numpy.ones(150 << 17)
    time.sleep(0.25)
    return Result({"sum": float(held.sum())})
"""
LIMIT = 520 * MIB
"""For all tasks together: two that take 150 MiB and what a worker takes by itself, not three."""


class Place:
    """A folder with a store and plugins of a test's own."""

    def __init__(self, folder: Path) -> None:
        self.appdata, self.plugins = folder / "app", folder / "plugins"
        self.dataset = store_on_disk(self.appdata, {"x": np.arange(100.0)})

    def add(self, name: str, code: str = HUNGRY, **manifest: Any) -> Path:
        return plugin_on_disk(self.plugins, name, code, **manifest)

    def run(self, **options: Any) -> RunReport:
        chosen = {"executor": "process", "workers": 4, "policy": "off", "cache": False, **options}
        return run_plugins(self.dataset, appdata=self.appdata, **chosen)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    made = Place(tmp_path)
    monkeypatch.setattr(discovery, "shipped_plugins", lambda: made.plugins)
    monkeypatch.setattr(workers, "available_memory", lambda: LIMIT * 100 // 80)
    return made


class Watched:
    """Samples the resident memory of all that descends from this process."""

    def __init__(self) -> None:
        self.peak = self.most = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Watched:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.003):
            # This process forked the zygote; what the zygote forked are the tasks.
            sizes = [resident(p) for zygote in children(os.getpid()) for p in children(zygote)]
            self.peak = max(self.peak, sum(sizes))
            self.most = max(self.most, sum(size > 150 * MIB for size in sizes))


def test_what_manifests_declare_keeps_the_first_run_within_the_limit(place: Place) -> None:
    for i in range(4):
        place.add(f"analysis_hungry_{i}", memory="160MiB")
    with Watched() as seen:
        report = place.run()
    assert report.status == "ok"
    assert 1 <= seen.most <= 2
    assert seen.peak <= LIMIT
    side = json.loads((report.folder / "run.json").read_text())
    assert side["memory"]["limit"] == LIMIT
    assert 150 * MIB < side["memory"]["peak_of_tasks"] <= LIMIT


def test_history_keeps_later_runs_within_the_limit(place: Place) -> None:
    """Manifests that say nothing, so that the first run overdoes it; the next one knows better."""
    for i in range(4):
        place.add(f"analysis_hungry_{i}")
    first = place.run()
    with Watched() as seen:
        second = place.run()
    assert 1 <= seen.most <= 2
    assert seen.peak <= LIMIT
    side = json.loads((second.folder / "run.json").read_text())
    predicted = side["plugins"][0]["predicted_rss"]
    assert (predicted["basis"], predicted["runs"]) == ("history", 1)
    assert predicted["low"] <= side["plugins"][0]["max_rss"] <= predicted["high"]
    assert [p.status for p in first.plugins] == [p.status for p in second.plugins]
    rows = read_telemetry(place.appdata / "telemetry.sqlite", "SELECT predicted_rss, max_rss FROM tasks ORDER BY id")
    assert rows[-1][0] > rows[0][0]


def test_one_that_needs_more_than_half_runs_alone(place: Place) -> None:
    timed = """
    import time
    def run(ctx):
        begin = time.monotonic()
        time.sleep(0.05)
        return Result({"span": [begin, time.monotonic()]})
    """
    told = """
    import json
    def run(ctx):
        spans = {name: result.data["span"] for name, result in ctx.results.items()}
        return Result(files={"spans.json": json.dumps(spans).encode()})
    """
    place.add("report_spans", told, depends_on=["type:analysis"])
    place.add("analysis_hog", timed, memory="300MiB")
    for i in range(3):
        place.add(f"analysis_small_{i}", timed)
    spans = json.loads(place.run().files["spans.json"].read_bytes())
    begin, end = spans.pop("analysis_hog")
    assert len(spans) == 3
    assert all(e <= begin or b >= end for b, e in spans.values())


def remember(place: Place, plugin: Path, rss: int) -> None:
    """Write a history in which a plugin took so much."""
    kept = Telemetry(place.appdata / "telemetry.sqlite", pytest.fail)
    row = PluginRow("r", plugin.name, code_digest(plugin), "k", 100, 1, 10.0, 10.0, rss, 1, "process", "ok", "then")
    kept.record([row] * 5)
    kept.close()


def test_what_is_certain_not_to_fit_is_refused_before_anything_is_written(place: Place) -> None:
    remember(place, place.add("analysis_hungry_0"), 4 * LIMIT)
    with pytest.raises(BudgetError) as raised:
        place.run()
    assert raised.value.exit_code == 4
    assert "analysis_hungry_0 is expected to take at least" in raised.value.message
    assert "memory_share leaves 520 MiB" in raised.value.message
    assert not (place.appdata / "runs").exists()
    # Other code may need less: it is tried, alone.
    place.add("analysis_hungry_0", "def run(ctx):\n    return Result({'small': True})\n")
    assert place.run().status == "ok"


def test_plan_only_says_the_verdicts(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.add("analysis_fits")
    place.add("analysis_alone", memory="300MiB")
    place.add("analysis_dates", columns="time")
    command = ["--appdata", str(place.appdata), "--plan-only", "--executor", "serial"]
    (place.appdata.parent / "p.yaml").write_text(
        "max_memory: 10GiB\nrules:\n  - {id: '*_too_much', caps: {memory: 1GiB}}\n"
    )
    command += ["--policy", str(place.appdata.parent / "p.yaml")]
    place.add("analysis_too_much", memory="2GiB")
    assert toolkit.run.main([*command, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert {p["id"]: p["verdict"] for p in printed["plugins"]} == {
        "analysis_fits": "fits", "analysis_alone": "runs alone", "analysis_dates": None, "analysis_too_much": "refused"
    }  # fmt: skip
    by_id = {p["id"]: p for p in printed["plugins"]}
    assert by_id["analysis_too_much"]["reason"] == "it needs 2,048 MiB, and memory of the policy is 1,024 MiB"
    for estimate in (by_id["analysis_fits"]["predicted"][name] for name in ("wall_ms", "memory")):
        assert estimate["low"] <= estimate["value"] <= estimate["high"]
    assert (printed["memory_limit"], printed["memory_limited_by"]) == (LIMIT, "memory_share")
    assert printed["predicted_seconds"]["value"] > 0
    remember(place, place.plugins / "analysis_fits", 4 * LIMIT)
    assert toolkit.run.main(command) == 4
    text = capsys.readouterr().out
    assert "refused: memory_share leaves 520 MiB" in text
    assert "analysis_too_much: refused, it needs 2,048 MiB" in text
    assert not (place.appdata / "runs").exists()


def test_the_policys_own_limit_skips_with_the_reason(place: Place) -> None:
    """By manifest and policy alone, so that the report is the same on every machine."""
    place.add("analysis_too_much", memory="2GiB")
    policy = place.appdata.parent / "p.yaml"
    policy.write_text("max_memory: 1GiB\n")
    with pytest.raises(BudgetError, match="nothing can run within the budget: analysis_too_much: it needs 2,048 MiB"):
        place.run(policy=policy)
    place.add("analysis_fits", "def run(ctx):\n    return Result()\n")
    plugins = {p.id: (p.status, p.reason) for p in place.run(policy=policy).plugins}
    assert plugins["analysis_fits"] == ("ok", "")
    assert plugins["analysis_too_much"] == ("skipped", "it needs 2,048 MiB, and max_memory of the policy is 1,024 MiB")


def test_one_that_asks_for_nothing_heavy_does_not_wait_for_scans(place: Place) -> None:
    """It ends before the scans that only the other needs, when it is known to be short."""
    place.add("profile_scans", "def run(ctx):\n    return Result()\n", kernels=[{"kernel": "order"}], columns="numeric")
    quick = place.add("analysis_quick", "def run(ctx):\n    return Result()\n")
    remember(place, quick, 30 * MIB)
    place.add("profile_quick", "def run(ctx):\n    return Result()\n", cost={"rows": 0, "ns": 1})
    report = place.run(workers=1)
    query = "SELECT task FROM tasks WHERE run_id = ? ORDER BY id"
    ended = [row[0] for row in read_telemetry(place.appdata / "telemetry.sqlite", query, (report.run_id,))]
    assert ended.index("plugin:profile_quick") < ended.index("plugin:profile_scans")
    first_scan = next(i for i, task in enumerate(ended) if task.startswith("scan"))
    assert set(ended[:first_scan]) == {"plugin:analysis_quick", "plugin:profile_quick"}
