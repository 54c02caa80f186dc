"""An open store: its schema, its chunks, its rows as frames or Arrow."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from toolkit.core.chunk import Chunk, ColumnData
from toolkit.core.errors import DamagedStoreError
from toolkit.core.grid import ChunkGrid, Partition
from toolkit.core.schema import ColumnSpec, Schema
from toolkit.core.strings import StringBlock
from toolkit.storage.backend import StoreReader, backends
from toolkit.storage.layout import ArraySpec, array_of
from toolkit.storage.manifest import StoreManifest

if TYPE_CHECKING:
    import pandas as pd

_LARGEST_CATEGORIES = 1 << 30

ReadHook = Callable[[str, int], None]


class Dataset:
    """A table in a store, read chunk by chunk.

    Parameters
    ----------
    reader : StoreReader
        The open store.
    location : Path
        Where it is.
    on_read : callable, optional
        Called with column name and chunk number whenever a chunk of a column is read; coverage is recorded with it.

    Notes
    -----
    A chunk that is read for the first time has its bytes on disk checked against their digest, before it is decoded.
    """

    def __init__(self, reader: StoreReader, location: Path, on_read: ReadHook | None = None) -> None:
        self._reader = reader
        self.location = location
        self.on_read = on_read
        self._verified: set[tuple[str, int]] = set()
        self._categories: dict[str, npt.NDArray[np.object_]] = {}

    def __enter__(self) -> Dataset:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Dataset {self.key}: {self.rows:,} rows, {len(self.schema)} columns, {self.grid.n_chunks} chunks"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(c.name)}</td><td>{c.kind}</td><td>{html.escape(c.dtype)}</td></tr>"
            for c in self.schema
        )
        head = "<tr><th>column</th><th>kind</th><th>stored as</th></tr>"
        return f"<p>{html.escape(repr(self))}</p><table>{head}{rows}</table>"

    @property
    def manifest(self) -> StoreManifest:
        """Root metadata of the store."""
        return self._reader.manifest

    @property
    def schema(self) -> Schema:
        """The columns."""
        return self.manifest.schema

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.manifest.rows

    @property
    def grid(self) -> ChunkGrid:
        """The row grid."""
        return self.manifest.grid

    @property
    def key(self) -> str:
        """Content key."""
        return self.manifest.key

    def close(self) -> None:
        """Let go of files."""
        self._reader.close()

    def unread(self) -> Dataset:
        """The same open store as if nothing of it had been read, so that everything is checked again."""
        return Dataset(self._reader, self.location)

    def chunks(self, columns: Sequence[str] | None = None, partition: Partition | None = None) -> Iterator[Chunk]:
        """Stream the table, or a partition of it, in row order.

        Parameters
        ----------
        columns : sequence of str, optional
            Names of the columns to offer; all by default. A column is read when the chunk is asked for it.
        partition : Partition, optional
            Run of chunks; all by default.

        Yields
        ------
        Chunk
        """
        names = [c.name for c in self.schema.select(columns)]
        span = partition or Partition(0, self.grid.n_chunks)
        for index in range(span.start, span.stop):
            yield self.chunk(index, names)

    def chunk(self, index: int, columns: Sequence[str] | None = None) -> Chunk:
        """One chunk."""
        names = [c.name for c in self.schema.select(columns)]
        start, stop = self.grid.bounds(index)
        return Chunk(
            index,
            slice(start, stop),
            self.schema,
            names,
            lambda name: self._load(name, index),
            self.categories,
        )

    def stored_chunks(self, chunks: set[int]) -> set[int]:
        """The store's own chunks that hold the rows of some chunks: the same, where it is read in its own."""
        return chunks

    def stored_bytes(self, array: ArraySpec) -> int:
        """Bytes that an array takes on disk."""
        return self._reader.stored_bytes(array)

    def categories(self, name: str) -> npt.NDArray[np.object_]:
        """Sorted distinct values of a coded column, and None last, so that code -1 finds it."""
        found = self._categories.get(name)
        if found is None:
            found = self._categories[name] = self._read_categories(self.schema[name])
        return found

    def to_pandas(self, columns: Sequence[str] | None = None, rows: slice | None = None) -> pd.DataFrame:
        """Load columns and rows as one pandas frame.

        Parameters
        ----------
        columns : sequence of str, optional
            All by default.
        rows : slice of int, optional
            Step 1; all by default. Only the chunks that hold them are read.
        """
        import pandas as pd
        from pandas.api.types import union_categoricals

        start, stop, _ = (rows or slice(None)).indices(self.rows)
        frames = [
            f.loc[max(start, f.index.start) : stop - 1]
            for f in (c.frame() for c in self._covering(columns, start, stop))
        ]
        if not frames:
            return self.chunk(0, columns).frame().iloc[:0]
        joined = {}
        for name in frames[0].columns:
            parts = [f[name] for f in frames]
            if isinstance(parts[0].dtype, pd.CategoricalDtype):
                joined[name] = pd.Series(union_categoricals(parts), index=pd.RangeIndex(start, stop))
            else:
                joined[name] = pd.concat(parts)
        return pd.DataFrame(joined, index=pd.RangeIndex(start, stop))

    def to_arrow(self, columns: Sequence[str] | None = None) -> Any:
        """A ``pyarrow.RecordBatchReader`` that streams the table."""
        import pyarrow as pa

        from toolkit.core.tables import arrow_schema

        batches = (chunk.arrow() for chunk in self.chunks(columns))
        return pa.RecordBatchReader.from_batches(arrow_schema(self.schema, columns), batches)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Hand the table over chunk by chunk, after Arrow's PyCapsule interface."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def _covering(self, columns: Sequence[str] | None, start: int, stop: int) -> Iterator[Chunk]:
        if start >= stop:
            return iter(())
        return self.chunks(columns, Partition(self.grid.chunk_of(start), self.grid.chunk_of(stop - 1) + 1))

    def _load(self, name: str, index: int) -> ColumnData:
        spec = self.schema[name]
        if self.on_read is not None:
            self.on_read(name, index)
        valid = self._read(spec, "valid", index) if spec.nullable else None
        if spec.encoding != "long":
            return ColumnData(self._read(spec, "values", index), valid)
        lengths = self._read(spec, "lengths", index)
        size = 4 + 4 * lengths.size + int(lengths.sum(dtype=np.int64))
        payload = self._read(spec, "values", index, size)
        return ColumnData(StringBlock(payload, None, lengths), valid)

    def _read(self, spec: ColumnSpec, part: Any, index: int, nbytes: int = 0) -> npt.NDArray[Any]:
        array = array_of(spec, part)
        start, stop = self.grid.bounds(index)
        try:
            values = self._checked(array, index, stop - start, nbytes)
        except DamagedStoreError as error:
            raise DamagedStoreError(
                f"column {spec.name!r}, chunk {index} (rows {start:,} to {stop - 1:,}) is damaged: {error.message}",
                "convert the source again",
                spec.name,
                index,
            ) from error
        return values

    def _checked(self, array: ArraySpec, index: int, rows: int, nbytes: int) -> npt.NDArray[Any]:
        if (array.name, index) in self._verified:
            return self._reader.read_chunk(array, index, rows, nbytes)
        known = self.manifest.stored.get(array.name, [])
        if index >= len(known):
            raise DamagedStoreError(f"the root metadata has no digest for {array.name}")
        values = self._reader.read_chunk(array, index, rows, nbytes, known[index])
        self._verified.add((array.name, index))
        return values

    def _read_categories(self, spec: ColumnSpec) -> npt.NDArray[np.object_]:
        array = array_of(spec, "categories")
        try:
            raw = self._checked(array, 0, spec.categories, _LARGEST_CATEGORIES).tobytes()
            values: list[Any] = []
            at = 4
            for _ in range(spec.categories):
                size = int.from_bytes(raw[at : at + 4], "little")
                values.append(raw[at + 4 : at + 4 + size])
                at += 4 + size
        except DamagedStoreError as error:
            raise DamagedStoreError(
                f"the categories of column {spec.name!r} are damaged: {error.message}",
                "convert the source again",
                spec.name,
            ) from error
        if spec.kind != "binary":
            values = [v.decode() for v in values]
        out = np.empty(spec.categories + 1, object)
        out[:-1] = values
        out[-1] = None
        return out


def open_location(location: Path, on_read: ReadHook | None = None) -> Dataset:
    """Open the store at a location, whatever its format.

    Raises
    ------
    DamagedStoreError
        When no backend recognises it.
    """
    for backend in backends.all().values():
        if backend.recognises(location):
            return Dataset(backend.open(location), location, on_read)
    raise DamagedStoreError(f"{location} is not a store of any known format", f"known: {', '.join(backends.all())}")
