"""A column in a line of text: its range and the shape of its distribution, from all its rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from toolkit.core.schema import ColumnSpec
from toolkit.core.strings import StringBlock
from toolkit.storage.dataset import Dataset

_BARS = " ▁▂▃▄▅▆▇█"
_BINS = 24
_TOP = 3


def sketch(dataset: Dataset, spec: ColumnSpec) -> dict[str, Any]:
    """Describe a column from a scan of it.

    Returns
    -------
    dict
        ``missing`` (rows), ``low`` and ``high`` as text, ``shape`` (a row of bars; empty where there is no order to
        show), and ``common`` (the most frequent values of coded text with their counts).
    """
    if spec.encoding == "coded":
        return _coded(dataset, spec)
    if spec.encoding == "long":
        return _long(dataset, spec)
    return _plain(dataset, spec)


def bars(counts: np.ndarray[Any, Any]) -> str:
    """Counts as a row of bars, the highest full; a count that is not zero is always seen.

    Examples
    --------
    >>> bars(np.array([0, 1, 4, 8]))
    ' ▁▄█'
    """
    top = int(counts.max(initial=0))
    return "".join(_BARS[-(-int(c) * 8 // top)] if top else " " for c in counts)


def _plain(dataset: Dataset, spec: ColumnSpec) -> dict[str, Any]:
    low = high = None
    missing = 0
    for chunk in dataset.chunks([spec.name]):
        values = _present(chunk.data(spec.name))
        missing += len(chunk) - values.size
        values = values[np.isfinite(values)] if values.dtype.kind == "f" else values
        if values.size:
            low = values.min() if low is None else min(low, values.min())
            high = values.max() if high is None else max(high, values.max())
    if low is None or high is None:
        return {"missing": missing, "low": "", "high": "", "shape": "", "common": []}
    counts = np.zeros(_BINS, np.int64)
    for chunk in dataset.chunks([spec.name]):
        values = _present(chunk.data(spec.name)).astype(np.float64)
        counts += np.histogram(values[np.isfinite(values)], _BINS, (float(low), float(high)))[0]
    shown = [_shown(v, spec) for v in (low, high)]
    return {"missing": missing, "low": shown[0], "high": shown[1], "shape": bars(counts), "common": []}


def _coded(dataset: Dataset, spec: ColumnSpec) -> dict[str, Any]:
    counts = np.zeros(spec.categories + 1, np.int64)
    for chunk in dataset.chunks([spec.name]):
        counts += np.bincount(chunk.codes(spec.name).astype(np.int64) + 1, minlength=counts.size)
    missing, counts = int(counts[0]), counts[1:]
    names = dataset.categories(spec.name)
    order = np.argsort(-counts, kind="stable")[:_TOP]
    common = [(str(names[i]), int(counts[i])) for i in order]
    return {"missing": missing, "low": "", "high": "", "shape": bars(np.sort(counts)[::-1][:_BINS]), "common": common}


def _long(dataset: Dataset, spec: ColumnSpec) -> dict[str, Any]:
    missing, shortest, longest = 0, None, 0
    for chunk in dataset.chunks([spec.name]):
        data = chunk.data(spec.name)
        assert isinstance(data.values, StringBlock)
        lengths = data.values.lengths if data.valid is None else data.values.lengths[data.valid]
        missing += len(chunk) - lengths.size
        if lengths.size:
            shortest = int(lengths.min()) if shortest is None else min(shortest, int(lengths.min()))
            longest = max(longest, int(lengths.max()))
    low = "" if shortest is None else f"{shortest} bytes"
    return {"missing": missing, "low": low, "high": f"{longest} bytes" if low else "", "shape": "", "common": []}


def _present(data: Any) -> np.ndarray[Any, Any]:
    values: np.ndarray[Any, Any] = data.values if data.valid is None else data.values[data.valid]
    return values[~np.isnan(values)] if values.dtype.kind == "f" else values


def _shown(value: Any, spec: ColumnSpec) -> str:
    if spec.kind in ("timestamp", "date"):
        return str(np.int64(value).view(f"datetime64[{spec.unit}]")).replace("T", " ")
    if spec.kind in ("time", "duration"):
        return str(np.int64(value).view(f"timedelta64[{spec.unit}]"))
    return f"{value:.6g}" if isinstance(value, np.floating) else str(value)
