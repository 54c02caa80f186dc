"""One scan for many requests, and the joining of partitions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pytest

from tests.kernel_cases import comparable, sample, scan_split, view
from tests.memory_store import memory_dataset
from toolkit.core.canonical import canonical_json
from toolkit.core.encoding import decode, encode
from toolkit.core.errors import BudgetError, UsageError
from toolkit.core.grid import Partition
from toolkit.kernels.base import Kernel, KernelRequest, kernels, make_kernel, request
from toolkit.kernels.scan import KEEP_STATE_BYTES, Scan, merge_outputs, run_scan, state_nbytes
from toolkit.kernels.waves import Waves, compute, pack


def whole(dataset: Any) -> Partition:
    return Partition(0, dataset.grid.n_chunks)


def test_many_requests_share_one_reading_of_each_chunk() -> None:
    reads: list[tuple[str, int]] = []
    dataset = memory_dataset({"a": np.arange(20.0), "b": np.arange(20)}, 5, on_read=lambda c, i: reads.append((c, i)))
    requests = (request("moments", "a"), request("order", "b"), request("order", "a"), request("extremes", "a"))
    output = run_scan(dataset, Scan(("a", "b"), requests, whole(dataset)))
    assert set(output.outputs) == {r.key for r in requests}
    assert sorted(reads) == [(c, i) for c in "ab" for i in range(4)]


def test_progress_tells_the_rows_read() -> None:
    dataset = memory_dataset({"a": np.arange(12)}, 5)
    told: list[int] = []
    output = run_scan(dataset, Scan(("a",), (request("order", "a"),), Partition(1, 3)), told.append)
    assert told == [5, 7]
    assert output.rows == 7


def test_small_states_are_kept_beside_the_result() -> None:
    dataset = memory_dataset({"a": np.arange(200_000.0)}, 50_000)
    requests = (request("moments", "a"), request("order", "a"))
    outputs = run_scan(dataset, Scan(("a",), requests, whole(dataset))).outputs
    moments, order = (outputs[r.key] for r in requests)
    assert order["state"] is None  # 1.6 MB of distinct values
    kernel = make_kernel(requests[0], view(dataset))
    assert comparable(kernel.finish(decode(moments["state"]))) == comparable(moments["result"])
    assert len(moments["state"]) <= KEEP_STATE_BYTES


def test_a_scan_survives_json_and_its_output_the_encoding() -> None:
    dataset = sample(20)
    scan = Scan(("normal", "city"), (request("moments", "normal"), request("counts", "city", k=2)), Partition(1, 4))
    assert Scan.from_json(scan.to_json()) == scan
    assert canonical_json(scan.to_json())
    outputs = run_scan(dataset, scan).outputs
    assert encode(decode(encode(outputs))) == encode(outputs)


def test_a_column_that_is_not_read_is_refused() -> None:
    dataset = memory_dataset({"a": np.arange(3), "b": np.arange(3)})
    with pytest.raises(UsageError, match="needs column 'b', which this scan does not read"):
        run_scan(dataset, Scan(("a",), (request("order", "b"),), whole(dataset)))


def test_missing_partitions_are_named() -> None:
    dataset = memory_dataset({"a": np.arange(8)}, 2)
    wanted = request("order", "a")
    parts = [run_scan(dataset, Scan(("a",), (wanted,), Partition(i, i + 1))).outputs[wanted.key] for i in range(4)]
    assert merge_outputs(make_kernel(wanted, view(dataset)), parts[::-1])["count"] == 8
    with pytest.raises(UsageError, match="leave out or repeat chunk 2"):
        merge_outputs(make_kernel(wanted, view(dataset)), [parts[0], parts[1], parts[3]])
    with pytest.raises(UsageError, match="end at chunk 3"):
        merge_outputs(make_kernel(wanted, view(dataset)), parts[:3])


class RowOrder(Kernel):
    """A serial kernel for this test: the values in the order in which they came."""

    name: ClassVar[str] = "row_order"
    version: ClassVar[int] = 1
    state_class: ClassVar[Any] = "serial"

    @classmethod
    def accepts(cls, spec: Any) -> bool:
        return True

    def init(self) -> list[int]:
        return []

    def update(self, state: list[int], chunk: Any) -> list[int]:
        return state + chunk.raw(self.column).tolist()

    def merge(self, left: Any, right: Any) -> Any:
        raise AssertionError("a serial kernel is never merged")

    def finish(self, state: list[int]) -> dict[str, Any]:
        return {"values": state}

    def memory(self) -> int:
        return 8 * self.table.grid.rows

    def cost(self) -> float:
        return 1.0


@pytest.fixture
def serial(monkeypatch: pytest.MonkeyPatch) -> KernelRequest:
    known: Mapping[str, Any] = {**kernels.all(), "row_order": RowOrder}
    monkeypatch.setattr(kernels, "_entries", known)
    return request("row_order", "a")


def test_a_serial_kernel_takes_the_whole_grid_only(serial: KernelRequest) -> None:
    dataset = memory_dataset({"a": np.arange(7)}, 2)
    output = run_scan(dataset, Scan(("a",), (serial,), whole(dataset)))
    assert output.outputs[serial.key]["result"] == {"values": list(range(7))}
    with pytest.raises(UsageError, match="can't be split"):
        run_scan(dataset, Scan(("a",), (serial,), Partition(0, 2)))


def test_bytes_of_a_state() -> None:
    assert state_nbytes({"a": np.zeros(4), "b": [b"xy", "z", 5, None], "c": {"d": np.zeros(2, np.int8)}}) == 32 + 3 + 2


def test_equal_requests_are_answered_once() -> None:
    dataset = memory_dataset({"a": np.arange(7.0)}, 2)
    spelled = request("order", "a", k=10)
    assert spelled == request("order", "a")
    assert len({spelled, request("order", "a")}) == 1
    assert len(Waves([spelled, request("order", "a")], dataset).pending()) == 1


def test_scans_keep_to_the_memory_given() -> None:
    dataset = memory_dataset({n: np.arange(1000.0) for n in "abc"}, 100)
    requests = [request("order", n) for n in "abc"]
    served = [make_kernel(r, view(dataset)) for r in requests]
    one = served[0]
    room = 2 * one.memory() + one.scratch()
    assert [len(g) for g in pack(served, room)] == [2, 1]
    assert [len(g) for g in pack(served, None)] == [3]
    answers = compute(dataset, requests, memory=room)
    assert {k: comparable(v) for k, v in answers.items()} == {
        k: comparable(v) for k, v in compute(dataset, requests).items()
    }
    with pytest.raises(BudgetError, match="kernel order on column 'a' may need") as caught:
        pack(served, one.memory() // 8)
    assert caught.value.exit_code == 4
    assert "smaller cap" in caught.value.remedy


def test_partitions_and_the_whole_agree_on_every_kind_of_result() -> None:
    dataset = sample(9)
    for wanted in (request("counts", "city"), request("order", "wide", cap=3), request("moments", "unsigned")):
        assert comparable(scan_split(wanted, dataset, 4)).keys() == comparable(scan_split(wanted, dataset, 2)).keys()


def test_what_is_no_request_is_refused() -> None:
    from toolkit.core.errors import BadInputError

    with pytest.raises(BadInputError, match="no kernel request"):
        KernelRequest.from_json({"kernel": "order"})
    with pytest.raises(UsageError, match="unknown kernel 'nonsense'"):
        make_kernel(request("nonsense", "a"), view(memory_dataset({"a": [1]})))
    with pytest.raises(UsageError, match="takes 1 column\\(s\\), not 2"):
        make_kernel(request("order", "a", "b"), view(memory_dataset({"a": [1], "b": [2]})))
