"""The filter of system calls: what is not listed here does not exist for a contained process.

Three answers. *Killed*: what only an attack or a grave mistake does; the process ends with SIGSYS at once, so that it
can't carry on and report success. *Refused* with EPERM: what honest code tries now and then without need. *Absent*:
everything else, calls of kernels to come included, gives ENOSYS, upon which libraries fall back to an older way.

SECCOMP_RET_KILL_PROCESS and the rest are named as in linux/seccomp.h.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Iterable
from functools import cache

from toolkit.contain import bpf
from toolkit.contain.kernel import PR_GET_SECCOMP, prctl, processor, system_call
from toolkit.contain.syscalls import AUDIT_ARCH, NUMBERS, X32_BIT

SECCOMP_SET_MODE_FILTER = 1
SECCOMP_GET_ACTION_AVAIL = 2
SECCOMP_MODE_FILTER = 2
SECCOMP_RET_KILL_PROCESS = 0x80000000
SECCOMP_RET_ERRNO = 0x00050000
SECCOMP_RET_ALLOW = 0x7FFF0000

KILLED = {
    "starting programs and processes": "execve execveat fork vfork",
    "network": "socket connect accept accept4 bind listen",
    "other processes": (
        "ptrace process_vm_readv process_vm_writev process_madvise process_mrelease pidfd_open pidfd_getfd "
        "pidfd_send_signal kcmp migrate_pages move_pages"
    ),
    "memory shared under a name": "memfd_create memfd_secret shmget shmat msgget semget mq_open",
    "namespaces and mounts": (
        "unshare setns mount umount2 pivot_root chroot open_tree open_tree_attr move_mount fsopen fsconfig fsmount "
        "fspick mount_setattr"
    ),
    "parts of the kernel with a history of holes": (
        "io_uring_setup io_uring_enter io_uring_register bpf perf_event_open userfaultfd add_key request_key "
        "keyctl init_module finit_module delete_module kexec_load kexec_file_load open_by_handle_at fanotify_init"
    ),
    "the machine": (
        "reboot swapon swapoff sethostname setdomainname settimeofday clock_settime clock_adjtime adjtimex acct "
        "quotactl quotactl_fd syslog vhangup iopl ioperm"
    ),
    "identity": "setuid setgid setreuid setregid setresuid setresgid setfsuid setfsgid setgroups capset",
}
"""Calls that end the process, by what they are for."""

REFUSED = {
    "metadata of files": (
        "chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat setxattr lsetxattr fsetxattr setxattrat "
        "removexattr lremovexattr fremovexattr removexattrat file_setattr utime utimes futimesat utimensat mknod "
        "mknodat"
    ),
    "what does not belong to the process alone": (
        "setsid setpgid setrlimit setpriority sched_setparam sched_setscheduler sched_setattr sched_setaffinity "
        "ioprio_set tkill personality sync syncfs inotify_init inotify_init1 inotify_add_watch name_to_handle_at"
    ),
}
"""Calls that give EPERM."""

ALLOWED = {
    "files that are open": (
        "read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 lseek close close_range dup dup2 "
        "dup3 fsync fdatasync sync_file_range ftruncate fallocate fadvise64 readahead copy_file_range sendfile "
        "pipe pipe2 poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait "
        "epoll_pwait2 eventfd eventfd2 timerfd_create timerfd_settime timerfd_gettime signalfd signalfd4 flock "
        "fstat fstatfs getdents getdents64 fchdir fgetxattr flistxattr"
    ),
    "files by name: Landlock says which": (
        "stat lstat newfstatat statx access faccessat faccessat2 readlink readlinkat getcwd chdir mkdir mkdirat "
        "rmdir unlink unlinkat rename renameat renameat2 link linkat symlink symlinkat creat statfs umask getxattr "
        "lgetxattr listxattr llistxattr"
    ),
    "memory": (
        "munmap mremap mprotect pkey_mprotect pkey_alloc pkey_free madvise brk msync mlock mlock2 munlock "
        "mlockall munlockall mbind set_mempolicy get_mempolicy set_mempolicy_home_node membarrier rseq "
        "map_shadow_stack mseal arch_prctl"
    ),
    "threads, and what a process may ask about itself": (
        "exit exit_group futex futex_waitv futex_wake futex_wait futex_requeue set_robust_list set_tid_address "
        "gettid getpid getppid getuid geteuid getgid getegid getresuid getresgid getgroups getpgid getpgrp getsid "
        "sched_yield sched_getaffinity sched_getparam sched_getscheduler sched_getattr sched_get_priority_max "
        "sched_get_priority_min sched_rr_get_interval getpriority ioprio_get capget getcpu getrusage times sysinfo "
        "uname getrlimit wait4 waitid restart_syscall"
    ),
    "signals and clocks of its own": (
        "rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait rt_sigsuspend sigaltstack pause "
        "alarm getitimer setitimer timer_create timer_settime timer_gettime timer_getoverrun timer_delete "
        "clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time getrandom"
    ),
    "socket pairs, which asyncio needs": (
        "sendmsg recvmsg recvfrom sendmmsg recvmmsg shutdown getsockopt getsockname getpeername"
    ),
}
"""Calls that pass whatever their arguments."""

_TRUNCATION_GOVERNED = 3
"""Version of Landlock from which on it governs truncation; before, this filter has to."""

# linux/sched.h
_CLONE_THREAD = 0x00010000
_CLONE_NAMESPACES = 0x7E020080  # CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET, NEWTIME
# sys/socket.h; a datagram socket of a pair could still send to any address
_AF_UNIX = 1
_SOCK_STREAM = 1
_SOCK_TYPE_MASK = 0xF
# asm-generic/mman-common.h
_MAP_SHARED = 0x01
_MAP_TYPE = 0x0F
_MAP_ANONYMOUS = 0x20
# asm-generic/fcntl.h, linux/fcntl.h: not F_SETOWN, F_SETOWN_EX and F_SETSIG, which send signals to any process
_FCNTL = (
    *(0, 1, 2, 3, 4),  # F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL
    *(5, 6, 7),  # F_GETLK, F_SETLK, F_SETLKW
    *(36, 37, 38),  # F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW
    *(1030, 1031, 1032),  # F_DUPFD_CLOEXEC, F_SETPIPE_SZ, F_GETPIPE_SZ
)
# asm-generic/ioctls.h, linux/fs.h: not FS_IOC_SETFLAGS and its like, which change files open for reading
_IOCTL = (
    *(0x5401, 0x5413),  # TCGETS, TIOCGWINSZ: is this a terminal, and how wide
    *(0x541B, 0x5421, 0x5450, 0x5451),  # FIONREAD, FIONBIO, FIONCLEX, FIOCLEX
    *(0x40049409, 0x4020940D),  # FICLONE, FICLONERANGE
)
# linux/prctl.h
_PRCTL = (
    *(2, 3, 15, 16),  # PR_GET_PDEATHSIG, PR_GET_DUMPABLE, PR_SET_NAME, PR_GET_NAME
    *(21, 23, 29, 30, 39),  # PR_GET_SECCOMP, PR_CAPBSET_READ, PR_SET_TIMERSLACK, PR_GET_TIMERSLACK, PR_GET_NO_NEW_PRIVS
    *(51, 0x53564D41),  # PR_SVE_GET_VL, PR_SET_VMA: the C library names its memory
)
# asm-generic/fcntl.h
_O_ACCMODE = 3
_O_TRUNC = 0o1000


@cache
def available() -> bool:
    """Whether this kernel can filter system calls and end the whole process upon a match (since Linux 4.14)."""
    machine = processor()
    if not machine:
        return False
    action = ctypes.create_string_buffer(struct.pack("=I", SECCOMP_RET_KILL_PROCESS), 4)
    try:
        system_call(NUMBERS[machine]["seccomp"], SECCOMP_GET_ACTION_AVAIL, 0, action)
    except OSError:
        return False
    return True


def program(machine: str, pid: int, landlock_abi: int) -> bytes:
    """The filter, as the kernel takes it.

    Parameters
    ----------
    machine : str
        ``x86_64`` or ``aarch64``.
    pid : int
        The process that will take it: the only one that it may send signals to.
    landlock_abi : int
        Version of Landlock in force; 0 without.
    """
    numbers = NUMBERS[machine]
    code = bpf.require(bpf.ARCHITECTURE, AUDIT_ARCH[machine], SECCOMP_RET_KILL_PROCESS)
    code.append((bpf.LOAD_WORD, 0, 0, bpf.NUMBER))
    if machine == "x86_64":
        code += bpf.below(X32_BIT, SECCOMP_RET_KILL_PROCESS)
    for name, tests, then, otherwise in _conditions(pid, landlock_abi):
        if name in numbers:
            code += bpf.when(numbers[name], tests, then, otherwise)
    return bpf.encode(code) + unconditional(machine, landlock_abi)


@cache
def unconditional(machine: str, landlock_abi: int) -> bytes:
    """The filter's larger part, which is the same for all processes; kept, so that forked ones find it made."""
    numbers = NUMBERS[machine]
    allowed, refused = [*ALLOWED.values()], [*REFUSED.values()]
    if landlock_abi >= _TRUNCATION_GOVERNED:
        allowed.append("open openat truncate")
    else:
        refused.append("truncate")
    code = bpf.any_of(_present(numbers, allowed), SECCOMP_RET_ALLOW)
    code += bpf.any_of(_present(numbers, KILLED.values()), SECCOMP_RET_KILL_PROCESS)
    code += bpf.any_of(_present(numbers, refused), _error(errno.EPERM))
    return bpf.encode([*code, *bpf.give(_error(errno.ENOSYS))])


def install(machine: str, landlock_abi: int) -> None:
    """Put the filter in force for this thread and those that it will start. There is no way back.

    Raises
    ------
    OSError
        When the kernel does not take it.
    """
    encoded = program(machine, os.getpid(), landlock_abi)
    body = ctypes.create_string_buffer(encoded, len(encoded))
    # struct sock_fprog of linux/filter.h: a length, and the address of the instructions.
    header = struct.pack("@HP", len(encoded) // 8, ctypes.addressof(body))
    argument = ctypes.create_string_buffer(header, len(header))
    system_call(NUMBERS[machine]["seccomp"], SECCOMP_SET_MODE_FILTER, 0, argument)
    if prctl(PR_GET_SECCOMP) != SECCOMP_MODE_FILTER:
        raise OSError(errno.ENOSYS, "the kernel took the filter, and does not apply it")


def _conditions(pid: int, landlock_abi: int) -> list[tuple[str, list[bpf.Check], int, int]]:
    """Calls whose answer hangs on their arguments: name, tests, answer if all are true, and if not."""
    allow, kill, refuse = SECCOMP_RET_ALLOW, SECCOMP_RET_KILL_PROCESS, _error(errno.EPERM)
    own = [bpf.Check(0, (pid,))]
    thread = [
        bpf.Check(0, (_CLONE_THREAD,), mask=_CLONE_THREAD),
        bpf.Check(0, (0,), mask=_CLONE_NAMESPACES),
    ]
    pair = [bpf.Check(0, (_AF_UNIX,)), bpf.Check(1, (_SOCK_STREAM,), mask=_SOCK_TYPE_MASK)]
    no_address = [bpf.Check(4, (0,)), bpf.Check(4, (0,), high=True)]
    only_read = [bpf.Check(0, (0, pid)), bpf.Check(2, (0,)), bpf.Check(2, (0,), high=True)]
    # Memory that no limit counts, and that leaves the resident set by madvise while it stays in use.
    uncounted = [bpf.Check(3, (_MAP_SHARED | _MAP_ANONYMOUS,), mask=_MAP_TYPE | _MAP_ANONYMOUS)]
    conditions = [
        ("mmap", uncounted, refuse, allow),
        # Its successor clone3 is absent: its flags are in memory, where a filter can't look. C libraries fall back to
        # this one.
        ("clone", thread, allow, kill),
        ("kill", own, allow, kill),
        ("tgkill", own, allow, kill),
        ("rt_sigqueueinfo", own, allow, kill),
        ("rt_tgsigqueueinfo", own, allow, kill),
        ("socketpair", pair, allow, kill),
        ("sendto", no_address, allow, kill),
        ("prlimit64", only_read, allow, refuse),
        ("fcntl", [bpf.Check(1, _FCNTL)], allow, refuse),
        ("ioctl", [bpf.Check(1, _IOCTL)], allow, _error(errno.ENOTTY)),
        ("prctl", [bpf.Check(0, _PRCTL)], allow, refuse),
    ]
    if landlock_abi < _TRUNCATION_GOVERNED:
        # Opened for reading (or, mode 3, for neither), yet cut to nothing: no right to write is asked for.
        cut = (_O_TRUNC, _O_TRUNC | _O_ACCMODE)
        for name, place in (("open", 1), ("openat", 2)):
            conditions.append((name, [bpf.Check(place, cut, mask=_O_TRUNC | _O_ACCMODE)], _error(errno.EACCES), allow))
    return conditions


def _present(numbers: dict[str, int], groups: Iterable[str]) -> list[int]:
    """Numbers of those calls that this processor has."""
    return [numbers[name] for group in groups for name in group.split() if name in numbers]


def _error(number: int) -> int:
    return SECCOMP_RET_ERRNO | number
