"""Where the bulk of a column's times lies, and the bins that it is divided into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from toolkit.plugin import Context, TimeBins, time_bins

MOST_BINS = 131_072
_OUTER = 0.01


@dataclass(frozen=True, slots=True)
class Bulk:
    """Times of a column without those that are far from all others.

    Attributes
    ----------
    column, unit : str
        The column, and the unit of its values.
    low, high : int
        The middle 98 % of the values.
    first, last : int
        Smallest and largest value that is not far: at most as far from the middle 98 % as those are apart.
    bins : TimeBins
        Equal bins from the first to the last.
    """

    column: str
    unit: str
    low: int
    high: int
    first: int
    last: int
    bins: TimeBins


def bulk_of(ctx: Context, column: str) -> Bulk | None:
    """The bulk of a column; None where it has fewer than two distinct times.

    Omissions are told when the budget makes the bins coarser than 131,072 would.
    """
    order, unit = ctx.kernel("order", column), ctx.schema[column].unit
    if order["min"] is None or order["distinct"] < 2:
        return None
    low, high = (int(_quantile(order, p)) for p in (_OUTER, 1.0 - _OUTER))
    if low == high:  # nearly all are one time: nothing is far from the others
        low, high = int(order["min"]), int(order["max"])
    reach = high - low
    first, last = max(int(order["min"]), low - reach), min(int(order["max"]), high + reach)
    most = MOST_BINS if ctx.budget.max_windows is None else min(MOST_BINS, ctx.budget.max_windows)
    bins = time_bins(first, last, unit, MOST_BINS)
    if most < MOST_BINS:
        ns = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "D": 86_400 * 10**9}[unit]
        capped = time_bins(first, last, unit, most, bins.step * ns)
        if capped.omission is not None:
            ctx.omit(capped.omission)
        bins = capped
    return Bulk(column, unit, low, high, first, last, bins)


def _quantile(order: dict[str, Any], probability: float) -> Any:
    return dict(zip(order["probabilities"], order["quantiles"], strict=True))[probability]
