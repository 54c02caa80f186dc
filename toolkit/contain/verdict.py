"""From how a contained process ended to what is said about it: a pure function."""

from __future__ import annotations

import math
import os
import signal
from dataclasses import asdict, dataclass
from typing import Any, Literal

from toolkit.contain.limits import ORPHANED
from toolkit.contain.rules import Rules, Violation
from toolkit.contain.watch import Breach

Status = Literal["ok", "failed", "timed_out"]
Cause = Literal[
    "none",
    "wall_ms",
    "cpu_ms",
    "memory",
    "threads",
    "quota",
    "result",
    "file_size",
    "forbidden_call",
    "violation",
    "crash",
    "killed",
    "no_result",
]


@dataclass(frozen=True, slots=True)
class Ending:
    """How a process ended, as its supervisor knows it.

    Attributes
    ----------
    status : int
        As wait4 gives it.
    has_result : bool
        Whether a complete result had come.
    rules : Rules
        What it was held to.
    cpu_ms : float
        Processor time that it used, milliseconds.
    breach : Breach or None
        Why its supervisor ended it, if so.
    violations : tuple of Violation
        What its audit hook refused.
    """

    status: int
    has_result: bool
    rules: Rules
    cpu_ms: float = 0.0
    breach: Breach | None = None
    violations: tuple[Violation, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said about it: nothing that hangs on times or sizes measured, only limits and events.

    Attributes
    ----------
    status : str
        ``ok``, ``failed`` or ``timed_out``.
    cause : str
        For programs: the limit that was reached, ``forbidden_call``, ``violation``, ``crash``, ``killed``,
        ``no_result`` or ``none``.
    reason : str
        For persons, such as ``its process crashed (SIGSEGV)``; empty if ok.
    remedy : str
        What to do about it.
    signal : str
        Name of the signal that ended it; empty without.
    limit : int or None
        The limit that was reached, in its unit.
    """

    status: Status = "ok"
    cause: Cause = "none"
    reason: str = ""
    remedy: str = ""
    signal: str = ""
    limit: int | None = None

    def to_json(self) -> dict[str, Any]:
        """The fields as plain values."""
        return asdict(self)


WELL = Verdict()
"""Of what ended well."""

_LIMITS: dict[str, tuple[Status, str, str]] = {
    "wall_ms": (
        "timed_out",
        "reached time_limit_ms: {limit}",
        "lower max_cols, max_pairs or batch_size of this plugin, or raise time_limit_ms in the policy",
    ),
    "cpu_ms": (
        "timed_out",
        "reached cpu_limit_ms: {limit}",
        "lower max_cols, max_pairs or batch_size of this plugin, or raise cpu_limit_ms in the policy",
    ),
    "memory": (
        "failed",
        "used more memory than its limit of {size}",
        "lower batch_size or max_cols of this plugin, or raise memory in the policy",
    ),
    "threads": (
        "failed",
        "ran more threads than its limit of {limit}",
        "limit the threads of the library that it uses",
    ),
    "quota": (
        "failed",
        "wrote more to its folder than its limit of {size}",
        "write less, or raise the disk quota in the policy",
    ),
    "result": (
        "failed",
        "its result has more than {limit:,} bytes, the limit",
        "return aggregates in place of rows, or lower max_findings",
    ),
    "file_size": (
        "failed",
        "wrote a file of more than {size}, the limit",
        "write less, or raise the limit on files in the policy",
    ),
}

_REMOVE = "remove from the plugin what starts programs, or reaches the network, other processes or other files"
_REMOVE_CALL = f"{_REMOVE}; a debugger shows the place when run with enforcement: advisory"
_RUN_ALONE = "run this plugin alone with --executor serial and python -X faulthandler to see where"

_CRASHES = {signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP}
_FROM_OUTSIDE = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT}


def judge(ending: Ending) -> Verdict:
    """Say how it went.

    What a supervisor did counts first, then the signal, then the exit code, and last, of a process that ended well with
    a result, whether it had tried what is forbidden: a plugin that is refused and carries on is not believed.
    """
    if ending.breach is not None:
        return reached(ending.breach.what, ending.breach.limit)
    if os.WIFSIGNALED(ending.status):
        return _judge_signal(os.WTERMSIG(ending.status), ending)
    code = os.waitstatus_to_exitcode(ending.status)
    if code == ORPHANED and not ending.has_result:
        return Verdict("failed", "killed", "its process ended because its supervisor had", "run it again")
    if code != 0 or not ending.has_result:
        return Verdict(
            "failed",
            "no_result",
            f"its process ended without a result (exit code {code})",
            "a plugin returns its result; it must not end the process, as sys.exit and os._exit do",
        )
    grave = [violation for violation in ending.violations if violation.grave]
    if grave:
        more = f", and {len(grave) - 1} more such attempts" if len(grave) > 1 else ""
        reason = f"it tried to {grave[0].sentence}{more}, and went on after that was refused"
        return Verdict("failed", "violation", reason, _REMOVE)
    return WELL


def _judge_signal(number: int, ending: Ending) -> Verdict:
    rules = ending.rules
    name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
    if number == signal.SIGXCPU or (number == signal.SIGKILL and _out_of_time(ending)):
        return reached("cpu_ms", rules.cpu_ms or 0, name)
    if number == signal.SIGXFSZ:
        return reached("file_size", rules.file_size or 0, name)
    if number == signal.SIGSYS:
        reason = f"its process made a system call that is forbidden ({name}), as starting programs or using the network"
        return Verdict("failed", "forbidden_call", reason, _REMOVE_CALL, name)
    if number == signal.SIGKILL:
        return Verdict(
            "failed",
            "killed",
            f"its process was killed ({name}), as happens when the machine runs out of memory",
            "use fewer --workers, or lower memory in the policy",
            name,
        )
    if number in _FROM_OUTSIDE:
        return Verdict("failed", "killed", f"its process was ended from outside ({name})", "run it again", name)
    if number == signal.SIGABRT:
        return Verdict("failed", "crash", f"its process aborted ({name})", _RUN_ALONE, name)
    what = "crashed" if number in _CRASHES else "was ended"
    return Verdict("failed", "crash", f"its process {what} ({name})", _RUN_ALONE, name)


def _out_of_time(ending: Ending) -> bool:
    """Whether SIGKILL came from the hard limit: the process had caught SIGXCPU, and used a second more."""
    limit = ending.rules.cpu_ms
    return limit is not None and ending.cpu_ms >= math.ceil(limit / 1000) * 1000


def reached(what: Cause, limit: int, name: str = "") -> Verdict:
    """The verdict of a process that went beyond a limit.

    Parameters
    ----------
    what : str
        Name of the limit, such as ``memory``.
    limit : int
        In its unit.
    name : str, optional
        The signal that ended it.
    """
    status, reason, remedy = _LIMITS[what]
    size = f"{limit >> 20:,} MiB" if limit >= 1 << 20 else f"{limit:,} bytes"
    return Verdict(status, what, reason.format(limit=limit, size=size), remedy, name, limit)
