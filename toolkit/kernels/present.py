"""Values of a chunk that are present, and what else several kernels of one scan derive from the same column.

A scan visits the requests on one column one after the other, so keeping the last derivation of each sort is enough to
share it, and what is kept stays bounded by one chunk of one column.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from toolkit.core.chunk import Chunk

K = TypeVar("K")
V = TypeVar("V")


class LastDerived(Generic[K, V]):
    """Remembers what a function gave for the last chunk, and column or columns of it, that it was asked about."""

    def __init__(self, derive: Callable[[Chunk, K], V]) -> None:
        self._derive = derive
        self._kept: tuple[weakref.ref[Chunk], K, V] | None = None

    def __call__(self, chunk: Chunk, column: K) -> V:
        """What the function gives, computed now or kept from the last call."""
        kept = self._kept
        if kept is not None and kept[0]() is chunk and kept[1] == column:
            return kept[2]
        self._kept = None  # let go of the former one first: both at once would be twice the memory
        value = self._derive(chunk, column)
        self._kept = (weakref.ref(chunk, self._forget), column, value)
        return value

    def _forget(self, gone: weakref.ref[Chunk]) -> None:
        if self._kept is not None and self._kept[0] is gone:
            self._kept = None


def _present(chunk: Chunk, column: str) -> npt.NDArray[Any]:
    values, valid = chunk.raw(column), chunk.data(column).valid
    return values if valid is None or valid.all() else values[valid]


present_values = LastDerived(_present)
"""Stored values of a plain column where they are present, shape (present,), in row order; may be a read-only view."""


def present_rows(chunk: Chunk, column: str) -> npt.NDArray[np.int64]:
    """Global row numbers of the rows where a column is present, shape (present,)."""
    valid = chunk.data(column).valid
    if valid is None or valid.all():
        return np.arange(chunk.rows.start, chunk.rows.stop)
    return np.flatnonzero(valid) + chunk.rows.start
