"""Real files of every binary format and event logs: what the store holds is what each format's own library reads."""

from __future__ import annotations

import datetime as dt
import gzip
import math
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zarr

from toolkit import convert_table
from toolkit.core.errors import BadInputError

LOGS = {
    "02_teleclaims.xes.gz": (46_138, 3_512, 12, 11),
    "03_repairExample.xes.gz": (11_855, 1_104, 77, 8),
    "06_bpic2013_closed.xes.gz": (6_660, 1_487, 183, 4),
    "helpdesk.xes.gz": (21_348, 4_580, 226, 14),
    "running-example.xes": (42, 6, 6, 8),
    "roadtraffic100traces.xes": (390, 100, 10, 10),
}
"""Events, cases, variants and activities."""

NESTED = {
    "datapage_v2.snappy.parquet": ["e"],
    "list_columns.parquet": ["int64_list", "utf8_list"],
    "nested_maps.snappy.parquet": ["a"],
}
"""Columns of Parquet files that have no equal in a table."""


def stored(path: Path, folder: Path, columns: Sequence[str] = ()) -> pa.Table:
    """What the store holds after a conversion."""
    return pa.table(convert_table(path, appdata=folder, columns=columns))


def plain(table: pa.Table) -> dict[str, list[Any]]:
    return {name: [comparable(v) for v in table.column(name).to_pylist()] for name in table.column_names}


def comparable(value: Any) -> Any:
    """A value in a form in which equal ones are equal: instants in UTC, NaN as text."""
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        return value.astimezone(dt.UTC).replace(tzinfo=None)
    return value


def log_rows(path: Path) -> list[dict[str, Any]]:
    """Events of a log, as the standard library reads its XML."""
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    rows = []
    for trace in ET.fromstring(raw):
        if tag_of(trace) != "trace":
            continue
        case = {f"case:{a.get('key')}": value_of(a) for a in trace if tag_of(a) != "event"}
        rows += [{**case, **{a.get("key"): value_of(a) for a in e}} for e in trace if tag_of(e) == "event"]
    return rows


def tag_of(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def value_of(element: ET.Element) -> Any:
    text = element.get("value", "")
    read = {"int": int, "float": float, "boolean": lambda t: t == "true", "date": dt.datetime.fromisoformat}
    return comparable(read.get(tag_of(element), str)(text))


@pytest.mark.parametrize("name", LOGS)
def test_event_logs(real_data: Path, tmp_path: Path, name: str) -> None:
    table = stored(real_data / "eventlogs" / name, tmp_path)
    expected = log_rows(real_data / "eventlogs" / name)
    found = plain(table)
    assert set().union(*expected) == set(found)
    assert found == {n: [row.get(n) for row in expected] for n in found}
    cases: dict[str, list[str]] = {}
    for case, activity in zip(found["case:concept:name"], found["concept:name"], strict=True):
        cases.setdefault(case, []).append(activity)
    variants = {tuple(sequence) for sequence in cases.values()}
    activities = set(found["concept:name"])
    assert (table.num_rows, len(cases), len(variants), len(activities)) == LOGS[name]


def test_vaex_tables(real_data: Path, tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    for name in ("iris", "titanic"):
        found = plain(stored(real_data / "hdf5" / f"{name}.hdf5", tmp_path))
        with h5py.File(real_data / "hdf5" / f"{name}.hdf5") as content:
            columns = content["table/columns"]
            assert list(found) == columns.attrs["column_order"].split(",")
            for column, values in found.items():
                assert values == vaex_values(columns[column]), (name, column)
    assert sum(v is None for v in found["cabin"]) == 1_014
    assert sum(v is None for v in found["boat"]) == 823
    assert sum(found["survived"]) == 500


def vaex_values(column: Any) -> list[Any]:
    data = column["data"][:]
    if "indices" not in column:
        return [comparable(v) for v in data.tolist()]
    ends, octets = column["indices"][:].tolist(), data.tobytes()
    present = [True] * (len(ends) - 1)
    if "null_bitmap" in column:
        present = np.unpackbits(column["null_bitmap"][:], bitorder="little").astype(bool).tolist()[: len(present)]
    return [octets[a:b].decode() if p else None for a, b, p in zip(ends, ends[1:], present, strict=False)]


def test_anndata_in_hdf5_and_in_zarr_is_one_table(real_data: Path, tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    first = stored(real_data / "hdf5/adata.h5ad", tmp_path)
    with h5py.File(real_data / "hdf5/adata.h5ad") as content:
        assert plain(first) == {"_index": content["obs/_index"].asstr()[:].tolist()}
    second = stored(real_data / "hdf5/adata.zarr.zip", tmp_path)
    store = zarr.storage.ZipStore(real_data / "hdf5/adata.zarr.zip", mode="r")
    assert plain(second) == {"_index": [str(v) for v in zarr.open_group(store, mode="r")["obs/_index"][:]]}
    store.close()
    assert first.equals(second)


def test_parquet_files(real_data: Path, tmp_path: Path) -> None:
    read = 0
    for path in sorted((real_data / "parquet").glob("*.parquet")):
        expected = pq.read_table(path)
        while any(pa.types.is_struct(f.type) for f in expected.schema):
            expected = expected.flatten()
        refused = NESTED.get(path.name, [])
        if refused:
            with pytest.raises(BadInputError, match=f"'{refused[0]}'"):
                stored(path, tmp_path)
            expected = expected.drop(refused)
            if not expected.num_columns:
                continue
        found = stored(path, tmp_path, expected.column_names if refused else ())
        assert found.column_names == expected.column_names
        for name in found.column_names:
            assert texts(found.column(name)) == texts(expected.column(name)), (path.name, name)
        read += 1
    assert read >= 9


def texts(column: pa.ChunkedArray) -> list[Any]:
    """Values as they are written, so that a decimal equals the text that the store keeps of it."""
    values = [comparable(v) for v in column.to_pylist()]
    if pa.types.is_decimal(column.type):
        return [None if v is None else str(v) for v in values]
    return values
