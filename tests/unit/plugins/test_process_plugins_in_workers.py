"""The process plugins by themselves on a log in any order: the same report from one process, and from several."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import toolkit
from tests.event_logs import random_log

PLUGINS = (
    "analysis_process_map",
    "analysis_process_bottlenecks",
    "analysis_sequential_patterns_prefixspan",
)
POLICY = "extends: off\npartition_chunks: 1\n"


@pytest.mark.slow
@pytest.mark.parametrize("plugin", PLUGINS)
@pytest.mark.parametrize("kind", ["text", "long"])
def test_workers_change_nothing(plugin: str, kind: str, tmp_path: Path) -> None:
    """Rows are shuffled, so that cases lie across all chunks, and each chunk is a part of its own."""
    log = random_log(5, cases=200, kind=kind)
    source = tmp_path / "log.csv"
    frame = pd.DataFrame({"case": log["case"], "activity": log["activity"], "at": log["at"]})
    frame["at"] = pd.to_datetime(frame["at"], unit="s")
    frame.to_csv(source, index=False)
    store = toolkit.convert_table(source, appdata=tmp_path / "stores", chunk_rows=300)
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    found: dict[str, bytes] = {}
    for executor, workers in (("serial", 1), ("process", 1), ("process", 2), ("process", 3)):
        appdata = tmp_path / f"{executor}{workers}"
        run = toolkit.run_plugins(
            store, appdata=appdata, plugins=[plugin], executor=executor, workers=workers, policy=policy, cache=False
        )
        status = {p.id: (p.status, p.reason) for p in run.plugins}
        assert status[plugin] == ("ok", ""), status
        found[f"{executor} {workers}"] = run.files["report.json"].read_bytes()
    assert len(set(found.values())) == 1, {name: len(report) for name, report in found.items()}
    assert any(f["plugin"] == plugin for f in toolkit.run_plugins(
        store, appdata=tmp_path / "serial1", plugins=[plugin], executor="serial", policy=policy
    ).report["findings"])  # fmt: skip
