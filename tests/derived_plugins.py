"""Transforms that tests write, and a folder in which they run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tests.plugin_on_disk import plugin_on_disk
from toolkit.api import convert_table
from toolkit.engine.run_report import PluginSummary, RunReport
from toolkit.engine.runner import run_plugins
from toolkit.storage.appdata import AppData
from toolkit.storage.dataset import Dataset

ROWS = 500
DOUBLE = """
def run(ctx):
    columns = [keep("n"), make("twice", "float", of=["x"], how="times two"), keep("w")]
    with ctx.derive(columns) as out:
        for chunk in ctx.chunks(["x"]):
            out.append({"twice": (chunk["x"] * 2, chunk.valid("x"))})
    return Result({"columns": 3})
"""
BACKWARDS = """
import numpy as np
import pyarrow as pa
def run(ctx):
    xs = np.concatenate([c["n"] for c in ctx.chunks(["n"])])
    with ctx.derive([make("n", "int", of=["n"]), make("source_row", "int")], rows="reordered", chunk_rows=64) as out:
        for start in range(0, ctx.rows, 7):
            row = np.arange(ctx.rows - 1 - start, max(ctx.rows - 8 - start, -1), -1)
            out.append({"n": xs[row], "source_row": row})
    return Result()
"""
SUMS = """
def run(ctx):
    kernels = {c: ctx.kernel("moments", c)["mean"] for c in ctx.columns()}
    rows = [int(v) for c in ctx.chunks() for v in c[ctx.columns()[0]][:1]]
    found = [Finding("sum", [c], f"{c} has a mean.", f"Look at {c}.") for c in ctx.columns()]
    return Result({"mean": kernels, "first": rows, "rows": ctx.rows}, findings=found)
"""


def table() -> pa.Table:
    """Whole numbers, doubles and few words, some missing."""
    i = np.arange(ROWS)
    words = np.array(["red", "green", "blå"], object)[i % 3]
    x = np.random.default_rng(1).normal(size=ROWS)
    return pa.table({"n": i, "x": pa.array(x, mask=i % 7 == 3), "w": pa.array(words, pa.string(), mask=i % 9 == 2)})


class Place:
    """A folder with a store and plugins of a test's own."""

    def __init__(self, folder: Path) -> None:
        self.appdata = folder / "app"
        self.plugins = folder / "shipped"
        self.dataset: Dataset = convert_table(table(), appdata=self.appdata, chunk_rows=30)
        self.add("report_json", _REPORT)

    @property
    def data(self) -> AppData:
        return AppData(self.appdata)

    def add(self, plugin: str, code: str, **manifest: Any) -> Path:
        return plugin_on_disk(self.plugins, plugin, code, **manifest)

    def add_summing(self, plugin: str = "analysis_sums", **manifest: Any) -> None:
        self.add(plugin, SUMS, **{"columns": "numeric", "kernels": [{"kernel": "moments"}], **manifest})

    def run(self, **options: Any) -> RunReport:
        return run_plugins(self.dataset, appdata=self.appdata, **{"executor": "serial", "policy": "off", **options})


_REPORT = """
def run(ctx):
    return Result(files=ctx.render(ctx.report))
"""


def of(report: RunReport, plugin: str) -> PluginSummary:
    """How a plugin went."""
    return next(p for p in report.plugins if p.id == plugin)


def ended(report: RunReport) -> dict[str, str]:
    """How each plugin ended."""
    return {p.id: p.status for p in report.plugins}
