"""Processors and memory of the control group: both versions, nested groups, containers, and none at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from toolkit.govern.machine import available_cores, available_memory, resident

MEMINFO = "MemTotal:       1000 kB\nMemFree:         100 kB\nMemAvailable:    800 kB\n"


@pytest.fixture(autouse=True)
def _sixteen_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(16)), raising=False)


def files(root: Path, **content: str) -> Path:
    """A root with files; in their names ``__`` stands for a slash and ``_dot_`` for a dot."""
    for name, text in content.items():
        path = root / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_without_control_groups(tmp_path: Path) -> None:
    assert available_memory(tmp_path) is None
    assert available_cores(tmp_path) == 16
    assert available_memory(files(tmp_path, proc__meminfo=MEMINFO)) == 800 * 1024


def test_version_2_from_its_own_group_upwards(tmp_path: Path) -> None:
    root = files(
        tmp_path,
        proc__meminfo=MEMINFO,
        proc__self__cgroup="0::/user/job\n",
        sys__fs__cgroup__user__memory_dot_max="500000\n",
        sys__fs__cgroup__user__memory_dot_current="200000\n",
        sys__fs__cgroup__user__memory_dot_stat="anon 7\ninactive_file 50000\n",
        sys__fs__cgroup__user__cpu_dot_max="150000 100000\n",
        sys__fs__cgroup__user__job__memory_dot_max="max\n",
        sys__fs__cgroup__user__job__cpu_dot_max="max 100000\n",
    )
    assert available_memory(root) == 350_000
    assert available_cores(root) == 2


def test_version_1(tmp_path: Path) -> None:
    root = files(
        tmp_path,
        proc__meminfo=MEMINFO,
        proc__self__cgroup="4:memory:/box\n2:cpu,cpuacct:/box\n0::/\n",
        sys__fs__cgroup__memory__box__memory_dot_limit_in_bytes="400000\n",
        sys__fs__cgroup__memory__box__memory_dot_usage_in_bytes="300000\n",
        sys__fs__cgroup__memory__memory_dot_limit_in_bytes="9223372036854771712\n",
        sys__fs__cgroup__memory__memory_dot_usage_in_bytes="5\n",
    )
    group = root / "sys/fs/cgroup/cpu,cpuacct/box"
    group.mkdir(parents=True)
    (group / "cpu.cfs_quota_us").write_text("300000\n")
    (group / "cpu.cfs_period_us").write_text("100000\n")
    assert available_memory(root) == 100_000
    assert available_cores(root) == 3
    (group / "cpu.cfs_quota_us").write_text("-1\n")
    assert available_cores(root) == 16


def test_in_a_container_the_mounted_group_is_its_own(tmp_path: Path) -> None:
    """The path that /proc shows may be that of the host, which is not there."""
    root = files(
        tmp_path,
        proc__self__cgroup="0::/kubepods/pod7/c1\n",
        sys__fs__cgroup__memory_dot_max="1000\n",
        sys__fs__cgroup__memory_dot_current="2000\n",
        sys__fs__cgroup__cpu_dot_max="50000 100000\n",
    )
    assert available_memory(root) == 0
    assert available_cores(root) == 1


def test_this_machine_can_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert available_cores() >= 1
    assert (available_memory() or 1) > 0
    assert resident() > 1 << 20
