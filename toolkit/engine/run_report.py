"""What a finished run gives back."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.core.errors import ToolkitError
from toolkit.engine.failure_record import FailureRecord
from toolkit.govern.predict import Estimate

if TYPE_CHECKING:
    import pandas as pd

    from toolkit.report.notebook import Report, ReportedFinding


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
    predicted_ms, predicted_rss : Estimate or None
        What was expected before the run, milliseconds and bytes; None for a plugin that did not apply.
    failure : FailureRecord or None
        Where and why it failed, when it did.
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
    failure: FailureRecord | None = None
    predicted_ms: Estimate | None = None
    predicted_rss: Estimate | None = None


@dataclass(frozen=True, slots=True)
class RunCost:
    """What a run took as a whole, and what was expected.

    Attributes
    ----------
    seconds : float
        From its beginning to its end.
    predicted_seconds : tuple of float
        The prediction before it began, and the ends of its interval.
    peak_rss : int
        Most resident bytes that its tasks had together when they were looked at, twice a second.
    memory_limit : int or None
        Bytes that they could have together, and
    limited_by : str
        what set that limit.
    """

    seconds: float
    predicted_seconds: tuple[float, float, float]
    peak_rss: int
    memory_limit: int | None
    limited_by: str

    def text(self) -> str:
        """One sentence."""
        value, low, high = self.predicted_seconds
        text = f"{self.seconds:,.1f} s (predicted {value:,.1f}, between {low:,.1f} and {high:,.1f})"
        text += f"; tasks took up to {self.peak_rss / 2**20:,.0f} MiB together"
        if self.memory_limit is None:
            return text
        return f"{text} of {self.memory_limit / 2**20:,.0f} ({self.limited_by})"


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
    cost : RunCost or None
        What it took as a whole.
    enforcement : dict
        What contained the plugins; see `toolkit.engine.containment.Containment.to_json`.
    """

    run_id: str
    store_key: str
    folder: Path
    plugins: list[PluginSummary]
    files: dict[str, Path]
    cost: RunCost | None = None
    enforcement: dict[str, Any] = field(default_factory=dict)

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
    def report(self) -> Report:
        """report.json as a tree.

        Raises
        ------
        ToolkitError
            When no plugin wrote one.
        """
        from toolkit.report.notebook import Report

        path = self.files.get("report.json")
        if path is None:
            raise ToolkitError(
                f"run {self.run_id} has no report.json", "a plugin of type report writes it: report_bundle"
            )
        return Report.read(path)

    @property
    def findings(self) -> list[ReportedFinding]:
        """The findings of report.json."""
        return self.report.findings

    def to_pandas(self, part: str = "findings") -> pd.DataFrame:
        """A part of the report as a frame; see `toolkit.report.notebook.Report.to_pandas`."""
        return self.report.to_pandas(part)

    def _repr_html_(self) -> str:
        if "report.json" in self.files:
            return self.report._repr_html_()
        from toolkit.report.html.markup import element

        return element("p", f"Run {self.run_id}: {self.status}, without a report.")

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


def cost_text(report: RunReport) -> str:
    """What a run took beside what was expected: as a whole, and of the plugins that were furthest off."""
    lines = [] if report.cost is None else [report.cost.text()]
    for plugin in report.plugins:
        wall, rss = plugin.predicted_ms, plugin.predicted_rss
        if wall is None or rss is None or not plugin.duration_ms or wall.basis not in _KNOWN:
            continue
        off = []
        if not wall.low - _WORTH_MS <= plugin.duration_ms <= wall.high + _WORTH_MS:
            off.append(f"{plugin.duration_ms / 1e3:,.1f} s (predicted {wall.low / 1e3:,.1f} to {wall.high / 1e3:,.1f})")
        if plugin.max_rss > rss.high:
            off.append(f"{plugin.max_rss / 2**20:,.0f} MiB (predicted up to {rss.high / 2**20:,.0f})")
        if off:
            lines.append(f"  {plugin.id} took {', '.join(off)}")
    return "\n".join(lines)


_KNOWN = ("history", "other code")
_WORTH_MS = 1000.0
"""A prediction that is off by less is not worth a line."""
