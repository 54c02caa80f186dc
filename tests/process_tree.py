"""Processes that descend from one, as /proc shows them: for tests that watch and kill."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def children(pid: int) -> list[int]:
    """Processes that a process has started and that have not been waited for."""
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(p) for p in path.read_text().split()]
    return found


def resident(pid: int) -> int:
    """Resident bytes of a process; 0 once it has ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def resident_tree(pid: int) -> int:
    """Resident bytes of a process and of all that descend from it; shared pages count once for each."""
    return resident(pid) + sum(map(resident_tree, children(pid)))


def is_alive(pid: int) -> bool:
    """Whether a process has not ended, be it waited for or not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
