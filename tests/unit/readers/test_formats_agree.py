"""One table in every input format leads to one store."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
import zarr

from toolkit import convert_table

ROWS = 400
DAY, INSTANT = dt.date(2024, 2, 28), dt.datetime(2024, 2, 28, 12)  # noqa: DTZ001
TABLE = pa.table(
    {
        "day": [DAY + dt.timedelta(days=i) for i in range(ROWS)],
        "flag": [i % 2 == 0 for i in range(ROWS)],
        "name": [f"é{i % 17}" for i in range(ROWS)],
        "price": [i / 8 for i in range(ROWS)],
        "when": pa.array([INSTANT + dt.timedelta(minutes=i) for i in range(ROWS)], pa.timestamp("s")),
        "whole": pa.array([2**40 + i for i in range(ROWS)], pa.int64()),
    }
)
PLAIN = TABLE.to_pylist()


def key_of(path: Path, folder: Path) -> str:
    return convert_table(path, appdata=folder / "appdata").key


def as_text(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "day": row["day"].isoformat(), "when": row["when"].isoformat(" ")}


def with_gaps(table: pa.Table) -> pa.Table:
    """The same with missing values in every column."""
    mask = pa.array([i % 5 == 2 for i in range(ROWS)])
    columns = [pa.compute.if_else(mask, pa.scalar(None, c.type), c) for c in table.columns]
    return pa.table(columns, table.column_names)


def write_csv(path: Path, table: pa.Table) -> None:
    pyarrow.csv.write_csv(table, path)


def write_jsonl(path: Path, table: pa.Table) -> None:
    path.write_text("\n".join(json.dumps(r, default=str) for r in table.to_pylist()))


def write_arrow(path: Path, table: pa.Table) -> None:
    pyarrow.feather.write_feather(table, str(path))


def write_sqlite(path: Path, table: pa.Table) -> None:
    connection = sqlite3.connect(path)
    connection.execute(
        "CREATE TABLE t (day DATE, flag INTEGER, name TEXT, price REAL, 'when' TIMESTAMP, whole INTEGER)"
    )
    rows = [[str(v) if isinstance(v, dt.date) else v for v in r.values()] for r in table.to_pylist()]
    connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)", rows)
    connection.commit()
    connection.close()


def write_excel(path: Path, table: pa.Table) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(table.column_names)
    for row in table.to_pylist():
        book.active.append(list(row.values()))
    book.save(path)


@pytest.mark.parametrize("gaps", [False, True])
def test_formats_with_missing_values_lead_to_one_key(tmp_path: Path, gaps: bool) -> None:
    table = with_gaps(TABLE) if gaps else TABLE
    pq.write_table(table, tmp_path / "t.parquet")
    expected = key_of(tmp_path / "t.parquet", tmp_path)
    writers = {"t.csv": write_csv, "t.jsonl": write_jsonl, "t.arrow": write_arrow, "t.xlsx": write_excel}
    for name, write in writers.items():
        write(tmp_path / name, table)
        assert key_of(tmp_path / name, tmp_path) == expected, name
    # SQLite has no booleans
    write_sqlite(tmp_path / "t.db", table)
    flag = table.schema.get_field_index("flag")
    pq.write_table(table.set_column(flag, "flag", table.column(flag).cast("int8")), tmp_path / "n.parquet")
    assert key_of(tmp_path / "t.db", tmp_path) == key_of(tmp_path / "n.parquet", tmp_path)


def test_formats_of_arrays_lead_to_one_key(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    table = TABLE.drop(["day"])
    pq.write_table(table, tmp_path / "t.parquet")
    arrays = {n: np.asarray(table.column(n)) for n in table.column_names}
    arrays["name"] = np.array(table.column("name").to_pylist())
    group = zarr.open_group(tmp_path / "t.zarr", mode="w", zarr_format=2)
    for name, values in arrays.items():
        group.create_array(name, data=values, chunks=(130,))
    assert key_of(tmp_path / "t.zarr", tmp_path) == key_of(tmp_path / "t.parquet", tmp_path)
    pq.write_table(table.drop(["when"]), tmp_path / "u.parquet")
    with h5py.File(tmp_path / "t.h5", "w") as content:
        for name in ("flag", "price", "whole"):
            content[name] = arrays[name]
        content.create_dataset("name", data=table.column("name").to_pylist(), dtype=h5py.string_dtype())
    assert key_of(tmp_path / "t.h5", tmp_path) == key_of(tmp_path / "u.parquet", tmp_path)


def event(row: dict[str, Any]) -> str:
    attributes = (
        ("string", "name", row["name"]),
        ("float", "price", repr(row["price"])),
        ("date", "when", f"{row['when'].isoformat()}Z"),
        ("int", "whole", row["whole"]),
    )
    return "<event>" + "".join(f'<{tag} key="{key}" value="{value}"/>' for tag, key, value in attributes) + "</event>"


def test_an_event_log_and_its_table_lead_to_one_key(tmp_path: Path) -> None:
    body = "".join(
        f'<trace><string key="concept:name" value="{case:03}"/>{"".join(map(event, PLAIN[20 * case : 20 * case + 20]))}'
        "</trace>\n"
        for case in range(ROWS // 20)
    )
    (tmp_path / "t.xes").write_text(f"<log>{body}</log>", "utf-8")
    cases = pa.array([f"{i // 20:03}" for i in range(ROWS)])
    zoned = TABLE.column("when").cast(pa.timestamp("s", "UTC"))
    table = pa.table(
        {
            "case:concept:name": cases,
            "name": TABLE.column("name"),
            "price": TABLE.column("price"),
            "when": zoned,
            "whole": TABLE.column("whole"),
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    assert key_of(tmp_path / "t.xes", tmp_path) == key_of(tmp_path / "t.parquet", tmp_path)


def test_several_files_and_one_lead_to_one_key(tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number, start in enumerate(range(0, ROWS, 150)):
        write_jsonl(folder / f"part-{number}.jsonl", TABLE.slice(start, 150))
    write_jsonl(tmp_path / "t.jsonl", TABLE)
    assert key_of(folder, tmp_path) == key_of(tmp_path / "t.jsonl", tmp_path)
