"""How many workers a run may have, and how much memory they may take together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from toolkit.govern.machine import available_cores, available_memory, resident
from toolkit.govern.policy import Policy

WORKER_BASE = 64 << 20
"""Resident bytes of a worker before it does anything of its own, most of them shared with the process that it was
forked from; 28 MiB to 45 MiB were measured."""
_ZYGOTE = 112 << 20
"""Resident bytes of the process that workers are forked from."""
_HARNESS = 96 << 20
"""By how much the run's own process grows while it works, at most as a rule."""


@dataclass(frozen=True, slots=True)
class Workers:
    """A number of workers and what decided it."""

    count: int
    reason: str


@dataclass(frozen=True, slots=True)
class MemoryLimit:
    """Resident bytes that all tasks that run at the same time may take together, and what decided it.

    Attributes
    ----------
    bytes : int or None
        None where nothing bounds it.
    reason : str
        ``memory_share``, ``max_memory`` or empty.
    """

    bytes: int | None
    reason: str = ""


def memory_limit(policy: Policy) -> MemoryLimit:
    """What the policy leaves for tasks: of what is free now, and of its own limit less what the harness takes."""
    found = []
    free = available_memory()
    if free is not None:
        found.append((free * policy.memory_share // 100, "memory_share"))
    if policy.max_memory is not None:
        found.append((max(0, policy.max_memory - resident() - _HARNESS - _ZYGOTE), "max_memory"))
    return MemoryLimit(*min(found)) if found else MemoryLimit(None)


def choose_workers(
    asked: int | None, most: int | None, policy: Policy, limit: MemoryLimit, tasks: Sequence[int]
) -> Workers:
    """Workers of a run: as asked for, else what processors, memory and policy allow.

    Memory never lets more run at once than fit, whatever this number is; see `toolkit.engine.admission`. More workers
    than the smallest tasks would fill have no use.

    Parameters
    ----------
    asked : int or None
        What the user asked for; None for ``auto``.
    most : int or None
        TOOLKIT_MAX_WORKERS.
    policy : Policy
        ``max_workers``.
    limit : MemoryLimit
        From `memory_limit`.
    tasks : sequence of int
        Bytes that each kind of task is expected to take.
    """
    if asked is not None:
        return Workers(asked, "--workers")
    limits = {"processors": available_cores()}
    if limit.bytes is not None:
        smallest = min(tasks, default=WORKER_BASE)
        limits["memory"] = max(1, limit.bytes // max(smallest, 1))
    if most is not None:
        limits["TOOLKIT_MAX_WORKERS"] = most
    if policy.max_workers is not None:
        limits["policy"] = policy.max_workers
    reason = min(limits, key=lambda name: limits[name])
    return Workers(limits[reason], reason)
