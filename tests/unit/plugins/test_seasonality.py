"""analysis_seasonality: against SciPy, on planted cycles, on noise of every colour, with gaps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import signal
from statsmodels.datasets import sunspots

from plugins.analysis_seasonality.cycle import find_cycle
from plugins.analysis_seasonality.spectrum import background, detrended, lomb_scargle, periodogram, strongest
from tests.memory_store import memory_dataset
from tests.null_flows import flow
from tests.null_tables import ar1, random_intercepts
from tests.sample_store import sample_store
from tests.series_tables import run_on_series
from toolkit.plugin import Budget, Result, Skip
from toolkit.samples import vocabulary as words

FOLDER = Path(__file__).resolve().parents[3] / "plugins" / "analysis_seasonality"
HOUR, DAY = 3_600, 86_400
COLOURS = ("independent", "autocorrelated", "grouped", "red")


def run(times: Any, chunk_rows: int = 262_144, budget: Budget | None = None, **columns: Any) -> Result:
    table = {"at": np.asarray(times).astype("datetime64[s]"), **columns}
    return run_on_series(FOLDER, memory_dataset(table, chunk_rows), budget=budget)


def noise(seed: int, colour: str, rows: int) -> Any:
    """A series without a cycle, whose neighbours depend on each other."""
    rng = np.random.default_rng([23, COLOURS.index(colour), seed])
    if colour == "independent":
        return rng.normal(size=rows)
    if colour == "grouped":
        return random_intercepts(rng, rows)
    return ar1(rng, rows, 0.8 if colour == "autocorrelated" else 0.995)


def null_result(seed: int) -> Result:
    """A table of a flow and three numbers in which nothing repeats."""
    kind = ("even", "autocorrelated", "grouped")[seed % 3]
    times = flow(seed, kind, days=90, each=100.0)
    return run(times, 5_000, **{c: noise(3 * seed + i, c, times.size) for i, c in enumerate(COLOURS)})


def by_cycle(result: Result) -> dict[tuple[str, str], Any]:
    return {(f.columns[-1], f.evidence["cycle"]): f for f in result.findings if f.kind == "calendar_cycle"}


@pytest.mark.parametrize("bins", [200, 201])
def test_lomb_and_scargles_periodogram_is_that_of_scipy(bins: int) -> None:
    rng = np.random.default_rng(1)
    values = np.sin(np.arange(bins) * 0.9) + rng.normal(size=bins)
    held = rng.random(bins) < 0.7
    values = np.where(held, values, np.nan)
    places = np.flatnonzero(held).astype(np.float64)
    angles = 2 * np.pi * np.arange(1, (bins + 1) // 2) / bins
    theirs = signal.lombscargle(places, values[held] - values[held].mean(), angles)
    assert lomb_scargle(values, held) == pytest.approx(theirs, rel=1e-10)
    assert (periodogram(values) == lomb_scargle(values, held)).all()


def test_the_periodogram_of_a_complete_series_is_that_of_scipy() -> None:
    values = detrended(np.random.default_rng(2).normal(size=301))
    taper = np.hanning(303)[1:-1]
    _, theirs = signal.periodogram(values, window=taper, detrend=False, scaling="density")
    assert periodogram(values) == pytest.approx(theirs[1:] / 2, rel=1e-10)


def test_a_line_is_taken_off_as_numpy_does() -> None:
    values = np.random.default_rng(3).normal(size=100) + 0.3 * np.arange(100)
    values[40:50] = np.nan
    held = np.isfinite(values)
    line = np.polyval(np.polyfit(np.flatnonzero(held), values[held], 1), np.flatnonzero(held))
    assert detrended(values)[held] == pytest.approx(values[held] - line, abs=1e-10)
    assert np.isnan(detrended(values)[~held]).all()


@pytest.mark.parametrize("rho", [0.0, 0.8, 0.97])
def test_the_background_is_that_of_red_noise(rho: float) -> None:
    rng = np.random.default_rng(4)
    series = ar1(rng, 8_000, rho) if rho else rng.normal(size=8_000)
    power = periodogram(series)
    frequency = np.arange(1, power.size + 1) / series.size
    true = (1 - rho**2) / (1 - 2 * rho * np.cos(2 * np.pi * frequency) + rho**2)
    middle = np.median(background(power) / true)
    assert 0.9 < middle < 1.35  # the larger of two estimates


def test_the_sunspots_have_a_period_of_eleven_years() -> None:
    numbers = sunspots.load_pandas().data["SUNACTIVITY"].to_numpy()
    peak = strongest(periodogram(detrended(numbers)), numbers.size)
    assert peak is not None
    assert 1 / peak.frequency == pytest.approx(11.0, abs=0.3)
    assert peak.log10_p < np.log10(0.05)


def test_the_share_is_that_of_the_wave_and_none_of_chance() -> None:
    rng = np.random.default_rng(5)
    hours = np.arange(24 * 128)
    wave = np.sqrt(2.0) * np.sin(2 * np.pi * hours / 24)
    shares, covered = [], 0
    for _ in range(40):
        found = find_cycle(wave + 2.0 * ar1(rng, hours.size, 0.8), hours % 24, hours // 24, 24)
        assert found is not None
        shares.append(found.share)
        covered += found.interval[0] < 0.2 < found.interval[1]
    assert np.mean(shares) == pytest.approx(0.2, rel=0.05)
    assert covered >= 35
    nothing = [find_cycle(ar1(rng, hours.size, 0.8), hours % 24, hours // 24, 24) for _ in range(40)]
    assert np.mean([c.share for c in nothing if c]) == pytest.approx(0.0, abs=0.002)
    assert sum(c.log10_p <= np.log10(0.05) for c in nothing if c) <= 6


def test_hours_weekdays_and_another_period_are_found() -> None:
    rng = np.random.default_rng(6)
    times = np.sort(rng.integers(0, 26 * 7 * DAY, 40_000)) + 19_723 * DAY  # from Monday, 2024-01-01
    hour, weekday = times // HOUR % 24, (times // DAY + 3) % 7
    load = (
        10 * (hour >= 8)
        + 6 * (weekday >= 5)
        + 2 * np.sin(2 * np.pi * times / (5 * HOUR + 1_234))
        + rng.normal(0, 1, times.size)
    )
    result = run(times, load=load, other=rng.normal(size=times.size))
    cycles = by_cycle(result)
    assert set(cycles) == {("load.mean", "hour of the day"), ("load.mean", "day of the week")}
    hours, days = cycles["load.mean", "hour of the day"], cycles["load.mean", "day of the week"]
    assert hours.evidence["profile"]["12:00"] - hours.evidence["profile"]["03:00"] == pytest.approx(10, abs=0.5)
    assert days.evidence["profile"]["Sunday"] - days.evidence["profile"]["Monday"] == pytest.approx(6, abs=0.3)
    (period,) = [f for f in result.findings if f.kind == "period"]
    assert period.columns == ["bin_start", "load.mean"]
    assert period.evidence["period_ms"] / 1_000 == pytest.approx(5 * HOUR + 1_234, rel=1e-3)
    assert period.evidence["beside"] == ["hour of the day", "day of the week"]
    assert "`load` repeats every 5.343 h" in period.sentence


def test_hours_that_change_over_the_year_are_no_further_period() -> None:
    rng = np.random.default_rng(11)
    times = np.sort(rng.integers(0, 300 * DAY, 40_000)) + 19_723 * DAY
    shifted = times + HOUR * (times // DAY % 300 > 120)  # as by summer time
    load = 10.0 * (shifted // HOUR % 24 >= 8) + 5.0 * (shifted // HOUR % 24 == 17) + rng.normal(0, 0.5, times.size)
    result = run(times, load=load)
    assert {f.evidence.get("cycle") for f in result.findings} == {"hour of the day"}
    assert result.data["series"]["load"]["periods"]


def test_a_flow_of_rows_that_goes_with_the_hour() -> None:
    result = run(flow(7, "day and night", days=90, each=300.0))
    (finding,) = result.findings
    assert (finding.columns, finding.evidence["cycle"]) == (["bin_start", "rows"], "hour of the day")
    profile = list(finding.evidence["profile"].values())
    assert np.mean(profile[7:19]) == pytest.approx(1.9 * 300 / 24, rel=0.05)
    assert np.mean(profile[:7]) == pytest.approx(0.1 * 300 / 24, rel=0.3)
    assert finding.sentence.startswith("Rows by `at` repeat by the hour of the day: it makes up")


def test_a_period_in_a_series_with_gaps() -> None:
    rng = np.random.default_rng(8)
    times = np.arange(20_000) * 600 + 19_723 * DAY
    kept = np.repeat(rng.random(1_000) < 0.6, 20)
    value = np.sin(2 * np.pi * times / 20_000) + rng.normal(0, 1, times.size)
    result = run(times[kept], value=value[kept])
    (period,) = [f for f in result.findings if f.kind == "period" and f.columns[-1] == "value.mean"]
    assert period.evidence["period_ms"] == pytest.approx(20_000_000, rel=1e-3)
    assert period.evidence["empty_bins"] > 0.05 * period.evidence["bins"]


def test_the_sample_tables_load_goes_with_hour_and_weekday() -> None:
    dataset, truth = sample_store()
    cycles = by_cycle(run_on_series(FOLDER, dataset))
    assert set(cycles) == {("dock_load_kw.mean", "hour of the day"), ("dock_load_kw.mean", "day of the week")}
    hours, days = (cycles["dock_load_kw.mean", c].evidence for c in ("hour of the day", "day of the week"))
    planted = truth["load_season"]
    assert np.corrcoef(list(hours["profile"].values()), planted["by_hour"])[0, 1] > 0.99
    assert hours["lowest"] in {f"{h:02d}:00" for h in (2, 3)}
    assert hours["highest"] in {f"{h:02d}:00" for h in (10, 11, 14)}
    assert days["lowest"] == "Sunday"
    assert np.corrcoef(list(days["profile"].values()), planted["by_weekday_percent"])[0, 1] > 0.95
    assert words.LOAD_BY_WEEKDAY[6] == 45


def test_an_even_pace_is_no_season() -> None:
    times = np.arange(30_000) * 420 + 19_723 * DAY
    result = run(times, value=np.random.default_rng(9).normal(size=times.size))
    assert result.findings == []
    assert "even pace" in result.data["left_out"][""]


def test_results_do_not_depend_on_chunks_and_caps_join_bins() -> None:
    times = flow(10, "day and night", days=120, each=100.0)
    value = noise(10, "red", times.size) + np.sin(2 * np.pi * times / DAY)
    whole = run(times, value=value)
    assert [f.sentence for f in run(times, 997, value=value).findings] == [f.sentence for f in whole.findings]
    capped = run(times, value=value, budget=Budget(max_windows=700))
    assert {c for _, c in by_cycle(capped)} == {"hour of the day"}
    assert capped.findings[0].evidence["bins"] <= 700


def test_noise_of_every_colour_has_no_cycle() -> None:
    found = [null_result(seed) for seed in range(3)]
    assert all(r.n_tests >= 10 for r in found)
    assert sum(bool(r.findings) for r in found) <= 1


@pytest.mark.slow
def test_noise_of_every_colour_has_no_cycle_in_full() -> None:
    assert sum(bool(null_result(seed).findings) for seed in range(100, 130)) <= 5


def test_short_and_empty_series_are_skipped_with_a_reason() -> None:
    with pytest.raises(Skip) as skipped:
        run(np.arange(70) // 35 * DAY)
    assert "bins" in skipped.value.reason
    assert "at" in skipped.value.recommendation
    with pytest.raises(Skip) as skipped:
        run_on_series(FOLDER, memory_dataset({"x": np.random.default_rng(1).normal(size=5_000)}))
    assert skipped.value.recommendation
    assert strongest(np.zeros(100), 201) is None
    assert find_cycle(np.full(100, np.nan), np.arange(100) % 7, np.arange(100) // 7, 7) is None
