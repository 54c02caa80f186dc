"""Numbers in a finding's sentence that its evidence does not have."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_NUMBER = re.compile(r"(?<![\w.])[-+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")
_QUOTED = re.compile(r'"[^"]*"|`[^`]*`')
_CONSTANTS = frozenset({95.0, 100.0})
"""Of "95 % interval" and of "all", which are no findings."""


def unsupported_numbers(finding: Mapping[str, Any]) -> list[str]:
    """Numbers that are neither in the evidence, effect or interval, nor follow by rounding, percent or counting.

    Names of columns and values, which may hold digits, are taken out first, as they are no figures.
    """
    sentence = _QUOTED.sub(" ", finding["sentence"])
    for name in sorted(_texts(finding), key=len, reverse=True):
        sentence = sentence.replace(name, " ")
    known = list(_numbers([finding["evidence"], finding["effect"], finding["interval"], len(finding["columns"])]))
    return [text for text in _NUMBER.findall(sentence) if not _supported(text, known)]


def _supported(text: str, known: list[float]) -> bool:
    value = abs(float(text.replace(",", "")))
    if value in _CONSTANTS:
        return True
    mantissa, _, exponent = text.lstrip("+-").replace(",", "").partition("e")
    digits = len(mantissa.partition(".")[2])
    unit = 10.0 ** (int(exponent or 0) - digits)
    return any(_is_rounded(value, abs(k), unit if digits or exponent else 0.0) for k in _forms(known))


def _is_rounded(value: float, known: float, unit: float) -> bool:
    """Whether a number is another one rounded to a unit; without one, to a whole number."""
    reach = unit or (0.0 if known.is_integer() else 1.0)
    return abs(known - value) <= 0.5000001 * reach


def _forms(known: list[float]) -> Iterator[float]:
    for k in known:
        yield k
        yield 100.0 * k
        yield 100.0 * (1.0 - k)


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, int | float):
        yield float(value)
    elif isinstance(value, str):
        yield from (float(t.replace(",", "")) for t in _NUMBER.findall(value))
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _numbers(item)
    elif isinstance(value, list | tuple):
        yield float(len(value))
        for item in value:
            yield from _numbers(item)


def _texts(finding: Mapping[str, Any]) -> set[str]:
    """Names of columns and texts of the evidence that have a digit and could be taken for a figure."""
    found = {str(name) for name in finding["columns"]}

    def walk(value: Any) -> None:
        if isinstance(value, str) and len(value) > 2:
            found.add(value)
        elif isinstance(value, Mapping):
            for item in value.values():
                walk(item)
        elif isinstance(value, list | tuple):
            for item in value:
                walk(item)

    walk(finding["evidence"])
    return {text for text in found if any(c.isdigit() for c in text)}
