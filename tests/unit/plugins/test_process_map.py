"""analysis_process_map: its graph and its short cuts against a dictionary, for any split."""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.event_logs import counted, random_log, results_of, traces_of
from tests.sample_store import sample_store
from toolkit.api import convert_table
from toolkit.engine.check.subject import differences
from toolkit.govern.policy import Policy
from toolkit.govern.rules import Origin, Rule
from toolkit.plugin import Result

PLUGIN = "analysis_process_map"


def result(columns: dict[str, Any], folder: Path, *, chunk_rows: int = 0, chunks: int = 64, **params: Any) -> Result:
    frame = pd.DataFrame({"case_id": columns["case"], "activity": columns["activity"], "timestamp": columns["at"]})
    dataset = convert_table(frame, appdata=folder, chunk_rows=chunk_rows)
    run = results_of(dataset, folder, PLUGIN, params, Policy(partition_chunks=chunks))[PLUGIN]
    assert run.status == "ok", run.reason
    return run.decoded()


@pytest.mark.parametrize(("seed", "kind"), [(0, "text"), (1, "text"), (2, "long")])
def test_the_graph_is_that_of_a_dictionary(seed: int, kind: str, tmp_path: Path) -> None:
    columns = random_log(seed, kind=kind)
    truth, data = counted(columns), result(columns, tmp_path).data
    assert {(e["from"], e["to"]): e["events"] for e in data["steps"]} == truth["follows"]
    assert {n["activity"]: n["first"] for n in data["activities"] if n["first"]} == truth["firsts"]
    assert {n["activity"]: n["last"] for n in data["activities"] if n["last"]} == truth["lasts"]
    assert (data["events"], data["cases"]) == (truth["events"], truth["cases"])
    traces = traces_of(columns).values()
    for edge in data["steps"]:
        pairs = [
            [q[0] - p[0] for p, q in itertools.pairwise(t) if (p[2], q[2]) == (edge["from"], edge["to"])]
            for t in traces
        ]
        took = [d for case in pairs for d in case]
        assert edge["cases"] == sum(map(bool, pairs))
        assert edge["mean_seconds"] == pytest.approx(sum(took) / len(took) / 1e6, rel=1e-12)


def test_any_split_and_any_chunks_give_the_same(tmp_path: Path) -> None:
    columns = random_log(3, 150)
    whole = result(columns, tmp_path, rare=0.5, usual=0.2)
    assert len(whole.findings) > 1
    for rows, chunks in ((25, 1), (60, 3)):
        other = result(columns, tmp_path, chunk_rows=rows, chunks=chunks, rare=0.5, usual=0.2)
        assert differences(whole.data, other.data, exact=True) == ""
        assert [f.sentence for f in whole.findings] == [f.sentence for f in other.findings]
        assert [f.evidence["rows"] for f in whole.findings[1:]] == [f.evidence["rows"] for f in other.findings[1:]]


def test_short_cuts_are_counted_by_case(tmp_path: Path) -> None:
    usual = ["a", "b", "c", "d"]
    cases = [usual] * 300 + [["a", "c", "d"]] * 7 + [["a", "c", "b", "c", "d"]] * 4
    columns: dict[str, Any] = {"case": [], "activity": [], "at": []}
    for number, steps in enumerate(cases):
        for i, step in enumerate(steps):
            columns["case"].append(f"k{number:04d}")
            columns["activity"].append(step)
            columns["at"].append(np.datetime64(number * 10**6 + i * 3600, "s"))
    columns["at"] = np.array(columns["at"], "M8[us]")
    (found,) = [f for f in result(columns, tmp_path).findings if f.kind == "skipped_activity"]
    assert found.sentence == (
        '7 cases skip "b": they go from "a" straight to "c", after 60 minutes on average; 300 cases go from "a" to '
        '"b" (2.3 % skip it).'
    )
    assert found.evidence["rows"] == [[1201 + 3 * i, 1201 + 3 * i] for i in range(7)]


def test_with_one_group_the_rest_is_one_node(tmp_path: Path) -> None:
    frame = pd.DataFrame(random_log(4)).rename(columns={"case": "case_id", "at": "timestamp"})
    dataset = convert_table(frame, appdata=tmp_path)
    rule = Rule("tight", None, (), (PLUGIN,), {"max_groups": 1, "max_pairs": 1}, {}, "file")
    rule.origins.update({cap: Origin("test", 1, "tight") for cap in rule.caps})
    tight = results_of(dataset, tmp_path, PLUGIN, None, Policy(rules=(rule,)))[PLUGIN].decoded()
    assert sum(n["events"] for n in tight.data["activities"]) == tight.data["events"]
    assert [n["activity"] for n in tight.data["activities"]][1:] or tight.data["activities"][0]["events"]
    assert {o["cap"] for o in tight.omitted} == {"max_groups", "max_pairs"}
    assert tight.coverage["complete"]


def test_the_sample_tables_skipped_approval(tmp_path: Path) -> None:
    dataset, truth = sample_store()
    found = results_of(dataset, tmp_path, PLUGIN)[PLUGIN].decoded().findings
    skipped = [f for f in found if f.evidence.get("activity") == "Approve"]
    assert [f.evidence["cases"] for f in skipped] == [truth["skipped_approval"]["orders"]]
    assert '"Approve": they go from "Check credit" straight to "Pick"' in skipped[0].sentence
    assert found[0].kind == "process_map"
    for text in ('begin with "Create order"', "Create order → Check credit → Approve → Pick → Pack → Ship"):
        assert text in found[0].sentence


def test_counts_of_events_are_those_of_pandas(tmp_path: Path) -> None:
    dataset, _ = sample_store()
    data = results_of(dataset, tmp_path, PLUGIN)[PLUGIN].decoded().data
    frame = dataset.to_pandas(["order_id", "activity", "started_at"])
    frame = frame.sort_values(["order_id", "started_at"], kind="stable")
    later = frame["order_id"].eq(frame["order_id"].shift())
    pairs = Counter(zip(frame["activity"].shift()[later], frame["activity"][later], strict=True))
    assert {(e["from"], e["to"]): e["events"] for e in data["steps"]} == pairs
