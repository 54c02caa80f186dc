"""analysis_categorical_association against SciPy, on planted associations and on tables without any."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.memory_store import memory_dataset
from tests.null_tables import TABLES, allowed, null_columns, null_tables_with_findings, plant_association, run_plugin
from toolkit.plugin import Budget, Result

FOLDER = Path(__file__).resolve().parents[3] / "plugins" / "analysis_categorical_association"
ROWS = 6_400


def run(columns: Any, chunk_rows: int = 1_000, **options: Any) -> Result:
    return run_plugin(FOLDER, memory_dataset(columns, chunk_rows), **options)


def words(codes: Any, missing: Any = ()) -> list[str | None]:
    gone = set(np.asarray(missing).tolist())
    return [None if i in gone else f"v{code:03d}" for i, code in enumerate(np.asarray(codes).tolist())]


def test_statistics_are_those_of_scipy() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 5, ROWS), rng.integers(0, 4, ROWS)
    gone = rng.choice(ROWS, 500, replace=False)
    (pair,) = run({"a": words(a, gone), "b": words(b)}).data["pairs"]
    kept = np.setdiff1d(np.arange(ROWS), gone)
    table = np.zeros((5, 4), int)
    np.add.at(table, (a[kept], b[kept]), 1)
    expected = stats.chi2_contingency(table, correction=False)
    assert (pair["chi2"], pair["df"], pair["rows"]) == (pytest.approx(expected.statistic, rel=1e-12), 12, kept.size)
    assert pair["design_effect"] >= 1.0
    assert pair["log10_p"] >= np.log10(expected.pvalue) - 1e-3


def test_a_planted_association_is_found_with_its_cell() -> None:
    columns = null_columns(3, "independent", ROWS)
    result = run(plant_association(columns, "region", "kind", 0.3))
    (finding,) = result.findings
    assert finding.kind == "associated_categories"
    assert finding.columns == ["region", "kind"]
    assert finding.interval is not None
    assert finding.interval[0] < finding.effect < finding.interval[1]  # type: ignore[operator]
    cell = finding.evidence["cells"][0]
    planted = plant_association(columns, "region", "kind", 0.3)
    together = list(zip(planted["region"], planted["kind"], strict=True))
    assert cell["rows"] == together.count(tuple(cell["values"]))
    assert f"{cell['rows']:,} rows, {cell['lift']:.3g} times" in finding.sentence
    present = [(a, b) for a, b in together if b is not None]
    margins = [sum(p[i] == cell["values"][i] for p in present) for i in (0, 1)]
    assert cell["expected"] == pytest.approx(margins[0] * margins[1] / len(present), rel=1e-12)
    assert finding.evidence["rows"] == [[0, ROWS - 1]]
    assert "`region`" in finding.recommendation


def test_rows_are_those_of_the_cell() -> None:
    """A combination that occurs in some stretches of rows alone is placed there."""
    rng = np.random.default_rng(2)
    a, b = rng.integers(0, 3, ROWS), rng.integers(0, 3, ROWS)
    inside = np.arange(ROWS) % 400 < 50
    a[inside], b[inside] = 3, 3
    (finding,) = run({"a": words(a), "b": words(b)}).findings
    assert finding.evidence["cells"][0]["values"] == ["v003", "v003"]
    assert finding.evidence["rows"] == [[at, at + 99] for at in range(0, ROWS, 400)]
    assert finding.evidence["chunks"] == [0, 1, 2, 3, 4, 5, 6]


def test_copies_and_independent_columns() -> None:
    rng = np.random.default_rng(5)
    a = rng.integers(0, 6, ROWS)
    result = run({"a": words(a), "copy": words(a), "flag": rng.random(ROWS) < 0.3})
    (finding,) = result.findings
    assert finding.columns == ["a", "copy"]
    assert finding.effect == pytest.approx(1.0, abs=1e-12)
    assert finding.recommendation.startswith("Keep one of `a` and `copy`")
    assert result.n_tests == 3


def test_fishers_exact_test_has_to_agree() -> None:
    a = np.zeros(200, int)
    b = np.zeros(200, int)
    a[[3, 77, 150]] = 1
    b[[3, 77, 90, 180]] = 1
    (pair,) = run({"a": a == 1, "b": b == 1}).data["pairs"]
    table = [[195, 2], [1, 2]]
    assert pair["fisher_log10_p"] == pytest.approx(np.log10(stats.fisher_exact(table).pvalue), rel=1e-10)
    assert pair["log10_p"] >= pair["fisher_log10_p"]


def test_rare_values_and_capped_ones_are_pooled() -> None:
    rng = np.random.default_rng(6)
    a = rng.integers(0, 100, ROWS)
    b = np.where(rng.random(ROWS) < 0.4, a % 3, rng.integers(0, 3, ROWS))
    columns = {"a": words(a), "b": words(b)}
    result = run(columns)
    assert result.data["pairs"][0]["values"] == [64, 3]
    assert [f.columns for f in result.findings] == [["a", "b"]]
    capped = run(columns, budget=Budget(max_groups=1))
    assert [p["rows"] for p in capped.data["pairs"]] == [ROWS]
    assert capped.data["pairs"][0]["values"] == [2, 2]


def test_columns_of_names_are_left_out() -> None:
    a = np.arange(ROWS) // 8
    assert run({"name": words(a), "b": words(a % 3)}).data["pairs"] == []


def test_chunks_change_nothing() -> None:
    columns = plant_association(null_columns(4, "grouped", ROWS), "region", "kind", 0.5)
    one, other = run(columns, 1_000), run(columns, 262_144)
    assert one.data == other.data
    assert [f.sentence for f in one.findings] == [f.sentence for f in other.findings]


@pytest.mark.parametrize(
    "columns",
    [
        {"a": [None] * 40, "b": [None] * 40},
        {"a": ["x"] * 40, "b": ["x", "y"] * 20},
        {"a": ["", None] * 20, "b": ["x", "y"] * 20},
        {"a": ["x"] * 39 + ["y"], "b": ["x", "y"] * 20},
        {"a": [True], "b": [False]},
    ],
)
def test_degenerate_tables(columns: Any) -> None:
    assert run(columns, 7).findings == []


def test_null_tables() -> None:
    assert len(null_tables_with_findings(FOLDER, 15)) <= 3


@pytest.mark.slow
def test_null_tables_in_full() -> None:
    assert len(null_tables_with_findings(FOLDER, TABLES)) <= allowed(TABLES)
