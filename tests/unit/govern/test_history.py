"""What is read of earlier runs: of each plugin and code the latest, of scans the pace."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from toolkit.govern.history import plugin_history, scan_pace
from toolkit.govern.predict import MOST_OBSERVATIONS, Observation
from toolkit.govern.telemetry import Telemetry
from toolkit.govern.telemetry_schema import PluginRow, TaskRow

ROW = PluginRow("r1", "a", "d", "k", 10, 2, 12.5, 11.5, 1 << 20, 1, "process", "ok", "then")
SCAN = TaskRow("r", "scan:1.0", "scan", "kernels", "d", "k", 10, 2, 30.0, 9.0, 1, "ok", "", "then", "process", 10.0)


def kept(path: Path, rows: list[PluginRow | TaskRow]) -> Path:
    telemetry = Telemetry(path, pytest.fail)
    telemetry.record(rows)
    telemetry.close()
    return path


def test_the_latest_of_each_plugin_and_code_that_went_well(tmp_path: Path) -> None:
    many = [replace(ROW, code_digest="old", wall_ms=float(i)) for i in range(2 * MOST_OBSERVATIONS)]
    failed, other = replace(ROW, status="failed"), replace(ROW, plugin="b", executor="serial", columns=0)
    path = kept(tmp_path / "t.sqlite", [*many, ROW, failed, other])
    found = plugin_history(path, ["a", "b", *(f"x{i}" for i in range(1200))])
    assert set(found) == {"a", "b"}
    assert found["a"][0] == Observation(20, 12.5, 1 << 20, "d")
    assert [o.wall_ms for o in found["a"][1:]] == [float(i) for i in range(59, 29, -1)]
    # Peak memory of the serial executor is that of the whole run, so it says nothing of one plugin.
    assert found["b"] == [Observation(10, 12.5, 0, "d")]


def test_the_pace_of_scans_is_a_median_of_the_same_code(tmp_path: Path) -> None:
    rows = [replace(SCAN, wall_ms=w) for w in (10.0, 20.0, 900.0)]
    rows += [replace(SCAN, code_digest="old"), replace(SCAN, predicted_ms=None), replace(SCAN, status="failed")]
    path = kept(tmp_path / "t.sqlite", list(rows))
    assert scan_pace(path, "d") == 2.0
    assert scan_pace(path, "new") is None


def test_nothing_is_known_without_a_file(tmp_path: Path) -> None:
    assert plugin_history(tmp_path / "none", ["a"]) == {}
    assert scan_pace(tmp_path / "none", "d") is None
    assert list(tmp_path.iterdir()) == []
