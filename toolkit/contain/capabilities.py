"""Giving up privileges for good: root keeps its name and its own files, and nothing else."""

from __future__ import annotations

import ctypes
import errno
import struct

from toolkit.contain.kernel import (
    PR_CAP_AMBIENT,
    PR_CAP_AMBIENT_CLEAR_ALL,
    PR_CAPBSET_DROP,
    PR_GET_NO_NEW_PRIVS,
    PR_SET_NO_NEW_PRIVS,
    prctl,
    processor,
    system_call,
)
from toolkit.contain.syscalls import NUMBERS

_LINUX_CAPABILITY_VERSION_3 = 0x20080522
_MOST = 64


def drop_capabilities() -> None:
    """Empty all five sets of capabilities of this thread.

    Raises
    ------
    OSError
        When one is left.
    """
    numbers = NUMBERS[processor()]
    for capability in range(_MOST):
        try:
            prctl(PR_CAPBSET_DROP, capability)
        except OSError as error:
            # EINVAL: there are no more. EPERM: a user without CAP_SETPCAP, who has none to lose.
            if error.errno in (errno.EINVAL, errno.EPERM):
                break
            raise
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    # struct __user_cap_header_struct: version, pid; then twice effective, permitted, inheritable.
    header = ctypes.create_string_buffer(struct.pack("=Ii", _LINUX_CAPABILITY_VERSION_3, 0), 8)
    sets = ctypes.create_string_buffer(bytes(24), 24)
    system_call(numbers["capset"], header, sets)
    system_call(numbers["capget"], header, sets)
    if any(sets.raw):
        raise OSError(errno.EPERM, "capabilities are left after dropping them")


def forbid_new_privileges() -> None:
    """Let no program that this process starts have more rights than it; Landlock and seccomp demand it.

    Raises
    ------
    OSError
        When the kernel refuses.
    """
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    if prctl(PR_GET_NO_NEW_PRIVS) != 1:
        raise OSError(errno.ENOSYS, "the kernel accepts PR_SET_NO_NEW_PRIVS, and does not apply it")
