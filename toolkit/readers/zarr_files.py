"""The files of a Zarr folder or zip, looked over before any of them is read."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.core.digest import digest_file, digest_value
from toolkit.core.errors import BadInputError

if TYPE_CHECKING:
    from zarr.abc.store import Store

_METADATA = ("zarr.json", ".zgroup", ".zarray", ".zattrs", ".zmetadata")
_LARGEST_METADATA = 64 << 20
_LARGEST_MEMBER = 1 << 30
_MOST_FILES = 5_000_000
_BLOCK = 1 << 20


class ZarrFiles:
    """What files a store has, and how large they are.

    Parameters
    ----------
    path : Path
        A folder or a zip file.

    Attributes
    ----------
    stored : dict of str to (int, int)
        Bytes and number of the files in and below each folder, without those of metadata.

    Raises
    ------
    BadInputError
        When a file leads out of the store, or can't be true to its size.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._zipped = path.is_file()
        self.stored: dict[str, tuple[int, int]] = {}
        for count, (name, size) in enumerate(self._members() if self._zipped else _walk(path, path), 1):
            if count > _MOST_FILES:
                raise BadInputError(f"{path}: more than {_MOST_FILES:,} files", "write it again with larger chunks")
            self._count(name, size)

    def open(self) -> Store:
        """The store, for reading only."""
        import zarr.storage

        if self._zipped:
            return zarr.storage.ZipStore(self._path, mode="r", read_only=True)
        return zarr.storage.LocalStore(self._path, read_only=True)

    def sha256(self) -> str:
        """Digest of a zip's bytes, or of a folder's names and contents."""
        if self._zipped:
            return digest_file(self._path)
        return digest_value([[name, _digest(self._path / name)] for name, _ in sorted(_walk(self._path, self._path))])

    def _count(self, name: str, size: int) -> None:
        folder, _, leaf = name.rpartition("/")
        if leaf in _METADATA:
            if size > _LARGEST_METADATA:
                raise BadInputError(
                    f"{self._path}: {name} has {size:,} bytes; at most {_LARGEST_METADATA:,} of metadata are read",
                    "get the store again from its origin",
                )
            return
        while True:
            held, files = self.stored.get(folder, (0, 0))
            self.stored[folder] = held + size, files + 1
            if not folder:
                return
            folder = folder.rpartition("/")[0]

    def _members(self) -> Iterator[tuple[str, int]]:
        try:
            with zipfile.ZipFile(self._path) as archive:
                sizes = {info.filename: info for info in archive.infolist()}
        except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise BadInputError(
                f"{self._path} is not a whole zip file: {error}", "get the file again from its origin"
            ) from error
        for name, info in sorted(sizes.items()):
            if info.flag_bits & 1:
                raise BadInputError(f"{self._path}: {name} is encrypted", "unpack it with its password before")
            if info.file_size > _LARGEST_MEMBER:
                raise BadInputError(
                    f"{self._path}: {name} has {info.file_size:,} bytes; at most {_LARGEST_MEMBER:,} are taken",
                    "write it again with smaller chunks",
                )
            if not info.is_dir():
                yield name, info.compress_size


def _walk(root: Path, folder: Path) -> Iterator[tuple[str, int]]:
    """Relative names and sizes of all files; links are refused, as the library would follow them."""
    try:
        with os.scandir(folder) as entries:
            ordered = sorted(entries, key=lambda e: e.name)
    except OSError as error:
        raise BadInputError(f"{folder} can't be read: {error.strerror}") from error
    for entry in ordered:
        if entry.is_symlink():
            raise BadInputError(
                f"{entry.path} is a link, which may lead to any file of this machine", "copy what it leads to"
            )
        if entry.is_dir():
            yield from _walk(root, Path(entry.path))
        elif entry.is_file():
            yield Path(entry.path).relative_to(root).as_posix(), entry.stat().st_size


def _digest(path: Path) -> str:
    state = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            state.update(block)
    return state.hexdigest()
