"""What the engine hands to a plugin besides the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from toolkit.core.canonical import canonical_json
from toolkit.plugin.budget import Budget
from toolkit.plugin.result import Result
from toolkit.plugin.source import Source

KernelKey = tuple[str, tuple[str, ...], str]


def kernel_key(name: str, columns: Sequence[str], params: Mapping[str, Any]) -> KernelKey:
    """How a kernel's result is looked up: name, columns, parameters as canonical JSON."""
    return name, tuple(columns), canonical_json(dict(params))


@dataclass(slots=True)
class Inputs:
    """All that a plugin may see, besides the table.

    Attributes
    ----------
    plugin : str
        Its id.
    selectors : tuple of str
        ``columns`` of its manifest.
    params : dict
        Values of the parameters that its manifest declares.
    budget : Budget
        Its caps.
    kernels : dict
        Results of the kernels that its manifest asks for; a callable where the result is decoded on first use.
    upstream : dict of str to Result
        Results of the plugins that it depends on.
    report : dict or None
        The report so far, for plugins of type ``report`` and ``llm``.
    full_load : int or None
        Bytes up to which `Context.dataset_loader` loads; None for any number.
    load_rows : int or None
        Rows by which it judges how large a load is; the table's by default.
    seed : int
        Seed of the run.
    plan : dict or None
        What the run is going to do, for plugins of type ``planner``.
    scratch : Path or None
        Where a plugin of type ``transform`` stages its table.
    source : Source or None
        The table from which that of the plugin was derived.
    """

    plugin: str
    selectors: tuple[str, ...] = ("any",)
    params: dict[str, Any] = field(default_factory=dict)
    budget: Budget = field(default_factory=Budget)
    kernels: dict[KernelKey, dict[str, Any] | Callable[[], dict[str, Any]]] = field(default_factory=dict)
    upstream: dict[str, Result] = field(default_factory=dict)
    report: dict[str, Any] | None = None
    full_load: int | None = None
    load_rows: int | None = None
    seed: int = 0
    plan: dict[str, Any] | None = None
    scratch: Path | None = None
    source: Source | None = None
