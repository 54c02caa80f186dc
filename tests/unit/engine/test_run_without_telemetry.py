"""A run goes on whatever has become of its telemetry, before it or in the middle of it, and reports the same bytes."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.plugin_on_disk import plugin_on_disk
from tests.store_on_disk import store_on_disk
from toolkit.engine.run_settings import Listeners, RunSettings
from toolkit.engine.runner import carry_out, prepare_run
from toolkit.execute.serial import SerialExecutor
from toolkit.govern import telemetry

CODE = "def run(ctx):\n    return Result({'n': ctx.rows}, [Finding('k', ['x'], 'X is so.', 'Do it.')])\n"


def of_a_newer_version(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.execute("CREATE TABLE tasks (other TEXT)")
    connection.close()


def garbage(path: Path) -> None:
    path.write_bytes(b"no database" * 1000)


def a_folder(path: Path) -> None:
    path.mkdir()


def with_other_tables(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 2")
    connection.execute("CREATE TABLE tasks (other TEXT)")
    connection.close()


def locked(path: Path) -> None:
    made = telemetry.Telemetry(path, pytest.fail)
    made.beat("r", [])
    made.close()
    holder = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    holder.execute("PRAGMA journal_mode = DELETE")
    holder.execute("BEGIN EXCLUSIVE")
    HOLDERS.append(holder)


def deleted(path: Path) -> None:
    for name in path.parent.glob("telemetry.sqlite*"):
        name.unlink()


HOLDERS: list[sqlite3.Connection] = []
BEFORE: list[Callable[[Path], None]] = [of_a_newer_version, garbage, a_folder, with_other_tables, locked]
MIDWAY: list[Callable[[Path], None]] = [deleted, garbage]


def run(place: Path, midway: Callable[[Path], None] | None = None) -> tuple[bytes, list[str]]:
    """Run without kept results; the report and what was warned of."""
    warnings: list[str] = []
    waiting = [] if midway is None else [midway]
    settings = RunSettings(
        appdata=place / "app", plugins=["analysis_*"], plugin_dirs=[place / "mine"], executor="serial", cache=False
    )

    def ended(*_: object) -> None:
        while waiting:
            waiting.pop()(place / "app" / "telemetry.sqlite")

    try:
        report = carry_out(prepare_run(settings), SerialExecutor(), Listeners(warn=warnings.append, plugin=ended))
    finally:
        while HOLDERS:
            HOLDERS.pop().close()
    assert report.status == "ok"
    return report.files["report.json"].read_bytes(), warnings


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(telemetry, "_BUSY_MS", 50)
    monkeypatch.setattr(telemetry, "_BUSY_READING_MS", 20)
    store_on_disk(tmp_path / "app", {"x": np.arange(50.0)}, chunk_rows=20)
    for i in range(3):
        plugin_on_disk(tmp_path / "mine", f"analysis_{i}", CODE.replace("X is so", f"X is {i}"))
    return tmp_path


@pytest.mark.parametrize("spoil", BEFORE)
def test_a_run_begins_without_it(place: Path, spoil: Callable[[Path], None]) -> None:
    expected, _ = run(place)
    deleted(place / "app" / "telemetry.sqlite")
    spoil(place / "app" / "telemetry.sqlite")
    found, warnings = run(place)
    assert found == expected
    assert len(warnings) == 1
    assert "telemetry" in warnings[0]


@pytest.mark.parametrize("spoil", MIDWAY)
def test_a_run_goes_on_without_it(place: Path, spoil: Callable[[Path], None]) -> None:
    expected, _ = run(place)
    found, warnings = run(place, spoil)
    assert found == expected
    assert len(warnings) <= 1
    assert run(place)[0] == expected
