"""All plugins together on one table in this process, up to the report of the run."""

from __future__ import annotations

import functools
from typing import Any

from toolkit.engine.discovery import below, shipped_plugins
from toolkit.engine.manifest import Manifest, load_manifest
from toolkit.engine.plan import requests_of
from toolkit.govern.discovery import DEFAULT_CONTROL, DiscoveryControl
from toolkit.kernels.waves import compute
from toolkit.plugin import Budget, Context, Inputs, Result, Skip
from toolkit.plugin.context import kernel_key
from toolkit.report.model import build_report
from toolkit.storage.dataset import Dataset
from toolkit.task.code import loaded_plugin
from toolkit.task.packaging import checked_result
from toolkit.task.plugin_task import make_reducer, reduce_whole

DATASET = {"key": "ab" * 16, "data_hash": "cd" * 32, "schema_hash": "ef" * 32}


@functools.cache
def tested_plugins() -> tuple[Manifest, ...]:
    """Plugins that look at the run's own table, each after those that it depends on."""
    found = {folder.name: load_manifest(folder) for folder in below(shipped_plugins())}
    wanted = {name: m for name, m in found.items() if m.type in ("profile", "analysis") and not m.table}
    ordered: dict[str, Manifest] = {}
    while len(ordered) < len(wanted):
        ready = [name for name, m in wanted.items() if name not in ordered and set(m.needs) <= set(ordered)]
        assert ready, "plugins depend on each other in a ring"
        ordered |= {name: wanted[name] for name in ready}
    return tuple(ordered.values())


def report_of_run(dataset: Dataset, control: DiscoveryControl = DEFAULT_CONTROL) -> dict[str, Any]:
    """The report of all plugins on a table; kernels are computed once, and nothing is kept."""
    manifests, caps = tested_plugins(), Budget()
    asked = {m.id: [r for need in m.kernels for r in requests_of(need, m, dataset.schema, caps)[0]] for m in manifests}
    results = compute(dataset, list({r.key: r for requests in asked.values() for r in requests}.values()))
    done: dict[str, Result] = {}
    for manifest in manifests:
        kernels = {kernel_key(r.kernel, r.columns, r.params): results[r.key] for r in asked[manifest.id]}
        found = _result(manifest, dataset, kernels, {name: done[name] for name in manifest.needs if name in done})
        if found is not None:
            done[manifest.id] = found
    outcomes = [
        {
            "id": m.id, "type": m.type, "version": m.version, "status": "ok", "references": m.references,
            "family": m.family, "params": m.param_defaults, **done[m.id].to_json(),
        }
        for m in manifests if m.id in done
    ]  # fmt: skip
    columns = [{"name": spec.name, "kind": spec.kind} for spec in dataset.schema]
    return build_report(DATASET | {"rows": dataset.rows}, columns, outcomes, control=control)


def _result(
    manifest: Manifest, dataset: Dataset, kernels: dict[str, Any], upstream: dict[str, Result]
) -> Result | None:
    if any(not need.holds(dataset.rows, dataset.schema) for need in manifest.requires):
        return None
    inputs = Inputs(
        plugin=manifest.id, selectors=manifest.columns, params=manifest.param_defaults, budget=Budget(),
        kernels=kernels, upstream=upstream,
    )  # fmt: skip
    with loaded_plugin(manifest.id, manifest.folder, "") as module:
        ctx, reducer = Context(dataset, inputs), make_reducer(module)
        try:
            if reducer is None:
                found = module.run(ctx)
            else:
                reducer.ctx = ctx
                found = reduce_whole(reducer)
        except Skip:
            return None
        return checked_result(found, manifest.type, ctx)
