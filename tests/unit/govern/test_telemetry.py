"""Telemetry: rows are kept, and nothing that happens to the file ends a run."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from toolkit.govern import telemetry
from toolkit.govern.telemetry import Telemetry, heartbeats, read_telemetry
from toolkit.govern.telemetry_schema import SCHEMA_VERSION, Heartbeat, PluginRow, TaskRow

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
    assert read_telemetry(path, "SELECT * FROM tasks") == []
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


VERSION_1 = """
CREATE TABLE tasks (id INTEGER PRIMARY KEY, run_id TEXT NOT NULL, task TEXT NOT NULL, kind TEXT NOT NULL,
    plugin TEXT NOT NULL, code_digest TEXT NOT NULL, store_key TEXT NOT NULL, rows INTEGER NOT NULL,
    columns INTEGER NOT NULL, wall_ms REAL NOT NULL, cpu_ms REAL NOT NULL, max_rss INTEGER NOT NULL,
    status TEXT NOT NULL, reason TEXT NOT NULL, started TEXT NOT NULL) STRICT;
CREATE INDEX tasks_by_plugin ON tasks (plugin, code_digest);
INSERT INTO tasks VALUES
    (1, 'r1', 'plugin:a', 'plugin', 'a', 'd', 'k', 10, 2, 5.0, 4.0, 100, 'ok', '', 'then'),
    (2, 'r1', 'plugin:a:0.0', 'plugin', 'a', 'd', 'k', 10, 2, 7.0, 4.0, 300, 'ok', '', 'then'),
    (3, 'r1', 'plugin:b', 'plugin', 'b', 'd', 'k', 10, 2, 7.0, 4.0, 100, 'failed', 'so', 'then'),
    (4, 'r1', 'scan:0', 'scan', 'kernels', 'd', 'k', 10, 2, 7.0, 4.0, 100, 'ok', '', 'then');
PRAGMA user_version = 1;
"""


def version_1(path: Path) -> Path:
    connection = sqlite3.connect(path)
    connection.executescript(VERSION_1)
    connection.close()
    return path


def test_a_file_of_version_1_is_brought_up(tmp_path: Path) -> None:
    path = version_1(tmp_path / "t.sqlite")
    assert read_telemetry(path, "SELECT 1") == []
    kept = Telemetry(path, pytest.fail)
    kept.record([replace(ROW, failure='{"limit": 1}', predicted_ms=3.0, predicted_rss=4, executor="process")])
    kept.close()
    assert read_telemetry(path, "SELECT id, failure, predicted_ms, executor FROM tasks ORDER BY id")[-2:] == [
        (4, "", None, ""),
        (5, '{"limit": 1}', 3.0, "process"),
    ]
    query = "SELECT run_id, plugin, wall_ms, max_rss, tasks, status FROM plugins"
    assert read_telemetry(path, query) == [("r1", "a", 12.0, 300, 2, "ok")]


def test_many_bring_a_file_up_at_the_same_time(tmp_path: Path) -> None:
    path = version_1(tmp_path / "t.sqlite")

    def write(number: int) -> None:
        kept = Telemetry(path, pytest.fail)
        kept.record([replace(ROW, run_id=f"r{number}")])
        kept.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert read_telemetry(path, "SELECT count(*) FROM tasks") == [(12,)]
    assert read_telemetry(path, "SELECT count(*) FROM plugins") == [(1,)]


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = version_1(tmp_path / "t.sqlite")
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE plugins (in_the_way TEXT)")
    connection.close()
    warnings: list[str] = []
    kept = Telemetry(path, warnings.append)
    kept.record([ROW])
    kept.record([ROW])
    assert len(warnings) == 1
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    assert "failure" not in {row[1] for row in connection.execute("PRAGMA table_info(tasks)")}
    connection.close()


def test_heartbeats_are_those_of_now(tmp_path: Path) -> None:
    path = tmp_path / "t.sqlite"
    kept = Telemetry(path, pytest.fail)
    first = Heartbeat("r1", "plugin:a", "a", "", 1, 4, 1 << 20, 100.0, 101.0)
    other = replace(first, run_id="r0", seen=101.0 - 8 * 86_400)
    kept.beat("r0", [other])
    kept.beat("r1", [first, replace(first, task="scan:1.0", started=99.0)])
    assert [beat.task for beat in heartbeats(path, "r1")] == ["scan:1.0", "plugin:a"]
    assert heartbeats(path, "r0") == []  # of a run that was killed a week ago
    kept.beat("r1", [replace(first, done=2)])
    assert heartbeats(path, "r1") == [replace(first, done=2)]
    kept.beat("r1", [])
    assert heartbeats(path, "r1") == []
    kept.close()


def test_plugin_rows_stand_beside_task_rows(tmp_path: Path) -> None:
    path = tmp_path / "t.sqlite"
    kept = Telemetry(path, pytest.fail)
    kept.record([ROW, PluginRow("r1", "a", "d", "k", 10, 2, 12.5, 11.5, 1 << 20, 3, "process", "ok", "now")])
    kept.close()
    assert read_telemetry(path, "SELECT plugin, tasks FROM plugins") == [("a", 3)]


@pytest.mark.parametrize("content", [None, b"", b"no database" * 100])
def test_reading_what_can_not_be_read_gives_nothing(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "t.sqlite"
    if content is not None:
        path.write_bytes(content)
    assert read_telemetry(path, "SELECT * FROM tasks") == []
    assert heartbeats(path, "r1") == []
    assert path.exists() == (content is not None)
