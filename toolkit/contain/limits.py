"""What a process does to itself before all else: die with its parent, close what it inherited, take its limits."""

from __future__ import annotations

import contextlib
import math
import os
import resource
import signal
import sys
from collections.abc import Iterable

from toolkit.contain.kernel import PR_SET_PDEATHSIG, prctl
from toolkit.contain.rules import Rules

ORPHANED = 97
"""Exit code of a process whose parent had ended before it could be tied to it."""
_HIGHEST_FD = 1 << 20


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent ends; end at once when that has happened already.

    Raises
    ------
    OSError
        Where there is no such thing: outside Linux.
    """
    if sys.platform == "linux":
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(ORPHANED)


def close_others(keep: Iterable[int]) -> None:
    """Close every descriptor but 0, 1, 2 and those given: what is open already, no later layer governs."""
    start = 3
    for descriptor in sorted({d for d in keep if d >= 3}):
        os.closerange(start, descriptor)
        start = descriptor + 1
    os.closerange(start, _HIGHEST_FD)


def take_limits(rules: Rules) -> dict[str, int]:
    """Put resource limits in force, which can't be raised again without privileges.

    Returns
    -------
    dict
        What is in force, by name; bytes, seconds, numbers. Never more than was in force before.
    """
    wanted = [("core", resource.RLIMIT_CORE, 0, 0), ("open_files", resource.RLIMIT_NOFILE, rules.open_files, None)]
    if rules.cpu_ms is not None:
        seconds = math.ceil(rules.cpu_ms / 1000)
        # The second more is for a process that catches SIGXCPU: then comes SIGKILL.
        wanted.append(("cpu_seconds", resource.RLIMIT_CPU, seconds, seconds + 1))
    if rules.memory is not None:
        # Not RLIMIT_AS: libraries map far more than they use. Mapped files escape this one, and are watched.
        wanted.append(("memory", resource.RLIMIT_DATA, rules.memory, None))
    if rules.file_size is not None:
        wanted.append(("file_size", resource.RLIMIT_FSIZE, rules.file_size, None))
    if sys.platform == "linux":
        # Locked pages can't be swapped out, and message queues hold memory that belongs to no process.
        wanted.append(("locked_memory", resource.RLIMIT_MEMLOCK, 0, 0))
        wanted.append(("message_queues", resource.RLIMIT_MSGQUEUE, 0, 0))
    return {name: _lower(kind, soft, soft if hard is None else hard) for name, kind, soft, hard in wanted}


def be_first_to_go() -> None:
    """When memory runs out, the kernel should end this process and not the one that supervises it."""
    with contextlib.suppress(OSError):
        descriptor = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
        try:
            os.write(descriptor, b"500")
        finally:
            os.close(descriptor)


def _lower(kind: int, soft: int, hard: int) -> int:
    _, highest = resource.getrlimit(kind)
    if highest != resource.RLIM_INFINITY:
        soft, hard = min(soft, highest), min(hard, highest)
    resource.setrlimit(kind, (soft, hard))
    return soft
