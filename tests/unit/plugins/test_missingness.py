"""analysis_missingness: against whole arrays, on planted and on null tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.memory_store import memory_dataset
from tests.null_tables import TABLES, allowed, null_columns, null_tables, plant_outage, run_plugin
from tests.sample_store import sample_store
from toolkit.plugin import Budget, Finding, Result
from toolkit.plugin.inference.multiplicity import q_values

FOLDER = Path(__file__).resolve().parents[3] / "plugins" / "analysis_missingness"
ROWS = 20_000


def run(columns: dict[str, Any], chunk_rows: int = 4_096, budget: Budget | None = None, **params: Any) -> Result:
    return run_plugin(FOLDER, memory_dataset(columns, chunk_rows), params=params, budget=budget)


def one(result: Result, kind: str) -> Finding:
    found = [f for f in result.findings if f.kind == kind]
    assert len(found) == 1, [f.sentence for f in result.findings]
    return found[0]


def table(seed: int = 1) -> dict[str, Any]:
    """Independent rows: x, and y that is missing more often where kind is c."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(["a", "b", "c", "d"], ROWS)
    gone = rng.random(ROWS) < np.where(kind == "c", 0.3, 0.02)
    return {"x": rng.normal(5, 2, ROWS), "y": np.ma.array(rng.normal(size=ROWS), mask=gone), "kind": kind.tolist()}


def test_dependence_on_a_category_is_that_of_scipy() -> None:
    columns = table()
    found = one(run(columns), "missing_depends")
    gone, kind = np.ma.getmaskarray(columns["y"]), np.array(columns["kind"])
    cells = np.array([[np.sum(gone & (kind == k)) for k in "abcd"], [np.sum(~gone & (kind == k)) for k in "abcd"]])
    assert found.columns == ["y", "kind"]
    assert found.evidence["chi2"] == pytest.approx(stats.chi2_contingency(cells, correction=False)[0], rel=1e-10)
    assert found.evidence["missing_inside"] == cells[0, 2]
    assert found.evidence["rows_outside"] == np.sum(kind != "c")
    assert found.evidence["value"] == "c"
    share = f"{cells[0, 2] / cells[:, 2].sum():.1%}"
    assert share in found.sentence


def test_dependence_on_a_number() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(1e9, 3.0, ROWS)  # far from zero, where plain sums of squares would have lost it
    gone = rng.random(ROWS) < 1 / (1 + np.exp(-(x - 1e9) / 3 + 2))
    x[5], x[6] = np.nan, np.inf
    found = one(run({"x": x, "y": np.ma.array(rng.normal(size=ROWS), mask=gone)}), "missing_depends")
    finite = np.isfinite(x)
    inside, outside = x[gone & finite] - 1e9, x[~gone & finite] - 1e9
    pooled = np.sqrt((inside.var() * inside.size + outside.var() * outside.size) / (inside.size + outside.size - 2))
    df = inside.size + outside.size - 2
    g = (inside.mean() - outside.mean()) / pooled * (1 - 3 / (4 * df - 1))
    assert found.columns == ["y", "x"]
    assert found.effect == pytest.approx(g, rel=1e-10)
    assert found.evidence["mean_missing"] == pytest.approx(inside.mean() + 1e9, rel=1e-12)
    assert found.interval is not None
    assert found.interval[0] < g < found.interval[1]


@pytest.mark.parametrize("depends", [False, True])
def test_little_agrees(depends: bool) -> None:
    """Of two columns of which one is complete, Little's statistic is that of the means of the complete one."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=ROWS)
    gone = rng.random(ROWS) < (1 / (1 + np.exp(2 - x)) if depends else 0.15)
    squares = sum(part.size * (part.mean() - x.mean()) ** 2 for part in (x[gone], x[~gone]))
    p_of_little = stats.chi2.sf(squares / x.var(), 1)
    result = run({"x": x, "y": np.ma.array(x + rng.normal(size=ROWS), mask=gone)})
    assert (p_of_little < 1e-6) == depends
    assert any(f.kind == "missing_depends" for f in result.findings) == depends


def test_an_outage_is_one_run() -> None:
    """It runs over the ends of chunks, and does not pass for dependence on whatever else those rows had."""
    columns = plant_outage(null_columns(4, "independent", ROWS), "x", 3_000, 9_500)
    result = run(columns)
    found = one(result, "missing_run")
    assert found.evidence["rows"] == [[3_000, 9_499]]
    assert found.evidence["chunks"] == [0, 1, 2]
    assert found.effect == 1.0
    assert {f.kind for f in result.findings} <= {"missing_run", "missing_shift"}


def test_runs_do_not_depend_on_chunks() -> None:
    rng = np.random.default_rng(5)
    gone = np.repeat(rng.random(1_000) < 0.3, rng.integers(1, 9, 1_000))
    columns = {"x": np.ma.array(np.arange(gone.size), mask=gone)}
    changes = np.flatnonzero(np.diff(gone, prepend=False, append=False))
    lengths = changes[1::2] - changes[::2]
    for chunk_rows in (7, 100, 100_000):
        found = one(run(columns, chunk_rows, run_rows=2, run_share=0.0), "missing_run")
        assert found.evidence["length"] == lengths.max()
        assert found.evidence["rows"][0][0] == changes[::2][lengths.argmax()]


def test_together_and_in_the_same_rows() -> None:
    rng = np.random.default_rng(6)
    gone = rng.random(ROWS) < 0.1
    other = gone & (rng.random(ROWS) < 0.7) | (rng.random(ROWS) < 0.02)
    values = rng.normal(size=ROWS)
    columns = {
        "street": np.ma.array(values, mask=gone),
        "town": np.ma.array(values, mask=gone),
        "phone": np.ma.array(values, mask=other),
    }
    result = run(columns)
    twins, together = one(result, "missing_in_the_same_rows"), one(result, "missing_together")
    assert twins.columns == ["street", "town"]
    assert twins.evidence["missing"] == gone.sum()
    assert together.columns == ["street", "phone"]
    assert together.evidence["both"] == np.sum(gone & other)
    assert result.data["missing_in_the_same_rows"] == {"street": ["town"]}
    assert result.data["patterns"][0] == [[], int(np.sum(~gone & ~other))]


def test_a_rate_that_changes_along_the_table() -> None:
    rng = np.random.default_rng(7)
    gone = rng.random(ROWS) < np.where(np.arange(ROWS) < ROWS * 0.6, 0.05, 0.25)
    found = one(run({"x": np.ma.array(rng.normal(size=ROWS), mask=gone)}), "missing_shift")
    quarter = ROWS // 4
    expected = gone[-quarter:].mean() - gone[:quarter].mean()
    assert found.effect == pytest.approx(expected, rel=1e-10)


def test_caps_leave_valid_results() -> None:
    result = run(table(), budget=Budget(max_cols=2, max_pairs=1, max_groups=1, max_findings=1))
    assert len(result.findings) <= 1


@pytest.mark.parametrize(
    "columns",
    [
        {"x": np.ma.array(np.zeros(50), mask=True), "y": np.zeros(50)},
        {"x": np.array([np.nan]), "y": [None]},
        {"x": np.full(200, np.nan), "y": np.where(np.arange(200) % 3, np.inf, -np.inf)},
        {"x": np.ma.array(np.array([2**53 + 1, -(2**62)] * 100), mask=np.arange(200) % 3 == 0), "y": ["", None] * 100},
        {"x": np.ma.array(np.zeros(400), mask=np.arange(400) % 2 == 0), "y": ["one"] * 400},
        {"x": np.ma.array([1.7e308, -1.7e308] * 200, mask=np.arange(400) % 5 == 0), "y": [1.7e308, -1.7e308] * 200},
    ],
)
def test_degenerate_tables(columns: dict[str, Any]) -> None:
    assert isinstance(run(columns, 64), Result)


def test_the_last_row_counts() -> None:
    columns = table()
    other = {**columns, "y": columns["y"].copy()}
    other["y"][-1] = np.ma.masked if not np.ma.getmaskarray(columns["y"])[-1] else 0.0
    one_result, other_result = run(columns), run(other)
    assert one_result.data["missing"]["y"] != other_result.data["missing"]["y"]
    assert one(one_result, "missing_depends").evidence != one(other_result, "missing_depends").evidence


def false_finds(count: int) -> int:
    """How many null tables have a tested finding that survives false discovery control."""
    found = 0
    for _, dataset in null_tables(count):
        result = run_plugin(FOLDER, dataset)
        logs = [f.log10_p for f in result.findings if f.log10_p is not None]
        found += any(q <= 0.05 for q in q_values(logs, result.n_tests))
    return found


def test_null_tables() -> None:
    assert false_finds(12) <= 2


@pytest.mark.slow
def test_all_null_tables() -> None:
    assert false_finds(TABLES) <= allowed(TABLES)


def test_the_sample_table() -> None:
    """What was planted is found, with the right columns, rows and sizes; what is missing at random is not."""
    dataset, planted = sample_store()
    result = run_plugin(FOLDER, dataset)
    outage = one(result, "missing_run")
    start, stop = planted["meter_outage"]["range"]
    assert outage.columns == ["dock_load_kw"]
    assert outage.evidence["rows"] == [[start, stop - 1]]
    contact = next(f for f in result.findings if f.columns[0] == "contact")
    assert (contact.columns[1], contact.evidence["value"]) == ("channel", "partner")
    partner = planted["missing_contact"]["partner"]
    assert (contact.evidence["missing_inside"], contact.evidence["rows_inside"]) == (
        partner["missing"],
        partner["rows"],
    )
    assert result.data["missing"]["finished_at"] == planted["missing_at_random"]["rows"]
    assert not [f for f in result.findings if f.columns[0] == planted["missing_at_random"]["column"]]
