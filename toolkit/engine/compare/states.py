"""Kernels' states of a store: those that runs kept, the others by a scan of the columns concerned."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from toolkit.core.encoding import decode
from toolkit.core.errors import ToolkitError
from toolkit.engine.board import KernelBoard
from toolkit.engine.prepared import kernel_code
from toolkit.engine.results import ResultStore
from toolkit.govern.policy import Policy
from toolkit.kernels.base import KernelRequest
from toolkit.kernels.scan import run_scan
from toolkit.storage.dataset import Dataset


class States:
    """Answers to requests on one table.

    Parameters
    ----------
    dataset : Dataset
        The table.
    kept : ResultStore or None
        Results of earlier runs; what is computed is kept there too. None to use and keep nothing.
    policy : Policy
        How much memory a scan may take.

    Attributes
    ----------
    scanned : set of str
        Columns that had to be read.
    """

    def __init__(self, dataset: Dataset, kept: ResultStore | None, policy: Policy) -> None:
        self.dataset = dataset
        self.scanned: set[str] = set()
        self._kept = kept
        self._new: dict[str, bytes] = {}
        read = (lambda key: None) if kept is None else kept.read
        self._board = KernelBoard(
            dataset, kernel_code(), policy.partition_chunks, policy.scan_memory, read, self._new.__setitem__
        )

    def answer(self, requests: Iterable[KernelRequest]) -> dict[str, dict[str, Any]]:
        """Results by the key of the request.

        Raises
        ------
        ToolkitError
            When a kernel can't be computed in the memory that the policy gives.
        """
        wanted = list(requests)
        self._board.add(wanted)
        while scans := self._board.take_scans():
            for scan in scans:
                self.scanned.update(scan.columns)
                outputs = run_scan(self.dataset, scan).outputs
                self._board.accept(scan, outputs)
        if self._new and self._kept is not None:
            self._kept.write(self._new)
        self._new.clear()
        found = {}
        for request in wanted:
            body = self._board.result(request.key)
            if body is None:
                raise ToolkitError(self._board.failure(request.key), "a policy with a larger scan_memory may help")
            found[request.key] = decode(body)
        return found
