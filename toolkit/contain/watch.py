"""What a supervisor sees of a contained process from outside, and holds against its rules."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from toolkit.contain.rules import Rules

ENTRY = 4096
"""Bytes that a file or folder counts for at least, so that a million empty ones count too."""

_PAGE = os.sysconf("SC_PAGE_SIZE")
_BLOCK = 512  # of st_blocks, whatever the file system
_THREADS_FIELD = 17  # num_threads of /proc/pid/stat, counted from the field behind the name

Limited = Literal["wall_ms", "memory", "threads", "quota", "result"]


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that a supervisor saw exceeded, upon which it ended the process.

    Attributes
    ----------
    what : str
        ``wall_ms``, ``memory``, ``threads``, ``quota`` or ``result``.
    limit : int
        In its unit: milliseconds, bytes or a number.
    """

    what: Limited
    limit: int


def resident(pid: int) -> int:
    """Resident memory of a process, shared mappings included, bytes; 0 when it has ended."""
    text = _read(f"/proc/{pid}/statm").split()
    return int(text[1]) * _PAGE if len(text) > 1 else 0


def threads(pid: int) -> int:
    """Threads of a process; 0 when it has ended."""
    # Its name stands in parentheses, and may hold blanks and parentheses itself.
    fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    return int(fields[_THREADS_FIELD]) if len(fields) > _THREADS_FIELD else 0


def check(pid: int, rules: Rules) -> Breach | None:
    """Which of its rules a process breaks just now; to be asked every few hundredths of a second.

    Parameters
    ----------
    pid : int
        The process.
    rules : Rules
        Its own.
    """
    if rules.memory is not None and resident(pid) > rules.memory:
        return Breach("memory", rules.memory)
    if rules.threads is not None and threads(pid) > rules.threads:
        return Breach("threads", rules.threads)
    return None


def check_quota(rules: Rules, pid: int | None = None) -> Breach | None:
    """Whether a process takes more disk space than it may; to be asked every second or so.

    Parameters
    ----------
    rules : Rules
        Its own.
    pid : int, optional
        The process, to count files that it has removed and holds on to; without, only what can be seen counts.
    """
    if rules.quota is None:
        return None
    total = size(rules.write, rules.quota)
    if pid is not None and total <= rules.quota:
        total += removed(pid, rules)
    return Breach("quota", rules.quota) if total > rules.quota else None


def size(folders: Iterable[str], limit: int) -> int:
    """Disk space of all that is in some folders, bytes.

    Parameters
    ----------
    folders : iterable of str
        Where to look. Symbolic links are counted and not followed.
    limit : int
        When more than this is found, looking ends: a hostile process must not make it take long.

    Returns
    -------
    int
        Bytes of the blocks in use, at least `ENTRY` for each file and folder in them. More than the limit when a folder
        can't be looked into, or is nested deeper than a path can be long: what is hidden might be anything.
    """
    total = 0
    waiting = list(folders)
    while waiting and total <= limit:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    total += _space(entry)
                    if total > limit:
                        break
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
        except (FileNotFoundError, NotADirectoryError):
            continue  # removed or replaced while we looked
        except OSError as error:
            if error.errno in (errno.EACCES, errno.ENAMETOOLONG, errno.ELOOP):
                return limit + 1
            raise
    return total


def removed(pid: int, rules: Rules) -> int:
    """Disk space of files that a process has removed from its folders and still has open or mapped, bytes.

    A mapping tells which file it is of, and not how large that is: one that is mapped and not open counts as the
    largest that the process may write.
    """
    tops = tuple(os.path.realpath(folder) + os.sep for folder in rules.write)
    sizes: dict[int, int] = {}
    for descriptor in _listed(f"/proc/{pid}/fd"):
        link = f"/proc/{pid}/fd/{descriptor}"
        try:
            if _is_removed(os.readlink(link), tops):  # noqa: PTH115  here and below: asked of hundreds
                state = os.stat(link)  # noqa: PTH116
                sizes[state.st_ino] = max(ENTRY, state.st_blocks * _BLOCK)
        except OSError:
            continue  # closed while we looked
    for line in os.fsdecode(_read(f"/proc/{pid}/maps")).splitlines():
        # address, permissions, offset, device, inode, path
        fields = line.split(None, 5)
        if len(fields) == 6 and _is_removed(fields[5], tops):
            sizes.setdefault(int(fields[4]), rules.file_size or ENTRY)
    return sum(sizes.values())


def _is_removed(shown: str, tops: tuple[str, ...]) -> bool:
    return shown.endswith(" (deleted)") and shown.startswith(tops)


def _listed(folder: str) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208
    except OSError:
        return []


def _space(entry: os.DirEntry[str]) -> int:
    try:
        return max(ENTRY, entry.stat(follow_symlinks=False).st_blocks * _BLOCK)
    except FileNotFoundError:
        return 0


def _read(path: str) -> bytes:
    """Read a file of /proc; nothing when the process is gone."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    parts = []
    try:
        while part := os.read(descriptor, 1 << 16):
            parts.append(part)
    except ProcessLookupError:
        return b""
    finally:
        os.close(descriptor)
    return b"".join(parts)
