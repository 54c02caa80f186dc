from __future__ import annotations

import platform
import re
from pathlib import Path

import pytest

from toolkit.contain.syscalls import NUMBERS

# From the kernel's own tables: the calls on which containment hangs most.
KNOWN = {
    "x86_64": {
        "read": 0, "open": 2, "mmap": 9, "ioctl": 16, "socket": 41, "clone": 56, "fork": 57, "execve": 59, "kill": 62,
        "fcntl": 72, "chmod": 90, "ptrace": 101, "prctl": 157, "openat": 257, "prlimit64": 302, "seccomp": 317,
        "memfd_create": 319, "execveat": 322, "statx": 332, "rseq": 334,
    },
    "aarch64": {
        "getcwd": 17, "fcntl": 25, "ioctl": 29, "fchmod": 52, "openat": 56, "read": 63, "ptrace": 117, "kill": 129,
        "prctl": 167, "socket": 198, "socketpair": 199, "clone": 220, "execve": 221, "mmap": 222, "accept4": 242,
        "wait4": 260, "prlimit64": 261, "seccomp": 277, "memfd_create": 279, "execveat": 281, "statx": 291, "rseq": 293,
    },
}  # fmt: skip
SHARED = {"pidfd_send_signal": 424, "io_uring_setup": 425, "clone3": 435, "openat2": 437, "landlock_add_rule": 445,
          "fchmodat2": 452, "mseal": 462, "file_setattr": 469}  # fmt: skip


@pytest.mark.parametrize("machine", KNOWN)
def test_known_numbers(machine: str) -> None:
    numbers = NUMBERS[machine]
    for name, number in (KNOWN[machine] | SHARED).items():
        assert numbers[name] == number, name
    assert len(set(numbers.values())) == len(numbers)


def test_the_numbers_are_those_of_the_headers_here() -> None:
    machine = platform.machine()
    header = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
    if machine != "x86_64" or not header.is_file():
        pytest.skip("no header with plain numbers here")
    stated = {n: int(v) for n, v in re.findall(r"#define __NR_(\w+) (\d+)", header.read_text())}
    assert stated
    shared = set(stated) & set(NUMBERS[machine])
    assert len(shared) > 350
    assert {n: NUMBERS[machine][n] for n in shared} == {n: stated[n] for n in shared}
