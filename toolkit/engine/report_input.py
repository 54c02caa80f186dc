"""The report of a run so far, from its table and its plugins."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from toolkit.engine.plugin_run import PluginRun
from toolkit.govern.policy import Policy
from toolkit.storage.dataset import Dataset


def report_of(dataset: Dataset, plugins: Iterable[PluginRun], policy: Policy) -> dict[str, Any]:
    """The report of all plugins that are no reports themselves.

    Parameters
    ----------
    dataset : Dataset
        The run's own table.
    plugins : iterable of PluginRun
        All of them have ended but those that write or read the report.
    policy : Policy
        What it says of containment and of false discoveries.
    """
    from toolkit.report.model import build_report

    manifest = dataset.manifest
    facts = {name: getattr(manifest, name) for name in ("key", "rows", "data_hash", "schema_hash", "chunk_rows")}
    columns = [{"name": spec.name, "kind": spec.kind} for spec in dataset.schema]
    before = [p.outcome() for p in plugins if p.planned.manifest.type not in ("report", "llm")]
    return build_report(facts, columns, before, policy.enforcement, policy.discovery)
