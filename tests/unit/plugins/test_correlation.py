"""analysis_correlation: against SciPy, on null tables, on planted relations, on tables with nothing in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from plugins.analysis_correlation.changes import find_change
from tests.memory_store import memory_dataset
from tests.null_tables import null_columns, null_tables, plant_correlation, run_plugin
from toolkit.kernels.base import request
from toolkit.kernels.waves import compute
from toolkit.plugin import Budget, Result, Skip

FOLDER = Path(__file__).resolve().parents[3] / "plugins" / "analysis_correlation"


def run(columns: dict[str, Any], chunk_rows: int = 262_144, **options: Any) -> Result:
    return run_plugin(FOLDER, memory_dataset(columns, chunk_rows), **options)


def pairs_of(result: Result) -> dict[tuple[str, ...], dict[str, Any]]:
    return {tuple(p["columns"]): p for p in result.data["pairs"]}


def kinds(result: Result) -> set[tuple[str, ...]]:
    return {(f.kind, *f.columns) for f in result.findings}


def test_coefficients_are_those_of_scipy() -> None:
    rng = np.random.default_rng(1)
    x = rng.integers(0, 300, 5_000)
    y = np.ma.array(x // 3 + rng.integers(0, 40, 5_000), mask=rng.random(5_000) < 0.2)
    z = rng.integers(-5, 5, 5_000) * 1e9 + x
    found = pairs_of(run({"x": x, "y": y, "z": z}, 700))
    here = ~y.mask
    assert found["x", "y"]["n"] == here.sum()
    assert found["x", "y"]["r"] == pytest.approx(stats.pearsonr(x[here], y.data[here]).statistic, rel=1e-11)
    assert found["x", "z"]["r"] == pytest.approx(stats.pearsonr(x, z).statistic, rel=1e-11)
    assert found["x", "y"]["spearman"] == pytest.approx(stats.spearmanr(x[here], y.data[here]).statistic, rel=1e-11)
    assert found["x", "y"]["spearman_error"] == 0
    # z has more values than levels.
    rough = found["x", "z"]["spearman"] - stats.spearmanr(x, z).statistic
    assert 0 < abs(rough) <= found["x", "z"]["spearman_error"] < 0.002
    small = z // 1e9
    again = pairs_of(run({"x": x, "z": small}, 700))
    assert again["x", "z"]["spearman"] == pytest.approx(stats.spearmanr(x, small).statistic, rel=1e-11)


def test_anscombes_four_sets_have_one_correlation() -> None:
    x = np.array([10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5.0])
    y = {
        "y1": [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68],
        "y2": [9.14, 8.14, 8.74, 8.77, 9.26, 8.1, 6.13, 3.1, 9.13, 7.26, 4.74],
        "y3": [7.46, 6.77, 12.74, 7.11, 7.81, 8.84, 6.08, 5.39, 8.15, 6.42, 5.73],
    }
    found = pairs_of(run({"x": x, **{n: np.array(v) for n, v in y.items()}}, params={"least_rows": 5}))
    for name, values in y.items():
        assert found["x", name]["r"] == pytest.approx(0.816, abs=6e-4)
        assert found["x", name]["spearman"] == pytest.approx(stats.spearmanr(x, values).statistic, rel=1e-12)


def test_partial_correlations_are_those_of_residuals() -> None:
    rng = np.random.default_rng(2)
    z = rng.normal(size=4_000)
    x, y = z + rng.normal(size=4_000), 2 * z + rng.normal(size=4_000)
    found = pairs_of(run({"x": x, "y": y, "z": z}))
    design = np.column_stack([np.ones(4_000), z])
    left = [v - design @ np.linalg.lstsq(design, v, rcond=None)[0] for v in (x, y)]
    assert found["x", "y"]["partial"] == pytest.approx(np.corrcoef(*left)[0, 1], abs=1e-10)


def test_the_test_keeps_its_level_where_rows_depend_on_their_neighbours() -> None:
    found = [bool(run_plugin(FOLDER, table).findings) for _, table in null_tables(9, 4_000)]
    assert sum(found) <= 1


@pytest.mark.slow
def test_at_most_one_null_table_in_twenty_has_a_finding() -> None:
    found = [bool(run_plugin(FOLDER, table).findings) for _, table in null_tables(60)]
    assert sum(found) <= 3


def test_a_planted_correlation_is_found_with_its_size() -> None:
    columns = plant_correlation(null_columns(1, "autocorrelated"), "x", "y", 0.6)
    (finding,) = run(columns, 1_000).findings
    assert (finding.kind, finding.columns) == ("correlated", ["x", "y"])
    assert finding.interval is not None
    assert finding.interval[0] < 0.6 < finding.interval[1]
    assert finding.log10_p is not None
    assert finding.log10_p < -10
    assert finding.evidence["rows"] == [[0, 7_999]]
    assert f"{finding.effect:.3f}" in finding.sentence


def test_a_weaker_correlation_is_found_when_asked_for() -> None:
    rng = np.random.default_rng(6)
    x = rng.normal(size=20_000)
    columns = {"x": x, "y": 0.07 * x + rng.normal(size=20_000)}
    assert run(columns).findings == []
    (finding,) = run(columns, params={"correlation": 0.04}).findings
    assert (finding.kind, finding.measure) == ("correlated", "correlation")


def test_a_relation_that_ends_is_found_with_its_row() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=20_000)
    y = np.where(np.arange(20_000) < 12_000, x, rng.normal(size=20_000)) + 0.1 * rng.normal(size=20_000)
    (finding,) = run({"x": x, "y": y}, 5_000).findings
    assert finding.kind == "correlation_changes"
    assert abs(finding.evidence["first_row_after"] - 12_000) <= 313
    assert finding.evidence["before"] == pytest.approx(0.995, abs=0.01)
    assert finding.evidence["after"] == pytest.approx(0.0, abs=0.05)
    assert finding.evidence["chunks"] == [2]


def test_no_change_is_found_where_there_is_none() -> None:
    """The largest t of all splits, by its corrected p-value; relations of every strength, rows that depend."""
    rejected = 0
    for seed in range(40):
        columns = null_columns(seed, "autocorrelated", 1_600)
        table = plant_correlation({n: columns[n] for n in ("x", "y")}, "x", "y", seed / 50)
        (found,) = compute(memory_dataset(table), [request("comoments", "x", "y", scores="ranks")]).values()
        change = find_change(found["blocks"], (0, 1))
        assert change is not None
        rejected += change.log10_p <= np.log10(0.05)
    assert rejected <= 6  # 98.6 % of a binomial of 40 at 5 %


def test_copies_are_facts() -> None:
    x = np.random.default_rng(4).normal(size=1_000)
    result = run({"x": x, "twice": 2 * x - 7, "near": x + 1e-4 * np.cos(np.arange(1_000))})
    assert kinds(result) == {("near_copy", "x", "twice"), ("near_copy", "x", "near"), ("near_copy", "twice", "near")}
    first = next(f for f in result.findings if f.columns == ["x", "twice"])
    assert first.log10_p is None
    assert first.evidence["slope"] == pytest.approx(2, rel=1e-12)
    assert first.evidence["intercept"] == pytest.approx(-7, rel=1e-12)


def test_a_relation_that_is_made_by_a_trend_of_both() -> None:
    rng = np.random.default_rng(5)
    trend, noise = np.arange(16_000) / 1_000, rng.normal(size=16_000)
    result = run({"a": trend + noise, "b": trend - noise + 0.5 * rng.normal(size=16_000)})
    assert ("correlation_reverses_within", "a", "b") in kinds(result)


def test_what_has_nothing_in_it() -> None:
    n = 200
    rng = np.random.default_rng(6)
    odd = np.where(rng.random(n) < 0.1, np.inf, rng.normal(size=n))
    odd[::7] = np.nan
    columns = {
        "none": np.ma.array(np.zeros(n), mask=np.ones(n, bool)),
        "constant": np.full(n, 3.0),
        "zeros": np.where(np.arange(n) % 2, 0.0, -0.0),
        "big": np.arange(n) + 2**53 + 1,
        "odd": odd,
        "one": np.ma.array(rng.normal(size=n), mask=np.arange(n) > 0),
    }
    result = run(columns, 50)
    assert {("big", "odd")} == set(pairs_of(result))
    assert all(p["r"] is None or abs(p["r"]) <= 1 for p in result.data["pairs"])


def test_numbers_whose_squares_are_none() -> None:
    rng = np.random.default_rng(8)
    x = rng.normal(size=3_000)
    columns = {
        "large": x * 1e200,
        "other": x * 1e200 + rng.normal(size=3_000) * 5e198,
        "small": rng.normal(size=3_000) * 1e-200,
    }
    result = run(columns, 500)
    assert pairs_of(result)["large", "other"]["r"] == pytest.approx(np.corrcoef(x, columns["other"] / 1e200)[0, 1])
    (finding,) = result.findings
    assert finding.columns == ["large", "other"]
    assert "nan" not in finding.sentence


def test_keys_and_constants_of_the_profile_are_left_out() -> None:
    x = np.arange(1_000.0)
    upstream = {"profile_basic": Result({"columns": [
        {"name": "id", "count": 1_000, "role": "id"}, {"name": "x", "count": 1_000, "role": "measure"}]})}  # fmt: skip
    with pytest.raises(Skip, match="fewer than two"):
        run({"id": np.arange(1_000), "x": x}, upstream=upstream)


def test_chunks_and_caps() -> None:
    columns = plant_correlation(null_columns(2, "grouped"), "x", "y", 0.5)
    one, other = run(columns, 1_000), run(columns, 262_144)
    for a, b in zip(one.data["pairs"], other.data["pairs"], strict=True):
        assert a["r"] == pytest.approx(b["r"], rel=1e-10)
        assert a["log10_p"]["r"] == pytest.approx(b["log10_p"]["r"], rel=1e-9)
    capped = run(columns, budget=Budget(max_pairs=1))
    assert len(capped.data["pairs"]) == 1


def test_a_changed_last_value_changes_the_result() -> None:
    columns = null_columns(3, "independent", 1_000)
    before = run(columns).data
    columns["y"][-1] += 5.0
    assert run(columns).data != before
