"""What plugins cost, added up from telemetry."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import pytest

from toolkit.core.errors import BadInputError
from toolkit.engine.hotspots import costs_markdown, read_costs
from toolkit.govern.telemetry import TaskRow, Telemetry
from toolkit.storage.appdata import AppData

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "perf_hotspots.py"


def task(run: str, number: int, plugin: str, **values: object) -> TaskRow:
    facts = {
        "kind": "scan" if plugin == "kernels" else "plugin", "code_digest": "d", "store_key": "k", "rows": 1000,
        "columns": 2, "wall_ms": 2.0, "cpu_ms": 1.0, "max_rss": 1 << 20, "status": "ok", "reason": "", "started": "now",
    }  # fmt: skip
    return TaskRow(run_id=run, task=f"t{number}", plugin=plugin, **{**facts, **values})  # type: ignore[arg-type]


@pytest.fixture
def place(tmp_path: Path) -> AppData:
    appdata = AppData(tmp_path / "appdata")
    kept = Telemetry(appdata.telemetry, pytest.fail)
    kept.record(
        [
            task("r1", 1, "kernels", columns=1, cpu_ms=3.0),
            task("r1", 2, "kernels", columns=3, cpu_ms=3.0, max_rss=5 << 20),
            task("r1", 3, "analysis_a"),
            task("r1", 4, "analysis_a", cpu_ms=2.0),
            task("r1", 5, "analysis_b", status="failed", cpu_ms=1e9),
            task("r2", 6, "analysis_a", rows=500, cpu_ms=1.0, max_rss=3 << 20),
        ]
    )
    kept.close()
    folder = appdata.runs / "r1"
    folder.mkdir(parents=True)
    (folder / "plan.json").write_text(json.dumps({"columns": 6}))
    (folder / "run.json").write_text(
        json.dumps({"host": {"system": "Linux-6.1.2-my-build", "cores": 2, "python": "3.13.1"}})
    )
    return appdata


def test_costs_are_added_up(place: AppData) -> None:
    costs = read_costs(place)
    assert (costs.runs, costs.machines) == (2, ["Linux 6.1, 2 cores, Python 3.13.1"])
    assert costs.tables == ["1,000 x 6", "500 rows"]
    kernels, plugin = costs.hotspots
    assert (kernels.name, kernels.tasks, kernels.cpu_ms, kernels.values) == ("kernels", 2, 6.0, 6000)
    assert (plugin.name, plugin.runs, plugin.tasks, plugin.cpu_ms) == ("analysis_a", 2, 3, 4.0)
    assert (plugin.values, plugin.max_rss) == (1000 * 2 + 500 * 2, 3 << 20)
    text = costs_markdown(costs)
    assert "| `kernels` | 60.0 % | 6 | 4 | 1,000.0 | 5 | 2 | 1 |" in text
    assert "| `analysis_a` | 40.0 % | 4 | 6 | 1,333.3 | 3 | 3 | 2 |" in text


def test_nothing_to_read_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="there is no telemetry"):
        read_costs(AppData(tmp_path))
    (tmp_path / "telemetry.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(BadInputError, match="can't be read"):
        read_costs(AppData(tmp_path))
    (tmp_path / "telemetry.sqlite").unlink()
    kept = Telemetry(tmp_path / "telemetry.sqlite", pytest.fail)
    kept.record([task("r", 1, "analysis_a", status="failed")])
    kept.close()
    with pytest.raises(BadInputError, match="no task that ended well"):
        read_costs(AppData(tmp_path))


def test_the_script_writes_the_page(place: AppData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.md"
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), "--appdata", str(place.root), "--out", str(page)])
    with pytest.raises(SystemExit) as raised:
        runpy.run_path(str(SCRIPT), run_name="__main__")
    assert raised.value.code == 0
    assert page.read_text() == costs_markdown(read_costs(place))
