"""Zarr groups of versions 2 and 3, as folders or zip files: arrays of one dimension and one length are the columns."""

from __future__ import annotations

import math
import warnings
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from toolkit.core.errors import BadInputError
from toolkit.readers.anndata_frames import OTHER_TABLE, anndata_table, is_frame
from toolkit.readers.base import ReadOptions
from toolkit.readers.numpy_columns import Values, arrow_values, supported
from toolkit.readers.options import ENCODING, TABLE, ReaderOption
from toolkit.readers.row_ranges import RangeColumn, RangeSource, RangeTable, common_length, refused
from toolkit.readers.zarr_files import ZarrFiles

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa
    import zarr

_ROOTS = ("zarr.json", ".zgroup", ".zarray", ".zattrs", ".zmetadata")
_ZIP = b"PK\x03\x04"
_OWN_ATTRIBUTE = "toolkit"
_LARGEST_CHUNK = 256 << 20
_SURE_SIZE = 256 << 20
_LARGEST_RATIO = 20_000
_MOST_OBJECTS = 100_000
_CODECS = frozenset({
    "adler32", "astype", "bitround", "blosc", "bytes", "bz2", "categorize", "crc32", "crc32c", "delta",
    "fixedscaleoffset", "fletcher32", "gzip", "jenkins_lookup3", "json2", "lz4", "lzma", "msgpack2", "packbits",
    "quantize", "scale_offset", "cast_value", "sharding_indexed", "shuffle", "transpose", "vlen-bytes", "vlen-utf8",
    "zlib", "zstd",
})  # fmt: skip
"""Codecs that only compute. ``pickle`` runs what a chunk says, and others may be anything."""

_DECODED_BY_OTHERS = ("scale_factor", "add_offset", "units", "_FillValue", "missing_value")


class ZarrGroupReader:
    """Zarr."""

    name: ClassVar[str] = "zarr"
    suffixes: ClassVar[tuple[str, ...]] = (".zarr", ".zarr.zip")
    takes: ClassVar[tuple[ReaderOption, ...]] = (TABLE, ENCODING)

    def sniff(self, head: bytes) -> bool:
        """Whether a zip file begins with metadata of Zarr."""
        size = int.from_bytes(head[26:28], "little")
        first = head[30 : 30 + size].decode("utf-8", "replace")
        return head.startswith(_ZIP) and first.rpartition("/")[2] in _ROOTS

    def open(self, path: Path, options: ReadOptions) -> RangeSource:
        """Open a folder or a zip file; see `toolkit.readers.base.Reader`.

        The ``format`` option ``table`` names the group or array to read, where there are several.

        Raises
        ------
        BadInputError
            When it is no Zarr store, or has no table or several.
        """
        import zarr

        if not path.is_file() and not is_zarr_folder(path):
            raise BadInputError(f"{path} has no metadata of Zarr", "a store has a file zarr.json or .zgroup")
        files = ZarrFiles(path)
        store = files.open()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                root = zarr.open(store=store, mode="r", use_consolidated=False)
                table = _choose(path, root, files, options)
        except BadInputError as error:
            store.close()
            told = error.message.startswith(str(path))
            raise BadInputError(error.message if told else f"{path}: {error.message}", error.remedy) from error
        except Exception as error:
            # what a damaged store makes the library raise is of every kind
            store.close()
            text = (str(error).splitlines() or [type(error).__name__])[0][:300]
            raise BadInputError(
                f"{path} can't be read as Zarr: {text}", "get the store again from its origin"
            ) from error
        return RangeSource(path, table, options, files.sha256, store.close)


def is_zarr_folder(path: Path) -> bool:
    """Whether a folder is a Zarr group or array."""
    return any((path / name).is_file() for name in ("zarr.json", ".zgroup", ".zarray"))


def _choose(path: Path, root: Any, files: ZarrFiles, options: ReadOptions) -> RangeTable:
    found = _Tables(files, options.encoding)
    if _OWN_ATTRIBUTE in root.attrs and isinstance(root.attrs[_OWN_ATTRIBUTE], dict):
        raise BadInputError(f"{path} is a store of this toolkit already", "give it to the command run")
    found.walk(root, "")
    wanted = str(options.format.get("table", ""))
    known = ", ".join(repr(n or "/") for n in list(found.tables)[:20]) or "none"
    notes: list[str] = []
    if wanted:
        name = wanted.strip("/")
        if name not in found.tables:
            raise BadInputError(f"{path}: no table {wanted!r}", f"there are: {known}")
    elif _text(root.attrs.get("encoding-type")) == "anndata" and "obs" in found.tables:
        name = "obs"
        notes = [OTHER_TABLE] if "var" in found.tables else []
    elif len(found.tables) == 1:
        name = next(iter(found.tables))
    elif found.tables:
        raise BadInputError(
            f"{path}: {len(found.tables)} tables, so which one to convert must be said",
            f"choose with --table one of {known}",
        )
    else:
        raise BadInputError(f"{path}: no table in it", "a table is made of arrays of one dimension and one length")
    table = found.tables[name]()
    return RangeTable(name or "/", table.rows, table.columns, table.notes + notes)


class _Tables:
    """The tables of a store, by path, and what makes each."""

    def __init__(self, files: ZarrFiles, encoding: str) -> None:
        self.tables: dict[str, Callable[[], RangeTable]] = {}
        self._files = files
        self._encoding = encoding
        self._seen = 0

    def walk(self, node: Any, path: str) -> None:
        """Add the tables of a group and all below it."""
        import zarr

        if isinstance(node, zarr.Array):
            if node.ndim == 1:
                self.tables[path] = partial(self._plain, path or "values", {path or "values": node})
            return
        self._seen += 1
        if self._seen > _MOST_OBJECTS:
            raise BadInputError(f"more than {_MOST_OBJECTS:,} groups", "name the table")
        group = _Group(node, self._files, path, self._encoding)
        if is_frame(group.text("", "encoding-type")):
            self.tables[path] = partial(anndata_table, path, group)
            return
        members = dict(sorted(node.members(max_depth=0)))
        arrays = {n: m for n, m in members.items() if isinstance(m, zarr.Array)}
        for name, item in arrays.items():
            if item.ndim == 1 and item.dtype.names:
                below = f"{path}/{name}".lstrip("/")
                self.tables[below] = partial(self._plain, below, {name: item})
        plain = {n: a for n, a in arrays.items() if not a.dtype.names}
        if any(a.ndim == 1 for a in plain.values()):
            self.tables[path] = partial(self._plain, path, plain)
        for name, item in members.items():
            if isinstance(item, zarr.Group):
                self.walk(item, f"{path}/{name}".lstrip("/"))

    def _plain(self, path: str, arrays: dict[str, zarr.Array[Any]]) -> RangeTable:
        notes: list[str] = []
        columns: list[RangeColumn] = []
        rows = common_length(path or "/", {n: a.shape[0] for n, a in arrays.items() if a.ndim == 1})
        for name, array in arrays.items():
            if array.ndim != 1 and (not array.ndim or array.shape[0] != rows):
                notes.append(f"{name!r}, of shape {array.shape}, is no column, and left out")
            elif array.dtype.names:
                columns += _fields(array, self._files, self._encoding, notes)
            else:
                columns.append(_column(name, array, self._files, self._encoding, notes))
        return RangeTable(path, rows, columns, notes)


def _fields(array: zarr.Array[Any], files: ZarrFiles, encoding: str, notes: list[str]) -> list[RangeColumn]:
    """Fields of an array of records as columns."""
    _check(array, files, notes)
    columns: list[RangeColumn] = []
    for field in array.dtype.names or ():
        dtype = array.dtype[field]
        if not supported(dtype):
            columns.append(refused(field, str(dtype), "values of that type have no equal in a table"))
            continue

        def read(start: int, stop: int, field: str = field) -> pa.Array:
            return arrow_values(np.asarray(array[start:stop])[field], encoding)

        columns.append(RangeColumn(field, str(dtype), read, max(dtype.itemsize, 8), array.chunks[0]))
    return columns


def _column(name: str, array: zarr.Array[Any], files: ZarrFiles, encoding: str, notes: list[str]) -> RangeColumn:
    declared = str(array.dtype)
    if array.ndim != 1:
        return refused(name, f"{declared}, shape {array.shape}", "a column has one dimension")
    if not supported(array.dtype):
        return refused(name, declared, "values of that type have no equal in a table")
    _check(array, files, notes)
    kept = [a for a in _DECODED_BY_OTHERS if a in array.attrs and array.dtype.kind in "iu"]
    if kept:
        notes.append(f"column {name!r} holds the stored numbers; its attributes {', '.join(kept)} are not applied")

    def read(start: int, stop: int) -> pa.Array:
        return arrow_values(np.asarray(array[start:stop]), encoding)

    size = array.dtype.itemsize if array.dtype.kind not in "OT" else 64
    return RangeColumn(name, declared, read, size, (array.shards or array.chunks)[0])


def _check(array: zarr.Array[Any], files: ZarrFiles, notes: list[str]) -> None:
    """Refuse codecs that may run anything, and sizes that can't be true."""
    name = array.path or "the array"
    for codec in sorted(_codecs(array.metadata.to_dict())):
        if codec.removeprefix("numcodecs.") not in _CODECS:
            raise BadInputError(
                f"{name} is encoded with {codec!r}, which may run anything or is not known",
                "write it again with zstd, and text as vlen-utf8",
            )
    chunks = array.shards or array.chunks
    size = math.prod(array.chunks) * array.dtype.itemsize
    if size > _LARGEST_CHUNK:
        raise BadInputError(
            f"{name} has chunks of {size:,} bytes, each of which must be read whole; "
            f"at most {_LARGEST_CHUNK:,} are taken",
            "write it again with smaller chunks",
        )
    count = math.prod(array.shape)
    held, there = files.stored.get(array.path, (0, 0))
    if count * array.dtype.itemsize > max(_SURE_SIZE, held * _LARGEST_RATIO):
        raise BadInputError(
            f"{name} says it has {count:,} values, and stores {held:,} bytes for them",
            "get the store again from its origin",
        )
    whole = math.prod(-(-n // c) for n, c in zip(array.shape, chunks, strict=True))
    if count and there < whole:
        notes.append(f"{name}: {whole - there:,} of {whole:,} chunks are not there; they hold its fill value")


def _codecs(metadata: Any) -> set[str]:
    """Names of all codecs in an array's metadata, at any depth."""
    found: set[str] = set()
    for key in ("codecs", "index_codecs", "filters"):
        for codec in metadata.get(key) or ():
            found |= _named(codec)
    compressor = metadata.get("compressor")
    return found | (_named(compressor) if compressor else set())


def _named(codec: Any) -> set[str]:
    if not isinstance(codec, dict):
        config = getattr(codec, "get_config", None)
        return _named(config()) if config else {type(codec).__name__}
    inner = codec.get("configuration")
    found = {str(codec.get("id", codec.get("name")))}
    return found | (_codecs(inner) if isinstance(inner, dict) else set())


class _Group:
    """A group as a `toolkit.readers.anndata_frames.ArrayGroup`."""

    def __init__(self, group: zarr.Group, files: ZarrFiles, path: str, encoding: str) -> None:
        self._group = group
        self._files = files
        self._path = path
        self._encoding = encoding

    def text(self, name: str, attribute: str) -> str:
        item = self._member(name) if name else self._group
        return "" if item is None else _text(item.attrs.get(attribute))

    def texts(self, attribute: str) -> list[str]:
        found = self._group.attrs.get(attribute)
        return [str(n) for n in found] if isinstance(found, list) else []

    def length(self, name: str) -> int | None:
        item = self._member(name)
        return item.shape[0] if item is not None and getattr(item, "ndim", 0) == 1 else None

    def column(self, name: str, member: str, notes: list[str]) -> RangeColumn:
        return _column(name, self._member(member), self._files, self._encoding, notes)

    def values(self, member: str, start: int, stop: int) -> Values:
        return np.asarray(self._member(member)[start:stop])

    def _member(self, name: str) -> Any:
        here: Any = self._group
        for part in name.split("/"):
            if not part or not hasattr(here, "members") or part not in here:
                return None
            here = here[part]
        return here


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


PROVIDES = ZarrGroupReader()
