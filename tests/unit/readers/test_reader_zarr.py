"""Zarr groups of versions 2 and 3, as folders and zip files."""

from __future__ import annotations

import json
import os
import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
import zarr.storage

from tests.source_reading import damaged, notes_of, open_source, read_or_refuse, read_rows, read_table
from toolkit.core.errors import BadInputError

ROWS = 1000
COLUMNS: dict[str, Any] = {
    "big": np.arange(ROWS, dtype=">i4"),
    "fixed": np.array([b"ab%d" % i for i in range(ROWS)]),
    "flag": np.arange(ROWS) % 2 == 0,
    "ratio": np.arange(ROWS) / 3,
    "text": np.array([f"é{i}" for i in range(ROWS)]),
    "when": np.array(["NaT", *range(1, ROWS)], "M8[s]"),
}


@pytest.fixture(autouse=True)
def quiet() -> Any:
    """The library warns of types that other implementations may not know."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def group(place: Any, version: int, **columns: Any) -> Any:
    made = zarr.open_group(place, mode="w", zarr_format=version)
    for name, values in columns.items():
        made.create_array(name, data=values, chunks=(300,) if len(values) > 300 else "auto")
    return made


@pytest.mark.parametrize("version", [2, 3])
def test_arrays_of_one_length_are_columns(tmp_path: Path, version: int) -> None:
    made = group(tmp_path / "t.zarr", version, **COLUMNS)
    made.create_array("free", shape=(ROWS,), dtype=str, chunks=(300,))[:] = np.array([str(i) for i in range(ROWS)], "O")
    if version == 3:
        made.create_array("sharded", data=np.arange(ROWS), chunks=(100,), shards=(500,))
    table = read_table(tmp_path / "t.zarr")
    assert table.column("big").to_pylist() == list(range(ROWS))
    assert table.column("fixed")[999].as_py() == "ab999"
    assert table.column("flag")[1].as_py() is False
    assert table.column("ratio").to_pylist() == COLUMNS["ratio"].tolist()
    assert table.column("text").to_pylist() == COLUMNS["text"].tolist()
    assert table.column("free")[999].as_py() == "999"
    assert table.column("when").cast("int64").to_pylist()[:2] == [None, 1]
    assert len(list(open_source(tmp_path / "t.zarr", part_bytes=1 << 14).parts())) > 1
    assert read_table(tmp_path / "t.zarr", part_bytes=1 << 14).equals(table)
    assert notes_of(tmp_path / "t.zarr") == []


@pytest.mark.parametrize("version", [2, 3])
def test_zip_files_and_single_arrays_and_records(tmp_path: Path, version: int) -> None:
    store = zarr.storage.ZipStore(tmp_path / "odd name.zip", mode="w")
    group(store, version, a=np.arange(3))
    store.close()
    assert read_rows(tmp_path / "odd name.zip") == [{"a": 0}, {"a": 1}, {"a": 2}]
    zarr.create_array(tmp_path / "a.zarr", data=np.arange(2), zarr_format=version)
    assert read_rows(tmp_path / "a.zarr") == [{"values": 0}, {"values": 1}]
    records = np.array([(1, 2.5), (2, 3.5)], [("a", "i4"), ("b", "f8")])
    group(tmp_path / "r.zarr", version, r=records)
    assert read_rows(tmp_path / "r.zarr") == [{"a": 1, "b": 2.5}, {"a": 2, "b": 3.5}]


def test_frames_of_anndata(tmp_path: Path) -> None:
    root = zarr.open_group(tmp_path / "t.zarr", mode="w", zarr_format=2, attributes={"encoding-type": "anndata"})
    frame = root.create_group(
        "obs", attributes={"encoding-type": "dataframe", "_index": "id", "column-order": ["kind", "n"]}
    )
    frame.create_array("id", data=np.array(["p", "q"]))
    kind = frame.create_group("kind", attributes={"encoding-type": "categorical"})
    kind.create_array("codes", data=np.array([1, -1], "i1"))
    kind.create_array("categories", data=np.array(["A", "B"]))
    number = frame.create_group("n", attributes={"encoding-type": "nullable-integer"})
    number.create_array("values", data=np.array([1, 2]))
    number.create_array("mask", data=np.array([True, False]))
    assert read_rows(tmp_path / "t.zarr") == [{"id": "p", "kind": "B", "n": None}, {"id": "q", "kind": None, "n": 2}]


@pytest.mark.parametrize("version", [2, 3])
def test_what_is_wrong_is_named(tmp_path: Path, version: int) -> None:
    group(tmp_path / "l.zarr", version, a=np.arange(2), b=np.arange(3))
    with pytest.raises(BadInputError, match="'a' has 2 rows, 'b' 3"):
        open_source(tmp_path / "l.zarr")
    group(tmp_path / "c.zarr", version, a=np.arange(2), c=np.ones(2) * 1j)
    with pytest.raises(BadInputError, match=r"'c' \(complex128\)"):
        read_rows(tmp_path / "c.zarr")
    made = group(tmp_path / "b.zarr", version)
    made.create_array("a", shape=(10**13,), dtype="f8", chunks=(1 << 20,))
    with pytest.raises(BadInputError, match="says it has 10,000,000,000,000 values, and stores 0 bytes"):
        open_source(tmp_path / "b.zarr")
    made = group(tmp_path / "k.zarr", version)
    made.create_array("a", shape=(10**9,), dtype="f8", chunks=(10**9,))
    with pytest.raises(BadInputError, match="chunks of 8,000,000,000 bytes"):
        open_source(tmp_path / "k.zarr")
    made = group(tmp_path / "m.zarr", version)
    made.create_array("a", shape=(1000,), dtype="f8", chunks=(100,))[5] = 1
    assert "9 of 10 chunks are not there" in notes_of(tmp_path / "m.zarr")[0]


def test_which_table_must_be_said_where_there_are_several(tmp_path: Path) -> None:
    root = zarr.open_group(tmp_path / "t.zarr", mode="w")
    root.create_group("g").create_array("a", data=np.arange(1))
    root.create_group("h").create_array("b", data=np.arange(1))
    with pytest.raises(BadInputError, match="2 tables"):
        open_source(tmp_path / "t.zarr")
    assert read_rows(tmp_path / "t.zarr", table="h") == [{"b": 0}]


def test_links_out_of_the_store_are_refused(tmp_path: Path) -> None:
    group(tmp_path / "t.zarr", 2, a=np.arange(2))
    (tmp_path / "secret").write_bytes(b"x" * 16)
    chunk = tmp_path / "t.zarr/a/0"
    chunk.unlink()
    chunk.symlink_to(tmp_path / "secret")
    with pytest.raises(BadInputError, match=r"a/0 is a link"):
        open_source(tmp_path / "t.zarr")


class Attack:
    """Runs a command when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch '{self.path}'",)


@pytest.mark.parametrize("filters", [[{"id": "pickle", "protocol": 5}], [{"id": "vlen-utf8"}, {"id": "pickle"}]])
def test_pickles_are_never_run(tmp_path: Path, filters: list[dict[str, Any]]) -> None:
    folder = tmp_path / "t.zarr"
    (folder / "a").mkdir(parents=True)
    (folder / ".zgroup").write_text('{"zarr_format": 2}')
    metadata = {"zarr_format": 2, "shape": [1], "chunks": [1], "dtype": "|O", "compressor": None, "fill_value": None}
    (folder / "a/.zarray").write_text(json.dumps({**metadata, "order": "C", "filters": filters}))
    (folder / "a/0").write_bytes(pickle.dumps([Attack(tmp_path / "was here"), "|O", [1]]))
    with pytest.raises(BadInputError):
        read_rows(folder)
    assert not (tmp_path / "was here").exists()


def test_the_fingerprint_is_over_names_and_contents(tmp_path: Path) -> None:
    group(tmp_path / "t.zarr", 3, a=np.arange(3))
    first = open_source(tmp_path / "t.zarr").fingerprint()
    assert open_source(tmp_path / "t.zarr").fingerprint() == first
    group(tmp_path / "t.zarr", 3, b=np.arange(3))
    assert open_source(tmp_path / "t.zarr").fingerprint() != first


def test_a_store_of_this_toolkit_is_no_source(tmp_path: Path) -> None:
    zarr.open_group(tmp_path / "t.zarr", mode="w", attributes={"toolkit": {"format": 1}})
    with pytest.raises(BadInputError, match="a store of this toolkit already"):
        open_source(tmp_path / "t.zarr")


def test_damaged_files_are_read_or_refused(tmp_path: Path) -> None:
    store = zarr.storage.ZipStore(tmp_path / "t.zarr.zip", mode="w")
    group(store, 2, a=np.arange(500), s=np.array(["x", "y"] * 250))
    store.close()
    content = (tmp_path / "t.zarr.zip").read_bytes()
    assert sum(read_or_refuse(tmp_path / "d.zarr.zip", damaged(content, 50, seed=6))) == 50


@pytest.mark.parametrize("name", ["zarr.json", ".zgroup"])
def test_metadata_that_can_not_be_read_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "t.zarr").mkdir()
    (tmp_path / "t.zarr" / name).write_text("{")
    with pytest.raises(BadInputError, match="can't be read as Zarr"):
        open_source(tmp_path / "t.zarr")
