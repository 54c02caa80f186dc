"""How findings write names, values and numbers into sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

LONGEST_TEXT = 120
"""Characters of a text value that are shown."""


def shown(value: Any) -> str:
    """Write a report's scalar into a sentence: text in quotation marks, whole floats as integers.

    Examples
    --------
    >>> shown(-9999), shown(0.25), shown("n/a"), shown(3.0)
    ('-9999', '0.25', '"n/a"', '3')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.10g}"
    return f'"{cut(str(value))}"'


def percent(share: float) -> str:
    """Write a share in percent, with as many digits as it takes not to look like none or all.

    Examples
    --------
    >>> percent(0.93560), percent(0.99999), percent(0.0000123), percent(1.0)
    ('93.6 %', '99.999 %', '0.001 %', '100 %')
    """
    if share in (0.0, 1.0):
        return f"{100 * share:.0f} %"
    for digits in range(1, 9):
        text = f"{100 * share:.{digits}f}"
        if 0.0 < float(text) < 100.0:
            return f"{text} %"
    return f"{100 * share:.3g} %"


def quoted(name: str) -> str:
    """Write a column's name into a sentence, between backticks; long names are cut."""
    return f"`{cut(name)}`"


def cut(text: str) -> str:
    """Cut a long text, and mark it."""
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"


def listed(words: Sequence[str]) -> str:
    """Write several things into a sentence.

    Examples
    --------
    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
