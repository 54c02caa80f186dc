"""Plugins written by tests, and the tasks that run them."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from toolkit.contain.rules import Enforcement
from toolkit.core.encoding import decode
from toolkit.execute.base import Access, Limits, Outcome, Task
from toolkit.storage.dataset import Dataset
from toolkit.task.failure import Failure
from toolkit.task.payload import PluginCall, plugin_payload, store_ref

HEAD = "from toolkit.plugin import Budget, Chunk, Coded, Context, Finding, Reducer, Result, Skip, keep, make\n"


def plugin_on_disk(folder: Path, plugin: str, code: str, **manifest: Any) -> Path:
    """Write a plugin; ``code`` follows an import of all of toolkit.plugin that tests use."""
    import yaml

    place = folder / plugin
    place.mkdir(parents=True, exist_ok=True)
    body = {"type": plugin.partition("_")[0], "version": 1, "summary": "Of a test", **manifest}
    (place / "plugin.yaml").write_text(yaml.safe_dump(body, sort_keys=False), "utf-8")
    (place / "plugin.py").write_text(HEAD + textwrap.dedent(code), "utf-8")
    return place


def plugin_task(
    dataset: Dataset,
    folder: Path,
    number: int = 0,
    limits: Limits | None = None,
    enforcement: Enforcement = "best-effort",
    **call: Any,
) -> Task:
    """The task that runs a plugin on a store."""
    scratch = folder.parent / f"{folder.name}-scratch-{number}"
    if folder.is_dir():
        scratch.mkdir(exist_ok=True)
    made = PluginCall(
        id=folder.name, type=folder.name.partition("_")[0], folder=str(folder), digest="", scratch=str(scratch), **call
    )
    payload = plugin_payload(store_ref(dataset.location, dataset.key), made)
    access = Access((str(dataset.location), str(folder)), str(scratch), enforcement)
    return Task(f"{folder.name}:{number}", payload, limits or Limits(), access)


def data_of(outcome: Outcome) -> Any:
    """``Result.data`` of a task that went well."""
    assert outcome.output is not None, outcome.reason
    tree = decode(outcome.output)
    assert tree["ok"], tree
    return decode(tree["value"]["result"])["data"]


def failure_of(outcome: Outcome) -> Failure:
    """The failure that a task handed back."""
    assert outcome.output is not None, outcome.reason
    tree = decode(outcome.output)
    assert not tree["ok"]
    return Failure.from_json(tree["failure"])
