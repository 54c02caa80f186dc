"""The tables of the telemetry file: what a row holds, and how an older file becomes one of this version."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from toolkit.core.errors import ToolkitError

if TYPE_CHECKING:
    import sqlite3  # at run time only where it is used: the run begins without waiting for it

SCHEMA_VERSION = 2

_TASKS_1 = """
CREATE TABLE tasks (
    id INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL,
    task TEXT NOT NULL,
    kind TEXT NOT NULL,
    plugin TEXT NOT NULL,
    code_digest TEXT NOT NULL,
    store_key TEXT NOT NULL,
    rows INTEGER NOT NULL,
    columns INTEGER NOT NULL,
    wall_ms REAL NOT NULL,
    cpu_ms REAL NOT NULL,
    max_rss INTEGER NOT NULL,
    status TEXT NOT NULL,
    reason TEXT NOT NULL,
    started TEXT NOT NULL
) STRICT
"""
_TO_1 = (_TASKS_1, "CREATE INDEX tasks_by_plugin ON tasks (plugin, code_digest)")
_PLUGINS_2 = """
CREATE TABLE plugins (
    id INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL,
    plugin TEXT NOT NULL,
    code_digest TEXT NOT NULL,
    store_key TEXT NOT NULL,
    rows INTEGER NOT NULL,
    columns INTEGER NOT NULL,
    wall_ms REAL NOT NULL,
    cpu_ms REAL NOT NULL,
    max_rss INTEGER NOT NULL,
    tasks INTEGER NOT NULL,
    executor TEXT NOT NULL,
    status TEXT NOT NULL,
    ended TEXT NOT NULL
) STRICT
"""
_HEARTBEATS_2 = """
CREATE TABLE heartbeats (
    run_id TEXT NOT NULL,
    task TEXT NOT NULL,
    plugin TEXT NOT NULL,
    phase TEXT NOT NULL,
    done INTEGER NOT NULL,
    total INTEGER NOT NULL,
    rss INTEGER NOT NULL,
    started REAL NOT NULL,
    seen REAL NOT NULL,
    PRIMARY KEY (run_id, task)
) STRICT
"""
# Version 1 did not say when a plugin was through; a run that was cut short is among them, and medians bear that.
_PLUGINS_FROM_1 = """
INSERT INTO plugins (run_id, plugin, code_digest, store_key, rows, columns, wall_ms, cpu_ms, max_rss, tasks, executor,
                     status, ended)
SELECT run_id, plugin, code_digest, store_key, rows, columns, sum(wall_ms), sum(cpu_ms), max(max_rss), count(*), '',
       'ok', max(started)
FROM tasks WHERE kind = 'plugin' GROUP BY run_id, plugin, code_digest, store_key, rows, columns
HAVING sum(status <> 'ok') = 0 ORDER BY min(id)
"""
_TO_2 = (
    "ALTER TABLE tasks ADD COLUMN executor TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE tasks ADD COLUMN predicted_ms REAL",
    "ALTER TABLE tasks ADD COLUMN predicted_rss INTEGER",
    "ALTER TABLE tasks ADD COLUMN failure TEXT NOT NULL DEFAULT ''",
    _PLUGINS_2,
    "CREATE INDEX plugins_by_plugin ON plugins (plugin, code_digest)",
    _HEARTBEATS_2,
    _PLUGINS_FROM_1,
)
_STEPS = (_TO_1, _TO_2)
"""What leads from each version to the next; the first from an empty file."""


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One task.

    Attributes
    ----------
    run_id, task : str
        The run, and the task in it.
    kind : str
        ``plugin`` or ``scan``.
    plugin : str
        Id of the plugin; ``kernels`` for a scan.
    code_digest : str
        Of the plugin's, or the kernels', code.
    store_key : str
        The table.
    rows, columns : int
        Rows of the table, and columns that the task was about.
    wall_ms, cpu_ms : float
        Milliseconds.
    max_rss : int
        Peak resident bytes of its process.
    status, reason : str
        How it ended, and why so.
    started : str
        UTC, ISO 8601.
    executor : str
        What carried it out. ``max_rss`` of ``serial`` is the peak of the whole run.
    predicted_ms, predicted_rss : float and int, or None
        What was expected of it before it began.
    failure : str
        JSON of the failure's record; empty where there is none.
    """

    run_id: str
    task: str
    kind: str
    plugin: str
    code_digest: str
    store_key: str
    rows: int
    columns: int
    wall_ms: float
    cpu_ms: float
    max_rss: int
    status: str
    reason: str
    started: str
    executor: str = ""
    predicted_ms: float | None = None
    predicted_rss: int | None = None
    failure: str = ""


@dataclass(frozen=True, slots=True)
class PluginRow:
    """What a plugin that was computed in a run took, in all its tasks together.

    Attributes
    ----------
    run_id, plugin, code_digest, store_key, rows, columns
        As in `TaskRow`.
    wall_ms, cpu_ms : float
        Sums over its tasks, milliseconds.
    max_rss : int
        Peak resident bytes of any of its processes.
    tasks : int
        Number of its tasks.
    executor, status : str
        What carried it out, and how it ended.
    ended : str
        UTC, ISO 8601.
    """

    run_id: str
    plugin: str
    code_digest: str
    store_key: str
    rows: int
    columns: int
    wall_ms: float
    cpu_ms: float
    max_rss: int
    tasks: int
    executor: str
    status: str
    ended: str


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A task that is running, as it was last heard of.

    Attributes
    ----------
    run_id, task, plugin : str
        The run, the task in it, and the plugin; ``kernels`` for a scan.
    phase : str
        What it is doing, such as ``pass 1 of 2, part 3 of 8``; empty where there is nothing to say.
    done, total : int
        How far it says it is: of chunks, or of rows for a scan; 0 and 0 when it has said nothing.
    rss : int
        Resident bytes of its process.
    started, seen : float
        Seconds since 1970, UTC.
    """

    run_id: str
    task: str
    plugin: str
    phase: str
    done: int
    total: int
    rss: int
    started: float
    seen: float


class NewerTelemetryError(ToolkitError):
    """The file was written by a newer version."""


def insert_into(table: str, row: type) -> str:
    """The statement that adds a row of a dataclass to the table of the same columns."""
    names = [f.name for f in fields(row)]
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608  own names


def check_version(connection: sqlite3.Connection) -> int:
    """The version of a file; 0 for an empty one.

    Raises
    ------
    NewerTelemetryError
        When this toolkit does not know it.
    """
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > SCHEMA_VERSION:
        raise NewerTelemetryError(f"it has version {version}; this toolkit knows up to {SCHEMA_VERSION}")
    return version


def bring_up(connection: sqlite3.Connection) -> None:
    """Give an empty or older file the tables of this version in one transaction, unless another was quicker."""
    if check_version(connection) == SCHEMA_VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in _STEPS[check_version(connection) :]:
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
