"""Kernel requests: asked once, scanned together, split anyhow, kept, and followed up."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import numpy as np
import pytest

from tests.kernel_cases import is_taken
from tests.memory_store import memory_dataset
from toolkit.core.encoding import decode
from toolkit.engine.board import KernelBoard, batches
from toolkit.kernels.base import KernelRequest, kernels, request
from toolkit.kernels.scan import Scan, run_scan
from toolkit.kernels.waves import compute
from toolkit.storage.dataset import Dataset

DATASET = memory_dataset(
    {
        "a": np.sin(np.arange(100.0)) * 10.0 ** (np.arange(100) % 7),
        "b": np.ma.array(np.arange(100) % 13, mask=np.arange(100) % 5 == 0),
        "w": ["red", "green", "blue", "red"] * 25,
    },
    9,
)


def all_requests(dataset: Dataset) -> list[KernelRequest]:
    schema = dataset.schema
    found: list[KernelRequest] = []
    for name, kernel in kernels.all().items():
        groups = permutations(schema.names, kernel.arity) if kernel.arity else [tuple(schema.names), ("b", "a")]
        found.extend(request(name, *columns) for columns in groups if is_taken(kernel, columns, dataset))
    return found


class Board:
    """A board with its kept results, and what it had scanned."""

    def __init__(
        self, dataset: Dataset = DATASET, chunks: int = 100, kept: dict[str, bytes] | None = None, **options: Any
    ):
        self.kept = {} if kept is None else kept
        self.dataset = dataset
        self.scans: list[Scan] = []
        memory = options.get("memory")
        code = options.get("code", "")
        self.board = KernelBoard(dataset, code, chunks, memory, self.kept.get, self.kept.__setitem__)

    def work(self, requests: Sequence[KernelRequest], *, backwards: bool = False) -> dict[str, Any]:
        self.board.add(requests)
        while scans := self.board.take_scans():
            self.scans += scans
            for scan in reversed(scans) if backwards else scans:
                self.board.accept(scan, run_scan(self.dataset, scan).outputs)
        assert all(self.board.known(r.key) for r in requests)
        return {r.key: self.board.result(r.key) for r in requests}


def test_gives_what_the_kernels_give() -> None:
    requests = all_requests(DATASET)
    expected = compute(DATASET, requests)
    found = Board().work(requests)
    for asked in requests:
        assert repr(decode(found[asked.key])) == repr(expected[asked.key]), asked


@pytest.mark.parametrize("chunks", [1, 2, 3, 5, 8])
def test_partitions_change_no_byte(chunks: int) -> None:
    requests = all_requests(DATASET)
    assert Board(chunks=chunks).work(requests, backwards=True) == Board().work(requests)


def test_requests_on_one_column_are_one_scan() -> None:
    made = Board()
    made.board.add(
        [request("moments", "a"), request("distinct", "a"), request("moments", "b"), request("moments", "a")]
    )
    scans = made.board.take_scans()
    assert [(s.columns, len(s.requests)) for s in scans] == [(("a",), 2), (("b",), 1)]
    assert made.board.take_scans() == []


def test_memory_splits_a_scan_and_changes_nothing() -> None:
    requests = [request("moments", "a"), request("distinct", "a")]
    free = Board()
    expected = free.work(requests)
    assert len(free.scans) == 1
    needs = [kernels.get(r.kernel)(r, free.board._table) for r in requests]
    tight = Board(memory=max(k.memory() + k.scratch() for k in needs) + 1)
    assert tight.work(requests) == expected
    assert len(tight.scans) == 2


def test_requests_that_share_columns_are_one_scan_in_a_few_parts() -> None:
    made = Board()
    pairs = [request("pairs", x, y) for x, y in ("ab", "bw", "aw")]
    made.board.add([*pairs, request("comoments", "a", "b")])
    first = made.board.take_scans()
    # What the pairs require is scanned column by column; the co-moments need nothing.
    assert sorted({s.columns for s in first}) == [("a",), ("a", "b"), ("b",), ("w",)]
    for scan in first:
        made.board.accept(scan, run_scan(DATASET, scan).outputs)
    second = made.board.take_scans()
    assert {s.columns for s in second} == {("a", "b", "w")}
    assert [len(s.requests) for s in second] == [3] * 4
    assert [s.partition.start for s in second] == [0, 3, 6, 9]
    for scan in second:
        made.board.accept(scan, run_scan(DATASET, scan).outputs)
    assert all(made.board.known(p.key) for p in pairs)


def test_a_request_that_brings_a_scan_down_fails_alone() -> None:
    made = Board()
    pairs = [request("pairs", x, y) for x, y in ("ab", "bw", "aw")]
    made.board.add(pairs)
    while scans := made.board.take_scans():
        for scan in scans:
            if pairs[1] in scan.requests:
                made.board.fail(scan, "ended by signal 11")
            else:
                made.board.accept(scan, run_scan(DATASET, scan).outputs)
    assert [made.board.failure(p.key) for p in pairs] == ["", "ended by signal 11", ""]
    assert made.board.result(pairs[0].key) == Board().work(pairs[:1])[pairs[0].key]


def test_a_failure_of_what_is_required_is_handed_on() -> None:
    made = Board()
    wanted = request("block_codes", "a")
    made.board.add([wanted])
    (scan,) = made.board.take_scans()
    made.board.fail(scan, "no memory")
    assert made.board.failure(wanted.key) == "no memory"


def test_a_kernel_that_needs_too_much_fails_alone() -> None:
    requests = [request("moments", "a"), request("order", "a")]
    needs = [kernels.get(r.kernel)(r, Board().board._table) for r in requests]
    small, large = (k.memory() + k.scratch() for k in needs)
    assert small < large
    made = Board(memory=(large - 1) // 4)  # one kernel alone may need four times as much
    made.board.add(requests)
    scans = made.board.take_scans()
    assert [r.kernel for s in scans for r in s.requests] == ["moments"]
    assert "bytes" in made.board.failure(requests[1].key)
    assert not made.board.failure(requests[0].key)


def test_kept_results_are_not_computed_again() -> None:
    requests = all_requests(DATASET)
    first = Board()
    expected = first.work(requests)
    again = Board(kept=first.kept)
    assert again.work(requests) == expected
    assert again.scans == []


def test_other_code_uses_no_kept_result() -> None:
    requests = [request("moments", "a")]
    first = Board()
    first.work(requests)
    other = Board(kept=first.kept, code="changed")
    other.work(requests)
    assert len(other.scans) == 1


def test_kept_garbage_is_computed_again() -> None:
    requests = [request("moments", "a")]
    first = Board()
    expected = first.work(requests)
    for garbage in (b"", b"garbage", next(iter(first.kept.values()))[:-9]):
        made = Board(kept=dict.fromkeys(first.kept, garbage))
        assert made.work(requests) == expected


def test_a_scan_that_fails_fails_its_requests() -> None:
    made = Board()
    requests = [request("moments", "a"), request("moments", "b")]
    made.board.add(requests)
    for scan in made.board.take_scans():
        if scan.columns == ("a",):
            made.board.fail(scan, "it crashed")
        else:
            made.board.accept(scan, run_scan(DATASET, scan).outputs)
    assert made.board.failure(requests[0].key) == "it crashed"
    assert made.board.result(requests[1].key)


def test_one_scan_reads_all_chunks_for_a_kernel_whose_states_may_be_too_large() -> None:
    rng = np.random.default_rng(3)
    dataset = memory_dataset({"x": rng.normal(size=5000), "y": rng.normal(size=5000)}, 500)
    asked = [request("order", "x", cap=256), request("moments", "x"), request("order", "y")]
    made = Board(dataset, chunks=3)
    results = made.work(asked)
    spans = {c: [(s.partition.start, s.partition.stop) for s in made.scans if s.columns == (c,)] for c in "xy"}
    assert spans == {"x": [(0, 10)], "y": [(0, 3), (3, 6), (6, 9), (9, 10)]}
    expected = compute(dataset, asked)
    assert all(repr(decode(results[r.key])) == repr(expected[r.key]) for r in asked)


def test_batches_hold_every_scan_once_longest_first() -> None:
    costs = {f"c{i}": float(c) * 1e7 for i, c in enumerate([1, 50, 3, 20, 1, 1, 1, 2, 8, 1])}
    scans = [Scan((name,), (), next(iter(DATASET.grid.partitions(99)))) for name in costs]
    made = batches(scans, lambda s: costs[s.columns[0]], 2)
    assert sorted(s.columns[0] for b in made for s in b) == sorted(costs)
    assert [s.columns[0] for b in made for s in b][:3] == ["c1", "c3", "c8"]
    assert 2 <= len(made) <= 8
    assert batches([], lambda s: 1.0, 2) == []


def test_short_scans_share_a_task() -> None:
    scans = [Scan((str(i),), (), next(iter(DATASET.grid.partitions(99)))) for i in range(20)]
    assert len(batches(scans, lambda s: 1000.0, 4)) == 1
