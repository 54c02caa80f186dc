"""What a run says of itself beside its report: state while it runs, cost when it has ended, rows for telemetry."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from toolkit.engine.forecast import ALONE, Forecast, Forecasts
from toolkit.engine.plugin_run import PluginRun
from toolkit.engine.run_report import PluginSummary
from toolkit.govern.telemetry_schema import PluginRow
from toolkit.storage.dataset import Dataset


def run_state(
    plugins: Iterable[PluginRun], forecasts: Forecasts, scans: Mapping[str, float], head: Mapping[str, Any]
) -> dict[str, Any]:
    """What other processes can see of a run.

    Parameters
    ----------
    plugins : iterable of PluginRun
        Its plugins.
    forecasts : Forecasts
        What was expected of them.
    scans : mapping of str to float
        Milliseconds expected of each task of scans that is left.
    head : mapping
        What is known of the run as a whole.
    """
    return {**head, "scans": dict(scans), "plugins": {p.id: _plugin_state(p, forecasts.get(p.id)) for p in plugins}}


def _plugin_state(run: PluginRun, forecast: Forecast | None) -> dict[str, Any]:
    return {
        "status": run.status,
        "type": run.planned.manifest.type,
        "skip": bool(run.planned.skip),
        "wall_ms": round(run.wall_ms, 3),
        "expected": None if forecast is None else forecast.wall_ms.to_json(),
        "alone": forecast is not None and forecast.verdict == ALONE,
        "kernels": bool(run.planned.requests),
        "waits_for": run.planned.waits_for,
    }


def summary_of(run: PluginRun, forecast: Forecast | None) -> PluginSummary:
    """How a plugin that has ended went."""
    return PluginSummary(
        id=run.id,
        status=run.status,
        reason=run.reason,
        cached=run.cached,
        duration_ms=run.wall_ms,
        cpu_ms=run.cpu_ms,
        max_rss=run.max_rss,
        findings=len(run.decoded().findings),
        log="\n".join(run.log),
        predicted_ms=None if forecast is None else forecast.wall_ms,
        predicted_rss=None if forecast is None else forecast.memory,
        failure=run.failure,
    )


def detail_of(summary: PluginSummary) -> dict[str, Any]:
    """Plain values of a summary, for run.json."""
    wall, rss = summary.predicted_ms, summary.predicted_rss
    return {
        "id": summary.id,
        "status": summary.status,
        "reason": summary.reason,
        "cached": summary.cached,
        "duration_ms": round(summary.duration_ms, 3),
        "predicted_ms": None if wall is None else wall.to_json(),
        "cpu_ms": round(summary.cpu_ms, 3),
        "max_rss": summary.max_rss,
        "predicted_rss": None if rss is None else rss.to_json(digits=0),
        "findings": summary.findings,
        "failure": None if summary.failure is None else summary.failure.to_json(),
        "log": summary.log,
    }


def plugin_row(run: PluginRun, run_id: str, table: Dataset, executor: str) -> PluginRow:
    """The row of telemetry of a plugin that was computed."""
    return PluginRow(
        run_id=run_id,
        plugin=run.id,
        code_digest=run.planned.digest,
        store_key=table.key,
        rows=table.rows,
        columns=len(run.planned.columns),
        wall_ms=run.wall_ms,
        cpu_ms=run.cpu_ms,
        max_rss=run.max_rss,
        tasks=run.tasks,
        executor=executor,
        status=run.status,
        ended=utc(time.time()),
    )


def utc(seconds: float) -> str:
    """ISO 8601, to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
