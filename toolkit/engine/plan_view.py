"""A plan as it is read before the run: what applies, with which caps, at what cost, and whether it fits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from toolkit.core.errors import BudgetError
from toolkit.engine.eta import Eta, eta_from_state
from toolkit.engine.forecast import REFUSED, Forecasts, check_something_runs
from toolkit.engine.plan import Plan, Planned
from toolkit.engine.plugin_run import PluginRun
from toolkit.engine.side_file import run_state
from toolkit.govern.predict import Estimate
from toolkit.govern.workers import Workers

_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class PlanView:
    """What ``run --plan-only`` prints.

    Attributes
    ----------
    plan : Plan
        The plan.
    forecasts : Forecasts
        What its plugins are expected to take.
    workers : Workers
        How many tasks would run at once.
    scans : dict
        Tasks of scans that would be done first: number, milliseconds of each, bytes of the largest.
    eta : Eta
        How long the run would take.
    problem : str
        Why the run would be refused; empty when it would not.
    """

    plan: Plan
    forecasts: Forecasts
    workers: Workers
    scans: dict[str, Any]
    eta: Eta
    problem: str

    def to_json(self) -> dict[str, Any]:
        """One tree; the plan's own keys are those of plan.json."""
        tree = self.plan.to_json()
        for planned, entry in zip(self.plan.plugins, tree["plugins"], strict=True):
            forecast = self.forecasts.get(planned.id)
            entry["verdict"] = self._verdict(planned)
            entry["predicted"] = None if forecast is None else forecast.to_json()
        limit = self.forecasts.limit
        return {
            **tree,
            "policy": self.plan.policy.source,
            "workers": self.workers.count,
            "workers_limited_by": self.workers.reason,
            "memory_limit": limit.bytes,
            "memory_limited_by": limit.reason,
            "scans": self.scans,
            "predicted_seconds": {"value": self.eta.seconds, "low": self.eta.low, "high": self.eta.high},
            "refused": self.problem or None,
        }

    def lines(self) -> Iterator[str]:
        """Text for a person."""
        plan, limit = self.plan, self.forecasts.limit
        yield f"table {plan.store_key}: {plan.rows:,} rows, {plan.columns} columns, {plan.chunks} chunks"
        yield f"policy {plan.policy.source}"
        bound = "no limit" if limit.bytes is None else f"{limit.bytes // _MIB:,} MiB for all tasks ({limit.reason})"
        yield f"workers {self.workers.count} ({self.workers.reason}); memory {bound}"
        if self.scans["tasks"]:
            took, most = sum(self.scans["wall_ms"]) / 1e3, self.scans["reserve"] // _MIB
            yield f"scans first: {self.scans['tasks']} tasks, {took:,.1f} s together, up to {most:,} MiB each"
        by_id = {p.id: p for p in plan.plugins}
        for number, layer in enumerate(plan.layers, 1):
            yield f"layer {number}"
            for name in layer:
                yield from self._plugin_lines(by_id[name])
        yield f"predicted {self.eta.seconds:,.1f} s ({self.eta.low:,.1f} to {self.eta.high:,.1f})"
        if self.problem:
            yield f"refused: {self.problem}"

    def _plugin_lines(self, planned: Planned) -> Iterator[str]:
        if planned.skip:
            yield f"  {planned.id}: {'refused' if planned.refused else 'skipped'}, {planned.skip}"
            return
        if planned.deferred:
            yield f"  {planned.id}: planned when {planned.manifest.table} has made its table"
            return
        forecast = self.forecasts[planned.id]
        caps = ", ".join(_cap(k, v) for k, v in planned.budget.to_json().items() if v is not None)
        asks = f"{len(planned.columns)} columns, {len(planned.requests)} kernel requests"
        yield f"  {planned.id}: {asks}; {caps or 'no caps'}"
        wall, rss = _range(forecast.wall_ms, 1e3, "s", 1), _range(forecast.memory, _MIB, "MiB", 0)
        verdict = self._verdict(planned)
        yield f"    {wall}, {rss}; {verdict}{_limit_text(self.forecasts) if verdict == REFUSED else ''}"
        for entry in planned.omitted:
            yield f"    {entry['what']}"

    def _verdict(self, planned: Planned) -> str | None:
        if planned.skip:
            return REFUSED if planned.refused else None
        return self.forecasts[planned.id].verdict


def view_plan(plan: Plan, forecasts: Forecasts, workers: Workers, batches: list[float], reserve: int) -> PlanView:
    """Put together what is known of a plan.

    Parameters
    ----------
    plan, forecasts, workers
        The plan, and what is expected of it.
    batches : list of float
        Milliseconds of each task of scans.
    reserve : int
        Bytes of the largest of them.
    """
    named = {f"scan:1.{i}": ms for i, ms in enumerate(batches)}
    state = run_state([PluginRun(p) for p in plan.plugins], forecasts, named, {"workers": workers.count})
    problem = ""
    try:
        check_something_runs(plan)
        forecasts.check()
    except BudgetError as error:
        problem = error.message
    scans = {"tasks": len(batches), "wall_ms": [round(ms, 3) for ms in batches], "reserve": reserve}
    return PlanView(plan, forecasts, workers, scans, eta_from_state(state, [], 0.0), problem)


def _cap(name: str, value: int) -> str:
    return f"{name} {value // _MIB:,} MiB" if name == "memory" else f"{name} {value:,}"


def _range(estimate: Estimate, unit: float, name: str, digits: int) -> str:
    value, low, high = (f"{v / unit:,.{digits}f}" for v in (estimate.value, estimate.low, estimate.high))
    basis = f"{estimate.basis}, {estimate.runs} runs" if estimate.runs else estimate.basis
    return f"{value} {name} ({low} to {high}; {basis})"


def _limit_text(forecasts: Forecasts) -> str:
    limit = forecasts.limit
    return f": {limit.reason} leaves {(limit.bytes or 0) // _MIB:,} MiB"
