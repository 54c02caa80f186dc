"""Pairs of rows compared value by value, one column after the other, reading only the chunks that they lie in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.core.chunk import Chunk
from toolkit.core.grid import Partition
from toolkit.core.runs import places_of_runs
from toolkit.plugin.context import Context
from toolkit.plugin.repeats.gather import Rows

Bools = npt.NDArray[np.bool_]
Octets = npt.NDArray[np.uint8]

_BYTES = 8 << 20
"""Bytes of long text that are held at once of either side."""


def equal_rows(ctx: Context, columns: Sequence[str], left: Rows, right: Rows) -> Bools:
    """Which pairs of rows have the same value in every column.

    Missing equals missing and nothing else, so does NaN; -0.0 equals 0.0.

    Parameters
    ----------
    ctx : Context
        Reads the rows.
    columns : sequence of str
        The columns.
    left, right : ndarray of int64, shape (pairs,)
        Row numbers.

    Returns
    -------
    ndarray of bool, shape (pairs,)
    """
    equal = np.ones(left.size, bool)
    for name in columns:
        at = np.flatnonzero(equal)
        if not at.size:
            break
        same = _equal_text if ctx.schema[name].encoding == "long" else _equal_values
        equal[at] = same(ctx, name, left[at], right[at])
    return equal


def _equal_values(ctx: Context, name: str, left: Rows, right: Rows) -> Bools:
    (a, there), (b, here) = _values(ctx, name, left), _values(ctx, name, right)
    same = a == b
    if a.dtype.kind == "f":
        same |= np.isnan(a) & np.isnan(b)
    return (same | ~there) & (there == here)


def _values(ctx: Context, name: str, rows: Rows) -> tuple[npt.NDArray[Any], Bools]:
    out: npt.NDArray[Any] | None = None
    present = np.ones(rows.size, bool)
    for chunk, places, inside in _visits(ctx, name, rows):
        data = chunk.raw(name)
        out = np.empty(rows.size, data.dtype) if out is None else out
        out[places] = data[inside]
        valid = chunk.data(name).valid
        if valid is not None:
            present[places] = valid[inside]
    assert out is not None
    return out, present


def _equal_text(ctx: Context, name: str, left: Rows, right: Rows) -> Bools:
    (a, there), (b, here) = _lengths(ctx, name, left), _lengths(ctx, name, right)
    equal = ((a == b) | ~there) & (there == here)
    at = np.flatnonzero(equal & there & (a > 0))
    ends = np.cumsum(a[at])
    first = 0
    while first < at.size:
        before = int(ends[first - 1]) if first else 0
        last = max(int(np.searchsorted(ends, before + _BYTES, side="right")), first + 1)
        some = at[first:last]
        differs = _octets(ctx, name, left[some], a[some]) != _octets(ctx, name, right[some], a[some])
        starts = np.cumsum(a[some]) - a[some]
        equal[some] = ~np.logical_or.reduceat(differs, starts)
        first = last
    return equal


def _lengths(ctx: Context, name: str, rows: Rows) -> tuple[Rows, Bools]:
    lengths, present = np.empty(rows.size, np.int64), np.ones(rows.size, bool)
    for chunk, places, inside in _visits(ctx, name, rows):
        lengths[places] = chunk.strings(name).lengths[inside]
        valid = chunk.data(name).valid
        if valid is not None:
            present[places] = valid[inside]
    return lengths, present


def _octets(ctx: Context, name: str, rows: Rows, lengths: Rows) -> Octets:
    """The bytes of some texts, one after the other."""
    out = np.empty(int(lengths.sum()), np.uint8)
    starts = np.cumsum(lengths) - lengths
    for chunk, places, inside in _visits(ctx, name, rows):
        block = chunk.strings(name)
        here, _ = places_of_runs(starts[places], lengths[places])
        there, _ = places_of_runs(block.starts[inside], lengths[places])
        out[here] = block.payload[there]
    return out


def _visits(ctx: Context, name: str, rows: Rows) -> Iterator[tuple[Chunk, Rows, Rows]]:
    """The chunks in which rows lie, with the places of those rows among all and their place within the chunk."""
    order = np.argsort(rows, kind="stable")
    indices = rows[order] // ctx.grid.chunk_rows
    bounds = np.flatnonzero(np.concatenate([[True], indices[1:] != indices[:-1]]))
    for first, stop in zip(bounds.tolist(), [*bounds[1:].tolist(), rows.size], strict=True):
        index, places = int(indices[first]), order[first:stop]
        (chunk,) = ctx.chunks([name], Partition(index, index + 1))
        yield chunk, places, rows[places] - chunk.rows.start
