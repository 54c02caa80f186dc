"""Event logs with published or counted figures."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.null_tables import run_plugin
from toolkit.api import convert_table
from toolkit.engine.discovery import shipped_plugins

LOGS = {
    "receipt.csv.gz": (8_577, 1_434, 116, 27),
    "02_teleclaims.xes.gz": (46_138, 3_512, 12, 11),
    "03_repairExample.xes.gz": (11_855, 1_104, 77, 8),
    "06_bpic2013_closed.xes.gz": (6_660, 1_487, 183, 4),
    "helpdesk.xes.gz": (21_348, 4_580, 226, 14),
    "running-example.csv": (42, 6, 6, 8),
    "running-example.xes": (42, 6, 6, 8),
    "roadtraffic100traces.csv": (390, 100, 10, 10),
    "roadtraffic100traces.xes": (390, 100, 10, 10),
}
"""Events, cases, variants and activities."""


@pytest.mark.parametrize("name", LOGS)
def test_figures_of_public_logs(name: str, real_data: Path, tmp_path: Path) -> None:
    dataset = convert_table(real_data / "eventlogs" / name, appdata=tmp_path)
    data = run_plugin(shipped_plugins() / "profile_eventlog", dataset).data
    assert tuple(data[k] for k in ("events", "cases", "variants", "activities")) == LOGS[name]
    assert data["roles"]["case"] == "case:concept:name"
    assert data["roles"]["activity"] == "concept:name"
    assert data["roles"]["timestamp"] == "time:timestamp"
