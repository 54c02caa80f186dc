"""One forked child as its supervisor sees it: messages, limits, verdict."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import replace

from toolkit.execute.base import LOG_TAIL, Limits, Outcome, Status, Usage
from toolkit.execute.frames import HEADER, REPORT, RESULT, FrameError, FrameReader

_BLOCK = 1 << 18
_MOST_READS = 64
"""Reads in one go; more than a full pipe needs, so that an endless writer can't hold the supervisor up."""
_PAGE = os.sysconf("SC_PAGE_SIZE")
_PLAIN = {
    signal.SIGKILL: "was killed (SIGKILL), as happens when the machine runs out of memory",
    signal.SIGSEGV: "crashed (SIGSEGV)",
    signal.SIGABRT: "aborted (SIGABRT)",
    signal.SIGBUS: "crashed (SIGBUS)",
    signal.SIGFPE: "crashed (SIGFPE)",
    signal.SIGILL: "crashed (SIGILL)",
    signal.SIGSYS: "made a forbidden system call (SIGSYS)",
}


class Child:
    """A running child.

    Parameters
    ----------
    task_id : str
        Its task.
    limits : Limits
        What it may use.
    pid : int
        The process.
    result_fd, log_fd : int
        Ends of its pipes to read from.

    Attributes
    ----------
    pidfd : int
        Becomes readable when the process has ended.
    closed : set of int
        Pipes of which the child has closed its end.
    """

    def __init__(self, task_id: str, limits: Limits, pid: int, result_fd: int, log_fd: int) -> None:
        self.task_id = task_id
        self.pid = pid
        self.result_fd = result_fd
        self.log_fd = log_fd
        self.pidfd = os.pidfd_open(pid)
        self.closed: set[int] = set()
        for descriptor in (result_fd, log_fd):
            os.set_blocking(descriptor, False)
        self._limits = limits
        self._started = time.monotonic()
        self._reader = FrameReader(limits.result + HEADER.size)
        self._output: bytes | None = None
        self._log = b""
        self._verdict: Outcome | None = None

    def read_results(self) -> list[bytes]:
        """Take in what the child sent; gives its progress reports."""
        reports: list[bytes] = []
        for _ in range(_MOST_READS):
            data = self._read(self.result_fd)
            if not data or self._verdict is not None:
                break
            try:
                self._reader.feed(data)
                for kind, body in self._reader.frames():
                    if kind == REPORT:
                        reports.append(body)
                    elif kind == RESULT and self._output is None and len(body) <= self._limits.result:
                        self._output = body
                    else:
                        raise FrameError("a message of another kind")
            except FrameError as error:
                too_long = f"its result has more than {self._limits.result:,} bytes, the limit"
                self._end(
                    "failed", too_long if "more than the limit" in str(error) else "it sent bytes that are no result"
                )
        return reports

    def read_log(self) -> None:
        """Take in what the child printed; its end is kept."""
        for _ in range(_MOST_READS):
            data = self._read(self.log_fd)
            if not data:
                break
            self._log = (self._log + data)[-LOG_TAIL:]

    def check_limits(self) -> None:
        """End the child when it has reached a limit."""
        if self._verdict is not None:
            return
        limits = self._limits
        if limits.wall_ms is not None and (time.monotonic() - self._started) * 1e3 > limits.wall_ms:
            self._end("timed_out", f"reached time_limit_ms: {limits.wall_ms}")
        elif limits.memory is not None and self.resident() > limits.memory:
            self._end("failed", f"used more memory than its limit of {limits.memory / 2**20:,.0f} MiB")

    def resident(self) -> int:
        """Resident bytes of its process; 0 once it has ended."""
        return _resident(self.pid)

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
        )
        outcome = self._verdict or self._judge(status, usage)
        return replace(outcome, usage=usage, log=self._log.decode("utf-8", "replace"))

    def _judge(self, status: int, usage: Usage) -> Outcome:
        if self._output is not None and status == 0:
            return Outcome(self.task_id, "ok", self._output)
        if os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            limit = self._limits.cpu_ms
            if number == signal.SIGXCPU or (number == signal.SIGKILL and limit is not None and usage.cpu_ms >= limit):
                return Outcome(self.task_id, "timed_out", None, f"reached cpu_limit_ms: {limit}")
            return Outcome(self.task_id, "failed", None, f"its process {_plain(number)}")
        code = os.waitstatus_to_exitcode(status)
        return Outcome(self.task_id, "failed", None, f"its process ended without a result (exit code {code})")

    def _read(self, descriptor: int) -> bytes:
        try:
            data = os.read(descriptor, _BLOCK)
        except BlockingIOError:
            return b""
        if not data:
            self.closed.add(descriptor)
        return data

    def _end(self, status: Status, reason: str) -> None:
        self._verdict = Outcome(self.task_id, status, None, reason)
        self.kill()


def _resident(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm", "rb") as stream:  # noqa: PTH123  polled often
            return int(stream.read().split()[1]) * _PAGE
    except (OSError, IndexError, ValueError):
        return 0


def _plain(number: int) -> str:
    known = _PLAIN.get(signal.Signals(number)) if number in set(signal.Signals) else None
    return known or f"was ended by signal {number}"
