"""transform_binned_series: its bins against pandas, what caps do to them, and how plugins read them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tests.memory_store import memory_dataset, reader_of
from tests.series_tables import SERIES_CAPS, binned, series_inputs
from toolkit.api import convert_table, run_plugins
from toolkit.plugin import Budget, Context, Skip
from toolkit.plugin.series import FIELDS, Series, read_series
from toolkit.storage.appdata import AppData
from toolkit.storage.dataset import open_location

PLUGIN = "transform_binned_series"
ROWS = 6_000
RNG = np.random.default_rng(7)
TIMES = np.datetime64("1969-12-30T10:00:00", "us") + RNG.integers(0, 4 * 86_400 * 10**6, ROWS).astype("m8[us]")
TIMES[::90] = np.datetime64("NaT")
COLUMNS: dict[str, Any] = {
    "id": np.arange(ROWS),
    "when": TIMES,
    "load": np.where(RNG.random(ROWS) < 0.02, np.nan, 1e5 + RNG.normal(size=ROWS).cumsum()),
    "number": np.ma.array(RNG.integers(-9, 9, ROWS), mask=RNG.random(ROWS) < 0.3),
    "same": np.full(ROWS, 2.5),
}


def series_of(columns: dict[str, Any] = COLUMNS, chunk_rows: int = 1_000, **options: Any) -> Series:
    derived, told, _ = binned(memory_dataset(columns, chunk_rows), **options)
    return read_series(Context(derived, series_inputs(told)))


def frame_of(derived: Any) -> pd.DataFrame:
    found: pd.DataFrame = derived.to_arrow().read_all().to_pandas()
    return found


def resampled(step: str) -> tuple[pd.DatetimeIndex, Any]:
    frame = pd.DataFrame({"load": COLUMNS["load"], "number": COLUMNS["number"].astype(float).filled(np.nan)})
    frame["row"] = np.arange(ROWS)
    frame.index = pd.DatetimeIndex(TIMES)
    grouped = frame[frame.index.notna()].sort_index().resample(step, origin="epoch")
    return grouped.size().index, grouped


def test_equals_pandas_resample() -> None:
    derived, told, _ = binned(memory_dataset(COLUMNS, 700))
    assert told.data["left_out"] == {"id": "it names things", "same": "it has one value"}
    assert (told.data["order"], told.data["time"], told.data["step_ms"]) == ("time", "when", 60_000)
    assert told.data["untimed"] == np.isnat(TIMES).sum()
    found = frame_of(derived)
    index, grouped = resampled("1min")
    assert len(found) == len(index) == told.data["bins"]
    assert (found["bin_start"].to_numpy() == index.to_numpy()).all()
    assert (found["rows"].to_numpy() == grouped.size().to_numpy()).all()
    for name, expected in (("first_row", grouped["row"].min()), ("last_row", grouped["row"].max())):
        np.testing.assert_array_equal(found[name].to_numpy(float), expected.to_numpy(float))
    for name in ("load", "number"):
        for field, expected in zip(FIELDS, map(grouped[name].agg, ("count", "mean", "var", "min", "max")), strict=True):
            np.testing.assert_allclose(found[f"{name}.{field}"].to_numpy(float), expected, rtol=1e-10, atol=1e-9)


@pytest.mark.parametrize(("most", "step"), [(400, "15min"), (100, "1h"), (5, "1D")])
def test_joined_bins_equal_pandas_resample(most: int, step: str) -> None:
    series = series_of().fitted(most)
    index, grouped = resampled(step)
    assert len(series) == len(index) <= most
    assert [series.when(i) for i in (0, len(series) - 1)] == [str(index[i])[: len(series.when(0))] for i in (0, -1)]
    assert (series.rows == grouped.size().to_numpy()).all()
    assert (series.last_row == grouped["row"].max().to_numpy()).all()
    assert (series.first_row == grouped["row"].min().to_numpy()).all()
    found = series.column("load")
    assert (found.n == grouped["load"].count().to_numpy()).all()
    for values, expected in ((found.mean, "mean"), (found.low, "min"), (found.high, "max")):
        np.testing.assert_allclose(values, grouped["load"].agg(expected), rtol=1e-10)
    np.testing.assert_allclose(found.m2, grouped["load"].var(ddof=0) * found.n, rtol=1e-9)


def test_joining_twice_is_joining_once() -> None:
    once, twice = series_of().fitted(300), series_of().fitted(2_000).fitted(300)
    assert once.start_ms == twice.start_ms
    for name in ("n", "mean", "m2", "low", "high"):
        np.testing.assert_allclose(getattr(once.column("load"), name), getattr(twice.column("load"), name), rtol=1e-9)


def test_rows_without_a_time_column() -> None:
    columns = {"x": np.arange(10_000.0) % 7, "word": ["a", "b"] * 5_000}
    series = series_of(columns, budget=Budget(max_windows=100))
    assert (series.order, len(series), series.when(50)) == ("rows", 100, "row 5,000")
    assert series.in_time_order
    assert series.rows.tolist() == [100] * 100
    np.testing.assert_allclose(series.column("x").mean, columns["x"].reshape(100, 100).mean(axis=1))
    np.testing.assert_allclose(series.fitted(10).column("x").mean, columns["x"].reshape(10, 1000).mean(axis=1))


def test_a_series_that_is_sampled_evenly_is_kept_as_it_is() -> None:
    times = np.datetime64("2024-01-01", "s") + 300 * np.arange(5_000).astype("m8[s]")
    kept = np.r_[0:2_000, 3_000:5_000]
    series = series_of({"t": times[kept], "x": np.sin(kept / 9.0)})
    assert (series.step_ms, len(series)) == (300_000, 5_000)
    assert series.in_time_order
    assert (series.column("x").n > 1).sum() == 0


@pytest.mark.parametrize("chunk_rows", [70, 333, 262_144])
def test_chunks_make_no_difference_beyond_ten_digits(chunk_rows: int) -> None:
    columns = {name: values[:2_000] for name, values in COLUMNS.items()}
    one, other = (frame_of(binned(memory_dataset(columns, size))[0]) for size in (2_000, chunk_rows))
    for name in one.columns:
        if one[name].dtype.kind == "f":
            np.testing.assert_allclose(one[name], other[name], rtol=1e-10, atol=1e-12)
        else:
            pd.testing.assert_series_equal(one[name], other[name])


def test_every_chunk_is_read_and_the_last_row_counts() -> None:
    dataset = memory_dataset(COLUMNS, 1_000)
    _, _, ctx = binned(dataset)
    assert all(ctx.reads[name] == set(range(6)) for name in ("when", "load", "number"))
    changed = COLUMNS | {"load": COLUMNS["load"].copy()}
    changed["load"][-1] += 1.0
    assert not frame_of(binned(dataset)[0]).equals(frame_of(binned(memory_dataset(changed, 1_000))[0]))
    assert len(reader_of(dataset).reads) > 0


def test_caps_make_bins_coarser_and_are_told() -> None:
    _, told, ctx = binned(memory_dataset(COLUMNS, 1_000), budget=Budget(max_windows=1, max_cols=1))
    assert told.data["bins"] <= 2
    assert told.data["columns"] == ["load"]
    assert {entry["cap"]: entry["left_out"] for entry in ctx.omissions} == {"max_windows": [], "max_cols": ["number"]}
    _, told, ctx = binned(memory_dataset(COLUMNS, 1_000), params={"max_cells": 1_000})
    assert told.data["bins"] <= 500
    assert [entry["cap"] for entry in ctx.omissions] == ["max_cells"]
    _, told, ctx = binned(memory_dataset(COLUMNS, 1_000), budget=SERIES_CAPS)
    assert ctx.omissions == []


def test_tables_without_series() -> None:
    with pytest.raises(Skip, match="neither a column of times"):
        binned(memory_dataset({"id": np.arange(100), "t": np.full(100, "2024", "M8[s]"), "w": ["a"] * 100}))
    gone = np.full(4, "NaT", "M8[s]")
    assert series_of({"t": gone, "x": [1.0, 2.0, 2.0, 4.0]}).order == "rows"


AWKWARD = [-0.0, np.inf, -np.inf, np.nan, 2.0**53 + 2, 1e308, -1e308, 5e-324]


def test_awkward_values() -> None:
    times = np.repeat(np.array(["2024-01-01T00:00", "2024-01-01T01:00"], "M8[m]"), 8).astype("M8[s]")
    columns = {"t": times, "x": np.array(AWKWARD * 2), "big": np.full(16, 2**53 + 1) + np.arange(16) % 2}
    series = series_of(columns).fitted(2)
    assert series.column("x").n.tolist() == [5, 5]
    assert series.column("x").low.tolist() == [-1e308] * 2
    assert series.column("big").n.tolist() == [8, 8]
    one_row = series_of({"t": np.array(["2024-01-01", "2024-01-02"], "M8[D]")}, 1)
    assert (len(one_row), one_row.columns) == (2, [])


@pytest.mark.slow
def test_byte_identity_for_any_number_of_workers(tmp_path: Path) -> None:
    data = pa.table(
        {k: pa.array(np.ma.getdata(v), mask=np.ma.getmaskarray(v)) for k, v in COLUMNS.items() if k != "id"}
    )
    keys = {}
    for workers in (0, 1, 2, 3):
        place = tmp_path / str(workers)
        dataset = convert_table(data, appdata=place, chunk_rows=1_000)
        options: dict[str, Any] = {"executor": "serial"} if not workers else {"workers": workers}
        report = run_plugins(dataset, plugins=[PLUGIN], appdata=place, policy="off", cache=False, **options)
        derived = report.report["derived"][0]
        keys[workers] = derived["key"]
        assert {tuple(c["of"]) for c in derived["columns"] if c["name"].startswith("load")} == {("when", "load")}
        assert open_location(AppData(place).store_path(derived["key"])).rows == derived["rows"]
    assert len(set(keys.values())) == 1, keys


def test_rows_without_a_time_are_told() -> None:
    _, told, _ = binned(memory_dataset(COLUMNS, 1_000))
    (finding,) = told.findings
    assert finding.sentence == "67 of 6,000 rows (1.1 %) have no `when` and are in no bin of the series."
    assert {finding.evidence[k] for k in ("untimed", "rows_of_the_table")} == {67, 6_000}


@pytest.mark.skipif("TOOLKIT_REAL_DATA" not in os.environ, reason="TOOLKIT_REAL_DATA is not set")
def test_real_machine_temperature() -> None:
    place = Path(
        os.environ["TOOLKIT_REAL_DATA"], "timeseries/nab/realKnownCause/machine_temperature_system_failure.csv"
    )
    frame = pd.read_csv(place, parse_dates=["timestamp"])
    columns = {"t": frame["timestamp"].to_numpy().astype("M8[us]"), "value": frame["value"].to_numpy()}
    series = series_of(columns)
    assert (series.step_ms, int(series.rows.sum())) == (300_000, len(frame))
    hourly = series.fitted(3_000)
    expected = frame.set_index("timestamp")["value"].resample("1h", origin="epoch")
    np.testing.assert_allclose(hourly.column("value").mean, expected.mean(), rtol=1e-12)
    np.testing.assert_array_equal(hourly.column("value").n, expected.count())
