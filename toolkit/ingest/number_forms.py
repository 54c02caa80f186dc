"""Text values whose numbers are written with a decimal comma or with separated thousands."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from toolkit.ingest.text_types import NULL_SPELLINGS, Typed, convert, infer
from toolkit.readers.base import NumberForm

_NUMBERS = frozenset({"int", "decimal", "float"})
_LOOKED_AT = 64


def infer_written(values: pa.Array, form: NumberForm | None) -> Typed:
    """Find the type of text values; see `toolkit.ingest.text_types.infer`.

    Parameters
    ----------
    values : pyarrow.StringArray
        Null where missing.
    form : NumberForm, optional
        How numbers are written; a number that is written in another way is text.

    Examples
    --------
    >>> infer_written(pa.array(["1.234,5", "7"]), NumberForm(",", ".")).values.to_pylist()
    [1234.5, 7.0]
    >>> infer_written(pa.array(["1.5", "7"]), NumberForm(",", ".")).kind
    'string'
    """
    if form is None:
        return infer(values)
    plain = plain_numbers(values, form)
    if plain is not None and (found := infer(plain)).kind in (*_NUMBERS, "null"):
        return found
    found = infer(values)
    # what only looks like a number of the usual form is none of this one
    return Typed("string", values) if found.kind in _NUMBERS else found


def convert_written(values: pa.Array, kind: str, timezone: str, form: NumberForm | None) -> Typed | None:
    """Text values as one kind; None where any of them does not satisfy it."""
    if form is None or kind not in _NUMBERS:
        return convert(values, kind, timezone)
    plain = plain_numbers(values, form)
    return None if plain is None else convert(plain, kind, timezone)


def plain_numbers(values: pa.Array, form: NumberForm) -> pa.Array | None:
    """Numbers in the usual form, and words for missing ones as they are; None where a value is neither."""
    pattern = _pattern(form)
    # most columns that are no numbers show it in their first values
    for part in (values.slice(0, _LOOKED_AT), values):
        if pc.all(pc.match_substring_regex(part, pattern)).as_py() is False:
            return None
    grouped = pc.replace_substring(values, form.thousands, "") if form.thousands else values
    return grouped if form.decimal == "." else pc.replace_substring(grouped, form.decimal, ".")


def _pattern(form: NumberForm) -> str:
    point = re.escape(form.decimal)
    digits = "[0-9]+"
    if form.thousands:
        digits = f"(?:[0-9]{{1,3}}(?:{re.escape(form.thousands)}[0-9]{{3}})+|[0-9]+)"
    number = f"(?:{digits}(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]+)?"
    words = "|".join(re.escape(word) for word in NULL_SPELLINGS if word)
    return f"^ *(?:[+-]?(?:{number}|(?i:inf|infinity))|(?i:nan)|{words})? *$"
