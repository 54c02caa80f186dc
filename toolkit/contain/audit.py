"""Python's audit hook: it says in plain words which rule was broken, at the line that breaks it.

It explains and does not protect: native code never passes it, and Python code can find and change it. What it lets
through, the kernel's layers stop.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from toolkit.contain.rules import Violation

OnViolation = Callable[[Violation], None]
Finding = tuple[str, bool]
"""What was tried, and whether that is grave."""
Judge = Callable[[tuple[Any, ...]], Finding | None]

MOST = 50
"""Violations of either gravity that are handed on, at most; later ones are refused all the same."""

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_LONGEST = 120

_PROGRAMS = (
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "os.startfile",
    "pty.spawn",
    "webbrowser.open",
)
_QUESTIONS = frozenset({"uname", "lscpu", "ldconfig", "ld", "gcc", "cc", "objdump"})
"""Programs that libraries ask about the machine and its shared libraries, and do without."""
_PROCESSES = ("os.fork", "os.forkpty")
_NETWORK = (
    "socket.connect",
    "socket.bind",
    "socket.sendto",
    "socket.getaddrinfo",
    "socket.gethostbyname",
    "socket.gethostbyaddr",
    "socket.getnameinfo",
    "socket.sethostname",
    "urllib.Request",
    "http.client.connect",
    "ftplib.connect",
    "smtplib.connect",
    "imaplib.open",
    "poplib.connect",
    "nntplib.connect",
    "telnetlib.Telnet.open",
    "syslog.openlog",
    "syslog.syslog",
)
_CHANGES = {
    "os.remove": "remove",
    "os.rmdir": "remove",
    "os.mkdir": "make a folder",
    "os.truncate": "truncate",
}
_METADATA = ("os.chmod", "os.chown", "os.chflags", "os.utime", "os.setxattr", "os.removexattr")


def install(read: Iterable[str], write: Iterable[str], on_violation: OnViolation) -> None:
    """Refuse, with a sentence, what the rules forbid, wherever Python raises an audit event for it; for good.

    Parameters
    ----------
    read, write : iterable of str
        Absolute paths of files and folders that may be read, and written in. What may be written may be read.
    on_violation : callable
        Is told of each refusal, in the thread that tried. It must not open files, nor anything else that is forbidden.

    Notes
    -----
    Paths relative to a directory's descriptor are taken as relative to the working folder: the event doesn't tell.
    """
    writable = _roots((*write, os.devnull))
    judges = _judges(_roots((*read, *write, os.devnull)), writable)
    told = [0, 0]

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        judge = judges.get(event)
        found = judge(arguments) if judge is not None else None
        if found is None:
            return
        sentence, grave = found
        # Counted apart, so that a flood of harmless ones can't hide the other.
        if told[grave] < MOST:
            told[grave] += 1
            on_violation(Violation(event, sentence, grave))
        raise PermissionError(errno.EPERM, f"a contained process may not {sentence}")

    sys.addaudithook(hook)


def _judges(readable: tuple[str, ...], writable: tuple[str, ...]) -> dict[str, Judge]:
    """What to do upon each event."""
    judges: dict[str, Judge] = {
        "open": lambda a: _judge_open(a, readable, writable),
        "os.listdir": lambda a: _unless(a[0], readable, "list"),
        "os.scandir": lambda a: _unless(a[0], readable, "list"),
        "sqlite3.connect": lambda a: _judge_database(a[0], readable),
        "os.rename": lambda a: (
            _unless(a[0], writable, "rename", grave=True) or _unless(a[1], writable, "write", grave=True)
        ),
        "os.link": lambda a: (
            _unless(a[0], writable, "link to", grave=True) or _unless(a[1], writable, "write", grave=True)
        ),
        "os.symlink": lambda a: ("make a symbolic link", not _inside(a[1], writable)),
        "os.kill": lambda a: None if a[0] == os.getpid() else ("send signals to other processes", True),
        "os.killpg": lambda _: ("send signals to other processes", True),
        "resource.setrlimit": lambda _: ("change its limits", False),
        "resource.prlimit": lambda a: None if a[2] is None else ("change its limits", False),
        "socket.__new__": lambda a: None if a[1] == _LOCAL else ("reach the network (socket)", True),
        "socket.sendmsg": lambda a: None if a[1] is None else ("reach the network (socket.sendmsg)", True),
    }
    for event, verb in _CHANGES.items():
        judges[event] = lambda a, verb=verb: _unless(a[0], writable, verb, grave=True)  # type: ignore[misc]
    for event in _METADATA:
        judges[event] = lambda a: _judge_metadata(a[0], writable)
    for event in _PROGRAMS:
        judges[event] = lambda a: _judge_program(a[0] if a else "")
    for event in _PROCESSES:
        judges[event] = lambda _: ("start a process", True)
    for event in _NETWORK:
        judges[event] = lambda _, event=event: (f"reach the network ({event})", True)  # type: ignore[misc]
    return judges


# Pairs of local sockets are what asyncio wakes its loop with; the kernel refuses lone ones.
_LOCAL = getattr(socket, "AF_UNIX", None)


def _judge_open(arguments: tuple[Any, ...], readable: tuple[str, ...], writable: tuple[str, ...]) -> Finding | None:
    path, _, flags = arguments
    if isinstance(flags, int) and flags & _WRITING:
        return _unless(path, writable, "write", grave=True)
    return _unless(path, readable, "read")


def _judge_metadata(path: Any, writable: tuple[str, ...]) -> Finding:
    what = "change mode, owner, times or attributes of"
    if _inside(path, writable):
        # Harmless there, but a filter of system calls can't tell one file from another. Not named, as the folder has
        # another name each time, which the text of an error must not have.
        return f"{what} its files", False
    return f"{what} {_shown(path)}", True


def _judge_program(name: Any) -> Finding:
    plain = os.fsdecode(name) if isinstance(name, str | bytes | os.PathLike) else ""
    return f"start a program ({_shown(name)})", os.path.basename(plain) not in _QUESTIONS  # noqa: PTH119


def _judge_database(name: Any, readable: tuple[str, ...]) -> Finding | None:
    path = os.fsdecode(name) if isinstance(name, str | bytes | os.PathLike) else ""
    if path.startswith("file:"):
        path = path.removeprefix("file:").partition("?")[0]
    if path in ("", ":memory:"):
        return None
    # One that is not there is made.
    return _unless(path, readable, "open the database", grave=not os.path.lexists(path))


def _unless(path: Any, roots: tuple[str, ...], verb: str, *, grave: bool = False) -> Finding | None:
    if _inside(path, roots):
        return None
    if not grave and not os.path.lexists(path):
        return None  # what is not there can't be read, and libraries expect to be told just that
    return f"{verb} {_shown(path)}: it is outside of the folders given to it", grave


def _inside(path: Any, roots: tuple[str, ...]) -> bool:
    if path is None:
        path = os.curdir
    if not isinstance(path, str | bytes | os.PathLike):
        return True  # a descriptor: what is open, was allowed to be
    try:
        real = os.path.realpath(os.fsdecode(path))
    except ValueError:
        return True  # no file can have this name; the call itself will say so
    return f"{real}{os.sep}".startswith(roots)


def _roots(paths: Iterable[str]) -> tuple[str, ...]:
    # With a separator behind, so that /a does not cover /ab.
    return tuple(root(path) for path in paths)


@cache
def root(path: str) -> str:
    """How real paths of what is in a folder begin; kept, so that forked processes find it made."""
    return os.path.realpath(path).rstrip(os.sep) + os.sep


def _shown(value: Any) -> str:
    text = os.fsdecode(value) if isinstance(value, str | bytes | os.PathLike) else str(value)
    text = text.encode("ascii", "backslashreplace").decode("ascii")
    return ascii(text[:_LONGEST])
