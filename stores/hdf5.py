"""HDF5 stores: one file with the same arrays, schema and digests as a Zarr store (extra ``hdf5``).

Arrays on the row grid are 1-D datasets whose HDF5 chunks are the chunks of the grid. Text is a dataset of bytes that
holds the chunks' ``vlen-utf8`` buffers, each from the beginning of an HDF5 chunk on, so that no two share one; its
attribute ``ends`` says where each ends. The root metadata is a dataset of bytes, as an attribute could not hold it.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from toolkit.core.canonical import canonical_json
from toolkit.core.errors import DamagedStoreError, MissingExtraError
from toolkit.storage.backend import check_rows, check_stored, stored_digest
from toolkit.storage.durable import fsync_path
from toolkit.storage.layout import ArraySpec
from toolkit.storage.manifest import StoreManifest, check_seal, seal

_MARK = b"\x89HDF\r\n\x1a\n"
_METADATA = "toolkit"
_SMALLEST_BLOCK, _LARGEST_BLOCK = 1 << 12, 1 << 20
_LARGEST_METADATA = 1 << 30
_OVERHEAD = 1 << 16


class Hdf5Backend:
    """HDF5 files."""

    name: ClassVar[str] = "hdf5"
    suffix: ClassVar[str] = ".h5"
    codecs: ClassVar[tuple[str, ...]] = ("lzf", "gzip", "none")

    def create(self, location: Path, codec: str, chunk_rows: int, rows: int) -> Hdf5Writer:
        """Begin a store; see `toolkit.storage.backend.StoreBackend`."""
        return Hdf5Writer(location, codec, chunk_rows, rows)

    def open(self, location: Path) -> Hdf5Reader:
        """Open a store; see `toolkit.storage.backend.StoreBackend`."""
        return Hdf5Reader(location)

    def recognises(self, location: Path) -> bool:
        """Whether the file has HDF5's mark."""
        if not location.is_file():
            return False
        with location.open("rb") as stream:
            return stream.read(len(_MARK)) == _MARK


class Hdf5Writer:
    """Writes datasets; in one order, as the place of everything in the file depends on it."""

    sequential = True

    def __init__(self, location: Path, codec: str, chunk_rows: int, rows: int) -> None:
        self._path = location
        self._codec = codec
        self._chunk_rows = chunk_rows
        self._rows = rows
        self._ends: dict[str, list[int]] = {}
        self._stretches: dict[str, list[tuple[int, int]]] = {}
        self._file = _h5py().File(location, "w-", libver="v110")

    def write_chunk(self, array: ArraySpec, index: int, values: npt.NDArray[Any]) -> None:
        """Write one chunk; see `toolkit.storage.backend.StoreWriter`."""
        if array.is_text:
            self._append(array.name, values)
            return
        if array.name not in self._file:
            self._make(array.name, (self._rows,), np.dtype(array.dtype), self._chunk_rows)
        start = index * self._chunk_rows
        self._put(array.name, start, check_rows(values, array.dtype))

    def finish(self, manifest: StoreManifest) -> StoreManifest:
        """Write the root metadata and flush the file."""
        for name, ends in self._ends.items():
            self._file[name].attrs["ends"] = np.array(ends, np.int64)
        self._file.flush()  # what is still in the library's cache has no stored bytes yet
        manifest = replace(manifest, stored={name: self._digests(name) for name in sorted(self._stretches)})
        sealed = np.frombuffer(seal(canonical_json(manifest.to_json())), np.uint8)
        self._file.create_dataset(_METADATA, data=sealed)
        self._file.close()
        fsync_path(self._path)
        return manifest

    def _append(self, name: str, values: npt.NDArray[Any]) -> None:
        if name not in self._file:
            block = min(_LARGEST_BLOCK, max(_SMALLEST_BLOCK, 1 << (values.size - 1).bit_length()))
            self._make(name, (0,), np.dtype(np.uint8), block, maxshape=(None,))
        dataset, ends = self._file[name], self._ends.setdefault(name, [])
        start = _next_block(ends[-1] if ends else 0, dataset.chunks[0])
        dataset.resize((start + values.size,))
        ends.append(start + values.size)
        self._put(name, start, values)

    def _put(self, name: str, start: int, values: npt.NDArray[Any]) -> None:
        self._file[name][start : start + values.size] = values
        self._stretches.setdefault(name, []).append((start, start + values.size))

    def _digests(self, name: str) -> list[str]:
        """Digests of the stored bytes of each chunk of an array."""
        dataset = self._file[name]
        return [stored_digest(_blocks(dataset, start, stop)) for start, stop in self._stretches[name]]

    def _make(self, name: str, shape: tuple[int], dtype: np.dtype[Any], chunk: int, **more: Any) -> None:
        compression = None if self._codec == "none" else self._codec
        options = {"compression_opts": 1} if compression == "gzip" else {}
        self._file.create_dataset(
            name,
            shape,
            dtype,
            chunks=(chunk,),
            compression=compression,
            shuffle=compression is not None and dtype.itemsize > 1,
            **options,
            **more,
        )


class Hdf5Reader:
    """Reads datasets of one file."""

    def __init__(self, location: Path) -> None:
        self._path = location
        try:
            self._file = _h5py().File(location, "r", locking=False)
        except (OSError, RuntimeError) as error:
            raise _unreadable(location, error) from error
        try:
            self.manifest = self._read_manifest()
        except BaseException:
            self._file.close()  # the library would hand the same file out again, as it knows it
            raise

    def _read_manifest(self) -> StoreManifest:
        try:
            metadata = self._file[_METADATA]
            if metadata.size > _LARGEST_METADATA:
                raise DamagedStoreError(f"{self._path}: root metadata of {metadata.size:,} bytes")
            sealed = metadata[()].tobytes()
            check_seal(sealed, str(self._path))
            attributes = json.loads(sealed)
        except (OSError, KeyError, ValueError, RuntimeError, AttributeError, TypeError) as error:
            raise _unreadable(self._path, error) from error
        return StoreManifest.from_json(attributes, str(self._path))

    def read_chunk(
        self, array: ArraySpec, index: int, rows: int, nbytes: int, digest: str | None = None
    ) -> npt.NDArray[Any]:
        """Read one chunk; see `toolkit.storage.backend.StoreReader`."""
        try:
            dataset = self._file[array.name]
            if array.is_text:
                ends = dataset.attrs["ends"]
                start, stop = _next_block(int(ends[index - 1]) if index else 0, dataset.chunks[0]), int(ends[index])
                if stop - start > nbytes or (array.part != "categories" and stop - start != nbytes):
                    raise DamagedStoreError(f"{array.name} holds {stop - start:,} bytes where {nbytes:,} belong")
            else:
                start = index * self.manifest.chunk_rows
                stop = start + rows
                if dataset.dtype != np.dtype(array.dtype):
                    raise DamagedStoreError(f"{array.name} is of dtype {dataset.dtype}, not {array.dtype}")
            if digest is not None:
                check_stored(_present_blocks(dataset, start, stop), digest, f"{self._path}: {array.name}")
            values: npt.NDArray[Any] = dataset[start:stop]
        except (OSError, KeyError, IndexError, RuntimeError, TypeError, AttributeError) as error:
            raise DamagedStoreError(f"{self._path}: {array.name} can't be read: {error}") from error
        if values.size != stop - start:
            raise DamagedStoreError(f"{self._path}: {array.name} is cut short")
        values.flags.writeable = False
        return values

    def stored_bytes(self, array: ArraySpec) -> int:
        """Bytes of the dataset on disk."""
        return int(self._file[array.name].id.get_storage_size())

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _unreadable(location: Path, error: Exception) -> DamagedStoreError:
    return DamagedStoreError(f"{location} can't be read as a store: {error}", "convert the source again")


def _next_block(end: int, block: int) -> int:
    """Where the next buffer of text begins: at the beginning of an HDF5 chunk."""
    return end + -end % block


def _blocks(dataset: Any, start: int, stop: int) -> Iterator[bytes]:
    """The HDF5 chunks that hold a stretch of a dataset, as they are in the file."""
    for first in range(start, stop, dataset.chunks[0]):
        yield dataset.id.read_direct_chunk((first,))[1]


def _present_blocks(dataset: Any, start: int, stop: int) -> Iterator[bytes]:
    """As `_blocks`, of a file that is not trusted: the library allocates whatever size the file names, 0 included."""
    largest = _OVERHEAD + 2 * dataset.chunks[0] * dataset.dtype.itemsize
    for first in range(start, stop, dataset.chunks[0]):
        found = dataset.id.get_chunk_info_by_coord((first,))
        if found.byte_offset is None or not 0 < found.size <= largest:
            raise DamagedStoreError(
                f"{dataset.name[1:]}: its HDF5 chunk at {first:,} is missing or of no possible size"
            )
        yield from _blocks(dataset, first, first + 1)


def _h5py() -> Any:
    try:
        return importlib.import_module("h5py")
    except ModuleNotFoundError as error:
        raise MissingExtraError("the HDF5 store format", "hdf5") from error


PROVIDES = Hdf5Backend()
