"""Stores as files of other formats, value for value."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.core.errors import UsageError
from toolkit.storage.dataset import Dataset
from toolkit.storage.durable import fsync_path, naming_disk_errors
from toolkit.storage.transcribe import transcribe

if TYPE_CHECKING:
    import pyarrow as pa

_HDF5 = ".h5"


def export(dataset: Dataset, target: Path, columns: Sequence[str] | None = None) -> int:
    """Write a table to a file whose suffix names the format.

    Those are ``.parquet``, ``.arrow``, ``.feather`` and ``.h5`` (an HDF5 store).
    The file appears under its name when it is complete.

    Parameters
    ----------
    dataset : Dataset
        The store.
    target : Path
        The file; it must not exist.
    columns : sequence of str, optional
        All by default.

    Returns
    -------
    int
        Rows written.

    Raises
    ------
    UsageError
        When the format is not known or the file exists.
    """
    writers: dict[str, Callable[[Path, pa.Schema], Any]] = {
        ".parquet": _parquet,
        ".arrow": _arrow,
        ".feather": _arrow,
    }
    if target.suffix not in (*writers, _HDF5):
        raise UsageError(f"{target}: unknown export format", f"known suffixes: {', '.join([*writers, _HDF5])}")
    if target.exists():
        raise UsageError(f"{target} exists already", "name another file, or remove it")
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    with naming_disk_errors("exporting", target):
        try:
            if target.suffix == _HDF5:
                transcribe(dataset, temporary, "hdf5", columns)
            else:
                batches = _batches(dataset, columns)
                first = next(batches)
                with writers[target.suffix](temporary, first.schema) as writer:
                    for batch in _chain(first, batches):
                        writer.write_batch(batch)
            fsync_path(temporary)
            os.link(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)
    return dataset.rows


def plain_type(kind: pa.DataType) -> pa.DataType:
    """The type in which a column is exported: dictionaries are taken apart, as few tools agree on them."""
    import pyarrow as pa

    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _batches(dataset: Dataset, columns: Sequence[str] | None) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    from toolkit.core.tables import arrow_schema

    schema = pa.schema(
        [pa.field(f.name, _exact_type(dataset, f), f.nullable) for f in arrow_schema(dataset.schema, columns)]
    )
    for chunk in dataset.chunks(columns):
        batch = chunk.arrow()
        arrays = [a if a.type == f.type else a.cast(f.type) for a, f in zip(batch.columns, schema, strict=True)]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _exact_type(dataset: Dataset, field: pa.Field) -> pa.DataType:
    """Decimals, which the store keeps as text, become decimals again where their digits fit."""
    import pyarrow as pa

    spec = dataset.schema[field.name]
    if spec.kind != "decimal":
        return plain_type(field.type)
    digits = 0
    for chunk in dataset.chunks([field.name]):
        texts = [v for v in chunk[field.name] if v]
        digits = max([digits, *(len(v.lstrip("-").replace(".", "")) for v in texts)])
    digits = max(digits, spec.scale, 1)
    if digits > 76:
        return pa.string()
    return pa.decimal128(digits, spec.scale) if digits <= 38 else pa.decimal256(digits, spec.scale)


def _chain(first: pa.RecordBatch, rest: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield first
    yield from rest


def _parquet(path: Path, schema: pa.Schema) -> Any:
    import pyarrow.parquet as pq

    return pq.ParquetWriter(path, schema, compression="zstd")


def _arrow(path: Path, schema: pa.Schema) -> Any:
    import pyarrow as pa

    return pa.ipc.new_file(str(path), schema)
