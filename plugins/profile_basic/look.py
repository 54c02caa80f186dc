"""A second look at a few columns: in which rows and chunks some values stand, and what the other values reach to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin import Chunk, ColumnSpec, Context
from toolkit.plugin.places import Places

from .values import units_per_day


@dataclass(slots=True)
class Target:
    """Values of one column that are to be located.

    Attributes
    ----------
    column : str
        The column.
    values : list
        As stored; days since 1970 where ``by_day``; texts for coded columns.
    by_day : bool
        Whether instants are taken by their day.
    nan : bool
        Whether NaN is located too.
    """

    column: str
    values: list[Any]
    by_day: bool = False
    nan: bool = False


@dataclass(slots=True)
class Seen:
    """What a second look at one column found.

    Attributes
    ----------
    places : dict of value to Places
        Of the values that occur; NaN under the text ``NaN``.
    low, high : Any
        Smallest and largest of all other finite values; None when there are no others.
    low_count : int
        How often ``low`` occurs.
    """

    places: dict[Any, Places] = field(default_factory=dict)
    low: Any = None
    high: Any = None
    low_count: int = 0


def look(ctx: Context, targets: Sequence[Target]) -> list[Seen]:
    """Read some columns once more, every row of them, together.

    Returns
    -------
    list of Seen
        One of each target, in their order.
    """
    found = [Seen() for _ in targets]
    if not targets:
        return found
    for chunk in ctx.chunks(list(dict.fromkeys(t.column for t in targets))):
        for seen, target in zip(found, targets, strict=True):
            _take(seen, target, chunk)
    return found


def _take(seen: Seen, target: Target, chunk: Chunk) -> None:
    spec = chunk.spec(target.column)
    rows, values, wanted = _comparable(target, chunk, spec)
    if not values.size:
        return
    if target.nan and values.dtype.kind == "f":
        is_nan = np.isnan(values)
        if is_nan.any():
            seen.places.setdefault("NaN", Places()).add(chunk.index, rows[is_nan])
    keys = np.array(sorted(wanted), values.dtype)
    at = np.searchsorted(keys, values) if keys.size else np.zeros(values.size, np.intp)
    hit = keys[np.minimum(at, keys.size - 1)] == values if keys.size else np.zeros(values.size, bool)
    for key in np.unique(at[hit]).tolist():
        places = seen.places.setdefault(wanted[keys[key].item()], Places())
        places.add(chunk.index, rows[hit & (at == key)])
    if spec.encoding == "plain":
        _take_rest(seen, values[~hit])


def _take_rest(seen: Seen, rest: npt.NDArray[Any]) -> None:
    if rest.dtype.kind == "f":
        rest = rest[np.isfinite(rest)]
    if not rest.size:
        return
    low, high = rest.min().item(), rest.max().item()
    if seen.low is None or low < seen.low:
        seen.low, seen.low_count = low, 0
    if low == seen.low:
        seen.low_count += int(np.count_nonzero(rest == low))
    seen.high = high if seen.high is None else max(high, seen.high)


def _comparable(
    target: Target, chunk: Chunk, spec: ColumnSpec
) -> tuple[npt.NDArray[np.int64], npt.NDArray[Any], dict[Any, Any]]:
    """Rows with a value, those values as numbers, and what is wanted by such a number."""
    values = chunk.raw(target.column)
    valid = chunk.valid(target.column)
    rows = np.flatnonzero(valid) + chunk.rows.start
    values = values[valid]
    if spec.encoding == "coded":
        texts = set(target.values)
        categories = chunk.categories(target.column)[:-1].tolist()
        return rows, values, {code: text for code, text in enumerate(categories) if text in texts}
    if target.by_day:
        values = values // values.dtype.type(units_per_day(spec))
        return rows, values, {v: v for v in target.values}
    if values.dtype.kind in "iu":
        limits = np.iinfo(values.dtype)
        return rows, values, {v: v for v in target.values if limits.min <= v <= limits.max}
    with np.errstate(over="ignore"):  # what is too large for a narrow column can't be in it but as infinity
        return rows, values, {values.dtype.type(v).item(): v for v in target.values}
