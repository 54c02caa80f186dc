"""Which tasks may begin: those that fit in memory beside what runs, short ones first, then the longest.

The executor begins tasks in the order in which it is given them, so a task is given to it only when it may begin.
What is admitted depends on predictions and on the order in which tasks end; results never do.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

from toolkit.execute.base import Task

SHORT_MS = 100.0
"""A task below this goes first: it delays the long ones by next to nothing, and plugins may wait for its result."""
_LOOK_AHEAD = 64
"""Tasks without room that are passed over at a time, so that thousands of them cost nothing at every turn."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a task is expected to take.

    Attributes
    ----------
    wall_ms : float
        Milliseconds.
    memory : int
        Resident bytes that are set aside for it.
    alone : bool
        Whether nothing may run beside it.
    model_ms : float
        For a scan: milliseconds by the kernels' cost model, before it is corrected by the pace of earlier scans; by
        this, later runs learn that pace.
    """

    wall_ms: float
    memory: int
    alone: bool = False
    model_ms: float = 0.0


class Admission:
    """The queue of tasks that can begin as soon as there is room.

    A task that does not fit does not hold up those that do. One that would not fit even by itself is admitted when
    nothing else runs: the plan has refused what is certain not to fit.

    Parameters
    ----------
    workers : int
        Tasks that run at once.
    limit : int or None
        Bytes that all of them may take together.

    Examples
    --------
    >>> queue = Admission(workers=4, limit=100)
    >>> for name, memory in (("a", 60), ("b", 60), ("c", 40)):
    ...     queue.put(Task(name, b""), Expected(1000.0, memory))
    >>> [t.id for t in queue.take()]
    ['a', 'c']
    >>> queue.ended("a").memory
    60
    >>> [t.id for t in queue.take()]
    ['b']
    """

    def __init__(self, workers: int, limit: int | None) -> None:
        # One more than can run, so that the next one begins without waiting for us.
        self._most = workers + 1
        self._limit = limit
        self._waiting: list[tuple[bool, float, int, Task]] = []
        self._number = 0
        self._held = 0
        self.expected: dict[str, Expected] = {}
        self.admitted: set[str] = set()

    def put(self, task: Task, expected: Expected) -> None:
        """Queue a task."""
        self.expected[task.id] = expected
        long = expected.wall_ms >= SHORT_MS
        heapq.heappush(self._waiting, (long, -expected.wall_ms, self._number, task))
        self._number += 1

    def take(self) -> list[Task]:
        """The tasks that may begin now, in their order; they count as running from here on."""
        taken: list[Task] = []
        passed: list[tuple[bool, float, int, Task]] = []
        while self._waiting and len(self.admitted) < self._most and len(passed) < _LOOK_AHEAD:
            entry = heapq.heappop(self._waiting)
            task = entry[-1]
            if self._fits(self.expected[task.id]):
                self.admitted.add(task.id)
                self._held += self.expected[task.id].memory
                taken.append(task)
            else:
                passed.append(entry)
        for entry in passed:
            heapq.heappush(self._waiting, entry)
        return taken

    def ended(self, task_id: str) -> Expected:
        """A task has ended, and its memory is free; what was expected of it."""
        self.admitted.remove(task_id)
        expected = self.expected.pop(task_id)
        self._held -= expected.memory
        return expected

    def _fits(self, expected: Expected) -> bool:
        if not self.admitted:
            return True
        if expected.alone or any(self.expected[name].alone for name in self.admitted):
            return False
        return self._limit is None or self._held + expected.memory <= self._limit
