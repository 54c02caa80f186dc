"""A run from beginning to end."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from toolkit.core.canonical import pretty_json
from toolkit.core.settings import Settings, read_settings
from toolkit.engine.board import KernelBoard
from toolkit.engine.discovery import discover
from toolkit.engine.journal import Journal
from toolkit.engine.plan import Plan, make_plan
from toolkit.engine.plugin_run import PluginRun
from toolkit.engine.results import ResultStore
from toolkit.engine.run_folder import PLAN, RUN, SCRATCH, RunFolder
from toolkit.engine.run_report import PluginSummary, RunReport
from toolkit.engine.run_settings import DEFAULT_EXECUTOR, Listeners, RunSettings, asked, take_over
from toolkit.engine.schedule import Schedule, TaskDone
from toolkit.engine.tables import OWN, Tables
from toolkit.execute.base import Executor, load_executor
from toolkit.govern.policy import policy_in_force
from toolkit.govern.telemetry import TaskRow, Telemetry
from toolkit.govern.workers import Workers, choose_workers
from toolkit.storage.appdata import AppData
from toolkit.storage.dataset import Dataset, open_location
from toolkit.task.code import code_digest


@dataclass(slots=True)
class Prepared:
    """A run that is planned and not begun."""

    settings: RunSettings
    environment: Settings
    place: AppData
    dataset: Dataset
    plan: Plan
    folder: RunFolder | None


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
    plan = make_plan(dataset, manifests, settings.plugins, policy, settings.params, settings.seed, settings.assume_rows)
    return Prepared(settings, environment, place, dataset, plan, folder)


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
    """
    run = _Run(prepared, listeners)
    try:
        run.work(executor)
    finally:
        run.close()
    return run.finish(executor)


class _Run:
    """A run under way: ties the schedule to folder, journal, telemetry and listeners."""

    def __init__(self, prepared: Prepared, listeners: Listeners) -> None:
        settings, plan = prepared.settings, prepared.plan
        self._prepared, self._listeners = prepared, listeners
        self._started = time.time()
        self._clock = time.monotonic()
        self.folder = prepared.folder or RunFolder.create(prepared.place.runs)
        self.folder.write(
            PLAN, pretty_json({**plan.to_json(), "asked": asked(settings, prepared.dataset.location)}).encode()
        )
        self._journal = Journal()
        self._telemetry = Telemetry(prepared.place.telemetry, listeners.warn)
        reading = prepared.environment.result_cache if settings.cache is None else settings.cache
        self._reading = reading
        self._to_keep: dict[str, dict[str, bytes]] = {}
        self._stores: dict[str, ResultStore] = {}
        self._kernel_code = kernel_code()
        self._tables = Tables(prepared.dataset, self._make_board, prepared.place, self.folder.path / SCRATCH)
        own, keep = self._results_of(plan.store_key), partial(self._keep, plan.store_key)
        self._schedule = Schedule(plan, self._tables, own, keep, self._ended)
        self._workers = Workers(1, "")
        self._files: dict[str, Path] = {}

    def work(self, executor: Executor) -> None:
        """Carry the plan out, and write the files of the report plugins."""
        scans = self._schedule.prepare()
        board = self._tables[OWN].board
        largest = max((board.memory(s) for s in scans), default=0)
        prepared = self._prepared
        self._workers = choose_workers(
            prepared.settings.workers, prepared.environment.max_workers, prepared.plan.policy, largest
        )
        self._listeners.started(self.folder.run_id, self._workers)
        self._write_state()
        executor.begin(self._workers.count, self._listeners.report)
        for done in self._schedule.run(executor, self._workers.count, scans):
            self._write_kept()
            self._record(done)
        self._write_files()

    def close(self) -> None:
        """Wait until all that is finished is on disk; also when the run was cut short."""
        try:
            self._tables.close()
            self._write_kept()
            self._journal.put(self._telemetry.close)  # in the thread that opened it
        finally:
            self._journal.close()

    def finish(self, executor: Executor) -> RunReport:
        """Write what the run cost; what it found."""
        import platform

        summaries = [_summary(run) for run in self._schedule.plugins.values()]
        prepared = self._prepared
        report = RunReport(self.folder.run_id, prepared.plan.store_key, self.folder.path, summaries, self._files)
        side = {
            **report.to_json(),
            "started": _utc(self._started),
            "seconds": round(time.monotonic() - self._clock, 3),
            "executor": executor.name,
            "workers": self._workers.count,
            "workers_limited_by": self._workers.reason,
            "policy": prepared.plan.policy.source,
            "host": {"system": platform.platform(), "python": platform.python_version(), "cores": os.cpu_count()},
            "plugins": [_detail(s) for s in summaries],
        }
        self.folder.write(RUN, pretty_json(side).encode())
        self._write_state(done=True)
        return report

    def _results_of(self, store_key: str) -> ResultStore:
        """What is kept of earlier runs on a table."""
        if store_key not in self._stores:
            folder = self._prepared.place.results / store_key
            self._stores[store_key] = ResultStore(folder, reading=self._reading)
        return self._stores[store_key]

    def _make_board(self, dataset: Dataset) -> KernelBoard:
        policy, key = self._prepared.plan.policy, dataset.key
        read, keep = self._results_of(key).read, partial(self._keep, key)
        return KernelBoard(dataset, self._kernel_code, policy.partition_chunks, policy.scan_memory, read, keep)

    def _keep(self, store_key: str, key: str, body: bytes) -> None:
        self._to_keep.setdefault(store_key, {})[key] = body

    def _write_kept(self) -> None:
        """Have what one task gave written in one go."""
        to_keep, self._to_keep = self._to_keep, {}
        for store_key, results in to_keep.items():
            self._journal.put(partial(self._results_of(store_key).write, results))

    def _ended(self, run: PluginRun) -> None:
        done = sum(p.ended for p in self._schedule.plugins.values())
        self._listeners.plugin(run, done, len(self._schedule.plugins))
        self._write_state()

    def _record(self, done: TaskDone) -> None:
        usage = done.outcome.usage
        run = self._schedule.plugins.get(done.plugin)
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
            started=_utc(time.time() - usage.wall_ms / 1e3),
        )
        self._journal.put(lambda: self._telemetry.record([row]))

    def _write_files(self) -> None:
        """Write what report plugins made; the second of two that make one file fails."""
        owners: dict[str, str] = {}
        for run in self._schedule.plugins.values():
            files = run.decoded().files if run.status == "ok" else {}
            taken = next((name for name in files if name in owners), None)
            if taken is not None:
                run.end("failed", f"it writes {taken}, and so does {owners[taken]}")
                continue
            for name, content in files.items():
                owners[name] = run.id
                self._files[name] = self.folder.write(name, content)

    def _write_state(self, *, done: bool = False) -> None:
        plugins = {
            p.id: {"status": p.status, "type": p.planned.manifest.type, "skip": bool(p.planned.skip)}
            for p in self._schedule.plugins.values()
        }
        self.folder.write_state(
            {
                "run_id": self.folder.run_id,
                "store_key": self._prepared.plan.store_key,
                "pid": os.getpid(),
                "done": done,
                "started": _utc(self._started),
                "seconds": round(time.monotonic() - self._clock, 3),
                "workers": self._workers.count,
                "plugins": plugins,
            }
        )


def kernel_code() -> str:
    """Digest of the kernels' code, so that no result of an older version is taken for one of this."""
    import toolkit.kernels

    return code_digest(Path(toolkit.kernels.__path__[0]))


def _summary(run: PluginRun) -> PluginSummary:
    findings = len(run.decoded().findings)
    log = "\n".join(run.log)
    return PluginSummary(
        run.id, run.status, run.reason, run.cached, run.wall_ms, run.cpu_ms, run.max_rss, findings, log
    )


def _detail(summary: PluginSummary) -> dict[str, Any]:
    return {
        "id": summary.id,
        "status": summary.status,
        "reason": summary.reason,
        "cached": summary.cached,
        "duration_ms": round(summary.duration_ms, 3),
        "cpu_ms": round(summary.cpu_ms, 3),
        "max_rss": summary.max_rss,
        "findings": summary.findings,
        "log": summary.log,
    }


def _utc(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
