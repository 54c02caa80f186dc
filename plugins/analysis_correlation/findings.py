"""What a person should know of pairs of columns."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from toolkit.plugin import ChunkGrid, Finding
from toolkit.plugin.inference import beyond
from toolkit.plugin.places import block_places
from toolkit.plugin.wording import quoted

if TYPE_CHECKING:
    from .plugin import Pair

_ALL = range(64)
_STRONG = 0.9


def findings_of(pairs: Iterable[Pair], grid: ChunkGrid, params: Mapping[str, Any]) -> list[Finding]:
    """Copies first, then relations that change, then the strongest links."""
    found = [(rank, f) for pair in pairs for rank, f in _of(pair, grid, params)]
    found.sort(key=lambda entry: (entry[0], -round(abs(entry[1].effect or 0.0), 10)))
    return [f for _, f in found]


def _of(pair: Pair, grid: ChunkGrid, params: Mapping[str, Any]) -> Iterator[tuple[int, Finding]]:
    if abs(pair.r) >= params["copy"] and math.isfinite(pair.intercept):
        yield 0, _copy(pair, grid)
        return
    least = params["correlation"]
    change = pair.change
    if change and "change" in pair.significant and beyond(*change.interval, params["correlation_change"]):
        yield 1, _changed(pair, grid, least)
        return
    monotone = "spearman" in pair.significant and beyond(*pair.rho_interval, least)
    within = "within" in pair.significant and beyond(*pair.within_interval, least)
    if monotone and within and pair.within * pair.rho < 0:
        yield 2, _reversed(pair, grid)
    if "r" in pair.significant and beyond(*pair.r_interval, least):
        yield 3, _linked(pair, grid, "r")
    elif monotone:
        yield 3, _linked(pair, grid, "spearman")


def _linked(pair: Pair, grid: ChunkGrid, which: str) -> Finding:
    a, b = map(quoted, pair.columns)
    value, ends = (pair.r, pair.r_interval) if which == "r" else (pair.rho, pair.rho_interval)
    together = "rise together" if value > 0 else "go opposite ways"
    span = f"(95 % {ends[0]:.3f} to {ends[1]:.3f})"
    ranks = f"Spearman {pair.rho:.3f}" + (f" to within {pair.rho_error:.2g}" if pair.rho_error else "")
    said = (
        f"r = {pair.r:.3f} {span}, {ranks}"
        if which == "r"
        else f"{ranks} {span}, but r = {pair.r:.3f}: no straight line, or few rows hide it"
    )
    partial = ""
    if pair.partial is not None:
        partial = f"; with the other numbers held fixed {pair.partial:.3f}"
    if abs(value) >= _STRONG:
        advice = f"Use {a} or {b} in a model, not both, and ask whether one is computed from the other."
    elif which == "spearman":
        advice = f"Plot {b} against {a} on ranks or logarithms before you fit a line."
    else:
        advice = f"Plot {b} against {a}, and keep {a} in any comparison of {b} between groups."
    return Finding(
        "correlated" if which == "r" else "correlated_ranks",
        list(pair.columns),
        f"{a} and {b} {together}: {said}{partial}, in {pair.n:,} rows.",
        advice,
        effect=value,
        measure="correlation",
        interval=ends,
        log10_p=pair.log10_p[which],
        evidence={**_figures(pair), **block_places(grid, _ALL)},
    )


def _copy(pair: Pair, grid: ChunkGrid) -> Finding:
    a, b = map(quoted, pair.columns)
    sign = "+" if pair.intercept >= 0 else "-"
    line = f"{b} = {pair.slope:.6g} × {a} {sign} {abs(pair.intercept):.6g}"
    short = 1.0 - abs(pair.r)
    exact = "to the last digits" if short < 1e-12 else f"but for a share of {1 - pair.r**2:.2g} of its variance"
    return Finding(
        "near_copy",
        list(pair.columns),
        f"{b} is {a} over again in {pair.n:,} rows: {line}, {exact}.",
        f"Keep one of {a} and {b}; if they should differ, look for the step that copies one to the other.",
        effect=pair.r,
        evidence={
            **_figures(pair),
            "slope": pair.slope,
            "intercept": pair.intercept,
            "unexplained": 1 - pair.r**2,
            **block_places(grid, _ALL),
        },
    )


def _changed(pair: Pair, grid: ChunkGrid, least: float) -> Finding:
    a, b = map(quoted, pair.columns)
    change = pair.change
    assert change is not None
    row = change.block * grid.rows // 64
    if change.before * change.after < 0 and min(abs(change.before), abs(change.after)) > least:
        how = "turns round"
    elif abs(change.after) <= least:
        how = "ends"
    elif abs(change.before) <= least:
        how = "begins"
    else:
        how = "weakens" if abs(change.after) < abs(change.before) else "grows stronger"
    return Finding(
        "correlation_changes",
        list(pair.columns),
        f"The relation of {a} and {b} {how}: their rank correlation is {change.before:.3f} before row {row:,} and "
        f"{change.after:.3f} from there on, to within a block of {grid.rows // 64:,} rows; over all it is "
        f"{pair.rho:.3f}.",
        f"Look at {a} and {b} on either side of row {row:,}, and don't describe them with one number for all rows.",
        effect=change.difference,
        measure="correlation_change",
        interval=change.interval,
        log10_p=change.log10_p,
        evidence={
            **_figures(pair),
            "before": change.before,
            "after": change.after,
            "first_row_after": row,
            "block_rows": grid.rows // 64,
            "spearman_by_block": pair.block_rho,
            **block_places(grid, range(max(change.block - 1, 0), min(change.block + 1, 64))),
        },
    )


def _reversed(pair: Pair, grid: ChunkGrid) -> Finding:
    a, b = map(quoted, pair.columns)
    return Finding(
        "correlation_reverses_within",
        list(pair.columns),
        f"{a} and {b} have a rank correlation of {pair.rho:.3f} over all {pair.n:,} rows, but {pair.within:.3f} within "
        f"stretches of {grid.rows // 64:,} rows: both move along the table, and that makes the first figure.",
        f"Compare {a} and {b} within a period or group; the correlation over the whole table misleads.",
        effect=pair.within,
        measure="correlation",
        interval=pair.within_interval,
        log10_p=pair.log10_p["within"],
        evidence={**_figures(pair), "within_blocks": pair.within, "block_rows": grid.rows // 64,
                  **block_places(grid, _ALL)},
    )  # fmt: skip


def _figures(pair: Pair) -> dict[str, Any]:
    known = {"n": pair.n, "r": pair.r, "spearman": pair.rho, "spearman_error": pair.rho_error,
             "partial": pair.partial, "level": 0.95}  # fmt: skip
    if all(math.isfinite(v) for v in pair.r_interval):
        known["r_interval"] = list(pair.r_interval)
    if all(math.isfinite(v) for v in pair.rho_interval):
        known["spearman_interval"] = list(pair.rho_interval)
    return known
