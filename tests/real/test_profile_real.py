"""Profiles of real tables against published and independently counted answers, through convert, run and report.json."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import toolkit
from toolkit.report.validation import check_report

HFLIGHTS_MISSING = {"ArrDelay": 3622, "DepDelay": 2905, "ArrTime": 3066, "TaxiIn": 3066, "TaxiOut": 2947}


def _report(table: Any, appdata: Path) -> dict[str, Any]:
    dataset = toolkit.convert_table(table, appdata=appdata)
    run = toolkit.run_plugins(dataset, appdata=appdata, plugins=["profile_basic"], executor="serial")
    assert run.status == "ok"
    check_report(run.report)
    return run.report


@pytest.fixture(scope="module")
def hflights(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], pd.DataFrame]:
    source = real_data / "tables" / "hflights.csv.gz"
    return _report(source, tmp_path_factory.mktemp("hflights")), pd.read_csv(source)


def test_hflights_has_the_published_missing_counts(hflights: tuple[dict[str, Any], pd.DataFrame]) -> None:
    report, frame = hflights
    columns = {c["name"]: c for c in report["columns"]}
    assert report["dataset"]["rows"] == 227_496
    assert len(columns) == 21
    assert {name: columns[name]["missing"] for name in HFLIGHTS_MISSING} == HFLIGHTS_MISSING
    assert {c: e["missing"] for c, e in columns.items()} == frame.isna().sum().to_dict()


def test_hflights_agrees_with_pandas(hflights: tuple[dict[str, Any], pd.DataFrame]) -> None:
    report, frame = hflights
    for entry in report["columns"]:
        values = frame[entry["name"]].dropna()
        assert entry["count"] == len(values)
        assert entry["distinct"] == values.nunique()
        assert entry["distinct_exact"] is True
        counted = values.value_counts()
        assert [t["count"] for t in entry["top"]] == counted.head(10).tolist()
        assert all(counted[t["value"]] == t["count"] for t in entry["top"])
        assert (entry["min"], entry["max"]) == (values.min(), values.max())
        if entry["kind"] != "int":
            continue
        assert entry["mean"] == pytest.approx(values.mean(), rel=1e-13)
        assert entry["std"] == pytest.approx(values.std(), rel=1e-13)
        for probability, quantile in entry["quantiles"].items():
            assert quantile == np.quantile(values, float(probability), method="inverted_cdf")
        if values.nunique() > 1:
            assert entry["skewness"] == pytest.approx(_moment(values, 3), rel=1e-9)
            assert entry["kurtosis"] == pytest.approx(_moment(values, 4) - 3, rel=1e-9)


def _moment(values: pd.Series, order: int) -> float:
    centred = values.to_numpy(np.float64) - values.mean()
    return float(np.mean(centred**order) / np.mean(centred**2) ** (order / 2))


def test_hflights_findings_are_true(hflights: tuple[dict[str, Any], pd.DataFrame]) -> None:
    report, frame = hflights
    found = {(f["kind"], f["columns"][0]): f for f in report["findings"]}
    assert set(found) == {("constant", "Year"), ("mostly_missing", "CancellationCode")}
    assert set(frame["Year"]) == {2011}
    share = found["mostly_missing", "CancellationCode"]["evidence"]["share"]
    assert share == pytest.approx(frame["CancellationCode"].isna().mean(), rel=1e-9)


def test_baby_names_have_the_published_total(real_data: Path, tmp_path: Path) -> None:
    report = _report(real_data / "tables" / "names_1880_2010.csv.gz", tmp_path)
    columns = {c["name"]: c for c in report["columns"]}
    births = columns["births"]
    assert report["dataset"]["rows"] == births["count"] == 1_690_784
    assert round(births["mean"] * births["count"]) == 322_402_727
    assert (columns["year"]["min"], columns["year"]["max"]) == (1880, 2010)
    assert columns["sex"]["role"] == "flag"


def test_adult_marks_its_missing_values(real_data: Path, tmp_path: Path) -> None:
    names = [f"c{i}" for i in range(15)]
    source = real_data / "tables" / "adult.data.gz"
    frame = pd.read_csv(source, header=None, names=names, skipinitialspace=True, na_filter=False)
    report = _report(frame, tmp_path)
    marked = {f["columns"][0]: f["evidence"]["count"] for f in report["findings"] if f["kind"] == "missing_marks"}
    assert marked == {c: int(n) for c, n in (frame == "?").sum().items() if n}
    assert len(marked) == 3
    # capital-gain is cut off at 99999, far above every other value
    (top,) = [f for f in report["findings"] if f["kind"] == "sentinel_value" and f["columns"] == ["c10"]]
    assert top["evidence"]["count"] == int((frame["c10"] == 99999).sum())


# Digits of the standard deviation: decimal fractions are no doubles, which costs what the spacing of doubles weighs in
# it. Of Mavro, values near 2 differ by 4e-4; of NumAcc3, values near 1e6 by 0.1.
@pytest.mark.parametrize(
    ("name", "digits"),
    [("Lew", 14.0), ("Lottery", 14.0), ("Mavro", 12.0), ("NumAcc1", 15.0), ("NumAcc3", 9.4), ("PiDigits", 14.0)],
)
def test_nist_univariate_to_the_best_digits_of_doubles(
    real_data: Path, tmp_path: Path, name: str, digits: float
) -> None:
    text = (real_data / "nist_strd" / f"{name}.txt").read_text()
    mean = _certified(text, r"Sample Mean\s+ybar:|^mean\s+=")
    deviation = _certified(text, r"Sample Standard Deviation[^:]*s:|^standardDeviation\s+=")
    values = np.array([float(line) for line in text.splitlines() if re.fullmatch(r"\s*[-+.\dE]*\d[-+.\dE]*\s*", line)])
    (column,) = _report(pd.DataFrame({"y": values}), tmp_path)["columns"]
    assert column["count"] in (3, 50, 200, 218, 1001, 5000)
    assert _digits(column["mean"], mean) > 14.5
    assert _digits(column["std"], deviation) > digits


def _certified(text: str, label: str) -> float:
    found = re.search(rf"(?:{label})\s*([-+.\d]+)", text, re.MULTILINE)
    assert found is not None
    return float(found[1])


def _digits(got: float, certified: float) -> float:
    return 16.0 if got == certified else -math.log10(abs(got - certified) / abs(certified))
