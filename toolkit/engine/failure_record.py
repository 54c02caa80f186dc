"""What is kept of a plugin that failed: where, at which limit or by which signal, and what to do."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from toolkit.contain.verdict import Verdict, reached
from toolkit.engine.plan import Planned
from toolkit.engine.work import remedy_for_time
from toolkit.execute.base import Limits, Outcome
from toolkit.task.failure import Failure
from toolkit.task.place import Place

_REPORTED = ("phase", "cause", "limit", "signal", "remedy")
_NO_MEMORY = frozenset({"MemoryError", "_ArrayMemoryError"})
_NO_THREAD = "can't start new thread"
_TOO_LARGE = "[Errno 27]"  # EFBIG


@dataclass(frozen=True, slots=True)
class FailureRecord:
    """Why and where a plugin failed.

    Attributes
    ----------
    plugin, task : str
        The plugin, and which of its tasks.
    status, reason : str
        ``failed`` or ``timed_out``, and why, in a sentence.
    phase : str
        What it was doing, such as ``import`` or ``pass 1, part 3``.
    cause : str
        ``error`` for an error of its code, else as in `toolkit.contain.verdict.Verdict`.
    limit : int or None
        The limit that was reached, in its unit: milliseconds, bytes or a number.
    signal : str
        Name of the signal that ended its process; empty without.
    remedy : str
        What to do about it.
    chunk : int or None
        Chunk that it read last.
    rss : int
        Resident bytes of its process when they were last looked at.
    log : str
        The end of what it printed, and of the traceback.
    """

    plugin: str
    task: str
    status: str
    reason: str
    phase: str
    cause: str
    limit: int | None = None
    signal: str = ""
    remedy: str = ""
    chunk: int | None = None
    rss: int = 0
    log: str = ""

    def reported(self) -> dict[str, Any]:
        """What of it is the same in every run, and stands in the report."""
        return {name: getattr(self, name) for name in _REPORTED}

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        return asdict(self)


def failure_record(
    planned: Planned, outcome: Outcome, limits: Limits, failure: Failure | None, reason: str
) -> FailureRecord:
    """What is to be kept of a task that failed.

    Parameters
    ----------
    planned : Planned
        The plugin.
    outcome : Outcome
        How the task ended.
    limits : Limits
        What it was allowed.
    failure : Failure or None
        The error that its code raised, where it could still say so.
    reason : str
        Why it failed, where neither knows.

    Notes
    -----
    An allocation that is refused and a watch that sees too much memory are the same fault, and whichever comes first is
    chance; so both are told in the same words. So are threads.
    """
    verdict = outcome.verdict
    if verdict.status == "timed_out":
        verdict = replace(verdict, remedy=remedy_for_time(planned.manifest.cost, planned.units))
    if failure is not None and verdict.cause == "none":
        verdict = _as_limit(limits, failure) or verdict
    if failure is not None and verdict.cause in ("none", "violation"):
        cause: str = "error" if verdict.cause == "none" else verdict.cause
        remedy = failure.remedy or verdict.remedy
        reason = failure.reason if failure.remedy or not remedy else f"{failure.reason}; {remedy}"
        verdict = Verdict("failed", verdict.cause, reason, remedy)
    elif verdict.cause == "none":
        cause, verdict = "no_result", Verdict("failed", "no_result", reason)
    else:
        cause = verdict.cause
        reason = f"{verdict.reason}; {verdict.remedy}"
    trace = "" if failure is None else "\n".join(failure.trace)
    return FailureRecord(
        plugin=planned.id,
        task=outcome.task_id,
        status=verdict.status,
        reason=reason,
        # What is on disk is looked at now and then, and at the end: when it is seen is chance.
        phase="run" if cause == "quota" else _phase(outcome.task_id, outcome.place),
        cause=cause,
        limit=verdict.limit,
        signal=verdict.signal,
        remedy=verdict.remedy,
        chunk=outcome.place.chunk,
        rss=outcome.usage.last_rss,
        log="\n".join(t for t in (outcome.log, trace) if t),
    )


def _as_limit(limits: Limits, failure: Failure) -> Verdict | None:
    """The limit that an error speaks of, if it does."""
    if failure.type in _NO_MEMORY and limits.memory is not None:
        return reached("memory", limits.memory)
    if failure.type == "RuntimeError" and failure.message == _NO_THREAD and limits.threads is not None:
        return reached("threads", limits.threads)
    if failure.type == "OSError" and failure.message.startswith(_TOO_LARGE) and limits.disk is not None:
        return reached("quota", limits.disk)
    return None


def _phase(task_id: str, place: Place) -> str:
    """In words; the part from the task's id, which the plugin has no hand in."""
    if not task_id.startswith("plugin:"):
        return task_id.partition(":")[0]  # the harness's own work on what a plugin made
    number = task_id.split(":")[2].partition(".")[2] if task_id.count(":") > 1 else ""
    if place.phase == "pass":
        part = f", part {int(number) + 1}" if number.isdecimal() else ""
        return f"pass {place.pass_number + 1}{part}"
    return f"merge of pass {place.pass_number + 1}" if place.phase == "merge" else place.phase
