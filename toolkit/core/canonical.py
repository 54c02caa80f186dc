"""One way of writing JSON, so that equal values have equal bytes."""

from __future__ import annotations

import json
import math
from typing import Any

SIGNIFICANT_DIGITS = 10


def canonical_json(value: Any) -> str:
    """Write plain values as JSON with sorted keys and no spaces.

    Floats are written by ``repr``, the shortest text that reads back to the same double; NaN and infinities, which JSON
    does not have, become ``null``.

    Examples
    --------
    >>> canonical_json({"b": 0.1, "a": [1, float("nan")]})
    '{"a":[1,null],"b":0.1}'
    """
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def pretty_json(value: Any) -> str:
    """Write plain values as indented JSON with sorted keys and a final newline."""
    return json.dumps(_plain(value), sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def round_significant(value: float, digits: int = SIGNIFICANT_DIGITS) -> float:
    """Round to significant decimal digits, so that a last-bit difference between processors is not seen.

    Examples
    --------
    >>> round_significant(0.30000000000000004)
    0.3
    """
    if not math.isfinite(value):
        return value
    return float(f"{value:.{digits - 1}e}")


def _plain(value: Any) -> Any:
    if type(value) is float:  # most of what is written are lists of numbers
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if value is None or isinstance(value, bool | str):
        return value
    if hasattr(value, "item"):  # a NumPy scalar
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int | str | bool):
        return value
    raise TypeError(f"{type(value).__name__} has no canonical JSON form")
