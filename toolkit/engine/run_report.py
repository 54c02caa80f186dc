"""What a finished run gives back."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from toolkit.core.errors import ToolkitError


@dataclass(frozen=True, slots=True)
class PluginSummary:
    """How one plugin went.

    Attributes
    ----------
    id, status, reason : str
        The plugin, how it ended, and why so.
    cached : bool
        Whether its result was kept of an earlier run.
    duration_ms : float
        Wall milliseconds of all its tasks.
    cpu_ms : float
        Processor milliseconds of all its tasks.
    max_rss : int
        Peak resident bytes of any of its tasks.
    findings : int
        Number of findings.
    log : str
        The end of what it printed.
    """

    id: str
    status: str
    reason: str
    cached: bool
    duration_ms: float
    cpu_ms: float
    max_rss: int
    findings: int
    log: str = field(default="", repr=False)


@dataclass(frozen=True)
class RunReport:
    """A finished run.

    Attributes
    ----------
    run_id, store_key : str
        The run and the table.
    folder : Path
        Where its files are.
    plugins : list of PluginSummary
        How each plugin went, in the order of their layers.
    files : dict of str to Path
        Files of report plugins, by name.
    """

    run_id: str
    store_key: str
    folder: Path
    plugins: list[PluginSummary]
    files: dict[str, Path]

    @property
    def status(self) -> str:
        """``ok``, or ``failed`` when a plugin failed or timed out."""
        return "failed" if any(p.status in ("failed", "timed_out") for p in self.plugins) else "ok"

    def file(self, name: str) -> Path | None:
        """A file of the report, or None."""
        return self.files.get(name)

    @property
    def readable(self) -> Path:
        """The file that a person would open first: HTML, else Markdown, else JSON, else the folder."""
        for name in ("report.html", "report.md", "report.json"):
            if name in self.files:
                return self.files[name]
        return self.folder

    @cached_property
    def report(self) -> dict[str, Any]:
        """report.json as a tree.

        Raises
        ------
        ToolkitError
            When no plugin wrote one.
        """
        path = self.files.get("report.json")
        if path is None:
            raise ToolkitError(
                f"run {self.run_id} has no report.json", "a plugin of type report writes it: report_bundle"
            )
        tree: dict[str, Any] = json.loads(path.read_bytes())
        return tree

    @property
    def findings(self) -> list[dict[str, Any]]:
        """The findings of report.json."""
        found: list[dict[str, Any]] = self.report["findings"]
        return found

    def to_json(self) -> dict[str, Any]:
        """What ``run --json`` prints."""
        paths = {f"report_{kind}": self.files.get(f"report.{kind}") for kind in ("json", "md", "html")}
        return {
            "run_id": self.run_id,
            "store_key": self.store_key,
            "status": self.status,
            **{name: None if path is None else str(path) for name, path in paths.items()},
            "plugins": [
                {
                    "id": p.id,
                    "status": p.status,
                    "cached": p.cached,
                    "duration_ms": round(p.duration_ms, 3),
                    "max_rss": p.max_rss,
                    "findings": p.findings,
                }
                for p in self.plugins
            ],
        }
