"""What goes into a store comes out of it, from any source, for this toolkit and for other readers of Zarr."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
import xarray as xr
import zarr

from tests.unit.ingest.many_types import PLAIN, ROWS, many_types
from tests.unit.ingest.table_truth import tree
from toolkit import convert_table
from toolkit.core.errors import BadInputError
from toolkit.storage.dataset import Dataset

TABLE = many_types()


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return convert_table(TABLE, appdata=tmp_path_factory.mktemp("ad"), chunk_rows=300)


@pytest.fixture(scope="module")
def group(stored: Dataset) -> zarr.Group:
    return zarr.open_group(stored.location, mode="r")


@pytest.fixture(scope="module")
def decoded(stored: Dataset) -> Iterator[xr.Dataset]:
    with warnings.catch_warnings():
        # zarr says of its own string type that its specification is not final
        warnings.simplefilter("ignore")
        with xr.open_zarr(stored.location) as dataset:
            yield dataset.load()


def same(a: Any, b: Any) -> bool:
    return a == b or (isinstance(a, float) and math.isnan(a) and math.isnan(b))


@pytest.mark.parametrize("name", TABLE.column_names)
def test_arrow_gets_back_what_was_put_in(name: str, stored: Dataset) -> None:
    got, want = stored.to_arrow([name]).read_all()[name], TABLE[name].to_pylist()
    if name == "money":
        want = [None if v is None else str(v) for v in want]
    assert all(same(a, b) for a, b in zip(got.to_pylist(), want, strict=True))


@pytest.mark.parametrize("name", TABLE.column_names)
def test_plain_zarr_reads_every_column(name: str, stored: Dataset, group: zarr.Group) -> None:
    spec, want = stored.schema[name], TABLE[name]
    values: Any = np.asarray(group[spec.array])  # type: ignore[arg-type]
    valid = np.asarray(group[f"{spec.array}__valid"]) if spec.nullable else np.ones(ROWS, bool)  # type: ignore[arg-type]
    assert values.shape == (ROWS,)
    assert np.array_equal(valid, [v is not None for v in want.to_pylist()])
    if spec.encoding == "coded":
        categories = list(np.asarray(group[f"{spec.array}__categories"]))  # type: ignore[arg-type]
        assert (values[~valid] == -1).all()
        assert categories == sorted(set(categories))
        values = np.array([categories[c] for c in values], object)
    elif spec.encoding == "long":
        assert not any(len(v) for v in values[~valid])
    elif spec.kind == "float":
        assert np.isnan(values[~valid]).all()
    present = want.drop_null()
    if spec.kind in ("timestamp", "date", "time", "duration"):
        coarse = present.cast({"when": pa.timestamp("s"), "span": pa.duration("s")}.get(name, present.type))
        present = coarse.cast(pa.int32()) if coarse.type.bit_width == 32 else coarse.cast(pa.int64())
    theirs = [str(v) if name == "money" else v for v in present.to_pylist()]
    assert all(same(a, b) for a, b in zip(values[valid].tolist(), theirs, strict=True))


@pytest.mark.parametrize("name", ["when", "instant", "day", "fine"])
def test_xarray_decodes_times_and_what_is_missing(name: str, stored: Dataset, decoded: xr.Dataset) -> None:
    got = decoded[stored.schema[name].array]
    want = pd.to_datetime(pd.Series(TABLE[name].to_pylist(), dtype=object), utc=True).dt.tz_localize(None)
    if name == "fine":
        want = pd.Series(TABLE[name].to_numpy())
    assert got.dims == ("row",)
    assert np.array_equal(got.values.astype("M8[ns]"), want.to_numpy("M8[ns]"), equal_nan=True)


def test_xarray_opens_every_array(stored: Dataset, decoded: xr.Dataset) -> None:
    assert {s.array for s in stored.schema} <= set(map(str, decoded.variables))
    assert decoded["word"].attrs["categories"] == "word__categories"
    assert list(decoded["word__categories"].values) == [f"wörd {i}" for i in range(5)]
    assert np.isnan(decoded["float"].values).sum() == TABLE["float"].null_count


def test_csv_parquet_and_frames_lead_to_one_store(tmp_path: Path) -> None:
    table = TABLE.select(PLAIN)
    pa.csv.write_csv(table, tmp_path / "t.csv")
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=100)
    sources = [tmp_path / "t.csv", tmp_path / "t.parquet", table, pl.from_arrow(table), table.to_reader(70)]
    made = [convert_table(s, appdata=tmp_path / str(i), chunk_rows=256) for i, s in enumerate(sources)]
    assert [s.kind for s in made[0].schema] == [s.kind for s in made[1].schema]
    trees = [tree(m.location) for m in made]
    for other in trees[1:]:
        assert other == trees[0]


def test_pandas_leads_to_the_same_store_where_it_has_the_types(tmp_path: Path) -> None:
    names = ["big", "unsigned", "float", "word", "text", "when", "instant", "single", "span"]
    frame = TABLE.select(names).to_pandas()
    coded = frame.assign(word=frame["word"].astype("category"))
    made = [
        convert_table(s, appdata=tmp_path / str(i), chunk_rows=256)
        for i, s in enumerate([TABLE.select(names), frame, coded])
    ]
    trees = [tree(m.location) for m in made]
    assert trees[0] == trees[1] == trees[2]


@pytest.mark.parametrize(
    "how", [{"workers": 1}, {"workers": 3}, {"max_memory": 1 << 20}, {"workers": 2, "max_memory": 1}]
)
def test_threads_and_memory_change_nothing(how: dict[str, int], tmp_path: Path) -> None:
    lines = "".join(f"{i},{i % 13},w{i % 7},{i / 3},t {i}\n" for i in range(30_000))
    (tmp_path / "t.csv").write_text("id,k,w,x,t\n" + lines)
    usual = convert_table(tmp_path / "t.csv", appdata=tmp_path / "a")
    other = convert_table(tmp_path / "t.csv", appdata=tmp_path / "b", **how)  # type: ignore[arg-type]
    assert tree(usual.location) == tree(other.location)


def test_chunks_of_any_length_hold_the_same_content(tmp_path: Path) -> None:
    some = TABLE.slice(0, 40)
    made = [convert_table(some, appdata=tmp_path, chunk_rows=n) for n in (3, 16, 39, 40, 10**6)]
    assert len({m.manifest.data_hash for m in made}) == 1
    assert len({m.key for m in made}) == 4
    assert made[3].key == made[4].key
    assert [m.grid.n_chunks for m in made] == [14, 3, 2, 1, 1]
    first = made[0].to_arrow().read_all().drop_columns(["nan"])
    assert all(m.to_arrow().read_all().drop_columns(["nan"]).equals(first) for m in made[1:])


NAMES = [
    "../../etc/passwd", "two\nlines", 'say "x"', "<script>alert(1)</script>", "=HYPERLINK(1)", "\u202eabc",
    "price", "Price", "PRICE", "a__valid", "e__x", "con", "", " ", "x" * 10_000, "/", ".", "..", "zarr.json", "c", "ä",
]  # fmt: skip


def test_column_names_are_data_and_never_paths(tmp_path: Path) -> None:
    table = pa.table({name or "empty": pa.array([i, None]) for i, name in enumerate(NAMES)})
    dataset = convert_table(table, appdata=tmp_path / "ad")
    assert dataset.schema.names == [n or "empty" for n in NAMES]
    assert [dataset.to_arrow([n]).read_all()[n].to_pylist() for n in dataset.schema.names] == [
        [i, None] for i in range(len(NAMES))
    ]
    folders = [p.name for p in dataset.location.iterdir()]
    assert len({f.lower() for f in folders}) == len(folders)
    assert all(f.isascii() and len(f) < 200 and not f.startswith(".") for f in folders)
    assert {p.parent for p in (tmp_path / "ad" / "stores").iterdir()} == {tmp_path / "ad" / "stores"}
    group = zarr.open_group(dataset.location, mode="r")
    assert sorted(n for n, _ in group.arrays()) == sorted(f for f in folders if f != "zarr.json")


def test_missing_values_inside_a_dictionary_are_missing(tmp_path: Path) -> None:
    indices = pa.array([0, 1, None, 1], pa.int8())
    array = pa.DictionaryArray.from_arrays(indices, pa.array(["x", None]))
    dataset = convert_table(pa.table({"a": array, "b": [1, 2, 3, 4]}), appdata=tmp_path)
    assert dataset.to_arrow().read_all()["a"].to_pylist() == ["x", None, None, None]
    assert dataset.schema["a"].nullable


def test_structs_are_taken_apart_and_lists_refused(tmp_path: Path) -> None:
    table = pa.table({"s": [{"a": 1, "b": "x"}, None, {"a": None, "b": "y"}]})
    dataset = convert_table(table, appdata=tmp_path)
    assert dataset.to_arrow().read_all().to_pydict() == {"s.a": [1, None, None], "s.b": ["x", None, "y"]}
    with pytest.raises(BadInputError, match="the frame: column 'l' has the type list"):
        convert_table(pa.table({"l": [[1]]}), appdata=tmp_path)


def test_what_is_no_frame_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="a list can't be converted"):
        convert_table([1, 2], appdata=tmp_path)
    with pytest.raises(BadInputError, match="can't be handed over as Arrow"):
        convert_table(pd.DataFrame({"a": [1, "x", object()]}), appdata=tmp_path)
    with pytest.raises(BadInputError, match="no rows"):
        convert_table(pa.table({"a": pa.array([], pa.int64())}), appdata=tmp_path)
    with pytest.raises(BadInputError, match="Duplicate column names"):
        convert_table(pd.DataFrame([[1, 2]], columns=["a", "a"]), appdata=tmp_path)


def test_the_index_of_a_pandas_frame_is_taken_only_by_its_name(tmp_path: Path) -> None:
    frame = pd.DataFrame({"v": [1, 2]}, index=[7, 9])
    assert convert_table(frame, appdata=tmp_path).schema.names == ["v"]
    assert "k" in convert_table(frame.rename_axis("k"), appdata=tmp_path).schema.names
