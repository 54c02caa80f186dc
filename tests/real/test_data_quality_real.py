"""Missing values, repeating rows, keys and dependencies of real tables, against pandas on whole frames."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import toolkit

PLUGINS = ["profile_basic", "analysis_missingness", "analysis_duplicate_rows", "analysis_keys_dependencies"]


def _reported(source: Path, appdata: Path) -> tuple[dict[str, Any], pd.DataFrame]:
    dataset = toolkit.convert_table(source, appdata=appdata)
    run = toolkit.run_plugins(dataset, appdata=appdata, plugins=PLUGINS, executor="serial")
    assert run.status == "ok"
    return run.report, dataset.to_arrow().read_all().to_pandas()


@pytest.fixture(scope="module")
def hflights(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], pd.DataFrame]:
    return _reported(real_data / "tables" / "hflights.csv.gz", tmp_path_factory.mktemp("hflights"))


@pytest.fixture(scope="module")
def adult(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], pd.DataFrame]:
    return _reported(real_data / "tables" / "adult.data.gz", tmp_path_factory.mktemp("adult"))


def of_kind(report: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [f for f in report["findings"] if f["kind"] == kind]


@pytest.mark.slow
@pytest.mark.parametrize("table", ["hflights", "adult"])
def test_repeating_rows(table: str, request: pytest.FixtureRequest) -> None:
    report, frame = request.getfixturevalue(table)
    expected = int(frame.duplicated().sum())
    told = of_kind(report, "duplicate_rows")
    assert [f["evidence"]["repeats"] for f in told] == ([expected] if expected else [])


@pytest.mark.slow
@pytest.mark.parametrize("table", ["hflights", "adult"])
def test_dependencies(table: str, request: pytest.FixtureRequest) -> None:
    report, frame = request.getfixturevalue(table)
    told = [*of_kind(report, "functional_dependency"), *of_kind(report, "almost_functional_dependency")]
    assert told
    for finding in told:
        by = finding["evidence"]["determined_by"]
        for column in finding["columns"][len(by) :]:
            counts = frame[[*by, column]].dropna().value_counts()
            broken = int(counts.sum() - counts.groupby(level=list(range(len(by)))).max().sum())
            assert broken == finding["evidence"]["violations"], (by, column)


@pytest.mark.slow
def test_missing_values_go_with_the_flights_that_did_not_fly(hflights: tuple[dict[str, Any], pd.DataFrame]) -> None:
    report, frame = hflights
    gone = frame.isna()
    twins = {frozenset(f["columns"]) for f in of_kind(report, "missing_in_the_same_rows")}
    assert frozenset({"ActualElapsedTime", "AirTime", "ArrDelay"}) in twins
    for finding in of_kind(report, "missing_together"):
        first, second = finding["columns"]
        assert finding["evidence"]["both"] == int((gone[first] & gone[second]).sum())
    depends = {f["columns"][0]: f for f in of_kind(report, "missing_depends")}
    cancelled = depends["DepTime"]  # with which DepDelay is missing
    assert cancelled["columns"][1] in ("Cancelled", "CancellationCode")
