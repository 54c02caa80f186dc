"""Results by content key: what was computed once is not computed again.

The results of one task are kept together in one file, a pack, because flushing a file to disk costs as much as writing
a megabyte. A pack is ``TKR1``, the length of its table of contents, the table's SHA-256, the table, and the results;
the table has offset, length and SHA-256 of each result by its key. What fails its digest counts as absent, so it is
computed and written again.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
from collections.abc import Callable, Mapping
from pathlib import Path

from toolkit.core.canonical import canonical_json
from toolkit.core.digest import KEY_LENGTH, digest_value
from toolkit.storage.durable import naming_disk_errors, write_durably

_HEAD = struct.Struct("<4sQ32s")
_MAGIC = b"TKR1"
_LARGEST_TABLE = 1 << 28
_SUFFIX = ".tkr"

Place = tuple[Path, int, int, str]
"""File, offset, length and digest of one result."""


class ResultStore:
    """Results of one table.

    Parameters
    ----------
    folder : Path
        Where they are kept; made when something is first written.
    reading : bool
        Whether results that are there may be used. They are written in any case.

    Attributes
    ----------
    packs : set of str
        Packs that were read from or written, each as key of the table, a slash, name.
    damaged : dict of str to str
        Keys of results that failed their digest, with the name of the pack.
    """

    def __init__(self, folder: Path, *, reading: bool = True) -> None:
        self._folder = folder
        self._reading = reading
        self._places: dict[str, list[Place]] | None = None
        self.packs: set[str] = set()
        self.damaged: dict[str, str] = {}

    def read(self, key: str) -> bytes | None:
        """A result by its key, or None when there is none that is whole."""
        if not self._reading:
            return None
        if self._places is None:
            self._places = self._find()
        for path, offset, length, digest in self._places.get(key, ()):
            body = _read(path, offset, length)
            if body is not None and hashlib.sha256(body).hexdigest() == digest:
                self.packs.add(f"{self._folder.name}/{path.name}")
                return body
            self.damaged[key] = path.name
        return None

    def write(self, results: Mapping[str, bytes]) -> None:
        """Keep results; after a crash all of them are there or none.

        Raises
        ------
        DiskError
            When the disk is full or can't be written to.
        """
        table: dict[str, list[int | str]] = {}
        offset = 0
        for key, body in results.items():
            table[key] = [offset, len(body), hashlib.sha256(body).hexdigest()]
            offset += len(body)
        listed = canonical_json(table).encode()
        head = _HEAD.pack(_MAGIC, len(listed), hashlib.sha256(listed).digest())
        path = self._folder / f"{digest_value(sorted(results))[:KEY_LENGTH]}{_SUFFIX}"
        with naming_disk_errors("keeping results", path):
            write_durably(path, b"".join([head, listed, *results.values()]))
        self.packs.add(f"{self._folder.name}/{path.name}")

    def _find(self) -> dict[str, list[Place]]:
        """What there is, from the tables of all packs; the newest first, as it may stand for one that is damaged."""
        try:
            packs = sorted(pack_files(self._folder), key=lambda p: (-p.stat().st_mtime_ns, p.name))
        except OSError:
            return {}
        found: dict[str, list[Place]] = {}
        for path in packs:
            table = _table(path)
            if table is None:
                self.damaged[path.name] = path.name
            for key, place in (table or {}).items():
                found.setdefault(key, []).append(place)
        return found


def pack_files(folder: Path) -> list[Path]:
    """The packs of one table's results.

    Raises
    ------
    OSError
        When there is no such folder.
    """
    return [p for p in folder.iterdir() if p.suffix == _SUFFIX]


def pack_results(path: Path, wanted: Callable[[str], bool]) -> dict[str, bytes]:
    """The results of a pack whose keys are wanted; those that are damaged are left out, as is all of a damaged pack."""
    found: dict[str, bytes] = {}
    for key, (_, offset, length, digest) in (_table(path) or {}).items():
        body = _read(path, offset, length) if wanted(key) else None
        if body is not None and hashlib.sha256(body).hexdigest() == digest:
            found[key] = body
    return found


def _table(path: Path) -> dict[str, Place] | None:
    """The results of a pack by their keys; None when it is damaged."""
    head = _read(path, 0, _HEAD.size)
    if head is None:
        return None
    magic, length, digest = _HEAD.unpack(head)
    listed = _read(path, _HEAD.size, length) if magic == _MAGIC and length <= _LARGEST_TABLE else None
    if listed is None or hashlib.sha256(listed).digest() != digest:
        return None
    start = _HEAD.size + length
    return {key: (path, start + offset, size, sha) for key, (offset, size, sha) in json.loads(listed).items()}


def _read(path: Path, offset: int, length: int) -> bytes | None:
    """That many bytes of a file, or None when it is absent or shorter."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        body = os.pread(descriptor, length, offset)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return body if len(body) == length else None
