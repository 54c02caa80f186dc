"""analysis_time_gaps: every gap against sorted times, planted holes and errors, flows in which there is nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.analysis_time_gaps.holes import find_holes
from plugins.analysis_time_gaps.ranges import Bulk
from plugins.analysis_time_gaps.segment import bridged, no_rows, of_chunk
from tests.memory_store import memory_dataset
from tests.null_flows import FLOWS, flow
from tests.null_tables import run_plugin
from tests.sample_store import sample_store
from toolkit.plugin import Budget, Result, TimeBins

FOLDER = Path(__file__).resolve().parents[3] / "plugins" / "analysis_time_gaps"
DAY = 86_400


def run(times: Any, chunk_rows: int = 262_144, **options: Any) -> Result:
    columns = {"at": times if isinstance(times, np.ma.MaskedArray) else np.asarray(times)}
    if columns["at"].dtype.kind == "i":
        columns["at"] = columns["at"].astype("datetime64[s]")
    return run_plugin(FOLDER, memory_dataset(columns, chunk_rows), **options)


def kinds(result: Result) -> dict[str, Any]:
    return {f.kind: f for f in result.findings}


@given(st.lists(st.integers(0, 2_000), min_size=64, max_size=200), st.integers(1, 50), st.integers(1, 6))
@settings(max_examples=60, deadline=None)
def test_every_gap_of_a_bin_or_more_is_known_exactly(values: list[int], step: int, parts: int) -> None:
    times = np.array(values)
    first = int(times.min()) // step
    bins = TimeBins(step, first, int(times.max()) // step - first + 1, "s")
    bulk = Bulk("at", "s", 0, 2_000, int(times.min()), int(times.max()), bins)
    dataset = memory_dataset({"at": times.astype("datetime64[s]")}, -(-times.size // parts))
    state = no_rows(bulk)
    for index in range(dataset.grid.n_chunks):
        state = bridged(state, of_chunk(bulk, dataset.chunk(index, ["at"]), times.size, DAY), times.size)
    held = np.flatnonzero(state["rows"])
    found = {(int(a), int(b)) for a, b in zip(state["high"][held[:-1]], state["low"][held[1:]], strict=True)}
    true = np.unique(times)
    long = np.diff(true) >= step
    assert set(zip(true[:-1][long].tolist(), true[1:][long].tolist(), strict=True)) <= found
    looked = find_holes(bulk, state, 3, 10, DAY)
    assert looked is not None
    assert looked.gaps == int(np.count_nonzero(long))
    steps = np.diff(times)
    assert state["back"] == int(np.count_nonzero(steps < 0))
    assert state["same"] == int(np.count_nonzero(steps == 0))
    assert int(state["lengths"].sum()) == int(np.count_nonzero(steps > 0))
    assert [e[0] for e in state["largest_back"]] == sorted((-steps[steps < 0]).tolist(), reverse=True)[:10]


@pytest.mark.parametrize("kind", FLOWS)
@pytest.mark.parametrize("shuffled", [False, True])
def test_a_planted_hole_is_found_with_its_exact_ends(kind: str, shuffled: bool) -> None:
    times = flow(1, kind, each=600)
    start = int(times[times.size // 3])
    times = times[(times <= start) | (times >= start + 2 * DAY)]
    stop = int(times[np.searchsorted(times, start, side="right")])
    if shuffled:
        np.random.default_rng(1).shuffle(times)
    found = kinds(run(times, 5_000))["time_gap"]
    assert (found.evidence["start_raw"], found.evidence["stop_raw"]) == (start, stop)
    assert found.evidence["more"] == 0
    assert found.effect == stop - start
    assert found.log10_p is None


@pytest.mark.parametrize("kind", FLOWS)
def test_flows_without_a_hole(kind: str) -> None:
    found = [kinds(run(flow(seed, kind), 5_000)) for seed in range(10)]
    assert sum("time_gap" in f for f in found) <= 1
    assert not any(set(f) - {"time_gap"} for f in found)


def test_the_sample_table_stood_still_once() -> None:
    dataset, truth = sample_store()
    found = run_plugin(FOLDER, dataset)
    holes = {f.columns[0]: f for f in found.findings if f.kind == "time_gap"}
    assert set(holes) == {"started_at", "finished_at"}
    for finding in holes.values():
        start, stop = (finding.evidence[end] for end in ("start", "stop"))
        assert start <= truth["time_gap"]["start"]
        assert stop >= truth["time_gap"]["stop"]
        assert finding.effect is not None
        assert truth["time_gap"]["hours"] <= finding.effect / 3600 <= truth["time_gap"]["hours"] + 12
        assert finding.evidence["more"] == 0
    assert f"between {holes['started_at'].evidence['start']} and" in holes["started_at"].sentence


def test_far_dates_are_told_from_the_bulk_and_do_not_hide_holes() -> None:
    times = flow(2, "even", each=600)
    start = int(times[times.size // 2])
    times = times[(times <= start) | (times >= start + DAY)]
    times[1_000] = 253_402_214_400  # 9999-12-31
    times[5:8] = -2_208_988_800  # 1900-01-01
    result = run(times, 1_000)
    far = {f.evidence["farthest"]: f for f in result.findings if f.kind == "far_dates"}
    assert set(far) == {"9999-12-31 00:00:00", "1900-01-01 00:00:00"}
    assert far["9999-12-31 00:00:00"].evidence["count"] == 1
    assert far["1900-01-01 00:00:00"].evidence["count"] == 3
    assert (far["1900-01-01 00:00:00"].evidence["first_row"], far["1900-01-01 00:00:00"].evidence["last_row"]) == (5, 7)
    assert far["9999-12-31 00:00:00"].evidence["chunks"] == [1]
    assert kinds(result)["time_gap"].evidence["start_raw"] == start


def test_a_clock_that_is_set_back() -> None:
    times = 19_700 * DAY + np.arange(5_000) * 60
    times[3_000:] -= 3600
    found = kinds(run(times, 700))
    back = found["clock_goes_back"]
    assert (back.evidence["row"], back.evidence["times"], back.evidence["length"]) == (3_000, 1, "59 minutes")
    assert back.evidence["chunks"] == [4]
    assert set(found) == {"clock_goes_back"}
    shuffled = np.random.default_rng(3).permutation(times)
    assert "clock_goes_back" not in kinds(run(shuffled, 700))


def test_heaps_of_one_stamp_and_of_midnights() -> None:
    times = flow(4, "even", each=400)
    heap = times.copy()
    heap[::40] = 19_730 * DAY + 5 * 3600
    found = kinds(run(heap, 999))
    assert found["repeated_time_stamp"].evidence["stamp"] == "2024-01-08 05:00:00"
    assert found["repeated_time_stamp"].evidence["count"] == heap[::40].size + int(
        (times == 19_730 * DAY + 18_000).sum()
    )
    dates = times.copy()
    dates[::30] -= dates[::30] % DAY
    found = kinds(run(dates, 999))
    assert found["midnight_heap"].evidence["count"] == int((dates % DAY == 0).sum())
    hourly = times - times % 3600
    assert not {"midnight_heap", "repeated_time_stamp"} & set(kinds(run(hourly, 999)))


def test_a_changed_pace() -> None:
    steps = np.concatenate([np.full(4_000, 300), np.full(3_000, 600)])
    times = 19_700 * DAY + np.cumsum(steps)
    found = kinds(run(times, 1_000))
    change = found["cadence_change"]
    assert (change.evidence["early"], change.evidence["late"]) == ("5 minutes", "10 minutes")
    assert change.evidence["row"] <= 4_000 <= change.evidence["last_row"] <= change.evidence["row"] + 3 * 7_000 // 64
    assert set(found) == {"cadence_change"}
    assert "cadence_change" not in kinds(run(19_700 * DAY + np.arange(7_000) * 300, 1_000))


def test_states_do_not_depend_on_chunks() -> None:
    times = np.ma.array(flow(5, "grouped"), mask=np.arange(flow(5, "grouped").size) % 7 == 0)
    table = np.ma.array(times.data.astype("datetime64[s]"), mask=times.mask)
    whole = run(table)
    for chunk_rows in (1_000, 61):
        other = run(table, chunk_rows)
        assert other.data == whole.data
        assert [f.sentence for f in other.findings] == [f.sentence for f in whole.findings]


def test_a_cap_makes_longer_bins_and_every_row_counts() -> None:
    times = flow(6, "even", each=600)
    start = int(times[times.size // 2])
    times = times[(times <= start) | (times >= start + 14 * DAY)]
    dataset = memory_dataset({"at": times.astype("datetime64[s]")}, 1_000)
    capped = run_plugin(FOLDER, dataset, budget=Budget(max_windows=100))
    assert capped.data["columns"]["at"]["step_of_bins"] >= 6 * 3600
    assert kinds(capped)["time_gap"].evidence["start_raw"] == start
    assert run_plugin(FOLDER, dataset, budget=Budget(max_windows=1)).data["columns"]["at"]["gaps"] == 0


@pytest.mark.parametrize(
    "times",
    [
        np.full(100, 5),
        np.arange(100) % 2,
        np.array([-(2**62), 2**62] * 50),
        np.ma.array(np.arange(100), mask=np.ones(100, bool)),
        np.append(np.full(99, 7), 10**9),
    ],
)
def test_awkward_times(times: Any) -> None:
    data = getattr(times, "data", times)
    table: Any = np.asarray(data).astype("datetime64[s]")
    if isinstance(times, np.ma.MaskedArray):
        table = np.ma.array(table, mask=times.mask)
    result = run(table, 7)
    assert all(f.log10_p is None for f in result.findings)
    assert result.n_tests == 0


def test_dates_without_a_time() -> None:
    days = np.repeat(np.arange(19_000, 19_700), 3)
    days = days[(days < 19_300) | (days > 19_330)]
    found = kinds(run(days.astype("datetime64[D]"), 100))
    assert found["time_gap"].evidence["start"] == str(np.datetime64(19_299, "D"))
    assert set(found) == {"time_gap"}
