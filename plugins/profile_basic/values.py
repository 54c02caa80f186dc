"""Stored values as a report and a sentence have them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from toolkit.plugin import ColumnSpec

LONGEST_TEXT = 120
"""Characters of a text value that are shown."""

_UNITS_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_SECONDS_PER_DAY = 86_400
_LONGEST_BINARY = 32


def scalar(value: Any, spec: ColumnSpec) -> Any:
    """Show a stored value: times as ISO 8601, durations in seconds, long text cut, infinities as text.

    Parameters
    ----------
    value : int, float, bool, str, bytes or None
        As kernels give it: counts of the column's unit for times.
    spec : ColumnSpec
        Its column.

    Examples
    --------
    >>> scalar(86_400_000, ColumnSpec("t", "t", "timestamp", "<i8", unit="ms", timezone="UTC"))
    '1970-01-02T00:00:00.000Z'
    >>> scalar(float("-inf"), ColumnSpec("x", "x", "float", "<f8"))
    '-Infinity'
    """
    if value is None:
        return None
    show = _BY_KIND.get(spec.kind)
    if show is not None:
        return show(value, spec)
    if isinstance(value, bytes):
        rest = "…" if len(value) > _LONGEST_BINARY else ""
        return f"0x{value[:_LONGEST_BINARY].hex()}{rest}"
    if isinstance(value, str):
        return value if len(value) <= LONGEST_TEXT else value[: LONGEST_TEXT - 1] + "…"
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def centre(mean: float | None, spec: ColumnSpec) -> Any:
    """Show a mean; of times it is rounded to the column's unit."""
    if mean is None or spec.kind in ("int", "float", "bool"):
        return mean
    return scalar(mean if spec.kind == "duration" else round(mean), spec)


def spread(std: float | None, spec: ColumnSpec) -> float | None:
    """Show a standard deviation; of times it is in seconds.

    Examples
    --------
    >>> spread(2.0, ColumnSpec("d", "d", "date", "<i4", unit="D"))
    172800.0
    """
    if std is None or not spec.unit:
        return std
    return std * _SECONDS_PER_DAY if spec.unit == "D" else std / _UNITS_PER_SECOND[spec.unit]


def days(value: int, spec: ColumnSpec) -> int:
    """Days since 1970-01-01 of a stored instant."""
    return int(value) // units_per_day(spec)


def units_per_day(spec: ColumnSpec) -> int:
    """How many of a time column's units a day has."""
    return 1 if spec.unit == "D" else _UNITS_PER_SECOND[spec.unit] * _SECONDS_PER_DAY


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
    return f'"{value}"'


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
    return f"`{name if len(name) <= LONGEST_TEXT else name[: LONGEST_TEXT - 1] + '…'}`"


def _instant(value: Any, spec: ColumnSpec) -> str:
    instant = np.array(int(value), np.int64).view(f"M8[{spec.unit}]")
    return f"{instant}{'Z' if spec.timezone else ''}"


def _time_of_day(value: Any, spec: ColumnSpec) -> str:
    per_second = _UNITS_PER_SECOND[spec.unit]
    seconds, rest = divmod(int(value), per_second)
    digits = len(str(per_second)) - 1
    text = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{text}.{rest:0{digits}d}" if digits else text


def _duration(value: Any, spec: ColumnSpec) -> float:
    return float(value / _UNITS_PER_SECOND[spec.unit])


_BY_KIND: dict[str, Callable[[Any, ColumnSpec], Any]] = {
    "bool": lambda value, _: bool(value),
    "timestamp": _instant,
    "date": _instant,
    "time": _time_of_day,
    "duration": _duration,
}
