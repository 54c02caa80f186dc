"""What a forked child does: contain itself, run one task, hand back bytes."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import mmap
import os
import signal
import sys
import threading
from pathlib import Path
from typing import NoReturn

import msgpack

from toolkit.contain import kernel, limits, lockdown
from toolkit.contain.rules import ContainmentError, Rules, Violation, interpreter_paths
from toolkit.core.freed_memory import keep_freed_memory
from toolkit.execute.base import Access, Limits
from toolkit.execute.frames import IN_FORCE, REPORT, RESULT, VIOLATION, write_frame
from toolkit.task import dispatch
from toolkit.task.place import PLACE

_PR_SET_CHILD_SUBREAPER = 36
_RESULT_FD = 3
_BROKEN = 98
_KEPT_BYTES = 256 << 20


def adopt_orphans() -> None:
    """Become the parent of what one's children leave behind, so that it can be ended."""
    kernel.prctl(_PR_SET_CHILD_SUBREAPER, 1)


@functools.cache
def common_paths() -> tuple[str, ...]:
    """What every task may read: the interpreter, installed libraries, the toolkit."""
    spec = importlib.util.find_spec("toolkit")
    places = (spec.submodule_search_locations if spec is not None else None) or ()
    return (*interpreter_paths(), *(str(Path(place).resolve()) for place in places))


def rules_of(given: Limits, access: Access) -> Rules:
    """What contains a task."""
    return Rules(
        read=(*common_paths(), *access.read),
        write=(access.scratch,) if access.scratch else (),
        memory=given.memory,
        cpu_ms=given.cpu_ms,
        file_size=given.disk,
        threads=given.threads,
        quota=given.disk,
        enforcement=access.enforcement,
    )


def run_child(
    parent: int, payload: bytes, rules: Rules, pipes: tuple[int, int], page: mmap.mmap, *, contained: bool
) -> NoReturn:
    """Run a task in a process that was just forked, and end it.

    Parameters
    ----------
    parent : int
        Process that forked this one.
    payload : bytes
        For `toolkit.task.dispatch.execute`.
    rules : Rules
        What the task may use.
    pipes : tuple of int
        Where its messages go, and what it prints.
    page : mmap
        Shared with the parent, which reads from it where the task was when it ended.
    contained : bool
        False for a task that runs only code of the harness: it takes the limits alone.
    """
    code = _BROKEN
    try:
        os.setpgid(0, 0)
        keep_freed_memory(_KEPT_BYTES)
        _arrange(*pipes)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        speaker = _Speaker()
        if contained:
            output = _contained(parent, payload, rules, speaker, page)
        else:
            limits.die_with_parent(parent)
            limits.close_others([_RESULT_FD])
            limits.take_limits(rules)
            output = dispatch.execute(payload, lambda data: speaker.say(REPORT, data))
        # Either may be something else by now, or have a reader no more.
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        speaker.say(RESULT, output)
        code = 0
    finally:
        # Not sys.exit: handlers and buffers inherited from the parent process must not run here.
        os._exit(code)


def _contained(parent: int, payload: bytes, rules: Rules, speaker: _Speaker, page: mmap.mmap) -> bytes:
    """Lock this process down and run the task; what cannot be contained is not run."""
    try:
        held = lockdown.lock_down(rules, speaker.violation, parent=parent, keep=[_RESULT_FD])
    except ContainmentError as error:
        return dispatch.failure_output(error)
    speaker.say(IN_FORCE, msgpack.packb([held.level, list(held.missing)]))

    def note(place: bytes) -> None:
        page[: PLACE.size] = place

    return dispatch.execute(payload, lambda data: speaker.say(REPORT, data), note)


class _Speaker:
    """Writes messages whole, whichever thread they come from."""

    def __init__(self) -> None:
        # Re-entrant: a signal's handler may come in between.
        self._lock = threading.RLock()

    def say(self, kind: bytes, body: bytes) -> None:
        with self._lock:
            write_frame(_RESULT_FD, kind, body)

    def violation(self, found: Violation) -> None:
        self.say(VIOLATION, msgpack.packb(found.to_json()))


def _arrange(result_fd: int, log_fd: int) -> None:
    """Put the pipes where they belong; the lock-down closes all other descriptors."""
    null = os.open(os.devnull, os.O_RDONLY)
    high = max(result_fd, log_fd, null, _RESULT_FD) + 1
    # Out of the way first: one of the targets may be the other one's source.
    result, log = (os.dup2(fd, high + i, inheritable=False) for i, fd in enumerate((result_fd, log_fd)))
    os.dup2(null, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.dup2(result, _RESULT_FD, inheritable=False)
