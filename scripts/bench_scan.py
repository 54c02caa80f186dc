"""Reading all columns of a table chunk by chunk in one process, beside what others do with the same bytes.

Each reader hands out decoded arrays, 262,144 rows at a time; its speed is in bytes that it hands out a second. Ours
opens the store anew each time, so it checks the digest of every chunk; the others check nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from toolkit.core.chunk import Chunk
from toolkit.core.strings import StringBlock
from toolkit.storage.dataset import open_location

Scan = Callable[[], int]
CHUNK_ROWS = 262_144


def arrays_of(chunk: Chunk, name: str) -> dict[str, np.ndarray[Any, Any]]:
    """The arrays that a chunk hands out for a column, by what they are."""
    data = chunk.data(name)
    found = {} if data.valid is None else {"valid": data.valid}
    if isinstance(data.values, StringBlock):
        return {**found, "lengths": data.values.lengths, "payload": data.values.payload}
    return {**found, "values": data.values}


def scan_store(store: Path) -> int:
    """All columns of all chunks of a store."""
    total = 0
    with open_location(store) as dataset:
        names = [spec.name for spec in dataset.schema]
        for chunk in dataset.chunks(names):
            total += sum(a.nbytes for name in names for a in arrays_of(chunk, name).values())
    return total


def write_copies(store: Path, folder: Path) -> tuple[Path, list[Path]]:
    """The same arrays in an HDF5 file with Blosc's LZ4, and each in a plain file."""
    import h5py
    import hdf5plugin

    pieces: dict[str, list[np.ndarray[Any, Any]]] = {}
    with open_location(store) as dataset:
        names = [spec.name for spec in dataset.schema]
        for chunk in dataset.chunks(names):
            for name in names:
                for kind, array in arrays_of(chunk, name).items():
                    pieces.setdefault(f"{name}.{kind}", []).append(np.array(array))
    filtered = hdf5plugin.Blosc(cname="lz4", clevel=5, shuffle=hdf5plugin.Blosc.SHUFFLE)
    plain = []
    with h5py.File(folder / "copy.h5", "w") as file:
        for number, parts in enumerate(pieces.values()):
            whole = np.concatenate(parts)
            rows = min(max(len(part) for part in parts), whole.size)
            file.create_dataset(str(number), data=whole, chunks=(rows,), **filtered)
            plain.append(folder / f"{number}.npy")
            np.save(plain[-1], whole)
    return folder / "copy.h5", plain


def scan_hdf5(path: Path) -> int:
    """All datasets, chunk by chunk."""
    import h5py
    import hdf5plugin  # noqa: F401  registers the filter

    total = 0
    with h5py.File(path) as file:
        for array in file.values():
            for at in range(0, array.shape[0], array.chunks[0]):
                total += array[at : at + array.chunks[0]].nbytes
    return total


def scan_parquet(path: Path) -> int:
    """All columns by batches of a Parquet file, with one thread."""
    import pyarrow.parquet

    batches = pyarrow.parquet.ParquetFile(path).iter_batches(batch_size=CHUNK_ROWS, use_threads=False)
    return sum(batch.nbytes for batch in batches)


def scan_memmaps(paths: list[Path]) -> int:
    """All arrays, copied out of memory maps."""
    total = 0
    for path in paths:
        whole = np.load(path, mmap_mode="r")
        for at in range(0, whole.size, CHUNK_ROWS):
            total += np.array(whole[at : at + CHUNK_ROWS]).nbytes
    return total


def bench_scan(compressed: Path, raw: Path, parquet: Path, folder: Path, repeats: int) -> dict[str, list[float]]:
    """Bytes a second of each reader, once for each repeat, one after the other.

    Parameters
    ----------
    compressed, raw : Path
        Stores of the same table.
    parquet : Path
        The table again.
    folder : Path
        Where copies are written to.
    repeats : int
        How often each is measured.
    """
    hdf5, plain = write_copies(compressed, folder)
    scans: dict[str, Scan] = {
        "toolkit, lz4": lambda: scan_store(compressed),
        "h5py, blosc-lz4": lambda: scan_hdf5(hdf5),
        "pyarrow, zstd": lambda: scan_parquet(parquet),
        "toolkit, raw": lambda: scan_store(raw),
        "np.memmap": lambda: scan_memmaps(plain),
    }
    speeds: dict[str, list[float]] = {name: [] for name in scans}
    for scan in scans.values():
        scan()  # the files are then in the page cache
    for _ in range(repeats):
        for name, scan in scans.items():
            started = time.perf_counter()
            total = scan()
            speeds[name].append(total / (time.perf_counter() - started))
    return speeds
