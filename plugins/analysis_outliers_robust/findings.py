"""What a person should know of far values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin import Context, Finding, State
from toolkit.plugin.inference import q_values
from toolkit.plugin.marked_rows import Link, link_test
from toolkit.plugin.places import MOST_CHUNKS
from toolkit.plugin.wording import percent, quoted, shown

from .targets import FACTORS, Plan, Target

_LISTED = 20
_AMISS = 0.2
"""By how much the shares in the middle half and below the median may differ from those of the column."""
_LOG10_LEVEL = math.log10(0.05)


@dataclass(frozen=True, slots=True)
class Tested:
    """Far values of one side held against a category."""

    target: Target
    place: int
    category: str
    link: Link


def far_values(ctx: Context, plan: Plan, state: State) -> list[Finding]:
    """Facts, those that a factor explains first."""
    found = []
    for i, target in enumerate(plan.targets):
        factor = explained(state["factors"][i], state["whole"][i], target, ctx.params)
        outer = int(state["outer"][i])
        if factor is not None:
            found.append((0, _of_factor(ctx, state, i, target, factor)))
        elif outer:
            found.append((1, _plain(ctx, state, i, target, outer)))
    return [finding for _, finding in sorted(found, key=lambda entry: entry[0])]


def explained(
    counts: npt.NDArray[np.int64], whole: npt.NDArray[np.int64], target: Target, params: dict[str, Any]
) -> int | None:
    """The place of the factor over which far values are spread as the column is; None where there is none.

    Parameters
    ----------
    counts, whole : ndarray of int64, shapes (factors, 3) and (2,)
        See `counts.no_rows`.
    target : Target
        The far values.
    params : dict
        ``least_far`` and ``factor_share``.
    """
    if target.count < params["least_far"]:
        return None
    plausible, middle, lower = counts.T / target.count
    # The tail of a long-tailed column is plausible over some factor too, but bunched together.
    amiss = np.maximum(*(np.abs(s - w / target.fences["count"]) for s, w in zip((middle, lower), whole, strict=True)))
    fit = (plausible >= params["factor_share"]) & (amiss <= _AMISS)
    return int(np.where(fit, np.round(amiss, 9), np.inf).argmin()) if fit.any() else None


def links(ctx: Context, plan: Plan, state: State) -> tuple[list[Finding], list[dict[str, Any]], int]:
    """Findings on links to categories, all links that were tested, and their number."""
    tested = []
    for k, (i, category) in enumerate(plan.pairs):
        found, far = plan.levels[category], state["far"][k]
        if far[:, :-1].sum() < ctx.params["least_far"]:
            continue
        link = link_test(ctx, category, found["levels"], far, found["table"] - state["absent"][k] - far)
        if link is not None:
            tested.append(Tested(plan.targets[i], i, category, link))
    small = [t for t in tested if t.link.log10_p <= _LOG10_LEVEL]
    q = q_values([t.link.log10_p for t in small], len(tested))
    kept = [t for t, b in zip(small, q, strict=True) if b <= 0.05 and t.link.interval[0] > ctx.params["lift"]]
    kept.sort(key=lambda t: -round(t.link.lift, 10))
    listed = [
        {"column": t.target.column, "side": "high" if t.target.high else "low", "category": t.category,
         "log10_p": t.link.log10_p, "lift": t.link.lift, "design_effect": t.link.design_effect} for t in tested
    ]  # fmt: skip
    return [_of_link(ctx, state, t) for t in kept], listed, len(tested)


def _of_factor(ctx: Context, state: State, i: int, target: Target, place: int) -> Finding:
    factor, fit = FACTORS[place], int(state["factors"][i, place, 0])
    name = quoted(target.column)
    text = f"{factor:,.6g}"
    return Finding(
        "unit_factor",
        [target.column],
        f"{_count(target, target.count, float(state['nearest'][i]))}; {fit:,} of them ({percent(fit / target.count)}) "
        f"are plausible when divided by {text}, as if in another unit.",
        f"Divide those values of {name} by {text} if their source writes another unit; don't average {name} before.",
        effect=factor,
        evidence={**_evidence(ctx, state, i, target), "factor": factor, "plausible": fit,
                  "share": fit / target.count},
    )  # fmt: skip


def _plain(ctx: Context, state: State, i: int, target: Target, outer: int) -> Finding:
    name = quoted(target.column)
    return Finding(
        "far_values",
        [target.column],
        f"{_count(target, outer, max(target.outer, float(state['nearest'][i])) if target.high else None)}.",
        f"Look at the rows of these values of {name} and ask how they came about; use the median of {name} meanwhile.",
        effect=outer / target.fences["count"],
        evidence={**_evidence(ctx, state, i, target), "far": outer, "outer_fence": target.outer},
    )


def _of_link(ctx: Context, state: State, tested: Tested) -> Finding:
    target, link = tested.target, tested.link
    name, category = quoted(target.column), quoted(tested.category)
    side = "above" if target.high else "below"
    return Finding(
        "far_values_go_with",
        [target.column, tested.category],
        f"Values of {name} more than 10 robust deviations {side} the median are {link.lift:.2f} times as common "
        f"where {category} is {link.level}: {link.inside:,} of {link.marked:,} such values, in {link.rows:,} of "
        f"{link.of_rows:,} rows.",
        f"Ask what is different about {name} where {category} is {link.level}, and treat these rows apart.",
        effect=link.lift,
        measure="lift",
        interval=link.interval,
        log10_p=link.log10_p,
        evidence={
            **_evidence(ctx, state, tested.place, target),
            "level": link.level,
            "lift": link.lift,
            "far_inside": link.inside,
            "far_with_level": link.marked,
            "rows_inside": link.rows,
            "rows_present": link.of_rows,
            "design_effect": link.design_effect,
        },
    )


def _count(target: Target, count: int, nearest: float | None) -> str:
    found = target.fences
    side, rule = ("above", found["rule_high"]) if target.high else ("below", found["rule_low"])
    farthest = _farthest(target)[0][0]
    ends = [shown(v) for v in ((nearest, farthest) if nearest is not None else (farthest,))]
    span = f"farthest {ends[-1]}" if len(ends) == 1 or ends[0] == ends[1] else f"from {ends[0]} to {ends[1]}"
    how = "" if rule == "mad" else f", taken from the {rule} quantile of distances as most values are equal"
    return (
        f"{count:,} of {found['count']:,} values of {quoted(target.column)} are more than 10 robust deviations {side} "
        f"the median {shown(found['median'])} ({span}{how})"
    )


def _farthest(target: Target) -> list[list[Any]]:
    return list(target.fences["high" if target.high else "low"])


def _evidence(ctx: Context, state: State, i: int, target: Target) -> dict[str, Any]:
    found = target.fences
    farthest = _farthest(target)[:_LISTED]
    rows = sorted(row for _, row in farthest)
    chunks = np.flatnonzero(state["by_chunk"][i]).tolist()
    side = "high" if target.high else "low"
    return {
        "median": found["median"],
        "deviation": found[f"scale_{side}"],
        "deviation_rule": found[f"rule_{side}"],
        "threshold": 10,
        "fence": target.fence,
        "beyond_fence": target.count,
        "nearest": float(state["nearest"][i]),
        "present": found["count"],
        "farthest": [[value if math.isfinite(value) else str(value), row] for value, row in farthest],
        "rows": [[row, row] for row in rows],
        "rows_listed": f"the farthest {len(rows)}" if len(rows) < target.count else "all",
        "chunks": chunks[:MOST_CHUNKS],
        "chunks_with_it": len(chunks),
    }
