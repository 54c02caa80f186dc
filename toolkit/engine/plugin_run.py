"""One plugin in a run: its state, and the tasks that carry it out."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from toolkit.core.code import code_digest
from toolkit.core.digest import KEY_LENGTH, digest_value
from toolkit.core.encoding import decode, encode
from toolkit.core.grid import ChunkGrid
from toolkit.engine.plan import Planned
from toolkit.engine.work import remedy_for_time
from toolkit.execute.base import Limits, Task
from toolkit.kernels.base import kernels
from toolkit.plugin.result import Result
from toolkit.task.failure import Failure
from toolkit.task.payload import PluginCall, StoreRef, plugin_payload

_SHAPING = ("core", "ingest", "plugin", "report", "storage", "task")
"""Packages of the harness whose code has a part in what a plugin's result is."""

ENDED = frozenset({"ok", "skipped", "failed", "timed_out"})


@dataclass(slots=True)
class PluginRun:
    """How far a plugin is.

    Attributes
    ----------
    planned : Planned
        What was planned.
    status : str
        ``waiting``, ``running``, or one of `ENDED`.
    reason : str
        Why it was skipped or failed.
    result : bytes or None
        Its encoded result.
    key : str
        Under which the result is kept.
    cached : bool
        Whether the result was kept of an earlier run.
    wall_ms, cpu_ms : float
        Milliseconds of all its tasks.
    max_rss : int
        Peak resident bytes of any of its tasks.
    tasks : int
        How many of them have ended.
    log : list of str
        What its tasks printed, and tracebacks; the ends of them.
    table : dict or None
        The derived table that it runs on: transform, content key, rows; None for the run's own table.
    """

    planned: Planned
    status: str = "waiting"
    reason: str = ""
    result: bytes | None = None
    key: str = ""
    cached: bool = False
    wall_ms: float = 0.0
    cpu_ms: float = 0.0
    max_rss: int = 0
    tasks: int = 0
    log: list[str] = field(default_factory=list)
    table: dict[str, Any] | None = None
    call: PluginCall | None = None
    parts: dict[str, bytes | None] = field(default_factory=dict)
    """Values of the parts of the pass at hand, by task; None while they run."""
    passes: int = 1

    @property
    def id(self) -> str:
        """Id of the plugin."""
        return self.planned.id

    @property
    def ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self.status in ENDED

    def end(self, status: str, reason: str = "") -> None:
        """Bring it to its end; the payload is let go of."""
        self.status, self.reason = status, reason
        self.call = None
        self.parts = {}

    def _references(self) -> list[str]:
        """DOIs of the plugin's own methods and of the kernels that it rests on."""
        used = {need.kernel for need, _ in self.planned.requests}
        return sorted({*self.planned.manifest.references, *(d for k in used for d in kernels.get(k).references)})

    def decoded(self) -> Result:
        """Its result; an empty one when it has none."""
        return Result() if self.result is None else Result.from_json(decode(self.result))

    def outcome(self) -> dict[str, Any]:
        """What the report may know of it: nothing that depends on time, machine or cache."""
        manifest, result = self.planned.manifest, self.decoded()
        return {
            "id": self.id,
            "type": manifest.type,
            "version": manifest.version,
            "summary": manifest.summary,
            "status": self.status,
            "reason": self.reason,
            "coverage": result.coverage,
            "budget": self.planned.budget.to_json(),
            "params": self.planned.params,
            "references": self._references(),
            "data": result.data,
            "findings": [f.to_json() for f in result.findings],
            "n_tests": result.n_tests,
            "omitted": result.omitted,
            "table": self.table,
            "derived": result.derived,
        }


def make_call(
    run: PluginRun,
    answers: Mapping[str, bytes],
    upstream: Mapping[str, bytes],
    report: dict[str, Any] | None,
    *,
    full_load: int | None,
    seed: int,
    partition_chunks: int,
    plan: dict[str, Any] | None = None,
    scratch: str = "",
) -> PluginCall:
    """The task that begins a plugin.

    Parameters
    ----------
    run : PluginRun
        The plugin.
    answers : mapping of str to bytes
        Encoded results of kernels, by the key of the request.
    upstream : mapping of str to bytes
        Encoded results of the plugins that it sees.
    report : dict or None
        The report so far, where it may see it.
    full_load, seed, partition_chunks : int
        Of the policy and the run.
    plan : dict or None
        What the run is going to do, where it may see it.
    scratch : str
        Where a transform stages its table.
    """
    planned, manifest = run.planned, run.planned.manifest
    return PluginCall(
        id=run.id,
        type=manifest.type,
        folder=str(manifest.folder.absolute()),
        digest=planned.digest,
        selectors=list(manifest.columns),
        params=planned.params,
        budget=planned.budget.to_json(),
        full_load=full_load,
        load_rows=planned.assumed_rows,
        seed=seed,
        kernels=[(need.kernel, list(r.columns), need.params, answers[r.key]) for need, r in planned.requests],
        upstream=dict(upstream),
        report=report,
        partition_chunks=partition_chunks,
        omitted=planned.omitted,
        plan=plan,
        scratch=scratch,
    )


@functools.cache
def harness_code() -> str:
    """Digest of the harness's code that shapes results, so that none of an older version is taken for one of this."""
    root = Path(__file__).parents[1]
    return digest_value([code_digest(root / name) for name in _SHAPING])


def result_key(call: PluginCall, store_key: str, kernel_keys: list[str], upstream_digests: dict[str, str]) -> str:
    """Digest of all that a plugin's result depends on: table, code, parameters, budget, kernels, upstream results."""
    report = None if call.report is None else digest_value(call.report)
    content = {
        "harness": harness_code(),
        "store": store_key,
        "plugin": call.id,
        "code": call.digest,
        "selectors": call.selectors,
        "params": call.params,
        "budget": call.budget,
        "full_load": call.full_load,
        "load_rows": call.load_rows,
        "seed": call.seed,
        "kernels": sorted(kernel_keys),
        "upstream": upstream_digests,
        "report": report,
        "plan": None if call.plan is None else digest_value(call.plan),
    }
    return f"{call.id}-{digest_value(content)[:KEY_LENGTH]}"


def begin_task(run: PluginRun, store: StoreRef) -> Task:
    """The first task of a plugin; its call must be set."""
    assert run.call is not None
    return Task(f"plugin:{run.id}", plugin_payload(store, run.call), _limits(run))


def part_tasks(run: PluginRun, store: StoreRef, grid: ChunkGrid, number: int, former: bytes | None) -> list[Task]:
    """Tasks that reduce the partitions in one pass of a plugin that is split."""
    assert run.call is not None
    run.call = replace(run.call, pass_number=number, former=former)
    tasks = []
    for i, span in enumerate(grid.partitions(run.call.partition_chunks)):
        call = replace(run.call, mode="part", partition=[span.start, span.stop])
        tasks.append(Task(f"plugin:{run.id}:{number}.{i}", plugin_payload(store, call), _limits(run)))
    run.parts = {task.id: None for task in tasks}
    return tasks


def take_part(run: PluginRun, store: StoreRef, task_id: str, value: dict[str, Any]) -> Task | None:
    """Keep what a part gave; the task that joins them when it was the last."""
    assert run.call is not None
    run.parts[task_id] = encode(value)
    parts = [data for data in run.parts.values() if data is not None]
    if len(parts) < len(run.parts):
        return None
    run.parts = {}
    call = replace(run.call, mode="join", parts=parts)
    return Task(f"plugin:{run.id}:{run.call.pass_number}.join", plugin_payload(store, call), _limits(run))


def time_out(run: PluginRun, reason: str) -> None:
    """Bring a plugin to its end because a time limit was reached: no part of a result, and which cap to lower."""
    run.end("timed_out", f"{reason}; {remedy_for_time(run.planned.manifest.cost, run.planned.units)}")


def note_failure(run: PluginRun, failure: Failure) -> None:
    """Bring a plugin to its end because of an error that its code raised."""
    run.log.append("\n".join(failure.trace))
    run.end("failed", failure.reason)


def _limits(run: PluginRun) -> Limits:
    budget = run.planned.budget
    return Limits(wall_ms=budget.time_limit_ms, cpu_ms=budget.cpu_limit_ms, memory=budget.memory)
