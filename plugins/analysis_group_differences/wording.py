"""The finding on a group, in words."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from toolkit.plugin import Context, Finding, round_significant
from toolkit.plugin.places import block_places
from toolkit.plugin.wording import percent, quoted, shown

from .comparison import Comparison, delta_of
from .pair import Pair
from .ranges import medians_of, ranges_of
from .textbook import games_howell

MOST_LISTED = 10
"""Groups of one pair that stand in the evidence."""

MOST_COMPARED = 5
"""Groups that the one that differs most is compared with, each by itself."""


def finding_of(ctx: Context, pair: Pair, lasting: list[Comparison]) -> Finding:
    """Say which group differs most; further ones stand in the evidence.

    Parameters
    ----------
    ctx : Context
        For rows and chunks.
    pair : Pair
        The columns.
    lasting : list of Comparison
        Groups of the pair that differ, all in level or all in spread; at least one.
    """
    ordered = sorted(lasting, key=lambda c: (-round_significant(_nearest(c)), c.place))
    top = ordered[0]
    told = _level(pair, top) if top.what == "level" else _spread(pair, top)
    further = len(ordered) - 1
    sentence = told.pop("sentence")
    if further:
        sentence += f" {further} more of its values differ{'s' if further == 1 else ''} for sure."
    b, a = quoted(pair.value), quoted(pair.group)
    label = _label(pair, top.place)
    shape = "level" if top.what == "level" else "spread"
    entries = [c.to_json(pair) for c in ordered[:MOST_LISTED]]
    evidence: dict[str, Any] = {**told, "groups": entries, "further": further, "values": len(pair.levels.labels)}
    evidence |= block_places(ctx.grid, np.flatnonzero(pair.sums[:, 0, top.place]).tolist())
    first = entries[0]
    return Finding(
        f"group_{shape}",
        [pair.group, pair.value],
        sentence,
        f"Look at the rows with {a} = {shown(label)}, and judge {b} within each value of {a}, not over all rows.",
        effect=first["hedges_g" if top.what == "level" else "ratio"],
        measure="hedges_g" if top.what == "level" else "spread_ratio",
        interval=(first["interval"][0], first["interval"][1]),
        log10_p=top.log10_p,
        evidence=evidence,
        references=["10.3102/10769986006002107" if shape == "level" else "10.1080/01621459.1974.10482955"],
    )


def _nearest(found: Comparison) -> float:
    """Distance from zero of the interval's nearer end."""
    return min(abs(end) for end in found.interval)


def _level(pair: Pair, top: Comparison) -> dict[str, Any]:
    moments, k = pair.moments, top.place
    rest_n = moments.n.sum() - moments.n[k]
    offset = float(moments.offset[k])
    elsewhere = pair.mean - offset * float(moments.n[k]) / float(rest_n)  # offsets of all groups sum to 0
    medians = medians_of(pair, k)
    between = moments.n * moments.offset**2
    explained = float(between.sum() / (between.sum() + moments.m2.sum()))
    share, delta = float(between[k] / between.sum()), delta_of(pair, k)
    low, high = top.interval
    a, b, label = quoted(pair.group), quoted(pair.value), shown(_label(pair, k))
    side = "higher" if top.effect > 0 else "lower"
    sentence = (
        f"{b} is {side} where {a} is {label}: "
        f"mean {_number(pair.mean + offset)} against {_number(elsewhere)} elsewhere, "
        f"median {_number(medians[0])} against {_number(medians[1])} "
        f"(Hedges' g {top.effect:.2f}, 95 % interval {low:.2f} to {high:.2f}, over {int(moments.n.sum()):,} rows). "
        f"The {len(pair.levels.labels)} values of {a} make up {percent(explained)} of its variance, "
        f"{label} {percent(share)} of that."
    )
    return {
        "sentence": sentence,
        "rows_of_group": int(moments.n[k]),
        "rows_of_all": int(moments.n.sum()),
        "mean": pair.mean + offset,
        "mean_elsewhere": elsewhere,
        "median": medians[0],
        "median_elsewhere": medians[1],
        "cliffs_delta": delta,
        "eta_squared": explained,
        "share_of_between": share,
        "games_howell": _by_twos(pair, k),
    }


def _by_twos(pair: Pair, top: int) -> list[dict[str, Any]]:
    """A group against the largest of the others, two by two, as for independent rows."""
    n = pair.moments.n
    others = sorted((k for k in range(len(n)) if k != top and n[k] > 1), key=lambda k: (-n[k], k))[:MOST_COMPARED]
    return [{"group": _label(pair, k), **games_howell(pair.moments, top, k)} for k in others]


def _spread(pair: Pair, top: Comparison) -> dict[str, Any]:
    k = top.place
    n, sums = (pair.distance_sums[:, i].sum(axis=0) for i in (0, 1))
    own = float(sums[k] / n[k]) * pair.scale
    rest = float((sums.sum() - sums[k]) / (n.sum() - n[k])) * pair.scale
    middle = ranges_of(pair, k)
    ratio, low, high = (math.exp(min(x, 700.0)) for x in (top.effect, *top.interval))
    a, b, label = quoted(pair.group), quoted(pair.value), shown(_label(pair, k))
    side = "more" if top.effect > 0 else "less"
    sentence = (
        f"{b} is {side} spread where {a} is {label}: values are {_number(own)} from their group's median on average, "
        f"against {_number(rest)} elsewhere ({ratio:.3g} times, 95 % interval {low:.3g} to {high:.3g}, "
        f"over {int(n.sum()):,} rows); the interquartile range is {_number(middle[0])} against {_number(middle[1])}."
    )
    return {
        "sentence": sentence,
        "interquartile_range": middle[0],
        "interquartile_range_elsewhere": middle[1],
        "rows_of_group": int(n[k]),
        "rows_of_all": int(n.sum()),
        "mean_distance": own,
        "mean_distance_elsewhere": rest,
    }


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.6g}"


def _label(pair: Pair, place: int) -> Any:
    label = pair.levels.labels[place]
    return label if isinstance(label, bool) else str(label)
