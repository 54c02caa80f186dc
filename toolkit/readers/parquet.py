"""Parquet files, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from toolkit.core.digest import digest_file
from toolkit.core.errors import BadInputError
from toolkit.readers.base import Part, ReadOptions, SourceColumn
from toolkit.readers.byte_stream import check_regular
from toolkit.readers.options import ReaderOption
from toolkit.readers.plain_arrow import Labels, plain_columns, plain_table

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet

_MAGIC = b"PAR1"
_SMALLEST_BATCH = 1024


class ParquetReader:
    """Apache Parquet."""

    name: ClassVar[str] = "parquet"
    suffixes: ClassVar[tuple[str, ...]] = (".parquet", ".pq")
    takes: ClassVar[tuple[ReaderOption, ...]] = ()

    def sniff(self, head: bytes) -> bool:
        """Whether the file has Parquet's mark."""
        return head.startswith(_MAGIC)

    def open(self, path: Path, options: ReadOptions) -> ParquetSource:
        """Open a file; see `toolkit.readers.base.Reader`."""
        return ParquetSource(path, options)


class ParquetSource:
    """One open Parquet file; struct columns are taken apart into ``column.field``."""

    def __init__(self, path: Path, options: ReadOptions) -> None:
        import pyarrow.parquet as pq

        check_regular(path)
        self._path = path
        self._part_bytes = options.part_bytes
        try:
            self._file: pyarrow.parquet.ParquetFile = pq.ParquetFile(path)
            schema = self._file.schema_arrow
        except (OSError, ValueError, NotImplementedError) as error:
            raise BadInputError(
                f"{path}: not a whole Parquet file: {_first_line(error)}", "get the file again from its origin"
            ) from error
        self.columns: list[SourceColumn] = plain_columns(schema, path)
        self.options: dict[str, Any] = {}
        self.notes: list[str] = []
        self.labels = Labels()
        self._done = 0

    def parts(self) -> Iterator[Part]:
        """Record batches."""
        import pyarrow as pa

        metadata = self._file.metadata
        decoded = sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
        row_bytes = max(1, decoded // max(1, metadata.num_rows), 8 * len(self.columns))
        batch_rows = max(_SMALLEST_BATCH, self._part_bytes // row_bytes)
        self._done = 0
        try:
            for index, batch in enumerate(self._file.iter_batches(batch_rows, use_threads=False)):
                # what a file says of its own offsets is believed by everything behind this, down to the processor
                batch.validate(full=True)
                self.labels.add(batch)
                yield Part(index, batch, self._done + 1)
                self._done += batch.num_rows
        except (OSError, pa.ArrowException) as error:
            raise BadInputError(
                f"{self._path}: can't be read behind row {self._done}: {_first_line(error)}",
                "get the file again from its origin",
            ) from error

    def parse(self, part: Part, columns: Sequence[int]) -> pa.Table:
        """Some columns of a batch; see `toolkit.readers.base.Source`."""
        import pyarrow as pa

        return plain_table(pa.Table.from_batches([part.payload])).select(list(columns))

    def fingerprint(self) -> str:
        """SHA-256 of the file."""
        return digest_file(self._path)

    def progress(self) -> tuple[int, int]:
        """Rows read, rows in all."""
        return self._done, self._file.metadata.num_rows

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]


PROVIDES = ParquetReader()
