"""What counts as far outside, by column and side, and what the far values are held against."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin import Context, select_pairs

FACTORS = (10.0, 100.0, 1000.0, 1e4, 1e6, 60.0, 3600.0, 2.54, 1 / 0.45359237)
"""Powers of ten, minutes or seconds of an hour, centimetres of an inch, pounds of a kilogram."""

FAR = 2
"""Which of the kernel's fences is meant: 10 robust deviations."""

SKIPPED = ("id", "key candidate", "constant", "empty")
_CATEGORIES = ("category", "flag", "code")
_QUARTILE = 0.6744897501960817

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Target:
    """One side of one column that has values beyond its fence.

    Attributes
    ----------
    column : str
        The column.
    high : bool
        Which side.
    fence : float
        Values beyond it are 10 robust deviations away from the median.
    outer : float
        Beyond it they are so on the scale of the logarithm too; the fence itself where the column is not positive.
    count : int
        Values beyond the fence.
    plausible : tuple of float
        Values within 3.5 robust deviations.
    quartiles : tuple of float
        The middle half of all values.
    fences : dict
        Result of the kernel ``extreme_rows``.
    """

    column: str
    high: bool
    fence: float
    outer: float
    count: int
    plausible: tuple[float, float]
    quartiles: tuple[float, float]
    fences: Mapping[str, Any]

    def far(self, values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        """Which values are beyond the fence; NaN is not."""
        return values > self.fence if self.high else values < self.fence


@dataclass(frozen=True, slots=True)
class Plan:
    """What is counted in the pass over the rows; the same in every process."""

    targets: list[Target]
    pairs: list[tuple[int, str]]
    levels: dict[str, Mapping[str, Any]]


def make_plan(ctx: Context) -> Plan:
    """Choose sides of columns with far values, and the categories that they are held against."""
    known = ctx.results["profile_basic"].data["columns"] if "profile_basic" in ctx.results else []
    roles = {entry["name"]: entry.get("role") for entry in known}
    targets = []
    for name in ctx.columns():
        if roles.get(name) not in SKIPPED and ctx.has_kernel("extreme_rows", name):
            targets += sides(ctx, name)
    categories = {c: ctx.kernel("block_codes", c) for (c,) in ctx.kernel_columns("block_codes")}
    levels = {
        name: found
        for name, found in categories.items()
        if roles.get(name, "category") in _CATEGORIES and found["levels"]["levels"] >= 2
    }
    large = [t for t in targets if t.count >= ctx.params["least_far"]]
    columns = list(dict.fromkeys(t.column for t in large))
    chosen, left_out = select_pairs(columns, ctx.budget.max_pairs, list(levels))
    if left_out is not None:
        ctx.omit(left_out)
    ctx.cover("pairs", len(columns) * len(levels), len(chosen))
    kept = set(chosen)
    pairs = [(i, c) for i, t in enumerate(targets) for c in levels if t in large and (t.column, c) in kept]
    return Plan(targets, pairs, levels)


def sides(ctx: Context, name: str) -> list[Target]:
    """The sides of a column that have values beyond the fence, but not so many that they are no outliers."""
    found, order = ctx.kernel("extreme_rows", name), ctx.kernel("order", name)
    if not found["fences"]:
        return []
    at = dict(zip(order["probabilities"], order["quantiles"], strict=True))
    quartiles = float(at[0.25]), float(at[0.75])
    near = tuple(float(v) for v in found["fences"][0])
    out = []
    for high in (False, True):
        count = int(found["above" if high else "below"][FAR])
        scale = found["scale_high" if high else "scale_low"]
        if not count or not scale or count > ctx.params["most_far"] * found["count"]:
            continue
        fence = float(found["fences"][FAR][high])
        outer = fence
        if high and order["min"] >= 0 and found["median"] > 0 and quartiles[1] > found["median"]:
            spread = math.log(quartiles[1] / found["median"]) / _QUARTILE
            reach = min(ctx.params["log_distance"] * spread, 600.0)
            outer = max(fence, float(found["median"]) * math.exp(reach))
        out.append(Target(name, high, fence, outer, count, (near[0], near[1]), quartiles, found))
    return out
