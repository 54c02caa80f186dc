"""The folder under which everything is kept: stores, sources, results, runs."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit.core.canonical import pretty_json
from toolkit.core.errors import BadInputError
from toolkit.storage.durable import naming_disk_errors, rename_noreplace, write_durably
from toolkit.storage.lineage import is_derived

QUARANTINE_SUFFIX = ".quarantine.jsonl"
"""Ending of files with bad records, which stand beside the stores."""

_SHORTEST_PREFIX = 6
_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class AppData:
    """Paths below one appdata folder.

    Attributes
    ----------
    root : Path
        The folder; made when something is first written.
    """

    root: Path

    @property
    def stores(self) -> Path:
        """Published stores, one folder or file each."""
        return self.root / "stores"

    @property
    def sources(self) -> Path:
        """Records of where stores came from."""
        return self.root / "sources"

    @property
    def lineage(self) -> Path:
        """Records of which stores were derived from which others."""
        return self.root / "lineage"

    @property
    def tmp(self) -> Path:
        """Work in progress."""
        return self.root / "tmp"

    @property
    def results(self) -> Path:
        """Kernel states and plugin results by content key."""
        return self.root / "results"

    @property
    def runs(self) -> Path:
        """One folder a run."""
        return self.root / "runs"

    @property
    def telemetry(self) -> Path:
        """The telemetry database."""
        return self.root / "telemetry.sqlite"

    def store_path(self, key: str, format_name: str = "zarr", codec: str = "") -> Path:
        """Where the store of a key belongs; another codec than the default is part of the name."""
        from toolkit.storage.backend import (
            backends,
        )  # imported late: a reused store must cost next to nothing

        backend = backends.get(format_name)
        return self.stores / (key + (f".{codec}" if codec not in ("", backend.codecs[0]) else "") + backend.suffix)

    def list_stores(self) -> list[Path]:
        """Published stores, the newest first."""
        if not self.stores.is_dir():
            return []
        entries = (p for p in self.stores.iterdir() if not p.name.startswith("."))
        found = [p for p in entries if not p.name.endswith(QUARANTINE_SUFFIX)]
        return sorted(found, key=lambda p: (-p.stat().st_mtime_ns, p.name))

    def find_store(self, wanted: str | None = None) -> Path:
        """The store of a path, a key or the beginning of a key; for None the newest that no transform made.

        Raises
        ------
        BadInputError
            When there is none, or more than one key begins like that.
        """
        from toolkit.storage.backend import backends

        stores = self.list_stores()
        if wanted is None:
            stores = [p for p in stores if not is_derived(self, p)]
            if not stores:
                raise BadInputError(
                    f"there is no store in {self.stores}", "make one with: python -m toolkit.convert FILE"
                )
            return stores[0]
        path = Path(wanted)
        if (os.sep in wanted or path.exists()) and any(b.recognises(path) for b in backends.all().values()):
            return path
        matches = [p for p in stores if p.name == wanted]
        if not matches and len(wanted) >= _SHORTEST_PREFIX:
            matches = [p for p in stores if p.name.startswith(wanted)]
        if len(matches) == 1:
            return matches[0]
        known = ", ".join(p.name for p in stores[:5]) or "none; make one with: python -m toolkit.convert FILE"
        problem = "more than one store begins with" if matches else "there is no store"
        raise BadInputError(f"{problem} {wanted!r} in {self.stores}", f"stores there: {known}")

    def publish(self, built: Path, target: Path) -> bool:
        """Move a complete store to its place; False when an equal one was there first, and ours is discarded."""
        with naming_disk_errors("publishing the store", target):
            target.parent.mkdir(parents=True, exist_ok=True)
            if rename_noreplace(built, target):
                return True
            discard(built)
            return False

    @contextmanager
    def workspace(self, name: str | None = None) -> Iterator[Path]:
        """A folder of one's own below tmp/, held by a lock while in use.

        Parameters
        ----------
        name : str, optional
            A folder that is found again: when its user is interrupted or killed, it stays for the next one of that
            name. Who comes second waits. Without a name the folder is a new one.

        Yields
        ------
        Path
            Removed at the end.
        """
        with self.holding(self.tmp / (name or f"tmp-{uuid.uuid4().hex}"), keep=name is not None) as folder:
            yield folder

    @contextmanager
    def holding(self, folder: Path, *, keep: bool = False) -> Iterator[Path]:
        """A folder held by a lock while in use, so that `collect_stale` leaves it alone.

        Parameters
        ----------
        folder : Path
            Below tmp/, or the ``scratch`` of a run.
        keep : bool
            Whether it stays when its user is interrupted.

        Yields
        ------
        Path
            Removed at the end.
        """
        with naming_disk_errors("making a work folder", folder):
            self.tmp.mkdir(parents=True, exist_ok=True)
            while (descriptor := self._hold(folder)) is None:
                time.sleep(_POLL_SECONDS)
        interrupted = False
        try:
            yield folder
        except KeyboardInterrupt:
            interrupted = True
            raise
        finally:
            if not (keep and interrupted):
                discard(folder)
            os.close(descriptor)

    def _hold(self, folder: Path) -> int | None:
        """Make and lock a folder; None while somebody else has it."""
        # the collector may not see a folder between its making and its locking
        with self._gate(fcntl.LOCK_SH):
            folder.mkdir(exist_ok=True)
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.fstat(descriptor).st_ino == folder.stat().st_ino:
                    return descriptor
            except (BlockingIOError, FileNotFoundError):
                pass
            os.close(descriptor)
            return None

    def collect_stale(self) -> list[Path]:
        """Remove work folders, and runs' scratch folders, that nobody holds any more; those in use are never touched.

        Returns
        -------
        list of Path
            What was removed.
        """
        removed: list[Path] = []
        if not self.tmp.is_dir():
            return removed
        with self._gate(fcntl.LOCK_EX):
            work = [*self.tmp.iterdir(), *self.runs.glob("*/scratch")]
            for folder in sorted(p for p in work if p.is_dir() and not p.is_symlink()):
                descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    discard(folder)
                    removed.append(folder)
                except BlockingIOError:
                    pass
                finally:
                    os.close(descriptor)
        return removed

    def drop_store(self, store: Path) -> None:
        """Remove a store: out of sight at once, then file by file, so that nobody sees a part of it."""
        with self.workspace() as work:
            store.rename(work / store.name)

    @contextmanager
    def _gate(self, mode: int) -> Iterator[None]:
        descriptor = os.open(self.tmp / ".gate", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, mode)
            yield
        finally:
            os.close(descriptor)

    def source_record(self, identity: str) -> dict[str, Any] | None:
        """The record of a source, or None where there is none that can be read."""
        try:
            value = json.loads((self.sources / f"{identity}.json").read_text("utf-8"))
        except (OSError, ValueError):
            return None
        return value if isinstance(value, dict) else None

    def write_source_record(self, identity: str, record: dict[str, Any]) -> None:
        """Keep the record of a source under its identity (digest of its bytes and the reader's options)."""
        with naming_disk_errors("writing the source record", self.sources):
            write_durably(self.sources / f"{identity}.json", pretty_json(record).encode())

    def write_lineage(self, key: str, record: dict[str, Any]) -> None:
        """Keep the record of how a store was derived; one that is there stays, as it says who made the store."""
        path = self.lineage / f"{key}-{record['identity']}.json"
        if not path.exists():
            with naming_disk_errors("writing the lineage", self.lineage):
                write_durably(path, pretty_json(record).encode())


def discard(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
