"""A store in another storage format, chunk by chunk: same schema, same digests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from toolkit.core.schema import ColumnSpec, Schema
from toolkit.core.strings import StringBlock, pack_values, pack_vlen
from toolkit.storage.backend import StoreWriter, backends
from toolkit.storage.dataset import Dataset
from toolkit.storage.layout import array_of


def transcribe(dataset: Dataset, target: Path, format_name: str, columns: Sequence[str] | None = None) -> None:
    """Write a store anew in another format; every chunk's bytes are checked on the way.

    Parameters
    ----------
    dataset : Dataset
        The store.
    target : Path
        A location that does not exist.
    format_name : str
        Name of the storage backend.
    columns : sequence of str, optional
        All by default.
    """
    backend = backends.get(format_name)
    codec = backend.codecs[0]
    specs = dataset.schema.select(columns)
    grid = dataset.grid
    writer = backend.create(target, codec, grid.chunk_rows, grid.rows)
    for spec in specs:
        copy_column(dataset, spec, spec, writer)
    manifest = dataset.manifest
    names = {a for spec in specs for a in manifest.digests if a == spec.array or a.startswith(f"{spec.array}__")}
    writer.finish(
        replace(
            manifest,
            schema=Schema(tuple(specs)),
            codec=codec,
            column_hashes={s.name: manifest.column_hashes[s.name] for s in specs},
            digests={name: digests for name, digests in manifest.digests.items() if name in names},
        )
    )


def copy_column(dataset: Dataset, spec: ColumnSpec, target: ColumnSpec, writer: StoreWriter) -> None:
    """Write a column of a store into another on the same grid, where its arrays may have another name.

    Raises
    ------
    DamagedStoreError
        When a chunk does not match its digest.
    """
    for chunk in dataset.chunks([spec.name]):
        data = chunk.data(spec.name)
        if isinstance(data.values, StringBlock):
            offsets, content = data.values.contiguous()
            writer.write_chunk(array_of(target, "values"), chunk.index, pack_vlen(offsets, content))
            writer.write_chunk(array_of(target, "lengths"), chunk.index, data.values.lengths)
        else:
            writer.write_chunk(array_of(target, "values"), chunk.index, data.values)
        if data.valid is not None:
            writer.write_chunk(array_of(target, "valid"), chunk.index, data.valid)
    if spec.encoding == "coded":
        writer.write_chunk(array_of(target, "categories"), 0, pack_values(dataset.categories(spec.name)[:-1])[0])
