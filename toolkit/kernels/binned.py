"""States by bin: rows, and count, mean, sum of squares and extremes of numbers, of those bins alone that hold rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.core.chunk import Chunk
from toolkit.kernels.base import State
from toolkit.kernels.partial_moments import EXPONENT, M2, M3, M4, MEAN, MEAN_LOW, N, merge_moments, no_moments, two_sum

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_FIELDS = 4
"""Numbers that a bin holds beside those of its values."""
_FIELDS_OF_A_VALUE = 9
_NO_ROW = np.iinfo(np.int64).max
_WIDE = 600
"""Values are taken over two to this power where their squares are no doubles."""
_SPARSE = 4
"""Cells of a range, for each row, from which on those that hold rows are sorted out."""


def no_bins(values: Sequence[str]) -> State:
    """The state of no rows.

    Returns
    -------
    dict
        ``cells``, the numbers of the bins that hold rows, ascending; ``rows``, ``first`` and ``last``, how many and the
        first and last of them, all int64, shape (cells,); ``values``, for each column ``moments``, shape (7, cells),
        with fields as in `toolkit.kernels.partial_moments`, ``smallest`` and ``largest``.
    """
    empty = np.zeros(0, np.int64)
    state: State = {"cells": empty, "rows": empty, "first": empty, "last": empty}
    return state | {"values": [_no_values(0) for _ in values]}


def bin_rows(chunk: Chunk, cells: Ints, rows: Ints, values: Sequence[str]) -> State:
    """The state of a chunk.

    Parameters
    ----------
    chunk : Chunk
        The chunk.
    cells : ndarray of int64, shape (kept,)
        The bin of each row that is in one.
    rows : ndarray of int64, shape (kept,)
        Places of these rows within the chunk, ascending.
    values : sequence of str
        Columns of numbers. Missing values, NaN and infinities are left out.
    """
    if not cells.size:
        return no_bins(values)
    held, places = _compact(cells)
    size = held.size
    first = np.full(size, _NO_ROW)
    first[places[::-1]] = rows[::-1]  # of several assignments to a place the last stays
    last = np.zeros(size, np.int64)
    last[places] = rows
    state: State = {"cells": held, "rows": np.bincount(places, minlength=size).astype(np.int64)}
    state |= {"first": first + chunk.rows.start, "last": last + chunk.rows.start}
    whole = rows.size == len(chunk)
    return state | {"values": [_values_of(chunk, name, None if whole else rows, places, size) for name in values]}


def merge_bins(left: State, right: State) -> State:
    """Join two states, bin by bin; ``left`` covers the earlier rows."""
    if not (left["cells"].size and right["cells"].size):
        return left if left["cells"].size else right
    cells = np.union1d(left["cells"], right["cells"])
    ours, theirs = np.searchsorted(cells, left["cells"]), np.searchsorted(cells, right["cells"])
    known = np.zeros(cells.size, bool)
    known[ours] = True
    both = known[theirs]
    out: State = {"cells": cells}
    for name, join in (("rows", np.add), ("first", np.minimum), ("last", np.maximum)):
        joined = np.zeros(cells.size, np.int64)
        joined[ours] = left[name]
        joined[theirs[~both]] = right[name][~both]
        joined[theirs[both]] = join(joined[theirs[both]], right[name][both])
        out[name] = joined
    return out | {
        "values": [
            _merged_values(a, b, ours, theirs, both, cells.size)
            for a, b in zip(left["values"], right["values"], strict=True)
        ]
    }


def all_bins(state: State, cells: int) -> dict[str, Any]:
    """Every bin, also those without rows.

    Returns
    -------
    dict
        ``rows``, int64; ``first`` and ``last``, the first and last row, -1 in an empty bin; all of shape (cells,).
        ``values``, for each column ``n``, ``mean``, ``m2``, ``min`` and ``max``, NaN where there are none.
    """
    at = state["cells"]

    def spread(found: npt.NDArray[Any], fill: Any) -> npt.NDArray[Any]:
        out = np.full(cells, fill, found.dtype)
        out[at] = found
        return out

    values = []
    for value in state["values"]:
        moments = value["moments"]
        none = moments[N] == 0
        exponent = np.where(moments[M2] > 0, moments[EXPONENT], 0).astype(np.int64)
        with np.errstate(over="ignore"):
            fields = {"mean": moments[MEAN], "m2": np.ldexp(moments[M2], 2 * exponent)}
        fields |= {"min": value["smallest"], "max": value["largest"]}
        found = {name: spread(np.where(none, np.nan, field), np.nan) for name, field in fields.items()}
        values.append(found | {"n": spread(moments[N].astype(np.int64), 0)})
    ends = {name: spread(state[name], -1) for name in ("first", "last")}
    return {"rows": spread(state["rows"], 0), **ends, "values": values}


def bytes_of_bins(cells: int, values: int) -> int:
    """Bytes of a state in which every bin holds rows."""
    return 8 * cells * (_FIELDS + _FIELDS_OF_A_VALUE * values) + 1024


def _compact(cells: Ints) -> tuple[Ints, Ints]:
    """The bins that hold rows, ascending, and the place of each row's bin among them."""
    low = int(cells.min())
    span = int(cells.max()) - low + 1
    if span > _SPARSE * cells.size + 4096:
        held, places = np.unique(cells, return_inverse=True)
        return held, places.astype(np.int64)
    near = cells - low
    seen = np.zeros(span, bool)
    seen[near] = True
    held = np.flatnonzero(seen)
    if held.size == span:
        return held + low, near
    return held + low, (np.cumsum(seen) - 1)[near]


def _no_values(size: int) -> State:
    return {"moments": no_moments(size), "smallest": np.full(size, np.inf), "largest": np.full(size, -np.inf)}


def _values_of(chunk: Chunk, name: str, rows: Ints | None, places: Ints, size: int) -> State:
    found = _no_values(size)
    values, valid = chunk.raw(name).astype(np.float64), chunk.data(name).valid
    present = np.isfinite(values) if valid is None else valid & np.isfinite(values)
    if rows is not None:
        values, present = values[rows], present[rows]
    if not present.all():
        values, places = values[present], places[present]
    moments = _moments_of(places, values, size)
    wide = ~np.isfinite(moments[MEAN] + moments[M2])
    if wide.any():  # sums overflow: those bins again, on values over a power of two
        chosen = wide[places]
        scaled = _moments_of(places[chosen], np.ldexp(values[chosen], -_WIDE), size)
        scaled[[MEAN, MEAN_LOW]] = np.ldexp(scaled[[MEAN, MEAN_LOW]], _WIDE)
        scaled[EXPONENT] = _WIDE
        moments[:, wide] = scaled[:, wide]
    found["moments"] = moments
    np.minimum.at(found["smallest"], places, values)
    np.maximum.at(found["largest"], places, values)
    return found


def _moments_of(places: Ints, values: Floats, size: int) -> Floats:
    """Moments of the values of each bin, in two passes: their mean, then squares of the differences from it."""
    out = no_moments(size)
    n = np.bincount(places, minlength=size).astype(np.float64)
    some = np.maximum(n, 1.0)
    with np.errstate(over="ignore", invalid="ignore"):
        mean = np.bincount(places, values, size) / some
        differences = values - mean[places]
        offset = np.bincount(places, differences, size) / some
        squares = np.bincount(places, differences * differences, size) - n * offset * offset
        out[N], out[M2] = n, np.maximum(squares, 0.0)
        out[MEAN], out[MEAN_LOW] = two_sum(mean, offset)
    out[EXPONENT] = np.where(n > 0, 0.0, out[EXPONENT])
    return out


def _merged_values(left: State, right: State, ours: Ints, theirs: Ints, both: Any, size: int) -> State:
    out = _no_values(size)
    new, old = theirs[~both], theirs[both]
    for name, found in out.items():
        found[..., ours] = left[name]
        found[..., new] = right[name][..., ~both]
    out["moments"][:, old] = _merged(out["moments"][:, old], right["moments"][:, both])
    out["smallest"][old] = np.minimum(out["smallest"][old], right["smallest"][both])
    out["largest"][old] = np.maximum(out["largest"][old], right["largest"][both])
    return out


def _merged(left: Floats, right: Floats) -> Floats:
    out = merge_moments(left, right)
    if out is not left and out is not right:
        out[[M3, M4]] = 0.0  # not gathered
    return out
