"""How each plugin gets at the rows: found in its code, and confirmed by a run that records what was read."""

from __future__ import annotations

import ast
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from toolkit.core.canonical import pretty_json
from toolkit.engine.check.subject import Subject
from toolkit.engine.manifest import Manifest
from toolkit.engine.plugin_run import PluginRun
from toolkit.govern.policy import DEFAULT, load_policy
from toolkit.storage.appdata import AppData
from toolkit.storage.dataset import Dataset, open_location

ASSUMED_ROWS = 2_000_000
"""Rows that the recorded run's budgets are for, though its table is small."""
PATTERNS = ("full load", "batches", "chunks", "kernels")
"""Ways to get at the rows, in the order in which they are listed; a plugin without any has ``none``."""
STATUSES = ("not_started", "in_progress", "streaming_ok")

_ROWS, _CHUNK_ROWS, _SEED = 1200, 250, 20260101
_SPLIT = frozenset({"Reducer", "RepeatScan", "CaseReducer"})
"""Classes of the plugin API that are handed every chunk."""
_SERIES = "read_series"
"""Its function that reads a table of bins, chunk by chunk."""

_CALLS = {
    "dataset_loader": "full load", "dataset_iter_batches": "batches", "chunks": "chunks", "kernel": "kernels",
    "kernel_columns": "kernels",
}  # fmt: skip


def access_matrix(manifests: Mapping[str, Manifest], work: Path | None = None) -> dict[str, Any]:
    """The access pattern and the status of every plugin.

    Parameters
    ----------
    manifests : mapping of str to Manifest
        The plugins.
    work : Path, optional
        Folder for the small table; a temporary one by default.

    Returns
    -------
    dict
        ``table``, ``policy``, ``assumed_rows`` and ``plugins``; the same on every machine.
    """
    if work is None:
        with tempfile.TemporaryDirectory(prefix="toolkit-access-") as folder:
            return access_matrix(manifests, Path(folder))
    dataset = recorded_table(work)
    table = {"rows": dataset.rows, "columns": len(dataset.schema), "chunks": dataset.grid.n_chunks}
    plugins = [_plugin(manifest, manifests, dataset, work) for _, manifest in sorted(manifests.items())]
    return {"table": table, "policy": DEFAULT, "assumed_rows": ASSUMED_ROWS, "plugins": plugins}


def recorded_table(work: Path, rows: int = _ROWS, seed: int = _SEED, chunk_rows: int = _CHUNK_ROWS) -> Dataset:
    """A small order-to-delivery table with every sort of column, in several chunks; always the same."""
    from toolkit.ingest.settings import content_settings
    from toolkit.ingest.sources import name_files
    from toolkit.ingest.table import convert_file
    from toolkit.samples.table import write_csv

    source = work / "orders.csv"
    write_csv(source, rows, seed)
    settings = content_settings(chunk_rows=chunk_rows)
    found = convert_file(name_files(source), AppData(work), settings, workers=1)
    return open_location(Path(found["path"]))


def patterns_in(sources: Iterable[str]) -> set[str]:
    """Ways to get at the rows that occur in the source of a plugin's modules.

    Examples
    --------
    >>> sorted(patterns_in(["rows = ctx.dataset_loader()", "for chunk in ctx.chunks(): pass"]))
    ['chunks', 'full load']
    """
    nodes = (node for text in sources for node in ast.walk(ast.parse(text)))
    return {_pattern(node) for node in nodes} - {""}


def _pattern(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return _CALLS.get(node.attr, "")
    if isinstance(node, ast.Name):
        return "chunks" if node.id == _SERIES else ""
    if isinstance(node, ast.Constant) and str(node.value).startswith(
        "dataset_"
    ):  # as in getattr(ctx, "dataset_loader")
        return _CALLS.get(str(node.value), "")
    bases = {ast.unparse(b).rpartition(".")[2] for b in node.bases} if isinstance(node, ast.ClassDef) else set()
    if bases & _SPLIT:
        return "chunks"
    return ""


def _plugin(manifest: Manifest, others: Mapping[str, Manifest], dataset: Dataset, work: Path) -> dict[str, Any]:
    sources = [path.read_text("utf-8") for path in sorted(manifest.folder.rglob("*.py"))]
    found = patterns_in(sources) | ({"kernels"} if manifest.kernels else set())
    run = Subject(manifest, others, work).run(dataset, load_policy(DEFAULT), assume_rows=ASSUMED_ROWS)
    recorded = _recorded(run)
    status, why = _status(found, run, recorded)
    return {
        "id": manifest.id,
        "type": manifest.type,
        "access": [p for p in PATTERNS if p in found] or ["none"],
        "kernels": sorted({need.kernel for need in manifest.kernels}),
        "passes": manifest.passes if "chunks" in found or "batches" in found else 0,
        "recorded": recorded,
        "status": status,
        "why": why,
    }


def _recorded(run: PluginRun) -> dict[str, Any]:
    coverage = run.decoded().coverage
    return {
        "status": run.status,
        "rows": coverage.get("rows", 0),
        "columns": coverage.get("columns", 0),
        "chunks": coverage.get("chunks", 0),
        "complete": coverage.get("complete"),
        "full_loads": coverage.get("full_loads", 0),
    }


def _status(found: set[str], run: PluginRun, recorded: Mapping[str, Any]) -> tuple[str, str]:
    if "full load" in found:
        why = "its code calls ctx.dataset_loader()"
        return ("not_started", why) if found == {"full load"} else ("in_progress", f"{why} besides streaming")
    missing = ""
    if run.status != "ok":
        missing = f"the recorded run ended as {run.status.replace('_', ' ')}: {run.reason}"
    elif recorded["full_loads"]:
        missing = "the recorded run loaded the table whole"
    elif recorded["chunks"] and not found:
        missing = "the recorded run read rows by a way that its code does not show"
    elif recorded["complete"] is False:
        missing = "the recorded run did not read every row of the columns that it took"
    return ("in_progress", missing) if missing else ("streaming_ok", "")


def matrix_json(matrix: Mapping[str, Any]) -> bytes:
    """The matrix as docs/plugin_data_access_matrix.json has it."""
    return pretty_json(matrix).encode()


def matrix_markdown(matrix: Mapping[str, Any]) -> bytes:
    """The matrix as docs/plugin_data_access_matrix.md has it."""
    plugins = matrix["plugins"]
    counts = ", ".join(f"{s} {sum(p['status'] == s for p in plugins)}" for s in STATUSES)
    head = _HEAD.format(**matrix["table"], policy=matrix["policy"], assumed=matrix["assumed_rows"], counts=counts)
    return (head + "".join(map(_row, plugins)) + _FOOT).encode()


def _row(plugin: Mapping[str, Any]) -> str:
    recorded = plugin["recorded"]
    read = f"{recorded['columns']} columns, {recorded['chunks']} chunks" if recorded["chunks"] else "nothing"
    cells = [
        f"`{plugin['id']}`", ", ".join(plugin["access"]), ", ".join(plugin["kernels"]) or "-", plugin["passes"], read,
        recorded["full_loads"], f"{plugin['status']}: {_cell(plugin['why'])}" if plugin["why"] else plugin["status"],
    ]  # fmt: skip
    return f"| {' | '.join(map(str, cells))} |\n"


_HEAD = """\
# How plugins get at the rows

Written by `scripts/plugin_data_access_matrix.py`; do not edit. The access pattern is read off each plugin's code and
manifest, and confirmed by a run that records which chunks were read and whether anything was loaded whole: on
{rows:,} rows, {columns} columns and {chunks} chunks, with the budgets that `policies/{policy}.yaml` has for {assumed:,}
rows.

{counts}.

| plugin | access | kernels | passes of its own | recorded | full loads | status |
| :-- | :-- | :-- | --: | :-- | --: | :-- |
"""
_FOOT = """
`streaming_ok`: the code loads nothing whole, and the recorded run ended well and read every row of what it took.
`in_progress`: it streams, and something of that is missing. `not_started`: it only loads. `kernels` are scanned once
for all plugins; `none` is a plugin that works on other plugins' results.
"""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def stale_files(matrix: Mapping[str, Any], folder: Path) -> list[Path]:
    """Files in a folder that are not what the matrix says."""
    return [path for path, content in matrix_files(matrix, folder).items() if _content(path) != content]


def matrix_files(matrix: Mapping[str, Any], folder: Path) -> dict[Path, bytes]:
    """What belongs into a folder, by path."""
    name = "plugin_data_access_matrix"
    return {folder / f"{name}.md": matrix_markdown(matrix), folder / f"{name}.json": matrix_json(matrix)}


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
