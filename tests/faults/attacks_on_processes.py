"""Attacks that start programs, touch other processes, or reach for parts of the kernel."""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import signal
import struct
import subprocess
from pathlib import Path

from tests.faults.attack_list import attack
from tests.faults.native import ImpossibleHereError, c_open, call, libc, must, run_machine_code
from tests.faults.world import World

PROGRAMS = "programs (subprocess, posix_spawn, system)"
FORKS = "fork"
SUPERVISOR = "signals, ptrace and memory of the supervisor"
PROC = "/proc of the supervisor"
KERNEL = "io_uring, bpf, keys, user namespaces, mounts"
LIMITS = "limits, priority and ties to the supervisor"
INTERFACES = "the processor's other system-call interfaces"

_TRUE = b"/bin/true"


@attack(PROGRAMS, "explained")
def run_by_subprocess(_: World) -> None:
    subprocess.run([_TRUE], check=True)


@attack(PROGRAMS, "explained")
def run_by_os_system(_: World) -> None:
    assert os.system("true") == 0


@attack(PROGRAMS, "explained")
def run_by_posix_spawn(_: World) -> None:
    assert os.waitpid(os.posix_spawn(_TRUE, [_TRUE], {}), 0)[1] == 0


@attack(PROGRAMS, "killed")
def run_by_libc_system(_: World) -> None:
    if libc.system(b"exit 0") != 0:
        raise OSError("system() failed")


@attack(PROGRAMS, "killed")
def run_by_libc_posix_spawn(_: World) -> None:
    pid = ctypes.c_int()
    arguments = (ctypes.c_char_p * 2)(_TRUE, None)
    if libc.posix_spawn(ctypes.byref(pid), _TRUE, None, None, arguments, None) != 0:
        raise OSError("posix_spawn failed")
    assert os.waitpid(pid.value, 0)[1] == 0


@attack(PROGRAMS, "killed")
def become_a_program(_: World) -> None:
    arguments = (ctypes.c_char_p * 2)(_TRUE, None)
    # It never returns if it works; the program's exit code, 0, then says so.
    must(libc.execve(_TRUE, arguments, None))


@attack(PROGRAMS, "killed")
def become_a_program_by_descriptor(_: World) -> None:
    arguments = (ctypes.c_char_p * 2)(_TRUE, None)
    descriptor = c_open("/", os.O_PATH)
    call("execveat", descriptor, ctypes.create_string_buffer(b"bin/true"), arguments, None, 0)


@attack(FORKS, "explained")
def fork(_: World) -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


@attack(FORKS, "killed")
def fork_by_ctypes(_: World) -> None:
    pid = must(libc.fork())
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


@attack(FORKS, "refused")
def fork_by_clone3(_: World) -> None:
    # struct clone_args: flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls
    arguments = struct.pack("=8Q", 0, 0, 0, 0, signal.SIGCHLD, 0, 0, 0)
    pid = libc.syscall(ctypes.c_long(435), ctypes.create_string_buffer(arguments, len(arguments)), ctypes.c_long(64))
    if pid == 0:
        os._exit(0)
    if pid < 0:
        raise OSError(ctypes.get_errno(), "clone3")
    os.waitpid(pid, 0)


@attack(SUPERVISOR, "explained")
def signal_by_python(world: World) -> None:
    os.kill(world.supervisor, signal.SIGUSR1)


@attack(SUPERVISOR, "killed")
def signal_by_ctypes(world: World) -> None:
    must(libc.kill(world.supervisor, signal.SIGUSR1))


@attack(SUPERVISOR, "killed")
def signal_to_the_group(_: World) -> None:
    must(libc.kill(0, 0))


@attack(SUPERVISOR, "killed")
def signal_to_a_thread(world: World) -> None:
    call("tgkill", world.supervisor, world.supervisor, int(signal.SIGUSR1))


@attack(SUPERVISOR, "refused")
def signal_to_a_task(world: World) -> None:
    call("tkill", world.supervisor, int(signal.SIGUSR1))


@attack(SUPERVISOR, "killed")
def queue_a_signal(world: World) -> None:
    must(libc.sigqueue(world.supervisor, int(signal.SIGUSR1), None))


@attack(SUPERVISOR, "killed")
def signal_by_pidfd(world: World) -> None:
    descriptor = call("pidfd_open", world.supervisor, 0)
    call("pidfd_send_signal", descriptor, int(signal.SIGUSR1), None, 0)


@attack(SUPERVISOR, "refused")
def signal_by_owning_a_pipe(world: World) -> None:
    """F_SETOWN, F_SETSIG, then O_ASYNC: the kernel signals the owner when the pipe can be read."""
    reading, writing = os.pipe()
    must(libc.fcntl(reading, 8, world.supervisor))
    must(libc.fcntl(reading, 10, int(signal.SIGUSR1)))
    must(libc.fcntl(reading, 4, os.O_ASYNC | os.O_NONBLOCK))
    os.write(writing, b"x")
    raise OSError("only the supervisor can tell whether it came")


@attack(SUPERVISOR, "killed")
def trace(world: World) -> None:
    must(libc.ptrace(0x4206, world.supervisor, None, None))  # PTRACE_SEIZE


@attack(SUPERVISOR, "killed")
def read_its_memory(world: World) -> None:
    _copy_memory("process_vm_readv", world)


@attack(SUPERVISOR, "killed")
def write_its_memory(world: World) -> None:
    _copy_memory("process_vm_writev", world)


@attack(SUPERVISOR, "killed")
def take_its_descriptor(world: World) -> None:
    call("pidfd_getfd", call("pidfd_open", world.supervisor, 0), world.open_secret, 0)


@attack(PROC, "explained")
def environment(world: World) -> None:
    assert Path(f"/proc/{world.supervisor}/environ").read_bytes()


@attack(PROC, "refused")
def environment_by_ctypes(world: World) -> None:
    assert os.read(c_open(f"/proc/{world.supervisor}/environ", os.O_RDONLY), 10)


@attack(PROC, "refused")
def memory_by_ctypes(world: World) -> None:
    os.close(c_open(f"/proc/{world.supervisor}/mem", os.O_RDWR))


@attack(PROC, "refused")
def its_files_by_ctypes(world: World) -> None:
    os.close(c_open(f"/proc/{world.supervisor}/fd/{world.open_secret}", os.O_RDWR))


@attack(KERNEL, "killed")
def io_uring(_: World) -> None:
    os.close(call("io_uring_setup", 4, ctypes.create_string_buffer(256)))


@attack(KERNEL, "killed")
def user_namespace(_: World) -> None:
    must(libc.unshare(0x10000000))


@attack(KERNEL, "killed")
def bpf_map(_: World) -> None:
    os.close(call("bpf", 0, ctypes.create_string_buffer(struct.pack("=IIII", 2, 4, 4, 1).ljust(128, b"\0"), 128), 128))


@attack(KERNEL, "killed")
def performance_counters(_: World) -> None:
    attributes = ctypes.create_string_buffer(struct.pack("=IIQ", 1, 112, 0).ljust(112, b"\0"), 112)
    os.close(call("perf_event_open", attributes, 0, -1, -1, 0))


@attack(KERNEL, "killed")
def userfaultfd(_: World) -> None:
    os.close(call("userfaultfd", 1))


@attack(KERNEL, "killed")
def keyring(_: World) -> None:
    call("keyctl", 0, -3, 1)  # KEYCTL_GET_KEYRING_ID of the session, made if need be


@attack(KERNEL, "killed", control=False)
def mount(world: World) -> None:
    must(libc.mount(b"none", os.fsencode(world.run), b"tmpfs", 0, None))


@attack(KERNEL, "killed", control=False)
def change_root(world: World) -> None:
    must(libc.chroot(os.fsencode(world.run)))


@attack(KERNEL, "killed", control=False)
def module(_: World) -> None:
    call("init_module", ctypes.create_string_buffer(1), 1, ctypes.create_string_buffer(1))


@attack(KERNEL, "refused")
def watch_others(world: World) -> None:
    call("inotify_add_watch", call("inotify_init1", 0), ctypes.create_string_buffer(os.fsencode(world.outside)), 0xFFF)


@attack(LIMITS, "explained")
def own_limits(_: World) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, 512))


@attack(LIMITS, "refused")
def own_limits_by_ctypes(_: World) -> None:
    must(libc.setrlimit(resource.RLIMIT_NOFILE, (ctypes.c_ulong * 2)(512, 512)))


@attack(LIMITS, "refused")
def limits_of_the_supervisor(world: World) -> None:
    must(libc.prlimit(world.supervisor, resource.RLIMIT_CORE, (ctypes.c_ulong * 2)(0, 0), None))


@attack(LIMITS, "refused")
def priority_of_the_supervisor(world: World) -> None:
    must(libc.setpriority(os.PRIO_PROCESS, world.supervisor, 5))


@attack(LIMITS, "refused")
def processors_of_the_supervisor(world: World) -> None:
    os.sched_setaffinity(world.supervisor, {min(os.sched_getaffinity(0))})


@attack(LIMITS, "refused")
def session(_: World) -> None:
    os.setsid()


@attack(LIMITS, "refused")
def outlive_the_supervisor(_: World) -> None:
    must(libc.prctl(1, 0, 0, 0, 0))  # PR_SET_PDEATHSIG


@attack(LIMITS, "killed")
def identity(_: World) -> None:
    must(libc.setresuid(os.getuid(), os.getuid(), os.getuid()))


@attack(INTERFACES, "killed")
def interface_of_32_bits(_: World) -> None:
    """int 0x80 numbers calls otherwise: 20 is getpid there, and writev here."""
    if platform.machine() != "x86_64":
        raise ImpossibleHereError("only x86-64 has it")
    # mov eax, 20; int 0x80; ret
    assert run_machine_code(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3") == os.getpid()


@attack(INTERFACES, "killed", control=False)
def interface_x32(_: World) -> None:
    """getpid by x32's number, which kernels are mostly built without."""
    if platform.machine() != "x86_64":
        raise ImpossibleHereError("only x86-64 has it")
    must(libc.syscall(ctypes.c_long(0x40000000 | 39)))


@attack(INTERFACES, "refused", control=False)
def call_of_a_kernel_to_come(_: World) -> None:
    if libc.syscall(ctypes.c_long(2000)) < 0:
        raise OSError(ctypes.get_errno(), "no such call")


def _copy_memory(name: str, world: World) -> None:
    """A word of the supervisor, whose memory is laid out as ours."""
    word = ctypes.create_string_buffer(8)
    here = ctypes.create_string_buffer(struct.pack("@PN", ctypes.addressof(word), 8), 16)
    there = ctypes.create_string_buffer(struct.pack("@PN", ctypes.addressof(_SPARE), 8), 16)
    call(name, world.supervisor, here, 1, there, 1, 0)


_SPARE = ctypes.create_string_buffer(8)
"""Memory that an attack may write to without harm."""
