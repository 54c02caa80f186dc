from __future__ import annotations

import ctypes
import mmap
import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from toolkit.contain import watch
from toolkit.contain.rules import Rules
from toolkit.contain.watch import ENTRY, Breach

pytestmark = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="there is no /proc")

MIB = 1 << 20
LIBC = ctypes.CDLL(None)
GONE = 2**22 + 1  # more than any kernel numbers processes


def test_resident_memory_grows_with_what_is_touched() -> None:
    before = watch.resident(os.getpid())
    assert before > MIB
    region = mmap.mmap(-1, 64 * MIB)
    region.write(b"x" * (64 * MIB))
    assert watch.resident(os.getpid()) - before > 56 * MIB
    region.close()


def test_threads_are_counted_whatever_the_process_calls_itself() -> None:
    before = watch.threads(os.getpid())
    stop = threading.Event()
    workers = [threading.Thread(target=stop.wait) for _ in range(3)]
    for worker in workers:
        worker.start()
    name = ctypes.create_string_buffer(16)
    LIBC.prctl(16, name, 0, 0, 0)
    LIBC.prctl(15, b"a) R 1 (b", 0, 0, 0)
    try:
        assert watch.threads(os.getpid()) == before + 3
    finally:
        LIBC.prctl(15, name, 0, 0, 0)
        stop.set()
        for worker in workers:
            worker.join()


def test_a_process_that_is_gone_uses_nothing() -> None:
    assert watch.resident(GONE) == 0
    assert watch.threads(GONE) == 0
    assert watch.removed(GONE, Rules(write=("/tmp",))) == 0
    assert watch.check(GONE, Rules(memory=1, threads=1)) is None


def test_limits_are_held_against_what_is_seen() -> None:
    me = os.getpid()
    assert watch.check(me, Rules()) is None
    assert watch.check(me, Rules(memory=1 << 50, threads=10_000)) is None
    assert watch.check(me, Rules(memory=MIB)) == Breach("memory", MIB)


def test_sizes_are_those_of_the_disk_and_every_entry_counts(tmp_path: Path) -> None:
    assert watch.size([str(tmp_path)], MIB) == 0
    (tmp_path / "empty").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "data").write_bytes(bytes(100_000))
    total = watch.size([str(tmp_path)], MIB)
    assert 2 * ENTRY + 100_000 <= total <= 3 * ENTRY + 100_000 + ENTRY
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    assert watch.size([str(tmp_path)], MIB) <= total + 2 * ENTRY


def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "data").write_bytes(bytes(MIB))
    (tmp_path / "run" / "link").symlink_to(tmp_path / "other")
    assert watch.size([str(tmp_path / "run")], MIB) == ENTRY


def test_looking_ends_when_the_limit_is_passed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(100):
        (tmp_path / f"{number}").touch()
    seen = []
    real = watch._space
    monkeypatch.setattr(watch, "_space", lambda entry: seen.append(entry) or real(entry))
    assert watch.size([str(tmp_path)], 10 * ENTRY) > 10 * ENTRY
    assert len(seen) == 11


def test_quota(tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(bytes(2 * MIB))
    rules = Rules(write=(str(tmp_path),), quota=MIB)
    assert watch.check_quota(rules) == Breach("quota", MIB)
    assert watch.check_quota(Rules(write=(str(tmp_path),), quota=4 * MIB)) is None
    assert watch.check_quota(Rules(write=(str(tmp_path),))) is None
    assert watch.check_quota(Rules(write=(str(tmp_path / "gone"),), quota=MIB)) is None


def test_removed_files_that_are_open_or_mapped_count(tmp_path: Path) -> None:
    rules = Rules(write=(str(tmp_path),), quota=4 * MIB, file_size=3 * MIB)
    me = os.getpid()
    assert watch.removed(me, rules) == 0
    with (tmp_path / "open").open("wb", buffering=0) as file:
        file.write(bytes(2 * MIB))
        (tmp_path / "open").unlink()
        duplicate = os.dup(file.fileno())
        assert 2 * MIB <= watch.removed(me, rules) <= 2 * MIB + ENTRY
        os.close(duplicate)
    assert watch.removed(me, rules) == 0
    address = mapped_and_closed(tmp_path / "mapped")
    # How large it is can't be told: it counts as the largest there may be.
    assert watch.removed(me, rules) == 3 * MIB
    assert watch.check_quota(replace(rules, quota=2 * MIB), me) == Breach("quota", 2 * MIB)
    assert watch.check_quota(replace(rules, quota=2 * MIB)) is None
    LIBC.munmap(ctypes.c_void_p(address), 4096)
    assert watch.removed(me, rules) == 0


def mapped_and_closed(path: Path) -> int:
    """Map a page of a file, close and remove it."""
    LIBC.mmap.restype = ctypes.c_void_p
    with path.open("w+b") as file:
        file.write(bytes(MIB))
        file.flush()
        address = LIBC.mmap(None, 4096, mmap.PROT_READ, mmap.MAP_SHARED, file.fileno(), ctypes.c_long(0))
    path.unlink()
    return int(address)
