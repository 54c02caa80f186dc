"""What kernels take is within what they say, as scans are packed by it."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kernel_cases import all_requests, each_request, ready, sample
from toolkit.kernels.base import KernelRequest
from toolkit.kernels.scan import state_nbytes
from toolkit.kernels.spill import Spill

TABLE = sample(4000, 12_000)


@pytest.fixture
def spill(tmp_path: Path) -> Iterator[Spill]:
    with Spill(tmp_path) as made:
        yield made


@each_request(list(all_requests(TABLE)))
def test_memory_stays_within_its_bound(request_: KernelRequest, spill: Spill) -> None:
    kernel = ready(request_, TABLE)
    kernel.spill = spill
    chunks = list(TABLE.chunks(request_.columns))
    for chunk in chunks:  # reading is not the kernel's
        for column in request_.columns:
            if chunk.data(column) and TABLE.schema[column].encoding == "coded":
                chunk.categories(column)
    tracemalloc.start()
    try:
        state = kernel.init()
        for chunk in chunks:
            state = kernel.update(state, chunk)
            assert state_nbytes(state) <= kernel.memory()
        kernel.finish(state)
        if not spill.nbytes:  # what is on disk is never settled in a scan of the whole table
            assert state_nbytes(kernel.settle(state)) <= kernel.memory()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= kernel.memory() + kernel.scratch()
    assert kernel.cost() > 0
