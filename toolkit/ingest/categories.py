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

_TOGETHER = 4
"""Values of several parts are looked up at once, this many times as many as there are categories.

A look-up costs a hash table of all categories each time; a part that waits keeps its pages in memory.
"""


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
    waiting: list[pa.Array] = []
    size = 0
    for part in parts:
        values = _values(part)
        if pa.types.is_null(values.type):
            continue
        waiting.append(values)
        size += len(values)
        if size < _enough(known, coded=pa.types.is_dictionary(part.type)):
            continue
        known, waiting, size = _distinct(known, waiting), [], 0
        if len(known) > MOST_CATEGORIES or known.nbytes > 2 * MOST_CATEGORY_BYTES:
            return None
    if waiting:
        known = _distinct(known, waiting)
    if known is None or len(known) * 2 > present:
        return None
    if len(known) > MOST_CATEGORIES or _text_bytes(known) > MOST_CATEGORY_BYTES:
        return None
    return known.take(pc.sort_indices(known))


def codes_of(parts: Iterable[pa.Array], categories: pa.Array) -> Iterator[pa.Array]:
    """Codes of each part's values, int32, null where missing."""
    waiting: list[pa.Array] = []
    size = 0
    for part in parts:
        waiting.append(part)
        size += len(_values(part))
        if size >= _TOGETHER * len(categories):
            yield from _looked_up(waiting, categories)
            waiting, size = [], 0
    yield from _looked_up(waiting, categories)


def dense(part: pa.Array) -> pa.Array:
    """A part's values without a dictionary."""
    return part.cast(part.type.value_type) if pa.types.is_dictionary(part.type) else part


def _enough(known: pa.Array | None, *, coded: bool) -> int:
    """How many values to look at together.

    Plain ones are mostly distinct: as soon as they may be too many, so as to give up early, and not before.
    """
    already = 0 if known is None else len(known)
    return _TOGETHER * already if coded else MOST_CATEGORIES + 1 - already


def _distinct(known: pa.Array | None, values: list[pa.Array]) -> pa.Array:
    return pc.unique(pa.concat_arrays(values if known is None else [known, *values])).drop_null()


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
