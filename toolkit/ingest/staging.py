"""Parts of a source, parsed and typed, kept on disk until the types of all columns are known.

A part's file is a row of Arrow IPC streams, one for each column, so that reading one column of a wide table does not
take reading what describes others. Beside it stands what the part says of every column. The types that a part finds
depend on nothing but the part, so parts can be staged in any order and by any number of threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from toolkit.core.schema import Unit
from toolkit.ingest.buffers import like, numbers, presence
from toolkit.ingest.decimals import places
from toolkit.ingest.evidence import UNITS, Evidence, narrowest
from toolkit.ingest.text_types import Typed
from toolkit.readers.base import Rejected

_TICKS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_DAY = 86_400 * 10**9
_SAMPLE = 4096
_EXACT_INTEGER = 2**53


@dataclass(frozen=True, slots=True)
class StagedPart:
    """One staged part.

    Attributes
    ----------
    path : Path
        Its file.
    rows : int
        Its rows.
    evidence : tuple of Evidence
        One for each column.
    offsets : tuple of int
        Where in the file each column begins.
    rejected : tuple of Rejected
        Bad records that were left out of it.
    """

    path: Path
    rows: int
    evidence: tuple[Evidence, ...]
    offsets: tuple[int, ...]
    rejected: tuple[Rejected, ...] = ()

    def column(self, index: int) -> pa.Array:
        """Read one column back."""
        # mapped, so that only what is used of the column is read, and not copied
        with pa.memory_map(str(self.path)) as stream:
            stream.seek(self.offsets[index])
            with pa.ipc.open_stream(stream) as reader:
                return reader.read_next_batch().column(0)


def stage(columns: Sequence[Typed | tuple[Evidence, pa.Array]], rows: int, path: Path) -> StagedPart:
    """Write a part; its file appears under its name only when it is complete.

    Parameters
    ----------
    columns : sequence of Typed or of (Evidence, pyarrow.Array)
        Typed values, or what was staged before.
    rows : int
        Rows of the part.
    path : Path
        Its file.
    """
    evidence, arrays = [], []
    for column in columns:
        found, array = _prepare(column) if isinstance(column, Typed) else column
        evidence.append(found)
        arrays.append(array)
    temporary = path.with_suffix(".tmp")
    offsets = []
    options = pa.ipc.IpcWriteOptions(use_threads=False)
    with pa.OSFile(str(temporary), "wb") as stream:
        for array in arrays:
            batch = pa.RecordBatch.from_arrays([array], names=["0"])
            offsets.append(stream.tell())
            with pa.ipc.new_stream(stream, batch.schema, options=options) as writer:
                writer.write_batch(batch)
    temporary.replace(path)
    return StagedPart(path, rows, tuple(evidence), tuple(offsets))


def _prepare(column: Typed) -> tuple[Evidence, pa.Array]:
    """What the values say, and the form in which they are staged."""
    values = column.values
    base: dict[str, Any] = {
        "kind": column.kind,
        "rows": len(values),
        "missing": values.null_count,
        "timezone": column.timezone,
        "spelled": column.spelled,
    }
    if column.kind == "int":
        extremes = pc.min_max(values)
        low, high = extremes["min"].as_py(), extremes["max"].as_py()
        exact = (low or 0) >= -_EXACT_INTEGER and (high or 0) <= _EXACT_INTEGER
        # staged as narrow as this part allows: less to write and to read back
        narrow = values.cast(pa.from_numpy_dtype(np.dtype(narrowest(low or 0, high or 0))))
        return Evidence(**base, low=low, high=high, as_float=exact or _exact_as_float(values.to_pylist())), narrow
    if column.kind == "float":
        return Evidence(**base, wide=values.type == pa.float64()), values
    if column.kind in ("timestamp", "time", "duration"):
        ticks = values.cast(pa.int32()).cast(pa.int64()) if values.type.bit_width == 32 else values.cast(pa.int64())
        unit = values.type.unit
        counts = numbers(ticks)
        coarse = coarsest(counts if not ticks.null_count else counts[presence(ticks)], unit)
        found = ticks if coarse == unit else like(counts // (_TICKS[unit] // _TICKS[coarse]), ticks)
        return Evidence(**base, unit=coarse, **_span(column, ticks, unit)), found
    if column.kind == "date":
        return Evidence(**base, **_span(column, values.cast(pa.int32()), "D")), values
    if column.kind == "decimal":
        scale = places(values)
        integers = [] if scale else [None if v is None else int(v) for v in values.to_pylist()]
        return Evidence(**base, scale=scale, as_float=not scale and _exact_as_float(integers)), _coded(values)
    if column.kind == "string":
        return Evidence(**base), _coded(values)
    return Evidence(**base), values


def _span(column: Typed, ticks: pa.Array, unit: Unit) -> dict[str, Any]:
    """First and last of dates and timestamps in nanoseconds, and whether microseconds would not do."""
    if column.kind not in ("date", "timestamp"):
        return {}
    extremes = pc.min_max(ticks)
    length = _DAY if unit == "D" else _TICKS["ns"] // _TICKS[unit]
    low, high = (None if extremes[k].as_py() is None else extremes[k].as_py() * length for k in ("min", "max"))
    return {"low": low, "high": high, "fine": unit == "ns"}


def coarsest(ticks: np.ndarray[Any, np.dtype[np.int64]], unit: Unit) -> Unit:
    """The coarsest unit that holds all of some counts of a unit exactly."""
    found: Unit = "s"
    for candidate in UNITS[: UNITS.index(unit) + 1]:
        factor = _TICKS[unit] // _TICKS[candidate]
        found = candidate
        if factor == 1 or (not (ticks[:_SAMPLE] % factor).any() and not (ticks % factor).any()):
            break
    return found


def _exact_as_float(integers: Sequence[int | None]) -> bool:
    return all(v is None or int(float(v)) == v for v in integers)


def _coded(values: pa.Array) -> pa.Array:
    """Text as codes and its distinct values where a first look says that this is smaller."""
    if pa.types.is_dictionary(values.type):
        # encoded anew: a dictionary that came with the source may hold values that no row has
        return values.cast(values.type.value_type).dictionary_encode()
    head = values.slice(0, _SAMPLE)
    if len(pc.unique(head)) * 2 > len(head):
        return values
    return values.dictionary_encode()
