"""Telemetry: rows are kept, and nothing that happens to the file ends a run."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from toolkit.govern import telemetry
from toolkit.govern.telemetry import SCHEMA_VERSION, TaskRow, Telemetry

ROW = TaskRow("r1", "plugin:a", "plugin", "a", "d", "k", 10, 2, 12.5, 11.5, 1 << 20, "ok", "", "2024-01-01T00:00:00Z")


def rows_of(path: Path) -> list[tuple[object, ...]]:
    with sqlite3.connect(path) as connection:
        found = connection.execute("SELECT run_id, task, wall_ms, status FROM tasks ORDER BY id").fetchall()
    connection.close()
    return found


def test_keeps_rows(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "telemetry.sqlite"
    kept = Telemetry(path, pytest.fail)
    kept.record([ROW, replace(ROW, task="plugin:b", plugin="b", wall_ms=3.0)])
    kept.record([replace(ROW, wall_ms=14.5)])
    assert kept.durations("a") == [14.5, 12.5]
    kept.close()
    assert rows_of(path) == [
        ("r1", "plugin:a", 12.5, "ok"),
        ("r1", "plugin:b", 3.0, "ok"),
        ("r1", "plugin:a", 14.5, "ok"),
    ]


def test_the_file_is_strict_and_versioned(tmp_path: Path) -> None:
    path = tmp_path / "t.sqlite"
    kept = Telemetry(path, pytest.fail)
    kept.record([ROW])
    kept.close()
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute("UPDATE tasks SET rows = 'many'")
    connection.close()


def test_many_writers_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "t.sqlite"

    def write(number: int) -> None:
        kept = Telemetry(path, pytest.fail)
        for i in range(20):
            kept.record([replace(ROW, run_id=f"r{number}", task=f"t{i}")])
        kept.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert len(set(rows_of(path))) == 160


def test_a_damaged_file_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "t.sqlite"
    path.write_bytes(b"this is no database at all" * 100)
    warnings: list[str] = []
    kept = Telemetry(path, warnings.append)
    kept.record([ROW])
    kept.close()
    assert len(rows_of(path)) == 1
    assert (tmp_path / "t.sqlite.damaged-1").read_bytes().startswith(b"this is no database")
    assert len(warnings) == 1
    assert "damaged" in warnings[0]


def test_a_newer_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "t.sqlite"
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.execute("CREATE TABLE tasks (other TEXT)")
    connection.close()
    before = path.read_bytes()
    warnings: list[str] = []
    kept = Telemetry(path, warnings.append)
    kept.record([ROW])
    kept.record([ROW])
    assert kept.durations("a") == []
    assert path.read_bytes() == before
    assert len(warnings) == 1
    assert f"version {SCHEMA_VERSION + 1}" in warnings[0]


def test_a_locked_file_costs_one_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "_BUSY_MS", 50)
    path = tmp_path / "t.sqlite"
    first = Telemetry(path, pytest.fail)
    first.record([ROW])
    first.close()
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    warnings: list[str] = []
    kept = Telemetry(path, warnings.append)
    kept.record([ROW])
    kept.record([ROW])
    assert len(warnings) == 1
    assert "locked" in warnings[0]
    holder.execute("ROLLBACK")
    holder.close()


def test_a_folder_that_can_not_be_made_costs_one_warning(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    warnings: list[str] = []
    Telemetry(tmp_path / "file" / "t.sqlite", warnings.append).record([ROW])
    assert len(warnings) == 1


def test_a_deleted_file_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "t.sqlite"
    warnings: list[str] = []
    kept = Telemetry(path, warnings.append)
    kept.record([ROW])
    path.unlink()
    kept.record([ROW])
    kept.close()
