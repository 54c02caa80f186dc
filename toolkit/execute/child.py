"""What a forked child does: shed what it inherited, take its limits, run one task, hand back bytes."""

from __future__ import annotations

import ctypes
import math
import os
import resource
import signal
import sys
from typing import NoReturn

from toolkit.execute.base import Limits
from toolkit.execute.frames import REPORT, RESULT, write_frame

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_RESULT_FD = 3
_HIGHEST_FD = 1 << 20
_ORPHANED = 97
_BROKEN = 98

_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent ends; end at once when that has happened already."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(_ORPHANED)


def adopt_orphans() -> None:
    """Become the parent of what one's children leave behind, so that it can be ended."""
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def run_child(parent: int, payload: bytes, limits: Limits, result_fd: int, log_fd: int) -> NoReturn:
    """Run a task in a process that was just forked, and end it.

    Parameters
    ----------
    parent : int
        Process that forked this one.
    payload : bytes
        For `toolkit.task.execute`.
    limits : Limits
        What the task may use.
    result_fd, log_fd : int
        Pipes for its messages and for what it prints.
    """
    code = _BROKEN
    try:
        die_with_parent(parent)
        os.setpgid(0, 0)
        _keep_only(result_fd, log_fd)
        _take_limits(limits)
        from toolkit.task import execute

        output = execute(payload, lambda data: write_frame(_RESULT_FD, REPORT, data))
        sys.stdout.flush()
        sys.stderr.flush()
        write_frame(_RESULT_FD, RESULT, output)
        code = 0
    finally:
        # Not sys.exit: handlers and buffers inherited from the parent process must not run here.
        os._exit(code)


def _keep_only(result_fd: int, log_fd: int) -> None:
    """Close every descriptor but the task's own: those of siblings would keep their pipes open."""
    null = os.open(os.devnull, os.O_RDONLY)
    high = max(result_fd, log_fd, null, _RESULT_FD) + 1
    # Out of the way first: one of the targets may be the other one's source.
    result, log = (os.dup2(fd, high + i, inheritable=False) for i, fd in enumerate((result_fd, log_fd)))
    os.dup2(null, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.dup2(result, _RESULT_FD, inheritable=False)
    os.closerange(_RESULT_FD + 1, _HIGHEST_FD)


def _take_limits(limits: Limits) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if limits.cpu_ms is not None:
        seconds = math.ceil(limits.cpu_ms / 1000)
        _lower(resource.RLIMIT_CPU, seconds, seconds + 1)
    if limits.memory is not None:
        # Address space would count what is only mapped; data is what is written to. Shared mappings are watched
        # outside.
        _lower(resource.RLIMIT_DATA, limits.memory, limits.memory)
    _be_first_to_go()


def _lower(kind: int, soft: int, hard: int) -> None:
    _, highest = resource.getrlimit(kind)
    if highest != resource.RLIM_INFINITY:
        soft, hard = min(soft, highest), min(hard, highest)
    resource.setrlimit(kind, (soft, hard))


def _be_first_to_go() -> None:
    """When memory runs out, the kernel should end this process and not the one that supervises it."""
    try:
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as stream:  # noqa: PTH123  cheaper in a hot path
            stream.write("500")
    except OSError:
        pass
