"""The row grid that all columns of a store share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

DEFAULT_CHUNK_ROWS = 262_144
"""Rows of a chunk for tables of up to 128 columns."""

_VALUES_PER_ROW_CHUNK = 1 << 25
_SMALLEST_DEFAULT = 1024


def default_chunk_rows(columns: int) -> int:
    """Rows of a chunk for a table of so many columns.

    One chunk of every column together holds at most 2**25 values, so that a row of chunks fits in memory however wide
    the table is. Depends on nothing but the number of columns.

    Examples
    --------
    >>> default_chunk_rows(24), default_chunk_rows(5000)
    (262144, 4096)
    """
    rows = DEFAULT_CHUNK_ROWS
    while rows > _SMALLEST_DEFAULT and rows * columns > _VALUES_PER_ROW_CHUNK:
        rows //= 2
    return rows


@dataclass(frozen=True, slots=True)
class Partition:
    """A run of chunks; by construction it begins and ends at chunk boundaries.

    Attributes
    ----------
    start, stop : int
        First chunk, and the chunk after the last.
    """

    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True, slots=True)
class ChunkGrid:
    """Where rows fall into chunks.

    Attributes
    ----------
    rows : int
        Rows of the table, at least 1.
    chunk_rows : int
        Rows of every chunk but the last, which may be shorter.
    """

    rows: int
    chunk_rows: int

    def __post_init__(self) -> None:
        if self.rows < 1 or self.chunk_rows < 1:
            raise ValueError(f"a grid needs rows and chunk_rows of at least 1, not {self.rows} and {self.chunk_rows}")

    @property
    def n_chunks(self) -> int:
        """Number of chunks."""
        return -(-self.rows // self.chunk_rows)

    def bounds(self, index: int) -> tuple[int, int]:
        """First row of a chunk, and the row after its last.

        Raises
        ------
        IndexError
            When there is no such chunk.
        """
        if not 0 <= index < self.n_chunks:
            raise IndexError(f"chunk {index} is not one of the {self.n_chunks} chunks")
        start = index * self.chunk_rows
        return start, min(start + self.chunk_rows, self.rows)

    def chunk_of(self, row: int) -> int:
        """The chunk that holds a row."""
        if not 0 <= row < self.rows:
            raise IndexError(f"row {row} is not one of the {self.rows} rows")
        return row // self.chunk_rows

    def partitions(self, chunks_each: int) -> Iterator[Partition]:
        """Cut the grid into runs of ``chunks_each`` chunks; the last may be shorter.

        Examples
        --------
        >>> [(p.start, p.stop) for p in ChunkGrid(rows=10, chunk_rows=2).partitions(2)]
        [(0, 2), (2, 4), (4, 5)]
        """
        for start in range(0, self.n_chunks, chunks_each):
            yield Partition(start, min(start + chunks_each, self.n_chunks))
