"""Numbers and values as a person reads them."""

from __future__ import annotations

import re
from typing import Any

_FOUR_DIGITS = 10_000
_MIDNIGHT = re.compile(r"(?<=\d{4}-\d\d-\d\d)T00:00:00(?:\.0+)?Z?\Z")


def number(value: Any) -> str:
    """Write a count with its thousands set apart, or a measure to five significant digits.

    Examples
    --------
    >>> number(1234567), number(0.1234567), number(250000.75), number(None)
    ('1,234,567', '0.12346', '250,001', '')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) < 10**12 else f"{value:.5g}"
    if isinstance(value, float):
        return f"{value:,.0f}" if 1e5 <= abs(value) < 1e9 else f"{value:.5g}"
    return str(value)


def value_text(value: Any) -> str:
    """Write a value of a column: years and codes keep their four digits together, midnight is left out.

    Examples
    --------
    >>> value_text(2011), value_text(20110), value_text("2024-01-31T00:00:00"), value_text("")
    ('2011', '20,110', '2024-01-31', '(empty)')
    """
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _FOUR_DIGITS:
        return str(value)
    if isinstance(value, str):
        return _MIDNIGHT.sub("", value) or "(empty)"
    return number(value)


def share(part: int | None, whole: int) -> str:
    """Write a share in percent; only none and all are shown as 0 % and 100 %.

    Examples
    --------
    >>> share(1, 3), share(1, 10**6), share(0, 5), share(None, 5)
    ('33.3 %', '< 0.1 %', '0 %', '')
    """
    if part is None:
        return ""
    if part in (0, whole) or not whole:
        return "100 %" if part else "0 %"
    percent = 100 * part / whole
    if percent < 0.05:
        return "< 0.1 %"
    return "> 99.9 %" if percent >= 99.95 else f"{percent:.1f} %"


def probability(value: float) -> str:
    """Write a p-value or q-value after its letter.

    Examples
    --------
    >>> probability(0.01234), probability(0.0)
    ('= 0.012', '< 1e-300')
    """
    return "< 1e-300" if value < 1e-300 else f"= {value:.2g}"
