"""What honest plugins do goes on under all layers; what goes wrong ends in the verdict that is true."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.arena_link import REPOSITORY, Arena
from toolkit.contain.lockdown import missing_layers

MISSING = "; ".join(missing_layers())
pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING or "all layers are there")

MIB = 1 << 20
WORK = [
    "files_in_the_run_folder",
    "copies",
    "threads",
    "event_loop",
    "processor_count",
    "signals_to_itself",
    "callbacks",
    "database",
    "numpy_and_blas",
    "scipy_functions",
    "pandas_and_arrow",
    "zarr_arrays",
    "hdf5_file",
    "compiled_by_numba",
    "polars_frames",
    "duckdb_query",
    "looked_for_a_configuration",
    "asked_about_the_machine",
]


@pytest.fixture(scope="module")
def arena() -> Iterator[Arena]:
    made = Arena()
    yield made
    made.close()


@pytest.mark.parametrize("work", WORK)
def test_honest_work_goes_on(arena: Arena, work: str) -> None:
    limits = {"memory": 1 << 30, "cpu_ms": 60_000, "file_size": 64 * MIB, "quota": 256 * MIB, "threads": 64}
    answer = arena.ask(work, rules=limits)
    if answer["end"] == "not possible":
        pytest.skip(answer["why"])
    assert answer["end"] == "done", answer
    assert answer["in_force"]["level"] == "kernel"
    assert answer["verdict"]["status"] == "ok", answer["violations"]
    assert answer["changed"] == []
    assert answer["left"] == []


MISHAPS: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "segfault": ("failed", "crash", "its process crashed (SIGSEGV)", {}),
    "abort": ("failed", "crash", "its process aborted (SIGABRT)", {}),
    "leaves": ("failed", "no_result", "its process ended without a result (exit code 0)", {}),
    "leaves_with_a_code": ("failed", "no_result", "its process ended without a result (exit code 7)", {}),
    "kills_itself": ("failed", "killed", "its process was killed (SIGKILL)", {}),
    "terminates_itself": ("failed", "killed", "its process was ended from outside (SIGTERM)", {}),
    "spins": ("timed_out", "cpu_ms", "reached cpu_limit_ms: 900", {"cpu_ms": 900}),
    "spins_and_ignores_signals": ("timed_out", "cpu_ms", "reached cpu_limit_ms: 900", {"cpu_ms": 900}),
    "eats_memory_through_a_file": ("failed", "memory", "more memory than its limit of 200 MiB", {"memory": 200 * MIB}),
    "starts_threads_without_end": ("failed", "threads", "ran more threads than its limit of 40", {"threads": 40}),
    "fills_the_disk": ("failed", "quota", "wrote more to its folder than its limit of 20 MiB", {"quota": 20 * MIB}),
    "fills_the_disk_with_empty_files": ("failed", "quota", "its limit of 4 MiB", {"quota": 4 * MIB}),
    "hides_files_that_are_open": ("failed", "quota", "its limit of 20 MiB", {"quota": 20 * MIB}),
    "hides_files_that_are_mapped": ("failed", "quota", "its limit of 20 MiB", {"quota": 20 * MIB, "file_size": MIB}),
    "nests_folders": ("failed", "quota", "its limit of 1,000 MiB", {"quota": 1000 * MIB}),
    "writes_a_large_file_with_signals_on": (
        "failed",
        "file_size",
        "wrote a file of more than 8 MiB, the limit",
        {"file_size": 8 * MIB},
    ),
    "went_on_after_a_refusal": ("failed", "violation", "and went on after that was refused", {}),
    "went_on_after_many_harmless_refusals": ("failed", "violation", "and went on after that was refused", {}),
}


@pytest.mark.parametrize("mishap", MISHAPS)
def test_a_mishap_ends_in_its_verdict(arena: Arena, mishap: str) -> None:
    status, cause, reason, rules = MISHAPS[mishap]
    answer = arena.ask(mishap, rules=rules)
    verdict = answer["verdict"]
    assert (verdict["status"], verdict["cause"]) == (status, cause), answer
    assert reason in verdict["reason"]
    assert verdict["remedy"]
    assert answer["changed"] == []
    assert answer["left"] == []


def test_memory_beyond_the_limit_is_an_error_in_python_or_ends_the_process(arena: Arena) -> None:
    answer = arena.ask("eats_memory", rules={"memory": 200 * MIB})
    # Whoever is first: the allocation that is refused, or the watch on resident memory.
    assert "MemoryError" in answer.get("why", "") or answer["verdict"]["cause"] == "memory"


def test_memory_can_not_be_hidden_in_shared_mappings(arena: Arena) -> None:
    answer = arena.ask("hides_memory", rules={"memory": 200 * MIB})
    assert answer["errno"] == "EPERM"


def test_limits_are_errors_for_code_that_handles_them(arena: Arena) -> None:
    answer = arena.ask("stopped_by_limits", rules={"memory": 1 << 30, "file_size": 8 * MIB, "open_files": 64})
    assert answer["value"] == {"file": errno.EFBIG, "descriptors": errno.EMFILE, "memory": "MemoryError"}
    assert answer["in_force"]["limits"]["file_size"] == 8 * MIB


def test_a_folder_that_nobody_may_look_into_counts_as_too_much() -> None:
    if os.getuid() != 0:
        pytest.skip("only root can become another user")
    arena = Arena("--nobody")
    try:
        answer = arena.ask("hides_a_folder", rules={"quota": MIB})
    finally:
        arena.close()
    assert answer["verdict"]["cause"] == "quota"


ORPHAN = """
import os, sys, time
from toolkit.contain.lockdown import lock_down
from toolkit.contain.rules import Rules
parent = os.getpid()
pid = os.fork()
if pid == 0:
    lock_down(Rules(read=("/usr/lib",)), print, parent={parent}, keep=[1])
    os.write(1, b"contained\\n")
    time.sleep(60)
    os._exit(0)
if sys.argv[1] == "wait":
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
print(pid, flush=True)
time.sleep(60)
"""


def run_orphan(parent: str, mode: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    code = ORPHAN.replace("{parent}", parent)
    return subprocess.Popen([sys.executable, "-c", code, mode], env=environment, stdout=subprocess.PIPE, text=True)


def test_a_contained_process_dies_with_its_supervisor() -> None:
    supervisor = run_orphan("parent", "stay")
    assert supervisor.stdout is not None
    lines = {supervisor.stdout.readline().strip() for _ in range(2)}
    pid = int(next(line for line in lines if line.isdecimal()))
    assert "contained" in lines
    supervisor.send_signal(signal.SIGKILL)
    supervisor.wait()
    deadline = time.monotonic() + 10
    while running(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not running(pid)
    supervisor.stdout.close()


def running(pid: int) -> bool:
    """Whether a process is there and no zombie: whoever inherits it may reap it late."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_process_whose_supervisor_has_gone_already_does_not_start() -> None:
    supervisor = run_orphan("1 << 30", "wait")
    assert supervisor.stdout is not None
    assert supervisor.stdout.read() == ""
    assert supervisor.wait() == 97
    supervisor.stdout.close()


THREADED = """
import threading, time
from toolkit.contain.lockdown import lock_down
from toolkit.contain.rules import ContainmentError, Rules
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
try:
    lock_down(Rules(enforcement="best-effort"), print)
except ContainmentError as error:
    print(error)
"""


def test_a_process_with_threads_is_refused() -> None:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run([sys.executable, "-c", THREADED], env=environment, capture_output=True, text=True, check=True)
    assert "2 threads are running; Landlock would bind one" in done.stdout
    assert "fork from a process with one thread" in done.stdout
