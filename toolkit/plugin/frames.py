"""The table as pandas frames, for plugins written against the older calls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from toolkit.core.chunk import Chunk
from toolkit.core.errors import BudgetError, UsageError
from toolkit.core.grid import ChunkGrid, Partition
from toolkit.core.schema import ColumnSpec, Schema

if TYPE_CHECKING:
    import pandas as pd

_TEXT_CELL = 64
"""Bytes that a text value takes as a Python object, at least."""


class ChunkSource(Protocol):
    """What of a context is needed here."""

    rows: int
    schema: Schema
    grid: ChunkGrid

    def chunks(self, columns: Sequence[str] | None = None, partition: Partition | None = None) -> Iterator[Chunk]:
        """Chunks in row order."""


def checked_rows(value: object, what: str) -> int | None:
    """A number of rows that a plugin asks for.

    Raises
    ------
    UsageError
        When it is no positive integer.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise UsageError(f"{what} takes a positive integer, not {value!r}", "leave it out for the policy's")
    return int(value)


def batches(source: ChunkSource, names: Sequence[str], size: int, rows: int) -> Iterator[pd.DataFrame]:
    """Frames of ``size`` rows over the first ``rows`` rows, the last one shorter, whatever the chunks are."""
    import pandas as pd

    held: list[pd.DataFrame] = []
    waiting = 0
    last = source.grid.chunk_of(rows - 1) + 1
    for chunk in source.chunks(names, Partition(0, last)):
        frame = chunk.frame(names).iloc[: rows - chunk.rows.start]
        while waiting + len(frame) >= size:
            taken = size - waiting
            yield pd.concat([*held, frame.iloc[:taken]]) if held else frame.iloc[:taken]
            frame, held, waiting = frame.iloc[taken:], [], 0
        if len(frame):
            held.append(frame)
            waiting += len(frame)
    if held:
        yield pd.concat(held) if len(held) > 1 else held[0]


def load_whole(source: ChunkSource, names: Sequence[str], rows: int, limit: int | None) -> pd.DataFrame:
    """One frame of all rows, if it is not larger than the limit.

    Parameters
    ----------
    source : ChunkSource
        The table.
    names : sequence of str
        Columns.
    rows : int
        Rows by which the size is judged: the table's, or those of the table that it stands for.
    limit : int or None
        Bytes; None for any number.

    Raises
    ------
    BudgetError
        When it is; the message says how large it would be, what to call instead, and how to allow it.
    """
    needed = sum(frame_bytes(spec) for spec in source.schema.select(names)) * rows
    if limit is not None and needed > limit:
        raise BudgetError(
            f"ctx.dataset_loader() would load {rows:,} rows of {len(names)} columns,"
            f" at least {_mebibytes(needed)}; the policy allows {_mebibytes(limit)}",
            "use ctx.chunks() or ctx.dataset_iter_batches(), which stream the same rows in bounded memory;"
            " to allow the load, raise full_load in the policy or set TOOLKIT_ALLOW_FULL_LOAD=1",
        )
    return next(batches(source, names, source.rows, source.rows))


def _mebibytes(size: int) -> str:
    return f"{size / 2**20:,.0f} MiB" if size >= 10 << 20 else f"{size:,} bytes"


def frame_bytes(spec: ColumnSpec) -> int:
    """Bytes that one value of a column takes in a frame, at least."""
    if spec.encoding == "long":
        return _TEXT_CELL
    size = 8 if spec.kind in ("timestamp", "date", "time", "duration") else np.dtype(spec.dtype).itemsize
    return size + int(spec.nullable)
