"""The filter's answers on both processors, whatever this machine is: a machine in Python runs it."""

from __future__ import annotations

import errno
import os
from itertools import chain

import pytest

from tests.unit.contain.bpf_machine import run
from toolkit.contain import seccomp
from toolkit.contain.syscalls import AUDIT_ARCH, NUMBERS, X32_BIT

PID = 4321
ALLOW = seccomp.SECCOMP_RET_ALLOW
KILL = seccomp.SECCOMP_RET_KILL_PROCESS
MACHINES = sorted(NUMBERS)


def error(number: int) -> int:
    return seccomp.SECCOMP_RET_ERRNO | number


def answer(machine: str, name: str, *arguments: int, abi: int = 7, pid: int = PID) -> int:
    program = seccomp.program(machine, pid, abi)
    return run(program, NUMBERS[machine][name], AUDIT_ARCH[machine], arguments)


def words(groups: dict[str, str]) -> set[str]:
    return set(chain.from_iterable(group.split() for group in groups.values()))


@pytest.mark.parametrize("machine", MACHINES)
def test_every_name_in_the_lists_is_a_call_and_in_one_list_only(machine: str) -> None:
    lists = [words(seccomp.ALLOWED), words(seccomp.KILLED), words(seccomp.REFUSED)]
    known = set().union(*NUMBERS.values())
    assert [name for names in lists for name in sorted(names - known)] == []
    assert sum(map(len, lists)) == len(set().union(*lists))
    for name in lists[0] & set(NUMBERS[machine]):
        assert answer(machine, name) == ALLOW, name
    for name in lists[1] & set(NUMBERS[machine]):
        assert answer(machine, name) == KILL, name
    for name in lists[2] & set(NUMBERS[machine]):
        assert answer(machine, name) == error(errno.EPERM), name


@pytest.mark.parametrize("machine", MACHINES)
def test_what_is_listed_nowhere_is_absent(machine: str) -> None:
    program = seccomp.program(machine, PID, 7)
    listed = words(seccomp.ALLOWED) | words(seccomp.KILLED) | words(seccomp.REFUSED)
    conditional = {name for name, *_ in seccomp._conditions(PID, 7)} | {"open", "openat", "truncate"}
    known = {NUMBERS[machine][n] for n in (listed | conditional) & set(NUMBERS[machine])}
    for number in set(range(1200)) - known:
        assert run(program, number, AUDIT_ARCH[machine]) == error(errno.ENOSYS), number
    for name in (
        "clone3",
        "openat2",
        "seccomp",
        "landlock_restrict_self",
        "splice",
        "mincore",
        "io_submit",
        "cachestat",
    ):
        assert answer(machine, name) == error(errno.ENOSYS), name


@pytest.mark.parametrize("machine", MACHINES)
def test_calls_of_another_processor_or_interface_end_the_process(machine: str) -> None:
    program = seccomp.program(machine, PID, 7)
    read = NUMBERS[machine]["read"]
    for architecture in (0x40000003, 0x40000028, 0, *(a for m, a in AUDIT_ARCH.items() if m != machine)):
        assert run(program, read, architecture) == KILL
    assert run(program, -1, AUDIT_ARCH[machine]) in (KILL, error(errno.ENOSYS))
    if machine == "x86_64":
        assert run(program, read | X32_BIT, AUDIT_ARCH[machine]) == KILL


@pytest.mark.parametrize("machine", MACHINES)
def test_clone_starts_threads_and_no_processes(machine: str) -> None:
    # As pthread_create has it: VM, FS, FILES, SIGHAND, THREAD, SYSVSEM, SETTLS, PARENT_SETTID, CHILD_CLEARTID
    thread = 0x3D0F00
    assert answer(machine, "clone", thread) == ALLOW
    assert answer(machine, "clone", 17) == KILL  # SIGCHLD: fork
    assert answer(machine, "clone", 0x4111) == KILL  # CLONE_VM | CLONE_VFORK | SIGCHLD: posix_spawn
    for namespace in (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000, 0x80):
        assert answer(machine, "clone", thread | namespace) == KILL, hex(namespace)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("name", ["kill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"])
def test_signals_go_to_the_process_itself_only(machine: str, name: str) -> None:
    assert answer(machine, name, PID, 9) == ALLOW
    for other in (1, PID + 1, 0, -1, -PID):
        assert answer(machine, name, other, 9) == KILL, other


@pytest.mark.parametrize("machine", MACHINES)
def test_socket_pairs_are_local_streams(machine: str) -> None:
    cloexec_nonblock = 0o2004000
    assert answer(machine, "socketpair", 1, 1) == ALLOW
    assert answer(machine, "socketpair", 1, 1 | cloexec_nonblock) == ALLOW
    for family, kind in ((1, 2), (1, 5), (2, 1), (16, 3), (1, 2 | cloexec_nonblock), (40, 1)):
        assert answer(machine, "socketpair", family, kind) == KILL, (family, kind)
    assert answer(machine, "sendto", 3, 0x7000, 1, 0, 0, 0) == ALLOW
    for address in (1, 0x7FFF00001000, 1 << 32):
        assert answer(machine, "sendto", 3, 0x7000, 1, 0, address, 16) == KILL


@pytest.mark.parametrize("machine", MACHINES)
def test_limits_are_read_and_not_set(machine: str) -> None:
    assert answer(machine, "prlimit64", 0, 7, 0, 0x7000) == ALLOW
    assert answer(machine, "prlimit64", PID, 7, 0, 0x7000) == ALLOW
    for arguments in ((0, 7, 0x7000, 0), (0, 7, 1 << 32, 0), (1, 7, 0, 0x7000), (PID + 1, 7, 0x7000, 0)):
        assert answer(machine, "prlimit64", *arguments) == error(errno.EPERM)


@pytest.mark.parametrize("machine", MACHINES)
def test_memory_is_mapped_unless_nobody_would_count_it(machine: str) -> None:
    shared, private, anonymous, fixed = 1, 2, 0x20, 0x10
    for flags in (private | anonymous, shared, private, private | anonymous | fixed, private | anonymous | 0x20000):
        assert answer(machine, "mmap", 0, 4096, 3, flags, -1) == ALLOW
    for flags in (shared | anonymous, shared | anonymous | fixed, shared | anonymous | 0x40000):
        assert answer(machine, "mmap", 0, 4096, 3, flags, -1) == error(errno.EPERM)


@pytest.mark.parametrize("machine", MACHINES)
def test_descriptors_are_controlled_without_reaching_others(machine: str) -> None:
    import fcntl

    for command in (fcntl.F_GETFL, fcntl.F_SETFL, fcntl.F_DUPFD_CLOEXEC, fcntl.F_SETLK):
        assert answer(machine, "fcntl", 3, command) == ALLOW
    for command in (8, 10, 15, 1024, 1026):  # F_SETOWN, F_SETSIG, F_SETOWN_EX, F_SETLEASE, F_NOTIFY
        assert answer(machine, "fcntl", 3, command) == error(errno.EPERM)
    assert answer(machine, "ioctl", 0, 0x5401) == ALLOW
    for request in (0x5412, 0x40086602, 0x40086685, 0x8901, 0x541C):  # TIOCSTI, SETFLAGS, VERITY, FIOSETOWN, TIOCLINUX
        assert answer(machine, "ioctl", 0, request) == error(errno.ENOTTY)
    assert answer(machine, "prctl", 15) == ALLOW  # PR_SET_NAME
    for option in (1, 4, 8, 22, 0x59616D61):  # PDEATHSIG, DUMPABLE, KEEPCAPS, SECCOMP, PTRACER
        assert answer(machine, "prctl", option) == error(errno.EPERM)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("abi", range(8))
def test_truncation_falls_to_the_filter_where_landlock_does_not_govern_it(machine: str, abi: int) -> None:
    governed = abi >= 3
    assert answer(machine, "truncate", abi=abi) == (ALLOW if governed else error(errno.EPERM))
    for mode, harmless in ((os.O_RDONLY, False), (os.O_WRONLY, True), (os.O_RDWR, True), (3, False)):
        flags = mode | os.O_CLOEXEC
        assert answer(machine, "openat", -100, 0x7000, flags, abi=abi) == ALLOW
        cut = answer(machine, "openat", -100, 0x7000, flags | os.O_TRUNC, abi=abi)
        assert cut == (ALLOW if governed or harmless else error(errno.EACCES))


@pytest.mark.parametrize("machine", MACHINES)
def test_what_is_kept_does_not_hang_on_the_process(machine: str) -> None:
    first, second = (seccomp.program(machine, pid, 7) for pid in (100, 200))
    assert first != second
    assert len(first) == len(second)
    kept = seccomp.unconditional(machine, 7)
    assert first.endswith(kept)
    assert second.endswith(kept)
