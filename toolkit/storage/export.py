"""Stores as files of other formats, value for value."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.core.errors import UsageError
from toolkit.storage.dataset import Dataset
from toolkit.storage.durable import fsync_path, naming_disk_errors
from toolkit.storage.transcribe import transcribe

if TYPE_CHECKING:
    import pyarrow as pa

_HDF5 = ".h5"

Writer = Callable[[Path, "pa.Schema"], Any]
"""Opens a file for record batches of a schema."""


def export(dataset: Dataset, target: Path, columns: Sequence[str] | None = None, *, as_stored: bool = False) -> str:
    """Write a table to a file whose suffix names the format.

    Those are ``.parquet``, ``.arrow``, ``.feather`` and ``.h5`` (an HDF5 store).
    The file appears under its name when it is complete. Columns get the types that their source declared, where the
    source has types and its record is there; else those of the store.

    Parameters
    ----------
    dataset : Dataset
        The store.
    target : Path
        The file; it must not exist.
    columns : sequence of str, optional
        All by default.
    as_stored : bool
        Whether to leave the types as they are in the store.

    Returns
    -------
    str
        Name of the source whose types were given back; empty where none was.

    Raises
    ------
    UsageError
        When the format is not known or the file exists.
    """
    writers: dict[str, Writer] = {
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
                source = ""
            else:
                source = _write(dataset, temporary, writers[target.suffix], columns, as_stored=as_stored)
            fsync_path(temporary)
            os.link(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)
    return source


def _write(dataset: Dataset, path: Path, open_writer: Writer, columns: Sequence[str] | None, *, as_stored: bool) -> str:
    import pyarrow as pa

    from toolkit.storage.declared_types import declared_types
    from toolkit.storage.restore import export_batches, export_columns

    source, declared = ("", {}) if as_stored else declared_types(dataset.location)
    chosen = export_columns(dataset, columns, declared)
    with open_writer(path, pa.schema([c.field for c in chosen])) as writer:
        for batch in export_batches(dataset, chosen):
            writer.write_batch(batch)
    return source if any(c.restored for c in chosen) else ""


def _parquet(path: Path, schema: pa.Schema) -> Any:
    import pyarrow.parquet as pq

    return pq.ParquetWriter(path, schema, compression="zstd")


def _arrow(path: Path, schema: pa.Schema) -> Any:
    import pyarrow as pa

    return pa.ipc.new_file(str(path), schema)
