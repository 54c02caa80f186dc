"""The 64 contiguous blocks of rows by which kernels keep states for the jackknife.

Block ``i`` holds the rows from ``i * N // 64`` to ``(i + 1) * N // 64`` of the table's ``N`` rows, whatever the chunks
are.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

BLOCKS = 64
PIECE = 1 << 15
"""Rows of a piece whose temporaries stay in the processor's cache."""


def block_bounds(rows: int) -> npt.NDArray[np.int64]:
    """First row of each of the 64 blocks, and the number of rows: shape (65,)."""
    return np.array([i * rows // BLOCKS for i in range(BLOCKS + 1)], np.int64)


def block_pieces(start: int, stop: int, rows: int, piece: int = PIECE) -> list[tuple[int, int, int]]:
    """Runs of rows within one block: block, and where the run begins and ends within the chunk.

    Parameters
    ----------
    start, stop : int
        Rows of the chunk.
    rows : int
        Rows of the table.
    piece : int
        Rows of a run at most.

    Examples
    --------
    >>> block_pieces(60, 130, 6400)
    [(0, 0, 40), (1, 40, 70)]
    """
    bounds = block_bounds(rows)
    found = []
    first = int(np.searchsorted(bounds, start, side="right")) - 1
    for block in range(first, BLOCKS):
        if bounds[block] >= stop:
            break
        lo, hi = max(start, int(bounds[block])), min(stop, int(bounds[block + 1]))
        found += [(block, at - start, min(at + piece, hi) - start) for at in range(lo, hi, piece)]
    return found


def block_of_rows(start: int, stop: int, rows: int) -> npt.NDArray[np.int64]:
    """The block of each row of a chunk, shape (stop - start,)."""
    runs = block_pieces(start, stop, rows, max(rows, 1))
    blocks = np.array([block for block, _, _ in runs], np.int64)
    return np.repeat(blocks, [hi - lo for _, lo, hi in runs])
