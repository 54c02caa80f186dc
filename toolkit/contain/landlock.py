"""The kernel's rules about files: what is not listed can't be opened, whoever asks and however.

Names and numbers as in linux/landlock.h.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct
from collections.abc import Iterable
from functools import cache

from toolkit.contain.kernel import processor, system_call
from toolkit.contain.syscalls import NUMBERS

# LANDLOCK_ACCESS_FS_*
EXECUTE = 1 << 0
WRITE_FILE = 1 << 1
READ_FILE = 1 << 2
READ_DIR = 1 << 3
REMOVE_DIR = 1 << 4
REMOVE_FILE = 1 << 5
MAKE_DIR = 1 << 7
MAKE_REG = 1 << 8
REFER = 1 << 13
TRUNCATE = 1 << 14
IOCTL_DEV = 1 << 15

READ = READ_FILE | READ_DIR
# Neither symbolic links nor fifos, sockets and devices: whoever reads the folder afterwards must not be led elsewhere
# or held up.
WRITE = READ | WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | REFER | TRUNCATE
_OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV

_ALL_OF_NETWORK = 0b11  # LANDLOCK_ACCESS_NET_BIND_TCP, LANDLOCK_ACCESS_NET_CONNECT_TCP
_ALL_SCOPES = 0b11  # LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET, LANDLOCK_SCOPE_SIGNAL
_CREATE_RULESET_VERSION = 1 << 0
_RULE_PATH_BENEATH = 1

# Number of rights over files that each version knows: REFER came with 2, TRUNCATE with 3, IOCTL_DEV with 5.
_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
_NEWEST_RIGHTS = 16


@cache
def abi() -> int:
    """Version of Landlock in this kernel; 0 without."""
    machine = processor()
    if not machine:
        return 0
    try:
        return system_call(NUMBERS[machine]["landlock_create_ruleset"], None, 0, _CREATE_RULESET_VERSION)
    except OSError:
        return 0


def handled(version: int) -> tuple[int, int, int]:
    """What a version can restrict: masks of rights over files, over TCP, and of scopes."""
    files = (1 << _RIGHTS.get(version, _NEWEST_RIGHTS)) - 1
    return files, _ALL_OF_NETWORK if version >= 4 else 0, _ALL_SCOPES if version >= 6 else 0


def restrict(read: Iterable[str], write: Iterable[str], version: int) -> None:
    """Let this thread, and those that it will start, open only what is listed. There is no way back.

    Parameters
    ----------
    read : iterable of str
        Files and folders to read.
    write : iterable of str
        Files and folders to write in.
    version : int
        From `abi`.

    Raises
    ------
    OSError
        When a path is not there, or the kernel refuses.
    """
    numbers = NUMBERS[processor()]
    files, network, scopes = handled(version)
    # struct landlock_ruleset_attr; the fields that a version does not know yet must not be passed.
    attributes = struct.pack("=QQQ", files, network, scopes)[: 24 if version >= 6 else 16 if version >= 4 else 8]
    buffer = ctypes.create_string_buffer(attributes, len(attributes))
    ruleset = system_call(numbers["landlock_create_ruleset"], buffer, len(attributes), 0)
    try:
        for paths, rights in ((read, READ), (write, WRITE)):
            for path in paths:
                _allow(numbers["landlock_add_rule"], ruleset, path, rights & files)
        system_call(numbers["landlock_restrict_self"], ruleset, 0)
    finally:
        os.close(ruleset)
    _check_in_force((*read, *write))


def _allow(number: int, ruleset: int, path: str, rights: int) -> None:
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            rights &= _OF_FILES
        # struct landlock_path_beneath_attr, packed: __u64 allowed_access; __s32 parent_fd.
        rule = struct.pack("=Qi", rights, descriptor)
        system_call(number, ruleset, _RULE_PATH_BENEATH, ctypes.create_string_buffer(rule, len(rule)), 0)
    finally:
        os.close(descriptor)


def _check_in_force(listed: tuple[str, ...]) -> None:
    """Try the lock: some kernels in user space and emulators accept what they don't carry out."""
    if os.sep in listed:
        return
    try:
        os.close(os.open(os.sep, os.O_RDONLY | os.O_DIRECTORY))
    except PermissionError:
        return
    raise OSError(errno.ENOSYS, "the kernel took the rules about files, and does not apply them")
