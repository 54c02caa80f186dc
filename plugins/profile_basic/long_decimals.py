"""Statistics of exact decimal numbers that are stored as long text, without an object for each value."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin import Context, StringBlock

_MOST_DIGITS = 18
_ZERO = ord("0")
_MINUS = ord("-")

Units = npt.NDArray[np.int64]


def long_decimal_statistics(ctx: Context, name: str, scale: int, longest: int) -> dict[str, Any]:
    """Ends, signs and moments, in one more reading of the column.

    Parameters
    ----------
    ctx : Context
        The table.
    name : str
        The column; at least one value is present.
    scale : int
        Digits behind the decimal point, the same in every value.
    longest : int
        Bytes of the longest value.

    Returns
    -------
    dict
        Fields of a report's column; empty where values have more than 18 digits, which 64-bit integers don't hold.

    Notes
    -----
    Values are taken as whole units of their last digit. Powers are summed of the exact differences from the mean of the
    first chunk that has values.
    """
    if longest - (scale > 0) > _MOST_DIGITS:
        return {}
    count = zeros = negatives = pivot = 0
    low: tuple[int, int] | None = None
    high: tuple[int, int] | None = None
    sums: list[list[float]] = [[], [], [], []]
    for chunk in ctx.chunks([name]):
        rows = np.flatnonzero(chunk.valid(name))
        if not rows.size:
            continue
        units = units_of(chunk.strings(name), rows, scale)
        least, most = int(np.argmin(units)), int(np.argmax(units))
        ends = [(int(units[i]), chunk.rows.start + int(rows[i])) for i in (least, most)]
        low = ends[0] if low is None or ends[0][0] < low[0] else low
        high = ends[1] if high is None or ends[1][0] > high[0] else high
        if not count:
            pivot = int(units[0]) + int(np.mean(units - units[0]))
        count += units.size
        zeros += int(np.count_nonzero(units == 0))
        negatives += int(np.count_nonzero(units < 0))
        _add_powers(sums, units - pivot)
    assert low is not None
    assert high is not None
    return {
        "min": decimal_text(low[0], scale),
        "min_row": low[1],
        "max": decimal_text(high[0], scale),
        "max_row": high[1],
        "zeros": zeros,
        "negatives": negatives,
        **_moments([math.fsum(s) / count for s in sums], count, pivot, scale),
    }


def units_of(block: StringBlock, rows: npt.NDArray[np.int64], scale: int) -> Units:
    """Values in units of their last digit.

    Parameters
    ----------
    block : StringBlock
        Canonical decimals of at most 18 digits: a minus sign or none, digits, and ``scale`` digits behind a point.
    rows : ndarray of int64
        Rows within the block that are wanted.
    scale : int
        Digits behind the point.
    """
    starts, lengths = block.starts[rows], block.lengths[rows].astype(np.int64)
    negative = block.payload[starts] == _MINUS
    units = np.zeros(rows.size, np.int64)
    weight = 1
    for place in range(int(lengths.max())):  # from the last character
        if scale and place == scale:
            continue
        inside = place < lengths - negative
        digit = block.payload[np.where(inside, starts + lengths - 1 - place, starts)].astype(np.int64) - _ZERO
        units += np.where(inside, digit, 0) * weight
        weight *= 10
    return np.where(negative, -units, units)


def decimal_text(units: int, scale: int) -> str:
    """Write units of the last digit as a decimal.

    Examples
    --------
    >>> decimal_text(-5, 2), decimal_text(1234, 2), decimal_text(7, 0)
    ('-0.05', '12.34', '7')
    """
    digits = str(abs(units)).rjust(scale + 1, "0")
    text = f"{digits[:-scale]}.{digits[-scale:]}" if scale else digits
    return f"-{text}" if units < 0 else text


def _add_powers(sums: list[list[float]], differences: Units) -> None:
    power = values = differences.astype(np.float64)
    for place in sums:
        place.append(float(power.sum()))
        power = power * values


def _moments(about: list[float], count: int, pivot: int, scale: int) -> dict[str, float | None]:
    """Mean and central moments from the mean powers of the differences from the pivot."""
    offset, second, third, fourth = about
    m2 = second - offset**2
    m3 = third - 3 * offset * second + 2 * offset**3
    m4 = fourth - 4 * offset * third + 6 * offset**2 * second - 3 * offset**4
    unit = 10.0**scale
    spread = m2 > 0
    return {
        "mean": (pivot + offset) / unit,
        "std": math.sqrt(max(m2, 0.0) * count / (count - 1)) / unit if count > 1 else None,
        "skewness": m3 / m2**1.5 if spread else None,
        "kurtosis": m4 / m2**2 - 3 if spread else None,
    }
