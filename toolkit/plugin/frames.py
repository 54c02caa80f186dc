"""The table as pandas frames, for plugins written against the older calls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from toolkit.core.chunk import Chunk
from toolkit.core.errors import BudgetError
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

    def columns(self, *kinds: str, capped: bool = True) -> list[str]:
        """Columns of the plugin."""

    def chunks(self, columns: Sequence[str] | None = None, partition: Partition | None = None) -> Iterator[Chunk]:
        """Chunks in row order."""


def batches(source: ChunkSource, columns: Sequence[str] | None, size: int, rows: int) -> Iterator[pd.DataFrame]:
    """Frames of ``size`` rows over the first ``rows`` rows, the last one shorter, whatever the chunks are."""
    import pandas as pd

    names = source.columns() if columns is None else list(columns)
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


def load_whole(source: ChunkSource, columns: Sequence[str] | None, limit: int | None) -> pd.DataFrame:
    """One frame of all rows, if it is not larger than the limit.

    Raises
    ------
    BudgetError
        When it is; the message says how large it would be, what to call instead, and how to allow it.
    """
    names = source.columns() if columns is None else list(columns)
    needed = sum(frame_bytes(spec) for spec in source.schema.select(names)) * source.rows
    if limit is not None and needed > limit:
        raise BudgetError(
            f"ctx.dataset_loader() would load {source.rows:,} rows of {len(names)} columns,"
            f" at least {needed / 2**20:,.0f} MiB; the policy allows {limit / 2**20:,.0f} MiB",
            "use ctx.chunks() or ctx.dataset_iter_batches(), which stream the same rows in bounded memory;"
            " to allow the load, raise full_load in the policy or set TOOLKIT_ALLOW_FULL_LOAD=1",
        )
    return next(batches(source, names, source.rows, source.rows))


def frame_bytes(spec: ColumnSpec) -> int:
    """Bytes that one value of a column takes in a frame, at least."""
    if spec.encoding == "long":
        return _TEXT_CELL
    size = 8 if spec.kind in ("timestamp", "date", "time", "duration") else np.dtype(spec.dtype).itemsize
    return size + int(spec.nullable)
