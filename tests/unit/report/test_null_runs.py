"""A run of all plugins on tables without anything in them finds nothing, and finds what is planted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.memory_store import memory_dataset
from tests.null_runs import report_of_run
from tests.null_tables import (
    KINDS,
    TABLES,
    Dependence,
    allowed,
    null_columns,
    null_tables,
    plant_correlation,
    plant_group_shift,
)


def findings_by_test(report: dict[str, Any]) -> list[dict[str, Any]]:
    return [f for f in report["findings"] if f["log10_p"] is not None]


def test_what_is_planted_survives_the_tests_of_the_whole_run() -> None:
    columns = null_columns(0, "autocorrelated")
    columns = plant_group_shift(plant_correlation(columns, "x", "y", 0.6), "region", "v1", "money", 1.5)
    report = report_of_run(memory_dataset(columns, 4_096))
    assert report["discovery"]["n_tests"] > 100
    found = {(f["plugin"], *sorted(f["columns"])) for f in findings_by_test(report)}
    assert ("analysis_correlation", "x", "y") in found
    assert ("analysis_group_differences", "money", "region") in found


@pytest.mark.parametrize("dependence", KINDS)
def test_a_run_on_nothing_finds_nothing(dependence: Dependence) -> None:
    report = report_of_run(memory_dataset(null_columns(KINDS.index(dependence), dependence), 4_096))
    assert report["discovery"]["n_tests"] > 100
    assert [f["sentence"] for f in findings_by_test(report)] == []


@pytest.mark.slow
def test_few_of_many_runs_on_nothing_find_something() -> None:
    """At most 5 %: as many as that share has by chance in 995 of 1,000 trials, 19 of 200 tables."""
    found = [f for _, dataset in null_tables(TABLES) if (f := findings_by_test(report_of_run(dataset)))]
    assert len(found) <= allowed(TABLES), [f[0]["sentence"] for f in found]
