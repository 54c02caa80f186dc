"""transform_sort_eventlog: its table is a stable sort of the whole one, in chunks of whole cases."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.event_logs import random_log, results_of
from tests.memory_store import block_of, memory_dataset
from tests.plugin_on_disk import plugin_on_disk
from tests.sample_store import sample_store
from toolkit.api import convert_table, run_plugins
from toolkit.plugin.eventlog import case_runs, sorting
from toolkit.plugin.eventlog.case_keys import case_places
from toolkit.storage.appdata import AppData
from toolkit.storage.dataset import Dataset, open_location

PLUGIN = "transform_sort_eventlog"


def every_kind(seed: int, kind: str, cases: int = 80) -> pd.DataFrame:
    """A random log beside columns of every kind, some values missing."""
    columns = random_log(seed, cases, kind)
    i = np.arange(len(columns["case"]))
    frame = pd.DataFrame({"case_id": columns["case"], "activity": columns["activity"], "timestamp": columns["at"]})
    frame["number"] = pd.array(np.where(i % 7 == 3, None, i * 3), "Int64")
    frame["real"] = np.where(i % 5 == 1, np.nan, np.sin(i))
    frame["flag"] = i % 3 == 0
    frame["day"] = pd.to_datetime("2024-01-01") + pd.to_timedelta(i % 40, "D")
    frame["note"] = [None if k % 11 == 2 else f"note {k} ü{'x' * (k % 9)}" for k in i]
    return frame.astype({"case_id": "Int64" if kind == "int" else object})


def derived(dataset: Dataset, folder: Path, **params: Any) -> Dataset:
    run = results_of(dataset, folder, PLUGIN, params)[PLUGIN]
    assert run.status == "ok", run.reason
    return open_location(AppData(folder).store_path(run.decoded().derived["key"]))


@pytest.mark.parametrize("kind", ["text", "int", "long"])
@pytest.mark.parametrize("ranges", [0, 60])
def test_it_is_a_stable_sort(kind: str, ranges: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if ranges:
        monkeypatch.setattr(sorting, "RANGE_ROWS", ranges)
    frame = every_kind(3, kind)
    found = derived(convert_table(frame, appdata=tmp_path, chunk_rows=70), tmp_path, columns="all").to_pandas()
    frame["source_row"] = np.arange(len(frame))
    events = frame.dropna(subset=["case_id", "activity", "timestamp"])
    truth = events.sort_values(["case_id", "timestamp"], kind="stable").reset_index(drop=True)
    assert list(found) == list(truth)
    for name in truth:
        left, right = found[name].astype(object), truth[name].astype(object)
        assert left.isna().equals(right.isna()), name
        assert left.dropna().tolist() == right.dropna().tolist(), name


def test_chunks_hold_whole_cases(tmp_path: Path) -> None:
    dataset = convert_table(every_kind(4, "text"), appdata=tmp_path, chunk_rows=40)
    code = """
    def run(ctx):
        for chunk in ctx.chunks(ctx.schema.names):
            [chunk.data(name) for name in chunk.columns]
        return Result({"cases": [c.codes("case_id").tolist() for c in ctx.chunks(["case_id"])]})
    """
    plugin_on_disk(tmp_path / "mine", "analysis_spans", code, table=PLUGIN)
    runs = results_of(dataset, tmp_path, "analysis_spans", folders=(tmp_path / "mine",))
    chunks = runs["analysis_spans"].decoded().data["cases"]
    assert len(chunks) > 5
    assert all(len(c) <= 40 or len(set(c)) == 1 for c in chunks)
    assert sum(len(set(c)) for c in chunks) == len({code for c in chunks for code in c})
    # Each chunk is as full as whole cases allow.
    sizes = [[c.count(code) for code in dict.fromkeys(c)] for c in chunks]
    assert all(sum(a) + b[0] > 40 for a, b in pairwise(sizes))


def test_shuffled_rows_give_the_same_table(tmp_path: Path) -> None:
    frame = every_kind(5, "text").drop_duplicates(["case_id", "timestamp"])
    keys = []
    for seed in (0, 1):
        shuffled = frame.sample(frac=1, random_state=seed).reset_index(drop=True)
        dataset = convert_table(shuffled, appdata=tmp_path, chunk_rows=33 + seed)
        found = derived(dataset, tmp_path)
        keys.append([found.manifest.column_hashes[n] for n in ("case_id", "activity", "timestamp", "number", "real")])
    assert keys[0] == keys[1]


def test_the_table_is_the_same_for_any_workers_and_chunks(tmp_path: Path) -> None:
    frame = every_kind(6, "long")
    keys = set()
    for number, (rows, workers) in enumerate([(30, 0), (500, 0), (30, 2)]):
        folder = tmp_path / str(number)
        dataset = convert_table(frame, appdata=folder, chunk_rows=rows)
        if workers:
            run = run_plugins(dataset, appdata=folder, plugins=[PLUGIN], executor="process", workers=workers)
            keys.add(run.report["derived"][0]["key"])
        else:
            keys.add(derived(dataset, folder).key)
    assert len(keys) == 1


def test_columns_are_chosen_and_told(tmp_path: Path) -> None:
    dataset = convert_table(every_kind(7, "text"), appdata=tmp_path)
    result = results_of(dataset, tmp_path, PLUGIN)[PLUGIN].decoded()
    assert "note" not in result.data["columns"]
    assert [(o["left_out"], o["restore"]) for o in result.omitted] == [(["note"], "columns: all")]
    names = derived(dataset, tmp_path, columns="roles").schema.names
    assert names == ["case_id", "activity", "timestamp", "source_row"]


def test_it_is_skipped_where_there_is_no_event_log(tmp_path: Path) -> None:
    runs = results_of(convert_table(pd.DataFrame({"x": np.arange(50)}), appdata=tmp_path), tmp_path, PLUGIN)
    assert runs[PLUGIN].status == runs["profile_eventlog"].status == "skipped"
    assert "no event log was found" in runs["profile_eventlog"].reason


def test_the_sample_table(tmp_path: Path) -> None:
    dataset, _ = sample_store()
    found = derived(dataset, tmp_path)
    names = ["order_id", "started_at", "source_row", "activity", "amount"]
    truth = dataset.to_pandas(["order_id", "started_at", "activity", "amount"])
    truth.insert(2, "source_row", truth.index)
    truth = truth.sort_values(["order_id", "started_at"], kind="stable").reset_index(drop=True)
    pd.testing.assert_frame_equal(found.to_pandas(names).astype(object), truth[names].astype(object))


def test_case_places_follow_the_bytes_of_long_text() -> None:
    words = ["b", "", "a", "a\0", "é", "b", "a" * 40, "a" * 39 + "b"]
    block = block_of(memory_dataset({"t": words}, encodings={"t": "long"}), "t")
    order = sorted(set(words), key=lambda w: w.encode())
    assert case_places(block).tolist() == [order.index(w) for w in words]
    assert case_runs(np.sort(case_places(block))).size == len(order) + 1
