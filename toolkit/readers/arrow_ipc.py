"""Arrow IPC files and streams, Feather version 2 among them."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from toolkit.core.digest import digest_file
from toolkit.core.errors import BadInputError
from toolkit.readers.base import Part, ReadOptions, SourceColumn
from toolkit.readers.byte_stream import ByteStream, read_head
from toolkit.readers.options import ReaderOption
from toolkit.readers.plain_arrow import Labels, plain_columns, plain_table

if TYPE_CHECKING:
    import pyarrow as pa

_FILE_MAGIC = b"ARROW1"
_FILE_HEADER = 8
_FEATHER_V1 = b"FEA1"
_CONTINUATION = b"\xff\xff\xff\xff"
_LARGEST_SCHEMA = 64 << 20
_SMALLEST_PIECE = 1024


class ArrowReader:
    """Apache Arrow's inter-process format."""

    name: ClassVar[str] = "arrow"
    suffixes: ClassVar[tuple[str, ...]] = (".arrow", ".arrows", ".feather", ".ipc")
    takes: ClassVar[tuple[ReaderOption, ...]] = ()

    def sniff(self, head: bytes) -> bool:
        """Whether the file has the mark of the file format, or begins with a stream's message."""
        if head.startswith((_FILE_MAGIC + b"\0\0", _FEATHER_V1)):
            return True
        size = int.from_bytes(head[4:8], "little")
        return head.startswith(_CONTINUATION) and 0 < size <= _LARGEST_SCHEMA and size % 8 == 0

    def open(self, path: Path, options: ReadOptions) -> ArrowSource:
        """Open a file; see `toolkit.readers.base.Reader`."""
        return ArrowSource(path, options)


class ArrowSource:
    """One open Arrow file or stream, plain or compressed as a whole; struct columns are taken apart."""

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self._path = path
        self._part_bytes = options.part_bytes
        head = read_head(path, _FILE_HEADER)
        if head.startswith(_FEATHER_V1):
            raise BadInputError(
                f"{path} is a Feather file of version 1, which no current library writes",
                "write it again as Feather version 2 or Parquet",
            )
        self._is_file = head.startswith(_FILE_MAGIC)
        self._read = 0
        self._total = path.stat().st_size
        reader, close = self._open()
        try:
            self.columns: Sequence[SourceColumn] = plain_columns(reader.schema, path)
        except (ValueError, NotImplementedError) as error:
            raise BadInputError(
                f"{path}: the schema can't be read: {_first_line(error)}", "get the file again from its origin"
            ) from error
        finally:
            close()
        self.options: dict[str, Any] = {"layout": "file" if self._is_file else "stream"}
        self.notes: list[str] = []
        self.labels = Labels()

    def parts(self) -> Iterator[Part]:
        """Record batches, cut into pieces where they are large."""
        reader, close = self._open()
        index, rows = 0, 0
        try:
            for batch in self._batches(reader):
                self.labels.add(batch)
                step = max(_SMALLEST_PIECE, self._part_bytes * batch.num_rows // max(batch.nbytes, 1))
                for start in range(0, batch.num_rows, step):
                    piece = batch.slice(start, step)
                    yield Part(index, piece, rows + 1)
                    index += 1
                    rows += piece.num_rows
        finally:
            close()

    def parse(self, part: Part, columns: Sequence[int]) -> pa.Table:
        """Some columns of a batch; see `toolkit.readers.base.Source`."""
        import pyarrow as pa

        return plain_table(pa.Table.from_batches([part.payload])).select(list(columns))

    def fingerprint(self) -> str:
        """SHA-256 of the file."""
        return digest_file(self._path)

    def progress(self) -> tuple[int, int]:
        """Batches read and in all for a file; bytes for a stream."""
        return self._read, self._total

    def close(self) -> None:
        """Nothing is held open between passes."""

    def _open(self) -> tuple[Any, Any]:
        """A reader of batches, and what closes its file."""
        import pyarrow as pa

        stream = ByteStream(self._path)
        plain = not stream.compression
        try:
            if plain:
                stream.close()
                mapped = pa.memory_map(str(self._path))
                # mapped, not read: lengths that the file claims cost nothing until they are found to be true
                return (pa.ipc.open_file if self._is_file else pa.ipc.open_stream)(mapped), mapped.close
            if self._is_file:
                # behind its mark, a file is a stream with an index at the end
                stream.read(_FILE_HEADER)
            return pa.ipc.open_stream(pa.PythonFile(_Readable(stream), mode="r")), stream.close
        except (OSError, ValueError, MemoryError, NotImplementedError) as error:
            raise BadInputError(
                f"{self._path}: not a whole Arrow {'file' if self._is_file else 'stream'}: {_first_line(error)}",
                "get the file again from its origin",
            ) from error

    def _batches(self, reader: Any) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        done = 0
        by_index = isinstance(reader, pa.ipc.RecordBatchFileReader)
        self._total = reader.num_record_batches if by_index else self._path.stat().st_size
        while True:
            try:
                if by_index:
                    if done == self._total:
                        return
                    batch = reader.get_batch(done)
                else:
                    batch = reader.read_next_batch()
                # what a file says of its offsets is believed by everything behind this, down to the processor
                batch.validate(full=True)
            except StopIteration:
                return
            except (OSError, ValueError, MemoryError, NotImplementedError) as error:
                raise BadInputError(
                    f"{self._path}: record batch {done + 1} is damaged: {_first_line(error)}",
                    "get the file again from its origin",
                ) from error
            done += 1
            self._read = done if by_index else min(self._read + batch.nbytes, self._total)
            yield batch


class _Readable(io.RawIOBase):
    """A `ByteStream` as the file object that Arrow takes."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._stream.read(size if size >= 0 else 1 << 62)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]


PROVIDES = ArrowReader()
