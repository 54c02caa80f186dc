"""Decimal numbers as canonical text: no exponent, no needless zero or sign in front, the column's places behind."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

_DECIMAL = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$"


def decimal_text(values: pa.Array) -> pa.Array | None:
    """Text as decimals; None where a value is not written as one."""
    if not pc.all(pc.match_substring_regex(values, _DECIMAL)).as_py():
        return None
    return pc.replace_substring_regex(values, r"^-(0(\.0*)?)$", r"\1")


def places(values: pa.Array) -> int:
    """Most digits behind the point of decimals written as text."""
    point = pc.find_substring(values, ".")
    behind = pc.subtract(pc.subtract(pc.binary_length(values), point), 1)
    return pc.max(pc.if_else(pc.less(point, 0), 0, behind)).as_py() or 0


def padded(values: pa.Array, scale: int) -> pa.Array:
    """Decimals with zeros behind, up to so many places.

    Parameters
    ----------
    values : pyarrow.Array
        Text, or a dictionary array of text.
    scale : int
        Places that every value shall have, at least as many as any has.
    """
    if pa.types.is_dictionary(values.type):
        return pa.DictionaryArray.from_arrays(values.indices, padded(values.dictionary, scale))
    if not scale:
        return values
    point = pc.find_substring(values, ".")
    values = pc.if_else(pc.less(point, 0), pc.binary_join_element_wise(values, ".", ""), values)
    behind = pc.subtract(pc.subtract(pc.binary_length(values), pc.find_substring(values, ".")), 1)
    for missing in sorted({scale - n for n in pc.unique(behind).drop_null().to_pylist()} - {0}):
        short = pc.equal(behind, scale - missing)
        values = pc.if_else(short, pc.binary_join_element_wise(values, "0" * missing, ""), values)
    return values
