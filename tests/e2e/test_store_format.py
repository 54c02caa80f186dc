"""The page on the store format is enough to write a reader, and what other tools read is right."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import xarray
import zarr

import toolkit
from tests.e2e.stranger_reader import read_table

ROWS = 1000


def _table() -> dict[str, list[Any]]:
    random = np.random.default_rng(5)
    start = dt.datetime(2024, 1, 1)  # noqa: DTZ001  a local time
    return {
        "number": [None if i % 7 == 3 else i * 1001 - 500 for i in range(ROWS)],
        "price": [None if i % 11 == 0 else float(v) for i, v in enumerate(random.normal(size=ROWS))],
        "region": [None if i % 13 == 5 else ("north", "süd", "")[i % 3] for i in range(ROWS)],
        "note": [None if i % 17 == 1 else f"note {i} · {'x' * (i % 50)}" for i in range(ROWS)],
        "flag": [i % 2 == 0 for i in range(ROWS)],
        "at": [None if i % 19 == 2 else start + dt.timedelta(milliseconds=17 * i) for i in range(ROWS)],
        "Price": [i % 5 for i in range(ROWS)],
        "../odd name": [f"{i:05d}" for i in range(ROWS)],
    }


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("format")
    with toolkit.convert_table(pa.table(_table()), appdata=folder, chunk_rows=300) as dataset:
        yield dataset


def test_a_reader_written_from_the_page_reads_every_value(store: Any) -> None:
    found = read_table(store.location)
    for name, values in _table().items():
        expected: list[Any] = values
        if name == "at":
            epoch = dt.datetime(1970, 1, 1)  # noqa: DTZ001  a local time
            expected = [None if v is None else round((v - epoch).total_seconds() * 1000) for v in values]
        assert found[name] == expected, name


def test_the_reader_is_short() -> None:
    assert len(Path(read_table.__code__.co_filename).read_text().splitlines()) < 80


def test_plain_zarr_reads_numbers_and_long_text(store: Any) -> None:
    group = zarr.open_group(store.location, mode="r")
    note = [v or "" for v in _table()["note"]]
    assert group["note"][:].tolist() == note
    assert group["Price" if "Price" in group else store.schema["Price"].array][:].tolist() == _table()["Price"]
    valid = group["number__valid"][:]
    assert [int(v) if ok else None for v, ok in zip(group["number"][:], valid, strict=True)] == _table()["number"]


def test_xarray_decodes_times_and_carries_categories(store: Any) -> None:
    with xarray.open_zarr(store.location) as opened:
        assert set(opened["note"].dims) == {"row"}
        expected = np.array([np.datetime64("NaT") if v is None else np.datetime64(v, "ms") for v in _table()["at"]])
        assert np.array_equal(opened["at"].values.astype("datetime64[ms]"), expected, equal_nan=True)
        names = opened[opened["region"].attrs["categories"]].values
        codes = opened["region"].values
        assert [str(names[c]) if c >= 0 else None for c in codes.astype(int)] == _table()["region"]
        prices = np.array([np.nan if v is None else v for v in _table()["price"]])
        assert np.array_equal(opened["price"].values, prices, equal_nan=True)
