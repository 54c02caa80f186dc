"""What a person may say of delimited text, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from toolkit.core.errors import UsageError
from toolkit.readers.base import NumberForm
from toolkit.readers.dialect import Dialect, find_dialect
from toolkit.readers.options import ENCODING, ReaderOption, character, one_of, separator, switch

_GROUPING = (",", ".", " ", "'", "_", "\u00a0", "\u202f", "\u2019")

DELIMITED_OPTIONS = (
    ReaderOption("delimiter", "one character, or tab, space, pipe", separator),
    ReaderOption("quote", "one character, or none", character),
    ReaderOption("escape", "one character, or none", character),
    ReaderOption("header", "yes, or no where the first line is a row", switch),
    ReaderOption("decimal", "what stands before the fraction: . or ,", one_of(".", ",")),
    ReaderOption("thousands", "what stands between groups of three digits: , . ' _ or space", one_of(*_GROUPING)),
    ReaderOption("null", "a text that stands for a missing value; may be repeated", str, repeated=True),
    ENCODING,
)


def chosen_dialect(head: bytes, suffix: str, given: Mapping[str, Any]) -> Dialect:
    """The dialect that the options name; what they leave open is found out from the beginning of the file.

    Raises
    ------
    UsageError
        When two of them are one character.
    """
    delimiter = given.get("delimiter", "")
    if "quote" not in given and "escape" not in given:
        return find_dialect(head, suffix, delimiter)
    dialect = Dialect(
        delimiter or find_dialect(head, suffix).delimiter, given.get("quote", '"'), given.get("escape", "")
    )
    marks = [c for c in (dialect.delimiter, dialect.quote, dialect.escape) if c]
    if len(set(marks)) < len(marks):
        raise UsageError(f"delimiter, quote and escape are to differ, not {' '.join(map(repr, marks))}")
    return dialect


def number_form(given: Mapping[str, Any]) -> NumberForm | None:
    """How numbers are written, where the options say so.

    Raises
    ------
    UsageError
        When fractions and groups would be set apart by one character.
    """
    form = NumberForm(given.get("decimal", "."), given.get("thousands", ""))
    if form.decimal == form.thousands:
        raise UsageError(
            f"decimal and thousands are both {form.decimal!r}", "name the other one, too, such as --option decimal=,"
        )
    return None if form == NumberForm() else form


def without_nulls(table: pa.Table, spellings: Sequence[str]) -> pa.Table:
    """A table of text with missing values where a field is exactly one of the spellings."""
    if not spellings:
        return table
    words = pa.array(spellings, pa.string())
    columns = [
        pc.if_else(pc.is_in(c, value_set=words, skip_nulls=True), pa.scalar(None, pa.string()), c)
        for c in table.columns
    ]
    return pa.table(columns, table.column_names)
