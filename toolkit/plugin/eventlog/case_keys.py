"""Keys by which rows are parted into ranges of cases, and the order of cases within a range."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from toolkit.core.chunk import Chunk
from toolkit.core.strings import StringBlock
from toolkit.plugin.context import Context
from toolkit.plugin.eventlog.columns import dictionary_of

_WIDTH = 16
"""Bytes of long text behind what all values begin with, by which rows are parted."""

_ROWS = 1 << 13
"""Rows taken at a time, so that temporaries stay in the processor's cache."""

Ints = npt.NDArray[np.int64]


class CaseKeys:
    """How the cases of a column are ordered: codes and numbers by their value, long text by its bytes.

    Parameters
    ----------
    ctx : Context
        Its manifest asks for the kernel ``extremes`` of the column where that is long text.
    name : str
        A column of whole numbers or text.
    """

    def __init__(self, ctx: Context, name: str) -> None:
        self.name = name
        self._skip = 0
        if ctx.schema[name].encoding == "long":
            found = ctx.kernel("extremes", name)
            self._skip = _common(str(found["min"] or "").encode(), str(found["max"] or "").encode())

    def of(self, chunk: Chunk) -> npt.NDArray[Any]:
        """Keys that never decrease from a case to one that comes after it, shape (rows,)."""
        values = chunk.data(self.name).values
        return _prefixes(values, self._skip) if isinstance(values, StringBlock) else values


def case_places(values: Any) -> Ints:
    """The place of each row's case among the cases there are, in their order; shape (rows,).

    Parameters
    ----------
    values : ndarray or StringBlock
        Stored values, all present.

    Examples
    --------
    >>> case_places(np.array([70, 7, 70, 12])).tolist()
    [2, 0, 2, 1]
    """
    if isinstance(values, StringBlock):
        coded = dictionary_of(values)
        order = np.asarray(pc.array_sort_indices(coded.dictionary)).astype(np.int64)
        place = np.empty(order.size, np.int64)
        place[order] = np.arange(order.size)
        return place[np.asarray(coded.indices)]
    return np.unique(values, return_inverse=True)[1].astype(np.int64)


def run_marks(values: Any) -> npt.NDArray[Any]:
    """Numbers that are equal for neighbouring rows where their cases are, shape (rows,)."""
    return np.asarray(dictionary_of(values).indices) if isinstance(values, StringBlock) else values


def _prefixes(block: StringBlock, skip: int) -> npt.NDArray[Any]:
    """The bytes of each value from a place on, as fixed-width text that compares as the bytes do."""
    out = np.zeros((len(block), _WIDTH), np.uint8)
    if block.payload.size:
        for at in range(0, len(block), _ROWS):
            starts, lengths = block.starts[at : at + _ROWS], block.lengths[at : at + _ROWS]
            rest = np.maximum(lengths.astype(np.int64) - skip, 0)
            inside = np.arange(_WIDTH) < rest[:, None]
            places = np.where(inside, starts[:, None] + (skip + np.arange(_WIDTH)), 0)
            out[at : at + _ROWS] = np.where(inside, block.payload[places], 0)
    return out.view(f"S{_WIDTH}").ravel()


def _common(low: bytes, high: bytes) -> int:
    """How many bytes two texts begin with alike; so do all that stand between them."""
    return next((i for i, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), min(len(low), len(high)))
