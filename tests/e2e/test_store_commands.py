"""``inspect`` and ``stores``: what an operator sees and does."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import toolkit
from toolkit.inspect import main as inspect
from toolkit.storage.appdata import AppData
from toolkit.stores import main as stores

ROWS = 5000


@pytest.fixture
def appdata(tmp_path: Path) -> Path:
    table = {
        "id": list(range(ROWS)),
        "price": [None if i % 10 == 0 else i / 4 for i in range(ROWS)],
        "town": [f"town {i % 7}" for i in range(ROWS)],
        "memo": [f"memo number {i}" for i in range(ROWS)],
    }
    toolkit.convert_table(pa.table(table), appdata=tmp_path, chunk_rows=1000).close()
    return tmp_path


def test_inspect_names_every_column_with_its_missing_values(appdata: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert inspect(["--appdata", str(appdata), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["rows"] == ROWS
    assert {c["name"]: c["missing"] for c in told["columns"]} == {"id": 0, "price": 500, "town": 0, "memo": 0}
    assert inspect(["--appdata", str(appdata)]) == 0
    text = capsys.readouterr().out
    assert "7 labels" in text
    assert "500 missing" in text


def test_verify_names_the_damaged_chunk_and_its_rows(appdata: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = AppData(appdata).find_store()
    assert inspect([str(store), "--verify"]) == 0
    chunk = store / "price" / "c" / "3"
    content = bytearray(chunk.read_bytes())
    content[len(content) // 2] ^= 1
    chunk.write_bytes(content)
    (store / "memo" / "c" / "0").unlink()
    capsys.readouterr()
    assert inspect([str(store), "--verify", "--json"]) == 3
    damaged = json.loads(capsys.readouterr().out)["damaged"]
    assert [(d["column"], d["chunk"], d["first_row"], d["last_row"]) for d in damaged] == [
        ("price", 3, 3000, 3999),
        ("memo", 0, 0, 999),
    ]


def test_an_unknown_store_is_wrong_input_and_says_how_to_make_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert inspect(["--appdata", str(tmp_path)]) == 2
    assert "python -m toolkit.convert" in capsys.readouterr().err
    assert inspect(["feedfacecafe", "--appdata", str(tmp_path)]) == 2
    assert "feedfacecafe" in capsys.readouterr().err


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_an_exported_table_converts_to_the_same_store(appdata: Path, tmp_path: Path, suffix: str) -> None:
    store = AppData(appdata).find_store()
    target = tmp_path / f"out{suffix}"
    assert stores(["export", store.name, str(target), "--appdata", str(appdata), "--quiet"]) == 0
    with toolkit.convert_table(target, appdata=tmp_path / "again", chunk_rows=1000) as again:
        assert again.key == store.name
    assert stores(["export", store.name, str(target), "--appdata", str(appdata)]) == 2


def test_export_takes_some_columns(appdata: Path, tmp_path: Path) -> None:
    target = tmp_path / "some.parquet"
    assert (
        stores(
            [
                "export",
                AppData(appdata).find_store().name,
                str(target),
                "--columns",
                "town,id",
                "--appdata",
                str(appdata),
            ]
        )
        == 0
    )
    assert pq.read_table(target).column_names == ["town", "id"]


def test_gc_removes_what_nobody_holds_and_leaves_what_is_in_use(
    appdata: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = AppData(appdata)
    left_over = place.tmp / "tmp-left-over"
    left_over.mkdir(parents=True)
    with place.workspace() as live:
        assert stores(["gc", "--appdata", str(appdata), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["removed"] == [str(left_over)]
        assert live.is_dir()
    assert len(place.list_stores()) == 1


def test_gc_keeps_the_newest_stores(appdata: Path) -> None:
    newest = toolkit.convert_table(pa.table({"a": [1, 2]}), appdata=appdata).location
    assert stores(["gc", "--keep", "1", "--appdata", str(appdata), "--quiet"]) == 0
    assert AppData(appdata).list_stores() == [newest]


def test_list_tells_rows_and_columns(appdata: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert stores(["list", "--appdata", str(appdata), "--json"]) == 0
    (only,) = json.loads(capsys.readouterr().out)["stores"]
    assert (only["rows"], only["columns"]) == (ROWS, 4)


def test_an_exported_hdf5_store_is_the_same_table(appdata: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.h5"
    store = AppData(appdata).find_store()
    assert stores(["export", store.name, str(target), "--appdata", str(appdata), "--quiet"]) == 0
    assert inspect([str(target), "--verify", "--quiet"]) == 0
    with toolkit.open_store(target) as exported, toolkit.open_store(store) as original:
        assert exported.key == original.key
        assert exported.to_pandas().equals(original.to_pandas())


@pytest.mark.parametrize("rows", [3, 1000, 70_000])
def test_a_table_converted_to_hdf5_is_the_same(rows: int, tmp_path: Path) -> None:
    """Of any size: what the library still has in its cache has no stored bytes to digest yet."""
    pytest.importorskip("h5py")
    source = tmp_path / "t.csv"
    lines = [f"{i},town {i % 7},memo number {i},{i / 4}" for i in range(rows)]
    source.write_text("\n".join(["id,town,memo,price", *lines, ""]))
    stores = [toolkit.convert_table(source, appdata=tmp_path / f, format=f) for f in ("zarr", "hdf5")]
    assert stores[0].key == stores[1].key
    assert inspect([str(stores[1].location), "--verify"]) == 0
    assert stores[0].to_pandas().equals(stores[1].to_pandas())
