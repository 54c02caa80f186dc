"""analysis_process_bottlenecks: sums against a dictionary, a simulated queue, null logs, the sample table."""

from __future__ import annotations

import heapq
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from plugins.analysis_process_bottlenecks.findings import where_time_goes
from plugins.analysis_process_bottlenecks.steps import Steps
from tests.event_logs import random_log, results_of
from tests.null_logs import null_log, profile_of, sorted_table
from tests.null_tables import KINDS, TABLES, allowed, run_plugin
from tests.sample_store import sample_store
from toolkit.api import convert_table
from toolkit.engine.check.subject import differences
from toolkit.engine.discovery import shipped_plugins
from toolkit.govern.policy import Policy
from toolkit.plugin import Budget, Result
from toolkit.plugin.eventlog.durations import range_bounds, range_of

PLUGIN = "analysis_process_bottlenecks"
FOLDER = shipped_plugins() / PLUGIN


def timed_log(seed: int) -> pd.DataFrame:
    """A random log with ends, some of which are missing, and some that lie behind the next start."""
    columns = random_log(seed, missing=False)
    frame = pd.DataFrame({"case_id": columns["case"], "activity": columns["activity"], "started_at": columns["at"]})
    rng = np.random.default_rng(seed)
    took = pd.to_timedelta(rng.integers(0, 2500, len(frame)), "ms")
    frame["finished_at"] = (frame["started_at"] + took).where(rng.random(len(frame)) > 0.05)
    frame["team"] = rng.choice(["a", "b", "c"], len(frame))
    return frame


def brute(frame: pd.DataFrame, *, ends: bool) -> dict[tuple[str, str], list[int]]:
    """Waits and work in microseconds, by dictionary."""
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    frame = frame.sort_values(["case_id", "started_at"], kind="stable")
    for _, case in frame.groupby("case_id"):
        events = list(zip(case["activity"], case["started_at"], case["finished_at"], strict=True))
        for i, (activity, start, end) in enumerate(events):
            repeats = i > 0 and events[i - 1][:2] == (activity, start)
            if ends and not repeats and not pd.isna(end):
                found["work", activity].append((end - start) // pd.Timedelta(1, "us"))
            if i and not repeats:
                before = events[i - 1][2] if ends else events[i - 1][1]
                if not pd.isna(before):
                    what = "waiting" if ends else "up to"
                    found[what, activity].append(max((start - before) // pd.Timedelta(1, "us"), 0))
    return found


@pytest.mark.parametrize("ends", [True, False])
@pytest.mark.parametrize("seed", [0, 1])
def test_waits_are_those_of_a_dictionary(seed: int, ends: bool, tmp_path: Path) -> None:
    frame = timed_log(seed)
    truth = brute(frame, ends=ends)
    dataset = convert_table(frame if ends else frame.drop(columns="finished_at"), appdata=tmp_path)
    data = results_of(dataset, tmp_path, PLUGIN)[PLUGIN].decoded().data
    assert {(s["what"], s["activity"]) for s in data["activities"]} == set(truth)
    whole = sum(map(sum, truth.values()))
    for step in data["activities"]:
        lengths = sorted(truth[step["what"], step["activity"]])
        assert step["count"] == len(lengths)
        assert step["seconds"] == pytest.approx(sum(lengths) / 1e6, rel=1e-10)
        assert step["share"] == pytest.approx(sum(lengths) / whole, rel=1e-10)
        median = lengths[(len(lengths) - 1) // 2]
        low, high = range_bounds(int(range_of(np.array([median]))[0]))
        assert step["median"] == pytest.approx((low + high) / 2e6)
    longest = max((s for s in data["activities"] if s["what"] != "work"), key=lambda s: s["seconds"])
    assert data["longest_wait"] == longest["activity"]


def test_starts_and_completions_tell_waiting_from_work(tmp_path: Path) -> None:
    rows = []
    for case in range(40):
        at = case * 10_000
        for activity, wait, work in (("ask", 0, 60), ("check", 3_000, 120), ("answer", 30, 0)):
            at += wait
            rows += [(f"k{case}", activity, "start", at), (f"k{case}", activity, "COMPLETE", at + work)]
            at += work
    frame = pd.DataFrame(rows, columns=["case_id", "activity", "lifecycle", "seconds"])
    frame["timestamp"] = pd.to_datetime(frame.pop("seconds"), unit="s")
    result = results_of(convert_table(frame, appdata=tmp_path), tmp_path, PLUGIN)[PLUGIN].decoded()
    found = {(s["what"], s["activity"]): (s["count"], s["seconds"]) for s in result.data["activities"]}
    assert found == {
        ("waiting", "check"): (40, 120_000.0), ("waiting", "answer"): (40, 1_200.0), ("work", "ask"): (40, 2_400.0),
        ("work", "check"): (40, 4_800.0), ("work", "answer"): (40, 0.0),
    }  # fmt: skip
    assert result.findings[0].sentence.startswith('Waiting before "check" takes 93.5 % of the time of all cases')


def test_any_split_and_any_chunks_give_the_same(tmp_path: Path) -> None:
    frame = timed_log(2)
    results = []
    for rows, chunks in ((0, 64), (25, 1)):
        dataset = convert_table(frame, appdata=tmp_path, chunk_rows=rows)
        results.append(results_of(dataset, tmp_path, PLUGIN, {"least_waits": 10}, Policy(partition_chunks=chunks)))
    first, *others = (r[PLUGIN].decoded() for r in results)
    assert first.n_tests >= 3
    for other in others:
        assert differences(first.data, other.data, exact=True) == ""
        assert [f.sentence for f in first.findings] == [f.sentence for f in other.findings]


def test_a_simulated_queue_shows_its_bottleneck(tmp_path: Path) -> None:
    """Three stations in a row; the second has one server at 90 % of its capacity, the others have plenty."""
    rng = np.random.default_rng(5)
    rows: list[tuple[str, str, float, float]] = []
    arrivals = np.cumsum(rng.exponential(600.0, 3000))
    ready = arrivals
    for station, (servers, mean) in {"sort": (3, 300.0), "inspect": (1, 540.0), "pack": (4, 600.0)}.items():
        free = [0.0] * servers
        done = np.empty_like(ready)
        for i in np.argsort(ready, kind="stable").tolist():
            start = max(heapq.heappop(free), ready[i])
            done[i] = start + rng.exponential(mean)
            heapq.heappush(free, done[i])
            rows.append((f"c{i}", station, start, done[i]))
        ready = done
    frame = pd.DataFrame(rows, columns=["case_id", "activity", "start_time", "end_time"])
    for name in ("start_time", "end_time"):
        frame[name] = pd.to_datetime((frame[name] * 1e6).astype("int64"), unit="us")
    found = results_of(convert_table(frame, appdata=tmp_path), tmp_path, PLUGIN)[PLUGIN].decoded()
    first = found.findings[0]
    assert (first.kind, first.evidence["activity"], first.evidence["what"]) == ("bottleneck", "inspect", "waiting")
    assert first.sentence.startswith('Waiting before "inspect" takes ')


@pytest.mark.parametrize("count", [18, pytest.param(TABLES, marks=pytest.mark.slow)])
def test_nothing_is_found_where_there_is_nothing(count: int) -> None:
    found = []
    for seed in range(count):
        columns, upstream = null_log(seed, KINDS[seed % 3])
        result = run_plugin(FOLDER, sorted_table(columns), upstream=upstream)
        assert result.n_tests > 30
        found += [seed] if any(f.log10_p is not None for f in result.findings) else []
    assert len(found) <= allowed(count), found


@pytest.mark.parametrize("seed", range(3))
def test_what_is_planted_in_such_logs_is_found(seed: int) -> None:
    columns, _ = null_log(seed, KINDS[seed])
    times = columns["at"].astype(np.int64).reshape(-1, 5)
    slow = np.array([p == "v1" for p in columns["priority"]]).reshape(-1, 5)[:, 0]
    steps = np.diff(times, axis=1)
    steps[slow] *= 2
    times[:, 1:] = times[:, :1] + np.cumsum(steps, axis=1)
    columns["at"] = times.ravel().astype("M8[us]")
    upstream = {"profile_eventlog": Result(profile_of(columns))}
    tested = [f for f in run_plugin(FOLDER, sorted_table(columns), upstream=upstream).findings if f.log10_p is not None]
    assert [(f.evidence["factor"], f.evidence["level"]) for f in tested] == [("priority", '"v1"')]
    assert tested[0].effect is not None
    assert tested[0].effect > 0.2
    for number in ("inside", "of", "delta", "low", "high"):
        value = tested[0].evidence[number]
        assert (f"{value:,}" if number in ("inside", "of") else f"{value:.2f}") in tested[0].sentence


def test_caps_at_one_still_count_everything() -> None:
    columns, upstream = null_log(1, "independent", 300)
    result = run_plugin(FOLDER, sorted_table(columns), upstream=upstream, budget=Budget(max_groups=1, max_cols=1))
    free = run_plugin(FOLDER, sorted_table(columns), upstream=upstream)
    assert sum(s["count"] for s in result.data["activities"]) == sum(s["count"] for s in free.data["activities"])
    assert sum(s["seconds"] for s in result.data["activities"]) == pytest.approx(
        sum(s["seconds"] for s in free.data["activities"])
    )


def test_the_sample_tables_bottleneck(tmp_path: Path) -> None:
    dataset, truth = sample_store()
    result = results_of(dataset, tmp_path, PLUGIN)[PLUGIN].decoded()
    waits = {s["activity"]: s for s in result.data["activities"] if s["what"] == "waiting"}
    for activity, wait in truth["credit_bottleneck"]["wait_before"].items():
        assert waits[activity]["count"] == wait["count"]
        assert waits[activity]["seconds"] / wait["count"] / 3600 == pytest.approx(wait["mean_hours"], rel=1e-9)
    assert result.findings[0].sentence.startswith('Waiting before "Check credit" takes ')
    tested = [f for f in result.findings if f.log10_p is not None]
    assert [(f.evidence["factor"], f.evidence["level"]) for f in tested] == [("priority", '"low"')]
    assert 'Waits before "Check credit" are longer where `priority` is "low"' in tested[0].sentence


def test_a_share_without_an_interval_is_drawn_without_one() -> None:
    """Of few cases the jackknife says nothing: zeros would be no interval of the share."""
    steps = (
        Steps("Pay", "up to", 1, 60.0, 0.5, (0.0, 0.0), 60.0, 60.0),
        Steps("Ask", "work", 9, 60.0, 0.5, (0.4, 0.6), 6.0, 9.0),
    )
    found = where_time_goes(list(steps))["entries"]
    assert [e["interval"] for e in found] == [None, [0.4, 0.6]]
    assert found[0]["note"].startswith("1 time, ")
