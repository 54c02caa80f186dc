"""analysis_distribution_drift against SciPy, on planted changes and on stationary series."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import jensenshannon

from tests.memory_store import memory_dataset
from tests.null_tables import (
    TABLES,
    allowed,
    ar1,
    null_columns,
    null_tables_with_findings,
    plant_level_shift,
    run_plugin,
)
from toolkit.plugin import Budget, Result

FOLDER = Path(__file__).resolve().parents[3] / "plugins" / "analysis_distribution_drift"
ROWS = 12_800
BLOCK = ROWS // 64


def run(columns: Any, chunk_rows: int = 3_000, **options: Any) -> Result:
    return run_plugin(FOLDER, memory_dataset(columns, chunk_rows), **options)


def results_of(result: Result, column: str) -> dict[str, Any]:
    """Tests of a column by what they test, or by category."""
    (entry,) = [c for c in result.data["columns"] if c["column"] == column]
    return {test["value"] or test["what"]: test for test in entry["tests"]}


def test_distances_are_those_of_scipy() -> None:
    x = plant_level_shift({"x": np.random.default_rng(1).normal(size=ROWS)}, "x", 40 * BLOCK, 1.0)["x"]
    found = results_of(run({"x": x}), "x")["level"]
    split = found["first_block_after"] * BLOCK
    assert split == 40 * BLOCK
    early, late = x[:split], x[split:]
    assert found["ks_distance"] == pytest.approx(stats.ks_2samp(early, late).statistic, abs=1 / 1023)
    low, high = found["wasserstein"]
    assert low <= stats.wasserstein_distance(early, late) / x.std(ddof=1) <= high
    assert high - low < 0.02
    assert found["effect"] == pytest.approx(
        stats.mannwhitneyu(late, early).statistic * 2 / early.size / late.size - 1, abs=0.002
    )
    assert found["median_before"] == pytest.approx(np.median(early), abs=0.01)


def test_few_values_are_exact() -> None:
    rng = np.random.default_rng(2)
    x = np.where(np.arange(ROWS) < ROWS // 2, rng.integers(0, 5, ROWS), rng.integers(1, 6, ROWS)).astype(float)
    found = results_of(run({"x": x}), "x")["level"]
    early, late = np.split(x, [found["first_block_after"] * BLOCK])
    assert found["ks_distance"] == pytest.approx(stats.ks_2samp(early, late).statistic, rel=1e-12)
    assert found["wasserstein"] == pytest.approx(
        [stats.wasserstein_distance(early, late) / x.std(ddof=1)] * 2, rel=1e-10
    )
    counts = [np.bincount(side.astype(int), minlength=6) for side in (early, late)]
    assert found["jensen_shannon"] == pytest.approx(jensenshannon(*counts, base=2) ** 2, rel=1e-10)


def test_halves_are_compared_by_welchs_t() -> None:
    """Where nothing changes the split is the middle, and the interval is Welch's of 64 or of 16 blocks, the wider."""
    flag = np.random.default_rng(3).random(ROWS) < 0.3
    found = results_of(run({"flag": flag}), "flag")
    (test,) = found.values()
    shares = flag.reshape(64, -1).mean(axis=1) if test["value"] else 1 - flag.reshape(64, -1).mean(axis=1)
    expected = [
        stats.ttest_ind(s[len(s) // 2 :], s[: len(s) // 2], equal_var=False)
        for s in (shares, shares.reshape(16, 4).mean(axis=1))
    ]
    assert test["first_block_after"] == 32
    widest = max((list(e.confidence_interval()) for e in expected), key=lambda ends: ends[1] - ends[0])
    assert test["interval"] == pytest.approx(widest, rel=1e-9)
    assert test["log10_p"] >= np.log10(expected[0].pvalue)


@pytest.mark.parametrize("at", [0.25, 0.5, 0.7, 0.85])
def test_a_planted_share_is_found_where_it_changes(at: float) -> None:
    rng = np.random.default_rng(4)
    columns = null_columns(4, "autocorrelated", ROWS)
    after = np.arange(ROWS) >= at * ROWS
    usd = rng.random(ROWS) < np.where(after, 0.37, 0.12)
    columns["currency"] = [
        "USD" if u else "GBP" if g else "EUR" for u, g in zip(usd, rng.random(ROWS) < 0.1, strict=True)
    ]
    (finding,) = run(columns).findings
    assert (finding.kind, finding.columns) == ("drift_of_share", ["currency"])
    seen = finding.evidence
    assert abs(seen["row"] - at * ROWS) <= 2 * BLOCK
    assert {seen["value"], "USD"} <= {"USD", "EUR"}
    split = seen["row"]
    hit = np.array(columns["currency"]) == seen["value"]
    assert seen["share_before"] == pytest.approx(hit[:split].mean(), rel=1e-12)
    assert seen["share_after"] == pytest.approx(hit[split:].mean(), rel=1e-12)
    assert seen["rows"] == [[split, ROWS - 1]]
    assert f"around row {split:,}" in finding.recommendation
    assert finding.interval is not None
    assert finding.interval[0] < finding.effect < finding.interval[1]  # type: ignore[operator]


def test_planted_level_and_spread() -> None:
    columns = plant_level_shift(null_columns(5, "autocorrelated", ROWS), "x", 9_600, 0.8)
    columns["y"] = np.where(np.arange(ROWS) < 6_400, 1.0, 1.8) * columns["y"]
    found = {f.columns[0]: f for f in run(columns).findings}
    assert {name: f.kind for name, f in found.items()} == {"x": "drift_of_level", "y": "drift_of_spread"}
    assert abs(found["x"].evidence["row"] - 9_600) <= 2 * BLOCK
    assert "`x` is higher from about row" in found["x"].sentence
    assert "`y` is more spread from about row" in found["y"].sentence


def test_one_value_instead_of_another() -> None:
    """No variation among blocks at all, and still a finite test."""
    half = ["a"] * (ROWS // 2)
    result = run({"v": half + ["b"] * (ROWS // 2), "n": np.repeat([1, 2], ROWS // 2)})
    assert {f.columns[0] for f in result.findings} == {"v", "n"}
    assert all(f.evidence["row"] == ROWS // 2 and np.isfinite(f.log10_p) for f in result.findings)


def test_counters_are_no_drift() -> None:
    result = run({"id": np.arange(ROWS), "near": np.arange(ROWS) + np.random.default_rng(6).normal(0, 500, ROWS)})
    assert result.data["follows_rows"] == ["id", "near"]
    assert (result.findings, result.n_tests) == ([], 0)


@pytest.mark.parametrize("phi", [0.8, 0.95])
def test_stationary_series_rest_where_textbooks_reject(phi: float) -> None:
    rows, textbook, found = 16_000, 0, 0
    for seed in range(4):
        x = {f"x{i}": ar1(np.random.default_rng([seed, i]), rows, phi) for i in range(8)}
        textbook += sum(stats.ks_2samp(v[: rows // 2], v[rows // 2 :]).pvalue < 0.05 for v in x.values())
        result = run(x)
        assert result.n_tests == 16
        found += sum(t["log10_p"] < np.log10(0.05) for c in result.data["columns"] for t in c["tests"])
        assert result.findings == []
    assert textbook > 8  # of 32
    assert found <= 8  # of 64, where 3 are expected


def test_rare_and_pooled_categories_are_not_results_of() -> None:
    rng = np.random.default_rng(7)
    v = [f"v{min(k, 99):02d}" for k in rng.geometric(0.3, ROWS)]
    result = run({"v": v}, budget=Budget(max_groups=2))
    assert set(results_of(result, "v")) == {"v01", "v02"}
    assert set(results_of(run({"v": v}), "v")) == {f"v{k:02d}" for k in range(1, 8)}


def test_chunks_change_nothing() -> None:
    columns = plant_level_shift(null_columns(4, "grouped", ROWS), "y", 5_000, 1.0)
    one, other = run(columns, 1_000), run(columns, 262_144)
    assert [f.sentence for f in one.findings] == [f.sentence for f in other.findings]
    assert [c["tests"] for c in one.data["columns"] if c["column"] in ("region", "flag")] == [
        c["tests"] for c in other.data["columns"] if c["column"] in ("region", "flag")
    ]


AWKWARD = {
    "all missing": np.ma.array(np.zeros(900), mask=True),
    "constant": np.full(900, 3.0),
    "NaN": np.full(900, np.nan),
    "infinities": np.where(np.arange(900) % 3, np.inf, -np.inf),
    "signs of zero": np.where(np.arange(900) % 2, 0.0, -0.0),
    "huge": np.where(np.arange(900) % 2, 1.7e308, -1.7e308),
    "beyond doubles": np.arange(900) % 2 + 2**53,
    "late": np.ma.array(np.arange(900.0) % 7, mask=np.arange(900) < 800),
}


@pytest.mark.parametrize("name", AWKWARD)
def test_degenerate_values(name: str) -> None:
    result = run({"x": AWKWARD[name], "g": ["", None, "a"] * 300, "one": ["x"] * 900}, 37)
    assert result.findings == []


def test_null_tables() -> None:
    assert len(null_tables_with_findings(FOLDER, 9)) <= 2


@pytest.mark.slow
def test_null_tables_in_full() -> None:
    assert len(null_tables_with_findings(FOLDER, TABLES)) <= allowed(TABLES)
