"""Runs tasks one after the other in this process: for debugging, and where processes can't be forked.

A plugin that crashes the interpreter ends the run, and limits are not enforced; results are the same bytes.
"""

from __future__ import annotations

import contextlib
import io
import resource
import time
from collections import deque
from collections.abc import Iterator
from typing import ClassVar

from toolkit.contain.verdict import reached
from toolkit.execute.base import LOG_TAIL, InForce, OnBeat, OnReport, Outcome, Task, Usage
from toolkit.task.place import PLACE, read_place


class SerialExecutor:
    """See `toolkit.execute.base.Executor`."""

    name: ClassVar[str] = "serial"

    def __init__(self) -> None:
        self._queue: deque[Task] = deque()
        self._on_report: OnReport | None = None
        self._on_beat: OnBeat | None = None

    @classmethod
    def missing(cls) -> tuple[str, ...]:
        """All of it."""
        return ("the executor 'serial' runs plugins in the process of the run itself, which nothing contains",)

    def begin(self, workers: int, on_report: OnReport | None = None, on_beat: OnBeat | None = None) -> None:
        """One task runs at a time, whatever ``workers`` says."""
        del workers
        self._on_report, self._on_beat = on_report, on_beat

    def submit(self, task: Task) -> None:
        """Queue a task."""
        self._queue.append(task)

    def completed(self) -> Iterator[Outcome]:
        """Run the queued tasks; each is run when its outcome is asked for."""
        while self._queue:
            yield self._run(self._queue.popleft())

    def close(self) -> None:
        """Forget the tasks that have not begun."""
        self._queue.clear()

    def _run(self, task: Task) -> Outcome:
        from threadpoolctl import threadpool_limits

        from toolkit.task.dispatch import execute

        def report(data: bytes) -> None:
            if self._on_report is not None:
                self._on_report(task.id, data)

        if self._on_beat is not None:
            self._on_beat(task.id, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
        places = [PLACE.pack(0, 0, -1)]

        def note(place: bytes) -> None:
            places[0] = place

        log = io.StringIO()
        wall, cpu = time.perf_counter(), time.process_time()
        # One thread, as in a worker process: sums of several threads have other last bits.
        with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log), threadpool_limits(1):
            output = execute(task.payload, report, note)
        usage = Usage(
            wall_ms=(time.perf_counter() - wall) * 1e3,
            cpu_ms=(time.process_time() - cpu) * 1e3,
            max_rss=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        )
        tail = log.getvalue()[-LOG_TAIL:]
        place, held = read_place(places[0]), InForce("none", self.missing())
        if len(output) > task.limits.result:
            return Outcome(task.id, None, reached("result", task.limits.result), usage, tail, place, held)
        return Outcome(task.id, output, usage=usage, log=tail, place=place, in_force=held)


PROVIDES = SerialExecutor
