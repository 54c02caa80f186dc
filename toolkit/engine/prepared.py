"""A run that is planned and not begun."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from toolkit.core.code import code_digest
from toolkit.core.settings import Settings
from toolkit.engine.board import KernelBoard, batches
from toolkit.engine.forecast import Forecasts, ScanForecast
from toolkit.engine.plan import Plan
from toolkit.engine.plan_view import PlanView, view_plan
from toolkit.engine.results import ResultStore
from toolkit.engine.run_folder import RunFolder
from toolkit.engine.run_settings import RunSettings
from toolkit.govern.history import scan_pace
from toolkit.govern.workers import Workers, choose_workers
from toolkit.storage.appdata import AppData
from toolkit.storage.dataset import Dataset


@dataclass(slots=True)
class Prepared:
    """What was asked for, the table, the plan, and what it is expected to take."""

    settings: RunSettings
    environment: Settings
    place: AppData
    dataset: Dataset
    plan: Plan
    folder: RunFolder | None
    forecasts: Forecasts

    def board(self, table: Dataset, code: str, results: ResultStore, keep: Callable[[str, bytes], None]) -> KernelBoard:
        """The kernels of a table of the run, none of them asked for yet."""
        policy = self.plan.policy
        return KernelBoard(table, code, policy.partition_chunks, policy.scan_memory, results.read, keep)

    def kept_results(self, store_key: str) -> ResultStore:
        """The results of earlier runs over a table."""
        asked, environment = self.settings.cache, self.environment.result_cache
        return ResultStore(self.place.results / store_key, reading=environment if asked is None else asked)

    def workers(self, scans: Sequence[int]) -> Workers:
        """How many tasks run at once, where scans are expected to take so many bytes each."""
        tasks = [*scans, *self.forecasts.reserves()]
        most = self.environment.max_workers
        return choose_workers(self.settings.workers, most, self.plan.policy, self.forecasts.limit, tasks)

    def view(self) -> PlanView:
        """What would be done, at what expected cost; nothing is written."""
        code = kernel_code()
        board = self.board(self.dataset, code, self.kept_results(self.plan.store_key), lambda key, body: None)
        board.add(r for p in self.plan.plugins if not p.skip for _, r in p.requests)
        scans = board.take_scans()
        forecast = ScanForecast(board.cost, board.memory, scan_pace(self.place.telemetry, code) or 1.0)
        workers = self.workers([forecast.reserve([s]) for s in scans])
        tasks = batches(scans, board.cost, workers.count)
        largest = max((forecast.reserve(t) for t in tasks), default=0)
        return view_plan(self.plan, self.forecasts, workers, [forecast.wall_ms(t) for t in tasks], largest)


def kernel_code() -> str:
    """Digest of the kernels' code, so that no result of an older version is taken for one of this."""
    import toolkit.kernels

    return code_digest(Path(toolkit.kernels.__path__[0]))
