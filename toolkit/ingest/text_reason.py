"""Why a column whose type was to be found out stayed text: the value that is of no other type."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import pyarrow as pa

from toolkit.ingest.number_forms import infer_written
from toolkit.ingest.staging import StagedPart
from toolkit.ingest.text_types import NULL_SPELLINGS
from toolkit.readers.base import NumberForm

_PIECE = 4096
_LONGEST = 40
_SEEN_AT_ONCE = 16
_PLAIN_TEXT = re.compile(r"\A0[0-9]+\Z|[^-+0-9.:TZ aefilnrstuyAEFILNRSTUY]")
"""A number with leading zeros, or a character that no word of another type has."""
_GROUPED = re.compile(r"-?[0-9]{1,3}([., '_])[0-9]{3}(\1[0-9]{3})*([.,][0-9]+)?")


def text_reason(parts: Sequence[StagedPart], position: int, form: NumberForm | None) -> str:
    """What to say of a column of staged text.

    Parameters
    ----------
    parts : sequence of StagedPart
        In order.
    position : int
        Which column.
    form : NumberForm, optional
        How numbers are written in it.
    """
    kinds: set[str] = set()
    for piece in _pieces(parts, position):
        if form is None and (plain := _plain_text(piece)) is not None:
            return _said(plain)
        kind = infer_written(piece, form).kind
        if kind == "string":
            return _said(_first_text(piece, form))
        kinds |= {kind} - {"null"}
    return f"its values read as {', '.join(sorted(kinds)) or 'words for missing ones'}; only text holds all of them"


def _pieces(parts: Sequence[StagedPart], position: int) -> Iterator[pa.Array]:
    for part in parts:
        values = part.column(position)
        if pa.types.is_dictionary(values.type):
            values = values.dictionary
        if pa.types.is_string(values.type):
            yield from (values.slice(start, _PIECE) for start in range(0, len(values), _PIECE))


def _plain_text(piece: pa.Array) -> str | None:
    """One of the first values that is text beyond doubt: finding out by trying takes a thousand times as long."""
    for value in piece.slice(0, _SEEN_AT_ONCE).to_pylist():
        if value and value not in NULL_SPELLINGS and _PLAIN_TEXT.search(value):
            return str(value)
    return None


def _first_text(piece: pa.Array, form: NumberForm | None) -> str | None:
    """The first value that is text by itself; None where only several together are."""
    start, stop = 0, len(piece)
    while stop - start > 1:
        middle = (start + stop) // 2
        if infer_written(piece.slice(start, middle - start), form).kind == "string":
            stop = middle
        else:
            start = middle
    value: str | None = piece[start].as_py()
    found = infer_written(piece.slice(start, 1), form).kind
    return value if found == "string" else None


def _said(value: str | None) -> str:
    if value is None:
        return "its values read as several types; only text holds all of them"
    shown = repr(value if len(value) <= _LONGEST else value[: _LONGEST - 1] + "…")
    if value.isdecimal() and value.startswith("0"):
        return f"{shown} has leading zeros, which a number would lose"
    if _GROUPED.fullmatch(value):
        return f"{shown} is no number, unless --option thousands says what stands between its digits"
    return f"{shown} is neither a boolean, a number, a date nor a time"
