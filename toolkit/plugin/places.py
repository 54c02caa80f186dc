"""Where in the table a finding is to be seen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.core.grid import ChunkGrid
from toolkit.kernels.blocks import block_bounds

MOST_RUNS = 20
"""Runs of rows that are listed."""

MOST_CHUNKS = 50
"""Chunks that are listed."""


@dataclass(slots=True)
class Places:
    """Where a value stands.

    Attributes
    ----------
    count : int
        How often.
    chunks : dict of int to int
        How often in each chunk that has it.
    runs : list of [first, last]
        The first runs of consecutive rows, at most `MOST_RUNS`.
    last_row : int
        The last row.
    """

    count: int = 0
    chunks: dict[int, int] = field(default_factory=dict)
    runs: list[list[int]] = field(default_factory=list)
    last_row: int = -1

    def add(self, chunk: int, rows: npt.NDArray[np.int64]) -> None:
        """Take in the rows of a chunk that have the value, ascending, at least one."""
        self.count += rows.size
        self.chunks[chunk] = rows.size
        self.last_row = int(rows[-1])
        if len(self.runs) > MOST_RUNS:
            return
        breaks = np.flatnonzero(np.diff(rows) > 1)[: MOST_RUNS + 1]
        firsts = rows[np.concatenate([[0], breaks + 1])]
        lasts = rows[np.concatenate([breaks, [rows.size - 1]])]
        for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True):
            if self.runs and self.runs[-1][1] == first - 1:
                self.runs[-1][1] = last
            else:
                self.runs.append([first, last])
        del self.runs[MOST_RUNS + 1 :]

    def evidence(self) -> dict[str, Any]:
        """What of it goes into a finding: rows and chunks, capped, and their numbers."""
        chunks = sorted(self.chunks)
        return {
            "rows": self.runs[:MOST_RUNS],
            "rows_listed": "all" if len(self.runs) <= MOST_RUNS else f"the first {MOST_RUNS} runs",
            "first_row": self.runs[0][0],
            "last_row": self.last_row,
            "chunks": chunks[:MOST_CHUNKS],
            "chunks_with_it": len(chunks),
        }


def all_rows(grid: ChunkGrid) -> dict[str, Any]:
    """Rows and chunks of a count over the whole table, for the evidence of a finding; chunks are capped.

    Examples
    --------
    >>> all_rows(ChunkGrid(25, 10))
    {'rows': [[0, 24]], 'chunks': [0, 1, 2], 'chunks_with_it': 3}
    """
    chunks = list(range(min(grid.n_chunks, MOST_CHUNKS)))
    return {"rows": [[0, grid.rows - 1]], "chunks": chunks, "chunks_with_it": grid.n_chunks}


def block_places(grid: ChunkGrid, blocks: Iterable[int]) -> dict[str, Any]:
    """Rows and chunks of some of the 64 blocks, for the evidence of a finding.

    Parameters
    ----------
    grid : ChunkGrid
        The table's rows.
    blocks : iterable of int
        Blocks, ascending.

    Returns
    -------
    dict
        ``rows``, a list of [first, last] of runs of rows; ``chunks``; ``chunks_with_it``, how many there are. Where
        lists are cut, ``rows_listed`` says so.

    Examples
    --------
    >>> block_places(ChunkGrid(6400, 1000), [0, 1, 20])["rows"]
    [[0, 199], [2000, 2099]]
    """
    bounds = block_bounds(grid.rows).tolist()
    runs: list[list[int]] = []
    for block in blocks:
        first, last = bounds[block], bounds[block + 1] - 1
        if last < first:
            continue
        if runs and runs[-1][1] == first - 1:
            runs[-1][1] = last
        else:
            runs.append([first, last])
    chunks = sorted({c for a, b in runs for c in range(grid.chunk_of(a), grid.chunk_of(b) + 1)})
    return {
        "rows": runs[:MOST_RUNS],
        "rows_listed": "all" if len(runs) <= MOST_RUNS else f"the first {MOST_RUNS} runs",
        "chunks": chunks[:MOST_CHUNKS],
        "chunks_with_it": len(chunks),
    }
