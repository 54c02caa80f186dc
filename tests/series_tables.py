"""Tables as series in this process: what `transform_binned_series` derives, and plugins that run on it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tests.memory_store import memory_dataset
from tests.null_tables import assert_ready_for_control, run_plugin
from toolkit.core.derived import part_name
from toolkit.core.encoding import decode
from toolkit.engine.discovery import shipped_plugins
from toolkit.engine.manifest import load_manifest
from toolkit.engine.plan import requests_of
from toolkit.kernels.waves import compute
from toolkit.plugin import Budget, Context, Inputs, Result
from toolkit.plugin.context import kernel_key
from toolkit.plugin.series import TRANSFORM
from toolkit.plugin.source import Source
from toolkit.storage.dataset import Dataset
from toolkit.task.code import loaded_plugin
from toolkit.task.plugin_task import make_reducer, reduce_whole

FOLDER = shipped_plugins() / TRANSFORM
SERIES_CAPS = Budget(max_windows=65_536)
"""As the transform's manifest has them."""


def binned(
    dataset: Dataset, params: Mapping[str, Any] | None = None, budget: Budget = SERIES_CAPS
) -> tuple[Dataset, Result, Context]:
    """The derived table, in memory, with the transform's result and its context.

    Raises
    ------
    Skip
        When there is nothing to derive.
    """
    profile = run_plugin(shipped_plugins() / "profile_basic", dataset)
    with tempfile.TemporaryDirectory() as folder:
        ctx, result = _run(FOLDER, dataset, params, budget, {"profile_basic": profile}, Path(folder))
        assert ctx.derived is not None
        assert ctx.derived.complete
        declared = ctx.derived.declaration
        parts = [decode(Path(folder, part_name(i)).read_bytes())["columns"] for i in range(declared.parts)]
    columns, specs = {}, {}
    for i, column in enumerate(declared.columns):
        values = np.concatenate([p[i]["values"] for p in parts])
        if column.kind == "int" and values.min() >= 0:
            values = values.astype(np.uint32)  # narrow, as a store holds them
        valid = [np.ones(len(p[i]["values"]), bool) if p[i]["valid"] is None else p[i]["valid"] for p in parts]
        columns[column.name] = np.ma.array(values, mask=~np.concatenate(valid))
        specs[column.name] = {"kind": column.kind, "unit": column.unit, "timezone": column.timezone}
    return memory_dataset(columns, 16_384, specs=specs), result, ctx


def run_on_series(
    folder: Path,
    dataset: Dataset,
    params: Mapping[str, Any] | None = None,
    budget: Budget | None = None,
) -> Result:
    """Run a plugin on the series of a table; what it found must be ready for the control of false discoveries."""
    derived, told, _ = binned(dataset)
    manifest = load_manifest(folder)
    _, found = _run(folder, derived, params, budget or Budget(), {TRANSFORM: told}, None, dataset)
    assert_ready_for_control(manifest, {**manifest.param_defaults, **(params or {})}, found)
    return found


def _run(
    folder: Path,
    dataset: Dataset,
    params: Mapping[str, Any] | None,
    budget: Budget,
    upstream: Mapping[str, Result],
    scratch: Path | None,
    parent: Dataset | None = None,
) -> tuple[Context, Result]:
    manifest = load_manifest(folder)
    asked = [r for need in manifest.kernels for r in requests_of(need, manifest, dataset.schema, budget)[0]]
    results = compute(dataset, asked)
    inputs = Inputs(
        plugin=manifest.id,
        selectors=manifest.columns,
        params={**manifest.param_defaults, **(params or {})},
        budget=budget,
        kernels={kernel_key(r.kernel, r.columns, r.params): results[r.key] for r in asked},
        upstream=dict(upstream),
        scratch=scratch,
        source=None if parent is None else Source(parent),
    )
    with loaded_plugin(manifest.id, folder, "") as module:
        ctx, reducer = Context(dataset, inputs), make_reducer(module)
        if reducer is None:
            return ctx, module.run(ctx)
        reducer.ctx = ctx
        return ctx, reduce_whole(reducer)


def series_inputs(told: Result, **fields: Any) -> Inputs:
    """What a plugin on the derived table is given."""
    return replace(Inputs("analysis_any", ("numeric",), {}, upstream={TRANSFORM: told}), **fields)
