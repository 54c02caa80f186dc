"""A store read in chunks of other lengths than those it has, such as chunks that end only between cases."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from toolkit.core.chunk import ColumnData
from toolkit.core.grid import ChunkGrid
from toolkit.core.strings import StringBlock
from toolkit.storage.dataset import Dataset


@dataclass(frozen=True, slots=True)
class CutGrid(ChunkGrid):
    """Chunks that begin at given rows; ``chunk_rows`` is the length of the longest.

    Attributes
    ----------
    starts : tuple of int
        First row of every chunk, ascending from 0.
    """

    starts: tuple[int, ...] = (0,)

    @property
    def n_chunks(self) -> int:
        """Number of chunks."""
        return len(self.starts)

    def bounds(self, index: int) -> tuple[int, int]:
        """First row of a chunk, and the row after its last."""
        if not 0 <= index < len(self.starts):
            raise IndexError(f"chunk {index} is not one of the {len(self.starts)} chunks")
        return self.starts[index], self.starts[index + 1] if index + 1 < len(self.starts) else self.rows

    def chunk_of(self, row: int) -> int:
        """The chunk that holds a row."""
        if not 0 <= row < self.rows:
            raise IndexError(f"row {row} is not one of the {self.rows} rows")
        return bisect_right(self.starts, row) - 1


def cut_grid(rows: int, cuts: Sequence[int]) -> CutGrid:
    """The grid whose chunks begin at row 0 and at each of the cuts.

    Examples
    --------
    >>> grid = cut_grid(10, [3, 8])
    >>> [grid.bounds(i) for i in range(grid.n_chunks)], grid.chunk_rows, grid.chunk_of(8)
    ([(0, 3), (3, 8), (8, 10)], 5, 2)
    """
    starts = (0, *cuts)
    longest = max(b - a for a, b in zip(starts, (*cuts, rows), strict=True))
    return CutGrid(rows, longest, starts)


class CutDataset(Dataset):
    """A store whose chunks begin at given rows.

    Parameters
    ----------
    dataset : Dataset
        The store; its digests are checked as ever.
    cuts : sequence of int
        Rows at which chunks begin, besides row 0.
    """

    def __init__(self, dataset: Dataset, cuts: Sequence[int]) -> None:
        super().__init__(dataset._reader, dataset.location, dataset.on_read)
        self._whole = dataset
        self._grid = cut_grid(dataset.rows, cuts)

    @property
    def grid(self) -> ChunkGrid:
        """The row grid."""
        return self._grid

    def stored_chunks(self, chunks: set[int]) -> set[int]:
        """The store's own chunks that hold the rows of some chunks."""
        return {i for c in chunks for i in self._stored(c)}

    def _stored(self, index: int) -> range:
        start, stop = self._grid.bounds(index)
        return range(self._whole.grid.chunk_of(start), self._whole.grid.chunk_of(stop - 1) + 1)

    def _load(self, name: str, index: int) -> ColumnData:
        start, stop = self._grid.bounds(index)
        pieces = []
        for stored in self._stored(index):
            first, last = self._whole.grid.bounds(stored)
            data = self._whole.chunk(stored, [name]).data(name)
            pieces.append(_cut(data, max(start, first) - first, min(stop, last) - first))
        return pieces[0] if len(pieces) == 1 else _joined(pieces)


def _cut(data: ColumnData, start: int, stop: int) -> ColumnData:
    values = data.values
    cut = values.slice(start, stop) if isinstance(values, StringBlock) else values[start:stop]
    return ColumnData(cut, None if data.valid is None else data.valid[start:stop])


def _joined(pieces: Sequence[ColumnData]) -> ColumnData:
    valid = None if pieces[0].valid is None else np.concatenate([p.valid for p in pieces if p.valid is not None])
    blocks = [p.values for p in pieces if isinstance(p.values, StringBlock)]
    if not blocks:
        values = np.concatenate([p.values for p in pieces if isinstance(p.values, np.ndarray)])
        values.flags.writeable = False
        return ColumnData(values, valid)
    payloads = [b.contiguous()[1] for b in blocks]
    lengths = np.concatenate([b.lengths for b in blocks])
    starts = np.zeros(lengths.size, np.int64)
    np.cumsum(lengths[:-1], out=starts[1:])
    return ColumnData(StringBlock(np.concatenate(payloads), starts, lengths), valid)
