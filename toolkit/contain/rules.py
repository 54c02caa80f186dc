"""What a contained process may use, and what came to be in force."""

from __future__ import annotations

import os
import sys
import sysconfig
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from toolkit.core.errors import ToolkitError, UsageError

Enforcement = Literal["required", "best-effort", "advisory"]
Level = Literal["kernel", "partial", "advisory"]

OPEN_FILES = 256
"""Descriptors that a contained process may have, without other wishes."""

_SYSTEM_READ = (
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/usr/share/zoneinfo",
    "/dev/urandom",
    "/dev/random",
)


class ContainmentError(ToolkitError):
    """A process can't be contained as the policy demands; it must end without having run a plugin."""

    exit_code = 4


@dataclass(frozen=True, slots=True)
class Rules:
    """What a contained process may use; None for no limit.

    Attributes
    ----------
    read : tuple of str
        Files and folders, with all that is in them, that it may read. See `interpreter_paths`.
    write : tuple of str
        Folders in which it may read, write, make and remove; the first one becomes its working, home and temporary
        folder.
    memory : int or None
        Bytes of private memory that it may allocate (RLIMIT_DATA); also what `toolkit.contain.watch` holds its resident
        memory against, as mapped files escape the former.
    cpu_ms : int or None
        Processor time, milliseconds, rounded up to seconds: SIGXCPU at the limit, SIGKILL one second later.
    file_size : int or None
        Bytes of one file that it writes.
    open_files : int
        Descriptors.
    threads : int or None
        Threads; watched from outside.
    quota : int or None
        Bytes of all files in the folders that it may write to, removed ones that it holds open included; watched from
        outside.
    enforcement : str
        ``required``: no code is run unless the kernel enforces; ``best-effort``: as much as the kernel can;
        ``advisory``: limits and the audit hook alone, for code under a debugger or profiler.
    """

    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    memory: int | None = None
    cpu_ms: int | None = None
    file_size: int | None = None
    open_files: int = OPEN_FILES
    threads: int | None = None
    quota: int | None = None
    enforcement: Enforcement = "required"

    def __post_init__(self) -> None:
        if self.enforcement not in get_args(Enforcement):
            raise UsageError(
                f"enforcement is {self.enforcement!r}, which is none of {', '.join(get_args(Enforcement))}",
                "correct it in the policy",
            )
        for path in (*self.read, *self.write):
            if not os.path.isabs(path):  # noqa: PTH117  text, as it crosses processes
                raise UsageError(f"the rules name {path!r}; a path in them must be absolute")
        for name in ("memory", "cpu_ms", "file_size", "open_files", "threads", "quota"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise UsageError(f"{name} is {value}; it must be positive, or absent for no limit")

    def to_json(self) -> dict[str, Any]:
        """The fields as plain values."""
        return asdict(self) | {"read": list(self.read), "write": list(self.write)}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Rules:
        """Read what `to_json` wrote."""
        return cls(**value | {"read": tuple(value["read"]), "write": tuple(value["write"])})


@dataclass(frozen=True, slots=True)
class InForce:
    """What contains a process.

    Attributes
    ----------
    level : str
        ``kernel``: Landlock and seccomp both enforce; ``partial``: one of them; ``advisory``: neither, only the audit
        hook and the limits hold, which native code gets around.
    landlock_abi : int
        Version of Landlock that is in force; 0 without.
    seccomp : bool
        Whether the filter of system calls is in force.
    no_capabilities : bool
        Whether the process is without privileges, and can't get any.
    limits : dict
        Resource limits by name, in their units (bytes, seconds, numbers).
    missing : tuple of str
        What could not be had, a sentence each.
    """

    level: Level = "advisory"
    landlock_abi: int = 0
    seccomp: bool = False
    no_capabilities: bool = False
    limits: dict[str, int] = field(default_factory=dict)
    missing: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The fields as plain values."""
        return asdict(self) | {"missing": list(self.missing)}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> InForce:
        """Read what `to_json` wrote."""
        return cls(**value | {"missing": tuple(value["missing"])})


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that the audit hook saw broken, and refused.

    Attributes
    ----------
    event : str
        Name of Python's audit event, such as ``socket.connect``.
    sentence : str
        What was tried, in plain words.
    grave : bool
        Whether no honest library would try it: to reach the network, other processes, or to write elsewhere. Reading a
        file that may not be read is not grave, as libraries look for configuration files and go on without.
    """

    event: str
    sentence: str
    grave: bool

    def to_json(self) -> dict[str, Any]:
        """The fields as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Any) -> Violation:
        """Read what `to_json` wrote.

        Raises
        ------
        ValueError
            When it is something else: it comes from a process that is not trusted.
        """
        fields = value if isinstance(value, dict) else {}
        event, sentence, grave = (fields.get(name) for name in ("event", "sentence", "grave"))
        if not (isinstance(event, str) and isinstance(sentence, str) and isinstance(grave, bool)):
            raise ValueError("this is no violation")  # noqa: TRY004  one error for whatever is wrong with it
        return cls(event[:_LONGEST], sentence[:_LONGEST], grave)


_LONGEST = 300


def interpreter_paths() -> tuple[str, ...]:
    """What this interpreter and installed libraries need to read: code, shared objects, time zones, random devices.

    Returns
    -------
    tuple of str
        Absolute, without symbolic links, sorted, none within another; those that exist here.
    """
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    wanted = {sysconfig.get_path(name) for name in names} | set(_SYSTEM_READ)
    wanted |= {entry for entry in sys.path if entry.endswith((".zip", "site-packages", "dist-packages", "lib-dynload"))}
    found = {os.path.realpath(path) for path in wanted if path and Path(path).exists()}
    return tuple(sorted(p for p in found if not any(str(above) in found for above in Path(p).parents)))
