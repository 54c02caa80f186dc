"""One plugin in a run: its state, and the tasks that carry it out."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from toolkit.contain.rules import Enforcement
from toolkit.core.code import code_digest
from toolkit.core.digest import KEY_LENGTH, digest_value
from toolkit.core.encoding import decode, encode
from toolkit.core.grid import ChunkGrid
from toolkit.engine.failure_record import FailureRecord
from toolkit.engine.plan import Planned
from toolkit.execute.base import Access, Limits, Task
from toolkit.kernels.base import kernels
from toolkit.plugin.result import Result
from toolkit.task.packaging import ResultError
from toolkit.task.payload import PluginCall, StoreRef, plugin_payload

_SHAPING = ("core", "ingest", "plugin", "report", "storage", "task")
"""Packages of the harness whose code has a part in what a plugin's result is."""

MOST_PASSES = 100
"""Passes of a Reducer, at most, so that none goes on for ever."""
MOST_THREADS = 64
"""Threads of a plugin's process, at most: libraries are held to one each, so that more are a mistake or an attack."""
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
    failure : FailureRecord or None
        More about why it failed, when it did.
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
    passes: int = 0
    """Passes that are split over partitions; 0 for a plugin that is not split."""
    faults: dict[str, FailureRecord] = field(default_factory=dict)
    """Parts of the pass at hand that failed."""
    failure: FailureRecord | None = None

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

    def fail(self, record: FailureRecord) -> None:
        """Bring it to its end because of a failure."""
        self.failure = record
        self.end(record.status, record.reason)

    def fail_without_task(self, phase: str, reason: str) -> None:
        """The same where no process of its own was at fault."""
        self.fail(FailureRecord(self.id, "", "failed", reason, phase, "error"))

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
            "failure": None if self.failure is None else self.failure.reported(),
            "coverage": result.coverage,
            "budget": self.planned.budget.to_json(),
            "params": self.planned.params,
            "family": manifest.family,
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
    )


@functools.cache
def harness_code() -> str:
    """Digest of the harness's code that shapes results, so that none of an older version is taken for one of this."""
    root = Path(__file__).parents[1]
    return digest_value([code_digest(root / name) for name in _SHAPING])


def result_key(call: PluginCall, table: Sequence[str], kernel_keys: list[str], upstream_digests: dict[str, str]) -> str:
    """Digest of all that a plugin's result depends on: table, code, parameters, budget, kernels, upstream results.

    ``table`` is the content key of the table, and where it was derived, that of its source.
    """
    report = None if call.report is None else digest_value(call.report)
    content = {
        "harness": harness_code(),
        "store": list(table),
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


@dataclass(frozen=True, slots=True)
class TaskCall:
    """A task of a plugin that is to be submitted: its id, and what it is about."""

    task_id: str
    call: PluginCall


def passes_of(value: dict[str, Any]) -> int:
    """Passes of a plugin that says that it can be split.

    Raises
    ------
    ResultError
        When it is no number of passes that a plugin can have.
    """
    found = value["split"]
    if type(found) is not int or not 1 <= found <= MOST_PASSES:
        raise ResultError(f"a Reducer has 1 to {MOST_PASSES} passes")
    return found


def begin_call(run: PluginRun) -> TaskCall:
    """The first task of a plugin; its call must be set."""
    assert run.call is not None
    return TaskCall(f"plugin:{run.id}", run.call)


def part_calls(run: PluginRun, grid: ChunkGrid, number: int, former: bytes | None) -> list[TaskCall]:
    """Tasks that reduce the partitions in one pass of a plugin that is split."""
    assert run.call is not None
    run.call = replace(run.call, pass_number=number, former=former)
    calls = []
    for i, span in enumerate(grid.partitions(run.call.partition_chunks)):
        call = replace(run.call, mode="part", partition=[span.start, span.stop])
        calls.append(TaskCall(f"plugin:{run.id}:{number}.{i}", call))
    run.parts = {call.task_id: None for call in calls}
    return calls


def take_part(run: PluginRun, task_id: str, value: dict[str, Any]) -> TaskCall | None:
    """Keep what a part gave; the task that joins them when it was the last."""
    assert run.call is not None
    run.parts[task_id] = encode({name: value[name] for name in ("nodes", "reads", "full_loads")})
    parts = [data for data in run.parts.values() if data is not None]
    settle_faults(run)
    if run.ended or len(parts) < len(run.parts):
        return None
    run.parts = {}
    call = replace(run.call, mode="join", parts=parts)
    return TaskCall(f"plugin:{run.id}:{run.call.pass_number}.join", call)


def plugin_task(
    run: PluginRun,
    call: TaskCall,
    store: StoreRef,
    scratch: Path,
    enforcement: Enforcement,
    source: StoreRef | None = None,
) -> Task:
    """The task as an executor takes it.

    Parameters
    ----------
    run : PluginRun
        The plugin.
    call : TaskCall
        What to do.
    store : StoreRef
        The table.
    scratch : Path
        Folder that the task may write in; absolute.
    enforcement : str
        Of the policy.
    source : StoreRef or None
        The table from which that one was derived, which the task may read as well.
    """
    payload = plugin_payload(store, replace(call.call, scratch=str(scratch)), source)
    tables = [store.location] if source is None else [store.location, source.location]
    access = Access((*tables, call.call.folder), str(scratch), enforcement)
    return Task(call.task_id, payload, limits_of(run), access)


def note_failure(run: PluginRun, record: FailureRecord) -> None:
    """Bring a plugin to its end because one of its tasks failed, as soon as it is known which one is to be told of.

    Of the parts of a pass it is the first in the order of the rows, whichever failed first: the report is the same for
    any number of workers.
    """
    if record.log:
        run.log.append(record.log)
    if run.ended:
        return
    if record.task not in run.parts:
        run.fail(record)
        return
    run.faults[record.task] = record
    settle_faults(run)


def settle_faults(run: PluginRun) -> None:
    """End a plugin of which a part failed, when all parts before that one are through."""
    for task_id, data in run.parts.items():
        if task_id in run.faults:
            run.fail(run.faults[task_id])
            return
        if data is None:
            return


def limits_of(run: PluginRun) -> Limits:
    """What each of a plugin's tasks may use."""
    budget = run.planned.budget
    return Limits(budget.time_limit_ms, budget.cpu_limit_ms, budget.memory, budget.disk, MOST_THREADS)
