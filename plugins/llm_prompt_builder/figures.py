"""Figures that say nothing about a single row: rounded, and of enough rows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from toolkit.plugin import round_significant

_DIGITS = 3
_LARGEST = 1e15

COUNTS = frozenset(
    ("together", "with_if", "with_then", "rows", "count", "n", "matching", "missing", "of", "transactions", "members")
)
SHARES = frozenset(("share", "confidence", "best_shorter_confidence", "cramers_v", "gain", "lift", "prevalence"))
"""Fields of evidence that are aggregates whatever the plugin; all others are left out, as they may hold a value."""


def rounded(value: Any) -> float | None:
    """A number with three significant digits; None for what is no number.

    Examples
    --------
    >>> rounded(7719023451), rounded(0.123456), rounded("7719023451"), rounded(True), rounded(float("nan"))
    (7720000000.0, 0.123, None, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return round_significant(float(value), _DIGITS) if abs(value) < _LARGEST else None


def counted(value: Any, fewest: int) -> int | str | None:
    """A number of rows, or that it is small.

    Examples
    --------
    >>> counted(12345, 10), counted(3, 10), counted(0, 10), counted("x", 10)
    (12300, 'fewer than 10', 0, None)
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        return None
    return f"fewer than {fewest}" if 0 < value < fewest else int(round_significant(float(value), _DIGITS))


def of_evidence(evidence: Mapping[str, Any], fewest: int) -> dict[str, Any]:
    """What of a finding's evidence may be shown."""
    out: dict[str, Any] = {}
    for key in sorted(evidence):
        shown = counted(evidence[key], fewest) if key in COUNTS else rounded(evidence[key]) if key in SHARES else None
        if shown is not None:
            out[key] = shown
    return out


def month(text: Any) -> str | None:
    """Year and month of a time as a report has it.

    Examples
    --------
    >>> month("2024-03-05T10:00:00Z"), month("x"), month(5)
    ('2024-03', None, None)
    """
    if not isinstance(text, str) or len(text) < 8 or text[4] != "-" or text[7] != "-":
        return None
    year, number = text[:4], text[5:7]
    return f"{year}-{number}" if year.isdigit() and number.isdigit() and text.isascii() else None
