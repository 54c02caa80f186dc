"""Arrow's types as logical kinds; nested types are refused by name."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from toolkit.core.errors import BadInputError
from toolkit.ingest.text_types import Typed


def typed(values: pa.Array, where: str) -> Typed:
    """An Arrow array as a logical kind, in one of the forms that staging takes.

    Parameters
    ----------
    values : pyarrow.Array
        Of any type.
    where : str
        Source and column, for errors.

    Raises
    ------
    BadInputError
        When the type has no logical kind; names column and type.
    """
    kind = values.type
    if pa.types.is_dictionary(kind):
        if pa.types.is_string_view(kind.value_type) or pa.types.is_binary_view(kind.value_type):
            # Arrow can't take such a dictionary apart
            plain = pa.string() if pa.types.is_string_view(kind.value_type) else pa.binary()
            return typed(pa.DictionaryArray.from_arrays(values.indices, values.dictionary.cast(plain)), where)
        if pa.types.is_string(kind.value_type) or pa.types.is_large_string(kind.value_type):
            values = _small_dictionary(values)
            return Typed("null", pa.nulls(len(values))) if values.null_count == len(values) else Typed("string", values)
        return typed(values.dictionary_decode(), where)
    if pa.types.is_null(kind) or (len(values) and values.null_count == len(values)):
        return Typed("null", pa.nulls(len(values)))
    if pa.types.is_temporal(kind):
        return _temporal(values, where)
    return _numeric(values) or _textual(values, where)


def as_text(values: pa.Array, where: str) -> pa.Array:
    """Values of any plain type as text, to be read as a declared type.

    Raises
    ------
    BadInputError
        When the type has no text; names column and type.
    """
    found = typed(values, where)
    if found.kind == "null":
        return pa.nulls(len(values), pa.string())
    if found.kind == "binary":
        raise BadInputError(f"{where} is binary and can't be read as a declared type", "leave it out of the types")
    if pa.types.is_dictionary(found.values.type):
        return found.values.dictionary_decode()
    return found.values.cast(pa.string())


def _numeric(values: pa.Array) -> Typed | None:
    kind = values.type
    if pa.types.is_boolean(kind):
        return Typed("bool", values)
    if pa.types.is_integer(kind):
        return Typed("int", values if kind == pa.uint64() else values.cast(pa.int64()))
    if pa.types.is_floating(kind):
        return Typed("float", values.cast(pa.float32()) if kind == pa.float16() else values)
    return Typed("decimal", _decimal_text(values)) if pa.types.is_decimal(kind) else None


def _temporal(values: pa.Array, where: str) -> Typed:
    kind = values.type
    if pa.types.is_date32(kind):
        return Typed("date", values)
    if pa.types.is_date64(kind):
        return Typed("date", values.cast(pa.date32()))
    if pa.types.is_timestamp(kind):
        zone = "UTC" if kind.tz else ""
        return Typed("timestamp", values.cast(pa.timestamp(kind.unit, zone or None)), zone)
    if pa.types.is_time(kind):
        return Typed("time", values)
    if pa.types.is_duration(kind):
        return Typed("duration", values)
    raise BadInputError(f"{where} has the type {kind}, which is not supported", "convert it before, or leave it out")


def _textual(values: pa.Array, where: str) -> Typed:
    kind = values.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return Typed("string", _small(values, pa.string()))
    if (
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
        or pa.types.is_binary_view(kind)
    ):
        return Typed("binary", _small(values, pa.binary()))
    raise BadInputError(
        f"{where} has the type {kind}, which is not supported",
        "leave it out with --columns, or turn it into plain columns before",
    )


def _small(values: pa.Array, target: pa.DataType) -> pa.Array:
    return values if values.type == target else values.cast(target)


def _small_dictionary(values: pa.Array) -> pa.Array:
    if values.dictionary.null_count:
        # a missing value may also be one of the dictionary
        values = values.dictionary_decode().cast(pa.string()).dictionary_encode()
    return values.cast(pa.dictionary(pa.int32(), pa.string()))


def _decimal_text(values: pa.Array) -> pa.Array:
    """Decimals as plain text with all their places: Arrow's own cast writes some with an exponent."""
    scale = values.type.scale
    texts = [None if v is None else f"{v:.{max(scale, 0)}f}" for v in values.to_pylist()]
    return pc.cast(pa.array(texts, pa.string()), pa.string())
