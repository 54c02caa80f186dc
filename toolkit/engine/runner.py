"""A run from beginning to end."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from toolkit.core.canonical import canonical_json, pretty_json
from toolkit.core.settings import read_settings
from toolkit.engine.board import KernelBoard
from toolkit.engine.containment import Containment, check_enforcement
from toolkit.engine.crate import libraries, write_crate
from toolkit.engine.discovery import discover
from toolkit.engine.eta import Eta, eta_from_state
from toolkit.engine.forecast import Forecasts, check_something_runs
from toolkit.engine.journal import Journal
from toolkit.engine.outcomes import TaskDone
from toolkit.engine.plan import make_plan
from toolkit.engine.plugin_run import PluginRun
from toolkit.engine.prepared import Prepared, kernel_code
from toolkit.engine.results import ResultStore
from toolkit.engine.run_folder import PLAN, RUN, RunFolder
from toolkit.engine.run_report import RunCost, RunReport
from toolkit.engine.run_settings import DEFAULT_EXECUTOR, Listeners, RunSettings, asked, take_over
from toolkit.engine.running import Running, phase_of
from toolkit.engine.schedule import Schedule
from toolkit.engine.scratch import Scratch
from toolkit.engine.side_file import detail_of, plugin_row, run_state, summary_of, utc
from toolkit.engine.tables import OWN, Tables
from toolkit.execute.base import Executor, load_executor
from toolkit.govern.history import plugin_history, scan_pace
from toolkit.govern.policy import policy_in_force
from toolkit.govern.telemetry import Telemetry
from toolkit.govern.telemetry_schema import TaskRow
from toolkit.govern.workers import WORKER_BASE, Workers, memory_limit
from toolkit.storage.appdata import AppData
from toolkit.storage.dataset import Dataset, open_location

_TELL_SECONDS = 0.2
_BEAT_SECONDS = 1.0
_STATE_SECONDS = 0.25
"""The state has every plugin: writing it after each of them would take time by the square of their number."""
_ETA_SECONDS = 2.0
"""An estimate takes some milliseconds, which should not be taken from the run more often."""


def run_plugins(
    store: Dataset | str | Path | None = None,
    *,
    appdata: str | Path | None = None,
    plugins: Sequence[str] = (),
    plugin_dirs: Sequence[str | Path] = (),
    policy: str | Path = "",
    executor: str = DEFAULT_EXECUTOR,
    workers: int | None = None,
    cache: bool | None = None,
    resume: str = "",
    params: Mapping[str, Mapping[str, Any]] | None = None,
    seed: int = 0,
    assume_rows: int | None = None,
) -> RunReport:
    """Run plugins over every row of a table.

    Parameters
    ----------
    store : Dataset, path or str, optional
        An open store, its path or its key; the newest by default.
    appdata : path, optional
        Folder for results and runs; ``TOOLKIT_APPDATA`` or ``appdata`` by default.
    plugins : sequence of str
        Ids, or patterns with ``*``; all when empty.
    plugin_dirs : sequence of path
        Further folders with plugins.
    policy : path or str
        A policy file, the name of one that ships, or ``"off"``; ``TOOLKIT_POLICY`` or the default one when empty.
    executor : str
        ``process``: each task in a process of its own; ``serial``: in this one.
    workers : int, optional
        Tasks at a time; as many as processors, memory and policy allow by default.
    cache : bool, optional
        Whether results kept of earlier runs may be used; ``TOOLKIT_RESULT_CACHE`` or yes by default.
    resume : str
        Id of a run to go on with.
    params : mapping, optional
        Values of parameters by plugin and name.
    seed : int
        Of random streams.
    assume_rows : int, optional
        Budgets and limits are those of a table of so many rows: a rehearsal on a small table.

    Returns
    -------
    RunReport
        A plugin that fails does so alone; ``status`` says whether one did.

    Raises
    ------
    ToolkitError
        When the run as a whole can't be done: wrong usage or manifest, damaged store, full disk.
    """
    folders, place = [Path(p) for p in plugin_dirs], None if appdata is None else Path(appdata)
    settings = RunSettings(
        store, place, plugins, folders, str(policy), executor, workers, cache, resume, params or {}, seed, assume_rows
    )
    with closing(load_executor(executor)()) as runner:
        return carry_out(prepare_run(settings), runner, Listeners())


def prepare_run(settings: RunSettings) -> Prepared:
    """Open the table and plan the run; nothing is written.

    Raises
    ------
    UsageError, BadInputError
        When it can't be done as asked.
    ContainmentError
        When the policy demands enforcement that can't be had.
    """
    environment = read_settings()
    place = AppData(settings.appdata or environment.appdata)
    folder = RunFolder.find(place.runs, settings.resume) if settings.resume else None
    if folder is not None:
        take_over(settings, folder.read(PLAN).get("asked", {}))
    policy = policy_in_force(settings.policy, environment)
    manifests = discover([*settings.plugin_dirs, *environment.plugin_path])
    store = settings.store
    dataset = (
        store if isinstance(store, Dataset) else open_location(place.find_store(None if store is None else str(store)))
    )
    check_enforcement(policy.enforcement, settings.executor)
    plan = make_plan(dataset, manifests, settings.plugins, policy, settings.params, settings.seed, settings.assume_rows)
    history = plugin_history(place.telemetry, [p.id for p in plan.plugins])
    forecasts = Forecasts(plan, dataset.grid.chunk_rows, history, memory_limit(policy))
    return Prepared(settings, environment, place, dataset, plan, folder, forecasts)


def carry_out(prepared: Prepared, executor: Executor, listeners: Listeners) -> RunReport:
    """Do what was planned.

    Parameters
    ----------
    prepared : Prepared
        From `prepare_run`.
    executor : Executor
        New; the caller closes it.
    listeners : Listeners
        Who hears of what.

    Raises
    ------
    BudgetError
        Before anything is written, when what is asked for can't fit in memory.
    """
    check_something_runs(prepared.plan)
    prepared.forecasts.check()
    folder = prepared.folder or RunFolder.create(prepared.place.runs)
    with folder.held():
        run = _Run(prepared, folder, executor, listeners)
        try:
            run.work()
        except BaseException:
            executor.close()  # nobody may be at work in the folders that are removed
            raise
        finally:
            run.close()
        return run.finish()


class _Run:
    """A run under way: ties the schedule to folder, journal, telemetry and listeners."""

    def __init__(self, prepared: Prepared, folder: RunFolder, executor: Executor, listeners: Listeners) -> None:
        settings, plan = prepared.settings, prepared.plan
        self._prepared, self._executor, self._listeners = prepared, executor, listeners
        self._started = time.time()
        self._clock = time.monotonic()
        self.folder = folder
        self.folder.write(
            PLAN, pretty_json({**plan.to_json(), "asked": asked(settings, prepared.dataset.location)}).encode()
        )
        self._journal = Journal()
        self._telemetry = Telemetry(prepared.place.telemetry, listeners.warn)
        self._to_keep: dict[str, dict[str, bytes]] = {}
        self._stores: dict[str, ResultStore] = {}
        self._kernel_code = kernel_code()
        self._tables = Tables(prepared.dataset, self._make_board, prepared.place)
        self._containment = Containment(plan.policy.enforcement)
        self._scratch = Scratch(prepared.place, self.folder.path)
        pace = scan_pace(prepared.place.telemetry, self._kernel_code) or 1.0
        self._forecasts = prepared.forecasts
        self._schedule = Schedule(
            plan,
            self._tables,
            self._results_of(plan.store_key),
            partial(self._keep, plan.store_key),
            self._ended,
            self._scratch,
            self._forecasts,
            pace,
        )
        self._running = Running(self.folder.run_id, lambda task: phase_of(task, self._schedule.plugins), self._heard)
        self._workers = Workers(1, "")
        self._predicted: Eta | None = None
        self._eta = Eta(0.0, 0.0, 0.0)
        self._files: dict[str, Path] = {}
        self._packs_noted: set[str] = set()
        self._said_damaged = False
        self._beaten = self._told = self._estimated = self._stated = 0.0

    def work(self) -> None:
        """Carry the plan out, and write the files of the report plugins."""
        scans = self._schedule.prepare()
        board = self._tables[OWN].board
        self._workers = self._prepared.workers([WORKER_BASE + board.memory(s) for s in scans])
        self._listeners.started(self.folder.run_id, self._workers)
        self._executor.begin(self._workers.count, self._running.report, self._running.beat)
        self._write_state()
        for done in self._schedule.run(self._executor, self._workers.count, scans):
            self._running.ended(done.outcome.task_id)
            self._write_kept()
            self._record(done)
        self._write_files()

    def close(self) -> None:
        """Wait until all that is finished is on disk; also when the run was cut short."""
        try:
            self._scratch.close()
            self._write_kept()
            self._journal.put(lambda: self._telemetry.beat(self.folder.run_id, []))
            self._journal.put(self._telemetry.close)  # in the thread that opened it
        finally:
            self._journal.close()
        self._write_state()

    def finish(self) -> RunReport:
        """Write what the run cost; what it found."""
        import platform

        prepared, limit = self._prepared, self._forecasts.limit
        summaries = [summary_of(run, self._forecasts.get(run.id)) for run in self._schedule.plugins.values()]
        eta = self._predicted or Eta(0.0, 0.0, 0.0)
        cost = RunCost(
            round(time.monotonic() - self._clock, 3),
            (round(eta.seconds, 3), round(eta.low, 3), round(eta.high, 3)),
            self._running.peak,
            limit.bytes,
            limit.reason,
        )
        held, key = self._containment.to_json(), prepared.plan.store_key
        report = RunReport(self.folder.run_id, key, self.folder.path, summaries, self._files, cost, held)
        side = {
            **report.to_json(),
            "started": utc(self._started),
            "ended": utc(time.time()),
            "seconds": cost.seconds,
            "predicted_seconds": dict(zip(("value", "low", "high"), cost.predicted_seconds, strict=True)),
            "executor": self._executor.name,
            "workers": self._workers.count,
            "workers_limited_by": self._workers.reason,
            "memory": {"limit": limit.bytes, "limited_by": limit.reason, "peak_of_tasks": cost.peak_rss},
            "damaged_results": sorted(self._damaged()),
            "policy": prepared.plan.policy.source,
            "enforcement": held,
            "host": {"system": platform.platform(), "python": platform.python_version(), "cores": os.cpu_count()},
            "libraries": libraries(),
            "plugins": [detail_of(s) for s in summaries],
        }
        self.folder.write(RUN, pretty_json(side).encode())
        write_crate(self.folder, self._files, side, [run.outcome() for run in self._schedule.plugins.values()])
        self._write_state(done=True)
        return report

    def _results_of(self, store_key: str) -> ResultStore:
        """What is kept of earlier runs on a table."""
        if store_key not in self._stores:
            self._stores[store_key] = self._prepared.kept_results(store_key)
        return self._stores[store_key]

    def _make_board(self, dataset: Dataset) -> KernelBoard:
        results, keep = self._results_of(dataset.key), partial(self._keep, dataset.key)
        return self._prepared.board(dataset, self._kernel_code, results, keep)

    def _keep(self, store_key: str, key: str, body: bytes) -> None:
        self._to_keep.setdefault(store_key, {})[key] = body

    def _write_kept(self) -> None:
        """Have what one task gave written in one go."""
        to_keep, self._to_keep = self._to_keep, {}
        for store_key, results in to_keep.items():
            self._journal.put(partial(self._results_of(store_key).write, results))
        self._journal.put(partial(self._note_packs, list(self._stores.values())))
        damaged = self._damaged()
        if damaged and not self._said_damaged:
            self._said_damaged = True
            names = ", ".join(sorted(set(damaged.values())))
            self._listeners.warn(f"kept results are damaged and are computed anew: {names}")

    def _note_packs(self, stores: Sequence[ResultStore]) -> None:
        new = {name for store in stores for name in store.packs.copy()} - self._packs_noted
        if new:
            self._packs_noted |= new
            self.folder.note_packs(sorted(new))

    def _damaged(self) -> dict[str, str]:
        """Results that failed their digest, with their packs."""
        return {key: pack for store in self._stores.values() for key, pack in store.damaged.items()}

    def _ended(self, run: PluginRun) -> None:
        done = sum(p.ended for p in self._schedule.plugins.values())
        self._listeners.plugin(run, done, len(self._schedule.plugins))
        if time.monotonic() - self._stated >= _STATE_SECONDS:
            self._write_state()
        if run.tasks:
            table = self._tables[run.planned.manifest.table].dataset
            row = plugin_row(run, self.folder.run_id, table, self._executor.name)
            self._journal.put(lambda: self._telemetry.record([row]))

    def _heard(self) -> None:
        """A sign of life has come: tell, at most so often, those in this process and those in others."""
        now = time.monotonic()
        if now - self._told < _TELL_SECONDS:
            return
        self._told = now
        tasks = self._running.tasks()
        if self._predicted is None or (self._listeners.running and now - self._estimated >= _ETA_SECONDS):
            self._estimated = now
            self._eta = eta_from_state(self._state(), tasks, time.time())
            self._predicted = self._predicted or self._eta
        if self._listeners.running:
            self._listeners.running(tasks, self._eta)
        if now - self._beaten >= _BEAT_SECONDS:
            self._beaten = now
            self._journal.put(lambda: self._telemetry.beat(self.folder.run_id, tasks))
            self._write_state()

    def _record(self, done: TaskDone) -> None:
        usage, expected = done.outcome.usage, done.expected
        run = self._schedule.plugins.get(done.plugin)
        self._containment.add(done.outcome.in_force)
        row = TaskRow(
            run_id=self.folder.run_id,
            task=done.outcome.task_id,
            kind=done.kind,
            plugin=done.plugin,
            code_digest=self._kernel_code if run is None else run.planned.digest,
            store_key=done.table.key,
            rows=done.table.rows,
            columns=done.columns,
            wall_ms=usage.wall_ms,
            cpu_ms=usage.cpu_ms,
            max_rss=usage.max_rss,
            status=done.status,
            reason=done.reason,
            started=utc(time.time() - usage.wall_ms / 1e3),
            executor=self._executor.name,
            predicted_ms=expected.model_ms,
            predicted_rss=expected.memory,
            failure="" if done.failure is None else canonical_json(done.failure.to_json()),
        )
        self._journal.put(lambda: self._telemetry.record([row]))

    def _write_files(self) -> None:
        """Write what report plugins made; the second of two that make one file fails."""
        owners: dict[str, str] = {}
        for run in self._schedule.plugins.values():
            files = run.decoded().files if run.status == "ok" else {}
            taken = next((name for name in files if name in owners), None)
            if taken is not None:
                run.fail_without_task("files", f"it writes {taken}, and so does {owners[taken]}")
                continue
            for name, content in files.items():
                owners[name] = run.id
                self._files[name] = self.folder.write(name, content)

    def _state(self, *, done: bool = False) -> dict[str, Any]:
        head = {
            "run_id": self.folder.run_id,
            "store_key": self._prepared.plan.store_key,
            "pid": os.getpid(),
            "done": done,
            "started": utc(self._started),
            "seconds": round(time.monotonic() - self._clock, 3),
            "workers": self._workers.count,
        }
        return run_state(self._schedule.plugins.values(), self._forecasts, self._schedule.scans_left(), head)

    def _write_state(self, *, done: bool = False) -> None:
        self._stated = time.monotonic()
        self.folder.write_state(self._state(done=done))
