"""What the machine, and the control group that this process is in, let it have: processors and memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

_UNLIMITED = 1 << 60
"""Version 1 says ``no limit`` by a number just below 2^63."""


def available_cores(root: Path = Path("/")) -> int:
    """Processors that this process may use: its affinity, and the quota of its control group, rounded up.

    Parameters
    ----------
    root : Path
        Where /proc and /sys are.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    for folder in _groups(root, "cpu"):
        quota = _read(folder / "cpu.max").split() or [
            _read(folder / "cpu.cfs_quota_us").strip(),
            _read(folder / "cpu.cfs_period_us").strip(),
        ]
        if len(quota) == 2 and quota[0].isdecimal() and quota[1].isdecimal() and int(quota[1]):
            cores = min(cores, max(1, -(-int(quota[0]) // int(quota[1]))))
    return cores


def available_memory(root: Path = Path("/")) -> int | None:
    """Bytes that are free: of the machine, and of each control group above this process; None where none can be known.

    Pages of files that a group could give back at once are free.
    """
    lines = _read(root / "proc/meminfo").splitlines()
    found = [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
    for folder in _groups(root, "memory"):
        for most, used, cache in (
            ("memory.max", "memory.current", "inactive_file"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ):
            limit, current = _read(folder / most).strip(), _read(folder / used).strip()
            if limit.isdecimal() and current.isdecimal() and int(limit) < _UNLIMITED:
                found.append(max(0, int(limit) - int(current) + _stat(folder, cache)))
    return min(found, default=None)


def resident() -> int:
    """Resident bytes of this process; 0 where that can't be known."""
    fields = _read(Path("/proc/self/statm")).split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") if len(fields) > 1 else 0


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """Folders of the control groups that bound this process, from its own up to the root; of both versions."""
    mount = root / "sys/fs/cgroup"
    bases = {mount: ""}
    for line in _read(root / "proc/self/cgroup").splitlines():
        number, _, rest = line.partition(":")
        names, _, path = rest.partition(":")
        if number == "0" and not names:
            bases[mount] = path
        elif controller in names.split(","):
            # version 1 mounts a hierarchy under the names of its controllers, or of one of them
            bases |= {mount / folder: path for folder in dict.fromkeys([names, controller])}
    for base, path in bases.items():
        steps = [s for s in path.split("/") if s]
        # Within a container the path may be that on the host, which is not there: what is mounted is its own group.
        for depth in range(len(steps), -1, -1):
            yield base.joinpath(*steps[:depth])


def _stat(folder: Path, name: str) -> int:
    for line in _read(folder / "memory.stat").splitlines():
        key, _, value = line.partition(" ")
        if key == name and value.isdecimal():
            return int(value)
    return 0


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except (OSError, UnicodeDecodeError):
        return ""
