"""What the series are made of: the column of times, the bins, and the numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from toolkit.plugin import Context, TimeBins, column_facts, omission, rank_columns, row_blocks, time_bins

MOST_BINS = 65_536
"""Bins that are wished for, however many rows there are."""

_NO_SERIES = {
    "id": "it names things",
    "key candidate": "all its values differ, as those of a key do",
    "constant": "it has one value",
    "empty": "it has no value",
}
"""Roles of numbers of which no mean is worth a series, and why."""

_TICK_NS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "D": 86_400 * 10**9}


@dataclass(frozen=True, slots=True)
class Choice:
    """How the table becomes series.

    Attributes
    ----------
    time : str or None
        The column of times; None where bins are blocks of rows.
    numbers : list of str
        Columns whose values are taken, in table order.
    left_out : dict of str to str
        Columns of numbers that are not, and why.
    bins : TimeBins or None
        Bins of time.
    blocks : int
        Blocks of rows, without a time.
    """

    time: str | None
    numbers: list[str]
    left_out: dict[str, str] = field(default_factory=dict)
    bins: TimeBins | None = None
    blocks: int = 0

    @property
    def step_ns(self) -> int:
        """Width of a bin in nanoseconds."""
        assert self.bins is not None
        return self.bins.step * _TICK_NS[self.bins.unit]


def choose(ctx: Context) -> Choice:
    """Choose the time, the numbers and the bins, by what the profile says; caps are recorded."""
    profile = ctx.result("profile_basic").data["columns"]
    numbers, left_out = _numbers(ctx, profile)
    time = _time(ctx, {entry["name"]: entry for entry in profile})
    most = max(1, min(MOST_BINS, ctx.params["max_cells"] // max(1, len(numbers))))
    if most < MOST_BINS and _over(ctx, time, most):
        rule = "coarser bins, so that bins times columns are not more; every row still falls in one"
        ctx.omit(omission("max_cells", ctx.params["max_cells"], MOST_BINS * len(numbers), rule, []))
    if time is None:
        blocks = row_blocks(ctx.rows, ctx.budget.max_windows, most)
        if blocks.omission is not None:
            ctx.omit(blocks.omission)
        return Choice(None, numbers, left_out, None, blocks.count)
    bins = _bins(ctx, time, most)
    return Choice(time, numbers, left_out, bins)


def _numbers(ctx: Context, profile: list[dict[str, Any]]) -> tuple[list[str], dict[str, str]]:
    roles = {entry["name"]: entry["role"] for entry in profile}
    every = ctx.columns("numeric", capped=False)
    left_out = {name: _NO_SERIES[roles[name]] for name in every if roles.get(name) in _NO_SERIES}
    names = [name for name in every if name not in left_out]
    most = ctx.budget.max_cols
    if most is not None and len(names) > most:
        kept = set(rank_columns(names, column_facts(profile), ("measure",))[:most])
        left = [name for name in names if name not in kept]
        rule = "measures first, then most values present, then number of distinct values, then table order"
        ctx.omit(omission("max_cols", most, len(names), rule, left))
        names = [name for name in names if name in kept]
    return names, left_out


def _time(ctx: Context, profile: dict[str, dict[str, Any]]) -> str | None:
    """The column of times; None where there is none, or all its values are one."""
    wished = ctx.params["time_column"]
    places = [name for name in ctx.columns("instant", capped=False) if wished in ("", name)]

    def key(name: str) -> tuple[bool, int]:
        return ctx.schema[name].role != "timestamp", -int(profile[name]["count"])

    for name in sorted(places, key=key):
        ends = ctx.kernel("extremes", name)
        if ends["min"] is not None and ends["min"] < ends["max"]:
            return name
    return None


def _wished(ctx: Context, time: str) -> int:
    """Bins for as many rows as have a time."""
    return max(1, int(ctx.params["bins_per_row"] * ctx.kernel("extremes", time)["count"]))


def _over(ctx: Context, time: str | None, most: int) -> bool:
    return (ctx.rows if time is None else _wished(ctx, time)) > most


def _bins(ctx: Context, time: str, most: int) -> TimeBins:
    ends, unit = ctx.kernel("extremes", time), ctx.schema[time].unit
    low, high = int(ends["min"]), int(ends["max"])
    wished = time_bins(low, high, unit, min(most, _wished(ctx, time)))
    cap = ctx.budget.max_windows
    if cap is None or wished.count <= cap:
        return wished
    found = time_bins(low, high, unit, cap, wished.step * _TICK_NS[unit])
    if found.omission is not None:
        ctx.omit(found.omission)
    return found
