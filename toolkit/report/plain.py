"""Trees of plain values: what a report is made of."""

from __future__ import annotations

import math
from typing import Any

from toolkit.core.canonical import round_significant

_AS_THEY_ARE = {int, str, bool, type(None)}
_NUMBERS = {int, float, bool}


def plain_tree(value: Any, *, rounded: bool = False) -> Any:
    """Copy a tree as dicts with text keys, lists, texts, booleans, integers, finite floats and None.

    Parameters
    ----------
    value : tree of dict, list, tuple, str, bool, int, float, None, NumPy scalars and arrays
        Arrays become lists; NaN and infinities, which JSON does not have, become None.
    rounded : bool
        Round floats to 10 significant digits, as findings are.

    Raises
    ------
    TypeError
        For a value of another type.

    Examples
    --------
    >>> plain_tree({"a": (1, float("inf")), 2: 0.1 + 0.2}, rounded=True)
    {'a': [1, None], '2': 0.3}
    """
    if isinstance(value, dict):
        return {str(k): plain_tree(v, rounded=rounded) for k, v in value.items()}
    if isinstance(value, list | tuple):
        kinds = set(map(type, value))
        if kinds <= _AS_THEY_ARE or (kinds <= _NUMBERS and not rounded and all(map(math.isfinite, value))):
            return list(value)  # a long list of plain values at once
        return [plain_tree(v, rounded=rounded) for v in value]
    if hasattr(value, "tolist"):  # NumPy arrays and scalars
        return plain_tree(value.tolist(), rounded=rounded)
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return round_significant(value) if rounded else value
    if value is None or isinstance(value, bool | int | str):
        return value
    raise TypeError(f"a {type(value).__name__} can't be part of a report")
