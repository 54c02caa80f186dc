"""What plugins do without meaning harm, or with: each must end in the verdict that is true."""

from __future__ import annotations

import ctypes
import mmap
import os
import signal
import sys
import threading
import time

from tests.faults.world import World


def segfault(_: World) -> None:
    ctypes.string_at(0)


def abort(_: World) -> None:
    os.abort()


def leaves(_: World) -> None:
    os._exit(0)


def leaves_with_a_code(_: World) -> None:
    os._exit(7)


def exits(_: World) -> None:
    sys.exit(0)


def kills_itself(_: World) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def terminates_itself(_: World) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(10)


def spins(_: World) -> None:
    while True:
        pass


def spins_and_ignores_signals(_: World) -> None:
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)
    while True:
        pass


def eats_memory(_: World) -> None:
    kept = []
    while True:
        kept.append(bytearray(16 << 20))


def eats_memory_through_a_file(world: World) -> None:
    """Pages of a mapped file are in nobody's data."""
    with (world.run / "mapped").open("w+b") as file:
        file.truncate(400 << 20)
        region = mmap.mmap(file.fileno(), 400 << 20)
    for start in range(0, 400 << 20, 4096):
        region[start] = 1
    time.sleep(10)


def hides_memory(_: World) -> None:
    """Shared memory that is left out of the resident set while it stays in use."""
    kept = []
    for _ in range(64):
        region = mmap.mmap(-1, 16 << 20)
        region.write(b"x" * (16 << 20))
        region.madvise(mmap.MADV_DONTNEED)
        kept.append(region)


def hides_files_that_are_open(world: World) -> None:
    """Removes files and keeps them open."""
    kept = []
    for number in range(30):
        file = (world.run / f"{number}").open("wb", buffering=0)
        (world.run / f"{number}").unlink()
        file.write(bytes(1 << 20))
        kept.append(file)
    time.sleep(10)


def hides_files_that_are_mapped(world: World) -> None:
    """Removes files and keeps one page of each mapped."""
    kept = []
    for number in range(30):
        with (world.run / f"{number}").open("w+b") as file:
            file.write(bytes(1 << 20))
            file.flush()
            kept.append(mmap.mmap(file.fileno(), 4096))
        (world.run / f"{number}").unlink()
    time.sleep(10)


def starts_threads_without_end(_: World) -> None:
    threading.stack_size(64 << 10)
    while True:
        threading.Thread(target=time.sleep, args=(100,), daemon=True).start()


def fills_the_disk(world: World) -> None:
    number = 0
    while True:
        number += 1
        (world.run / f"{number}").write_bytes(bytes(1 << 20))


def fills_the_disk_with_empty_files(world: World) -> None:
    number = 0
    while True:
        number += 1
        os.close(os.open(world.run / f"{number}", os.O_WRONLY | os.O_CREAT))


def hides_a_folder(world: World) -> None:
    """Makes one that nobody may look into."""
    os.umask(0o777)
    (world.run / "hidden").mkdir()
    time.sleep(5)


def nests_folders(_: World) -> None:
    """Deeper than a path can be long."""
    for _ in range(3000):
        os.mkdir("deeper")  # noqa: PTH102  relative to a folder that no path can name
        os.chdir("deeper")
    time.sleep(10)


def writes_a_large_file_with_signals_on(world: World) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    with (world.run / "large").open("wb") as file:
        file.writelines(bytes(1 << 20) for _ in range(64))
