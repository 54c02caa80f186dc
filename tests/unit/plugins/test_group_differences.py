"""analysis_group_differences against SciPy, on planted differences and on tables without any."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from plugins.analysis_group_differences.textbook import Moments, games_howell
from tests.memory_store import memory_dataset
from tests.null_tables import null_columns, null_tables_with_findings, plant_group_shift, run_plugin
from toolkit.plugin import Budget, Result

FOLDER = Path(__file__).resolve().parents[3] / "plugins" / "analysis_group_differences"
ROWS = 6_400


def run(columns: Any, chunk_rows: int = 1_000, **options: Any) -> Result:
    return run_plugin(FOLDER, memory_dataset(columns, chunk_rows), **options)


def words(codes: Any) -> list[str]:
    return [f"v{code:03d}" for code in np.asarray(codes).tolist()]


def test_statistics_are_those_of_scipy() -> None:
    """Of a number of few values, so that Kruskal and Wallis's ranks and the medians are exact too."""
    rng = np.random.default_rng(1)
    g = rng.integers(0, 5, ROWS)
    y = np.round(rng.normal(g * 0.3, 1 + 0.2 * g) * 10) + 1e6
    gone = rng.random(ROWS) < 0.1
    (pair,) = run({"g": words(g), "y": np.ma.array(y, mask=gone)}).data["pairs"]
    samples = [y[(g == k) & ~gone] for k in range(5)]
    classic, kruskal = stats.f_oneway(*samples), stats.kruskal(*samples)
    unequal, spread = stats.f_oneway(*samples, equal_var=False), stats.levene(*samples, center="median")
    assert pair["rows"] == [s.size for s in samples]
    assert pair["means"] == pytest.approx([s.mean() for s in samples], rel=1e-12)
    assert pair["deviations"] == pytest.approx([s.std(ddof=1) for s in samples], rel=1e-11)
    assert pair["anova"]["f"] == pytest.approx(classic.statistic, rel=1e-10)
    assert pair["anova"]["log10_p"] == pytest.approx(np.log10(classic.pvalue), rel=1e-9)
    assert pair["welch"]["f"] == pytest.approx(unequal.statistic, rel=1e-10)
    assert pair["welch"]["log10_p"] == pytest.approx(np.log10(unequal.pvalue), rel=1e-9)
    assert pair["kruskal_wallis"]["h"] == pytest.approx(kruskal.statistic, rel=1e-10)
    assert pair["kruskal_wallis"]["log10_p"] == pytest.approx(np.log10(kruskal.pvalue), rel=1e-9)
    # SciPy takes the mean of the two middle values where there are two.
    assert pair["brown_forsythe"]["f"] == pytest.approx(spread.statistic, rel=0.02)


def test_a_planted_level_is_found_with_its_size() -> None:
    columns = plant_group_shift(null_columns(3, "autocorrelated", ROWS), "region", "v2", "x", 1.0)
    result = run(columns)
    (finding,) = result.findings
    assert (finding.kind, finding.columns) == ("group_level", ["region", "x"])
    inside = np.array(columns["region"]) == "v2"
    x, rest = columns["x"][inside], columns["x"][~inside]
    n = ROWS - 2
    pooled = np.sqrt((x.var() * x.size + rest.var() * rest.size) / n)
    assert finding.effect == pytest.approx((x.mean() - rest.mean()) / pooled * (1 - 3 / (4 * n - 1)), rel=1e-9)
    assert finding.interval is not None
    assert finding.interval[0] < 1.0 < finding.interval[1]
    seen = finding.evidence
    assert seen["rows_of_group"] == x.size
    assert (seen["mean"], seen["mean_elsewhere"]) == (pytest.approx(x.mean()), pytest.approx(rest.mean()))
    assert seen["median"] == pytest.approx(np.median(x), abs=0.02)
    delta = stats.mannwhitneyu(x, rest).statistic * 2 / x.size / rest.size - 1
    assert seen["cliffs_delta"] == pytest.approx(delta, abs=0.002)
    assert f"mean {x.mean():.4g} against {rest.mean():.4g} elsewhere" in finding.sentence
    assert '`region` = "v2"' in finding.recommendation


def test_a_planted_spread_is_found() -> None:
    columns = null_columns(5, "independent", ROWS)
    wide = np.array(columns["region"]) == "v1"
    columns["y"] = np.where(wide, 2.0, 1.0) * columns["y"]
    (finding,) = run(columns).findings
    assert (finding.kind, finding.columns) == ("group_spread", ["region", "y"])
    assert finding.effect == pytest.approx(2.0, rel=0.1)
    own = np.abs(columns["y"][wide] - np.median(columns["y"][wide])).mean()
    assert finding.evidence["mean_distance"] == pytest.approx(own, rel=1e-3)
    assert finding.evidence["interquartile_range"] == pytest.approx(stats.iqr(columns["y"][wide]), rel=0.02)


def test_a_few_extreme_values_are_no_difference() -> None:
    columns = null_columns(6, "independent", ROWS)
    inside = np.flatnonzero(np.array(columns["region"]) == "v0")
    columns["x"] = columns["x"].copy()
    columns["x"][inside[::20]] = 200.0
    assert [f for f in run(columns).findings if f.columns == ["region", "x"]] == []


def test_counters_are_not_compared() -> None:
    rng = np.random.default_rng(8)
    columns = {"id": np.arange(ROWS), "late": np.arange(ROWS) + 3 * ROWS * rng.random(ROWS) > 2.5 * ROWS}
    assert run(columns).n_tests == 0
    assert run({**columns, "x": rng.normal(size=ROWS)}).n_tests == 2


def test_all_but_the_largest_groups_are_pooled() -> None:
    rng = np.random.default_rng(9)
    g = np.minimum(rng.integers(0, 6, ROWS), rng.integers(0, 6, ROWS))
    y = rng.normal(size=ROWS) + (g == 0)
    result = run({"g": words(g), "y": y}, budget=Budget(max_groups=1))
    (pair,) = result.data["pairs"]
    assert pair["groups"] == ["v000", "__other__"]
    assert sum(pair["rows"]) == ROWS
    rest = y[g > 0]
    assert pair["means"][1] == pytest.approx(rest.mean(), rel=1e-10)
    assert pair["deviations"][1] == pytest.approx(rest.std(ddof=1), rel=1e-10)
    assert pair["anova"]["f"] == pytest.approx(stats.f_oneway(y[g == 0], rest).statistic, rel=1e-9)
    assert [f.kind for f in result.findings] == ["group_level"]


def test_chunks_change_nothing_that_is_seen() -> None:
    columns = plant_group_shift(null_columns(4, "grouped", ROWS), "kind", "v3", "y", 1.5)
    one, other = run(columns, 1_000), run(columns, 262_144)
    assert [f.sentence for f in one.findings] == [f.sentence for f in other.findings]
    assert len(one.findings) == 1
    for a, b in zip(one.data["pairs"], other.data["pairs"], strict=True):
        assert a["means"] == pytest.approx(b["means"], rel=1e-12)
        assert a["anova"]["f"] == pytest.approx(b["anova"]["f"], rel=1e-10)


AWKWARD = {
    "all missing": np.ma.array(np.zeros(200), mask=True),
    "constant": np.full(200, 3.0),
    "NaN": np.full(200, np.nan),
    "infinities": np.where(np.arange(200) % 3, np.inf, -np.inf),
    "zeros of both signs": np.where(np.arange(200) % 2, 0.0, -0.0),
    "huge": np.where(np.arange(200) % 2, 1.7e308, -1.7e308),
    "beyond doubles": np.arange(200) % 2 + 2**53,
}


@pytest.mark.parametrize("name", AWKWARD)
def test_degenerate_values(name: str) -> None:
    groups = ["a", "b", "", None] * 50
    result = run({"g": groups, "one": ["x"] * 200, "each": words(np.arange(200)), "y": AWKWARD[name]}, 37)
    assert [f.columns for f in result.findings if f.columns[0] != "g"] == []


def test_null_tables() -> None:
    assert len(null_tables_with_findings(FOLDER, 6)) <= 2


@pytest.mark.slow
def test_more_null_tables() -> None:
    assert len(null_tables_with_findings(FOLDER, 30)) <= 5


def test_small_skewed_groups_are_no_finding() -> None:
    """Means of a hundred lognormal prices are followed by their own errors; ranks are not."""
    for seed in range(3):
        rng = np.random.default_rng(seed)
        zips = [f"z{k:02d}" for k in rng.integers(0, 60, 8_000).tolist()]
        assert run({"zip": zips, "price": np.exp(2.0 * rng.normal(size=8_000))}).findings == []


def test_two_by_two_as_games_and_howell() -> None:
    rng = np.random.default_rng(3)
    samples = [
        rng.normal(mean, spread, n) for mean, spread, n in ((0, 1, 30), (0.4, 2, 25), (1.5, 0.7, 60), (0.1, 3, 9))
    ]
    means = np.array([s.mean() for s in samples])
    groups = Moments(np.array([float(s.size) for s in samples]), means, np.array([s.var() * s.size for s in samples]))
    expected = stats.tukey_hsd(*samples, equal_var=False)
    for one, other in ((2, 0), (2, 1), (0, 3), (1, 3)):
        found = games_howell(groups, one, other)
        assert found["difference"] == pytest.approx(expected.statistic[one, other], rel=1e-12)
        assert 10 ** found["log10_p"] == pytest.approx(expected.pvalue[one, other], rel=1e-6)
