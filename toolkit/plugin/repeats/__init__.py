"""Rows that repeat earlier ones, exactly and in bounded memory, for tables of any length.

Two readings of the table. In the first, two bits for each slot of a `filter` say whether a row's hash fell there once
or again; in the second, the rows whose slots were hit again are gathered (`gather`), which are those that repeat and a
few others. Then rows of equal hash are compared value by value (`compare`), so that a collision of hashes
repeats nothing. Where more rows are gathered than fit, the smallest hashes go first, and the table is read again for
the others.
"""

from __future__ import annotations

from toolkit.plugin.repeats.compare import equal_rows
from toolkit.plugin.repeats.confirm import Repeats, confirm, find_repeats
from toolkit.plugin.repeats.filter import (
    Filter,
    add_hashes,
    filter_bits,
    hit_again,
    join_filters,
    new_filter,
    repeat_share,
)
from toolkit.plugin.repeats.gather import Gathered, add_rows, join_gathered, nothing_gathered
from toolkit.plugin.repeats.scan import RepeatScan

__all__ = [
    "Filter",
    "Gathered",
    "RepeatScan",
    "Repeats",
    "add_hashes",
    "add_rows",
    "confirm",
    "equal_rows",
    "filter_bits",
    "find_repeats",
    "hit_again",
    "join_filters",
    "join_gathered",
    "new_filter",
    "nothing_gathered",
    "repeat_share",
]
