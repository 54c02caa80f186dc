"""SQLite databases."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.source_reading import damaged, notes_of, open_source, read_or_refuse, read_rows, read_table
from toolkit.core.errors import BadInputError


def database(folder: Path, *statements: str, rows: Sequence[tuple[Any, ...]] = (), name: str = "t.sqlite") -> Path:
    """A database made by these statements, with rows put into its table ``t``."""
    path = folder / name
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    if rows:
        connection.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(rows[0]))})", rows)
    connection.commit()
    connection.close()
    return path


def listing(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


@pytest.mark.parametrize(
    ("declared", "values", "kind", "expected"),
    [
        ("INTEGER", [1, None, -(2**63)], pa.int64(), [1, None, -(2**63)]),
        ("REAL", [1, 2.5, None], pa.float64(), [1.0, 2.5, None]),
        ("", [1, 2.5], pa.float64(), [1.0, 2.5]),
        ("", [2**60, 2.5], pa.float64(), [2.0**60, 2.5]),
        ("", [2**53 + 1, 2.5], pa.string(), ["9007199254740993", "2.5"]),
        ("", [2**63 - 1, 2.5], pa.string(), ["9223372036854775807", "2.5"]),
        ("TEXT", ["007", "NA", None], pa.string(), ["007", "NA", None]),
        ("", [1, "x", 0.1], pa.string(), ["1", "x", "0.1"]),
        ("BLOB", [b"\0\xff", None], pa.binary(), [b"\0\xff", None]),
        ("", [b"\xff", "é", 7], pa.binary(), [b"\xff", "é".encode(), b"7"]),
        ("", [None, None], pa.null(), [None, None]),
    ],
)
def test_a_column_has_the_type_that_holds_all_its_values(
    tmp_path: Path, declared: str, values: list[Any], kind: pa.DataType, expected: list[Any]
) -> None:
    path = database(tmp_path, f"CREATE TABLE t (a {declared})", rows=[(v,) for v in values])
    found = read_table(path).column("a")
    assert found.type == kind
    assert found.to_pylist() == expected


def test_mixed_storage_classes_are_told(tmp_path: Path) -> None:
    path = database(tmp_path, "CREATE TABLE t (a)", rows=[(1,), ("x",), (2,)])
    assert "2 number, 1 string" in notes_of(path)[0]


def test_only_text_declared_as_a_time_is_given_to_the_converter(tmp_path: Path) -> None:
    path = database(
        tmp_path,
        "CREATE TABLE t (d DATE, t TIMESTAMP, c TIME, s TEXT, broken DATE)",
        rows=[("2024-01-31", "2024-01-31 10:00:00", "10:00", "2024-01-31", "2024-01-31"), (None,) * 4 + ("NA",)],
    )
    assert [(c.name, c.infer) for c in open_source(path).columns] == [
        ("d", True),
        ("t", True),
        ("c", True),
        ("s", False),
        ("broken", False),
    ]


def test_rows_come_in_the_order_of_the_key_whatever_the_indices(tmp_path: Path) -> None:
    path = database(tmp_path, "CREATE TABLE t (a)", "CREATE INDEX i ON t (a)", rows=[(n,) for n in (5, 3, 9, 1)])
    assert [r["a"] for r in read_rows(path)] == [5, 3, 9, 1]
    keyed = database(
        tmp_path, "CREATE TABLE t (k TEXT PRIMARY KEY, rowid) WITHOUT ROWID", rows=[("b", 1), ("a", 2)], name="k.db"
    )
    assert read_rows(keyed) == [{"k": "a", "rowid": 2}, {"k": "b", "rowid": 1}]


def test_parts_do_not_change_the_table(tmp_path: Path) -> None:
    path = database(tmp_path, "CREATE TABLE t (a, b)", rows=[(i, f"é{i}") for i in range(3000)])
    assert len(list(open_source(path, part_bytes=1 << 14).parts())) > 3
    assert read_table(path, part_bytes=1 << 14).equals(read_table(path))


def test_which_table_must_be_said_where_there_are_several(tmp_path: Path) -> None:
    path = database(tmp_path, "CREATE TABLE t (a)", "CREATE TABLE u (b)", "CREATE VIEW v AS SELECT a + 1 AS c FROM t",
                    rows=[(1,)])  # fmt: skip
    with pytest.raises(BadInputError, match="2 tables") as caught:
        open_source(path)
    assert "'t', 'u'" in caught.value.remedy
    assert read_rows(path, table="t") == [{"a": 1}]
    assert read_rows(path, table="v") == [{"c": 2}]
    with pytest.raises(BadInputError, match="no table or view 'w'"):
        open_source(path, table="w")
    assert read_rows(path, query="SELECT a AS x, count(*) AS n FROM t GROUP BY a;") == [{"x": 1, "n": 1}]


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("DELETE FROM t", "query fails"),
        ("ATTACH 'x.db' AS y", "query fails"),
        ("VACUUM INTO 'x.db'", "query fails"),
        ("SELECT load_extension('x')", "does more than read"),
        ("SELECT * FROM pragma_table_list", "does more than read"),
        ("SELECT 1; SELECT 2", "query fails"),
        ("SELECT missing FROM t", "no such column"),
        ("SELECT a, a FROM t", "two columns named 'a'"),
        ("SELECT zeroblob(1000000000)", "a value of more than"),
    ],
)
def test_queries_can_only_read(tmp_path: Path, query: str, problem: str) -> None:
    path = database(tmp_path, "CREATE TABLE t (a)", rows=[(1,)])
    before = path.read_bytes()
    with pytest.raises(BadInputError, match=problem):
        read_rows(path, query=query)
    assert path.read_bytes() == before
    assert listing(tmp_path) == ["t.sqlite"]


def test_tables_of_full_text_and_generated_columns_are_read(tmp_path: Path) -> None:
    text = database(tmp_path, "CREATE VIRTUAL TABLE t USING fts5 (x)", rows=[("hello",)])
    assert read_rows(text) == [{"x": "hello"}]
    made = database(tmp_path, "CREATE TABLE t (a, b AS (a + 1))", "INSERT INTO t (a) VALUES (1)", name="g.db")
    assert read_rows(made) == [{"a": 1, "b": 2}]


def test_text_that_is_no_utf8_is_refused_with_its_column(tmp_path: Path) -> None:
    path = database(tmp_path, "CREATE TABLE t (a TEXT)", "INSERT INTO t VALUES (CAST(x'ff' AS TEXT))")
    with pytest.raises(BadInputError, match="column 'a'"):
        read_rows(path)


def killed(folder: Path, code: str) -> None:
    """Run code on a database ``t.sqlite`` in a process that ends without closing it."""
    subprocess.run([sys.executable, "-c", f"import sqlite3, os\n{code}\nos._exit(0)"], cwd=folder, check=True)


def test_a_log_that_was_never_merged_is_neither_passed_over_nor_written_to(tmp_path: Path) -> None:
    killed(
        tmp_path,
        "c = sqlite3.connect('t.sqlite'); c.execute('PRAGMA journal_mode=WAL'); c.execute('CREATE TABLE t (a)');"
        "c.execute('INSERT INTO t VALUES (1)'); c.commit(); c.execute('PRAGMA wal_checkpoint(TRUNCATE)');"
        "c.execute('INSERT INTO t VALUES (2)'); c.commit()",
    )
    path = tmp_path / "t.sqlite"
    assert read_rows(path) == [{"a": 1}, {"a": 2}]
    os.remove(tmp_path / "t.sqlite-shm")  # noqa: PTH107
    before = listing(tmp_path)
    with pytest.raises(BadInputError, match="never merged"):
        open_source(path)
    assert listing(tmp_path) == before


def test_a_database_in_write_ahead_mode_is_read_without_files_beside_it(tmp_path: Path) -> None:
    path = database(tmp_path, "PRAGMA journal_mode=WAL", "CREATE TABLE t (a)", rows=[(1,)], name="odd ?#%.db")
    assert read_rows(path) == [{"a": 1}]
    assert listing(tmp_path) == ["odd ?#%.db"]


def test_a_write_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    killed(
        tmp_path,
        "c = sqlite3.connect('t.sqlite', isolation_level=None); c.execute('CREATE TABLE t (a)');"
        "c.execute('PRAGMA cache_size=1'); c.execute('BEGIN')\n"
        "for i in range(5000): c.execute('INSERT INTO t VALUES (?)', ('x' * 500,))",
    )
    with pytest.raises(BadInputError, match="cut short"):
        read_rows(tmp_path / "t.sqlite")


def test_a_file_cut_short_is_refused_however_little_is_gone(tmp_path: Path) -> None:
    path = database(tmp_path, "CREATE TABLE t (a)", rows=[(i,) for i in range(5000)])
    content = path.read_bytes()
    for left in (len(content) - 1, len(content) - 4096):
        path.write_bytes(content[:left])
        with pytest.raises(BadInputError, match="cut short"):
            read_rows(path)


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.sqlite"
    path.write_bytes(b"hello" * 100)
    with pytest.raises(BadInputError, match="not a SQLite database"):
        open_source(path)


def test_the_fingerprint_is_that_of_the_file(tmp_path: Path) -> None:
    path = database(tmp_path, "CREATE TABLE t (a)", rows=[(1,)])
    assert open_source(path).fingerprint() == hashlib.sha256(path.read_bytes()).hexdigest()


def test_damaged_files_are_read_or_refused(tmp_path: Path) -> None:
    rows = [(i, i / 3, f"é{i}") for i in range(200)]
    path = database(tmp_path, "CREATE TABLE t (a INTEGER PRIMARY KEY, b, c TEXT)", rows=rows)
    read, refused = read_or_refuse(tmp_path / "d.sqlite", damaged(path.read_bytes(), 200, seed=4))
    assert read + refused == 200
    assert refused > 20
