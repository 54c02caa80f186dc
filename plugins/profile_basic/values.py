"""Stored values as a report and a sentence have them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from toolkit.plugin import ColumnSpec
from toolkit.plugin.wording import cut

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
        return cut(value)
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
