"""One column at a time from staged parts to the chunks of a store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from toolkit.core.grid import ChunkGrid
from toolkit.core.schema import ColumnSpec, Schema
from toolkit.core.strings import pack_vlen, vlen_ends
from toolkit.ingest.buffers import booleans, numbers, presence
from toolkit.ingest.categories import codes_of, dense, find_categories
from toolkit.ingest.decimals import padded
from toolkit.ingest.evidence import Decision
from toolkit.ingest.staging import StagedPart
from toolkit.storage.backend import StoreWriter
from toolkit.storage.hash_tree import ColumnHasher, content_digest
from toolkit.storage.layout import array_of
from toolkit.storage.manifest import StoreManifest

_TICKS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_SECONDS_OF_DAY = 86_400
_LARGEST_OFFSET = 2**31 - 1
_CODE_DTYPES = (("|i1", 2**7), ("<i2", 2**15), ("<i4", 2**31))

Values = npt.NDArray[Any]
Valid = npt.NDArray[np.bool_] | None
Piece = tuple[Values, Valid]
TextPiece = tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8], Valid]


@dataclass(slots=True)
class EncodedColumn:
    """What came of a column.

    Attributes
    ----------
    spec : ColumnSpec
        Its final description.
    hash : str
        Digest of its content.
    digests : dict of str to list of str
        SHA-256 of each chunk, by array name.
    """

    spec: ColumnSpec
    hash: str
    digests: dict[str, list[str]] = field(default_factory=dict)


def manifest_of(columns: Sequence[EncodedColumn], grid: ChunkGrid, codec: str) -> StoreManifest:
    """The root metadata of a store that has these columns, in their order."""
    return StoreManifest(
        schema=Schema(tuple(c.spec for c in columns)),
        rows=grid.rows,
        chunk_rows=grid.chunk_rows,
        codec=codec,
        column_hashes={c.spec.name: c.hash for c in columns},
        digests={name: digests for c in columns for name, digests in c.digests.items()},
    )


class ColumnEncoder:
    """Writes one column.

    Parameters
    ----------
    name, array : str
        The column's name and that of its arrays.
    position : int
        Which column of the staged parts it is.
    decision : Decision
        Its type.
    parts : sequence of StagedPart
        In order.
    """

    def __init__(
        self,
        name: str,
        array: str,
        position: int,
        decision: Decision,
        parts: Sequence[StagedPart],
        role: str = "",
        measure: str = "",
    ) -> None:
        self._decision = decision
        self._parts = parts
        self._position = position
        self._categories: pa.Array | None = None
        dtype, encoding = decision.dtype, "plain"
        if not dtype:
            present = sum(p.rows for p in parts) - decision.missing
            self._categories = find_categories((self._read(p) for p in parts), present)
            if self._categories is None:
                dtype, encoding = ("bytes" if decision.kind == "binary" else "utf8"), "long"
            else:
                dtype = next(d for d, limit in _CODE_DTYPES if len(self._categories) <= limit)
                encoding = "coded"
        self.spec = ColumnSpec(
            name=name,
            array=array,
            kind=decision.kind,
            dtype=dtype,
            nullable=decision.missing > 0,
            encoding=encoding,  # type: ignore[arg-type]
            unit=decision.unit,
            timezone=decision.timezone,
            scale=decision.scale,
            categories=0 if self._categories is None else len(self._categories),
            role=role,
            measure=measure,
        )

    def encode(self, grid: ChunkGrid, writer: StoreWriter) -> EncodedColumn:
        """Write all chunks of the column and digest them."""
        self._hasher = ColumnHasher()
        self._out = EncodedColumn(self.spec, "")
        self._writer = writer
        if self.spec.encoding == "long":
            for index, (offsets, data, valid) in enumerate(self._text_chunks(grid)):
                self._write_text(index, offsets, data, valid)
        else:
            for index, (values, valid) in enumerate(self._plain_chunks(grid)):
                digest, validity = self._hasher.add(values, valid)
                self._put("values", index, values, digest)
                self._write_valid(index, valid, validity)
        categories = self._write_categories() if self._categories is not None else ""
        self._out.hash = self._hasher.finish(self.spec, categories)
        return self._out

    def _read(self, part: StagedPart) -> pa.Array:
        array = part.column(self._position)
        if self._decision.kind == "decimal" and not pa.types.is_null(array.type):
            text = array.cast(pa.string()) if pa.types.is_integer(array.type) else array
            return padded(text, self._decision.scale)
        return array

    def _put(self, part: Any, index: int, values: Values, digest: str) -> str:
        array = array_of(self.spec, part)
        self._out.digests.setdefault(array.name, []).append(digest)
        self._writer.write_chunk(array, index, values)
        return digest

    def _write_valid(self, index: int, valid: Valid, digest: str) -> None:
        if valid is not None:
            self._put("valid", index, valid, digest)

    def _write_text(
        self, index: int, offsets: npt.NDArray[np.int64], data: npt.NDArray[np.uint8], valid: Valid
    ) -> None:
        packed = _packed(offsets, data)
        rows = offsets.size - 1
        lengths = np.diff(offsets).astype("<u4")
        digest, validity = self._hasher.add(packed[4:], valid, vlen_ends(lengths), rows)
        self._put("values", index, packed, digest)
        self._put("lengths", index, lengths, content_digest(lengths))
        self._write_valid(index, valid, validity)

    def _write_categories(self) -> str:
        assert self._categories is not None
        offsets, data, _ = _text_piece(self._categories, nullable=False)
        packed = pack_vlen(offsets, data)
        return self._put("categories", 0, packed, content_digest(packed[4:], vlen_ends(np.diff(offsets))))

    def _plain_chunks(self, grid: ChunkGrid) -> Iterator[Piece]:
        """Values and validity, cut at the grid's boundaries."""
        dtype = np.dtype(self.spec.dtype)
        for start, stop in (grid.bounds(i) for i in range(grid.n_chunks)):
            if start == 0:
                pieces = self._plain_pieces()
                values, valid = next(pieces)
                at = 0
            out = np.empty(stop - start, dtype)
            mask = np.empty(stop - start, bool) if self.spec.nullable else None
            done = 0
            while done < out.size:
                if at == values.size:
                    values, valid = next(pieces)
                    at = 0
                take = min(out.size - done, values.size - at)
                out[done : done + take] = values[at : at + take]
                if mask is not None:
                    mask[done : done + take] = True if valid is None else valid[at : at + take]
                done += take
                at += take
            yield out, mask

    def _plain_pieces(self) -> Iterator[Piece]:
        arrays: Iterator[pa.Array] = (self._read(p) for p in self._parts)
        if self._categories is not None:
            arrays = codes_of(arrays, self._categories)
        for part, array in zip(self._parts, arrays, strict=True):
            evidence = part.evidence[self._position]
            yield _plain_piece(array, self._decision, evidence.kind, evidence.unit, coded=self._categories is not None)

    def _text_chunks(self, grid: ChunkGrid) -> Iterator[TextPiece]:
        """Offsets, bytes and validity, cut at the grid's boundaries."""
        pending: list[TextPiece] = []
        have = 0
        pieces = (_text_piece(self._as_text(p), nullable=self.spec.nullable) for p in self._parts)
        for start, stop in (grid.bounds(i) for i in range(grid.n_chunks)):
            while have < stop - start:
                piece = next(pieces)
                pending.append(piece)
                have += piece[0].size - 1
            taken: list[TextPiece] = []
            need = stop - start
            while need:
                piece = pending.pop(0)
                rows = piece[0].size - 1
                if rows > need:
                    pending.insert(0, _cut(piece, need, rows))
                    piece = _cut(piece, 0, need)
                taken.append(piece)
                need -= piece[0].size - 1
            have -= stop - start
            yield _join(taken)

    def _as_text(self, part: StagedPart) -> pa.Array:
        array = dense(self._read(part))
        if pa.types.is_null(array.type):
            return pa.nulls(len(array), pa.binary() if self.spec.kind == "binary" else pa.string())
        return array


def _plain_piece(array: pa.Array, decision: Decision, kind: str, unit: str, *, coded: bool) -> Piece:
    """A part's values in the column's stored dtype, with what stands for missing ones."""
    dtype = np.dtype("<i4" if coded else decision.dtype)
    valid = presence(array) if array.null_count else None
    if pa.types.is_null(array.type):
        return np.full(len(array), _filler(decision, coded=coded), dtype), np.zeros(len(array), bool)
    if pa.types.is_boolean(array.type):
        flags = booleans(array)
        return (flags if valid is None else flags & valid), valid
    if pa.types.is_date32(array.type):
        array = array.cast(pa.int32())
    # what Arrow has under its nulls is replaced below, in the final dtype
    values = numbers(array)
    if decision.kind == "timestamp" and kind == "date":
        values = values.astype(np.int64) * (_SECONDS_OF_DAY * _TICKS[decision.unit])
    elif decision.kind in ("timestamp", "time", "duration") and unit != decision.unit:
        values = values * (_TICKS[decision.unit] // _TICKS[unit])
    values = values.astype(dtype)
    if values.dtype.kind == "f":
        values[np.isnan(values)] = np.nan  # one bit pattern for all
    if valid is not None:
        values[~valid] = _filler(decision, coded=coded)
    return values, valid


def _filler(decision: Decision, *, coded: bool) -> Any:
    """What is stored where a value is missing: what other tools take for missing, where there is such a value."""
    if coded:
        return -1
    if decision.kind == "float":
        return np.nan
    if decision.kind in ("timestamp", "date", "time", "duration"):
        return np.iinfo(decision.dtype).min
    return 0


def _text_piece(array: pa.Array, *, nullable: bool) -> TextPiece:
    _, offset_buffer, data_buffer = array.buffers()
    rows = len(array)
    offsets = np.frombuffer(offset_buffer, np.int32, rows + 1, array.offset * 4).astype(np.int64)
    data = np.frombuffer(data_buffer, np.uint8) if data_buffer is not None else np.empty(0, np.uint8)
    valid = presence(array) if nullable else None
    if array.null_count and bool((np.diff(offsets)[~presence(array)] > 0).any()):
        # bytes under a missing value are allowed by Arrow, but are no part of the content
        return _text_piece(
            pc.if_else(
                array.is_valid(),
                pc.fill_null(array, pa.scalar(b"" if pa.types.is_binary(array.type) else "", array.type)),
                None,
            ),
            nullable=nullable,
        )
    return offsets, data, valid


def _packed(offsets: npt.NDArray[np.int64], data: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """As `pack_vlen`, in half the time where lengths differ; Arrow can do so where its offsets suffice."""
    lengths = np.diff(offsets).astype("<u4")
    if data.size + 4 * offsets.size > _LARGEST_OFFSET or not lengths.size or (lengths == lengths[0]).all():
        return pack_vlen(offsets, data)
    places, inside = offsets - offsets[0], data[int(offsets[0]) : int(offsets[-1])]
    texts = _binary(places, inside)
    # in front of each text its length, and in front of the first one also how many there are
    before = _binary(
        np.concatenate(([0], np.arange(2, lengths.size + 2))) * 4,
        np.concatenate((np.array([lengths.size], "<u4"), lengths)).view(np.uint8),
    )
    nothing = _binary(np.zeros(2, np.int64), inside[:0])[0]  # pa.scalar would load pandas
    joined = pc.binary_join_element_wise(before, texts, nothing).buffers()[2]
    return np.frombuffer(joined, np.uint8, 4 + lengths.nbytes + inside.size)


def _binary(offsets: npt.NDArray[np.int64], data: npt.NDArray[np.uint8]) -> pa.Array:
    places = pa.py_buffer(offsets.astype(np.int32))
    return pa.Array.from_buffers(pa.binary(), offsets.size - 1, [None, places, pa.py_buffer(data)])


def _cut(piece: TextPiece, start: int, stop: int) -> TextPiece:
    offsets, data, valid = piece
    return offsets[start : stop + 1], data, None if valid is None else valid[start:stop]


def _join(pieces: list[TextPiece]) -> TextPiece:
    lengths = np.concatenate([np.diff(o) for o, _, _ in pieces])
    offsets = np.zeros(lengths.size + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    data = np.concatenate([d[int(o[0]) : int(o[-1])] for o, d, _ in pieces])
    if pieces[0][2] is None:
        return offsets, data, None
    return offsets, data, np.concatenate([v for _, _, v in pieces if v is not None])
