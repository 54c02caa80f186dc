"""Which source led to which store, so that a second convert of it has nothing to parse.

Imports nothing heavy: a reuse must cost next to nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit.core.digest import KEY_LENGTH, digest_file, digest_value
from toolkit.core.errors import BadInputError
from toolkit.core.version import __version__

RECORD_VERSION = 2

_NEEDED = frozenset(
    ("store", "key", "rows", "columns", "chunk_rows", "data_hash", "schema_hash", "source_sha256", "quarantined")
)


@dataclass(frozen=True, slots=True)
class SourceFiles:
    """The files of one table.

    Attributes
    ----------
    given : str
        What the person named: a file, a folder or a pattern.
    paths : tuple of Path
        The files, in the order of their rows.
    names : tuple of str
        What tells them apart, whatever folder they are in.
    """

    given: str
    paths: tuple[Path, ...]
    names: tuple[str, ...]

    @property
    def size(self) -> int:
        """Bytes of all the files together."""
        return sum(size for size, _, _ in self.state())

    @property
    def suffixes(self) -> list[str]:
        """Endings of the first file's name, by which its format may be known."""
        return self.paths[0].suffixes[-2:]

    def state(self) -> list[tuple[int, int, int]]:
        """Size, time of the last change and inode of each: another state is another content.

        Raises
        ------
        BadInputError
            When a file has gone.
        """
        return [_state_of(path) for path in self.paths]

    def digest(self) -> str:
        """SHA-256 of the file; of names and digests, where there are several."""
        if len(self.paths) == 1:
            return _digest(self.paths[0])
        return digest_value([[name, _digest(path)] for name, path in zip(self.names, self.paths, strict=True)])


def name_files(*given: str | Path) -> SourceFiles:
    """The files that a path, a folder or a pattern stands for, or several paths to files.

    Raises
    ------
    BadInputError
        When there is no such file.
    """
    if len(given) > 1:
        return _several(given)
    path = Path(given[0])
    if path.exists() and not path.is_dir():
        return SourceFiles(str(path), (path,), (path.name,))
    # imported here: reading formats takes libraries that a reused store has no need of
    from toolkit.readers.many import file_names, source_files

    paths = source_files(given[0])
    return SourceFiles(str(given[0]), tuple(paths), tuple(file_names(paths)))


def _several(given: Sequence[str | Path]) -> SourceFiles:
    """Files that were named one by one, as a shell does it for a pattern without quotes."""
    from toolkit.readers.many import file_names

    paths = sorted({Path(path) for path in given}, key=lambda p: p.as_posix())
    for path in paths:
        if path.is_dir() or not path.exists():
            what = "is a folder" if path.is_dir() else "no such file"
            raise BadInputError(f"{path}: {what}", "of several sources, each is a file")
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return SourceFiles(f"{paths[0]}{more}", tuple(paths), tuple(file_names(paths)))


def identity_of(suffixes: Sequence[str], source_sha256: str, settings: dict[str, Any]) -> str:
    """Identity of a source and of all that the store's content depends on: its bytes, its suffix, settings, version."""
    return digest_value([RECORD_VERSION, __version__, source_sha256, list(suffixes), settings])[:KEY_LENGTH]


def record_name(size: int, identity: str) -> str:
    """Name of a source's record: the size stands first, by which most other sources are told apart without reading."""
    return f"{size}-{identity}"


def find_record(sources: Path, files: SourceFiles, settings: dict[str, Any]) -> dict[str, Any] | None:
    """The record of a source that was converted before with the same settings.

    Parameters
    ----------
    sources : Path
        Folder of the records.
    files : SourceFiles
        The source; it is digested only when a record of its size exists.
    settings : dict
        What the content depends on besides the source.
    """
    try:
        size = files.size
        if not any(sources.glob(f"{size}-*.json")):
            return None
        identity = identity_of(files.suffixes, files.digest(), settings)
        record = json.loads((sources / f"{record_name(size, identity)}.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(record, dict) or not record.keys() >= _NEEDED or not isinstance(record["store"], str):
        return None
    # a record names a store beside it, and can't lead elsewhere
    return record if record["store"] == Path(record["store"]).name else None


def _digest(path: Path) -> str:
    if not path.is_dir():
        return digest_file(path)
    from toolkit.readers.zarr_files import ZarrFiles  # a group of Zarr arrays is the only folder that is one source

    return ZarrFiles(path).sha256()


def _state_of(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except (OSError, ValueError) as error:
        reason = os.strerror(error.errno or 0) if isinstance(error, OSError) else str(error)
        raise BadInputError(f"{path} can't be read: {reason}", "name a file to convert") from error
    return found.st_size, found.st_mtime_ns, found.st_ino
