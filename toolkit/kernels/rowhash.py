"""Hashes of whole rows, and how many rows there are by the first bits of their hash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from toolkit.core.chunk import Chunk
from toolkit.core.schema import ColumnSpec
from toolkit.kernels.base import Kernel, State, StateClass
from toolkit.kernels.hashing import Hashes, hash_values

PREFIX_BITS = 16

_MISSING = (np.uint64(0x8C5FB3F2A1D96E4B), np.uint64(0x37E1D0A9C4B58F63))
_STEP = (np.uint64(0x9FB21C651E98DF25), np.uint64(0xD1342543DE82EF95))
_MIX = (np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53))


def hash_rows(chunk: Chunk, columns: Sequence[str], seed: int = 0) -> Hashes:
    """One 64-bit hash of each row over some columns: equal for rows of equal values.

    Missing is a value of its own, equal to itself and to no other; so is NaN. -0.0 equals 0.0. Rows with equal hashes
    are equal but for a chance of 2**-64 a pair; who must be sure compares them, or takes both seeds.

    Parameters
    ----------
    chunk : Chunk
        The rows.
    columns : sequence of str
        The columns; their order counts.
    seed : int
        0 or 1; the two are independent.

    Returns
    -------
    ndarray of uint64, shape (rows,)
    """
    return nested_row_hashes(chunk, [columns], seed)[0]


def nested_row_hashes(chunk: Chunk, groups: Sequence[Sequence[str]], seed: int = 0) -> list[Hashes]:
    """Hashes of rows over the first group of columns, over the first two, and so on, for the price of the last.

    Parameters
    ----------
    chunk : Chunk
        The rows.
    groups : sequence of sequence of str
        Columns; the i-th hash is that of `hash_rows` over all columns of the first i groups.
    seed : int
        0 or 1.

    Returns
    -------
    list of ndarray of uint64, each of shape (rows,)
    """
    state, out = np.full(len(chunk), _STEP[seed]), []
    for columns in groups:
        for name in columns:
            _absorb(state, chunk, name, seed)
        out.append(_finished(state, seed))
    return out


def _absorb(state: Hashes, chunk: Chunk, name: str, seed: int) -> None:
    """Take the values of a column into the hashes of the rows so far, in place."""
    hashes, valid = hash_values(chunk, name, seed), chunk.data(name).valid
    if chunk.spec(name).encoding == "coded":
        absent = chunk.codes(name) < 0
        hashes = np.where(absent, _MISSING[seed], hashes) if absent.any() else hashes
    elif valid is not None and not valid.all():
        hashes = np.where(valid, hashes, _MISSING[seed])
    # Not linear in the hash so far, or rows that swap two values would collide.
    state ^= hashes
    state *= _MIX[seed]
    state ^= state >> np.uint64(32)
    state += _STEP[seed]


def _finished(state: Hashes, seed: int) -> Hashes:
    out = state ^ (state >> np.uint64(29))
    out *= _MIX[1 - seed]
    out ^= out >> np.uint64(32)
    return out


class RowHash(Kernel):
    """Number of rows for each value of the first 16 bits of the hash of some columns' values (`hash_rows`).

    It tells into how many parts rows have to be divided, by their hash, to be sorted in bounded memory.

    The state is ``prefixes``, int64, shape (65536,).
    """

    name: ClassVar[str] = "rowhash"
    version: ClassVar[int] = 1
    state_class: ClassVar[StateClass] = "exact"
    references: ClassVar[tuple[str, ...]] = ("10.1109/TKDE.2007.250581",)
    defaults: ClassVar[Mapping[str, Any]] = {}
    arity: ClassVar[int | None] = None

    @classmethod
    def accepts(cls, spec: ColumnSpec) -> bool:
        """Every column."""
        del spec
        return True

    def init(self) -> State:
        """No rows."""
        return {"prefixes": np.zeros(1 << PREFIX_BITS, np.int64)}

    def update(self, state: State, chunk: Chunk) -> State:
        """Count the rows of a chunk."""
        prefixes = hash_rows(chunk, self.request.columns) >> np.uint64(64 - PREFIX_BITS)
        return {"prefixes": state["prefixes"] + np.bincount(prefixes.astype(np.intp), minlength=1 << PREFIX_BITS)}

    def merge(self, left: State, right: State) -> State:
        """Add the counts."""
        return {"prefixes": left["prefixes"] + right["prefixes"]}

    def finish(self, state: State) -> dict[str, Any]:
        """Hand out the counts.

        Returns
        -------
        dict
            ``columns``; ``rows``; ``prefixes``, int64, shape (65536,): rows by the first 16 bits of their hash.
        """
        counts: npt.NDArray[np.int64] = state["prefixes"]
        return {"columns": list(self.request.columns), "rows": int(counts.sum()), "prefixes": counts}

    def memory(self) -> int:
        """The counts."""
        return (8 << PREFIX_BITS) + 1024

    def scratch(self) -> int:
        """Other counts, and hashes of a chunk."""
        return 3 * self.memory() + 96 * self.chunk_rows + (1 << 22)

    def cost(self) -> float:
        """Nanoseconds a row."""
        longs = sum(self.table.schema[c].encoding == "long" for c in self.request.columns)
        return 3.0 + 8.0 * len(self.request.columns) + 30.0 * longs


PROVIDES = RowHash
