"""What profile_basic says of columns, against NumPy, SciPy and pandas on whole arrays."""

from __future__ import annotations

import math
from collections import Counter
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tests.memory_store import memory_dataset
from tests.unit.plugins.run_profile import column_of, run_profile
from toolkit.core.canonical import canonical_json
from toolkit.plugin import Budget
from toolkit.report.model import build_report
from toolkit.report.validation import check_report

PROBABILITIES = (0, 0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1)
REQUIRED = {
    "name", "kind", "count", "missing", "distinct", "distinct_exact", "min", "max", "mean", "std", "skewness",
    "kurtosis", "quantiles", "top",
}  # fmt: skip


def _mixed(rows: int = 200) -> dict[str, Any]:
    rng = np.random.default_rng(5)
    missing = rng.random(rows) < 0.2
    return {
        "whole": np.ma.array(rng.integers(-50, 50, rows), mask=missing),
        "number": np.ma.array(np.round(rng.gamma(2.0, 20.0, rows), 2), mask=rng.random(rows) < 0.1),
        "flag": np.ma.array(rng.random(rows) < 0.3, mask=missing),
        "region": [None if m else f"r{i}" for i, m in zip(rng.integers(0, 7, rows), missing, strict=True)],
        "note": [f"note {i} {'x' * (i % 40)}" for i in range(rows)],
        "at": np.datetime64("2024-01-01T00:00:00", "us") + rng.integers(0, 10**13, rows).astype("m8[us]"),
        "day": np.datetime64("2024-01-01") + rng.integers(0, 300, rows).astype("m8[D]"),
        "took": rng.integers(0, 10**7, rows).astype("m8[ms]"),
        "nothing": [None] * rows,
    }


def test_every_column_has_every_field_and_the_report_conforms() -> None:
    result, ctx = run_profile(_mixed(), 64)
    entries = result.data["columns"]
    assert [e["name"] for e in entries] == ctx.schema.names
    assert all(set(e) >= REQUIRED for e in entries)
    outcome = {
        "id": "profile_basic", "type": "profile", "version": "1", "status": "ok", "reason": "", "coverage": {},
        "budget": {}, "references": [], "data": result.data, "findings": [f.to_json() for f in result.findings],
    }  # fmt: skip
    facts = {"key": "00", "rows": ctx.rows, "data_hash": "00", "schema_hash": "00"}
    report = build_report(facts, [{"name": s.name, "kind": s.kind} for s in ctx.schema], [outcome])
    check_report(report)
    # No field is lost on the way, and nothing is in a form that JSON would change.
    for made, kept in zip(entries, report["columns"], strict=True):
        assert canonical_json(made) == canonical_json(kept)


@pytest.mark.parametrize("chunk_rows", [1, 7, 64, 1000])
def test_numbers_against_pandas_and_scipy(chunk_rows: int) -> None:
    columns = _mixed()
    entries = {e["name"]: e for e in run_profile(columns, chunk_rows)[0].data["columns"]}
    for name in ("whole", "number"):
        values, entry = columns[name].compressed(), entries[name]
        series = pd.Series(values)
        described = stats.describe(values.astype(float))
        assert (entry["count"], entry["missing"]) == (values.size, 200 - values.size)
        assert (entry["min"], entry["max"]) == (values.min(), values.max())
        assert entry["distinct"] == series.nunique()
        assert entry["distinct_exact"] is True
        assert (entry["zeros"], entry["negatives"]) == (np.sum(values == 0), np.sum(values < 0))
        for got, expected in (
            (entry["mean"], described.mean), (entry["std"], math.sqrt(described.variance)),
            (entry["skewness"], described.skewness), (entry["kurtosis"], described.kurtosis),
            (entry["entropy"], stats.entropy(series.value_counts(), base=2)),
        ):  # fmt: skip
            assert got == pytest.approx(expected, rel=1e-12)
        expected = np.quantile(values, PROBABILITIES, method="inverted_cdf").tolist()
        assert entry["quantiles"] == {f"{p:g}": q for p, q in zip(PROBABILITIES, expected, strict=True)}
        assert entry["top"] == _top(values.tolist())
        counts, edges = np.histogram(values, 50)
        assert entry["histogram"]["counts"] == counts.tolist()
        assert entry["histogram"]["edges"] == pytest.approx(edges.tolist(), rel=1e-12)
        full = columns[name].filled(10**6)
        assert entry["min_row"] == int(np.argmin(full))
        assert full[entry["max_row"]] == values.max()
        assert sum(entry["missing_by_chunk"]) == entry["missing"]


def _top(values: list[Any], k: int = 10) -> list[dict[str, Any]]:
    counted = sorted(Counter(values).items(), key=lambda pair: (-pair[1], pair[0]))
    kept = counted if len(counted) <= k else [pair for pair in counted if pair[1] > 1][:k]
    return [{"value": value, "count": count} for value, count in kept]


def test_integers_stay_integers_beyond_doubles() -> None:
    entry = column_of(np.array([2**63 - 1, 2**53 + 1, -(2**63), 5, 5], np.int64))
    assert (entry["min"], entry["max"]) == (-(2**63), 2**63 - 1)
    assert entry["quantiles"]["0.75"] == 2**53 + 1
    assert all(isinstance(q, int) for q in entry["quantiles"].values())


def test_bools_have_moments_of_their_zeros_and_ones() -> None:
    columns = _mixed()
    entry = run_profile({"x": columns["flag"]}, 64)[0].data["columns"][0]
    values = columns["flag"].compressed().astype(float)
    assert entry["mean"] == pytest.approx(values.mean(), rel=1e-14)
    assert entry["std"] == pytest.approx(values.std(ddof=1), rel=1e-14)
    assert entry["skewness"] == pytest.approx(stats.skew(values), rel=1e-12)
    assert entry["kurtosis"] == pytest.approx(stats.kurtosis(values), rel=1e-12)
    assert (entry["min"], entry["max"]) == (False, True)
    assert [t["value"] for t in entry["top"]] == [False, True]


def test_times_are_iso_text_and_spreads_seconds() -> None:
    columns = _mixed()
    entries = {e["name"]: e for e in run_profile(columns, 64)[0].data["columns"]}
    for name, unit in (("at", "us"), ("day", "D")):
        values, entry = columns[name], entries[name]
        assert (entry["min"], entry["max"]) == (str(values.min()), str(values.max()))
        middle = np.sort(values)[math.ceil(values.size / 2) - 1]
        assert entry["quantiles"]["0.5"] == str(middle)
        mean = np.datetime64(round(Fraction(sum(values.astype(np.int64).tolist()), values.size)), unit)
        assert entry["mean"] == str(mean)
        seconds = values.astype("M8[us]").astype(np.int64) / 1e6
        assert entry["std"] == pytest.approx(seconds.std(ddof=1), rel=1e-12)
        assert all(isinstance(e, str) for e in entry["histogram"]["edges"])
    took = columns["took"].astype(np.int64) / 1000
    assert entries["took"]["mean"] == pytest.approx(took.mean(), rel=1e-12)
    assert entries["took"]["max"] == took.max()
    assert entries["took"]["role"] == "duration"


def test_utc_instants_end_in_z_and_times_of_day_read_as_such() -> None:
    values = np.array(["2024-01-31T10:00:00", "2024-01-31T11:00:00"], "M8[s]")
    assert column_of(values, specs={"x": {"timezone": "UTC"}})["min"] == "2024-01-31T10:00:00Z"
    entry = column_of(np.array([3_661_001, 5], "m8[ms]"), specs={"x": {"kind": "time"}})
    assert (entry["min"], entry["max"]) == ("00:00:00.005", "01:01:01.001")
    assert column_of(np.array([86_399, 5], "m8[s]"), specs={"x": {"kind": "time"}})["max"] == "23:59:59"


def test_text_is_described_by_bytes_coded_or_long() -> None:
    values = ["b", "é", None, "b", "", "zz"]
    for encoding in ("coded", "long"):
        dataset = memory_dataset({"x": values}, 2, encodings={"x": encoding})
        entry = run_profile(dataset)[0].data["columns"][0]
        assert (entry["count"], entry["missing"], entry["distinct"], entry["empty"]) == (5, 1, 4, 1)
        assert (entry["min"], entry["max"]) == ("", "é")
        assert entry["lengths"] == {"min": 0, "max": 2, "mean": 6 / 5}
        assert entry["top"] == _top(["b", "é", "b", "", "zz"])
        assert entry["entropy"] == pytest.approx(stats.entropy([2, 1, 1, 1], base=2))
        assert entry["quantiles"] == {}


def test_long_values_are_cut_and_say_how_long_they_are() -> None:
    entry = column_of(["y" * 500] * 3 + ["a"])
    assert entry["top"][0] == {"value": "y" * 119 + "…", "count": 3, "length": 500}
    assert entry["max"] == "y" * 119 + "…"
    binary = column_of([b"\x00\xff", b"\x00\xff", b"z" * 40])
    assert binary["top"][0] == {"value": "0x00ff", "count": 2}
    assert binary["max"] == "0x" + "7a" * 32 + "…"


@pytest.mark.parametrize("encoding", ["coded", "long"])
@pytest.mark.parametrize("chunk_rows", [1, 3, 100])
def test_decimals_are_ordered_as_numbers_not_as_text(encoding: str, chunk_rows: int) -> None:
    values = [None, *(Decimal(v) for v in ("-9.50", "10.00", "9.25", "10.00", "-0.05", "0.00", "123456789012.34"))]
    dataset = memory_dataset({"x": values}, chunk_rows, encodings={"x": encoding})
    entry = run_profile(dataset)[0].data["columns"][0]
    numbers = [float(v) for v in values if v is not None]
    assert (entry["count"], entry["distinct"], entry["role"]) == (7, 6, "measure")
    assert (entry["min"], entry["max"]) == ("-9.50", "123456789012.34")
    assert (entry["negatives"], entry["zeros"], entry["lengths"]) == (2, 1, None)
    assert entry["mean"] == pytest.approx(np.mean(numbers), rel=1e-15)
    assert entry["std"] == pytest.approx(np.std(numbers, ddof=1), rel=1e-12)
    assert entry["skewness"] == pytest.approx(stats.skew(numbers), rel=1e-12)
    assert entry["kurtosis"] == pytest.approx(stats.kurtosis(numbers), rel=1e-12)
    if encoding == "coded":
        assert entry["quantiles"]["0.5"] == "9.25"
    else:
        assert (entry["min_row"], entry["max_row"], entry["quantiles"]) == (1, 7, {})


def test_decimals_beyond_64_bits_are_counted_and_no_more() -> None:
    values = [Decimal(10**30 + i) for i in range(5)]
    entry = run_profile(memory_dataset({"x": values}, 2, encodings={"x": "long"}))[0].data["columns"][0]
    assert (entry["count"], entry["distinct"], entry["min"], entry["mean"]) == (5, 5, None, None)
    coded = run_profile(memory_dataset({"x": values}, 2, encodings={"x": "coded"}))[0].data["columns"][0]
    assert (coded["min"], coded["mean"]) == (str(10**30), pytest.approx(1e30))
    assert coded["std"] == pytest.approx(math.sqrt(2.5), rel=1e-15)


def test_nan_is_present_and_takes_part_in_nothing() -> None:
    entry = column_of(np.ma.array([1.0, np.nan, 3.0, np.nan, -0.0], mask=[0, 0, 0, 0, 0]))
    assert (entry["count"], entry["missing"], entry["nan"], entry["distinct"]) == (5, 0, 2, 3)
    assert (entry["min"], entry["max"], entry["zeros"]) == (0.0, 3.0, 1)
    assert entry["mean"] == pytest.approx(4 / 3, rel=1e-15)


def test_infinities_are_text_and_stay_out_of_the_moments() -> None:
    entry = column_of(np.array([np.inf, 1.0, 2.0, -np.inf, np.inf]))
    assert (entry["min"], entry["max"], entry["quantiles"]["1"]) == ("-Infinity", "Infinity", "Infinity")
    assert (entry["positive_infinities"], entry["negative_infinities"]) == (2, 1)
    assert (entry["mean"], entry["std"]) == (1.5, pytest.approx(math.sqrt(0.5)))
    assert sum(entry["histogram"]["counts"]) == 2


@pytest.mark.parametrize(
    "values",
    [
        np.array([7]),
        np.array([7.5]),
        np.array([np.nan]),
        ["one"],
        [None],
        np.array([True]),
        np.array(["2024-01-01"], "M8[D]"),
        np.ma.array([1.0, 2.0], mask=[1, 1]),
        np.ma.array([1, 2], mask=[1, 1]),
        np.ma.array([True, False], mask=[1, 1]),
        np.array(["NaT", "NaT"], "M8[us]"),
    ],
)
def test_columns_of_next_to_nothing(values: Any) -> None:
    entry = column_of(values, 1)
    assert entry["std"] is None
    assert entry["skewness"] is None
    assert entry["role"] in ("constant", "empty")


def test_missing_values_are_counted_along_the_table() -> None:
    values = np.ma.array(np.arange(1000.0), mask=np.arange(1000) >= 900)
    entry = column_of(values, 5)
    assert entry["missing_chunks"] == 4  # 200 chunks in at most 64 groups
    assert entry["missing_by_chunk"] == [0] * 45 + [20] * 5


@settings(max_examples=30)
@given(
    st.lists(st.one_of(st.none(), st.floats(allow_subnormal=True)), min_size=1, max_size=60),
    st.integers(1, 61),
)
def test_any_floats_give_a_profile_that_numpy_agrees_with(values: list[float | None], chunk_rows: int) -> None:
    array = np.array([np.nan if v is None else v for v in values])
    masked = np.ma.array(array, mask=[v is None for v in values])
    entry = column_of(masked, chunk_rows)
    present = masked.compressed()
    numbers = present[~np.isnan(present)] + 0.0
    assert entry["count"] + entry["missing"] == len(values)
    assert entry["nan"] == np.isnan(present).sum()
    assert entry["distinct"] == np.unique(numbers).size
    if numbers.size:
        expected = np.quantile(numbers, [0, 0.25, 0.5, 0.75, 1], method="inverted_cdf")
        got = [float(entry["quantiles"][q]) for q in ("0", "0.25", "0.5", "0.75", "1")]
        np.testing.assert_array_equal(got, expected)
    check = canonical_json(entry)
    assert "NaN" not in check


def test_columns_beyond_max_cols_get_counts_and_ends_and_it_is_said() -> None:
    columns = _mixed()
    full, _ = run_profile(columns, 64)
    result, ctx = run_profile(columns, 64, budget=Budget(max_cols=2))
    entries = result.data["columns"]
    assert [e["profile"] for e in entries] == ["full", "full"] + ["brief"] * 7
    assert entries[:2] == full.data["columns"][:2]
    for brief, whole in zip(entries[2:], full.data["columns"][2:], strict=True):
        for field in ("name", "kind", "count", "missing", "min", "max", "min_row", "max_row"):
            assert brief[field] == whole[field]
        assert (brief["distinct"], brief["mean"], brief["quantiles"], brief["top"]) == (None, None, {}, [])
    assert [(o["cap"], o["evaluated"], o["requested"]) for o in ctx.omissions] == [("max_cols", 2, 9)]
    assert [f.columns for f in result.findings if f.kind == "all_missing"] == [["nothing"]]


ROLES = {
    "number_run": (np.arange(1, 201), "id"),
    "order_key": (np.random.default_rng(1).permutation(10_000)[:200], "id"),
    "unique": (np.random.default_rng(2).permutation(10_000)[:200], "key candidate"),
    "uuid": ([f"{i * 7919:032x}" for i in range(200)], "id"),
    "name": ([f"name {'x' * (i % 9)} {i}" for i in range(200)], "key candidate"),
    "month": (np.arange(200) % 7, "category"),
    "amount": (np.arange(200) % 67, "measure"),
    "price": (np.round(np.arange(200) * 1.37, 2), "measure"),
    "both": (["no", "yes"] * 100, "flag"),
    "yes": ([True, False] * 100, "flag"),
    "zero_one": (np.arange(200) % 2, "flag"),
    "same": (["v1"] * 200, "constant"),
    "none": ([None] * 200, "empty"),
    "when": (np.datetime64("2024-01-01", "s") + np.arange(200).astype("m8[s]"), "timestamp"),
    "zip": ([f"{i % 97:05d}" for i in range(200)], "code"),
    "region": ([f"region {i % 5}" for i in range(200)], "category"),
    "comment": ([f"a longer remark that somebody wrote, number {i // 2}" for i in range(200)], "text"),
    "raw": ([bytes([i % 50, 255]) for i in range(200)], None),
}


def test_roles_and_their_reasons() -> None:
    entries = run_profile({name: values for name, (values, _) in ROLES.items()})[0].data["columns"]
    assert {e["name"]: e["role"] for e in entries} == {name: role for name, (_, role) in ROLES.items()}
    assert all(e["role_reason"] for e in entries)


def test_the_result_does_not_depend_on_the_chunks() -> None:
    texts = set()
    for chunk_rows in (1, 64, 200):
        entries = run_profile(_mixed(), chunk_rows)[0].data["columns"]
        kept = [{k: v for k, v in e.items() if not k.startswith("missing_")} for e in entries]
        texts.add(canonical_json([_rounded(e) for e in kept]))
    assert len(texts) == 1


def _rounded(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {k: _rounded(v) for k, v in tree.items()}
    if isinstance(tree, list):
        return [_rounded(v) for v in tree]
    return float(f"{tree:.11e}") if isinstance(tree, float) else tree
