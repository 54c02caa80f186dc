"""Whether a value has the form that the report's schema gives it: the few keywords that a column's fields use.

The library that checks whole reports takes a tenth of a second to load, which every run with a profile would wait for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from toolkit.report.schema import report_schema

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "null": (type(None),),
    "number": (int, float),
    "integer": (int,),
}


def conforms(value: Any, schema: Mapping[str, Any]) -> bool:
    """Whether a plain value conforms to a part of the report's schema.

    Parameters
    ----------
    value : tree
        Of plain values.
    schema : mapping
        With the keywords ``$ref``, ``type``, ``enum``, ``minimum``, ``items``, ``properties``, ``required``,
        ``propertyNames`` and ``additionalProperties``; others are not looked at.

    Examples
    --------
    >>> conforms(-1, {"type": ["integer", "null"], "minimum": 0})
    False
    """
    if "$ref" in schema:
        return conforms(value, report_schema()["$defs"][schema["$ref"].rpartition("/")[2]])
    if "enum" in schema and value not in schema["enum"]:
        return False
    if "type" in schema and not _is_of(value, schema["type"]):
        return False
    if "minimum" in schema and isinstance(value, int | float) and value < schema["minimum"]:
        return False
    if isinstance(value, list):
        return all(conforms(item, schema.get("items", {})) for item in value)
    if isinstance(value, dict):
        return _object_conforms(value, schema)
    return True


def _is_of(value: Any, types: str | list[str]) -> bool:
    names = [types] if isinstance(types, str) else types
    if isinstance(value, bool):
        return "boolean" in names
    whole = isinstance(value, float) and value.is_integer()  # to a JSON Schema, 1.0 is an integer
    return (whole and "integer" in names) or any(isinstance(value, _TYPES[name]) for name in names)


def _object_conforms(value: dict[str, Any], schema: Mapping[str, Any]) -> bool:
    known, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    if any(name not in value for name in schema.get("required", ())):
        return False
    pattern = schema.get("propertyNames", {}).get("pattern", "")
    for name, item in value.items():
        if not re.search(pattern, name):
            return False
        part = known.get(name, others)
        if part is False or (isinstance(part, dict) and not conforms(item, part)):
            return False
    return True
