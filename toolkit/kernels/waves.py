"""Answering requests wave by wave: what needs no former result is scanned first, then what its results ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from toolkit.core.encoding import encode
from toolkit.core.errors import BudgetError
from toolkit.core.grid import Partition
from toolkit.kernels.base import Kernel, KernelRequest, TableView, make_kernel
from toolkit.kernels.scan import Scan, run_scan
from toolkit.storage.dataset import Dataset


class Waves:
    """Which requests are to be scanned next, and the final results in the end.

    Parameters
    ----------
    requests : iterable of KernelRequest
        What is asked for; requests with the same key are answered once.
    dataset : Dataset
        The table.

    Examples
    --------
    ::

        waves = Waves(requests, dataset)
        while wave := waves.pending():
            for request in wave:
                waves.accept(request, result_of_scanning(request, waves.inputs([request])))
        results = waves.results()
    """

    def __init__(self, requests: Iterable[KernelRequest], dataset: Dataset) -> None:
        self._dataset = dataset
        self._table = TableView(dataset.schema, dataset.grid)
        self._wanted = list(dict.fromkeys(requests))
        self._kernels: dict[str, Kernel] = {}
        self._required: dict[str, list[str]] = {}
        """Keys of what each request requires; kept, as they are asked for after every result."""
        self._final: dict[str, dict[str, Any]] = {}
        self._waiting: dict[str, KernelRequest] = {}
        self._pending: dict[str, KernelRequest] = {}
        for request in self._wanted:
            self._queue(request)
        self._move_on()

    def pending(self) -> list[KernelRequest]:
        """The requests that can be scanned now; none when all are answered."""
        return list(self._pending.values())

    def kernel(self, request: KernelRequest) -> Kernel:
        """The kernel that serves a request; with its inputs when the request is pending."""
        return self._kernels[request.key]

    def inputs(self, requests: Iterable[KernelRequest]) -> dict[str, bytes]:
        """Encoded results of what pending requests require, by the key of their request."""
        required = {key for request in requests for key in self._required[request.key]}
        return {key: encode(self._final[key]) for key in sorted(required)}

    def accept(self, request: KernelRequest, result: dict[str, Any]) -> None:
        """Take the result of scanning one pending request."""
        del self._pending[request.key]
        self._take(request.key, result)
        self._move_on()

    def results(self) -> dict[str, dict[str, Any]]:
        """Final results by the keys of the requests; rows and codes in them are resolved from the dataset."""
        return {r.key: self._final[r.key] for r in self._wanted}

    def _queue(self, request: KernelRequest) -> None:
        if request.key not in self._kernels:
            kernel = self._kernels[request.key] = make_kernel(request, self._table)
            self._waiting[request.key] = request
            required = kernel.requires()
            self._required[request.key] = [r.key for r in required]
            for r in required:
                self._queue(r)

    def _take(self, key: str, result: dict[str, Any]) -> None:
        self._final[key] = self._kernels[key].resolve(result, self._dataset)

    def _move_on(self) -> None:
        """Let those begin whose requirements are met."""
        moved = True
        while moved:
            moved = False
            for key, request in list(self._waiting.items()):
                required = self._required[key]
                if all(r in self._final for r in required):
                    kernel = self._kernels[key]
                    del self._waiting[key]
                    moved = True
                    kernel.bind([self._final[r] for r in required])
                    if kernel.scans:
                        self._pending[key] = request
                    else:
                        self._take(key, kernel.finish(kernel.init()))


_ALONE = 4
"""How many times the memory of a scan one kernel may need by itself: that of all pairs of many columns does."""


def pack(kernels: Sequence[Kernel], memory: int | None) -> list[list[KernelRequest]]:
    """Group requests into scans whose states fit in memory together; one that alone needs more has a scan of its own.

    Parameters
    ----------
    kernels : sequence of Kernel
        What serves the requests of one wave, with its inputs.
    memory : int or None
        Bytes for states and temporaries; no limit for None.

    Raises
    ------
    BudgetError
        When one request alone needs more than four times as much.
    """
    groups: list[list[KernelRequest]] = []
    held, extra, states = 0, 0, set[str]()
    for kernel in sorted(kernels, key=_in_table_order):
        request, need, scratch = kernel.request, kernel.memory(), kernel.scratch()
        if memory is not None and need + scratch > _ALONE * memory:
            columns = f"column {request.columns[0]!r}"
            if len(request.columns) > 1:
                columns = f"{len(request.columns):,} columns from {request.columns[0]!r} on"
            raise BudgetError(
                f"kernel {request.kernel} on {columns} may need {need + scratch:,} bytes alone; "
                f"{_ALONE * memory:,} are allowed, {_ALONE} times scan_memory",
                "allow more memory, or give the kernel a smaller cap",
            )
        if kernel.state_key() in states:
            groups[-1].append(request)
            continue
        if not groups or (memory is not None and held + need + max(extra, scratch) > memory):
            groups.append([])
            held, extra, states = 0, 0, set()
        groups[-1].append(request)
        states.add(kernel.state_key())
        held, extra = held + need, max(extra, scratch)
    return groups


def _in_table_order(kernel: Kernel) -> tuple[list[int], str]:
    order = kernel.table.schema.names
    return [order.index(c) for c in kernel.request.columns], kernel.state_key()


def compute(
    dataset: Dataset,
    requests: Iterable[KernelRequest],
    *,
    memory: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> dict[str, dict[str, Any]]:
    """Answer requests in this process.

    Parameters
    ----------
    dataset : Dataset
        The open store.
    requests : iterable of KernelRequest
        What is asked for.
    memory : int, optional
        Bytes that the states of one scan may take together, with their temporaries; more scans are made to keep to it.
    progress : callable, optional
        Called with the number of rows that the current scan has read, after each chunk.

    Returns
    -------
    dict of str to dict
        Final results by the key of the request.
    """
    waves = Waves(requests, dataset)
    whole = Partition(0, dataset.grid.n_chunks)
    while wave := waves.pending():
        for group in pack([waves.kernel(r) for r in wave], memory):
            columns = tuple(dict.fromkeys(c for r in group for c in r.columns))
            output = run_scan(dataset, Scan(columns, tuple(group), whole, waves.inputs(group)), progress)
            for request in group:
                waves.accept(request, output.outputs[request.key]["result"])
    return waves.results()
