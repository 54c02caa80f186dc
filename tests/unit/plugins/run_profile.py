"""Runs profile_basic in this process on columns in memory, through the kernels and the context that a run uses."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.memory_store import Values, memory_dataset
from toolkit.core.encoding import decode, encode
from toolkit.engine.manifest import load_manifest
from toolkit.engine.plan import requests_of
from toolkit.kernels.waves import compute
from toolkit.plugin import Budget, Context, Finding, Inputs, Result
from toolkit.plugin.inputs import kernel_key
from toolkit.storage.dataset import Dataset
from toolkit.task.code import loaded_plugin

FOLDER = Path(__file__).resolve().parents[3] / "plugins" / "profile_basic"


def run_profile(
    columns: Mapping[str, Values] | Dataset, chunk_rows: int = 262_144, *, budget: Budget | None = None, **params: Any
) -> tuple[Result, Context]:
    """Profile a table.

    Parameters
    ----------
    columns : mapping or Dataset
        Columns as `tests.memory_store.memory_dataset` takes them, or a table.
    chunk_rows : int
        Rows of a chunk.
    budget : Budget, optional
        Caps; none by default.
    **params
        Parameters of the plugin that differ from their defaults.
    """
    dataset = columns if isinstance(columns, Dataset) else memory_dataset(columns, chunk_rows)
    manifest = load_manifest(FOLDER)
    caps = budget or Budget()
    asked = [(n, r) for n in manifest.kernels for r in requests_of(n, manifest, dataset.schema, caps)[0]]
    answers = compute(dataset, [request for _, request in asked])
    # Through their bytes, as between processes.
    kernels = {kernel_key(n.kernel, r.columns, n.params): decode(encode(answers[r.key])) for n, r in asked}
    inputs = Inputs(manifest.id, manifest.columns, manifest.param_defaults | params, caps, dict(kernels))
    ctx = Context(dataset, inputs)
    with loaded_plugin(manifest.id, FOLDER, "") as module:
        result: Result = module.run(ctx)
    return result, ctx


def findings_of(columns: Mapping[str, Values], chunk_rows: int = 262_144, **params: Any) -> list[Finding]:
    """Findings on a table."""
    return run_profile(columns, chunk_rows, **params)[0].findings


def column_of(values: Values, chunk_rows: int = 262_144, **options: Any) -> dict[str, Any]:
    """What the report says of a table's one column, named x."""
    dataset = memory_dataset({"x": values}, chunk_rows, **options)
    entry: dict[str, Any] = run_profile(dataset)[0].data["columns"][0]
    return entry
