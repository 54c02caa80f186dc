"""The default store: a Zarr v3 group that any Zarr reader can open, written and read chunk file by chunk file.

Metadata and chunks follow the Zarr v3 core specification and the ``string`` data type with its ``vlen-utf8`` codec. The
generic array interface costs over a millisecond a chunk; reading the chunk's file and decoding it costs some 20
microseconds.
"""

from __future__ import annotations

import json
import mmap
import os
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numcodecs.blosc
import numpy as np
import numpy.typing as npt

from toolkit.core.canonical import canonical_json
from toolkit.core.errors import BadInputError, DamagedStoreError
from toolkit.core.schema import ColumnSpec
from toolkit.storage.backend import check_rows, check_stored, stored_digest
from toolkit.storage.durable import begin_flush, fsync_tree, map_file, open_folder, read_file
from toolkit.storage.layout import ArraySpec, arrays_of
from toolkit.storage.manifest import StoreManifest, check_seal, seal

# Blosc with several threads neither gives repeatable bytes nor survives a fork.
numcodecs.blosc.use_threads = False

_ATTRIBUTE = "toolkit"
_EPOCHS = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds", "D": "days"}
_LARGEST_METADATA = 1 << 30
_BLOSC_OVERHEAD = 16
_FLUSHED_EARLY = 1 << 17
"""Bytes of a chunk's file from which on it pays to begin writing it to disk while others are compressed."""
_LEVELS = {"lz4": 5, "zstd": 1}


class ZarrBackend:
    """Zarr v3 groups."""

    name: ClassVar[str] = "zarr"
    suffix: ClassVar[str] = ""
    codecs: ClassVar[tuple[str, ...]] = ("lz4", "zstd", "none")

    def create(self, location: Path, codec: str, chunk_rows: int, rows: int) -> ZarrWriter:
        """Begin a store; see `toolkit.storage.backend.StoreBackend`."""
        return ZarrWriter(location, codec, chunk_rows, rows)

    def open(self, location: Path) -> ZarrReader:
        """Open a store; see `toolkit.storage.backend.StoreBackend`."""
        return ZarrReader(location)

    def recognises(self, location: Path) -> bool:
        """Whether the folder has a group's metadata."""
        return (location / "zarr.json").is_file()


class ZarrWriter:
    """Writes chunk files and, at the end, the metadata."""

    sequential = False

    def __init__(self, location: Path, codec: str, chunk_rows: int, rows: int) -> None:
        self._root = location
        self._codec = codec
        self._chunk_rows = chunk_rows
        self._rows = rows
        self._stored: dict[str, dict[int, str]] = {}
        location.mkdir()
        # opened now: the flush at the end is to hear of every error from here on, whoever else has heard of it
        self._folder = open_folder(location)
        self._close = weakref.finalize(self, os.close, self._folder)

    def write_chunk(self, array: ArraySpec, index: int, values: npt.NDArray[Any]) -> None:
        """Write one chunk file; see `toolkit.storage.backend.StoreWriter`."""
        if array.is_text:
            raw = values if array.part == "categories" else _pad_text(values, self._chunk_rows)
        else:
            raw = check_rows(values, array.dtype)
            if raw.size < self._chunk_rows:
                raw = np.concatenate([raw, np.zeros(self._chunk_rows - raw.size, raw.dtype)])
        packed = _compress(raw, self._codec)
        self._stored.setdefault(array.name, {})[index] = stored_digest([packed])
        try:
            self._write_file(self._root / array.name / "c", index, packed)
        except OSError:
            self._close()  # who holds on to the error must not hold on to a folder that is removed
            raise

    def _write_file(self, folder: Path, index: int, packed: bytes) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / str(index)).open("wb") as stream:
            stream.write(packed)
            if len(packed) >= _FLUSHED_EARLY:
                stream.flush()
                begin_flush(stream.fileno())

    def finish(self, manifest: StoreManifest) -> StoreManifest:
        """Write the metadata of group and arrays, and flush files and folders."""
        try:
            return self._finish(manifest)
        finally:
            self._close()

    def _finish(self, manifest: StoreManifest) -> StoreManifest:
        metadata, written = {}, {}
        for spec in manifest.schema:
            for array in arrays_of(spec):
                value = metadata[array.name] = _array_metadata(array, spec, manifest)
                text = canonical_json(value).encode("utf-8")
                written[array.name] = stored_digest([text])
                (self._root / array.name).mkdir(exist_ok=True)
                (self._root / array.name / "zarr.json").write_bytes(text)
        stored = {name: [found[i] for i in range(len(found))] for name, found in sorted(self._stored.items())}
        manifest = replace(manifest, stored=stored, array_metadata=written)
        root = {
            "zarr_format": 3,
            "node_type": "group",
            "attributes": {_ATTRIBUTE: manifest.to_json()},
            "consolidated_metadata": {"kind": "inline", "must_understand": False, "metadata": metadata},
        }
        (self._root / "zarr.json").write_bytes(seal(canonical_json(root)))
        fsync_tree(self._root, self._folder)
        return manifest


class ZarrReader:
    """Reads chunk files of one store."""

    def __init__(self, location: Path) -> None:
        self._root = location
        self._intact: set[str] = set()
        text = read_file(location / "zarr.json", _LARGEST_METADATA)
        check_seal(text, str(location))
        try:
            root = json.loads(text)
            attributes = root["attributes"][_ATTRIBUTE]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise BadInputError(
                f"{location} is a Zarr group, but none of this toolkit's stores", "convert it first"
            ) from error
        self.manifest = StoreManifest.from_json(attributes, str(location))
        self._codec = self.manifest.codec
        self._chunk_rows = self.manifest.chunk_rows

    def read_chunk(
        self, array: ArraySpec, index: int, rows: int, nbytes: int, digest: str | None = None
    ) -> npt.NDArray[Any]:
        """Read one chunk file; see `toolkit.storage.backend.StoreReader`."""
        if digest is not None and array.name not in self._intact:
            self._check_metadata(array.name)
        path = f"{self._root}/{array.name}/c/{index}"  # a Path takes a tenth of the time of reading a raw chunk
        if array.is_text:
            padded = nbytes if array.part == "categories" else nbytes + 4 * (self._chunk_rows - rows)
            return _decode(path, self._codec, padded, digest, exact=array.part != "categories")
        dtype = np.dtype(array.dtype)
        raw = _decode(path, self._codec, self._chunk_rows * dtype.itemsize, digest, exact=True)
        return raw.view(dtype)[:rows]

    def stored_bytes(self, array: ArraySpec) -> int:
        """Bytes of the array's chunk files."""
        return sum(path.stat().st_size for path in (self._root / array.name / "c").iterdir())

    def close(self) -> None:
        """Nothing is held open."""

    def _check_metadata(self, name: str) -> None:
        # not used here, but by every other tool that reads the store
        text = read_file(self._root / name / "zarr.json", _LARGEST_METADATA)
        check_stored([text], self.manifest.array_metadata.get(name, ""), f"{name}/zarr.json")
        self._intact.add(name)


def _compress(raw: npt.NDArray[Any], codec: str) -> bytes:
    if codec == "none":
        return raw.tobytes()
    shuffle = numcodecs.blosc.SHUFFLE if raw.itemsize > 1 else numcodecs.blosc.NOSHUFFLE
    packed: bytes = numcodecs.blosc.compress(raw, codec.encode(), _LEVELS[codec], shuffle)
    return packed


def _decode(path: str, codec: str, nbytes: int, digest: str | None, *, exact: bool) -> npt.NDArray[np.uint8]:
    """Read and decode one chunk file; its size and digest are checked before anything of it is decompressed."""
    plain = codec == "none"
    packed = map_file(path, nbytes if plain else nbytes + _BLOSC_OVERHEAD + nbytes // 64)
    size = len(packed) if plain else _blosc_sizes(packed, path)
    if size > nbytes or (exact and size != nbytes):
        raise DamagedStoreError(f"{path} holds {size:,} bytes where {nbytes:,} belong")
    if digest is not None:
        check_stored([packed], digest, path)
    if plain:
        return np.frombuffer(packed, np.uint8)
    # not into bytes: NumPy asks for huge pages for what is large, which spares most page faults
    raw = np.empty(size, np.uint8)
    try:
        numcodecs.blosc.decompress(packed, raw)
    except (RuntimeError, ValueError) as error:
        raise DamagedStoreError(f"{path} can't be decompressed: {error}") from error
    raw.flags.writeable = False
    return raw


def _blosc_sizes(packed: bytes | mmap.mmap, path: str) -> int:
    """Bytes that a Blosc chunk says it will give; its header is checked against the file's size."""
    if len(packed) < _BLOSC_OVERHEAD:
        raise DamagedStoreError(f"{path} is cut short: {len(packed)} bytes")
    nbytes, cbytes = (int.from_bytes(packed[at : at + 4], "little") for at in (4, 12))
    if cbytes != len(packed):
        raise DamagedStoreError(f"{path} has {len(packed):,} bytes where its header says {cbytes:,}")
    return nbytes


def _pad_text(values: npt.NDArray[np.uint8], chunk_rows: int) -> npt.NDArray[np.uint8]:
    count = int(values[:4].view("<u4")[0])
    if count == chunk_rows:
        return values
    padded = np.zeros(values.size + 4 * (chunk_rows - count), np.uint8)
    padded[: values.size] = values
    padded[:4] = np.frombuffer(np.array(chunk_rows, "<u4").tobytes(), np.uint8)
    return padded


def _array_metadata(array: ArraySpec, spec: ColumnSpec, manifest: StoreManifest) -> dict[str, Any]:
    on_grid = array.part != "categories"
    length = manifest.rows if on_grid else spec.categories
    data_type, fill, serializer = _data_type(array)
    codecs: list[dict[str, Any]] = [serializer]
    if manifest.codec != "none":
        itemsize = 1 if array.is_text else np.dtype(array.dtype).itemsize
        configuration = {
            "typesize": itemsize,
            "cname": manifest.codec,
            "clevel": _LEVELS[manifest.codec],
            "shuffle": "shuffle" if itemsize > 1 else "noshuffle",
            "blocksize": 0,
        }
        codecs.append({"name": "blosc", "configuration": configuration})
    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": [length],
        "data_type": data_type,
        "chunk_grid": {
            "name": "regular",
            "configuration": {"chunk_shape": [manifest.chunk_rows if on_grid else max(length, 1)]},
        },
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": fill,
        "codecs": codecs,
        "attributes": _attributes(array, spec),
        "dimension_names": ["row" if on_grid else array.name],
        "storage_transformers": [],
    }


def _data_type(array: ArraySpec) -> tuple[str, Any, dict[str, Any]]:
    if array.dtype == "utf8":
        return "string", "", {"name": "vlen-utf8"}
    if array.dtype == "bytes":
        return "variable_length_bytes", "", {"name": "vlen-bytes"}
    dtype = np.dtype(array.dtype)
    serializer: dict[str, Any] = {"name": "bytes"}
    if dtype.itemsize > 1:
        serializer["configuration"] = {"endian": "little"}
    fill: Any = False if dtype.kind == "b" else 0.0 if dtype.kind == "f" else 0
    return dtype.name, fill, serializer


def _attributes(array: ArraySpec, spec: ColumnSpec) -> dict[str, Any]:
    """What other tools need to understand an array, after the CF conventions where they have a word for it."""
    if array.part == "valid":
        return {"long_name": f"which values of {spec.name} are present"}
    if array.part == "lengths":
        return {"long_name": f"length of each value of {spec.name} in bytes"}
    if array.part == "categories":
        return {"long_name": f"categories of {spec.name}, sorted"}
    found: dict[str, Any] = {"long_name": spec.name}
    if spec.nullable:
        found["ancillary_variables"] = f"{spec.array}__valid"
    if spec.encoding == "coded":
        found["categories"] = f"{spec.array}__categories"
    if spec.kind in ("timestamp", "date"):
        found["units"] = f"{_EPOCHS[spec.unit]} since 1970-01-01"
        found["calendar"] = "proleptic_gregorian"
    if spec.kind in ("time", "duration"):
        found["units"] = _EPOCHS[spec.unit]
    if spec.measure:
        # not CF's `units`: tools take a column of hours for lengths of time, and change its values
        found["measure"] = spec.measure
    if spec.nullable and spec.kind in ("timestamp", "date", "time", "duration"):
        found["_FillValue"] = int(np.iinfo(spec.dtype).min)
    return found


PROVIDES = ZarrBackend()
