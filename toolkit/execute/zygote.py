"""The process that forks the workers: one thread, libraries loaded, nothing else.

It is started once a run, loads what every task needs while the run is still being planned, and then forks one child
a task:
a fork of a process with threads can deadlock, a fresh interpreter would cost a quarter of a second each, and a pool
whose
processes serve several tasks loses them all when one crashes. It speaks with the run over one socket and ends with it.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import io
import mmap
import os
import selectors
import signal
import socket
import sys
import time
from collections import deque
from dataclasses import astuple
from pathlib import Path
from typing import cast

import msgpack

from toolkit.contain import lockdown
from toolkit.contain.limits import die_with_parent
from toolkit.core.freed_memory import give_back_freed_memory
from toolkit.execute.base import Access, Limits, Outcome
from toolkit.execute.child import adopt_orphans, common_paths, rules_of, run_child
from toolkit.execute.frames import BEAT, BEGIN, OUTCOME, REPORT, TASK, FrameReader, pack
from toolkit.execute.supervise import Child
from toolkit.task import dispatch

_BLOCK = 1 << 20
_POLL = 0.05
_BEAT_SECONDS = 0.5
_LARGEST_TASK = 1 << 34
_PIPE_BYTES = 1 << 20
_F_SETPIPE_SZ = 1031


class Zygote:
    """Forks and supervises children on behalf of the process at the other end of the socket.

    Parameters
    ----------
    link : socket
        To the run.
    """

    def __init__(self, link: socket.socket) -> None:
        link.setblocking(False)
        self._link = link
        self._reader = FrameReader(_LARGEST_TASK)
        self._outgoing: deque[memoryview] = deque()
        self._waiting: deque[tuple[str, Limits, Access | None, bytes]] = deque()
        self._children: dict[int, Child] = {}
        self._workers = 1
        self._loaded = False
        self._beaten = 0.0
        self._selector = selectors.DefaultSelector()
        self._selector.register(link, selectors.EVENT_READ)

    def serve(self) -> None:
        """Work until the run closes its end; then end every child."""
        try:
            while self._turn():
                pass
        finally:
            for child in self._children.values():
                child.kill()
            _kill_strays(set())

    def _turn(self) -> bool:
        """Handle what has happened; False when the run has gone."""
        gone = False
        for key, mask in self._selector.select(_POLL if self._children else None):
            if key.fileobj is self._link:
                gone |= bool(mask & selectors.EVENT_READ) and not self._receive()
                if mask & selectors.EVENT_WRITE:
                    self._send()
            else:
                self._hear(*key.data)
        for child in self._children.values():
            child.check_limits()
        while self._waiting and len(self._children) < self._workers and not gone:
            self._fork(*self._waiting.popleft())
        self._beat()
        if self._children and not self._loaded:
            self._loaded = True
            # What can't be loaded here is the failure of the task that needs it, with its reason.
            with contextlib.suppress(Exception):
                dispatch.preload_rest()
            _check_threads()
        return not gone

    def _receive(self) -> bool:
        try:
            data = self._link.recv(_BLOCK)
        except BlockingIOError:
            return True
        except ConnectionError:
            return False
        self._reader.feed(data)
        for kind, body in self._reader.frames():
            if kind == BEGIN:
                self._workers = int(msgpack.unpackb(body))
            elif kind == TASK:
                task_id, limits, access, payload = msgpack.unpackb(body, max_bin_len=_LARGEST_TASK)
                held = None if access is None else Access(tuple(access[0]), *access[1:])
                self._waiting.append((task_id, Limits(*limits), held, payload))
        return bool(data)

    def _fork(self, task_id: str, limits: Limits, access: Access | None, payload: bytes) -> None:
        result_in, result_out = os.pipe()
        log_in, log_out = os.pipe()
        _enlarge(result_out)
        rules, page = rules_of(limits, access or Access()), mmap.mmap(-1, mmap.PAGESIZE)
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            run_child(parent, payload, rules, (result_out, log_out), page, contained=access is not None)
        # Children to come have no business with it.
        page.madvise(mmap.MADV_DONTFORK)
        os.close(result_out)
        os.close(log_out)
        child = Child(task_id, limits, rules, pid, (result_in, log_in), page)
        self._children[pid] = child
        self._beaten = 0.0
        for descriptor, what in ((child.result_fd, "result"), (child.log_fd, "log"), (child.pidfd, "end")):
            self._selector.register(descriptor, selectors.EVENT_READ, (pid, descriptor, what))

    def _beat(self) -> None:
        """Say which tasks run, and what memory they have: when one has begun, and every half second."""
        now = time.monotonic()
        if self._children and now - self._beaten >= _BEAT_SECONDS:
            self._beaten = now
            found = [[c.task_id, c.resident()] for c in self._children.values()]
            # One that has just ended, and is not reaped yet, has none.
            self._queue(BEAT, msgpack.packb([beat for beat in found if beat[1]]))

    def _hear(self, pid: int, descriptor: int, what: str) -> None:
        child = self._children.get(pid)
        if child is None:
            return
        if what == "end":
            self._finish(child)
            return
        if what == "log":
            child.read_log()
        else:
            reports = child.read_results()
            # The latest is enough, and none is worth waiting for: they are as many as a plugin likes.
            if reports and not self._outgoing:
                self._queue(REPORT, msgpack.packb([child.task_id, reports[-1]]))
        if descriptor in child.closed:
            self._selector.unregister(descriptor)

    def _finish(self, child: Child) -> None:
        for descriptor in (child.result_fd, child.log_fd, child.pidfd):
            with contextlib.suppress(KeyError):
                self._selector.unregister(descriptor)
        del self._children[child.pid]
        outcome = child.reap()
        _kill_strays(set(self._children))
        self._queue(OUTCOME, pack_outcome(outcome))

    def _queue(self, kind: bytes, body: bytes) -> None:
        self._outgoing.append(memoryview(pack(kind, body)))
        self._send()

    def _send(self) -> None:
        """Send as much as the run takes; never wait, as it may itself be waiting for us to take a task."""
        while self._outgoing:
            try:
                sent = self._link.send(self._outgoing[0])
            except BlockingIOError:
                break
            except ConnectionError:
                self._outgoing.clear()
                break
            if sent == len(self._outgoing[0]):
                self._outgoing.popleft()
            else:
                self._outgoing[0] = self._outgoing[0][sent:]
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._outgoing else 0)
        if self._selector.get_key(self._link).events != wanted:
            self._selector.modify(self._link, wanted)


def pack_outcome(outcome: Outcome) -> bytes:
    """An outcome as bytes; see `unpack_outcome` of the process executor."""
    parts = (outcome.verdict, outcome.usage, outcome.place, outcome.in_force)
    verdict, usage, place, in_force = (None if part is None else astuple(part) for part in parts)
    return bytes(msgpack.packb([outcome.task_id, outcome.output, verdict, usage, outcome.log, place, in_force]))


def main(descriptor: int, parent: int) -> None:
    """Serve the run at the other end of a socket; the entry point of the process.

    Parameters
    ----------
    descriptor : int
        The socket, inherited.
    parent : int
        The run's process, with which this one dies.
    """
    give_back_freed_memory()  # results pass through this process
    os.setsid()
    adopt_orphans()
    link = socket.socket(fileno=descriptor)
    die_with_parent(parent)
    for number in (signal.SIGINT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    dispatch.preload()
    lockdown.prepare(common_paths())
    _check_threads()
    # A plugin's folder is not to be written to, and what is loaded by now is shared with the children: keep it so.
    sys.dont_write_bytecode = True
    # What a plugin printed last is wanted most when it crashes, and then nothing would flush it.
    cast("io.TextIOWrapper", sys.stdout).reconfigure(line_buffering=True)
    gc.freeze()
    gc.enable()
    Zygote(link).serve()
    os._exit(0)


def _check_threads() -> None:
    threads = len(list(Path("/proc/self/task").iterdir()))
    if threads != 1:
        sys.exit(f"{threads} threads after loading the libraries; a process with threads can't be forked safely")


def _enlarge(descriptor: int) -> None:
    with contextlib.suppress(OSError):
        fcntl.fcntl(descriptor, _F_SETPIPE_SZ, _PIPE_BYTES)


def _kill_strays(known: set[int]) -> None:
    """End processes that children left behind; as orphans they became ours."""
    try:
        text = Path(f"/proc/self/task/{os.getpid()}/children").read_text("ascii")
    except OSError:
        return
    for pid in (int(p) for p in text.split()):
        if pid not in known:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
