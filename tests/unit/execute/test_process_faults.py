"""What misbehaving tasks do to the process executor: each is its own failure, and nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.plugin_on_disk import data_of, failure_of, plugin_on_disk, plugin_task
from tests.store_on_disk import store_on_disk
from toolkit.execute.base import ExecutorError, Limits, Outcome
from toolkit.execute.process import ProcessExecutor
from toolkit.storage.dataset import Dataset

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the process executor needs Linux")

WELL = "def run(ctx):\n    return Result({'rows': ctx.rows})\n"


@pytest.fixture(scope="module")
def executor() -> Iterator[ProcessExecutor]:
    made = ProcessExecutor()
    made.begin(2)
    yield made
    made.close()


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return store_on_disk(tmp_path_factory.mktemp("app"), {"x": np.arange(10.0)}, chunk_rows=5)


def outcome_of(
    executor: ProcessExecutor, dataset: Dataset, tmp_path: Path, code: str, limits: Limits | None = None
) -> Outcome:
    """The outcome of a plugin with that code; a well-behaved one runs beside it and must not notice."""
    bad = plugin_on_disk(tmp_path, "analysis_bad", code)
    well = plugin_on_disk(tmp_path, "analysis_well", WELL)
    executor.submit(plugin_task(dataset, bad, limits=limits))
    executor.submit(plugin_task(dataset, well))
    found = {o.task_id: o for o in executor.completed()}
    assert data_of(found["analysis_well:0"]) == {"rows": 10}
    return found["analysis_bad:0"]


ENDS = {
    "leaves without a word": ("os._exit(0)", "its process ended without a result (exit code 0)"),
    "leaves with a code": ("os._exit(7)", "its process ended without a result (exit code 7)"),
    "crashes": ("ctypes.string_at(0)", "its process crashed (SIGSEGV)"),
    "aborts": ("os.abort()", "its process aborted (SIGABRT)"),
    "kills itself": (
        "os.kill(os.getpid(), signal.SIGKILL)",
        "its process was killed (SIGKILL), as happens when the machine runs out of memory",
    ),
    "writes garbage": ("os.write(3, b'garbage' * 100); time.sleep(60)", "it sent bytes that are no result"),
    "forges a result": (
        "os.write(3, struct.pack('<cQ', b'R', 5) + b'wrong'); os._exit(0)",
        None,
    ),
    "announces too much": (
        "os.write(3, struct.pack('<cQ', b'R', 1 << 40)); time.sleep(60)",
        "its result has more than 268,435,456 bytes, the limit",
    ),
}


@pytest.mark.parametrize("name", ENDS)
def test_a_bad_end_is_the_tasks_own(executor: ProcessExecutor, dataset: Dataset, tmp_path: Path, name: str) -> None:
    statement, reason = ENDS[name]
    code = f"import ctypes, os, signal, struct, time\ndef run(ctx):\n    {statement}\n    return Result()\n"
    outcome = outcome_of(executor, dataset, tmp_path, code)
    if reason is None:
        assert outcome.output == b"wrong"  # the engine refuses what is no encoded output
    else:
        assert (outcome.status, outcome.output, outcome.reason) == ("failed", None, reason)


def test_a_task_that_sleeps_is_ended(executor: ProcessExecutor, dataset: Dataset, tmp_path: Path) -> None:
    code = "import time\ndef run(ctx):\n    time.sleep(60)\n"
    started = time.monotonic()
    outcome = outcome_of(executor, dataset, tmp_path, code, Limits(wall_ms=300))
    assert time.monotonic() - started < 5
    assert (outcome.status, outcome.reason) == ("timed_out", "reached time_limit_ms: 300")


def test_a_task_that_ignores_signals_is_ended(executor: ProcessExecutor, dataset: Dataset, tmp_path: Path) -> None:
    code = """
    import signal, time
    def run(ctx):
        for number in range(1, 65):
            try:
                signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError):
                pass
        while True:
            pass
    """
    assert outcome_of(executor, dataset, tmp_path, code, Limits(wall_ms=300)).status == "timed_out"


def test_a_task_that_spins_is_ended_by_its_processor_time(
    executor: ProcessExecutor, dataset: Dataset, tmp_path: Path
) -> None:
    outcome = outcome_of(executor, dataset, tmp_path, "def run(ctx):\n    while True: pass\n", Limits(cpu_ms=900))
    assert (outcome.status, outcome.reason) == ("timed_out", "reached cpu_limit_ms: 900")


def test_memory_of_its_own_is_limited(executor: ProcessExecutor, dataset: Dataset, tmp_path: Path) -> None:
    code = "import numpy as np\ndef run(ctx):\n    return Result({'n': np.ones(1 << 28).size})\n"
    outcome = outcome_of(executor, dataset, tmp_path, code, Limits(memory=400 << 20))
    assert "MemoryError" in failure_of(outcome).type


def test_memory_of_a_mapped_file_is_watched(executor: ProcessExecutor, dataset: Dataset, tmp_path: Path) -> None:
    code = """
    import mmap, time
    def run(ctx):
        with open("mapped", "w+b") as file:
            file.truncate(1 << 30)
            held = mmap.mmap(file.fileno(), 1 << 30)
        for i in range(0, 1 << 30, 4096):
            held[i] = 1
        time.sleep(60)
    """
    outcome = outcome_of(executor, dataset, tmp_path, code, Limits(memory=300 << 20, wall_ms=20_000))
    assert (outcome.status, outcome.reason) == ("failed", "used more memory than its limit of 300 MiB")
    assert outcome.verdict.limit == 300 << 20
    assert outcome.usage.last_rss > 300 << 20


def test_endless_printing_is_cut(executor: ProcessExecutor, dataset: Dataset, tmp_path: Path) -> None:
    code = "def run(ctx):\n    while True: print('y' * 10_000)\n"
    outcome = outcome_of(executor, dataset, tmp_path, code, Limits(wall_ms=500))
    assert outcome.status == "timed_out"
    assert len(outcome.log) <= 8192


def test_what_was_printed_before_a_crash_is_kept(executor: ProcessExecutor, dataset: Dataset, tmp_path: Path) -> None:
    code = "import ctypes\ndef run(ctx):\n    print('the last words')\n    ctypes.string_at(0)\n"
    assert outcome_of(executor, dataset, tmp_path, code).log == "the last words\n"


def test_what_a_task_leaves_behind_is_ended(executor: ProcessExecutor, dataset: Dataset, tmp_path: Path) -> None:
    """Where the kernel does not keep it from forking; also what has left the process group."""
    code = """
    import ctypes, os, time
    def run(ctx):
        libc = ctypes.CDLL(None)  # which the audit hook does not see
        pids = []
        for leave in (False, True):
            pid = libc.fork()
            if pid == 0:
                if leave:
                    os.setsid()
                time.sleep(60)
                os._exit(0)
            pids.append(pid)
        time.sleep(0.1)
        return Result({"pids": pids})
    """
    folder = plugin_on_disk(tmp_path, "analysis_forks", code)
    executor.submit(plugin_task(dataset, folder, enforcement="advisory"))
    (outcome,) = executor.completed()
    assert outcome.in_force is not None
    assert outcome.in_force.level == "advisory"
    assert gone(data_of(outcome)["pids"])


def test_threads_left_running_do_not_keep_a_task(executor: ProcessExecutor, dataset: Dataset, tmp_path: Path) -> None:
    code = """
    import threading, time
    def run(ctx):
        threading.Thread(target=time.sleep, args=(60,)).start()
        return Result({"done": True})
    """
    started = time.monotonic()
    assert data_of(outcome_of(executor, dataset, tmp_path, code)) == {"done": True}
    assert time.monotonic() - started < 5


def test_a_child_holds_nothing_of_its_siblings(executor: ProcessExecutor, dataset: Dataset, tmp_path: Path) -> None:
    code = """
    import os
    def is_open(fd):
        try:
            os.fstat(fd)
        except OSError:
            return False
        return True
    def run(ctx):
        return Result({"open": [fd for fd in range(1000) if is_open(fd)]})
    """
    folder = plugin_on_disk(tmp_path, "analysis_fds", code)
    for i in range(4):
        executor.submit(plugin_task(dataset, folder, number=i))
    assert [data_of(outcome)["open"] for outcome in executor.completed()] == [[0, 1, 2, 3]] * 4


def test_secrets_of_the_environment_do_not_reach_a_plugin(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_TOKEN", "secret")
    code = """
    import os
    def run(ctx):
        return Result({"token": os.environ.get("SOME_TOKEN"), "path": os.environ["PATH"]})
    """
    made = ProcessExecutor()
    made.begin(1)
    made.submit(plugin_task(dataset, plugin_on_disk(tmp_path, "analysis_asks", code)))
    (outcome,) = made.completed()
    made.close()
    assert data_of(outcome) == {"token": None, "path": os.environ["PATH"]}


SLEEPS = """
import os, time
def run(ctx):
    (ctx.scratch / "pids").write_text(f"{os.getpid()} {os.getppid()}")
    time.sleep(60)
"""


def test_closing_ends_running_tasks(dataset: Dataset, tmp_path: Path) -> None:
    made = ProcessExecutor()
    made.begin(1)
    made.submit(plugin_task(dataset, plugin_on_disk(tmp_path, "analysis_sleeps", SLEEPS)))
    pid, _ = pids_of(tmp_path)
    made.close()
    assert gone([pid])


def test_a_worker_that_is_killed_from_outside_fails_alone(
    executor: ProcessExecutor, dataset: Dataset, tmp_path: Path
) -> None:
    executor.submit(plugin_task(dataset, plugin_on_disk(tmp_path, "analysis_sleeps", SLEEPS)))
    executor.submit(plugin_task(dataset, plugin_on_disk(tmp_path, "analysis_well", WELL)))
    pid, _ = pids_of(tmp_path)
    os.kill(pid, signal.SIGKILL)
    found = {o.task_id: o for o in executor.completed()}
    assert data_of(found["analysis_well:0"]) == {"rows": 10}
    verdict = found["analysis_sleeps:0"].verdict
    assert (verdict.cause, verdict.signal) == ("killed", "SIGKILL")
    assert found["analysis_sleeps:0"].place.phase == "run"


def test_killing_the_forking_process_ends_its_workers(dataset: Dataset, tmp_path: Path) -> None:
    made = ProcessExecutor()
    made.begin(1)
    made.submit(plugin_task(dataset, plugin_on_disk(tmp_path, "analysis_sleeps", SLEEPS)))
    pids = pids_of(tmp_path)
    os.kill(pids[1], signal.SIGKILL)
    with pytest.raises(ExecutorError, match="has ended"):
        list(made.completed())
    assert gone(pids)
    made.close()


def test_the_end_of_the_forking_process_is_said(dataset: Dataset) -> None:
    made = ProcessExecutor()
    made.begin(1)
    os.kill(made._pid, signal.SIGKILL)
    with pytest.raises(ExecutorError, match="has ended"):
        submit_and_wait(made, dataset)
    made.close()


def test_nothing_survives_the_run(dataset: Dataset, tmp_path: Path) -> None:
    """A run that is killed with -9 takes its workers with it."""
    folder = plugin_on_disk(tmp_path, "analysis_sleeps", SLEEPS)
    program = (
        "from pathlib import Path\n"
        "from tests.plugin_on_disk import plugin_task\n"
        "from toolkit.execute.process import ProcessExecutor\n"
        "from toolkit.storage.dataset import open_location\n"
        f"dataset = open_location(Path({str(dataset.location)!r}))\n"
        "made = ProcessExecutor()\n"
        "made.begin(1)\n"
        f"made.submit(plugin_task(dataset, Path({str(folder)!r})))\n"
        "list(made.completed())\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", program], env=environment) as parent:
        pids = pids_of(tmp_path)
        parent.kill()
        parent.wait()
    assert gone(pids)


def submit_and_wait(executor: ProcessExecutor, dataset: Dataset) -> None:
    executor.submit(plugin_task(dataset, Path("/nowhere/analysis_x")))
    list(executor.completed())


def pids_of(folder: Path) -> list[int]:
    """Processes of the plugin SLEEPS and of what forked it, once it runs."""
    return [int(p) for p in wait_for(folder / "analysis_sleeps-scratch-0" / "pids").split()]


def wait_for(path: Path, seconds: float = 20.0) -> str:
    """The text of a file, once it is there."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if path.exists() and path.read_text():
            return path.read_text()
        time.sleep(0.01)
    raise AssertionError(f"{path} did not appear in {seconds} s")


def gone(pids: list[int], seconds: float = 3.0) -> bool:
    """Whether processes have ended, or do so soon."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not any(alive(pid) for pid in pids):
            return True
        time.sleep(0.01)
    return False


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
