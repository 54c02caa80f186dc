"""The lock-down: all layers in their order, in a process that was just forked and has run no code of a plugin."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import Callable, Iterable

from toolkit.contain import audit, capabilities, landlock, limits, seccomp
from toolkit.contain.kernel import processor, thread_count
from toolkit.contain.rules import ContainmentError, InForce, Level, Rules

_HOMES = (
    "HOME",
    "TMPDIR",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "MPLCONFIGDIR",
    "NUMBA_CACHE_DIR",
)
"""Variables by which libraries find a place to write: all point to the working folder."""


_FACTS = (
    "/sys/devices/system/cpu",
    "/sys/fs/cgroup",
    "/sys/kernel/mm/transparent_hugepage/enabled",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/self/cgroup",
    "/proc/sys/vm/overcommit_memory",
)
"""What libraries ask about the machine; some crash when it is there and can't be read."""


def missing_layers() -> tuple[str, ...]:
    """What the kernel of this machine can't enforce, a sentence each; empty where it can enforce all.

    A supervisor asks before it starts anything, so that a policy that demands enforcement is refused at once.
    """
    if not processor():
        return ("Landlock and seccomp are used on Linux on 64-bit x86 and ARM, and this is another system",)
    missing = []
    if landlock.abi() == 0:
        missing.append("this kernel has no Landlock (Linux 5.13 and later, where it is switched on)")
    if not seccomp.available():
        missing.append("this kernel can't filter system calls (Linux 4.14 and later, where a container allows it)")
    return tuple(missing)


def prepare(paths: Iterable[str] = ()) -> None:
    """Do what takes time and is the same for all, in the process that the contained ones will be forked from.

    Parameters
    ----------
    paths : iterable of str, optional
        What all of them may read, such as `toolkit.contain.rules.interpreter_paths`.
    """
    missing_layers()
    if processor():
        seccomp.unconditional(processor(), landlock.abi())
    for path in (*paths, os.devnull):
        audit.root(path)


def check_possible(rules: Rules) -> None:
    """Refuse rules that this machine can't enforce and that demand it.

    Raises
    ------
    ContainmentError
        With what is missing.
    """
    missing = missing_layers()
    if rules.enforcement == "required" and missing:
        raise impossible(missing)


def lock_down(
    rules: Rules, on_violation: audit.OnViolation, *, parent: int | None = None, keep: Iterable[int] = ()
) -> InForce:
    """Contain this process, for good.

    Parameters
    ----------
    rules : Rules
        What it may use.
    on_violation : callable
        Is told what the audit hook refuses; see `toolkit.contain.audit.install`.
    parent : int, optional
        Process with which this one dies.
    keep : iterable of int, optional
        Descriptors that stay open, besides 0, 1 and 2; all others are closed.

    Returns
    -------
    InForce
        What holds from now on.

    Raises
    ------
    ContainmentError
        When a path of the rules is missing, when other threads are running, which would stay free, or when enforcement
        is required and can't be had. The process must then end without having run what was to be contained.

    Notes
    -----
    The order matters. First comes what ends this process should its parent end; then descriptors, which no later layer
    governs; then limits, which a privilege could raise; then privileges; then Landlock, which needs that none can be
    gained; then seccomp, which forbids what all of these need; last the audit hook, which would see the others at work.
    """
    if parent is not None:
        limits.die_with_parent(parent)
    limits.close_others(keep)
    _check_paths(rules)
    limits.be_first_to_go()
    _move_in(rules)
    taken = limits.take_limits(rules)
    readable = (*rules.read, *filter(os.path.exists, _FACTS))
    held = InForce(limits=taken, missing=("only advisory enforcement was asked for",))
    if rules.enforcement != "advisory":
        held = _enforce(rules, readable, taken)
    sys.dont_write_bytecode = True
    audit.install(readable, rules.write, on_violation)
    return held


def _enforce(rules: Rules, readable: tuple[str, ...], taken: dict[str, int]) -> InForce:
    """Put the kernel's layers in force."""
    missing = list(missing_layers())
    required = rules.enforcement == "required"
    if missing and required:
        raise impossible(missing)
    if processor():
        _check_alone()

    def layer(name: str, act: Callable[[], None]) -> bool:
        try:
            act()
        except OSError as error:
            sentence = f"{name} failed: {error.strerror or error}"
            if required:
                raise impossible([sentence]) from error
            missing.append(sentence)
            return False
        return True

    machine, abi, filterable = processor(), landlock.abi(), seccomp.available()
    writable = [*rules.write, os.devnull]
    bare = bool(machine) and layer("dropping privileges", _drop_privileges)
    walled = abi > 0 and layer("Landlock", lambda: landlock.restrict(readable, writable, abi))
    filtered = filterable and layer(
        "the filter of system calls", lambda: seccomp.install(machine, abi if walled else 0)
    )
    level: Level = "kernel" if walled and filtered else "partial" if walled or filtered else "advisory"
    return InForce(level, abi if walled else 0, filtered, bare, taken, tuple(missing))


def _drop_privileges() -> None:
    capabilities.drop_capabilities()
    capabilities.forbid_new_privileges()


def _check_alone() -> None:
    try:
        threads = thread_count()
    except OSError as error:
        raise ContainmentError("/proc is not mounted, so that the threads of a process can't be counted") from error
    if threads != 1:
        raise ContainmentError(
            f"{threads} threads are running; Landlock would bind one and leave the others free",
            "fork from a process with one thread: load libraries with OPENBLAS_NUM_THREADS=1 and OMP_NUM_THREADS=1",
        )


def _check_paths(rules: Rules) -> None:
    try:
        for path in rules.read:
            os.stat(path)  # noqa: PTH116  here and below: in the path of every task
        for path in rules.write:
            if not stat.S_ISDIR(os.stat(path).st_mode):  # noqa: PTH116
                raise ContainmentError(f"{path} is to be written in by a contained process, and is no folder")
    except OSError as error:
        raise ContainmentError(
            f"{error.filename} is to be readable or writable in a contained process: {error.strerror}"
        ) from error


def _move_in(rules: Rules) -> None:
    """Make the first writable folder the place where libraries look for files and put theirs."""
    if not rules.write:
        return
    folder = rules.write[0]
    os.chdir(folder)
    os.environ.update(dict.fromkeys(_HOMES, folder))
    tempfile.tempdir = None  # found anew from TMPDIR


def impossible(missing: Iterable[str]) -> ContainmentError:
    """The error that says what is missing."""
    return ContainmentError(
        f"plugins can't be contained here: {'; '.join(missing)}",
        "run on a kernel that has them, or set enforcement: best-effort in the policy if all plugins are trusted",
    )
