"""Runs kernel scans: the harness's own work, shared by all plugins that ask for the same states."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from toolkit.core.encoding import encode
from toolkit.core.errors import DamagedStoreError
from toolkit.kernels.scan import Scan, run_scan
from toolkit.storage.dataset import Dataset
from toolkit.task.failure import describe

Progress = Callable[[int, int], None]


def run_scans(
    dataset: Dataset, scans: Sequence[Scan], progress: Progress, scratch: Path | None = None
) -> list[dict[str, Any]]:
    """Run scans one after the other; what does not fit in memory is written to ``scratch`` meanwhile.

    Returns
    -------
    list of dict
        For each scan ``{"output": bytes}``, or ``{"failure": ...}`` when that one failed and others may have not.

    Raises
    ------
    DamagedStoreError
        When a chunk does not match its digest.
    """
    sizes = [_rows(dataset, scan) for scan in scans]
    found: list[dict[str, Any]] = []
    for number, scan in enumerate(scans):
        try:
            output = run_scan(dataset, scan, _shifted(progress, sum(sizes[:number]), sum(sizes)), scratch)
            found.append({"output": encode(output.outputs)})
        except DamagedStoreError:
            raise
        except Exception as error:  # noqa: BLE001  one scan's failure is the failure of the plugins that need it
            found.append({"failure": describe(error, scratch=str(scratch or "")).to_json()})
    return found


def _rows(dataset: Dataset, scan: Scan) -> int:
    first, last = scan.partition.start, scan.partition.stop - 1
    return dataset.grid.bounds(last)[1] - dataset.grid.bounds(first)[0]


def _shifted(progress: Progress, before: int, total: int) -> Callable[[int], None]:
    return lambda rows: progress(before + rows, total)
