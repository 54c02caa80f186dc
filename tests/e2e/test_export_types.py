"""What a source declared comes back on export: types, zones, decimals, categories, missing values apart from NaN."""

from __future__ import annotations

import datetime as dt
import decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import toolkit
from toolkit.readers.plain_arrow import plain_table
from toolkit.storage.declared_types import arrow_type_named
from toolkit.stores import main as stores

_DAY = dt.date(2020, 2, 29)
_AT = dt.datetime(2020, 2, 29, 12, 30, 1)  # noqa: DTZ001  a local time on purpose
_LEVELS = pa.array(["low", "middle", "high", "never"])

COLUMNS: dict[str, pa.Array] = {
    "int8": pa.array([-1, None, 5], pa.int8()),
    "int64": pa.array([1, 2, 3], pa.int64()),
    "uint64": pa.array([2**64 - 1, 0, None], pa.uint64()),
    "half": pa.array(np.array([0.5, np.nan, 65504], np.float16)),
    "single": pa.array([0.1, None, float("nan")], pa.float32()),
    "double": pa.array([0.1, None, float("nan")]),
    "bool": pa.array([True, None, False]),
    "date64": pa.array([_DAY, None, _DAY], pa.date64()),
    "time32": pa.array([dt.time(1, 2), None, dt.time(23)], pa.time32("ms")),
    "time64": pa.array([dt.time(1, 2), None, dt.time(23)], pa.time64("ns")),
    "local": pa.array([_AT, None, _AT], pa.timestamp("us")),
    "berlin": pa.array([_AT, None, _AT], pa.timestamp("ns", "Europe/Berlin")),
    "duration": pa.array([dt.timedelta(hours=1), None, dt.timedelta(0)], pa.duration("ns")),
    "decimal": pa.array([decimal.Decimal("1.50"), None, decimal.Decimal(-200)], pa.decimal128(12, 4)),
    "wide": pa.array([decimal.Decimal(10) ** 60, None, decimal.Decimal(1)], pa.decimal256(70, 2)),
    "small": pa.array([decimal.Decimal("1.5"), None, None], pa.decimal32(5, 1)),
    "large text": pa.array(["a", None, ""], pa.large_string()),
    "view": pa.array(["a", None, "b" * 20], pa.string_view()),
    "fixed": pa.array([b"ab", None, b"cd"], pa.binary(2)),
    "large binary": pa.array([b"ab", None, b""], pa.large_binary()),
    "ordered": pa.DictionaryArray.from_arrays(pa.array([2, None, 0], pa.int8()), _LEVELS, ordered=True),
    "numbered": pa.DictionaryArray.from_arrays(pa.array([1, 0, 1], pa.int16()), pa.array([30, 10], pa.int64())),
    "nothing": pa.nulls(3, pa.int32()),
    "null": pa.nulls(3),
}


def exported(source: Any, folder: Path, suffix: str, *more: str, chunk_rows: int = 0) -> pa.Table:
    """A source converted and exported again."""
    with toolkit.convert_table(source, appdata=folder / "appdata", chunk_rows=chunk_rows) as dataset:
        target = folder / f"out{suffix}"
        target.unlink(missing_ok=True)
        command = ["export", str(dataset.location), str(target), "--quiet", "--appdata", str(folder / "appdata"), *more]
        assert stores(command) == 0
    return pq.ParquetFile(target).read() if suffix == ".parquet" else pa.ipc.open_file(target).read_all()


def assert_equal(got: pa.Table, want: pa.Table) -> None:
    """Equality of types and values, in which NaN is equal to itself and different from a missing value."""
    assert got.schema.remove_metadata() == want.schema.remove_metadata()
    for field in want.schema:
        ours, theirs = got[field.name].combine_chunks(), want[field.name].combine_chunks()
        assert ours.is_valid().equals(theirs.is_valid()), field
        if pa.types.is_floating(field.type):
            pair = [a.to_numpy(zero_copy_only=False) for a in (ours, theirs)]
            assert np.array_equal(*pair, equal_nan=True), field
        else:
            assert ours.equals(theirs), field


@pytest.mark.parametrize("suffix", [".arrow", ".parquet"])
def test_every_type_comes_back(tmp_path: Path, suffix: str) -> None:
    table = pa.table(COLUMNS)
    if suffix == ".parquet":
        # what Parquet itself gives back: it has no words for some of Arrow's types
        pq.write_table(table, tmp_path / "t.parquet")
        source: Any = tmp_path / "t.parquet"
        table = pq.ParquetFile(source).read()
    else:
        source = tmp_path / "t.arrow"
        with pa.ipc.new_file(source, table.schema) as writer:
            writer.write_table(table)
    assert_equal(exported(source, tmp_path, suffix), table)


def test_a_frame_comes_back_and_its_store_does_not_say_where_it_came_from(tmp_path: Path) -> None:
    table = pa.table(COLUMNS)
    assert_equal(exported(table, tmp_path, ".arrow", chunk_rows=1), table)
    narrow = exported(table, tmp_path, ".arrow", "--as-stored", chunk_rows=1)
    assert narrow.schema.field("int64").type == pa.uint8()
    assert narrow.schema.field("ordered").type == pa.string()


def test_columns_without_missing_values_stay_so_by_declaration(tmp_path: Path) -> None:
    schema = pa.schema([pa.field("a", pa.int64(), nullable=False), pa.field("b", pa.int64())])
    table = pa.table({"a": [1, 2], "b": [1, 2]}, schema=schema)
    assert exported(table, tmp_path, ".arrow").schema == schema


def test_a_declared_kind_wins_over_the_source_and_only_the_rest_comes_back(tmp_path: Path) -> None:
    table = pa.table({"a": pa.array([1, 2], pa.int64()), "b": pa.array([1, 2], pa.int64())})
    with toolkit.convert_table(table, appdata=tmp_path, types={"a": "string"}) as dataset:
        assert stores(["export", dataset.key, str(tmp_path / "o.arrow"), "--appdata", str(tmp_path)]) == 0
    assert pa.ipc.open_file(tmp_path / "o.arrow").schema.types == [pa.string(), pa.int64()]


def test_a_forged_declaration_that_values_do_not_fit_is_not_followed(tmp_path: Path) -> None:
    table = pa.table({"a": pa.array([1, 300], pa.int64()), "b": pa.array([0.1, 0.2])})
    with toolkit.convert_table(table, appdata=tmp_path) as dataset:
        (record,) = (tmp_path / "sources").glob("*.json")
        record.write_text(record.read_text().replace('"int64"', '"int8"').replace('"double"', '"float"'))
        assert stores(["export", dataset.key, str(tmp_path / "o.arrow"), "--appdata", str(tmp_path)]) == 0
    assert pa.ipc.open_file(tmp_path / "o.arrow").read_all().to_pydict() == {"a": [1, 300], "b": [0.1, 0.2]}


@pytest.mark.parametrize("kind", sorted({str(c.type) for c in COLUMNS.values()}))
def test_types_are_read_as_they_are_written(kind: str) -> None:
    assert str(arrow_type_named(kind)) == kind


_VALUES = {
    pa.int16(): st.integers(-(2**15), 2**15 - 1),
    pa.uint64(): st.integers(0, 2**64 - 1),
    pa.float64(): st.floats(),
    pa.float32(): st.floats(width=32),
    pa.large_string(): st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    pa.timestamp("ms", "Asia/Tokyo"): st.integers(-(2**40), 2**40),
    pa.duration("us"): st.integers(-(2**40), 2**40),
    pa.decimal128(20, 3): st.decimals(-(10**15), 10**15, places=3),
    pa.bool_(): st.booleans(),
    pa.binary(): st.binary(max_size=4),
}


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    """Tables of some columns of some types, with missing values."""
    rows = draw(st.integers(1, 12))
    kinds = draw(st.lists(st.sampled_from(list(_VALUES)), min_size=1, max_size=4))
    columns = [draw(st.lists(st.none() | _VALUES[k], min_size=rows, max_size=rows)) for k in kinds]
    return pa.table({f"c{i}": pa.array(v, k) for i, (k, v) in enumerate(zip(kinds, columns, strict=True))})


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=tables(), chunk_rows=st.integers(0, 5))
def test_any_table_comes_back(table: pa.Table, chunk_rows: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("any")
    assert_equal(exported(table, folder, ".arrow", chunk_rows=chunk_rows), table)


def test_real_parquet_files_come_back(real_data: Path, tmp_path: Path) -> None:
    done = 0
    for path in sorted((real_data / "parquet").glob("*.parquet")):
        table = plain_table(pq.ParquetFile(path).read())
        if any(pa.types.is_nested(t) for t in table.schema.types):
            continue
        for suffix in (".parquet", ".arrow"):
            folder = tmp_path / path.stem
            assert_equal(exported(path, folder, suffix), table)
        done += 1
    assert done >= 5


def test_a_polars_frame_comes_back(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "label": pl.Series(["x", None, "y"], dtype=pl.Categorical),
            "level": pl.Series(["low", "high", None], dtype=pl.Enum(["low", "high"])),
            "small": pl.Series([1, None, 3], dtype=pl.Int8),
            "text": ["a", None, "b" * 30],
        }
    )
    got = pl.from_arrow(exported(frame, tmp_path, ".arrow"))
    assert isinstance(got, pl.DataFrame)
    assert got.cast({"level": pl.Enum(["low", "high"])}).equals(frame)
    assert [got.schema[n] for n in ("label", "small", "text")] == [frame.schema[n] for n in ("label", "small", "text")]
