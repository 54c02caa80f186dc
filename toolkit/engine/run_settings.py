"""What a run is asked to do, and who hears of it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from toolkit.engine.eta import Eta
from toolkit.engine.plugin_run import PluginRun
from toolkit.govern.telemetry_schema import Heartbeat
from toolkit.govern.workers import Workers
from toolkit.storage.dataset import Dataset

DEFAULT_EXECUTOR = "process" if sys.platform == "linux" else "serial"

OnPlugin = Callable[[PluginRun, int, int], None]
"""Hears of every plugin that ends, with how many have ended, and how many there are."""
OnRunning = Callable[[Sequence[Heartbeat], Eta], None]
"""Hears now and then which tasks run, and how long the run has to go."""


@dataclass(slots=True)
class RunSettings:
    """What a run is asked to do.

    Attributes
    ----------
    store : Dataset, path, key or None
        The table; the newest store by default.
    appdata : Path or None
        Folder for results and runs.
    plugins : sequence of str
        Ids or patterns; all when empty.
    plugin_dirs : sequence of Path
        Further folders with plugins.
    policy : str
        A file, the name of one that ships, or ``off``.
    executor : str
        ``process`` or ``serial``.
    workers : int or None
        None for as many as processors, memory and policy allow.
    cache : bool or None
        Whether kept results may be used; None for what the environment says.
    resume : str
        Id of a run to go on with.
    params : mapping
        Values of parameters by plugin and name.
    seed : int
        Of random streams.
    assume_rows : int or None
        Budgets and limits are those of a table of so many rows.
    """

    store: Dataset | str | Path | None = None
    appdata: Path | None = None
    plugins: Sequence[str] = ()
    plugin_dirs: Sequence[Path] = ()
    policy: str = ""
    executor: str = DEFAULT_EXECUTOR
    workers: int | None = None
    cache: bool | None = None
    resume: str = ""
    params: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    seed: int = 0
    assume_rows: int | None = None


@dataclass(slots=True)
class Listeners:
    """Who hears of what while a run is under way."""

    warn: Callable[[str], None] = lambda text: None
    started: Callable[[str, Workers], None] = lambda run_id, workers: None
    plugin: OnPlugin = lambda run, done, total: None
    running: OnRunning | None = None


def asked(settings: RunSettings, location: Path) -> dict[str, Any]:
    """What was asked for, so that the run can be gone on with.

    Parameters
    ----------
    settings : RunSettings
        What was asked for.
    location : Path
        Where the store is that was meant.
    """
    policy = Path(settings.policy)
    return {
        "store": str(location.absolute()),
        "plugins": list(settings.plugins),
        "plugin_dirs": [str(p.absolute()) for p in settings.plugin_dirs],
        "policy": settings.policy if policy.name == settings.policy else str(policy.absolute()),
        "params": {k: dict(v) for k, v in settings.params.items()},
        "seed": settings.seed,
        "assume_rows": settings.assume_rows,
    }


def take_over(settings: RunSettings, before: Mapping[str, Any]) -> None:
    """Fill in from an earlier run (what `asked` gave) what was not asked for anew."""
    settings.store = settings.store if settings.store is not None else before.get("store")
    settings.plugins = settings.plugins or before.get("plugins", ())
    settings.plugin_dirs = settings.plugin_dirs or [Path(p) for p in before.get("plugin_dirs", ())]
    settings.policy = settings.policy or before.get("policy", "")
    settings.params = settings.params or before.get("params", {})
    settings.seed = settings.seed or before.get("seed", 0)
    settings.assume_rows = settings.assume_rows or before.get("assume_rows")
