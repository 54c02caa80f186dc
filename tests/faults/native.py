"""Calls of the C library, as native code of a plugin would make them: the audit hook never sees them."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
from typing import Any

from toolkit.contain.syscalls import NUMBERS

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
libc.mmap.restype = ctypes.c_void_p


class ImpossibleHereError(Exception):
    """This machine does not have what the attack needs."""


def must(result: int) -> int:
    """The result of a call of the C library, or the error it set."""
    if result == -1:
        number = ctypes.get_errno()
        if number in (errno.ENOSYS, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT):
            raise ImpossibleHereError(os.strerror(number))
        raise OSError(number, os.strerror(number))
    return result


def call(name: str, *arguments: Any) -> int:
    """A system call by its name."""
    number = NUMBERS[platform.machine()].get(name)
    if number is None:
        raise ImpossibleHereError(f"no {name} on this processor")
    passed = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    return must(libc.syscall(ctypes.c_long(number), *passed))


def c_open(path: object, flags: int, mode: int = 0o600) -> int:
    return must(libc.open(os.fsencode(str(path)), ctypes.c_int(flags), ctypes.c_int(mode)))


def c_write(path: object, flags: int, data: bytes = b"x") -> None:
    descriptor = c_open(path, flags)
    must(libc.write(descriptor, data, len(data)))
    os.close(descriptor)


def run_machine_code(code: bytes) -> int:
    """Put instructions of the processor into memory and jump there."""
    # PROT_READ | PROT_WRITE | PROT_EXEC; MAP_PRIVATE | MAP_ANONYMOUS
    where = libc.mmap(None, 4096, 7, 0x22, -1, 0)
    ctypes.memmove(where, code, len(code))
    return int(ctypes.CFUNCTYPE(ctypes.c_long)(where)())
