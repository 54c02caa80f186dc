"""What each kernel costs a row, beside what others need for the same: `bench.py kernels`.

The table is read into memory first; a kernel's time is that of its scans alone, without those of what it requires. The
code of columns that kernels of one scan share counts for each of them here.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from toolkit.core.encoding import encode
from toolkit.core.grid import Partition
from toolkit.kernels.base import KernelRequest, TableView, kernels, make_kernel, request
from toolkit.kernels.scan import Scan, run_scan
from toolkit.kernels.waves import compute
from toolkit.storage.dataset import Dataset, open_location

Work = Callable[[], object]


def column_sets(dataset: Dataset) -> list[KernelRequest]:
    """Requests of every kernel on columns of the table that it takes."""
    schema = dataset.schema
    names = [s.name for s in schema]
    numbers = [s.name for s in schema if s.kind in ("int", "float")]
    coded = [s.name for s in schema if s.encoding == "coded"]
    times = [s.name for s in schema if s.kind in ("timestamp", "date")]
    found = []
    for name, kernel in kernels.all().items():
        if not kernel.scans:
            continue
        if kernel.arity == 1:
            found += [request(name, c) for c in names if kernel.accepts(schema[c])]
        elif name == "pairs":
            found += [request(name, a, b) for a, b in pairwise([*coded, *numbers])]
        elif name == "group_moments":
            found += [request(name, coded[0], c) for c in numbers]
        elif name == "digits":
            found += [request(name, c) for c in numbers]
        elif name == "timebins":
            found += [request(name, times[0], numbers[0], coded[0])] if times else []
        elif name in ("comoments", "tsqr", "rowbins"):
            found.append(request(name, *numbers))
        else:
            found.append(request(name, *(c for c in names if kernel.accepts(schema[c]))))
    return found


def seconds(dataset: Dataset, wanted: KernelRequest) -> float:
    """Time of the first scan of a request."""
    required = make_kernel(wanted, TableView(dataset.schema, dataset.grid)).requires()
    inputs = {key: encode(value) for key, value in compute(dataset, required).items()}
    started = time.perf_counter()
    run_scan(dataset, Scan(wanted.columns, (wanted,), Partition(0, dataset.grid.n_chunks), inputs))
    return time.perf_counter() - started


def peers(dataset: Dataset) -> dict[str, Work]:
    """The nearest that NumPy, SciPy and polars offer, on the same columns in memory."""
    import polars as pl
    from scipy import stats

    frame = dataset.to_pandas()
    numbers = [s.name for s in dataset.schema if s.kind in ("int", "float")]
    coded = [s.name for s in dataset.schema if s.encoding == "coded"]
    first = frame[numbers[0]].to_numpy(float, na_value=np.nan)
    first = first[np.isfinite(first)]
    matrix = frame[numbers].to_numpy(float, na_value=np.nan)
    cuts = np.unique(np.quantile(first, np.arange(1, 1024) / 1024))
    table = pl.from_pandas(frame[[*coded[:2], numbers[0]]])
    grouped = table.group_by(coded[0])
    return {
        "moments": lambda: stats.describe(first),
        "order": lambda: np.unique(first, return_counts=True),
        "block_codes": lambda: np.bincount(np.searchsorted(cuts, first)),
        "deviations": lambda: stats.median_abs_deviation(first),
        "comoments": lambda: np.ma.cov(np.ma.masked_invalid(matrix), rowvar=False),
        "pairs": lambda: table.group_by(coded[:2]).len(),
        "group_moments": lambda: grouped.agg(pl.col(numbers[0]).mean(), pl.col(numbers[0]).var().alias("v")),
        "missing_patterns": lambda: frame.isna().to_numpy().sum(axis=0),
        "rowhash": table.hash_rows,
        "tsqr": lambda: np.linalg.qr(np.nan_to_num(matrix), mode="r"),
    }


def bench_kernels(store: Path, repeats: int) -> list[dict[str, Any]]:
    """Nanoseconds a row: for kernels of one or two columns the median over what they were tried on."""
    with open_location(store) as dataset:
        others = peers(dataset)
        rows = []
        wanted: dict[str, list[KernelRequest]] = {}
        for one in column_sets(dataset):
            wanted.setdefault(one.kernel, []).append(one)
        for name, requests in wanted.items():
            ours, theirs = [], []
            for one in requests[:6]:
                for _ in range(repeats):
                    ours.append(seconds(dataset, one) / dataset.rows * 1e9)
                    if name in others:
                        started = time.perf_counter()
                        others[name]()
                        theirs.append((time.perf_counter() - started) / dataset.rows * 1e9)
            rows.append(_row(name, requests[0], ours, theirs))
    return rows


def _row(name: str, one: KernelRequest, ours: list[float], theirs: list[float]) -> dict[str, Any]:
    return {
        "kernel": name,
        "columns": len(one.columns),
        "ns": statistics.median(ours),
        "peer_ns": statistics.median(theirs) if theirs else None,
        "state_class": kernels.get(name).state_class,
    }
