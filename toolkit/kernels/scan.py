"""One read of the chunks that feeds every kernel, and the joining of what the partitions gave."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from toolkit.core.chunk import Chunk
from toolkit.core.encoding import decode, encode
from toolkit.core.errors import UsageError
from toolkit.core.grid import Partition
from toolkit.kernels.base import Kernel, KernelRequest, State, TableView, make_kernel
from toolkit.kernels.scattered import Scattered
from toolkit.kernels.sorted_runs import SortedRuns
from toolkit.kernels.spill import Spill
from toolkit.kernels.tree import CanonicalTree, Node
from toolkit.storage.dataset import Dataset

KEEP_STATE_BYTES = 1 << 20
"""States up to this size are handed out beside a finished result, so that they can be merged with new rows later."""

_ROOM = 4096


@dataclass(frozen=True)
class Scan:
    """What one pass over one partition computes.

    Attributes
    ----------
    columns : tuple of str
        The columns that are read.
    requests : tuple of KernelRequest
        What is asked of them.
    partition : Partition
        The chunks that are read.
    inputs : dict of str to bytes
        Encoded results, by the key of their request, of what the kernels require.
    """

    columns: tuple[str, ...]
    requests: tuple[KernelRequest, ...]
    partition: Partition
    inputs: Mapping[str, bytes] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain values and byte strings."""
        return {
            "inputs": dict(self.inputs),
            "columns": list(self.columns),
            "requests": [r.to_json() for r in self.requests],
            "partition": [self.partition.start, self.partition.stop],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Scan:
        """Read what `to_json` wrote."""
        start, stop = value["partition"]
        requests = tuple(KernelRequest.from_json(r) for r in value["requests"])
        return cls(tuple(value["columns"]), requests, Partition(int(start), int(stop)), dict(value["inputs"]))


@dataclass(frozen=True)
class ScanOutput:
    """What a scan gave.

    Attributes
    ----------
    outputs : dict of str to dict
        By the key of the request. When the partition was the whole grid ``result``, and ``state``: the encoded
        state, or None where it is larger than `KEEP_STATE_BYTES`. Else ``nodes``: a list of ``[lo, hi, encoded
        state]``; or ``nodes_of``, the key of the request of this scan that has the same ones. All of it can be encoded
        by `toolkit.core.encoding`.
    rows : int
        Rows read.
    """

    outputs: dict[str, dict[str, Any]]
    rows: int


class _Fold:
    """A state that is gathered in this scan, and the kernels that read it: they differ only in their results."""

    def __init__(self, kernel: Kernel, partition: Partition) -> None:
        self.kernel = kernel
        self.readers = [kernel]
        self._n_chunks = kernel.table.grid.n_chunks
        self._whole = (partition.start, partition.stop) == (0, self._n_chunks)
        if kernel.state_class == "serial" and not self._whole:
            raise UsageError(
                f"kernel {kernel.name} can't be split; chunks {partition.start} to {partition.stop - 1} are a part",
                "a scan with a serial kernel takes the whole grid",
            )
        self._partition = partition
        self._tree: CanonicalTree[State] | None = None
        self._state: State = None
        self._spill: Spill | None = None
        if kernel.state_class == "tree":
            self._tree = CanonicalTree(kernel.merge)
        else:
            self._state = kernel.init()

    def add_leaf(self, index: int, leaf: State) -> None:
        """Take the state of a chunk by itself."""
        if self._tree is not None:
            self._tree.add(index, leaf)
        else:
            self._state = self.kernel.merge(self._state, leaf)

    def add(self, chunk: Chunk) -> None:
        if self._tree is not None:
            self._tree.add(chunk.index, self.kernel.update(self.kernel.init(), chunk))
        else:
            self._state = self.kernel.update(self._state, chunk)

    def lend(self, spill: Spill) -> None:
        """Give the kernel a place to write to for as long as the scan lasts."""
        self._spill = self.kernel.spill = spill

    def _is_small(self, state: State) -> bool:
        """Whether a state is handed out: one of which much is on disk is not."""
        on_disk = self._spill.nbytes if self._spill is not None else 0
        return on_disk + state_nbytes(state) <= KEEP_STATE_BYTES - _ROOM

    def outputs(self, dataset: Dataset) -> dict[str, dict[str, Any]]:
        """What the scan hands out, by the key of the request; the gathered state is let go of."""
        kernel, tree, state = self.kernel, self._tree, self._state
        self._state = self._tree = None
        if not self._whole:
            span = self._partition
            nodes = [Node(span.start, span.stop, state)] if tree is None else tree.nodes()
            key = kernel.request.key
            out: dict[str, dict[str, Any]] = {r.request.key: {"nodes_of": key} for r in self.readers}
            out[key] = {"nodes": [[n.lo, n.hi, encode(kernel.settle(n.state))] for n in nodes]}
            return out
        if tree is not None:
            state = CanonicalTree.finish(tree.nodes(), self._n_chunks, kernel.merge, kernel.init)
        results = [reader.finish(state) for reader in self.readers]
        kept = encode(kernel.settle(state)) if self._is_small(state) else None
        return {
            reader.request.key: {"result": reader.resolve(result, dataset), "state": kept}
            for reader, result in zip(self.readers, results, strict=True)
        }


def run_scan(
    dataset: Dataset, scan: Scan, progress: Callable[[int], None] | None = None, folder: Path | None = None
) -> ScanOutput:
    """Read each chunk of a partition once and feed it to all kernels.

    Parameters
    ----------
    dataset : Dataset
        The open store.
    scan : Scan
        What to compute. Requests with the same key are computed once.
    progress : callable, optional
        Called with the number of rows read so far, after each chunk.
    folder : Path, optional
        Where kernels may write what they can't hold; the system's folder for temporary files by default.

    Raises
    ------
    UsageError
        When a request names a column that the scan does not read, a kernel that there is not, or parameters or a column
        that the kernel does not take.
    """
    table = TableView(dataset.schema, dataset.grid)
    inputs = {key: decode(data) for key, data in scan.inputs.items()}
    folds: dict[str, _Fold] = {}
    for request in dict.fromkeys(scan.requests):
        missing = [c for c in request.columns if c not in scan.columns]
        if missing:
            raise UsageError(f"kernel {request.kernel} needs column {missing[0]!r}, which this scan does not read")
        kernel = make_kernel(request, table, inputs)
        if kernel.state_key() in folds:
            folds[kernel.state_key()].readers.append(kernel)
        else:
            folds[kernel.state_key()] = _Fold(kernel, scan.partition)
    # Kernels of one column follow each other, so that they share what is derived from the chunk.
    order = {name: i for i, name in enumerate(dataset.schema.names)}
    by_column = sorted(folds.values(), key=lambda f: [order[c] for c in f.kernel.request.columns])
    batches: dict[tuple[str, str], list[_Fold]] = {}
    for fold in by_column:
        batches.setdefault((fold.kernel.name, fold.kernel.batch() or fold.kernel.state_key()), []).append(fold)
    outputs: dict[str, dict[str, Any]] = {}
    with ExitStack() as held:
        for fold in folds.values():
            fold.lend(held.enter_context(Spill(folder)))
        rows = 0
        for chunk in dataset.chunks(scan.columns, scan.partition):
            for batch in batches.values():
                _add_chunk(batch, chunk)
            rows += len(chunk)
            if progress is not None:
                progress(rows)
        for fold in folds.values():
            outputs |= fold.outputs(dataset)
    return ScanOutput(outputs, rows)


def _add_chunk(batch: list[_Fold], chunk: Chunk) -> None:
    if len(batch) == 1:
        batch[0].add(chunk)
        return
    leaves = type(batch[0].kernel).leaves([fold.kernel for fold in batch], chunk)
    for fold, leaf in zip(batch, leaves, strict=True):
        fold.add_leaf(chunk.index, leaf)


def merge_outputs(kernel: Kernel, outputs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The result of one request from the outputs of all partitions.

    Parameters
    ----------
    kernel : Kernel
        The kernel that serves the request, with its inputs.
    outputs : sequence of dict
        What `run_scan` gave for it in each partition, in grid order.

    Returns
    -------
    dict
        The result; where the kernel resolves row numbers (`Kernel.resolve`) that is still to be done.

    Raises
    ------
    ToolkitError
        When partitions are missing.
    """
    if len(outputs) == 1 and "result" in outputs[0]:
        return dict(outputs[0]["result"])
    table = kernel.table
    nodes = [Node(lo, hi, decode(data)) for output in outputs for lo, hi, data in output["nodes"]]
    if kernel.state_class == "tree":
        state = CanonicalTree.finish(nodes, table.grid.n_chunks, kernel.merge, kernel.init)
    else:
        state = _merged_in_order(kernel, nodes, table.grid.n_chunks)
    return kernel.finish(state)


def state_nbytes(state: State) -> int:
    """Bytes of the arrays, strings and byte strings that a state holds in memory; numbers are not counted."""
    if isinstance(state, np.ndarray | SortedRuns | Scattered):
        return state.nbytes
    if isinstance(state, str | bytes):
        return len(state)
    if isinstance(state, Mapping):
        return sum(map(state_nbytes, state.values()))
    if isinstance(state, list | tuple):
        return sum(map(state_nbytes, state))
    return 0


def _merged_in_order(kernel: Kernel, nodes: list[Node], n_chunks: int) -> State:
    at, state = 0, kernel.init()
    for node in sorted(nodes, key=lambda n: n.lo):
        if node.lo != at:
            raise UsageError(
                f"the outputs of a scan over {n_chunks} chunks leave out or repeat chunk {min(at, node.lo)}"
            )
        state, at = kernel.merge(state, node.state), node.hi
    if at != n_chunks:
        raise UsageError(f"the outputs of a scan over {n_chunks} chunks end at chunk {at}")
    return state
