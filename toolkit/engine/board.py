"""Which kernels are asked for, which are known, and what has to be scanned next.

Requests come from all plugins of a run; equal ones are answered once. A request is answered from the results kept of
earlier runs or by scans, when what it requires is answered.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from toolkit.core.digest import KEY_LENGTH, digest_value
from toolkit.core.encoding import EncodingError, decode, encode
from toolkit.core.errors import BudgetError
from toolkit.core.grid import Partition
from toolkit.kernels.base import Kernel, KernelRequest, TableView, make_kernel
from toolkit.kernels.scan import Scan, merge_outputs
from toolkit.kernels.waves import pack
from toolkit.storage.dataset import Dataset

Read = Callable[[str], bytes | None]
Write = Callable[[str, bytes], None]


@dataclass(slots=True)
class _Entry:
    request: KernelRequest
    kernel: Kernel | None = None
    outputs: dict[int, dict[str, Any]] = field(default_factory=dict)
    """By the first chunk of their partition."""
    starts: frozenset[int] = frozenset()
    """First chunks of the partitions in which it is scanned."""
    alone: bool = False
    """Whether it is scanned by itself, after a scan of several requests came to nothing."""
    state: bytes | None = None
    required: list[str] = field(default_factory=list)
    """Requests whose results it needs before its scan."""
    begun: bool = False
    parents: list[str] = field(default_factory=list)
    """Requests that require it."""
    final: bytes | None = None
    failure: str = ""


class KernelBoard:
    """All kernel requests of a run.

    Parameters
    ----------
    dataset : Dataset
        The table.
    code : str
        Digest of the kernels' code; part of the keys under which results are kept.
    partition_chunks : int
        Chunks of a partition.
    memory : int or None
        Bytes that the states of one scan may take together.
    read, write : callable
        The results kept of earlier runs.
    """

    def __init__(
        self, dataset: Dataset, code: str, partition_chunks: int, memory: int | None, read: Read, write: Write
    ) -> None:
        self._dataset = dataset
        self._table = TableView(dataset.schema, dataset.grid)
        self._column_numbers = {name: i for i, name in enumerate(dataset.schema.names)}
        self._code = code
        self._partition_chunks = partition_chunks
        self._memory = memory
        self._read = read
        self._write = write
        self._entries: dict[str, _Entry] = {}
        self._pending: list[KernelRequest] = []

    def add(self, requests: Iterable[KernelRequest]) -> None:
        """Ask for results; those that are kept are known at once."""
        for request in requests:
            self._add(request)

    def known(self, key: str) -> bool:
        """Whether a request is answered, or has failed."""
        entry = self._entries[key]
        return entry.final is not None or bool(entry.failure)

    def result(self, key: str) -> bytes | None:
        """The encoded result of a request, or None when it is not known."""
        return self._entries[key].final

    def failure(self, key: str) -> str:
        """Why a request failed; empty when it did not."""
        return self._entries[key].failure

    def result_key(self, request_key: str) -> str:
        """The key under which a result is kept: of the request and of the kernels' code."""
        return digest_value([request_key, self._code])[:KEY_LENGTH]

    def take_scans(self) -> list[Scan]:
        """The scans that answer what is pending; nothing is pending afterwards."""
        groups: dict[tuple[Any, ...], list[KernelRequest]] = defaultdict(list)
        shared = _connected([r.columns for r in self._pending])
        for request in self._pending:
            kernel = self._kernel(request.key)
            own = self._entries[request.key].alone
            place = (request.key,) if own else (shared[request.columns], len(request.columns) > 1)
            groups[(kernel.state_class == "serial", *place)].append(request)
        self._pending = []
        scans = []
        for requests in groups.values():
            shared_by_many = any(len(r.columns) > 1 for r in requests)
            for fitting in self._packed(requests):
                undivided = any(self._kernel(r.key).undivided for r in fitting)
                parts = self._partitions(undivided, shared_by_many)
                columns = tuple(sorted({c for r in fitting for c in r.columns}, key=self._column_number))
                inputs = self._inputs(fitting)
                scans += [Scan(columns, tuple(fitting), p, inputs) for p in parts]
                for request in fitting:
                    self._entries[request.key].starts = frozenset(p.start for p in parts)
        return scans

    def _partitions(self, undivided: bool, shared: bool) -> list[Partition]:
        """Where scans are cut: those of many columns more often, as there are no others beside them to keep busy."""
        n_chunks = self._dataset.grid.n_chunks
        if undivided:
            return [Partition(0, n_chunks)]
        chunks = self._partition_chunks
        if shared:
            chunks = min(chunks, -(-n_chunks // _SHARED_PARTS))
        return list(self._dataset.grid.partitions(chunks))

    def accept(self, scan: Scan, outputs: dict[str, dict[str, Any]]) -> None:
        """Take what a scan gave."""
        for request in scan.requests:
            entry = self._entries[request.key]
            if entry.failure or entry.final is not None:
                continue  # answered or given up meanwhile
            output = outputs[request.key]
            entry.outputs[scan.partition.start] = outputs[output["nodes_of"]] if "nodes_of" in output else output
            if self._is_whole(entry):
                self._answer(entry)

    def fail(self, scan: Scan, reason: str) -> None:
        """Take it that a scan can't be done; each of several requests is tried once more by itself."""
        for request in scan.requests:
            entry = self._entries[request.key]
            if len(scan.requests) == 1:
                self._fail(request.key, reason)
            elif not entry.alone and entry.final is None and not entry.failure:
                entry.alone = True
                self._pending.append(request)

    def cost(self, scan: Scan) -> float:
        """Predicted nanoseconds of a scan."""
        rows = (
            self._dataset.grid.bounds(scan.partition.stop - 1)[1] - self._dataset.grid.bounds(scan.partition.start)[0]
        )
        reading = sum(_READ_NS[self._dataset.schema[c].encoding == "long"] for c in scan.columns)
        fixed = _FIXED_NS * (1 + len(scan.requests))
        return fixed + rows * (reading + sum(self._kernel(r.key).cost() for r in scan.requests))

    def memory(self, scan: Scan) -> int:
        """Bytes that a scan may take at most: states, temporaries, one decoded chunk."""
        kernels = [self._kernel(r.key) for r in scan.requests]
        chunk = self._dataset.grid.chunk_rows * _VALUE_BYTES * len(scan.columns)
        return sum(k.memory() for k in kernels) + max((k.scratch() for k in kernels), default=0) + chunk

    def _add(self, request: KernelRequest) -> _Entry:
        key = request.key
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = _Entry(request)
            kept = self._read(self.result_key(key))
            if kept is None or not _take_kept(entry, kept):
                for required in self._kernel(key).requires():
                    entry.required.append(required.key)
                    self._add(required).parents.append(key)
                self._begin(entry)
        return entry

    def _begin(self, entry: _Entry) -> None:
        """Queue a request for scanning if all that it requires is final."""
        required = [self._entries[k] for k in entry.required]
        failed = next((r.failure for r in required if r.failure), "")
        if failed:
            self._fail(entry.request.key, failed)
        elif all(r.final is not None for r in required) and not entry.begun:
            entry.begun = True
            kernel = self._kernel(entry.request.key)
            if required:
                kernel.bind([decode(r.final or b"") for r in required])
            if kernel.scans:
                self._pending.append(entry.request)
            else:
                self._finish(entry, kernel.finish(kernel.init()))

    def _inputs(self, requests: Sequence[KernelRequest]) -> dict[str, bytes]:
        """Results that requests require, by the key of their request."""
        keys = dict.fromkeys(k for r in requests for k in self._entries[r.key].required)
        return {k: self._entries[k].final or b"" for k in keys}

    def _packed(self, requests: list[KernelRequest]) -> list[list[KernelRequest]]:
        """Requests that fit in memory together; one that does not fit by itself fails."""
        fitting = []
        for request in requests:
            kernel = self._kernel(request.key)
            try:
                pack([kernel], self._memory)
                fitting.append(kernel)
            except BudgetError as error:
                self._fail(request.key, f"{error.message}; {error.remedy}")
        return pack(fitting, self._memory)

    def _kernel(self, key: str) -> Kernel:
        entry = self._entries[key]
        if entry.kernel is None:
            entry.kernel = make_kernel(entry.request, self._table)
        return entry.kernel

    def _is_whole(self, entry: _Entry) -> bool:
        return any("result" in output for output in entry.outputs.values()) or entry.starts <= entry.outputs.keys()

    def _answer(self, entry: _Entry) -> None:
        outputs = [entry.outputs[start] for start in sorted(entry.outputs)]
        entry.outputs = {}
        entry.state = outputs[0].get("state") if len(outputs) == 1 else None
        self._finish(entry, merge_outputs(self._kernel(entry.request.key), outputs))

    def _finish(self, entry: _Entry, result: dict[str, Any]) -> None:
        """Take and keep a result, and let those begin that require it."""
        entry.final = encode(self._kernel(entry.request.key).resolve(result, self._dataset))
        self._write(self.result_key(entry.request.key), encode({"result": entry.final, "state": entry.state}))
        entry.state = None
        self._tell_parents(entry)

    def _fail(self, key: str, reason: str) -> None:
        entry = self._entries[key]
        if not entry.failure and entry.final is None:
            entry.failure = reason
            self._tell_parents(entry)

    def _tell_parents(self, entry: _Entry) -> None:
        for parent in entry.parents:
            self._begin(self._entries[parent])

    def _column_number(self, name: str) -> int:
        return self._column_numbers[name]


def _connected(groups: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], str]:
    """A name for each group of columns, the same for groups of several that share a column, also through others."""
    leader: dict[str, str] = {}

    def find(name: str) -> str:
        while leader.setdefault(name, name) != name:
            name = leader[name]
        return name

    found = list(dict.fromkeys(groups))
    for columns in found:
        for other in columns[1:]:
            leader[find(other)] = find(columns[0])
    return {columns: find(columns[0]) if len(columns) > 1 else columns[0] for columns in found}


_SHARED_PARTS = 4
"""Partitions at least of a scan of many columns, where there are as many chunks."""
_READ_NS = {False: 1.0, True: 8.0}
"""Nanoseconds to read and decode a value: of numbers and codes, of long text."""
_FIXED_NS = 1e6
"""Nanoseconds that a scan, and each request in it, takes however few rows there are."""
_VALUE_BYTES = 64


def _take_kept(entry: _Entry, kept: bytes) -> bool:
    try:
        entry.final = decode(kept)["result"]
    except (EncodingError, KeyError, TypeError):
        return False
    return isinstance(entry.final, bytes)


def batches(scans: Sequence[Scan], cost: Callable[[Scan], float], workers: int) -> list[list[Scan]]:
    """Group scans into tasks, the longest first.

    There are few enough of them that starting them costs little, and enough to even out the load.

    Parameters
    ----------
    scans : sequence of Scan
        What is to be scanned.
    cost : callable
        Predicted nanoseconds of a scan.
    workers : int
        Tasks that run at once. The results don't depend on it, as every scan stands for itself.
    """
    priced = sorted(((cost(s), -i, s) for i, s in enumerate(scans)), key=lambda p: p[:2], reverse=True)
    target = max(sum(p[0] for p in priced) / (workers * _TASKS_A_WORKER), _SHORTEST_TASK_NS)
    out: list[list[Scan]] = []
    held = target
    for price, _, scan in priced:
        if held + price / 2 >= target:
            out.append([])
            held = 0.0
        out[-1].append(scan)
        held += price
    return out


_TASKS_A_WORKER = 4
_SHORTEST_TASK_NS = 2e7
