"""The Arrow types that a source declared, which a store's canonical widths do not keep, from its source record."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from toolkit.readers.plain_arrow import NOT_NULL

_PLAIN: dict[str, pa.DataType] = {
    str(t): t
    for t in (
        pa.bool_(), pa.null(), pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(),
        pa.uint64(), pa.float16(), pa.float32(), pa.float64(), pa.string(), pa.large_string(), pa.string_view(),
        pa.binary(), pa.large_binary(), pa.binary_view(), pa.date32(), pa.date64(),
    )
} | {"float32": pa.float32(), "float64": pa.float64()}  # fmt: skip
_TIMES = {
    "time32": pa.time32,
    "time64": pa.time64,
    "duration": pa.duration,
    "timestamp": pa.timestamp,
}
_DECIMALS = {"32": pa.decimal32, "64": pa.decimal64, "128": pa.decimal128, "256": pa.decimal256}
_TIME = re.compile(r"(time32|time64|duration|timestamp)\[(s|ms|us|ns)(?:, tz=(.+))?\]")
_DECIMAL = re.compile(r"decimal(32|64|128|256)\((\d+), ?(-?\d+)\)")
_FIXED = re.compile(r"fixed_size_binary\[(\d+)\]")
_DICTIONARY = re.compile(r"dictionary<values=(.+), indices=(u?int\d+), ordered=([01])>")


@dataclass(frozen=True, slots=True)
class DeclaredType:
    """What a source said of a column.

    Attributes
    ----------
    type : pyarrow.DataType
        Its type.
    nullable : bool
        Whether a value may be missing.
    labels : pyarrow.Array or None
        Of a dictionary: its values in their order.
    """

    type: pa.DataType
    nullable: bool
    labels: pa.Array | None = None


def declared_types(store: Path) -> tuple[str, dict[str, DeclaredType]]:
    """What the newest source of a store that has types of its own said of its columns.

    Parameters
    ----------
    store : Path
        A store below ``stores``; the records are looked for in ``sources`` beside that folder.

    Returns
    -------
    tuple of str and dict
        The source's name, and its types by name of column; empty where no source has any.
    """
    records = sorted(_records(store), key=lambda r: (str(r.get("converted_at")), str(r.get("name"))), reverse=True)
    for record in records:
        found = {}
        for entry in record.get("types", []):
            declared = _declared(entry)
            if declared is not None:
                found[str(entry["column"])] = declared
        if found:
            return str(record.get("name")), found
    return "", {}


def _records(store: Path) -> Iterator[dict[str, Any]]:
    for path in sorted((store.absolute().parent.parent / "sources").glob("*.json")):
        try:
            record = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(record, dict) and record.get("store") == store.name:
            yield record


def _declared(entry: dict[str, Any]) -> DeclaredType | None:
    text = str(entry.get("declared", ""))
    kind = arrow_type_named(text.removesuffix(NOT_NULL))
    if kind is None:
        return None
    labels = None
    if pa.types.is_dictionary(kind):
        try:
            labels = pa.array(entry.get("labels"), kind.value_type)
        except (pa.ArrowException, TypeError, ValueError):
            return None
    return DeclaredType(kind, not text.endswith(NOT_NULL), labels)


def arrow_type_named(text: str) -> pa.DataType | None:
    """The Arrow type that is written like this; None for any other text.

    Examples
    --------
    >>> arrow_type_named("timestamp[ms, tz=Europe/Berlin]")
    TimestampType(timestamp[ms, tz=Europe/Berlin])
    >>> arrow_type_named("INTEGER") is None
    True
    """
    if text in _PLAIN:
        return _PLAIN[text]
    try:
        if match := _TIME.fullmatch(text):
            return _TIMES[match[1]](*(part for part in match.groups()[1:] if part))
        if match := _DECIMAL.fullmatch(text):
            return _DECIMALS[match[1]](int(match[2]), int(match[3]))
        if match := _FIXED.fullmatch(text):
            return pa.binary(int(match[1]))
        if (match := _DICTIONARY.fullmatch(text)) and (values := arrow_type_named(match[1])) is not None:
            return pa.dictionary(_PLAIN[match[2]], values, ordered=match[3] == "1")
    except (ValueError, KeyError, TypeError):
        return None
    return None
