"""Smallest and largest text of a chunk, without an object for each value."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from toolkit.core.strings import StringBlock
from toolkit.kernels.words import WORD, WordReader

COMPARED_BYTES = 1 << 16
"""Bytes from the beginning of a text that are compared; texts that agree in them count as equal."""


def extreme_rows(block: StringBlock, present: npt.NDArray[np.bool_] | None = None) -> tuple[int, int]:
    """The first rows with the smallest and with the largest text, compared byte by byte.

    All values are compared by their first 8 bytes as one big-endian integer, those that tie by the next 8, and so on.
    A text that ends where another goes on is the smaller one.

    Parameters
    ----------
    block : StringBlock
        The values.
    present : ndarray of bool, shape (rows,), optional
        Which rows to look at, at least one; all by default.

    Returns
    -------
    smallest, largest : int
        Rows within the block.
    """
    reader = WordReader(block)
    rows = np.arange(len(block)) if present is None else np.flatnonzero(present)
    starts, lengths = block.starts, block.lengths.astype(np.int64)
    if present is not None:
        starts, lengths = starts[rows], lengths[rows]
    words = reader.read(starts, lengths).byteswap(inplace=True)
    found = []
    for largest in (False, True):
        tied = np.flatnonzero(words == (words.max() if largest else words.min()))
        found.append(int(rows[_first_of_ties(reader, starts, lengths, tied, largest=largest)]))
    return found[0], found[1]


def _first_of_ties(
    reader: WordReader,
    starts: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    *,
    largest: bool,
) -> int:
    """The first of the rows with the extreme text; their first words are equal."""
    for offset in range(WORD, COMPARED_BYTES + WORD, WORD):
        # Behind its end a text has zeros, as where it holds zero bytes: those are told apart by where they end.
        ended = np.minimum(lengths[rows] - (offset - WORD), WORD)
        rows = rows[ended == (ended.max() if largest else ended.min())]
        if rows.size == 1 or int(lengths[rows[0]]) < offset or offset >= COMPARED_BYTES:
            break
        words = reader.read(starts[rows] + offset, lengths[rows] - offset).byteswap(inplace=True)
        rows = rows[words == (words.max() if largest else words.min())]
    return int(rows[0])
