"""What each task cost, kept in a local SQLite file; docs/telemetry.md describes its table.

A run never fails for the sake of its telemetry: a file that is locked, damaged or of a newer version is left alone
or set aside, with one warning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.core.errors import ToolkitError

if TYPE_CHECKING:
    import sqlite3  # at run time only where it is used: the run begins without waiting for it

SCHEMA_VERSION = 1
_BUSY_MS = 10_000
_CREATE = """
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
_INDEX = "CREATE INDEX tasks_by_plugin ON tasks (plugin, code_digest)"


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


_NAMES = ", ".join(f.name for f in fields(TaskRow))
_INSERT = f"INSERT INTO tasks ({_NAMES}) VALUES ({', '.join('?' * len(fields(TaskRow)))})"  # noqa: S608  own names only


class Telemetry:
    """The file of one appdata folder; used by one thread.

    Parameters
    ----------
    path : Path
        The file; made on first use.
    warn : callable
        Hears, at most once, why telemetry is off for this run.
    """

    def __init__(self, path: Path, warn: Callable[[str], None]) -> None:
        self._path = path
        self._warn = warn
        self._connection: sqlite3.Connection | None = None
        self._off = False

    def record(self, rows: Iterable[TaskRow]) -> None:
        """Add rows, in one transaction; never raises."""
        if self._off:
            return
        import sqlite3

        try:
            connection = self._open()
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(_INSERT, [astuple(row) for row in rows])
            connection.execute("COMMIT")
        except (sqlite3.Error, OSError, NewerTelemetryError) as error:
            self._give_up(f"telemetry is off for this run: {self._path}: {error}")

    def durations(self, plugin: str) -> list[float]:
        """Wall milliseconds of the plugin's tasks that ended well, the latest first; never raises."""
        if self._off or not self._path.exists():
            return []
        import sqlite3

        query = "SELECT wall_ms FROM tasks WHERE plugin = ? AND status = 'ok' ORDER BY id DESC LIMIT 50"
        try:
            return [float(row[0]) for row in self._open().execute(query, (plugin,))]
        except (sqlite3.Error, OSError, NewerTelemetryError) as error:
            self._give_up(f"telemetry can't be read: {self._path}: {error}")
            return []

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> sqlite3.Connection:
        import sqlite3

        if self._connection is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._connection = _connect(self._path)
            except sqlite3.OperationalError:
                raise
            except sqlite3.DatabaseError as error:
                aside = _set_aside(self._path)
                self._warn(f"{self._path} is damaged ({error}); it is kept as {aside.name}, and a new one was begun")
                self._connection = _connect(self._path)
        return self._connection

    def _give_up(self, text: str) -> None:
        self._off = True
        self.close()
        self._warn(text)


class NewerTelemetryError(ToolkitError):
    """The file was written by a newer version."""


def _connect(path: Path) -> sqlite3.Connection:
    import sqlite3

    connection = sqlite3.connect(path, timeout=_BUSY_MS / 1000, isolation_level=None)
    try:
        connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            raise NewerTelemetryError(f"it has version {version}; this toolkit knows up to {SCHEMA_VERSION}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        if version < SCHEMA_VERSION:
            _create(connection)
        connection.execute(f"SELECT {_NAMES} FROM tasks LIMIT 1").fetchall()  # noqa: S608  own names only
    except BaseException:
        connection.close()
        raise
    return connection


def _create(connection: sqlite3.Connection) -> None:
    """Make the table, unless another process was quicker."""
    connection.execute("BEGIN IMMEDIATE")
    if connection.execute("PRAGMA user_version").fetchone()[0] < SCHEMA_VERSION:
        connection.execute(_CREATE)
        connection.execute(_INDEX)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")


def _set_aside(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    path.rename(aside)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    return aside
