"""Whether a text column is coded, and into which categories.

The rule depends on the content alone, so that every source of a table leads to the same store: coded is a column with
at most `MOST_CATEGORIES` distinct values, of at most `MOST_CATEGORY_BYTES` together, that occur twice on average.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

MOST_CATEGORIES = 131_072
MOST_CATEGORY_BYTES = 16 << 20

_TOGETHER = 4 * MOST_CATEGORIES
"""Values of several parts that are looked up at once: a look-up costs a hash table of all categories each time."""


def find_categories(parts: Iterable[pa.Array], present: int) -> pa.Array | None:
    """The sorted distinct values of a column; None where it is to be stored as long text.

    Parameters
    ----------
    parts : iterable of pyarrow.Array
        String or binary arrays, or dictionary arrays of them all of whose values occur. No further part is read once
        there are too many values.
    present : int
        Values that are not missing.

    Returns
    -------
    pyarrow.Array or None
        Sorted by their bytes, that is, text by code points.
    """
    known: pa.Array | None = None
    for values in _gathered(parts):
        known = pc.unique(values if known is None else pa.concat_arrays([known, values])).drop_null()
        if len(known) > MOST_CATEGORIES or known.nbytes > 2 * MOST_CATEGORY_BYTES:
            return None
    if known is None or len(known) * 2 > present or _text_bytes(known) > MOST_CATEGORY_BYTES:
        return None
    return known.take(pc.sort_indices(known))


def codes_of(parts: Iterable[pa.Array], categories: pa.Array) -> Iterator[pa.Array]:
    """Codes of each part's values, int32, null where missing."""
    waiting: list[pa.Array] = []
    size = 0
    for part in parts:
        waiting.append(part)
        size += len(_values(part))
        if size >= _TOGETHER:
            yield from _looked_up(waiting, categories)
            waiting, size = [], 0
    yield from _looked_up(waiting, categories)


def dense(part: pa.Array) -> pa.Array:
    """A part's values without a dictionary."""
    return part.cast(part.type.value_type) if pa.types.is_dictionary(part.type) else part


def _gathered(parts: Iterable[pa.Array]) -> Iterator[pa.Array]:
    """Values of the parts, each part's own distinct ones where it has them, several parts at a time."""
    waiting: list[pa.Array] = []
    size = 0
    for part in parts:
        values = _values(part)
        if pa.types.is_null(values.type):
            continue
        waiting.append(values)
        size += len(values)
        # plain values are mostly distinct: looked at part by part, so as to give up early
        if size >= _TOGETHER or not pa.types.is_dictionary(part.type):
            yield pa.concat_arrays(waiting)
            waiting, size = [], 0
    if waiting:
        yield pa.concat_arrays(waiting)


def _looked_up(parts: list[pa.Array], categories: pa.Array) -> Iterator[pa.Array]:
    if not parts:
        return
    values = [_values(p) for p in parts]
    codes = pc.index_in(pa.concat_arrays([v.cast(categories.type) for v in values]), value_set=categories)
    at = 0
    for part, own in zip(parts, values, strict=True):
        found = codes.slice(at, len(own))
        at += len(own)
        yield found.take(part.indices) if pa.types.is_dictionary(part.type) else found


def _values(part: pa.Array) -> pa.Array:
    return part.dictionary if pa.types.is_dictionary(part.type) else part


def _text_bytes(values: pa.Array) -> int:
    return int(pc.sum(pc.binary_length(values)).as_py() or 0)
