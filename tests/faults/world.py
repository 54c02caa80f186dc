"""What attacks aim at: files around a run folder, listeners, a supervisor; and whether they got there."""

from __future__ import annotations

import hashlib
import os
import resource
import shutil
import signal
import socket
from pathlib import Path
from typing import Any

from toolkit.contain.clearing import clear

SECRET = b"secret of the operator"
_SHARED_MEMORY = os.sep + "dev/shm"


class World:
    """A folder with ``run`` (to write in), ``store`` (to read) and ``outside``, and listeners of each kind.

    The modes of all files let this user do anything with them: what stops an attack is not that it lacked permission.
    """

    def __init__(self, base: Path) -> None:
        self.base = base
        self.run, self.store, self.outside = (base / name for name in ("run", "store", "outside"))
        self.supervisor = os.getpid()
        self.signals = 0
        signal.signal(signal.SIGUSR1, self._count)
        self.reset()
        self._listeners = self._listen()
        self.tcp_port = self._listeners[0].getsockname()[1]
        self.udp_port = self._listeners[1].getsockname()[1]
        self.abstract = f"\0contained-{os.getpid()}"
        # Descriptors that were open before the fork: only closing them keeps them from a child.
        self.open_secret = os.open(self.outside / "secret", os.O_RDWR)
        self.open_far_away = os.dup2(self.open_secret, 200)

    def reset(self) -> None:
        """Lay the files anew."""
        for folder in (self.run, self.store, self.outside):
            folder.mkdir(exist_ok=True)
            clear(folder)
        (self.store / "chunk").write_bytes(b"chunk of the store")
        (self.store / "link-me").write_bytes(b"another chunk")
        (self.outside / "secret").write_bytes(SECRET)
        (self.outside / "folder").mkdir()
        for stray in Path(_SHARED_MEMORY).glob("contained-*"):
            stray.unlink()

    def fingerprint(self) -> list[tuple[Any, ...]]:
        """Names, contents and metadata of all that is not the run folder, and what the supervisor is held to."""
        found: list[tuple[Any, ...]] = []
        for top in (self.store, self.outside):
            for path in (top, *sorted(top.rglob("*"))):
                state = path.lstat()
                content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
                metadata = state.st_mode, state.st_uid, state.st_gid, state.st_nlink, state.st_mtime_ns
                found.append((str(path), *metadata, os.listxattr(path, follow_symlinks=False), content))
        found.append(("shared memory", *sorted(p.name for p in Path(_SHARED_MEMORY).glob("contained-*"))))
        found.append(("base", *sorted(p.name for p in self.base.iterdir())))
        found.append(("limits", resource.getrlimit(resource.RLIMIT_CORE), resource.getrlimit(resource.RLIMIT_CPU)))
        found.append(("priority", os.getpriority(os.PRIO_PROCESS, 0), sorted(os.sched_getaffinity(0))))
        return found

    def traps(self) -> list[list[Any]]:
        """What is in the run folder and leads elsewhere, or holds up who opens it: symbolic links, fifos, sockets."""
        found = []
        for folder, _, names in os.walk(self.run):
            paths = [Path(folder, name) for name in names]
            found += [["trap", str(p)] for p in paths if p.is_symlink() or not p.is_file()]
        return found

    def arrivals(self) -> list[str]:
        """What came in at the listeners, and as signals, since this was last asked."""
        came = ["signal"] * self.signals
        self.signals = 0
        for listener in self._listeners:
            try:
                if listener.type == socket.SOCK_STREAM:
                    listener.accept()[0].close()
                else:
                    listener.recv(100)
            except BlockingIOError:
                continue
            came.append(f"{listener.family.name} {listener.type.name}")
        return came

    def close(self) -> None:
        """Let go of listeners and remove the folder."""
        for listener in self._listeners:
            listener.close()
        os.close(self.open_secret)
        os.close(self.open_far_away)
        self.reset()
        shutil.rmtree(self.base)

    def _listen(self) -> list[socket.socket]:
        addresses: list[tuple[int, int, Any]] = [
            (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
            (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
            (socket.AF_UNIX, socket.SOCK_STREAM, str(self.base / "stream")),
            (socket.AF_UNIX, socket.SOCK_DGRAM, str(self.base / "datagram")),
            (socket.AF_UNIX, socket.SOCK_STREAM, f"\0contained-{os.getpid()}"),
        ]
        made = []
        for family, kind, address in addresses:
            listener = socket.socket(family, kind)
            listener.bind(address)
            if kind == socket.SOCK_STREAM:
                listener.listen()
            listener.setblocking(False)
            made.append(listener)
        return made

    def _count(self, *_: Any) -> None:
        self.signals += 1
