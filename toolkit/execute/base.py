"""What an executor is: bytes in, bytes out, one outcome a task."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Protocol, cast

from toolkit.contain.rules import Enforcement, Level
from toolkit.contain.verdict import WELL, Status, Verdict
from toolkit.core.errors import ToolkitError
from toolkit.task.place import START, Place

OnReport = Callable[[str, bytes], None]
OnBeat = Callable[[str, int], None]
"""Hears of each task that runs, with its resident bytes: when it begins, and twice a second."""

LARGEST_RESULT = 256 << 20
"""Bytes that a task may hand back, at most."""
LOG_TAIL = 8192
"""Bytes of what a task wrote to its standard streams that are kept: the last ones."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one task may use; None for no limit.

    Attributes
    ----------
    wall_ms, cpu_ms : int or None
        Wall and processor time, milliseconds.
    memory : int or None
        Resident bytes.
    disk : int or None
        Bytes in the folder that it may write in.
    threads : int or None
        Threads.
    result : int
        Bytes of the result.
    """

    wall_ms: int | None = None
    cpu_ms: int | None = None
    memory: int | None = None
    disk: int | None = None
    threads: int | None = None
    result: int = LARGEST_RESULT


@dataclass(frozen=True, slots=True)
class Access:
    """What a task may reach, besides the interpreter, installed libraries and the toolkit itself.

    Attributes
    ----------
    read : tuple of str
        Files and folders that it may read; absolute.
    scratch : str
        Folder that it may write in, which exists; empty for none.
    enforcement : str
        What to do where the kernel can't see to that; see `toolkit.contain.rules.Rules`.
    """

    read: tuple[str, ...] = ()
    scratch: str = ""
    enforcement: Enforcement = "best-effort"


@dataclass(frozen=True, slots=True)
class InForce:
    """What contained a task.

    Attributes
    ----------
    level : str
        See `toolkit.contain.rules.InForce`; ``none`` where the task ran in the process of the run itself.
    missing : tuple of str
        What could not be had, a sentence each.
    """

    level: Level | Literal["none"]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """A piece of work: the payload is for `toolkit.task.dispatch.execute`, wherever that runs."""

    id: str
    payload: bytes = field(repr=False)
    limits: Limits = Limits()
    access: Access | None = Access()
    """None for a task that runs only code of the harness, and is not contained."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a task cost.

    Attributes
    ----------
    wall_ms, cpu_ms : float
        Milliseconds.
    max_rss : int
        Peak resident bytes of its process.
    last_rss : int
        Resident bytes when they were last looked at; 0 when they never were.
    """

    wall_ms: float = 0.0
    cpu_ms: float = 0.0
    max_rss: int = 0
    last_rss: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a task ended.

    Attributes
    ----------
    output : bytes or None
        What `toolkit.task.dispatch.execute` returned: a value, or the error that the task's code raised. Of one that
        failed, it counts for that error only.
    verdict : Verdict
        How its process ended; never depends on times or sizes that were measured.
    log : str
        The end of what it wrote to its standard streams.
    place : Place
        Where it was when it ended.
    in_force : InForce or None
        What contained it; None when it ended before it could say.
    """

    task_id: str
    output: bytes | None = field(default=None, repr=False)
    verdict: Verdict = WELL
    usage: Usage = Usage()
    log: str = ""
    place: Place = START
    in_force: InForce | None = None

    @property
    def status(self) -> Status:
        """``ok``: there is output (which may itself report an error); ``failed``; ``timed_out``."""
        return self.verdict.status

    @property
    def reason(self) -> str:
        """Why it failed, in plain words."""
        return self.verdict.reason


class Executor(Protocol):
    """Runs tasks somewhere. Making one begins whatever start-up it needs."""

    name: ClassVar[str]

    @classmethod
    def missing(cls) -> tuple[str, ...]:
        """What of containment can't be had with it on this machine, a sentence each."""

    def begin(self, workers: int, on_report: OnReport | None = None, on_beat: OnBeat | None = None) -> None:
        """Say how many tasks may run at once, and who hears of their progress and of their being alive."""

    def submit(self, task: Task) -> None:
        """Queue a task; tasks begin in the order in which they are submitted."""

    def completed(self) -> Iterator[Outcome]:
        """Outcomes as they come, until no task is left; tasks may be submitted in between."""

    def close(self) -> None:
        """End everything at once; nothing that it started is left."""


def load_executor(name: str) -> type[Executor]:
    """The executor of that name: ``PROVIDES`` of the module of this package that bears it.

    Raises
    ------
    UsageError
        When there is none; the message lists those there are.
    """
    package = __name__.rpartition(".")[0]
    # Straight to the module: scanning the package costs as much time as starting the worker process.
    if name.isidentifier() and importlib.util.find_spec(f"{package}.{name}"):
        found = getattr(importlib.import_module(f"{package}.{name}"), "PROVIDES", None)
        if found is not None:
            return cast("type[Executor]", found)
    from toolkit.core.registry import Registry

    executors: Registry[type[Executor]] = Registry("executor", package=package)
    return executors.get(name)


class ExecutorError(ToolkitError):
    """The executor itself broke, not one of its tasks."""
