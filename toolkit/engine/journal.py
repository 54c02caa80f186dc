"""A thread that writes what must be on disk, so that a run does not wait for every flush."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

Job = Callable[[], None]


class Journal:
    """Carries out jobs in their order, one at a time, beside the run.

    The run itself never forks (its workers are forked by a process of their own), so a thread here is safe.
    """

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    def put(self, job: Job) -> None:
        """Queue a job.

        Raises
        ------
        ToolkitError
            What an earlier job raised, such as that the disk is full.
        """
        self.check()
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
            self._thread.start()
        self._jobs.put(job)

    def check(self) -> None:
        """Raise what a job raised, once."""
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def close(self) -> None:
        """Wait until every job is done; raise what one of them raised."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join()
            self._thread = None
        self.check()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            if self._error is not None:
                continue
            try:
                job()
            except BaseException as error:  # noqa: BLE001  handed to the run, which raises it
                self._error = error
