"""Values of columns as the page shows them; report.json has them in full."""

from __future__ import annotations

from typing import Any

from toolkit.report.figures import value_text
from toolkit.report.text_table import cut

_MINUTES = len("2024-01-31T12:59")
_SECONDS = len("2024-01-31T12:59:59")


def brief(value: Any, kind: str, width: int = 20) -> str:
    """Write a value for one line among others: times to the minute.

    Examples
    --------
    >>> brief("2024-01-31T12:59:10.25", "timestamp"), brief("a long text", "string", 6)
    ('2024-01-31 12:59', 'a lon…')
    """
    return _moment(value, _MINUTES) if kind == "timestamp" else cut(value_text(value), width)


def plain(value: Any, kind: str, width: int = 60) -> str:
    """Write a value: times to the second.

    Examples
    --------
    >>> plain("2024-01-31T12:59:10.25Z", "timestamp"), plain("2024-01-31T00:00:00", "timestamp"), plain(2011, "int")
    ('2024-01-31 12:59:10', '2024-01-31', '2011')
    """
    return _moment(value, _SECONDS) if kind == "timestamp" else cut(value_text(value), width)


def _moment(value: Any, digits: int) -> str:
    return cut(value_text(value)[:digits].replace("T", " "), digits)
