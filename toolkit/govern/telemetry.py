"""What each task cost, kept in a local SQLite file; docs/telemetry.md describes its tables.

A run never fails for the sake of its telemetry: a file that is locked, damaged or of a newer version is left alone
or set aside, with one warning.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.govern.telemetry_schema import (
    SCHEMA_VERSION,
    Heartbeat,
    NewerTelemetryError,
    PluginRow,
    TaskRow,
    bring_up,
    check_version,
    insert_into,
)

if TYPE_CHECKING:
    import sqlite3  # at run time only where it is used: the run begins without waiting for it

_BUSY_MS = 10_000
_BUSY_READING_MS = 500
_AGAIN_SECONDS = 0.01
_STALE_SECONDS = 7 * 86_400
"""After so long a heartbeat is that of a run that was killed."""
_INSERT = {row: insert_into(table, row) for table, row in (("tasks", TaskRow), ("plugins", PluginRow))}
_INSERT_BEAT = insert_into("heartbeats", Heartbeat)


class Telemetry:
    """The file of one appdata folder, for writing; used by one thread.

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

    def record(self, rows: Iterable[TaskRow | PluginRow]) -> None:
        """Add rows, in one transaction; never raises."""
        self._write([(_INSERT[type(row)], astuple(row)) for row in rows])

    def beat(self, run_id: str, running: Iterable[Heartbeat]) -> None:
        """Replace the heartbeats of a run, in one transaction; never raises."""
        rows = list(running)
        work: list[tuple[str, tuple[Any, ...]]] = [("DELETE FROM heartbeats WHERE run_id = ?", (run_id,))]
        work += [(_INSERT_BEAT, astuple(row)) for row in rows]
        if rows:
            oldest = min(row.seen for row in rows) - _STALE_SECONDS
            work.append(("DELETE FROM heartbeats WHERE seen < ?", (oldest,)))
        self._write(work)

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _write(self, statements: Sequence[tuple[str, tuple[Any, ...]]]) -> None:
        if self._off:
            return
        import sqlite3

        try:
            connection = self._open()
            connection.execute("BEGIN IMMEDIATE")
            for statement, values in statements:
                connection.execute(statement, values)
            connection.execute("COMMIT")
        except (sqlite3.Error, OSError, NewerTelemetryError) as error:
            self._give_up(f"telemetry is off for this run: {self._path}: {error}")

    def _open(self) -> sqlite3.Connection:
        import sqlite3

        if self._connection is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._connection = _connect_in_turn(self._path)
            except sqlite3.OperationalError:
                raise
            except sqlite3.DatabaseError as error:
                aside = _set_aside(self._path)
                self._warn(f"{self._path} is damaged ({error}); it is kept as {aside.name}, and a new one was begun")
                self._connection = _connect_in_turn(self._path)
        return self._connection

    def _give_up(self, text: str) -> None:
        self._off = True
        self.close()
        self._warn(text)


def read_telemetry(path: Path, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Rows of a query, without making or changing anything; none when the file can't be read, whatever the reason.

    A file of an older version gives no rows until a run has brought it up to this one.
    """
    if not path.exists():
        return []
    import sqlite3

    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", timeout=_BUSY_READING_MS / 1000, uri=True)
        try:
            if check_version(connection) < SCHEMA_VERSION:
                return []
            return connection.execute(query, values).fetchall()
        finally:
            connection.close()
    except (sqlite3.Error, OSError, NewerTelemetryError):
        return []


def heartbeats(path: Path, run_id: str) -> list[Heartbeat]:
    """The tasks of a run that are running; none when the file can't be read."""
    query = (
        "SELECT run_id, task, plugin, phase, done, total, rss, started, seen FROM heartbeats "
        "WHERE run_id = ? ORDER BY started, task"
    )
    return [Heartbeat(*row) for row in read_telemetry(path, query, (run_id,))]


def _connect_in_turn(path: Path) -> sqlite3.Connection:
    """Connect, waiting where SQLite does not: it answers at once while another makes the file a WAL or ends one."""
    import sqlite3

    end = time.monotonic() + _BUSY_MS / 1000
    while True:
        try:
            return _connect(path)
        except sqlite3.OperationalError as error:
            if (
                error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
                or time.monotonic() > end
            ):
                raise
        time.sleep(_AGAIN_SECONDS)


def _connect(path: Path) -> sqlite3.Connection:
    import sqlite3

    connection = sqlite3.connect(path, timeout=_BUSY_MS / 1000, isolation_level=None)
    try:
        connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        check_version(connection)  # before anything that writes
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        bring_up(connection)
        connection.execute("SELECT failure FROM tasks LIMIT 1").fetchall()
    except BaseException:
        connection.close()
        raise
    return connection


def _set_aside(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    path.rename(aside)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    return aside
