"""What each plugin and scan of a plan is expected to take, and whether that fits, before anything starts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolkit.core.errors import BudgetError
from toolkit.engine.plan import Plan, Planned
from toolkit.govern.predict import USUAL_MEMORY, Estimate, Observation, predict, stated
from toolkit.govern.workers import WORKER_BASE, MemoryLimit
from toolkit.kernels.scan import Scan
from toolkit.storage.dataset import Dataset

FITS, ALONE, REFUSED = "fits", "runs alone", "refused"

_TASK_MS = 15.0
"""What a task takes before it does anything: fork, opening the store, loading the plugin, handing back."""
_DEFAULT_NS = 20.0
"""Nanoseconds for a unit of work of a plugin that does not say."""
_VALUE_BYTES = 16
_CHUNKS_HELD = 2
"""A chunk as it is read, and what a plugin commonly makes of it."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What one plugin is expected to take.

    Attributes
    ----------
    wall_ms : Estimate
        Milliseconds of all its tasks together.
    memory : Estimate
        Peak resident bytes of each of its processes.
    reserve : int
        Bytes that are set aside while one of its tasks runs.
    verdict : str
        ``fits``, ``runs alone``, or ``refused``.
    """

    wall_ms: Estimate
    memory: Estimate
    reserve: int
    verdict: str

    def to_json(self) -> dict[str, Any]:
        """Plain values: milliseconds and bytes."""
        return {
            "wall_ms": self.wall_ms.to_json(),
            "memory": self.memory.to_json(digits=0),
            "reserve": self.reserve,
            "verdict": self.verdict,
        }


class Forecasts:
    """What the plugins of a plan are expected to take.

    Parameters
    ----------
    plan : Plan
        The plan.
    chunk_rows : int
        Rows of a chunk of the table.
    history : mapping of str to sequence of Observation
        What plugins took in earlier runs.
    limit : MemoryLimit
        What all tasks together may take.
    """

    def __init__(
        self, plan: Plan, chunk_rows: int, history: Mapping[str, Sequence[Observation]], limit: MemoryLimit
    ) -> None:
        self.limit = limit
        self._history = history
        applying = [p for p in plan.plugins if not p.skip]
        self._plugins = {p.id: self._forecast(p, plan.rows, plan.columns, chunk_rows) for p in applying}

    def settle(self, planned: Planned, table: Dataset) -> None:
        """Predict a plugin anew, whose table was not there when the run was planned."""
        self._plugins[planned.id] = self._forecast(planned, table.rows, len(table.schema), table.grid.chunk_rows)

    def __getitem__(self, plugin: str) -> Forecast:
        """The forecast of a plugin that applies."""
        return self._plugins[plugin]

    def get(self, plugin: str) -> Forecast | None:
        """The forecast of a plugin; None for one that does not apply."""
        return self._plugins.get(plugin)

    def reserves(self) -> list[int]:
        """Bytes that each plugin's tasks are expected to take."""
        return [f.reserve for f in self._plugins.values()]

    def verdict(self, reserve: int) -> str:
        """``fits`` where another task of that size would fit beside it, else ``runs alone``."""
        return ALONE if self.limit.bytes is not None and 2 * reserve > self.limit.bytes else FITS

    def check(self) -> None:
        """Refuse the run before it begins, where a plugin is certain not to fit.

        Only what the very same code took before is certain enough: its result can't be had here, and a report without
        it would say something else than on a larger machine.

        Raises
        ------
        BudgetError
            With the plugin, what it is expected to take, and the limit.
        """
        for name, forecast in self._plugins.items():
            if forecast.verdict == REFUSED:
                low, limit = forecast.memory.low / 2**20, (self.limit.bytes or 0) / 2**20
                raise BudgetError(
                    f"{name} is expected to take at least {low:,.0f} MiB, as in {forecast.memory.runs} earlier runs; "
                    f"{self.limit.reason} leaves {limit:,.0f} MiB for all tasks",
                    f"free memory, raise {self.limit.reason} in the policy, or leave the plugin out with --plugins",
                )

    def _forecast(self, planned: Planned, rows: int, width: int, chunk_rows: int) -> Forecast:
        seen = self._history.get(planned.id, ())
        columns = max(width if planned.deferred else len(planned.columns), 1)
        size = float(rows * columns)
        wall = predict(seen, size, planned.digest, lambda o: o.wall_ms, _TASK_MS)
        wall = wall or _stated_time(planned)
        memory = predict(seen, size, planned.digest, lambda o: o.max_rss, WORKER_BASE, USUAL_MEMORY)
        memory = memory or _stated_memory(planned, min(chunk_rows, max(rows, 1)) * columns)
        cap = planned.budget.memory
        known = memory.basis in ("history", "other code")
        reserve = round(memory.high if known else memory.value)
        reserve = reserve if cap is None else min(reserve, cap)
        limit = self.limit.bytes
        refused = limit is not None and memory.basis == "history" and memory.low > limit
        return Forecast(wall, memory, reserve, REFUSED if refused else self.verdict(reserve))


def _stated_time(planned: Planned) -> Estimate:
    cost = planned.manifest.cost
    ms = _TASK_MS + planned.work * cost.get("ns", _DEFAULT_NS) / 1e6
    return stated(ms, "manifest" if cost else "default")


def _stated_memory(planned: Planned, chunk_values: int) -> Estimate:
    chunk = chunk_values * _VALUE_BYTES
    declared = planned.manifest.memory
    if declared is not None:
        most = WORKER_BASE + chunk + declared
        return Estimate(most, WORKER_BASE, most, "manifest")
    return stated(WORKER_BASE + _CHUNKS_HELD * chunk, "default")


@dataclass(frozen=True, slots=True)
class ScanForecast:
    """What scans are expected to take: time by the kernels' cost model and the pace so far, memory by their bounds."""

    cost: Callable[[Scan], float]
    memory: Callable[[Scan], int]
    pace: float = 1.0

    def model_ms(self, scans: Sequence[Scan]) -> float:
        """Milliseconds by the cost model alone."""
        return sum(self.cost(s) for s in scans) / 1e6

    def wall_ms(self, scans: Sequence[Scan]) -> float:
        """Milliseconds of scans that run one after the other."""
        return self.model_ms(scans) * self.pace

    def reserve(self, scans: Sequence[Scan]) -> int:
        """Bytes for a process that runs them one after the other."""
        return WORKER_BASE + max((self.memory(s) for s in scans), default=0)


def check_something_runs(plan: Plan) -> None:
    """Refuse a run in which the policy's memory leaves nothing to do but the report.

    Raises
    ------
    BudgetError
        With the plugins and their limits.
    """
    asked = [p for p in plan.plugins if p.manifest.type not in ("report", "llm")]
    if asked and all(p.refused for p in asked):
        reasons = "; ".join(f"{p.id}: {p.skip}" for p in asked)
        raise BudgetError(f"nothing can run within the budget: {reasons}", "raise the limit in the policy")
