"""Where in the table a finding of the 64 blocks of rows is to be seen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from toolkit.core.grid import ChunkGrid
from toolkit.kernels.blocks import block_bounds

MOST_RUNS = 20
"""Runs of rows that are listed."""

MOST_CHUNKS = 50
"""Chunks that are listed."""


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
