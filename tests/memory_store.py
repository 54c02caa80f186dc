"""Tables in memory behind the real `Dataset`: tests state their data and read it through the real path."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.core.digest import merkle_root
from toolkit.core.errors import DamagedStoreError
from toolkit.core.grid import ChunkGrid
from toolkit.core.schema import ColumnSpec, Schema, array_names
from toolkit.core.strings import StringBlock, pack_vlen
from toolkit.storage.backend import check_stored, stored_digest
from toolkit.storage.dataset import Dataset, ReadHook
from toolkit.storage.layout import ArraySpec, array_of, arrays_of
from toolkit.storage.manifest import LEAF_ROWS, StoreManifest

Values = npt.NDArray[Any] | Sequence[Any]


@dataclass(frozen=True)
class MemoryColumn:
    """A whole column as a store would hold it.

    `values` are the stored values: numbers, codes, or for long text a list of bytes. `valid` is None where
    nothing is missing.
    """

    spec: ColumnSpec
    values: Any
    valid: npt.NDArray[np.bool_] | None
    categories: list[bytes]


class MemoryReader:
    """A `StoreReader` over arrays in memory; what it hands out is read-only, as from a file."""

    def __init__(self, columns: Sequence[MemoryColumn], rows: int, chunk_rows: int) -> None:
        grid = ChunkGrid(rows, chunk_rows)
        self.reads: list[tuple[str, int]] = []
        self._chunks: dict[tuple[str, int], npt.NDArray[Any]] = {}
        digests: dict[str, list[str]] = {}
        stored: dict[str, list[str]] = {}
        for column in columns:
            for array in arrays_of(column.spec):
                chunks = _cut(column, array, grid)
                digests[array.name] = [_digest(array, c) for c in chunks]
                stored[array.name] = [stored_digest([c.tobytes()]) for c in chunks]
                for index, chunk in enumerate(chunks):
                    chunk.flags.writeable = False
                    self._chunks[array.name, index] = chunk
        self.manifest = StoreManifest(
            schema=Schema(tuple(c.spec for c in columns)),
            rows=rows,
            chunk_rows=chunk_rows,
            codec="none",
            column_hashes={c.spec.name: _column_hash(c, rows) for c in columns},
            digests=digests,
            stored=stored,
        )

    def read_chunk(
        self, array: ArraySpec, index: int, rows: int, nbytes: int, digest: str | None = None
    ) -> npt.NDArray[Any]:
        found = self._chunks.get((array.name, index))
        if found is None:
            raise DamagedStoreError(f"chunk {index} of {array.name} is absent")
        if digest is not None:
            check_stored([found.tobytes()], digest, array.name)
        self.reads.append((array.name, index))
        return found

    def stored_bytes(self, array: ArraySpec) -> int:
        return sum(chunk.nbytes for (name, _), chunk in self._chunks.items() if name == array.name)

    def replace_chunk(self, array: str, index: int, values: npt.NDArray[Any]) -> None:
        """Put other content in place of a chunk without telling the manifest: a damaged store."""
        self._chunks[array, index] = values

    def close(self) -> None:
        pass


def memory_dataset(
    columns: Mapping[str, Values],
    chunk_rows: int = 262_144,
    *,
    encodings: Mapping[str, str] | None = None,
    specs: Mapping[str, Mapping[str, Any]] | None = None,
    on_read: ReadHook | None = None,
) -> Dataset:
    """A real `Dataset` of columns in memory, with true digests.

    Parameters
    ----------
    columns : mapping of str to ndarray, masked array or list
        Arrays keep their dtype; datetime64 becomes timestamp (``[D]``: date), timedelta64 duration, NaT
        missing. Masked entries are missing, and what stands behind the mask is stored as it is. Lists hold
        bool, int, float, str, bytes or Decimal, and None where missing. All columns are equally long, with
        at least one row.
    chunk_rows : int
        Rows of a chunk.
    encodings : mapping, optional
        ``coded`` or ``long`` for text columns; by default coded where at most half of the rows are distinct.
    specs : mapping, optional
        Fields of `ColumnSpec` to set, such as ``{"t": {"kind": "time"}}``.
    """
    names = list(columns)
    rows = len(next(iter(columns.values())))
    made = []
    for name, array in zip(names, array_names(names), strict=True):
        assert len(columns[name]) == rows, f"column {name} has {len(columns[name])} rows, the first has {rows}"
        column = _column(name, array, columns[name], (encodings or {}).get(name, ""))
        made.append(replace(column, spec=replace(column.spec, **(specs or {}).get(name, {}))))
    return Dataset(MemoryReader(made, rows, chunk_rows), Path("memory"), on_read)


def reader_of(dataset: Dataset) -> MemoryReader:
    """The reader behind a `memory_dataset`, for its list of reads and for damaging it."""
    reader = dataset._reader
    assert isinstance(reader, MemoryReader)
    return reader


def _column(name: str, array: str, values: Values, encoding: str) -> MemoryColumn:
    valid: npt.NDArray[np.bool_] | None = None
    if isinstance(values, np.ma.MaskedArray):
        valid, values = ~np.ma.getmaskarray(values), values.data
    elif not isinstance(values, np.ndarray):
        present = [v is not None for v in values]
        valid = None if all(present) else np.array(present, bool)
        kinds = {type(v) for v in values if v is not None}
        if not kinds:
            spec = ColumnSpec(name, array, "null", "|i1", nullable=True)
            return MemoryColumn(spec, np.zeros(len(values), np.int8), np.zeros(len(values), bool), [])
        if kinds <= {str, bytes, Decimal}:
            return _text((name, array), values, valid, kinds=kinds, encoding=encoding)
        fill = float("nan") if kinds == {float} else kinds == {int} and 0
        values = np.array([fill if v is None else v for v in values], None if kinds != {int} else _int_dtype(values))
    return _plain(name, array, np.asarray(values), valid)


def _plain(name: str, array: str, values: npt.NDArray[Any], valid: npt.NDArray[np.bool_] | None) -> MemoryColumn:
    kind, unit = {"b": "bool", "i": "int", "u": "int", "f": "float"}.get(values.dtype.kind, ""), ""
    if values.dtype.kind in "mM":
        unit = np.datetime_data(values.dtype)[0]
        kind = "duration" if values.dtype.kind == "m" else "date" if unit == "D" else "timestamp"
        absent = np.isnat(values)
        if absent.any():
            valid = ~absent if valid is None else valid & ~absent
        values = values.view(np.int64)
        if kind == "date":
            values = np.where(absent, np.iinfo(np.int32).min, values).astype("<i4")
    assert kind, f"no kind for dtype {values.dtype}"
    spec = ColumnSpec(name, array, kind, values.dtype.str, nullable=valid is not None, unit=unit)  # type: ignore[arg-type]
    return MemoryColumn(spec, values, valid, [])


def _text(
    names: tuple[str, str],
    values: Sequence[Any],
    valid: npt.NDArray[np.bool_] | None,
    *,
    kinds: set[type],
    encoding: str,
) -> MemoryColumn:
    kind = "string" if kinds == {str} else "binary" if kinds == {bytes} else "decimal"
    octets = [b"" if v is None else v if isinstance(v, bytes) else str(v).encode() for v in values]
    distinct = sorted({o for o, v in zip(octets, values, strict=True) if v is not None})
    coded = encoding == "coded" or (not encoding and 2 * len(distinct) <= len(octets))
    nullable = valid is not None
    scale = max((-int(v.as_tuple().exponent) for v in values if isinstance(v, Decimal)), default=0)
    if not coded:
        dtype = "bytes" if kind == "binary" else "utf8"
        spec = ColumnSpec(*names, kind, dtype, nullable, "long", scale=scale)  # type: ignore[arg-type]
        return MemoryColumn(spec, octets, valid, [])
    code = {o: i for i, o in enumerate(distinct)}
    codes = [-1 if v is None else code[o] for o, v in zip(octets, values, strict=True)]
    width = next(w for w in ("|i1", "<i2", "<i4") if len(distinct) <= np.iinfo(w).max + 1)
    spec = ColumnSpec(*names, kind, width, nullable, "coded", scale=scale)  # type: ignore[arg-type]
    return MemoryColumn(replace(spec, categories=len(distinct)), np.array(codes, width), valid, distinct)


def _int_dtype(values: Sequence[Any]) -> Any:
    present = [v for v in values if v is not None]
    for width in ("|i1", "<i2", "<i4", "<i8"):
        if np.iinfo(width).min <= min(present) and max(present) <= np.iinfo(width).max:
            return np.dtype(width)
    return np.dtype("<u8")


def _cut(column: MemoryColumn, array: ArraySpec, grid: ChunkGrid) -> list[npt.NDArray[Any]]:
    if array.part == "categories":
        return [_vlen(column.categories)]
    bounds = [grid.bounds(i) for i in range(grid.n_chunks)]
    if array.part == "valid":
        assert column.valid is not None
        return [column.valid[a:b].copy() for a, b in bounds]
    if array.part == "lengths":
        return [np.array([len(v) for v in column.values[a:b]], "<u4") for a, b in bounds]
    if array.is_text:
        return [_vlen(column.values[a:b]) for a, b in bounds]
    return [column.values[a:b].astype(array.dtype, copy=True) for a, b in bounds]


def _vlen(values: Sequence[bytes]) -> npt.NDArray[np.uint8]:
    offsets = np.zeros(len(values) + 1, np.int64)
    np.cumsum([len(v) for v in values], out=offsets[1:])
    return pack_vlen(offsets, np.frombuffer(b"".join(values), np.uint8))


def _digest(array: ArraySpec, chunk: npt.NDArray[Any]) -> str:
    """After docs/store-format.md, in words of this file."""
    content, ends = (chunk[4:] if array.is_text else chunk).tobytes(), [0]
    while ends[-1] < len(content):
        size = 4 + int.from_bytes(content[ends[-1] : ends[-1] + 4], "little") if array.is_text else chunk.itemsize
        ends.append(ends[-1] + size)
    pieces = [content[ends[i] : ends[min(i + LEAF_ROWS, len(ends) - 1)]] for i in range(0, len(ends) - 1, LEAF_ROWS)]
    return hashlib.sha256(b"".join(hashlib.sha256(piece).digest() for piece in pieces)).hexdigest()


def _column_hash(column: MemoryColumn, rows: int) -> str:
    """Root over leaves of the fixed number of rows, of the logical content: the same for any chunk_rows."""
    grid = ChunkGrid(rows, LEAF_ROWS)
    parts = [array for array in arrays_of(column.spec) if array.part != "categories"]
    pieces = [_cut(column, array, grid) for array in parts]
    common = b"".join(len(c).to_bytes(4, "little") + c for c in column.categories)
    leaves = [hashlib.sha256(common + b"".join(p[i].tobytes() for p in pieces)).digest() for i in range(grid.n_chunks)]
    return merkle_root(leaves).hex()


def block_of(dataset: Dataset, name: str, index: int = 0) -> StringBlock:
    """Buffers of a long text column in one chunk."""
    assert array_of(dataset.schema[name], "values").is_text
    return dataset.chunk(index, [name]).strings(name)
