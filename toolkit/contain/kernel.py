"""Raw system calls through the C library, for what Python's standard library has no name for."""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys
from functools import cache

# linux/prctl.h
PR_SET_PDEATHSIG = 1
PR_GET_PDEATHSIG = 2
PR_GET_SECCOMP = 21
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
PR_GET_NO_NEW_PRIVS = 39
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4


@cache
def _libc() -> ctypes.CDLL:
    library = ctypes.CDLL(None, use_errno=True)
    library.syscall.restype = ctypes.c_long
    library.prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
    return library


def system_call(number: int, *arguments: int | ctypes.Array[ctypes.c_char] | None) -> int:
    """Make a system call.

    Parameters
    ----------
    number : int
        Its number on this processor; see `toolkit.contain.syscalls`.
    *arguments : int, buffer or None
        Integers, buffers whose address is passed, None for a null pointer.

    Raises
    ------
    OSError
        With the error number that it gave.
    """
    passed = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = int(_libc().syscall(ctypes.c_long(number), *passed))
    if result < 0:
        raise _last_error(f"system call {number}")
    return result


def prctl(option: int, *arguments: int) -> int:
    """Query or change an attribute of this process.

    Raises
    ------
    OSError
        With the error number that it gave.
    """
    # The kernel wants unused arguments to be zero.
    padded = [*arguments, 0, 0, 0, 0][:4]
    result = int(_libc().prctl(option, *padded))
    if result < 0:
        raise _last_error(f"prctl {option}")
    return result


@cache
def processor() -> str:
    """What system calls are numbered for: ``x86_64``, ``aarch64``; empty where this toolkit has no numbers for it."""
    if sys.platform != "linux" or sys.byteorder != "little" or struct.calcsize("P") != 8:
        return ""
    machine = platform.machine()
    return machine if machine in ("x86_64", "aarch64") else ""


def thread_count() -> int:
    """Threads of this process.

    Raises
    ------
    OSError
        Where there is no /proc.
    """
    return len(os.listdir("/proc/self/task"))  # noqa: PTH208  in the path of every task


def _last_error(what: str) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, f"{what}: {os.strerror(number)}")
