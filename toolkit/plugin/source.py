"""The table from which a plugin's table was derived: for a second look at rows that the derived one points to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from toolkit.core.chunk import Chunk
from toolkit.core.grid import ChunkGrid, Partition
from toolkit.core.schema import Schema
from toolkit.storage.dataset import Dataset


class Source:
    """Rows of the parent, chunk by chunk.

    What is read here does not count for the coverage of the plugin, which is that of its own table; the transform read
    every row of this one.

    Attributes
    ----------
    rows : int
        Number of rows.
    schema : Schema
        The columns.
    grid : ChunkGrid
        The row grid.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self.rows: int = dataset.rows
        self.schema: Schema = dataset.schema
        self.grid: ChunkGrid = dataset.grid

    def chunks(self, columns: Sequence[str], first_row: int = 0, last_row: int | None = None) -> Iterator[Chunk]:
        """The chunks that hold a run of rows, in row order.

        Parameters
        ----------
        columns : sequence of str
            Columns that the chunks offer.
        first_row, last_row : int
            Ends of the run, both in it; all rows by default.
        """
        last = self.rows - 1 if last_row is None else last_row
        if self.rows and first_row <= last:
            span = Partition(self.grid.chunk_of(first_row), self.grid.chunk_of(last) + 1)
            yield from self._dataset.chunks(columns, span)
