"""profile_eventlog: counts against a dictionary, roles with and without names, tables that are no event log."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.event_logs import STEPS, context_of, counted, log_table, random_log, traces_of
from tests.memory_store import memory_dataset, reader_of
from tests.null_tables import run_plugin
from tests.sample_store import sample_store
from toolkit.api import convert_table
from toolkit.core.errors import BadInputError, UsageError
from toolkit.engine.discovery import shipped_plugins
from toolkit.engine.manifest import load_manifest
from toolkit.engine.plan import make_plan
from toolkit.govern.policy import load_policy
from toolkit.plugin import Budget, Skip
from toolkit.plugin.eventlog import EventSorter

PLUGIN = shipped_plugins() / "profile_eventlog"
COUNTS = ("cases", "events", "variants", "activities", "tied_events", "repeated_events", "displaced_events")


@pytest.mark.parametrize("kind", ["text", "int", "long"])
@pytest.mark.parametrize("seed", range(4))
def test_counts_are_those_of_a_dictionary(kind: str, seed: int) -> None:
    columns = random_log(seed, kind=kind)
    truth, data = counted(columns), run_plugin(PLUGIN, log_table(columns)).data
    assert {k: data[k] for k in COUNTS} == {k: truth[k] for k in COUNTS}
    assert [v["cases"] for v in data["top_variants"]] == truth["top"][:20]
    assert dict(data["first_activities"]) == truth["firsts"]
    assert dict(data["last_activities"]) == truth["lasts"]
    times = [d / 1e6 for d in truth["durations"]]
    for text, (_, low, high) in data["durations"]["quantiles"].items():
        assert low <= times[max(int(np.ceil(float(text) * len(times) - 1e-9)), 1) - 1] <= high <= low * (1 + 1 / 128)
    assert data["durations"]["mean"] == pytest.approx(sum(times) / len(times), rel=1e-12)
    case = traces_of(columns)
    for variant in data["top_variants"]:
        first = next(t for t in case.values() if min(row for _, row, _ in t) == variant["first_row"])
        assert variant["activities"] == [a for _, _, a in first]


def test_a_case_named_na_is_a_case() -> None:
    columns = random_log(1, missing=False)
    traces = traces_of(columns)
    assert "NA" in traces
    without = {
        n: [v for v, c in zip(values, columns["case"], strict=True) if c != "NA"] for n, values in columns.items()
    }
    without["at"] = np.array(without["at"], "M8[us]")
    all_cases, fewer = (run_plugin(PLUGIN, log_table(c)).data["cases"] for c in (columns, without))
    assert (all_cases, fewer) == (len(traces), len(traces) - 1)


def test_results_do_not_depend_on_chunks() -> None:
    columns = random_log(5)
    results = [run_plugin(PLUGIN, log_table(columns, rows)).data for rows in (1, 7, 1000)]
    assert results[0] == results[1] == results[2]


@pytest.mark.parametrize("kind", ["text", "int", "long"])
def test_ranges_on_disk_give_the_order_of_a_stable_sort(kind: str, tmp_path: Path) -> None:
    columns = random_log(7, 200, kind)
    ctx = context_of(PLUGIN, log_table(columns, 50), tmp_path)
    sorter = EventSorter(ctx, "case", "at", range_rows=100)
    logs = list(sorter.events(["activity"]))
    assert len(logs) > 5
    assert list(tmp_path.iterdir()) == []
    complete = [
        i
        for i, (c, t) in enumerate(zip(columns["case"], columns["at"], strict=True))
        if c is not None and not np.isnat(t)
    ]
    order = sorted(
        complete,
        key=lambda i: (str(columns["case"][i]).encode() if kind != "int" else columns["case"][i], columns["at"][i], i),
    )
    assert [r for log in logs for r in log.columns.rows.tolist()] == order
    assert sum(log.cases for log in logs) == len({columns["case"][i] for i in complete})
    assert sorter.without_case + sorter.without_time == len(columns["case"]) - len(complete)


def test_a_value_of_most_rows_is_no_case_unless_declared() -> None:
    columns = random_log(0, 300, missing=False)
    spread = np.array([hash_free(c) for c in columns["case"]]) * 10**9
    named = {"u": columns["activity"], "v": columns["at"] + spread.astype("m8[us]"), "w": columns["case"]}
    table = memory_dataset(named, 512, encodings={"u": "coded", "w": "coded"})
    largest = max(Counter(columns["case"]).values())
    roles = {"case": "w", "activity": "u", "timestamp": "v"}
    assert run_plugin(PLUGIN, table, params={"largest_case": largest}).data["roles"] == roles
    with pytest.raises(Skip, match=f"with w as case and v as time, a case has {largest} events"):
        run_plugin(PLUGIN, table, params={"largest_case": largest - 1})
    assert run_plugin(PLUGIN, table, params={"largest_case": largest - 1, **roles}).data["roles"] == roles


def test_roles_are_found_without_names() -> None:
    for seed in range(5):
        columns = random_log(seed, 300, missing=False)
        rng = np.random.default_rng(seed)
        noise = {
            "q": [f"w{v}" for v in rng.integers(0, 9, len(columns["case"]))],
            "r": rng.integers(0, 50, len(columns["case"])),
        }
        named = {"q": noise["q"], "u": columns["activity"], "r": noise["r"], "v": columns["at"], "w": columns["case"]}
        # Half a minute of 300 cases is too dense for cases to be short beside it.
        named["v"] = named["v"] + (np.array([hash_free(c) for c in columns["case"]]) * 10**9).astype("m8[us]")
        data = run_plugin(PLUGIN, memory_dataset(named, 512, encodings={"u": "coded", "q": "coded", "w": "coded"})).data
        assert data["roles"] == {"case": "w", "activity": "u", "timestamp": "v"}
        assert data["how"]["case"]["how"] == "by its values"


def hash_free(case: str) -> int:
    """A number for a case that differs from that of others."""
    return sum(ord(c) * 31**i for i, c in enumerate(case)) % 1009


def sensors() -> dict[str, Any]:
    rng = np.random.default_rng(2)
    hours = np.repeat(np.arange(200), 30)
    return {
        "sensor_id": [f"s{i % 30}" for i in range(6000)],
        "status": [("ok", "ok", "ok", "warm", "off")[i] for i in rng.integers(0, 5, 6000)],
        "timestamp": (hours * 3600).astype("M8[s]"),
    }


def purchases() -> dict[str, Any]:
    rng = np.random.default_rng(3)
    return {
        "customer_id": rng.integers(0, 900, 6000).astype(np.int32),
        "category": [f"c{i}" for i in rng.integers(0, 12, 6000)],
        "bought_at": np.sort(rng.integers(0, 10**8, 6000)).astype("M8[s]"),
    }


@pytest.mark.parametrize("table", [sensors, purchases])
def test_tables_that_are_no_event_log_are_skipped(table: Any) -> None:
    with pytest.raises(Skip, match="no event log was found") as skip:
        run_plugin(PLUGIN, memory_dataset(table(), 1000))
    assert "roles: {case:" in skip.value.recommendation
    assert "role: case" in skip.value.recommendation


def test_without_times_it_says_what_is_missing() -> None:
    with pytest.raises(Skip, match="no column holds times"):
        run_plugin(PLUGIN, memory_dataset({"a": ["x", "y"] * 40, "b": ["u", "v", "u", "u"] * 20}))


def test_what_a_person_declares_wins() -> None:
    columns = random_log(2, missing=False)
    columns["other"] = columns["activity"][::-1]
    specs = {"other": {"role": "activity"}, "case": {"role": "case"}}
    dataset = memory_dataset(
        columns, 100, encodings={"other": "coded", "activity": "coded", "case": "coded"}, specs=specs
    )
    data = run_plugin(PLUGIN, dataset).data
    assert data["roles"]["activity"] == "other"
    assert data["how"]["activity"]["how"] == "declared in the types file"
    data = run_plugin(PLUGIN, dataset, params={"activity": "activity"}).data
    assert data["roles"]["activity"] == "activity"
    assert data["how"]["activity"]["how"] == "declared in the policy"
    with pytest.raises(UsageError, match="that there is not"):
        run_plugin(PLUGIN, dataset, params={"case": "absent"})
    with pytest.raises(Skip, match="was given the role activity, and is timestamp"):
        run_plugin(PLUGIN, dataset, params={"activity": "at"})


def test_roles_of_the_policy_reach_the_plugin(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("roles: {case: case, activity: activity, timestamp: at}\n")
    manifest = load_manifest(PLUGIN)
    plan = make_plan(log_table(random_log(1)), {manifest.id: manifest}, [], load_policy(str(path)))
    params = plan.plugins[0].params
    assert (params["case"], params["activity"], params["timestamp"], params["end"]) == ("case", "activity", "at", "")
    path.write_text("roles: {kase: case}\n")
    with pytest.raises(BadInputError, match="kase"):
        load_policy(str(path))


def test_roles_of_a_types_file_reach_the_plugin(tmp_path: Path) -> None:
    source = tmp_path / "log.csv"
    rows = [f"{i // 6},{STEPS[i % 6]},2024-01-0{1 + i % 6} 10:00:0{i // 6 % 10}" for i in range(240)]
    source.write_text("\n".join(["a,b,c", *rows]) + "\n")
    types = {"a": {"role": "case"}, "b": {"role": "activity"}, "c": {"role": "timestamp"}}
    data = run_plugin(PLUGIN, convert_table(source, appdata=tmp_path, types=types)).data
    assert (data["roles"], data["cases"], data["variants"]) == ({"case": "a", "activity": "b", "timestamp": "c"}, 40, 1)


def test_every_row_is_read_and_the_last_one_counts() -> None:
    columns = random_log(6, missing=False)
    dataset = log_table(columns, 16)
    before = run_plugin(PLUGIN, dataset).data
    read = {chunk for name, chunk in reader_of(dataset).reads if name == "activity"}
    assert read == set(range(dataset.grid.n_chunks))
    columns["activity"][-1] = "something else"
    assert run_plugin(PLUGIN, log_table(columns, 16)).data["activities"] == before["activities"] + 1


def test_caps_change_no_count() -> None:
    dataset = log_table(random_log(8))
    free, tight = (
        run_plugin(PLUGIN, dataset).data,
        run_plugin(PLUGIN, dataset, budget=Budget(max_groups=1, max_pairs=1)).data,
    )
    assert {k: free[k] for k in COUNTS} == {k: tight[k] for k in COUNTS}
    assert len(tight["events_by_activity"]) == 1


def test_the_sample_table_is_an_event_log() -> None:
    dataset, _ = sample_store()
    result = run_plugin(PLUGIN, dataset)
    roles = {
        "case": "order_id",
        "activity": "activity",
        "timestamp": "started_at",
        "end": "finished_at",
        "resource": "resource",
    }
    assert result.data["roles"] == roles
    frame = dataset.to_pandas(["order_id", "activity", "started_at"]).sort_values(
        ["order_id", "started_at"], kind="stable"
    )
    traces = frame.groupby("order_id", sort=False)["activity"].agg(tuple)
    assert (result.data["cases"], result.data["variants"]) == (len(traces), traces.nunique())
    assert result.data["repeated_events"] == 100
    sentence = result.findings[0].sentence
    assert sentence.startswith("`order_id` behaves as a case (")
    assert "`activity` as activity (15 values), `started_at` as timestamp, `finished_at` as end" in sentence


@pytest.mark.parametrize("rows", [1, 2])
def test_tiny_logs(rows: int) -> None:
    columns = {"case_id": ["a"] * rows, "activity": ["x"] * rows, "timestamp": np.arange(rows).astype("M8[s]")}
    dataset = memory_dataset(columns, encodings={"case_id": "coded", "activity": "coded"})
    data = run_plugin(PLUGIN, dataset).data
    assert (data["cases"], data["events"], data["variants"]) == (1, rows, 1)


def test_a_log_too_short_to_be_coded() -> None:
    columns = {
        "case_id": ["NA", "NA", "7", "x"],
        "activity": ["a", "b", "a", "c"],
        "time": np.arange(4).astype("M8[s]"),
    }
    dataset = memory_dataset(columns, 2, encodings={"case_id": "long", "activity": "long"})
    data = run_plugin(PLUGIN, dataset).data
    assert (data["cases"], data["events"], data["variants"], data["activities"]) == (3, 4, 3, 3)
    assert data["events_by_activity"] == [["a", 2], ["b", 1], ["c", 1]]
