"""One forked child as its supervisor sees it: messages, limits, verdict."""

from __future__ import annotations

import contextlib
import mmap
import os
import signal
import time

import msgpack

from toolkit.contain.rules import Rules, Violation
from toolkit.contain.verdict import Ending, Verdict, judge
from toolkit.contain.watch import Breach, check, check_quota, resident
from toolkit.execute.base import LOG_TAIL, InForce, Limits, Outcome, Usage
from toolkit.execute.frames import HEADER, IN_FORCE, REPORT, RESULT, VIOLATION, FrameError, FrameReader
from toolkit.task.place import read_place

_BLOCK = 1 << 18
_MOST_READS = 64
"""Reads in one go; more than a full pipe needs, so that an endless writer can't hold the supervisor up."""
_LARGEST_NOTE = 4096
"""Bytes of any message but the result."""
_MOST_VIOLATIONS = 100
_WATCH_EVERY = 0.02
_QUOTA_EVERY = 1.0
_GARBAGE = Verdict(
    "failed",
    "no_result",
    "it sent bytes that are no result",
    "a plugin hands its result over by returning it; descriptors that it did not open are not its own",
)


class Child:
    """A running child.

    Parameters
    ----------
    task_id : str
        Its task.
    limits : Limits
        What it may use.
    rules : Rules
        What contains it.
    pid : int
        The process.
    pipes : tuple of int
        Ends of its pipes to read from: messages, log.
    page : mmap
        Where it notes its place.

    Attributes
    ----------
    pidfd : int
        Becomes readable when the process has ended.
    closed : set of int
        Pipes of which the child has closed its end.
    """

    def __init__(
        self, task_id: str, limits: Limits, rules: Rules, pid: int, pipes: tuple[int, int], page: mmap.mmap
    ) -> None:
        self.task_id = task_id
        self.pid = pid
        self.result_fd, self.log_fd = pipes
        self.pidfd = os.pidfd_open(pid)
        self.closed: set[int] = set()
        for descriptor in pipes:
            os.set_blocking(descriptor, False)
        self._limits, self._rules, self._page = limits, rules, page
        self._started = self._watched = self._measured = time.monotonic()
        self._reader = FrameReader(limits.result + HEADER.size)
        self._output: bytes | None = None
        self._log = b""
        self._breach: Breach | None = None
        self._garbage = False
        self._in_force: InForce | None = None
        self._violations: list[Violation] = []
        self._rss = 0

    def read_results(self) -> list[bytes]:
        """Take in what the child sent; gives its progress reports."""
        reports: list[bytes] = []
        for _ in range(_MOST_READS):
            data = self._read(self.result_fd)
            if not data or self._over:
                break
            try:
                self._reader.feed(data)
                for kind, body in self._reader.frames():
                    if kind == REPORT and len(body) <= _LARGEST_NOTE:
                        reports.append(body)
                    else:
                        self._take(kind, body)
            except FrameError as error:
                if "more than the limit" in str(error):
                    self._end(Breach("result", self._limits.result))
                else:
                    self._garbage = True
                    self.kill()
        return reports

    def read_log(self) -> None:
        """Take in what the child printed; its end is kept."""
        for _ in range(_MOST_READS):
            data = self._read(self.log_fd)
            if not data:
                break
            self._log = (self._log + data)[-LOG_TAIL:]

    def check_limits(self) -> None:
        """End the child when it has reached a limit; to be asked often, and looks now and then."""
        now = time.monotonic()
        if self._over or now - self._watched < _WATCH_EVERY:
            return
        self._watched = now
        limit = self._limits.wall_ms
        if limit is not None and (now - self._started) * 1e3 > limit:
            self._end(Breach("wall_ms", limit))
            return
        self._rss = resident(self.pid) or self._rss
        breach = check(self.pid, self._rules)
        if breach is None and now - self._measured > _QUOTA_EVERY:
            self._measured = now
            breach = check_quota(self._rules, self.pid)
        if breach is not None:
            self._end(breach)

    def resident(self) -> int:
        """Resident bytes of its process; 0 once it has ended."""
        return resident(self.pid)

    def kill(self) -> None:
        """End the child and what it started in its process group."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def reap(self) -> Outcome:
        """Wait for the child, which has ended, and say how it went."""
        self.kill()
        _, status, used = os.wait4(self.pid, 0)
        self.read_results()
        self.read_log()
        for descriptor in (self.result_fd, self.log_fd, self.pidfd):
            os.close(descriptor)
        usage = Usage(
            wall_ms=(time.monotonic() - self._started) * 1e3,
            cpu_ms=(used.ru_utime + used.ru_stime) * 1e3,
            max_rss=used.ru_maxrss * 1024,
            last_rss=self._rss,
        )
        place = read_place(self._page[:])
        self._page.close()
        verdict = self._judge(status, usage.cpu_ms)
        # Of one that failed by what it tried, the output may hold the error that it met upon that.
        output = self._output if verdict.cause in ("none", "violation") else None
        log = self._log.decode("utf-8", "replace")
        return Outcome(self.task_id, output, verdict, usage, log, place, self._in_force)

    @property
    def _over(self) -> bool:
        return self._garbage or self._breach is not None

    def _take(self, kind: bytes, body: bytes) -> None:
        if kind == RESULT and self._output is None and len(body) <= self._limits.result:
            self._output = body
        elif kind == IN_FORCE and self._in_force is None and len(body) <= _LARGEST_NOTE:
            level, missing = msgpack.unpackb(body)
            self._in_force = InForce(level, tuple(missing))
        elif kind == VIOLATION and len(self._violations) < _MOST_VIOLATIONS and len(body) <= _LARGEST_NOTE:
            try:
                self._violations.append(Violation.from_json(msgpack.unpackb(body)))
            except (ValueError, msgpack.UnpackException) as error:
                raise FrameError("this is no violation") from error
        else:
            raise FrameError("a message of another kind")

    def _judge(self, status: int, cpu_ms: float) -> Verdict:
        if self._garbage:
            return _GARBAGE
        breach = self._breach
        if breach is None and self._output is not None:
            breach = check_quota(self._rules)  # what it wrote since the last look
        has_result = self._output is not None
        return judge(Ending(status, has_result, self._rules, cpu_ms, breach, tuple(self._violations)))

    def _read(self, descriptor: int) -> bytes:
        try:
            data = os.read(descriptor, _BLOCK)
        except BlockingIOError:
            return b""
        if not data:
            self.closed.add(descriptor)
        return data

    def _end(self, breach: Breach) -> None:
        self._breach = breach
        self.kill()
