from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.memory_store import memory_dataset
from tests.unit.report.sample_report import COLUMNS, DATASET, outcomes
from toolkit.plugin import Context, Inputs, Result, UsageError
from toolkit.report.model import build_report
from toolkit.report.renderer import renderers
from toolkit.task.code import loaded_plugin

FOLDER = Path(__file__).resolve().parents[3] / "plugins" / "report_bundle"


def _bundle(report: dict | None) -> Result:
    ctx = Context(memory_dataset({"x": np.arange(3)}), Inputs("report_bundle", report=report))
    with loaded_plugin("report_bundle", FOLDER, "") as module:
        result: Result = module.run(ctx)
    return result


def test_it_writes_a_file_for_every_renderer() -> None:
    report = build_report(DATASET, COLUMNS, outcomes())
    result = _bundle(report)
    assert set(result.files) == {r.filename for r in renderers.all().values()} >= {"report.json", "report.md"}
    assert result.data == {"files": sorted(result.files)}
    assert json.loads(result.files["report.json"]) == report
    assert result.files == _bundle(report).files


def test_it_needs_a_report() -> None:
    with pytest.raises(UsageError, match="report"):
        _bundle(None)
