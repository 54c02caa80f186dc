"""One suite over every executor: bytes in, bytes out, one outcome a task."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.plugin_on_disk import data_of, failure_of, plugin_on_disk, plugin_task
from tests.store_on_disk import store_on_disk
from toolkit.core.encoding import decode
from toolkit.core.grid import Partition
from toolkit.core.registry import Registry
from toolkit.execute.base import Access, Executor, Limits, Outcome, Task, load_executor
from toolkit.kernels.base import request
from toolkit.kernels.scan import Scan
from toolkit.storage.dataset import Dataset
from toolkit.task.dispatch import execute
from toolkit.task.payload import scan_payload, store_ref

EXECUTORS: Registry[type[Executor]] = Registry("executor", package="toolkit.execute")


@pytest.fixture(scope="module", params=list(EXECUTORS.all()))
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    made = load_executor(request.param)()
    made.begin(2)
    yield made
    made.close()


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    rng = np.random.default_rng(7)
    columns = {"x": rng.normal(size=1000), "n": np.ma.array(np.arange(1000), mask=np.arange(1000) % 3 == 0)}
    return store_on_disk(tmp_path_factory.mktemp("app"), columns, chunk_rows=100)


def run(executor: Executor, *tasks: Task) -> dict[str, Outcome]:
    for task in tasks:
        executor.submit(task)
    return {outcome.task_id: outcome for outcome in executor.completed()}


def scan_task(dataset: Dataset, number: int) -> Task:
    whole = Partition(0, dataset.grid.n_chunks)
    scans = [Scan((name,), (request("moments", name),), whole) for name in ("x", "n")]
    access = Access((str(dataset.location),))
    return Task(f"scan:{number}", scan_payload(store_ref(dataset.location, dataset.key), scans), access=access)


def test_provides_a_name_that_finds_it() -> None:
    assert {"serial", "process"} <= set(EXECUTORS.all())
    for name, entry in EXECUTORS.all().items():
        assert load_executor(name) is entry


def test_hands_back_the_bytes_that_execute_gives(executor: Executor, dataset: Dataset) -> None:
    task = scan_task(dataset, 0)
    found = run(executor, task)["scan:0"]
    assert found.status == "ok"
    assert found.output == execute(task.payload, lambda data: None)


def test_more_tasks_than_workers(executor: Executor, dataset: Dataset) -> None:
    found = run(executor, *(scan_task(dataset, i) for i in range(7)))
    assert set(found) == {f"scan:{i}" for i in range(7)}
    assert len({outcome.output for outcome in found.values()}) == 1


def test_takes_tasks_while_others_come_back(executor: Executor, dataset: Dataset) -> None:
    executor.submit(scan_task(dataset, 0))
    seen = []
    for outcome in executor.completed():
        seen.append(outcome.task_id)
        if len(seen) < 4:
            executor.submit(scan_task(dataset, len(seen)))
    assert seen == [f"scan:{i}" for i in range(4)]


def test_nothing_to_do_is_no_wait(executor: Executor) -> None:
    assert list(executor.completed()) == []


def test_an_error_of_a_plugin_comes_back_as_data(executor: Executor, dataset: Dataset, tmp_path: Path) -> None:
    folder = plugin_on_disk(tmp_path, "analysis_bad", "def run(ctx):\n    raise ValueError('price is wrong')\n")
    task = plugin_task(dataset, folder)
    outcome = run(executor, task)[task.id]
    failure = failure_of(outcome)
    assert failure.reason == "ValueError: price is wrong (plugin.py, line 3)"
    assert failure.trace[-1] == "ValueError: price is wrong"
    assert outcome.output == execute(task.payload, lambda data: None)


def test_leaving_the_interpreter_is_a_failure(executor: Executor, dataset: Dataset, tmp_path: Path) -> None:
    folder = plugin_on_disk(tmp_path, "analysis_leaves", "import sys\ndef run(ctx):\n    sys.exit(0)\n")
    task = plugin_task(dataset, folder)
    assert failure_of(run(executor, task)[task.id]).type == "SystemExit"


def test_a_damaged_chunk_is_named(executor: Executor, tmp_path: Path) -> None:
    broken = store_on_disk(tmp_path / "app", {"x": np.arange(300.0), "y": np.arange(300.0)}, chunk_rows=100)
    path = broken.location / "y" / "c" / "1"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    code = """
    def run(ctx):
        try:
            for chunk in ctx.chunks():
                chunk["y"]
        except Exception:
            pass
        return Result()
    """
    task = plugin_task(broken, plugin_on_disk(tmp_path, "analysis_swallows", code))
    failure = failure_of(run(executor, task)[task.id])
    assert failure.damaged
    assert "column 'y', chunk 1 (rows 100 to 199)" in failure.message


def test_a_result_of_some_megabytes_is_whole(executor: Executor, dataset: Dataset, tmp_path: Path) -> None:
    folder = plugin_on_disk(
        tmp_path, "analysis_large", "def run(ctx):\n    return Result({'text': 'abc' * 2_000_000})\n"
    )
    tasks = [plugin_task(dataset, folder, number=i) for i in range(3)]
    for outcome in run(executor, *tasks).values():
        assert data_of(outcome) == {"text": "abc" * 2_000_000}


def test_a_result_over_the_limit_is_refused(executor: Executor, dataset: Dataset, tmp_path: Path) -> None:
    folder = plugin_on_disk(tmp_path, "analysis_huge", "def run(ctx):\n    return Result({'text': 'abc' * 100_000})\n")
    task = plugin_task(dataset, folder, limits=Limits(result=50_000))
    outcome = run(executor, task)[task.id]
    assert (outcome.status, outcome.output) == ("failed", None)
    assert outcome.reason == "its result has more than 50,000 bytes, the limit"


def test_keeps_the_end_of_what_is_printed(
    executor: Executor, dataset: Dataset, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code = """
    def run(ctx):
        print("x" * 20_000)
        ctx.log("the last line")
        return Result()
    """
    task = plugin_task(dataset, plugin_on_disk(tmp_path, "analysis_prints", code))
    outcome = run(executor, task)[task.id]
    assert outcome.log.endswith("the last line\n")
    assert len(outcome.log) <= 8192
    assert capfd.readouterr() == ("", "")


def test_measures_what_a_task_costs(executor: Executor, dataset: Dataset, tmp_path: Path) -> None:
    code = """
    import time
    def run(ctx):
        until = time.process_time() + 0.05
        while time.process_time() < until:
            pass
        time.sleep(0.05)
        return Result()
    """
    task = plugin_task(dataset, plugin_on_disk(tmp_path, "analysis_costs", code))
    usage = run(executor, task)[task.id].usage
    assert 50 <= usage.cpu_ms <= usage.wall_ms
    assert usage.wall_ms >= 100
    assert usage.max_rss > 10 << 20


def test_hands_progress_on(dataset: Dataset, tmp_path: Path) -> None:
    code = """
    import time
    def run(ctx):
        for i in range(3):
            time.sleep(0.11)
            ctx.progress(i, 3)
        time.sleep(0.11)  # a report that comes together with the result goes unsaid
        return Result()
    """
    folder = plugin_on_disk(tmp_path, "analysis_slow", code)
    for entry in EXECUTORS.all().values():
        heard: list[tuple[str, bytes]] = []
        beats: list[tuple[str, int]] = []
        made = entry()
        try:
            made.begin(
                1,
                lambda task, data, heard=heard: heard.append((task, data)),  # type: ignore[misc]
                lambda task, rss, beats=beats: beats.append((task, rss)),  # type: ignore[misc]
            )
            run(made, scan_task(dataset, 0))  # while libraries are loaded, reports are heard together
            heard.clear()
            beats.clear()
            task = plugin_task(dataset, folder)
            run(made, task)
        finally:
            made.close()
        assert [name for name, _ in heard] == [task.id] * 3, entry.name
        assert decode(heard[-1][1]) == [2, 3], entry.name
        assert beats, entry.name
        assert all(name == task.id and rss > 1 << 20 for name, rss in beats), entry.name


def test_can_be_closed_twice_and_with_tasks_left(dataset: Dataset) -> None:
    for entry in EXECUTORS.all().values():
        made = entry()
        made.begin(1)
        for i in range(5):
            made.submit(scan_task(dataset, i))
        made.close()
        made.close()
