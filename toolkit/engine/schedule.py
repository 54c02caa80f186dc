"""Carries out a plan: submits what can be done, takes in what comes back, until nothing is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from toolkit.core.digest import digest_value
from toolkit.core.encoding import EncodingError, decode, encode
from toolkit.core.errors import DamagedStoreError, ToolkitError
from toolkit.engine.admission import Admission, Expected
from toolkit.engine.board import batches
from toolkit.engine.failure_record import FailureRecord
from toolkit.engine.forecast import ALONE, Forecasts, ScanForecast
from toolkit.engine.outcomes import TaskDone, checked, end_with, kept_of, output_of, take_failure
from toolkit.engine.plan import Plan, settled, unusable
from toolkit.engine.plugin_run import (
    PluginRun,
    TaskCall,
    begin_call,
    make_call,
    part_calls,
    passes_of,
    plugin_task,
    result_key,
    take_part,
)
from toolkit.engine.report_input import report_of
from toolkit.engine.results import ResultStore
from toolkit.engine.scratch import Scratch
from toolkit.engine.tables import OWN, Table, Tables
from toolkit.execute.base import Access, Executor, Outcome, Task
from toolkit.govern.workers import MemoryLimit
from toolkit.kernels.scan import Scan
from toolkit.task.failure import Failure
from toolkit.task.packaging import NO_RESULT, ResultError, read_result
from toolkit.task.payload import scan_payload

Ended = Callable[[PluginRun], None]


class Schedule:
    """One run under way.

    Parameters
    ----------
    plan : Plan
        What to do.
    tables : Tables
        The run's table, and those that transforms make.
    results : ResultStore
        Results kept of earlier runs.
    keep : callable
        Takes key and bytes of a result to be kept.
    on_end : callable
        Hears of every plugin that ends.
    scratch : Scratch
        Makes the folders that plugins may write in.
    forecasts : Forecasts, optional
        What plugins are expected to take, and what all may; without limits by default.
    pace : float
        By what factor scans take longer than the kernels' cost model says.
    """

    def __init__(
        self,
        plan: Plan,
        tables: Tables,
        results: ResultStore,
        keep: Callable[[str, bytes], None],
        on_end: Ended,
        scratch: Scratch,
        forecasts: Forecasts | None = None,
        pace: float = 1.0,
    ) -> None:
        self._plan = plan
        self._tables = tables
        self._results = results
        self._keep = keep
        self._on_end = on_end
        chunk_rows = tables[OWN].dataset.grid.chunk_rows
        self._forecasts = forecasts or Forecasts(plan, chunk_rows, {}, MemoryLimit(None))
        self._pace = pace
        self._queue = Admission(1, None)
        self.scratch = scratch
        self._workers = 1
        self._scans: dict[str, tuple[Table, list[Scan]]] = {}
        self._scan_number = self._wave = 0
        self._digests: dict[str, str] = {}
        self._report: dict[str, Any] | None = None
        self.plugins = {p.id: PluginRun(p) for p in plan.plugins}

    def prepare(self) -> list[Scan]:
        """Ask for all kernels; the scans that are to be done, so that the number of workers can be chosen."""
        board = self._tables[OWN].board
        board.add(r for p in self._plan.plugins if not p.skip for _, r in p.requests)
        return board.take_scans()

    def run(self, executor: Executor, workers: int, scans: list[Scan]) -> Iterator[TaskDone]:
        """Do the work.

        Parameters
        ----------
        executor : Executor
            Begun with ``workers`` workers.
        scans : list of Scan
            From `prepare`.

        Yields
        ------
        TaskDone
            Each task as it ends.

        Raises
        ------
        DamagedStoreError
            When a task finds the store damaged.
        """
        self._workers = workers
        self._queue = Admission(workers, self._forecasts.limit.bytes)
        self._submit_scans(self._tables[OWN], scans)
        self._advance()
        self._begin_admitted(executor)
        for outcome in executor.completed():
            expected = self._queue.ended(outcome.task_id)
            yield self._take(outcome, expected)
            self._advance()
            self._begin_admitted(executor)
        stuck = [p.id for p in self.plugins.values() if not p.ended]
        if stuck:
            raise ToolkitError(f"the run ended with {', '.join(stuck)} not done")

    def _begin_admitted(self, executor: Executor) -> None:
        for task in self._queue.take():
            executor.submit(task)

    def _submit_scans(self, table: Table, scans: list[Scan]) -> None:
        self._wave += bool(scans)
        for batch in batches(scans, table.board.cost, self._workers):
            self._submit_batch(table, batch)

    def _submit_batch(self, table: Table, batch: list[Scan]) -> None:
        scratch = str(self.scratch.shared())
        access = Access((table.stored.location,), scratch, self._plan.policy.enforcement)
        payload = scan_payload(table.stored, batch, scratch)
        task = Task(f"scan:{self._wave}.{self._scan_number}", payload, access=access)
        self._scan_number += 1
        self._scans[task.id] = table, batch
        forecast = ScanForecast(table.board.cost, table.board.memory, self._pace)
        reserve = forecast.reserve(batch)
        alone = self._forecasts.verdict(reserve) == ALONE
        self._queue.put(task, Expected(forecast.wall_ms(batch), reserve, alone, forecast.model_ms(batch)))

    def _submit(self, run: PluginRun, task: Task, share: float = 1.0) -> None:
        """Queue a task of a plugin that has this share of its work."""
        forecast = self._forecasts[run.id]
        wall_ms = forecast.wall_ms.value * share
        self._queue.put(task, Expected(wall_ms, forecast.reserve, forecast.verdict == ALONE, wall_ms))

    def scans_left(self) -> dict[str, float]:
        """Milliseconds that each task of scans that is queued or runs is expected to take."""
        expected = self._queue.expected
        return {name: expected[name].wall_ms for name in self._scans if name in expected}

    def _take(self, outcome: Outcome, expected: Expected) -> TaskDone:
        if outcome.task_id in self._scans:
            return self._take_scan(outcome, *self._scans.pop(outcome.task_id), expected)
        run = self.plugins[outcome.task_id.split(":")[1]]
        try:
            return self._take_plugin(outcome, run, expected)
        finally:
            # What a transform staged is wanted until a store was made of it.
            if run.ended or run.planned.manifest.type != "transform":
                self.scratch.remove(outcome.task_id)

    def _take_scan(self, outcome: Outcome, table: Table, batch: list[Scan], expected: Expected) -> TaskDone:
        value, failure, reason = output_of(outcome)
        if failure is not None and failure.damaged:
            raise DamagedStoreError(failure.message, failure.remedy)
        if value is None and len(batch) > 1:
            # Which of them brought the task down is found by giving each a task of its own.
            for scan in batch:
                self._submit_batch(table, [scan])
        elif value is None:
            table.board.fail(batch[0], reason)
        else:
            for scan, answer in zip(batch, value, strict=True):
                if "output" in answer:
                    table.board.accept(scan, decode(answer["output"]))
                else:
                    reason = Failure.from_json(answer["failure"]).reason
                    table.board.fail(scan, reason)
        self._submit_scans(table, table.board.take_scans())
        columns = len({c for scan in batch for c in scan.columns})
        status = "failed" if reason else "ok"
        return TaskDone("scan", "kernels", columns, status, reason, outcome, table.dataset, expected)

    def _take_plugin(self, outcome: Outcome, run: PluginRun, expected: Expected) -> TaskDone:
        run.tasks += 1
        run.wall_ms += outcome.usage.wall_ms
        run.cpu_ms += outcome.usage.cpu_ms
        run.max_rss = max(run.max_rss, outcome.usage.max_rss)
        value, failure, reason = output_of(outcome)
        # A part may come in when another part has failed already, and the plugin with it.
        before = run.ended
        record = None
        if reason:
            record = take_failure(run, self._table(run).store, outcome, failure, reason)
        elif not before:
            record = self._take_safely(run, outcome, value)
        if outcome.log and record is None:
            run.log.append(outcome.log)
        if run.ended and not before:
            self._ended(run)
        status, reason = ("ok", "") if record is None else (record.status, record.reason)
        kind, table = outcome.task_id.split(":")[0], self._tables[run.planned.manifest.table]
        columns, of = len(run.planned.columns), table.dataset
        return TaskDone(kind, run.id, columns, status, reason, outcome, of, expected, record)

    def _take_safely(self, run: PluginRun, outcome: Outcome, value: Any) -> FailureRecord | None:
        """Take what a plugin's task handed back, which may be anything."""
        try:
            self._take_value(run, outcome.task_id, value)
        except (ResultError, EncodingError, KeyError, TypeError, ValueError, AttributeError):
            return take_failure(run, self._table(run).store, outcome, None, NO_RESULT)
        return None

    def _take_value(self, run: PluginRun, task_id: str, value: dict[str, Any]) -> None:
        if task_id.startswith("publish:"):
            run.result = encode(replace(run.decoded(), derived=value).to_json())
            self._end_transform(run)
            return
        if task_id.startswith("check:"):
            self._take_check(run, value["problem"])
            return
        assert run.call is not None
        if task_id in run.parts:
            joined = take_part(run, task_id, value)
            if joined is not None:
                self._submit_call(run, joined, 0.0)
        elif "split" in value and run.passes == 0:
            run.passes = passes_of(value)
            self._submit_parts(run, 0, None)
        elif "former" in value and run.call.pass_number + 1 < run.passes:
            self._submit_parts(run, run.call.pass_number + 1, value["former"])
        elif "staged" in value and run.planned.manifest.type == "transform":
            run.result = checked(value["result"], run.planned.manifest.type)
            staged = self.scratch.path(task_id)
            self._submit(run, self._tables.publish_task(run, value["staged"], staged))
        else:
            end_with(run, value)
            self._keep(run.key, kept_of(run))

    def _take_check(self, run: PluginRun, problem: str) -> None:
        """Take what is known of a store that a transform made in an earlier run; make it again when it is damaged."""
        if not problem:
            self._end_transform(run)
            return
        self._tables.drop(run.decoded().derived)
        run.cached, run.result = False, None
        self._submit_call(run, begin_call(run))

    def _end_transform(self, run: PluginRun) -> None:
        """End a transform whose store is there, and plan the plugins that run on it, all at once."""
        run.end("ok")
        if not run.cached:
            self._keep(run.key, kept_of(run))
        derived, table = run.decoded().derived, self._tables.open(run)
        for other in self.plugins.values():
            if other.planned.manifest.table == run.id and other.status == "waiting":
                other.planned = settled(other.planned, table.dataset, self._plan.policy)
                self._forecasts.settle(other.planned, table.dataset)
                other.table = {"plugin": run.id, **{name: derived[name] for name in ("key", "rows", "rows_are")}}
                table.board.add(r for _, r in other.planned.requests)
        self._submit_scans(table, table.board.take_scans())

    def _table(self, run: PluginRun) -> Table:
        return self._tables[run.planned.manifest.table]

    def _ended(self, run: PluginRun) -> None:
        self.scratch.discard(run.id)
        if run.status != "ok":
            run.result = None  # of a transform that ended well, but whose table is none
        self._on_end(run)

    def _submit_parts(self, run: PluginRun, number: int, former: bytes | None) -> None:
        parts = part_calls(run, self._table(run).dataset.grid, number, former)
        for part in parts:
            self._submit_call(run, part, 1 / (run.passes * len(parts)))

    def _submit_call(self, run: PluginRun, call: TaskCall, share: float = 1.0) -> None:
        self.scratch.make(call.task_id)
        folder, enforcement = self.scratch.path(call.task_id), self._plan.policy.enforcement
        table = self._table(run)
        self._submit(run, plugin_task(run, call, table.store, folder, enforcement, table.source), share)

    def _advance(self) -> None:
        """Begin every plugin that can begin; some end at once, which may let others begin."""
        moved = True
        while moved:
            moved = False
            for run in self.plugins.values():
                if run.status == "waiting" and self._can_begin(run):
                    self._begin(run)
                    moved = True

    def _can_begin(self, run: PluginRun) -> bool:
        if run.planned.skip:
            return True
        waits = all(self.plugins[name].ended for name in run.planned.waits_for)
        if run.planned.manifest.table not in self._tables:
            return waits
        return waits and all(self._table(run).board.known(r.key) for _, r in run.planned.requests)

    def _begin(self, run: PluginRun) -> None:
        status, reason = self._obstacle(run)
        if status:
            if status == "failed":
                run.fail_without_task("kernels", reason)
            else:
                run.end(status, reason)
            self._ended(run)
            return
        table = self._table(run)
        keys = [r.key for _, r in run.planned.requests]
        upstream = {n: self.plugins[n].result for n in run.planned.sees if self.plugins[n].status == "ok"}
        policy = self._plan.policy
        run.call = make_call(
            run,
            {key: table.board.result(key) or b"" for key in keys},
            {name: data for name, data in upstream.items() if data is not None},
            self._report_so_far(run),
            full_load=policy.full_load,
            seed=self._plan.seed,
            partition_chunks=policy.partition_chunks,
            plan=self._plan.to_json() if run.planned.manifest.type == "planner" else None,
        )
        kernel_keys = [table.board.result_key(key) for key in keys]
        digests = {name: self._digest(name) for name in upstream}
        table_keys = [table.dataset.key, *([table.source.key] if table.source else [])]
        run.key = result_key(run.call, table_keys, kernel_keys, digests)
        run.status = "running"
        kept = self._results.read(run.key)
        run.cached = kept is not None and self._restore(run, kept)
        if run.ended:
            self._ended(run)
        elif not run.cached:
            self._submit_call(run, begin_call(run))

    def _restore(self, run: PluginRun, kept: bytes) -> bool:
        """Take a result of an earlier run; that of a transform counts when its store is proved intact."""
        try:
            value = decode(kept)
            status, reason, result = value["status"], value["reason"], value["result"]
            derived = {} if result is None else read_result(result, run.planned.manifest.type).derived
            run.result = result
            check = self._tables.check_task(run, derived) if derived else None
        except (ResultError, EncodingError, KeyError, TypeError):
            run.result = None
            return False
        run.cached = True
        if check is not None:
            self._submit(run, check)
        elif derived:
            self._end_transform(run)
        else:
            run.end(status, reason)
        return True

    def _obstacle(self, run: PluginRun) -> tuple[str, str]:
        """Why a plugin whose turn it is can't run: its status and the reason; empty when it can."""
        if run.planned.skip:
            return "skipped", run.planned.skip
        for name in run.planned.needs:
            other = self.plugins[name]
            if other.status != "ok":
                return "skipped", unusable(name, other.status, other.reason)
        if run.planned.manifest.table not in self._tables:
            return "skipped", f"it runs on the table of {run.planned.manifest.table}, which made none"
        for _, request in run.planned.requests:
            failure = self._table(run).board.failure(request.key)
            if failure:
                return "failed", f"kernel {request.kernel} on {request.few_columns()}: {failure}"
        return "", ""

    def _report_so_far(self, run: PluginRun) -> dict[str, Any] | None:
        """The report of all that ran before; the same for every plugin that may see it."""
        if run.planned.manifest.type not in ("report", "llm"):
            return None
        if self._report is None:
            own = self._tables[OWN].dataset
            self._report = report_of(own, self.plugins.values(), self._plan.policy)
        return self._report

    def _digest(self, name: str) -> str:
        if name not in self._digests:
            result = self.plugins[name].decoded().to_json()
            self._digests[name] = digest_value({k: v for k, v in result.items() if k != "files"})
        return self._digests[name]
