"""analysis_outliers_robust: against SciPy, against theory, planted unit errors, null tables, awkward columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.memory_store import memory_dataset
from tests.null_tables import KINDS, null_columns, run_plugin
from toolkit.plugin import Budget, Finding, Result

FOLDER = Path(__file__).resolve().parents[3] / "plugins" / "analysis_outliers_robust"


def run(columns: dict[str, Any], chunk_rows: int = 262_144, **options: Any) -> Result:
    return run_plugin(FOLDER, memory_dataset(columns, chunk_rows), **options)


def one(result: Result, kind: str) -> Finding:
    (finding,) = [f for f in result.findings if f.kind == kind]
    return finding


def mixed_units(n: int = 12_000) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    site = rng.integers(0, 4, n)
    weight = np.exp(rng.normal(1, 1, n))
    grams = (site == 2) & (rng.random(n) < 0.3)
    weight[grams] *= 1000
    names = [("HAM", "LEJ", "DUS", None)[s] for s in site]
    return {"weight": weight, "site": names, "flag": rng.random(n) < 0.5, "grams": grams.astype(np.int8)}


def test_scales_are_those_of_scipy() -> None:
    rng = np.random.default_rng(2)
    x = np.ma.array(np.exp(rng.normal(size=5_001)), mask=rng.random(5_001) < 0.1)
    column = run({"x": x}, 700).data["columns"]["x"]
    values = x.compressed()
    median = np.median(values)
    assert column["median"] == median
    for side, part in (("low", values[values <= median]), ("high", values[values >= median])):
        mad = stats.median_abs_deviation(part, center=lambda v, axis: median, scale="normal")
        assert column[f"scale_{side}"] == pytest.approx(mad, rel=1e-14)
        assert column[f"rule_{side}"] == "mad"


def test_counts_of_normal_data_are_those_of_theory() -> None:
    n = 400_000
    beyond = run({"x": np.random.default_rng(3).normal(size=n)}).data["columns"]["x"]["beyond"]
    expected = 2 * stats.norm.sf(3.5) * n
    assert abs(beyond["low"][0] + beyond["high"][0] - expected) < 4 * np.sqrt(expected)
    assert beyond["low"][2] == beyond["high"][2] == 0


def test_grams_among_kilograms_are_found_with_their_site() -> None:
    columns = mixed_units()
    result = run({n: columns[n] for n in ("weight", "site", "flag")}, 5_000)
    unit = one(result, "unit_factor")
    assert (unit.effect, unit.columns) == (1000, ["weight"])
    # A fence of 10 deviations takes some of the long tail along, and leaves the lightest.
    assert unit.evidence["plausible"] == pytest.approx(columns["grams"].sum(), rel=0.02)
    rows = [row for row, _ in unit.evidence["rows"]]
    assert all(columns["grams"][rows])
    top = np.sort(columns["weight"])[::-1][:20]
    assert [value for value, _ in unit.evidence["farthest"]] == top.tolist()
    link = one(result, "far_values_go_with")
    assert link.columns == ["weight", "site"]
    assert link.evidence["level"] == '"DUS"'
    present = np.array([s is not None for s in columns["site"]])
    dus = np.array([s == "DUS" for s in columns["site"]])
    far = (columns["weight"] > unit.evidence["fence"]) & present
    assert link.evidence["far_inside"] == (far & dus).sum()
    assert link.effect == pytest.approx(
        ((far & dus).sum() + 0.5) / (far.sum() + 1) / ((dus.sum() + 0.5) / (present.sum() + 1)), rel=1e-12
    )
    assert link.interval is not None
    assert link.interval[0] < link.effect < link.interval[1]


def test_no_factor_in_a_long_tail() -> None:
    rng = np.random.default_rng(4)
    for sigma in (0.8, 1.2, 2.0):
        found = run({"x": np.exp(sigma * rng.normal(size=20_000))}).findings
        assert not found, [f.sentence for f in found]


@pytest.mark.parametrize("factor", [10.0, 100.0, 60.0, 3600.0, 1e6])
def test_other_factors(factor: float) -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(100, 5, 5_000)
    x[::40] *= factor
    assert one(run({"x": x}), "unit_factor").effect == factor


def test_links_are_not_found_where_there_are_none() -> None:
    """Long tails whose rows depend on their neighbours, held against categories that do too."""
    found = tests = 0
    for seed in range(12):
        columns = null_columns(seed, KINDS[seed % 3], 6_000)
        columns["money"] = np.exp(1.5 * columns["x"])
        result = run({n: columns[n] for n in ("money", "region", "flag")}, params={"least_far": 50})
        tests += result.n_tests
        found += any(f.log10_p is not None for f in result.findings)
    assert tests >= 12
    assert found <= 2


def test_a_single_far_value_is_found_with_its_row() -> None:
    x = np.random.default_rng(6).normal(size=2_000)
    x[1_234] = -1e9
    finding = one(run({"x": x}, 500), "far_values")
    assert finding.log10_p is None
    assert finding.evidence["rows"] == [[1_234, 1_234]]
    assert finding.evidence["chunks"] == [2]
    assert "-1000000000" in finding.sentence


def test_where_most_values_are_equal_the_scale_is_that_of_the_others() -> None:
    rng = np.random.default_rng(7)
    x = np.where(rng.random(20_000) < 0.3, rng.exponential(size=20_000), 0.0)
    x[5] = 1e6
    finding = one(run({"x": x}), "far_values")
    assert finding.evidence["deviation_rule"].startswith("q0.")
    assert finding.evidence["deviation_rule"] in finding.sentence


def test_what_has_nothing_in_it() -> None:
    n = 100
    columns = {
        "none": np.ma.array(np.zeros(n), mask=np.ones(n, bool)),
        "constant": np.full(n, 3.0),
        "zeros": np.where(np.arange(n) % 2, 0.0, -0.0),
        "big": np.arange(n) + 2**53 + 1,
        "nan": np.full(n, np.nan),
        "infinite": np.where(np.arange(n) % 2, np.inf, -np.inf),
        "all": ["same"] * n,
        "empty": ["", None] * (n // 2),
    }
    assert run(columns, 7).findings == []


def test_chunks_give_the_same_and_caps_hold() -> None:
    columns = mixed_units(6_000)
    small, whole = run(columns, 1_000), run(columns, 262_144)
    assert small.data == whole.data
    assert [f.sentence for f in small.findings] == [f.sentence for f in whole.findings]
    capped = run(columns, budget=Budget(max_pairs=1))
    assert len({link["category"] for link in capped.data["links"]}) == 1
    columns["weight"][-1] = 1e12
    assert run(columns).findings[0].evidence["farthest"][0] == [1e12, 5_999]
