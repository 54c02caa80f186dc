"""Tables of columns in memory as real stores on disk, for tests that read them from other processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.memory_store import Values, memory_dataset, reader_of
from toolkit.storage.appdata import AppData
from toolkit.storage.backend import backends
from toolkit.storage.dataset import Dataset, open_location
from toolkit.storage.layout import arrays_of


def store_on_disk(appdata: Path, columns: Mapping[str, Values], chunk_rows: int = 262_144, **options: Any) -> Dataset:
    """Write columns into a store of the default format below an appdata folder, and open it.

    Parameters
    ----------
    appdata : Path
        The folder; the store is put where `AppData` looks for it.
    columns, chunk_rows, **options
        As of `tests.memory_store.memory_dataset`, which gives digests and hashes.
    """
    held = memory_dataset(columns, chunk_rows, **options)
    place = AppData(appdata)
    location = place.store_path(held.key)
    if not location.exists():
        location.parent.mkdir(parents=True, exist_ok=True)
        backend = backends.get("zarr")
        writer = backend.create(location, backend.codecs[0], chunk_rows, held.rows)
        reader = reader_of(held)
        for spec in held.schema:
            for array in arrays_of(spec):
                count = 1 if array.part == "categories" else held.grid.n_chunks
                for index in range(count):
                    writer.write_chunk(array, index, reader.read_chunk(array, index, 0, 0))
        writer.finish(replace(held.manifest, codec=backend.codecs[0]))
    return open_location(location)
