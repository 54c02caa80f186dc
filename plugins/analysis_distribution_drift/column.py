"""What changes in one column: the level and spread of a number, or the shares of categories."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from toolkit.plugin import Context
from toolkit.plugin.inference import ks_distance, stability_index, wasserstein_bounds
from toolkit.plugin.kept_levels import kept_levels, mostly_pooled

from .changes import Change, find_change

Counts = npt.NDArray[np.int64]

FOLLOWS_ROWS = 0.95
"""Share of the variance of ranks between blocks from which a number stands for the place of its row."""

_FEWEST_IN_ORDER = 8
"""Values, and rows of a block, that it takes to tell an order of the rows from a few changes."""

_FEWEST_IN_A_BLOCK = 5
_MIDDLE = 0.25
"""Mean distance of ranks from the middle one, where all ranks are equally frequent."""


@dataclass(frozen=True, slots=True)
class Drift:
    """A tested change.

    Attributes
    ----------
    column : str
        The column.
    what : str
        ``level``: the effect is Cliff's delta of later against earlier rows. ``spread``: the change of ranks' mean
        distance from the middle one, relative to that of all rows. ``share``: the change of a category's share.
    value : Any
        The category.
    change : Change
        As it was found, in the unit of the blocks' statistic.
    effect, interval : float, tuple of float
        In the unit that ``what`` states.
    sides : dict
        Figures of earlier and later rows.
    """

    column: str
    what: Literal["level", "spread", "share"]
    value: Any
    change: Change
    effect: float
    interval: tuple[float, float]
    sides: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "what": self.what,
            "value": self.value,
            "effect": self.effect,
            "interval": list(self.interval),
            "log10_p": self.change.log10_p,
            "first_block_after": self.change.split,
            "blocks": self.change.blocks,
            **self.sides,
        }


def number_drifts(ctx: Context, name: str, codes: Mapping[str, Any]) -> list[Drift] | None:
    """Test level and spread of a number; None where it follows the order of the rows."""
    table, levels = codes["table"][:, :-1], codes["levels"]
    total, sizes = table.sum(axis=0), table.sum(axis=1).astype(np.float64)
    if np.count_nonzero(total) < 2:
        return []
    # Mid-ranks on the unit interval: of all rows the mean is one half.
    ranks = (np.cumsum(total) - total / 2.0) / total.sum()
    sums = table @ ranks
    if _share_between(table, ranks, sums, sizes) > FOLLOWS_ROWS:
        return None
    out = []
    level = find_change(sums, sizes)
    if level is not None:
        sides = _number_sides(ctx, name, table, levels, level)
        out.append(_scaled(name, "level", None, level, 2.0, sides))
    spread = find_change(table @ np.abs(ranks - 0.5), sizes, 0.5)
    if spread is not None:
        sides = _number_sides(ctx, name, table, levels, spread)
        out.append(_scaled(name, "spread", None, spread, 1.0 / _MIDDLE, sides))
    return out


def category_drifts(ctx: Context, name: str, codes: Mapping[str, Any]) -> list[Drift]:
    """Test the share of each category that is not rare; of two, one is enough."""
    table, levels = codes["table"][:, :-1], codes["levels"]
    total = table.sum(axis=0)
    if not total.sum() or mostly_pooled(levels):
        return []
    kept = kept_levels(ctx, name, levels, total)
    counts = kept.fold(table, 1)
    rows, sizes = counts.sum(axis=0), counts.sum(axis=1).astype(np.float64)
    least = max(ctx.params["rare"] * int(rows.sum()), _FEWEST_IN_A_BLOCK * len(table))
    tested = [k for k in range(kept.own) if least <= rows[k] < rows.sum()]
    if len(kept.labels) == 2:
        tested = tested[:1]
    out = []
    for k in tested:
        change = find_change(counts[:, k].astype(np.float64), sizes)
        if change is None:
            continue
        before, after = (counts[at].sum(axis=0) for at in _parts(change))
        sides = {
            "share_before": int(before[k]) / int(before.sum()),
            "share_after": int(after[k]) / int(after.sum()),
            "rows_before": int(before[k]),
            "rows_after": int(after[k]),
            "stability_index": stability_index(before, after, len(before)),
            "jensen_shannon": jensen_shannon(before, after),
        }
        label = kept.labels[k]
        label = label if isinstance(label, bool) else str(label)
        out.append(_scaled(name, "share", label, change, 1.0, sides))
    return out


def jensen_shannon(first: Counts, second: Counts) -> float:
    """Divergence of two distributions in bits, from 0 to 1; 10.1109/18.61115.

    Examples
    --------
    >>> jensen_shannon(np.array([5, 0]), np.array([0, 5]))
    1.0
    """
    p, q = first / first.sum(), second / second.sum()
    middle = (p + q) / 2.0
    parts = [
        x * math.log2(x / m) / 2.0
        for side in (p, q)
        for x, m in zip(side.tolist(), middle.tolist(), strict=True)
        if x > 0
    ]
    return max(math.fsum(parts), 0.0)


def _scaled(column: str, what: Any, value: Any, change: Change, unit: float, sides: Mapping[str, Any]) -> Drift:
    low, high = (unit * end for end in change.interval)
    return Drift(column, what, value, change, unit * (change.after - change.before), (low, high), sides)


def _parts(change: Change) -> tuple[slice, slice]:
    return slice(0, change.split), slice(change.split, None)


def _number_sides(ctx: Context, name: str, table: Counts, levels: Mapping[str, Any], change: Change) -> dict[str, Any]:
    before, after = (table[part].sum(axis=0) for part in _parts(change))
    found: dict[str, Any] = {
        f"{what}_{side}": _quantile(counts, levels, probability)
        for side, counts in (("before", before), ("after", after))
        for what, probability in (("lower_quartile", 0.25), ("median", 0.5), ("upper_quartile", 0.75))
    }
    found |= {"rows_before": int(before.sum()), "rows_after": int(after.sum())}
    found |= {"stability_index": stability_index(before, after), "ks_distance": ks_distance(before, after)}
    found |= {"jensen_shannon": jensen_shannon(before, after), "wasserstein": None}
    edges, deviation = ctx.kernel("extremes", name), ctx.kernel("moments", name)["std"]
    cuts = [float(c) for c in levels["cuts"].tolist()]
    ends = np.array([float(edges["min"]), *cuts, float(edges["max"])])
    if deviation and np.isfinite(ends).all() and math.isfinite(float(ends[-1]) - float(ends[0])):
        found["wasserstein"] = [bound / deviation for bound in _distance(before, after, levels, ends)]
    return found


def _distance(before: Counts, after: Counts, levels: Mapping[str, Any], ends: Any) -> tuple[float, float]:
    """Bounds of Wasserstein's distance; equal where each level is one value."""
    if levels["values"] is None:
        return wasserstein_bounds(before, after, ends)
    gaps = np.abs(np.cumsum(before) / before.sum() - np.cumsum(after) / after.sum())[:-1]
    exact = math.fsum((gaps * np.diff([float(v) for v in levels["values"]])).tolist())
    return exact, exact


def _quantile(counts: Counts, levels: Mapping[str, Any], probability: float) -> float:
    """Upper end of the range that holds a quantile (of the last range, the lower end), or the value itself."""
    at = int(np.searchsorted(np.cumsum(counts), max(1, math.ceil(probability * int(counts.sum())))))
    if levels["values"] is not None:
        return float(levels["values"][at])
    return float(levels["cuts"][min(at, len(levels["cuts"]) - 1)])


def _share_between(table: Counts, ranks: Any, sums: Any, sizes: Any) -> float:
    """Share of the variance of ranks that lies between the blocks of rows."""
    held = sizes > 0
    squares = float((table.sum(axis=0) * (ranks - 0.5) ** 2).sum())
    between = float(((sums[held] - 0.5 * sizes[held]) ** 2 / sizes[held]).sum())
    if np.count_nonzero(table.sum(axis=0)) < _FEWEST_IN_ORDER or sizes.sum() < _FEWEST_IN_ORDER * sizes.size:
        return 0.0
    return between / squares
