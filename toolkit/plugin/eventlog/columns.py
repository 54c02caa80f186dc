"""Some rows of some columns, held apart from their chunk: numbers and codes as arrays, long text as bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from toolkit.core.chunk import Chunk
from toolkit.core.strings import StringBlock

Ints = npt.NDArray[np.int64]
_ROWS = 1 << 13
"""Rows of long text taken at a time, so that temporaries stay small."""


@dataclass(slots=True)
class Columns:
    """Equally many rows of several columns.

    Attributes
    ----------
    rows : ndarray of int64, shape (rows,)
        Where they stand in the table.
    values : dict of str to ndarray or StringBlock
        As they are stored: codes of coded text, counts of a time's unit.
    absent : dict of str to ndarray of bool
        Where values are missing; only of columns in which some are.
    """

    rows: Ints
    values: dict[str, Any] = field(default_factory=dict)
    absent: dict[str, npt.NDArray[np.bool_]] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.rows.size)

    def at(self, index: npt.NDArray[Any]) -> Columns:
        """Some of the rows, in the order of an index or of a mask."""
        values = {name: take(v, index) for name, v in self.values.items()}
        return Columns(self.rows[index], values, {name: a[index] for name, a in self.absent.items()})

    def present(self, name: str) -> npt.NDArray[np.bool_]:
        """Which values of a column are there, shape (rows,)."""
        absent = self.absent.get(name)
        return np.ones(len(self), bool) if absent is None else ~absent

    def to_tree(self) -> dict[str, Any]:
        """What `toolkit.core.encoding` can write."""
        values = {}
        for name, held in self.values.items():
            if isinstance(held, StringBlock):
                lengths, data = packed(held)
                values[name] = {"lengths": lengths, "data": data}
            else:
                values[name] = held
        return {"rows": self.rows, "values": values, "absent": self.absent}

    @classmethod
    def from_tree(cls, tree: Mapping[str, Any]) -> Columns:
        """Read what `to_tree` made."""
        values = {n: v if isinstance(v, np.ndarray) else _block(**v) for n, v in tree["values"].items()}
        return cls(tree["rows"], values, dict(tree["absent"]))


def held_rows(chunk: Chunk, names: Iterable[str], index: Ints) -> Columns:
    """Some rows of a chunk, counted from its first."""
    out = Columns(index + chunk.rows.start)
    for name in names:
        data = chunk.data(name)
        out.values[name] = take(data.values, index)
        if data.valid is not None:
            absent = ~data.valid[index]
            if absent.any():
                out.absent[name] = absent
    return out


def take(values: Any, index: npt.NDArray[Any]) -> Any:
    """Some values of an array or of long text, in the order of an index."""
    if not isinstance(values, StringBlock):
        return values[index]
    lengths, data = packed(StringBlock(values.payload, values.starts[index], values.lengths[index]))
    return _block(lengths, data)


def join_rows(parts: Sequence[Columns]) -> Columns:
    """Rows one after the other."""
    if len(parts) == 1:
        return parts[0]
    out = Columns(np.concatenate([p.rows for p in parts]))
    for name, first in parts[0].values.items():
        held = [p.values[name] for p in parts]
        if isinstance(first, StringBlock):
            lengths, data = zip(*map(packed, held), strict=True)
            out.values[name] = _block(np.concatenate(lengths), np.concatenate(data))
        else:
            out.values[name] = np.concatenate(held)
        if any(name in p.absent for p in parts):
            out.absent[name] = np.concatenate([~p.present(name) for p in parts])
    return out


def dictionary_of(block: StringBlock) -> pa.DictionaryArray:
    """Long text as an Arrow dictionary of its different byte strings, in the order in which they come."""
    lengths, data = packed(block)
    offsets = np.zeros(len(block) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    buffers = [None, pa.py_buffer(offsets.tobytes()), pa.py_buffer(data.tobytes())]
    return pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(block), buffers).dictionary_encode()


def packed(block: StringBlock) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint8]]:
    """Lengths, and the values' bytes one after the other; the rows may be in any order."""
    lengths = np.asarray(block.lengths, np.uint32)
    offsets = np.zeros(lengths.size, np.int64)
    np.cumsum(lengths[:-1], out=offsets[1:])
    if np.array_equal(block.starts, offsets):
        return lengths, block.payload[: int(lengths.sum(dtype=np.int64))]
    ends = np.append(offsets, lengths.sum(dtype=np.int64))
    data = np.empty(int(ends[-1]), np.uint8)
    for at in range(0, lengths.size, _ROWS):
        rows = slice(at, at + _ROWS)
        places = np.repeat(block.starts[rows] - offsets[rows] + offsets[at], lengths[rows])
        places += np.arange(places.size)
        data[offsets[at] : ends[min(at + _ROWS, lengths.size)]] = block.payload[places]
    return lengths, data


def _block(lengths: npt.NDArray[np.uint32], data: npt.NDArray[np.uint8]) -> StringBlock:
    starts = np.zeros(lengths.size, np.int64)
    np.cumsum(lengths[:-1], out=starts[1:])
    return StringBlock(data, starts, lengths)
