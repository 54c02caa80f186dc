"""What tasks of plugins hand back, and what is kept of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from toolkit.core.encoding import EncodingError, encode
from toolkit.engine.admission import Expected
from toolkit.engine.damage import unless_damaged
from toolkit.engine.failure_record import FailureRecord, failure_record
from toolkit.engine.plugin_run import PluginRun, limits_of, note_failure
from toolkit.execute.base import Outcome
from toolkit.storage.dataset import Dataset
from toolkit.task.failure import Failure
from toolkit.task.packaging import NO_RESULT, ResultError, read_result
from toolkit.task.payload import StoreRef, read_output

_LONGEST_REASON = 1000


@dataclass(frozen=True, slots=True)
class TaskDone:
    """A task that has ended, for those who keep count.

    Attributes
    ----------
    kind : str
        ``plugin`` or ``scan``; ``publish`` or ``check`` for a store of a transform.
    plugin : str
        Id of the plugin; ``kernels`` for a scan.
    columns : int
        Columns that it was about.
    status, reason : str
        How it ended.
    table : Dataset
        The table that it was about.
    expected : Expected
        What it was expected to take.
    failure : FailureRecord or None
        More about how it ended, when a plugin's task failed.
    """

    kind: str
    plugin: str
    columns: int
    status: str
    reason: str
    outcome: Outcome
    table: Dataset
    expected: Expected
    failure: FailureRecord | None = None


def output_of(outcome: Outcome) -> tuple[Any, Failure | None, str]:
    """Value, failure and reason of an outcome: one of value and reason is there."""
    value, failure, reason = None, None, outcome.reason
    if outcome.output is not None:
        try:
            value, failure = read_output(outcome.output)
        except (EncodingError, KeyError, TypeError, ValueError, AttributeError):
            reason = reason or NO_RESULT
    # A plugin that was refused what it tried, and failed upon that, says best at which line.
    reason = reason if failure is None else failure.reason
    return None if reason else value, failure, reason


def take_failure(
    run: PluginRun, store: StoreRef, outcome: Outcome, failure: Failure | None, reason: str
) -> FailureRecord:
    """Note that a task of a plugin failed; what `output_of` gave says why.

    Raises
    ------
    DamagedStoreError
        When it failed because its table is damaged, and that is so.
    """
    failure = None if failure is None else unless_damaged(store, failure)
    record = failure_record(run.planned, outcome, limits_of(run), failure, reason)
    note_failure(run, record)
    return record


def end_with(run: PluginRun, value: dict[str, Any]) -> None:
    """End a plugin with what its last task handed back, or what was kept of it."""
    if value["status"] == "ok":
        run.result = checked(value["result"], run.planned.manifest.type)
        run.end("ok")
    else:
        reason = "; ".join(str(t) for t in (value["reason"], value["recommendation"]) if t)
        run.end("skipped", reason[:_LONGEST_REASON])


def checked(result: bytes, plugin_type: str) -> bytes:
    """A result that a plugin's process handed back; only the engine says what was derived."""
    if read_result(result, plugin_type).derived:
        raise ResultError(NO_RESULT)
    return result


def kept_of(run: PluginRun) -> bytes:
    """What is kept of a plugin that has ended."""
    return encode({"status": run.status, "reason": run.reason, "result": run.result})
