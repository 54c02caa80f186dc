"""The digest of code, by which a result of another version is told from one of this."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from toolkit.core.errors import BadInputError

_LARGEST_FOLDER = 64 << 20
_SKIPPED = frozenset({"__pycache__"})


def code_digest(folder: Path) -> str:
    """Digest over names and contents of all files of a plugin's folder, without caches and hidden files.

    Raises
    ------
    BadInputError
        When the folder can't be read, or is too large to be code.
    """
    state = hashlib.sha256()
    total = 0
    try:
        for path in sorted(_files(folder), key=lambda p: p.relative_to(folder).as_posix()):
            data = path.read_bytes()
            total += len(data)
            if total > _LARGEST_FOLDER:
                raise BadInputError(
                    f"{folder} has more than {_LARGEST_FOLDER >> 20} MiB", "keep data out of a plugin's folder"
                )
            name = path.relative_to(folder).as_posix().encode()
            state.update(len(name).to_bytes(4, "little") + name + len(data).to_bytes(8, "little") + data)
    except OSError as error:
        raise BadInputError(f"{error.filename or folder} can't be read: {error.strerror}") from error
    return state.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        if path.is_file() and not any(p in _SKIPPED or p.startswith(".") for p in parts):
            yield path
