"""Whether a value has the form that the report's schema gives it: the few keywords that a column's fields use.

The library that checks whole reports takes a tenth of a second to load, which every run with a profile would wait for.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from toolkit.report.schema import report_schema

Check = Callable[[Any], bool]

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "null": (type(None),),
    "number": (int, float),
    "integer": (int,),
}
_checks: dict[int, tuple[Mapping[str, Any], Check]] = {}
"""By the identity of the schema, which is kept with its check so that no other can come to have it."""


def conforms(value: Any, schema: Mapping[str, Any]) -> bool:
    """Whether a plain value conforms to a part of the report's schema.

    Parameters
    ----------
    value : tree
        Of plain values.
    schema : mapping
        With the keywords ``$ref``, ``type``, ``enum``, ``minimum``, ``maximum``, ``items``, ``minItems``, ``maxItems``,
        ``properties``, ``required``, ``propertyNames`` and ``additionalProperties``; others are not looked at.

    Examples
    --------
    >>> conforms(-1, {"type": ["integer", "null"], "minimum": 0})
    False
    """
    known = _checks.get(id(schema))
    if known is None:
        known = _checks[id(schema)] = (schema, _compiled(schema))
    return known[1](value)


def _compiled(schema: Mapping[str, Any]) -> Check:
    """The check of a schema; wide tables have millions of values, and every keyword is looked up once."""
    if "$ref" in schema:
        return partial(conforms, schema=report_schema()["$defs"][schema["$ref"].rpartition("/")[2]])
    if "enum" in schema:
        among = schema["enum"]
        return lambda value: value in among
    names = schema.get("type", list(_TYPES))
    of_type = _type_check([names] if isinstance(names, str) else names)
    least, most = schema.get("minimum", -math.inf), schema.get("maximum", math.inf)
    fewest, greatest = schema.get("minItems", 0), schema.get("maxItems", math.inf)
    of_list, of_dict = _list_check(schema.get("items", {})), _object_check(schema)

    def check(value: Any) -> bool:
        if not of_type(value):
            return False
        if isinstance(value, int | float):
            return bool(least <= value <= most)
        if isinstance(value, list):
            return fewest <= len(value) <= greatest and of_list(value)
        return of_dict(value) if isinstance(value, dict) else True

    return check


def _type_check(names: Sequence[str]) -> Check:
    exact = {kind for name in names for kind in _TYPES[name]}
    whole = "integer" in names and "number" not in names

    def check(value: Any) -> bool:
        if type(value) in exact:
            return True
        if isinstance(value, bool):
            return False  # which to Python is an integer
        return (whole and isinstance(value, float) and value.is_integer()) or isinstance(value, tuple(exact))

    return check


def _list_check(items: Mapping[str, Any]) -> Check:
    """Every item by the items' check; a list of plain numbers at once."""
    target = report_schema()["$defs"][items["$ref"].rpartition("/")[2]] if "$ref" in items else items
    plain = {int} if target.get("type") == "integer" else {int, float} if target.get("type") == "number" else set()
    least, most = target.get("minimum", -math.inf), target.get("maximum", math.inf)

    def check(value: list[Any]) -> bool:
        if value and set(map(type, value)) <= plain:
            return bool(min(value) >= least and max(value) <= most)
        return all(conforms(item, items) for item in value)

    return check


def _object_check(schema: Mapping[str, Any]) -> Check:
    known, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    required = schema.get("required", ())
    pattern = re.compile(schema.get("propertyNames", {}).get("pattern", ""))

    def check(value: dict[str, Any]) -> bool:
        if any(name not in value for name in required):
            return False
        for name, item in value.items():
            if not pattern.search(name):
                return False
            part = known.get(name, others)
            if part is False or (isinstance(part, dict) and not conforms(item, part)):
                return False
        return True

    return check
