"""A small file of every input format, with the rows that it holds."""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

COUNT = 300
ROWS = [{"id": i, "name": None if i % 7 == 3 else f"nämé {i % 11}", "x": i / 8} for i in range(COUNT)]


@dataclass(frozen=True)
class Sample:
    """How to write a file of a format.

    `write` gets a folder and returns the file. Its columns are `id`, `name` and `x` of `ROWS`, under the names in
    `names`, in that order. `whole_file` says that it is one file whose bytes its fingerprint is of, and that a part of
    that file is no file of the format.
    """

    write: Callable[[Path], Path]
    names: tuple[str, str, str] = ("id", "name", "x")
    whole_file: bool = True


def _delimited(folder: Path) -> Path:
    lines = ["id,name,x", *(f"{r['id']},{r['name'] or ''},{r['x']}" for r in ROWS)]
    path = folder / "sample.csv.gz"
    path.write_bytes(gzip.compress("\n".join(lines).encode(), mtime=0))
    return path


def _jsonl(folder: Path) -> Path:
    path = folder / "sample.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(json.dumps(r) for r in ROWS).encode(), mtime=0))
    return path


def _parquet(folder: Path) -> Path:
    pq.write_table(pa.Table.from_pylist(ROWS), folder / "sample.parquet", row_group_size=100)
    return folder / "sample.parquet"


def _arrow(folder: Path) -> Path:
    table = pa.Table.from_pylist(ROWS)
    with pa.OSFile(str(folder / "sample.arrow"), "wb") as stream, pa.ipc.new_file(stream, table.schema) as writer:
        writer.write_table(table, max_chunksize=100)
    return folder / "sample.arrow"


def _sqlite(folder: Path) -> Path:
    path = folder / "sample.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (id INTEGER, name TEXT, x REAL)")
    connection.executemany("INSERT INTO t VALUES (?, ?, ?)", [tuple(r.values()) for r in ROWS])
    connection.commit()
    connection.close()
    return path


def _hdf5(folder: Path) -> Path:
    h5py = pytest.importorskip("h5py")
    with h5py.File(folder / "sample.hdf5", "w") as file:
        file["id"] = [r["id"] for r in ROWS]
        file["name"] = [r["name"] or "" for r in ROWS]
        file["x"] = [r["x"] for r in ROWS]
    return folder / "sample.hdf5"


def _zarr(folder: Path) -> Path:
    import zarr

    group = zarr.open_group(folder / "sample.zarr", mode="w", zarr_format=2)
    group.create_array("id", data=_array("id"), chunks=(100,))
    group.create_array("x", data=_array("x"), chunks=(100,))
    names = group.create_array("name", shape=(COUNT,), chunks=(100,), dtype="U12")
    names[:] = _array("name")
    return folder / "sample.zarr"


def _array(name: str) -> Any:
    import numpy as np

    return np.array([r[name] if r[name] is not None else "" for r in ROWS])


def _excel(folder: Path) -> Path:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("t")
    sheet.append(["id", "name", "x"])
    for row in ROWS:
        sheet.append(list(row.values()))
    book.save(folder / "sample.xlsx")
    return folder / "sample.xlsx"


def _xes(folder: Path) -> Path:
    events = []
    for row in ROWS:
        name = "" if row["name"] is None else f'<string key="name" value="{row["name"]}"/>'
        events.append(f'<event><int key="id" value="{row["id"]}"/>{name}<float key="x" value="{row["x"]}"/></event>')
    text = f'<?xml version="1.0" encoding="UTF-8"?><log><trace>{"".join(events)}</trace></log>'
    (folder / "sample.xes").write_text(text, "utf-8")
    return folder / "sample.xes"


SAMPLES: dict[str, Sample] = {
    "arrow": Sample(_arrow),
    "delimited": Sample(_delimited),
    "excel": Sample(_excel),
    "hdf5": Sample(_hdf5),
    "jsonl": Sample(_jsonl),
    "parquet": Sample(_parquet),
    "sqlite": Sample(_sqlite),
    "xes": Sample(_xes),
    "zarr": Sample(_zarr, whole_file=False),
}
