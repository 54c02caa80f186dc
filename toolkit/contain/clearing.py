"""Removing what a plugin left in its folder, which may be made so that removing it fails."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path


def clear(folder: Path) -> None:
    """Remove all that is in a folder, and keep the folder.

    Folders may be nested deeper than a path can be long or a stack can be deep, and be closed to their owner. So
    nothing descends: folders in a folder are moved up beside it, until none has any. Links are removed, never followed.
    Nobody may be at work in the folder any more.

    Parameters
    ----------
    folder : Path
        It must exist.
    """
    top = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    # No name that is there can begin with it.
    prefix, number = secrets.token_hex(16), 0
    try:
        while entries := os.listdir(top):  # noqa: PTH208  a descriptor
            for name in entries:
                if not _is_folder(name, top):
                    os.unlink(name, dir_fd=top)
                    continue
                for inner in _emptied(name, top):
                    number += 1
                    os.rename(f"{name}/{inner}", f"{prefix}-{number}", src_dir_fd=top, dst_dir_fd=top)
                os.rmdir(name, dir_fd=top)
    finally:
        os.close(top)


def _emptied(name: str, top: int) -> list[str]:
    """Remove the files of a folder; what is left in it are folders, open to their owner, as moving them demands."""
    os.chmod(name, 0o700, dir_fd=top)
    descriptor = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=top)
    folders = []
    try:
        for inner in os.listdir(descriptor):  # noqa: PTH208  a descriptor
            if _is_folder(inner, descriptor):
                os.chmod(inner, 0o700, dir_fd=descriptor)
                folders.append(inner)
            else:
                os.unlink(inner, dir_fd=descriptor)
    finally:
        os.close(descriptor)
    return folders


def _is_folder(name: str, parent: int) -> bool:
    return stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)
