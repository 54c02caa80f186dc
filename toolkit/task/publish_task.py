"""The harness's own part of a transform: its staged table becomes a store, or a store of before is proved intact."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from toolkit.ingest.derived_store import problem_of, publish_derived
from toolkit.storage.appdata import AppData
from toolkit.storage.dataset import Dataset


def run_publish(parent: Dataset, job: dict[str, Any]) -> dict[str, Any]:
    """Carry out a task of kind ``publish``.

    Parameters
    ----------
    parent : Dataset
        The table that the transform ran on.
    job : dict
        See `toolkit.task.payload.publish_payload`.

    Returns
    -------
    dict
        What `toolkit.plugin.Result.derived` holds.
    """
    lineage = job["lineage"]
    made = publish_derived(parent, Path(job["staged"]), job["declaration"], AppData(Path(job["appdata"])), lineage)
    return {
        "key": made.manifest.key,
        "store": made.location.name,
        "parent": parent.key,
        "rows": made.manifest.rows,
        "rows_are": made.rows,
        "columns": made.columns,
        "cuts": list(made.cuts),
    }


def run_check(job: dict[str, Any]) -> dict[str, str]:
    """Carry out a task of kind ``check``: ``problem`` says what is wrong with a store; empty for an intact one."""
    return {"problem": problem_of(Path(job["location"]), job["key"])}
