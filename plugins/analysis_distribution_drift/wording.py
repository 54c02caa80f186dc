"""The finding on a column, in words."""

from __future__ import annotations

from typing import Any

from toolkit.plugin import Context, Finding
from toolkit.plugin.places import block_places
from toolkit.plugin.wording import percent, quoted, shown

from .column import Drift

BLOCKS = 64

MEASURES = {"level": "cliffs_delta", "spread": "spread_change", "share": "share_change"}
"""What effects are; parameters of these names say from where on a change matters."""


def finding_of(ctx: Context, drift: Drift, further: int) -> Finding:
    """Say what changed, from which row on, and how much."""
    row = drift.change.split * ctx.rows // BLOCKS
    told = {"level": _level, "spread": _spread, "share": _share}[drift.what](drift, row)
    size = f"stability index {drift.sides['stability_index']:.2f}"
    if drift.what != "share":
        size += f", Kolmogorov and Smirnov's distance {drift.sides['ks_distance']:.2f}"
    evidence: dict[str, Any] = drift.to_json() | {"row": row, "further": further}
    evidence |= {"rows_of_a_block": ctx.rows // drift.change.blocks}
    evidence |= block_places(ctx.grid, range(drift.change.split, BLOCKS))
    column = quoted(drift.column)
    return Finding(
        f"drift_of_{drift.what}",
        [drift.column],
        f"{told}; {size}).",
        f"Look at what happened to {column} around row {row:,}, and judge it before and after that row apart.",
        effect=drift.effect,
        measure=MEASURES[drift.what],
        interval=drift.interval,
        log10_p=drift.change.log10_p,
        evidence=evidence,
        references=["10.1093/biomet/34.1-2.28"],
    )


def _level(drift: Drift, row: int) -> str:
    sides, (low, high) = drift.sides, drift.interval
    return (
        f"{quoted(drift.column)} is {'higher' if drift.effect > 0 else 'lower'} from about row {row:,} on: "
        f"median {_number(sides['median_before'])} before, {_number(sides['median_after'])} after "
        f"(Cliff's delta {drift.effect:.2f}, 95 % interval {low:.2f} to {high:.2f}"
    )


def _spread(drift: Drift, row: int) -> str:
    sides, (low, high) = drift.sides, drift.interval
    ranges = [f"{_number(sides[f'lower_quartile_{s}'])} to {_number(sides[f'upper_quartile_{s}'])}" for s in _SIDES]
    return (
        f"{quoted(drift.column)} is {'more' if drift.effect > 0 else 'less'} spread from about row {row:,} on: the "
        f"middle half of its values is {ranges[0]} before, {ranges[1]} after (distances of ranks from the middle "
        f"{_signed(100 * drift.effect)} %, 95 % interval {_signed(100 * low)} to {_signed(100 * high)}"
    )


def _share(drift: Drift, row: int) -> str:
    sides, (low, high) = drift.sides, drift.interval
    return (
        f"{shown(drift.value)} is {percent(sides['share_before'])} of {quoted(drift.column)} before about row {row:,} "
        f"and {percent(sides['share_after'])} from there on ({_signed(100 * drift.effect)} points, "
        f"95 % interval {_signed(100 * low)} to {_signed(100 * high)}"
    )


_SIDES = ("before", "after")


def _signed(value: float) -> str:
    return f"{value:+.1f}"


def _number(value: float) -> str:
    return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.6g}"
