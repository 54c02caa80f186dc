"""Answering requests wave by wave: what needs no former result is scanned first, then what its results ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

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
    table : TableView
        The table.

    Examples
    --------
    ::

        waves = Waves(requests, table)
        while wave := waves.pending():
            for request in wave:
                waves.accept(request, result_of_scanning(request))
        results = waves.results(dataset)
    """

    def __init__(self, requests: Iterable[KernelRequest], table: TableView) -> None:
        self._table = table
        self._wanted = list(dict.fromkeys(requests))
        self._kernels: dict[str, Kernel] = {}
        self._results: dict[str, dict[str, Any]] = {}
        self._children: dict[str, list[KernelRequest]] = {}
        self._pending: dict[str, KernelRequest] = {}
        for request in self._wanted:
            self._queue(request)

    def pending(self) -> list[KernelRequest]:
        """The requests that can be scanned now; none when all are answered."""
        return list(self._pending.values())

    def accept(self, request: KernelRequest, result: dict[str, Any]) -> None:
        """Take the result of scanning one pending request."""
        key = request.key
        del self._pending[key]
        self._results[key] = result
        self._children[key] = self._kernels[key].follow_up(result)
        for child in self._children[key]:
            self._queue(child)

    def results(self, dataset: Dataset) -> dict[str, dict[str, Any]]:
        """Final results by the keys of the requests; rows and codes in them are resolved from the dataset."""
        return {r.key: self._kernels[r.key].resolve(self._combined(r.key), dataset) for r in self._wanted}

    def _queue(self, request: KernelRequest) -> None:
        if request.key not in self._kernels:
            self._kernels[request.key] = make_kernel(request, self._table)
            self._pending[request.key] = request

    def _combined(self, key: str) -> dict[str, Any]:
        children = self._children[key]
        if not children:
            return self._results[key]
        return self._kernels[key].combine(self._results[key], [self._combined(c.key) for c in children])


def pack(requests: Sequence[KernelRequest], table: TableView, memory: int | None) -> list[list[KernelRequest]]:
    """Group requests into scans whose states fit in memory together.

    Parameters
    ----------
    requests : sequence of KernelRequest
        The requests of one wave.
    table : TableView
        The table.
    memory : int or None
        Bytes for states and temporaries; no limit for None.

    Raises
    ------
    BudgetError
        When one request alone needs more.
    """
    order = {name: i for i, name in enumerate(table.schema.names)}
    groups: list[list[KernelRequest]] = []
    held, extra = 0, 0
    for request in sorted(requests, key=lambda r: [order[c] for c in r.columns]):
        kernel = make_kernel(request, table)
        need, scratch = kernel.memory(), kernel.scratch()
        if memory is not None and need + scratch > memory:
            raise BudgetError(
                f"kernel {request.kernel} on column {request.columns[0]!r} may need {need + scratch:,} bytes; "
                f"{memory:,} are allowed",
                "allow more memory, or give the kernel a smaller cap",
            )
        if not groups or (memory is not None and held + need + max(extra, scratch) > memory):
            groups.append([])
            held, extra = 0, 0
        groups[-1].append(request)
        held, extra = held + need, max(extra, scratch)
    return groups


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
    table = TableView(dataset.schema, dataset.grid)
    waves = Waves(requests, table)
    whole = Partition(0, dataset.grid.n_chunks)
    while wave := waves.pending():
        for group in pack(wave, table, memory):
            columns = tuple(dict.fromkeys(c for r in group for c in r.columns))
            output = run_scan(dataset, Scan(columns, tuple(group), whole), progress)
            for request in group:
                waves.accept(request, output.outputs[request.key]["result"])
    return waves.results(dataset)
