"""analysis_matrix_profile_motifs_discords: distances against all pairs and stumpy, planted shapes, nulls, labels."""

from __future__ import annotations

import os
import re
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from plugins.analysis_matrix_profile_motifs_discords.extremes import compared, discords, recurrences
from plugins.analysis_matrix_profile_motifs_discords.profile import matrix_profile
from plugins.analysis_matrix_profile_motifs_discords.windows import exclusion_zone
from tests.memory_store import memory_dataset
from tests.null_tables import ar1, null_columns
from tests.series_tables import run_on_series
from toolkit.engine.discovery import shipped_plugins
from toolkit.plugin import Budget, Result, Skip

FOLDER = shipped_plugins() / "analysis_matrix_profile_motifs_discords"
ROOT = FOLDER.parents[1]
Floats = npt.NDArray[np.float64]
NAB = Path(os.environ.get("TOOLKIT_REAL_DATA", "absent"), "timeseries", "nab")
REAL = pytest.mark.skipif("TOOLKIT_REAL_DATA" not in os.environ, reason="TOOLKIT_REAL_DATA is not set")


def all_pairs(x: Floats, m: int) -> Floats:
    """Distance of every window to its nearest, from all pairs, in more digits; flat ones as in stumpy."""
    windows = np.lib.stride_tricks.sliding_window_view(x.astype(np.longdouble), m)
    apart = windows - windows.mean(axis=1, keepdims=True)
    flat = np.ptp(windows, axis=1) == 0
    shapes = apart / np.where(flat, 1, np.sqrt((apart * apart).mean(axis=1)))[:, None]
    whole = np.isfinite(windows).all(axis=1)
    out = np.full(len(windows), np.inf)
    for i in np.flatnonzero(whole):
        gaps = ((shapes - shapes[i]) ** 2).sum(axis=1)
        gaps[flat ^ flat[i]] = m
        gaps[flat & flat[i]] = 0
        gaps[~whole | (np.abs(np.arange(len(windows)) - i) <= exclusion_zone(m))] = np.inf
        out[i] = np.sqrt(gaps.min())
    return out


def hostile_series() -> dict[str, Floats]:
    """Series on which updated covariances lose their digits."""
    noise = np.random.default_rng(5).normal(size=900)
    third = np.arange(900) // 100 % 3
    return {
        "far from 0": 1e9 + noise,
        "small and far from 0": 1e9 + noise * 1e-3,
        "a step": noise + np.where(np.arange(900) > 400, 1e6, 0.0),
        "spikes": noise + np.where(np.isin(np.arange(900), [100, 500, 800]), 1e7, 0.0),
        "quiet stretches": np.where(third == 1, noise * 1e-7, noise),
        "constant stretches": np.where(third == 1, 4.0, noise),
        "stairs": third.astype(float),
        "periodic": np.sin(np.arange(900) * 2 * np.pi / 50),
        "square": (np.arange(900) // 25 % 2).astype(float),
        "gaps far from 0": np.where(np.isin(np.arange(900), [50, 51, 600]), np.nan, noise + 1e5),
        "whole numbers": np.round(noise * 2),
    }


@pytest.mark.parametrize("m", [3, 8, 31])
@pytest.mark.parametrize("kind", ["noise", "walk", "offset", "gaps"])
def test_equals_all_pairs(m: int, kind: str) -> None:
    rng = np.random.default_rng(m)
    x = rng.normal(size=400)
    x = x.cumsum() if kind == "walk" else 1e6 + x if kind == "offset" else x
    if kind == "gaps":
        x[[50, 51, 200]] = np.nan
    found = matrix_profile(x, m)
    expected = all_pairs(x, m)
    np.testing.assert_allclose(found.distances, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("m", [5, 24])
@pytest.mark.parametrize("kind", hostile_series())
def test_hostile_series_equal_all_pairs(m: int, kind: str) -> None:
    x = hostile_series()[kind]
    np.testing.assert_allclose(matrix_profile(x, m).distances, all_pairs(x, m), rtol=1e-9, atol=1e-9)


def test_covariances_may_be_computed_anew_at_any_row(monkeypatch: pytest.MonkeyPatch) -> None:
    from plugins.analysis_matrix_profile_motifs_discords import profile

    x = np.random.default_rng(1).normal(size=700).cumsum()
    whole = matrix_profile(x, 20)
    monkeypatch.setattr(profile, "_ROWS", 64)
    monkeypatch.setattr(profile, "_ERROR", 1e-17)  # and every window may be compared by its values
    parts = matrix_profile(x, 20)
    np.testing.assert_allclose(whole.distances, parts.distances, rtol=1e-12)
    assert (whole.nearest == parts.nearest).all()


def test_flat_windows_are_as_in_stumpy() -> None:
    x = np.random.default_rng(2).normal(size=300)
    x[100:160] = 5.0
    x[200:230] = -1.0
    found = matrix_profile(x, 12)
    assert found.flat.sum() == (60 - 11) + (30 - 11)
    assert (found.distances[found.flat] == 0).all()
    assert discords(found, 12, 1, compared(found, 12))[0].start not in np.flatnonzero(found.flat)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:A large number of values")
@pytest.mark.parametrize(("n", "m"), [(3_000, 50), (3_000, 288)])
def test_equals_stumpy_on_whole_series(n: int, m: int) -> None:
    stumpy = pytest.importorskip("stumpy")
    rng = np.random.default_rng(n + m)
    series = [rng.normal(size=n), rng.normal(size=n).cumsum(), np.sin(np.arange(n) / 20) + 0.1 * rng.normal(size=n)]
    if NAB.exists():
        place = NAB / "realKnownCause" / "machine_temperature_system_failure.csv"
        series.append(pd.read_csv(place)["value"].to_numpy()[:n])
    for x in series:
        theirs, ours = stumpy.stump(x, m), matrix_profile(x, m)
        np.testing.assert_allclose(ours.distances, theirs[:, 0].astype(float), rtol=0, atol=1e-9)
        assert (ours.nearest == theirs[:, 1].astype(int)).mean() > 0.999
    # stumpy takes the root of 1 less a correlation: where that is nothing but rounding, its squares are what agrees
    for kind in ("constant stretches", "stairs", "square", "periodic", "whole numbers"):
        x = hostile_series()[kind]
        theirs, ours = stumpy.stump(x, 24), matrix_profile(x, 24)
        np.testing.assert_allclose(ours.distances**2, theirs[:, 0].astype(float) ** 2, rtol=0, atol=1e-9)


def daily(days: int, rng: np.random.Generator) -> tuple[Any, Floats]:
    """A day's curve, hour by hour, ten rows an hour, with noise."""
    hours = np.repeat(np.arange(days * 24), 10)
    curve = np.sin(2 * np.pi * (hours % 24) / 24) + 0.5 * np.sin(4 * np.pi * (hours % 24) / 24)
    return hours, curve + 0.2 * rng.normal(size=hours.size)


def found(columns: dict[str, Any], **options: Any) -> Result:
    return run_on_series(FOLDER, memory_dataset(columns, 4_096), **options)


def test_a_planted_discord_and_the_motif_around_it() -> None:
    hours, load = daily(90, np.random.default_rng(3))
    odd = (hours >= 40 * 24) & (hours < 41 * 24)
    load[odd] = -load[odd]
    times = np.datetime64("2024-01-01", "us") + hours * np.timedelta64(3_600_000_000, "us")
    result = found({"at": times, "load": load})
    first = next(f for f in result.findings if f.kind == "discord")
    begins = np.datetime64(first.evidence["from"].replace(" ", "T"))
    assert np.datetime64("2024-02-09T00") < begins < np.datetime64("2024-02-11T00")
    assert first.evidence["rows"] == [[240 * 39 + 10 * hour_of(begins), 240 * 40 + 10 * hour_of(begins) - 1]]
    assert first.log10_p is not None
    assert first.log10_p < -4
    (motif,) = [f for f in result.findings if f.kind == "motif" and f.columns == ["load"]]
    assert 80 <= motif.evidence["occurrences"] <= 90
    for finding in (first, motif):
        check_prose(finding)


def hour_of(moment: np.datetime64) -> int:
    """Hours since the day before the odd one."""
    return int((moment - np.datetime64("2024-02-09T00")) / np.timedelta64(1, "h"))


def check_prose(finding: Any) -> None:
    text = re.sub(r"\d{4}-\d\d-\d\d( \d\d:\d\d)?", "", finding.sentence)
    numbers = [float(n.replace(",", "")) for n in re.findall(r"\d[\d,]*\.?\d*", text)]
    held = [v for v in finding.evidence.values() if isinstance(v, int | float)] + [1.0]
    assert all(any(abs(n - h) <= 0.051 for h in held) for n in numbers), finding.sentence
    assert f"`{finding.columns[0]}`" in finding.recommendation


def test_recurrences_are_all_that_correlate() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=2_000)
    shape = np.sin(np.arange(40) / 4) * 3
    for start in (100, 700, 1_500):
        x[start : start + 40] = shape * (1 + start / 1_000) + 0.1 * rng.normal(size=40)
    assert recurrences(x, 700, 40, 0.95) == [100, 700, 1_500]


@pytest.mark.parametrize("kind", ["noise", "ar", "walk"])
def test_nulls_have_no_finding(kind: str) -> None:
    for seed in range(5):
        rng = np.random.default_rng(seed)
        x = ar1(rng, 1_700, 0.8) if kind == "ar" else rng.normal(size=1_700)
        result = found({"x": x.cumsum() if kind == "walk" else x})
        assert [f.sentence for f in result.findings if f.log10_p is not None] == []
        assert result.n_tests == 3


def test_null_tables_have_no_tested_finding() -> None:
    for kind in ("independent", "autocorrelated", "grouped"):
        result = found(null_columns(1, kind, 2_000))
        assert [f.sentence for f in result.findings if f.log10_p is not None] == []


def test_a_cap_makes_bins_coarser_and_is_told() -> None:
    rng = np.random.default_rng(5)
    columns = {name: rng.normal(size=3_000) for name in "ab"}
    whole = found(columns).data["series"]
    capped = found(columns, budget=Budget(max_windows=500, max_cols=1)).data["series"]
    assert [s["bins"] for s in whole] == [3_000, 3_000]
    assert [s["bins"] for s in capped] == [500]
    with pytest.raises(Skip, match="windows of values"):
        found(columns, budget=Budget(max_windows=1, max_cols=1))


DEGENERATE: dict[str, Any] = {
    "constant": np.full(500, 2.0),
    "two values": np.where(np.arange(500) < 250, 0.0, 1.0),
    "huge": np.random.default_rng(1).choice([1e308, -1e308], 500),
    "large": np.random.default_rng(1).normal(size=500) * 1e90,
    "tiny": np.random.default_rng(1).normal(size=500) * 1e-200,
    "infinite": np.where(np.arange(500) % 9 == 0, np.inf, 1.0) * np.random.default_rng(1).normal(size=500),
    "one spike": np.where(np.arange(500) == 77, 1e9, 0.0),
}


@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_data(name: str) -> None:
    try:
        assert [f for f in found({"x": DEGENERATE[name]}).findings if f.log10_p is not None] == []
    except Skip as skip:
        assert "windows" in skip.reason or "neither" in skip.reason  # noqa: PT017


@REAL
@pytest.mark.slow
def test_the_page_on_labelled_series_is_what_its_script_gives() -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "nab_discords.py"))
    assert (ROOT / "docs" / "discords-on-nab.md").read_text("utf-8") == script["page"](NAB)
