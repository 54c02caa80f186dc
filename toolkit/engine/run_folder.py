"""The folder of one run: its plan, its files, how far it is, and what it cost."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from toolkit.core.canonical import canonical_json
from toolkit.core.errors import BadInputError, UsageError
from toolkit.storage.durable import naming_disk_errors, write_durably

PLAN, RUN, STATE = "plan.json", "run.json", "state.json"
PACKS = "packs.txt"
"""Packs of results that a run read from or wrote, one a line: key of the table, slash, name. It grows with the run."""
_LOCK = ".lock"
SCRATCH = "scratch"
"""Folder in which transforms stage their tables; gone when the run is over."""


class RunFolder:
    """Files of one run.

    Attributes
    ----------
    path : Path
        The folder.
    run_id : str
        Its name.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.run_id = path.name

    @classmethod
    def create(cls, runs: Path) -> RunFolder:
        """A folder for a new run; its name begins with the time (UTC, milliseconds), so that runs sort."""
        now = time.time()
        stamp = f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime(now))}{int(now * 1000) % 1000:03d}Z"
        name = f"{stamp}-{os.urandom(3).hex()}"
        with naming_disk_errors("making the run's folder", runs):
            (runs / name).mkdir(parents=True)
        return cls(runs / name)

    @classmethod
    def find(cls, runs: Path, run_id: str = "") -> RunFolder:
        """The folder of a run; of the latest for an empty id.

        Raises
        ------
        BadInputError
            When there is no such run.
        """
        known = sorted((p.name for p in runs.iterdir() if p.is_dir()), reverse=True) if runs.is_dir() else []
        matches = [n for n in known if n == run_id] or [n for n in known if n.startswith(run_id)]
        if not known:
            raise BadInputError(f"there is no run in {runs}", "start one with: python -m toolkit.run")
        if not matches or (run_id and len(matches) > 1):
            problem = "more than one run begins with" if matches else "there is no run"
            raise BadInputError(f"{problem} {run_id!r} in {runs}", f"runs there: {', '.join(known[:5])}")
        return cls(runs / matches[0])

    @contextmanager
    def held(self) -> Iterator[None]:
        """Have the folder for oneself; the lock goes with the process, however that ends.

        Raises
        ------
        UsageError
            When a run is under way in it.
        """
        with naming_disk_errors("locking the run's folder", self.path):
            lock = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                remedy = f"see how far it is: python -m toolkit.status {self.run_id}"
                raise UsageError(f"run {self.run_id} is under way", remedy) from None
            for left_over in self.path.glob(".*.json.*"):  # of a write that was cut short
                left_over.unlink(missing_ok=True)
            yield
        finally:
            os.close(lock)

    def is_live(self) -> bool:
        """Whether a run is under way in it, in whatever process."""
        try:
            descriptor = os.open(self.path / _LOCK, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def note_packs(self, names: Iterable[str]) -> None:
        """Add to the packs that the run uses; not flushed, as a pack that is lost is computed again."""
        with naming_disk_errors("writing the run's files", self.path / PACKS), (self.path / PACKS).open("a") as stream:
            stream.writelines(f"{name}\n" for name in names)

    def packs(self) -> set[str] | None:
        """Packs that the run uses; None when it has not said so."""
        with contextlib.suppress(OSError):
            return set((self.path / PACKS).read_text("utf-8").split())
        return None

    def write(self, name: str, content: bytes) -> Path:
        """Write a file durably."""
        path = self.path / name
        with naming_disk_errors("writing the run's files", path):
            write_durably(path, content)
        return path

    def write_state(self, state: Mapping[str, Any]) -> None:
        """Renew what other processes can see of the run; not flushed, as it is worthless after a crash."""
        path = self.path / STATE
        temporary = path.with_name(f".{STATE}.{os.getpid()}")
        with naming_disk_errors("writing the run's state", path):
            temporary.write_text(canonical_json(state), "utf-8")
            temporary.replace(path)

    def read(self, name: str) -> dict[str, Any]:
        """A JSON file of the run; empty where there is none that can be read."""
        try:
            value = json.loads((self.path / name).read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return value if isinstance(value, dict) else {}
