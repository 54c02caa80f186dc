"""SQLite databases: one table, or what a query selects; nothing is ever written, run or loaded."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from toolkit.core.digest import digest_file, digest_value
from toolkit.core.errors import BadInputError
from toolkit.readers.base import Part, ReadOptions, SourceColumn, check_column_count
from toolkit.readers.mixed_values import ColumnType, Mixture, to_arrow
from toolkit.readers.options import TABLE, ReaderOption

if TYPE_CHECKING:
    import pyarrow as pa

_MAGIC = b"SQLite format 3\x00"
_LARGEST_VALUE = 256 << 20
_CELL_BYTES = 64
_FETCHED = 512
_COLUMNS_AT_ONCE = 200
_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE}
_REFUSED_FUNCTIONS = {"load_extension", "fts3_tokenizer", "writefile", "readfile", "edit"}
_KINDS = {"integer": "int", "real": "float", "text": "string", "blob": "binary"}
_DAY, _CLOCK = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*", "[0-9][0-9]:[0-9][0-9]*"

Columns = tuple[tuple[Any, ...], ...]
"""A run of rows, column by column."""


class SqliteReader:
    """SQLite 3."""

    name: ClassVar[str] = "sqlite"
    suffixes: ClassVar[tuple[str, ...]] = (".sqlite", ".sqlite3", ".db", ".db3")
    takes: ClassVar[tuple[ReaderOption, ...]] = (TABLE, ReaderOption("query", "one SELECT"))

    def sniff(self, head: bytes) -> bool:
        """Whether the file has SQLite's mark."""
        return head.startswith(_MAGIC)

    def open(self, path: Path, options: ReadOptions) -> SqliteSource:
        """Open a file; see `toolkit.readers.base.Reader`."""
        return SqliteSource(path, options)


class SqliteSource:
    """One table or query of a database; ``format`` options are ``table`` and ``query``.

    Each value of SQLite has a type of its own. A column whose values have several becomes the narrowest type that holds
    them all without loss: doubles for integers and reals, text with text, bytes with blobs. Text stays text, but where
    the column is declared as a date or time and all its text begins as one, the converter finds out which.
    """

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self._path = path
        self._part_bytes = options.part_bytes
        self._connection = _connect(path)
        try:
            self._select, self.options = self._chosen(options.format)
            self._confine()
            names, declared = self._named(declared=options.format.get("query") is None)
            check_column_count(path, len(names))
            self._types, self._rows = self._look(names, declared)
        except (sqlite3.Error, UnicodeError) as error:
            self.close()
            raise self._explain(error) from error
        except BaseException:
            self.close()
            raise
        self.columns: Sequence[SourceColumn] = [
            SourceColumn(n, d or t.declared, t.infer) for n, d, t in zip(names, declared, self._types, strict=True)
        ]
        self.notes = [t.note for t in self._types if t.note]
        self._done = 0

    def parts(self) -> Iterator[Part]:
        """Runs of rows, in the order of the table's key."""
        self._done = index = 0
        try:
            cursor = self._connection.execute(self._select)
            runs: list[Columns] = []
            size = 0
            while fetched := cursor.fetchmany(_FETCHED):
                run = tuple(zip(*fetched, strict=True))
                runs.append(run)
                size += sum(_column_bytes(c) for c in run)
                if size >= self._part_bytes:
                    yield Part(index, runs, self._done + 1)
                    self._done += sum(len(r[0]) for r in runs)
                    index += 1
                    runs, size = [], 0
            if runs:
                yield Part(index, runs, self._done + 1)
                self._done += sum(len(r[0]) for r in runs)
        except (sqlite3.Error, UnicodeError) as error:
            raise self._explain(error) from error

    def parse(self, part: Part, columns: Sequence[int]) -> pa.Table:
        """Some columns of a run; see `toolkit.readers.base.Source`."""
        import pyarrow as pa

        runs: list[Columns] = part.payload
        try:
            arrays = [to_arrow(list(chain.from_iterable(run[i] for run in runs)), self._types[i]) for i in columns]
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
            raise BadInputError(
                f"{self._path}: its values changed while it was read: {error}",
                "convert it while nobody writes to it; a query must select the same rows each time",
            ) from error
        return pa.table(arrays, [str(i) for i in columns])

    def fingerprint(self) -> str:
        """SHA-256 of the file; with its write-ahead log, where it has one."""
        log = _beside(self._path, "-wal")
        plain = digest_file(self._path)
        return plain if log is None else digest_value([plain, digest_file(log)])

    def progress(self) -> tuple[int, int]:
        """Rows read, rows in all."""
        return self._done, max(self._rows, 1)

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def _confine(self) -> None:
        """From here on the connection can only read, whatever a view or a query says."""

        def may(action: int, first: str | None, second: str | None, *_: str | None) -> int:
            if action == sqlite3.SQLITE_FUNCTION:
                allowed = second not in _REFUSED_FUNCTIONS
            elif action == sqlite3.SQLITE_PRAGMA:
                # full-text tables ask by themselves whether the database has changed
                allowed = first == "data_version" and second is None
            else:
                allowed = action in _ALLOWED
            return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY

        # one transaction for all passes: what others write meanwhile is not seen
        self._connection.execute("BEGIN")
        self._connection.set_authorizer(may)

    def _chosen(self, given: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """The statement that selects the rows, and the options that say so."""
        query = given.get("query")
        if query is not None:
            return str(query).strip().rstrip(";"), {"query": str(query)}
        found = self._connection.execute("SELECT name, type FROM pragma_table_list WHERE schema = 'main'").fetchall()
        kinds = {n: k for n, k in found if not n.startswith("sqlite_")}
        tables = sorted(n for n, k in kinds.items() if k in ("table", "virtual"))
        table = given.get("table")
        if table is None:
            if len(tables) != 1:
                known = ", ".join(map(repr, tables[:20]))
                raise BadInputError(
                    f"{self._path}: {len(tables)} tables, so which one to convert must be said"
                    if tables
                    else f"{self._path}: a database without tables",
                    f"choose with --table one of {known}" if tables else "it needs a table",
                )
            table = tables[0]
        elif table not in kinds:
            known = ", ".join(map(repr, sorted(n for n, k in kinds.items() if k != "shadow")[:20]))
            raise BadInputError(f"{self._path}: no table or view {table!r}", f"there are: {known}")
        return self._ordered(table, kinds[table]), {"table": table}

    def _ordered(self, table: str, kind: str) -> str:
        """A statement that selects a table's rows in an order that no index can change."""
        columns = self._connection.execute("SELECT name, pk, hidden FROM pragma_table_xinfo(?)", (table,)).fetchall()
        shown = ", ".join(_quoted(name) for name, _, hidden in columns if hidden != 1)
        if not shown:
            raise BadInputError(f"{self._path}: the table {table!r} has no columns", "choose another")
        statement = f"SELECT {shown} FROM {_quoted(table)}"  # noqa: S608  names are quoted
        if kind != "table":
            return statement
        without = self._connection.execute(
            "SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?", (table,)
        ).fetchone()
        if without[0]:
            key = [name for _, name in sorted((pk, name) for name, pk, _ in columns if pk)]
            return f"{statement} ORDER BY {', '.join(map(_quoted, key))}"
        taken = {name.lower() for name, _, _ in columns}
        row = next((n for n in ("rowid", "_rowid_", "oid") if n not in taken), "")
        return f"{statement} ORDER BY {row}" if row else statement

    def _named(self, *, declared: bool) -> tuple[list[str], list[str]]:
        """Names of the columns, and the types that the table declares for them."""
        cursor = self._connection.execute(f"SELECT * FROM ({self._select}) LIMIT 0")  # noqa: S608  the person's own
        described = self._connection.execute(self._select).description if not declared else cursor.description
        names = [str(d[0]) for d in described or ()]
        repeated = next((n for i, n in enumerate(names) if n in names[:i]), None)
        if repeated is not None:
            raise BadInputError(
                f"{self._path}: the query selects two columns named {repeated!r}", "rename one of them with AS"
            )
        if not declared:
            return names, [""] * len(names)
        table = self.options["table"]
        self._connection.set_authorizer(None)
        types = dict(self._connection.execute("SELECT name, type FROM pragma_table_xinfo(?)", (table,)).fetchall())
        self._connection.rollback()
        self._confine()
        return names, [str(types.get(name) or "") for name in names]

    def _look(self, names: list[str], declared: list[str]) -> tuple[list[ColumnType], int]:
        """The types of the columns by the storage classes of all their values, and the number of rows."""
        types: list[ColumnType] = []
        rows = 0
        aliases = ", ".join(f"c{i}" for i in range(len(names)))
        for start in range(0, len(names), _COLUMNS_AT_ONCE):
            chosen = range(start, min(start + _COLUMNS_AT_ONCE, len(names)))
            asked = ", ".join(_evidence(i, declared[i]) for i in chosen)
            statement = f"WITH q({aliases}) AS ({self._select}) SELECT count(*), {asked} FROM q"  # noqa: S608
            answer = iter(self._connection.execute(statement).fetchone())
            rows = next(answer)
            for i in chosen:
                mixture = Mixture()
                mixture.counts = {kind: n for kind in _KINDS.values() if (n := next(answer))}
                mixture.exact = not next(answer)
                mixture.times = bool(next(answer))
                types.append(mixture.decide(names[i]))
        return types, rows

    def _explain(self, error: Exception) -> BadInputError:
        text = str(error)
        where = f"{self._path}: "
        if "not authorized" in text or "prohibited" in text or "authorization" in text:
            return BadInputError(f"{where}the query does more than read: {text}", "use a SELECT")
        if "readonly" in text:
            return BadInputError(
                f"{where}a write to it was cut short and waits to be undone",
                "open it once with: sqlite3 FILE .tables",
            )
        if "UTF-8" in text or isinstance(error, UnicodeError):
            return BadInputError(
                f"{where}behind row {self._done if hasattr(self, '_done') else 0:,}: {text[:200]}",
                "the text is not of the database's encoding; select it as CAST(column AS BLOB)",
            )
        if "too big" in text:
            return BadInputError(f"{where}a value of more than {_LARGEST_VALUE:,} bytes", "leave that column out")
        if "locked" in text:
            return BadInputError(f"{where}another program writes to it", "try again when that is done")
        if isinstance(error, sqlite3.OperationalError) and "query" in getattr(self, "options", {}):
            return BadInputError(f"{where}the query fails: {text}", "mend the query: it is one SELECT")
        return BadInputError(
            f"{where}{text}", "get the file again from its origin, or repair it with: sqlite3 .recover"
        )


def _connect(path: Path) -> sqlite3.Connection:
    try:
        with path.open("rb") as stream:
            head = stream.read(100)
    except OSError as error:
        raise BadInputError(f"{path} can't be read: {error.strerror}") from error
    if not head.startswith(_MAGIC) or len(head) < 100:
        raise BadInputError(f"{path} is not a SQLite database", "is it encrypted, cut short, or of another format?")
    _check_size(path, head)
    # A database in write-ahead mode can't be opened for reading without files beside it, except as one that nobody
    # changes; one with a log that is not merged yet must be read together with it.
    log = _beside(path, "-wal")
    if log is not None and not path.with_name(path.name + "-shm").exists():
        raise BadInputError(
            f"{path}: changes in {log.name} were never merged into it",
            "merge them with: sqlite3 FILE 'PRAGMA wal_checkpoint(TRUNCATE)'",
        )
    immutable = "&immutable=1" if head[18] == 2 and log is None else ""
    connection = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode=ro{immutable}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LARGEST_VALUE)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    connection.setlimit(sqlite3.SQLITE_LIMIT_WORKER_THREADS, 0)
    try:
        for setting in ("query_only=ON", "trusted_schema=OFF", "cell_size_check=ON", "mmap_size=0"):
            connection.execute(f"PRAGMA {setting}")
    except sqlite3.Error as error:
        connection.close()
        raise BadInputError(f"{path}: {error}", "get the file again from its origin") from error
    return connection


def _check_size(path: Path, head: bytes) -> None:
    """Refuse a file that is shorter than it says: SQLite takes what its last page lacks for zeros."""
    page = int.from_bytes(head[16:18], "big")
    page = 65_536 if page == 1 else page
    pages = int.from_bytes(head[28:32], "big")
    if head[24:28] != head[92:96]:
        pages = 0  # written by a version that does not keep the number
    size = path.stat().st_size
    if size < pages * page or (page and size % page):
        raise BadInputError(
            f"{path} is cut short: it has {size:,} bytes, and says it has {max(pages, -(-size // page)):,} pages "
            f"of {page:,}",
            "get the file again from its origin",
        )


def _beside(path: Path, suffix: str) -> Path | None:
    """The file of that suffix beside the database, where there is one that is not empty."""
    other = path.with_name(path.name + suffix)
    return other if other.exists() and other.stat().st_size else None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _evidence(index: int, declared: str) -> str:
    """Expressions over a column: values of each storage class, integers that are no doubles, whether text is a time."""
    column = f"c{index}"
    counts = [f"count(CASE WHEN typeof({column}) = '{kind}' THEN 1 END)" for kind in _KINDS]
    # SQLite's way to a double and back stops at 2**63 - 1, and so keeps the largest integers, which are no doubles
    lossy = f"CAST(CAST({column} AS REAL) AS INTEGER) <> {column} OR {column} > {2**63 - 1024}"
    large = f"typeof({column}) = 'integer' AND ({lossy})"
    kind = declared.upper()
    pattern = _DAY if "DATE" in kind or "TIMESTAMP" in kind else _CLOCK if "TIME" in kind else ""
    times = f"min(CASE WHEN typeof({column}) = 'text' THEN {column} GLOB '{pattern}' END)" if pattern else "0"
    return ", ".join([*counts, f"count(CASE WHEN {large} THEN 1 END)", times])


def _column_bytes(values: tuple[Any, ...]) -> int:
    size = _CELL_BYTES * len(values)
    if {str, bytes}.isdisjoint(map(type, values)):
        return size
    return size + sum(len(v) for v in values if v.__class__ is str or v.__class__ is bytes)


PROVIDES = SqliteReader()
