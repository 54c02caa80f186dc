"""Runs each task in a process of its own, forked from a warm one that is started with the run.

Linux only: it needs pidfd, parent-death signals and /proc.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import astuple
from typing import ClassVar

from toolkit.contain.lockdown import missing_layers
from toolkit.contain.verdict import Verdict
from toolkit.core.errors import UsageError
from toolkit.execute.base import ExecutorError, InForce, OnBeat, OnReport, Outcome, Task, Usage
from toolkit.execute.frames import BEAT, BEGIN, OUTCOME, REPORT, TASK, FrameReader, pack
from toolkit.task.place import Place

_SOCKET_FD = 3
_BLOCK = 1 << 20
_LARGEST_MESSAGE = 1 << 34
_PATIENCE = 5.0
_GLANCE = 0.2
"""Seconds after which an interrupt is noticed at the latest."""
_ONE_THREAD = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "BLIS_NUM_THREADS"), "1"
)

_PASSED_ON = frozenset({
    "HOME", "LANG", "LANGUAGE", "PATH", "PYTHONUTF8", "PYTHONWARNINGS", "TMPDIR", "TZ", "TZDIR", "USER", "VIRTUAL_ENV",
})  # fmt: skip
_PASSED_ON_PREFIXES = (
    "ARROW_", "BLIS_", "GOTO_", "KMP_", "LC_", "LD_", "MALLOC_", "MKL_", "NPY_", "NUMBA_", "OMP_", "OPENBLAS_",
)  # fmt: skip


class ProcessExecutor:
    """See `toolkit.execute.base.Executor`."""

    name: ClassVar[str] = "process"

    def __init__(self) -> None:
        if sys.platform != "linux":
            raise UsageError("the executor 'process' needs Linux", "use --executor serial")
        self._waiting: deque[Task] = deque()
        self._sent: set[str] = set()
        self._workers = 0
        self._on_report: OnReport | None = None
        self._on_beat: OnBeat | None = None
        self._reader = FrameReader(_LARGEST_MESSAGE)
        self._link, far = socket.socketpair()
        self._errors, errors_out = os.pipe()
        try:
            self._pid = _start(far.fileno(), errors_out)
        finally:
            far.close()
            os.close(errors_out)

    @classmethod
    def missing(cls) -> tuple[str, ...]:
        """What this machine's kernel can't enforce."""
        return missing_layers()

    def begin(self, workers: int, on_report: OnReport | None = None, on_beat: OnBeat | None = None) -> None:
        """Let ``workers`` tasks run at once."""
        import msgpack

        self._workers, self._on_report, self._on_beat = workers, on_report, on_beat
        self._send(pack(BEGIN, msgpack.packb(workers)))
        self._pump()

    def submit(self, task: Task) -> None:
        """Queue a task."""
        self._waiting.append(task)
        self._pump()

    def completed(self) -> Iterator[Outcome]:
        """Outcomes as they come, until no task is left.

        Raises
        ------
        ExecutorError
            When the process that forks the workers is gone.
        """
        import msgpack

        while self._waiting or self._sent:
            for kind, body in self._receive():
                if kind == OUTCOME:
                    outcome = unpack_outcome(body)
                    self._sent.discard(outcome.task_id)
                    self._pump()
                    yield outcome
                elif kind == BEAT and self._on_beat is not None:
                    for task_id, rss in msgpack.unpackb(body):
                        self._on_beat(task_id, rss)
                elif kind == REPORT and self._on_report is not None:
                    self._on_report(*msgpack.unpackb(body))

    def close(self) -> None:
        """End the workers and the process that forks them, and wait until they are gone."""
        if self._pid == 0:
            return
        self._waiting.clear()
        self._sent.clear()
        self._link.close()
        os.close(self._errors)
        pid, self._pid = self._pid, 0
        deadline = time.monotonic() + _PATIENCE
        while os.waitpid(pid, os.WNOHANG)[0] == 0:
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                return
            time.sleep(0.001)

    def _pump(self) -> None:
        """Send tasks on, one more than can run at once, so that the next begins without waiting for us."""
        import msgpack

        while self._workers and self._waiting and len(self._sent) <= self._workers:
            task = self._waiting.popleft()
            body = [task.id, astuple(task.limits), None if task.access is None else astuple(task.access), task.payload]
            self._sent.add(task.id)
            self._send(pack(TASK, msgpack.packb(body)))

    def _send(self, data: bytes) -> None:
        try:
            self._link.sendall(data)
        except ConnectionError:
            raise self._gone() from None

    def _receive(self) -> Iterator[tuple[bytes, bytes]]:
        # An interrupt that arrives just before a blocking call is noticed only when the call returns: so it must.
        while not select.select([self._link], [], [], _GLANCE)[0]:
            pass
        try:
            data = self._link.recv(_BLOCK)
        except ConnectionError:
            data = b""
        if not data:
            raise self._gone()
        self._reader.feed(data)
        yield from self._reader.frames()

    def _gone(self) -> ExecutorError:
        os.set_blocking(self._errors, False)
        text = b""
        with contextlib.suppress(BlockingIOError):
            text = os.read(self._errors, _BLOCK)
        lines = text.decode("utf-8", "replace").strip().splitlines()
        last = f": {lines[-1]}" if lines else ""
        return ExecutorError(
            f"the process that starts the workers has ended{last}", "run it again, or with --executor serial"
        )


def unpack_outcome(body: bytes) -> Outcome:
    """Read what `toolkit.execute.zygote.pack_outcome` wrote."""
    import msgpack

    task_id, output, verdict, usage, log, place, in_force = msgpack.unpackb(body, max_bin_len=_LARGEST_MESSAGE)
    held = None if in_force is None else InForce(in_force[0], tuple(in_force[1]))
    return Outcome(task_id, output, Verdict(*verdict), Usage(*usage), log, Place(*place), held)


def passed_on(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that workers get to see: what the system and numeric libraries go by, no others.

    What else is there may be a secret, such as a token, and plugins have no business with it.

    Examples
    --------
    >>> passed_on({"PATH": "/bin", "LC_ALL": "C", "AWS_SECRET_ACCESS_KEY": "x", "PYTHON_TOKEN": "y"})
    {'PATH': '/bin', 'LC_ALL': 'C'}
    """
    return {k: v for k, v in environ.items() if k in _PASSED_ON or k.startswith(_PASSED_ON_PREFIXES)}


def _start(link: int, errors: int) -> int:
    """Start the process, with nothing of ours open in it but one end of the socket."""
    paths = [p or os.getcwd() for p in sys.path]  # noqa: PTH109  as sys.path means it
    environment = {
        **passed_on(os.environ),
        **_ONE_THREAD,
        "PYTHONPATH": os.pathsep.join(paths),
        # The order of sets of texts must not depend on the process.
        "PYTHONHASHSEED": "0",
    }
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_DUP2, errors, 2),
        (os.POSIX_SPAWN_DUP2, link, _SOCKET_FD),
    ]
    # Duplicating a descriptor onto itself may leave it to be closed on exec.
    os.set_inheritable(link, link == _SOCKET_FD)
    # Collecting garbage while libraries load finds none; the process turns it on again when it has loaded them.
    program = f"import gc; gc.disable(); from toolkit.execute.zygote import main; main({_SOCKET_FD}, {os.getpid()})"
    return os.posix_spawn(sys.executable, [sys.executable, "-P", "-c", program], environment, file_actions=actions)


PROVIDES = ProcessExecutor
