"""How many workers a run may have."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from toolkit.govern.policy import Policy

WORKER_BASE = 96 << 20
"""Resident bytes of a worker before it does anything, most of them shared with the process that it was forked from."""


@dataclass(frozen=True, slots=True)
class Workers:
    """A number of workers and what decided it."""

    count: int
    reason: str


def choose_workers(asked: int | None, most: int | None, policy: Policy, task_bytes: int) -> Workers:
    """Workers of a run: as asked for, else what processors, memory and policy allow.

    Parameters
    ----------
    asked : int or None
        What the user asked for; None for ``auto``.
    most : int or None
        TOOLKIT_MAX_WORKERS.
    policy : Policy
        ``max_workers`` and ``memory_share``.
    task_bytes : int
        Bytes that a task may take at most.
    """
    if asked is not None:
        return Workers(asked, "--workers")
    limits = {"processors": available_cores()}
    memory = available_memory()
    if memory is not None:
        limits["memory"] = max(1, memory * policy.memory_share // 100 // (WORKER_BASE + task_bytes))
    if most is not None:
        limits["TOOLKIT_MAX_WORKERS"] = most
    if policy.max_workers is not None:
        limits["policy"] = policy.max_workers
    reason = min(limits, key=lambda name: limits[name])
    return Workers(limits[reason], reason)


def available_cores() -> int:
    """Processors that this process may use: its affinity, and the quota of its control group."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _read(Path("/sys/fs/cgroup/cpu.max")).split()
    if len(quota) == 2 and quota[0].isdecimal() and quota[1].isdecimal():
        cores = min(cores, max(1, -(-int(quota[0]) // int(quota[1]))))
    return cores


def available_memory() -> int | None:
    """Bytes that are free: of the machine, and of the control group; None where that can't be known."""
    lines = _read(Path("/proc/meminfo")).splitlines()
    found = [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
    limit = _read(Path("/sys/fs/cgroup/memory.max")).strip()
    used = _read(Path("/sys/fs/cgroup/memory.current")).strip()
    if limit.isdecimal() and used.isdecimal():
        found.append(max(0, int(limit) - int(used)))
    return min(found, default=None)


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except OSError:
        return ""
