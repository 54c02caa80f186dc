"""Files that are whole or absent: flushing, publishing without replacing, capped reads."""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from toolkit.core.errors import DamagedStoreError, ToolkitError

_RENAME_NOREPLACE = 1
_AT_FDCWD = -100
_SYNC_FILE_RANGE_WRITE = 2
_LEAST_MAPPED = 1 << 18
"""Bytes of a file from which on mapping it is cheaper than copying it; chunks of very wide tables are smaller, and so
no table needs more mappings than a process may have."""
_sync_file_range = getattr(ctypes.CDLL(None), "sync_file_range", None)


class DiskError(ToolkitError):
    """The disk refused a write."""


@contextmanager
def naming_disk_errors(what: str, path: Path) -> Iterator[None]:
    """Turn a full or read-only disk into an error that names the path and the phase."""
    try:
        yield
    except OSError as error:
        if error.errno in (
            errno.ENOSPC,
            errno.EDQUOT,
            errno.EROFS,
            errno.EACCES,
            errno.EPERM,
            errno.EFBIG,
            errno.EIO,
            errno.ENOTDIR,
        ):
            reason = os.strerror(error.errno)
            raise DiskError(
                f"{what}: {reason}: {error.filename or path}",
                "free some space or name another folder with --appdata",
            ) from error
        raise


def read_file(path: Path, largest: int) -> bytes:
    """Read a small file whole.

    Raises
    ------
    DamagedStoreError
        When it is absent or larger than it can be.
    """
    with _opened(path, largest) as (descriptor, size):
        return _read(descriptor, size)


def map_file(path: Path | str, largest: int) -> bytes | mmap.mmap:
    """A file's bytes without a copy where it is large enough to pay: for files that are never changed in place.

    Raises
    ------
    DamagedStoreError
        When it is absent or larger than it can be.
    """
    with _opened(path, largest) as (descriptor, size):
        if size < _LEAST_MAPPED:
            return _read(descriptor, size)
        return mmap.mmap(descriptor, size, mmap.MAP_PRIVATE, mmap.PROT_READ)


@contextmanager
def _opened(path: Path | str, largest: int) -> Iterator[tuple[int, int]]:
    """A descriptor of a file, and its size."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError as error:
        raise DamagedStoreError(f"{path} can't be read: {os.strerror(error.errno or 0)}") from error
    try:
        size = os.fstat(descriptor).st_size
        if size > largest:
            raise DamagedStoreError(f"{path} has {size:,} bytes; at most {largest:,} belong there")
        yield descriptor, size
    finally:
        os.close(descriptor)


def _read(descriptor: int, size: int) -> bytes:
    data = os.read(descriptor, size)
    while len(data) < size and (more := os.read(descriptor, size - len(data))):
        data += more
    return data


def fsync_path(path: Path) -> None:
    """Flush one file or folder."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def begin_flush(descriptor: int) -> None:
    """Have the system begin to write a file to disk, where it can, without waiting for it.

    It makes nothing durable: the flush that does finds less to wait for.
    """
    if _sync_file_range is not None:
        _sync_file_range(descriptor, ctypes.c_int64(0), ctypes.c_int64(0), ctypes.c_uint(_SYNC_FILE_RANGE_WRITE))


def open_folder(path: Path) -> int:
    """A descriptor of a folder, to be closed by the caller."""
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def fsync_tree(root: Path, descriptor: int) -> None:
    """Flush every file and folder of a tree, the root last.

    On Linux one ``syncfs`` does it, which for hundreds of files is many times quicker than a flush for each and, since
    Linux 5.8, reports write errors as well: those since the descriptor was opened.

    Parameters
    ----------
    root : Path
        The tree.
    descriptor : int
        From `open_folder` of the root, before anything was written below it.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.syncfs(descriptor) == 0:
            return
        code = ctypes.get_errno()
        if code != errno.ENOSYS:
            raise OSError(code, os.strerror(code), str(root))
    for folder, _, files in os.walk(root, topdown=False):
        for name in files:
            fsync_path(Path(folder) / name)
        fsync_path(Path(folder))


def write_durably(path: Path, data: bytes) -> None:
    """Write a file so that after a crash its old or its new content is there, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    fsync_path(path.parent)


def rename_noreplace(source: Path, target: Path) -> bool:
    """Rename without replacing, atomically; False when the target exists already.

    A plain rename over an empty folder succeeds silently, hence renameat2 with its flag.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        code = libc.renameat2(
            _AT_FDCWD, os.fsencode(source), _AT_FDCWD, os.fsencode(target), ctypes.c_uint(_RENAME_NOREPLACE)
        )
        if code == 0:
            fsync_path(target.parent)
            return True
        number = ctypes.get_errno()
        if number == errno.EEXIST:
            return False
        if number not in (errno.ENOSYS, errno.EINVAL):
            raise OSError(number, os.strerror(number), str(target))
    if target.exists():
        return False
    source.rename(target)
    fsync_path(target.parent)
    return True
