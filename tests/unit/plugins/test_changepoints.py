"""analysis_changepoints: its search against ruptures, planted changes, nulls, and what it says."""

from __future__ import annotations

import itertools
import re
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from plugins.analysis_changepoints.segments import clipped, long_run_variance, penalty_of, segmentation
from plugins.analysis_changepoints.testing import steps_of
from tests.memory_store import memory_dataset
from tests.null_tables import TABLES, ar1, null_tables, random_intercepts
from tests.series_tables import run_on_series
from toolkit.engine.discovery import shipped_plugins
from toolkit.plugin import Budget, Result, Skip

FOLDER = shipped_plugins() / "analysis_changepoints"
Floats = npt.NDArray[np.float64]
HOUR = np.timedelta64(3_600_000_000, "us")


def found(columns: dict[str, Any], chunk_rows: int = 4_096, **options: Any) -> Result:
    return run_on_series(FOLDER, memory_dataset(columns, chunk_rows), **options)


def stepped(rng: np.random.Generator, n: int) -> Floats:
    levels = np.repeat(rng.normal(size=5) * 2, np.diff([0, *np.sort(rng.integers(0, n, 4)), n]))
    return levels + rng.normal(size=n)


@pytest.mark.parametrize("seed", range(12))
def test_the_search_equals_ruptures(seed: int) -> None:
    import ruptures

    rng = np.random.default_rng(seed)
    x, least = stepped(rng, 400), int(rng.integers(2, 30))
    penalty = float(rng.uniform(2, 25))
    oracle = ruptures.KernelCPD("linear", min_size=least).fit(x.reshape(-1, 1)).predict(pen=penalty)
    assert segmentation(x, np.ones(400), penalty, least) == [int(b) for b in oracle[:-1]]


@pytest.mark.parametrize("seed", range(6))
def test_the_weighted_search_equals_all_segmentations(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, w, least, penalty = rng.normal(size=14).round(2), rng.uniform(0.1, 3, 14), 2, 1.0

    def cost(places: tuple[int, ...]) -> float:
        total = penalty * len(places)
        for a, b in itertools.pairwise([0, *places, 14]):
            total += float((w[a:b] * (x[a:b] - np.average(x[a:b], weights=w[a:b])) ** 2).sum())
        return total

    allowed = [
        p for k in range(7) for p in itertools.combinations(range(1, 14), k)
        if all(b - a >= least for a, b in itertools.pairwise([0, *p, 14]))
    ]  # fmt: skip
    assert segmentation(x, w, penalty, least) == list(min(allowed, key=cost))


def test_steps_equal_least_squares_of_statsmodels() -> None:
    import statsmodels.api as sm

    rng = np.random.default_rng(2)
    x = rng.normal(size=1_600) + 3.0 * (np.arange(1_600) >= 400)
    (step,) = steps_of(x, np.ones(1_600), [400]) or []
    late = (np.arange(1_600) >= 400).reshape(16, 100).mean(axis=1)
    fits = {}
    for count in (64, 32, 16):
        late = (np.arange(1_600) >= 400).reshape(count, -1).mean(axis=1)
        fits[count] = sm.OLS(x.reshape(count, -1).mean(axis=1), sm.add_constant(late)).fit()
    widest = max(float(np.diff(f.conf_int()[1])[0]) for f in fits.values())
    assert step.interval[1] - step.interval[0] == pytest.approx(widest, rel=1e-9)
    assert step.log10_p == pytest.approx(np.log10(64 * max(float(f.pvalues[1]) for f in fits.values())), rel=1e-9)
    assert (step.before, step.after) == pytest.approx((x[:400].mean(), x[400:].mean()))


def changes_in(x: Floats) -> list[float]:
    """p-values of changes in a series, as the plugin goes about it."""
    w = np.ones(x.size)
    tame = clipped(x, 6.0, x.size // 128)
    variance = long_run_variance(tame, w)
    if not np.isfinite(variance):
        return []
    places = segmentation(tame, w, penalty_of(x.size, variance), x.size // 64)
    return [s.log10_p for s in (steps_of(x, w, places) or [])] if places else []


@pytest.mark.parametrize("phi", [0.5, 0.8])
def test_autocorrelated_series_have_no_change(phi: float) -> None:
    runs = [changes_in(ar1(np.random.default_rng(seed), 1_000, phi)) for seed in range(60)]
    assert sum(any(p <= np.log10(0.05) for p in run) for run in runs) <= 1


@pytest.mark.slow
@pytest.mark.parametrize("phi", [0.0, 0.5, 0.8, 0.95])
def test_series_have_changes_in_two_percent_at_most(phi: float) -> None:
    runs = [changes_in(ar1(np.random.default_rng([5, seed]), 1_500, phi)) for seed in range(TABLES)]
    assert sum(any(p <= np.log10(0.05) for p in run) for run in runs) <= max(TABLES // 50, 1)


def test_what_wanders_or_drifts_has_no_level() -> None:
    rng = np.random.default_rng(4)
    assert changes_in(rng.normal(size=2_000).cumsum()) == []
    assert changes_in(rng.normal(size=2_000) + np.linspace(0, 5, 2_000)) == []
    assert changes_in(random_intercepts(rng, 8_000)) == []


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("phi", [0.0, 0.8])
def test_a_planted_shift_is_found_within_two_bins(seed: int, phi: float) -> None:
    rng = np.random.default_rng(seed)
    row = int(rng.integers(3_000, 13_000))
    x = ar1(rng, 16_000, phi)
    sd = float(x.std())
    x[row:] += 3.0 * sd
    (finding,) = found({"x": x, "y": ar1(rng, 16_000, phi)}).findings
    assert (finding.kind, finding.columns) == ("level_shift", ["x"])
    bin_rows = 16_000 // finding.evidence["bins"]
    assert abs(finding.evidence["row"] - row) <= 2 * bin_rows + 2
    assert finding.evidence["chunks"] == [finding.evidence["row"] // 4_096]
    assert abs(finding.effect - 3.0) < 0.25
    assert finding.interval[0] < 3.0 < finding.interval[1]


def test_shifts_of_several_columns_at_one_time_are_named_together() -> None:
    rng = np.random.default_rng(3)
    times = np.datetime64("2024-01-01", "us") + np.sort(rng.integers(0, 200 * 24, 30_000)) * HOUR
    late = np.arange(30_000) >= 18_000
    daily = 5.0 * np.sin(2 * np.pi * (times.astype("M8[h]").astype(int) % 24) / 24)
    columns = {
        "at": times, "load": rng.normal(size=30_000) + 2.0 * late + daily,
        "cost": rng.normal(size=30_000) - 1.5 * late, "noise": rng.normal(size=30_000) * np.where(late, 2.0, 1.0),
    }  # fmt: skip
    result = found(columns)
    by_column = {f.columns[0]: f for f in result.findings}
    assert {c: f.kind for c, f in by_column.items()} == {
        "load": "level_shift", "cost": "level_shift", "noise": "spread_shift",
    }  # fmt: skip
    load = by_column["load"]
    assert load.evidence["calendar"] in ("day", "week")
    assert set(load.evidence["together_with"]) == {"cost", "noise"}
    assert "`cost` and `noise` change then too" in load.sentence
    assert abs(load.evidence["row"] - 18_000) < 200
    low, high = by_column["noise"].interval
    assert low < 2.0 < high


def test_fewer_rows_are_a_change_of_rate() -> None:
    rng = np.random.default_rng(5)
    hours = np.sort(np.concatenate([rng.integers(0, 1_000, 30_000), rng.integers(1_000, 2_000, 10_000)]))
    result = found({"at": np.datetime64("2024-01-01", "us") + hours * HOUR, "x": rng.normal(size=40_000)})
    (finding,) = result.findings
    assert (finding.kind, finding.columns) == ("rate_shift", ["at"])
    assert finding.interval[0] < 1 / 3 < finding.interval[1]
    assert finding.evidence["when"].startswith("2024-02-1")


def test_sentences_rest_on_evidence_and_name_a_column_and_an_action() -> None:
    rng = np.random.default_rng(6)
    x = np.where(np.arange(20_000) >= 12_345, 900.0, -50.0) + rng.normal(size=20_000) * 40
    (finding,) = found({"x": x}).findings
    numbers = [float(n.replace(",", "")) for n in re.findall(r"[+-]?\d[\d,]*\.?\d*", finding.sentence)]
    held = [v for v in finding.evidence.values() if isinstance(v, int | float) and not isinstance(v, bool)] + [95.0]
    assert all(any(abs(n - h) <= 6e-4 * max(abs(h), 1.0) + 0.006 for h in held) for n in numbers), finding.sentence
    assert finding.evidence["row"] == 12_345
    assert "`x`" in finding.recommendation
    assert "judge it" in finding.recommendation


def test_no_findings_on_null_tables() -> None:
    tables = [(kind, run_on_series(FOLDER, dataset)) for kind, dataset in null_tables(3)]
    assert [(kind, f.sentence) for kind, r in tables for f in r.findings if f.log10_p is not None] == []
    assert all(r.n_tests >= 4 for _, r in tables)


DEGENERATE: dict[str, Any] = {
    "constant": np.full(500, 2.0),
    "two values": np.where(np.arange(500) < 250, 0.0, 1.0),
    "huge": np.random.default_rng(1).choice([1e308, -1e308], 500),
    "infinite": np.where(np.arange(500) % 9 == 0, np.inf, 1.0) * np.random.default_rng(1).normal(size=500),
    "big integers": 2**53 + 1 + np.arange(500) % 7,
    "minus zero": np.where(np.arange(500) % 2 == 0, -0.0, 0.0),
    "one spike": np.where(np.arange(500) == 77, 1e9, np.random.default_rng(1).normal(size=500)),
}


@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_data(name: str) -> None:
    try:
        result = found({"x": DEGENERATE[name]})
    except Skip as skip:
        assert "64 bins" in skip.reason or "neither" in skip.reason  # noqa: PT017
        return
    kinds = [f.kind for f in result.findings]
    assert kinds == (["level_shift"] if name == "two values" else [])


def test_caps_leave_a_valid_result() -> None:
    rng = np.random.default_rng(8)
    columns = {name: rng.normal(size=2_000) for name in "ab"}
    with pytest.raises(Skip, match="64 bins"):
        found(columns, budget=Budget(max_windows=1, max_cols=1))
    assert found(columns, budget=Budget(max_cols=1)).n_tests == 2
    assert found(columns).n_tests == 4


def test_chunks_of_the_parent_make_no_difference() -> None:
    rng = np.random.default_rng(9)
    x = rng.normal(size=6_000) + 4.0 * (np.arange(6_000) >= 2_222)
    one, other = (found({"x": x}, size).findings[0] for size in (6_000, 500))
    assert one.sentence == other.sentence
    assert one.effect == pytest.approx(other.effect, rel=1e-10)
    assert (one.evidence["row"], other.evidence["row"]) == (2_222, 2_222)
