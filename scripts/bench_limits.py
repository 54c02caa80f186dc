"""What the machine itself gains from a second process, so that what a run gains can be judged by it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np

TASKS = 8
VALUES = 1 << 20


def arithmetic() -> None:
    """The interpreter alone, in the processor's cache."""
    total = 0
    for number in range(6_000_000):
        total += number * number


def sorting() -> None:
    """A chunk's worth of numbers: sorted, summed, combined."""
    values = np.random.default_rng(1).random(VALUES)
    for _ in range(15):
        np.cumsum(np.sort(values))
        values = values * 0.5 + 0.25


def fresh_memory() -> None:
    """Arrays of 64 MiB, each in memory that the kernel hands out anew."""
    for _ in range(20):
        np.ones(8 * VALUES)[:] += 1


LOOPS: dict[str, Callable[[], None]] = {
    "interpreter": arithmetic,
    "sorting in memory": sorting,
    "fresh memory": fresh_memory,
}


def bench_limits(repeats: int) -> list[dict[str, Any]]:
    """Eight tasks in one process and in two, in turn, again and again."""
    gains: dict[str, list[float]] = {name: [] for name in LOOPS}
    for _ in range(repeats):
        for name, loop in LOOPS.items():
            walls = []
            for workers in (1, 2):
                with ProcessPoolExecutor(workers) as pool:
                    list(pool.map(_nothing, range(workers)))
                    began = time.perf_counter()
                    for future in [pool.submit(loop) for _ in range(TASKS)]:
                        future.result()
                    walls.append(time.perf_counter() - began)
            gains[name].append(walls[0] / walls[1])
    return [{"name": n, "gain": round(statistics.median(g), 2), "spread": _ends(g)} for n, g in gains.items()]


def _nothing(_: int) -> None:
    """Has a worker begin."""


def _ends(gains: list[float]) -> list[float]:
    return [round(min(gains), 2), round(max(gains), 2)]
