"""The finding on a pair, in words."""

from __future__ import annotations

from typing import Any

from toolkit.plugin import Context, Finding
from toolkit.plugin.places import block_places
from toolkit.plugin.wording import cut, quoted, shown

from .cells import Cell
from .pairs import Pair

NEARLY_ONE = 0.99
"""Cramér's V from which two columns are hardly two."""


def finding_of(pair: Pair, cells: list[Cell], ctx: Context) -> Finding:
    """Say what goes together with what."""
    a, b = (quoted(name) for name in pair.names)
    low, high = pair.interval
    rows = int(pair.blocks.sum())
    sentence = (
        f"{a} and {b} go together (Cramér's V {pair.v:.2f}, 95 % interval {low:.2f} to {high:.2f}, over {rows:,} rows)"
    )
    sentence += f": {_said(cells[0], a, b)}." if cells else "."
    evidence: dict[str, Any] = pair.to_json() | {"n": rows, "cells": [_plain(cell) for cell in cells]}
    where = cells[0].blocks if cells else [i for i, n in enumerate(pair.blocks.sum(axis=(1, 2)).tolist()) if n]
    evidence |= block_places(ctx.grid, where)
    return Finding(
        "associated_categories",
        list(pair.names),
        sentence,
        _advice(pair, cells, a, b),
        effect=pair.v,
        measure="cramers_v",
        interval=pair.interval,
        log10_p=pair.log10_p,
        evidence=evidence,
        references=["10.1016/j.jkss.2012.10.002", "10.1214/aos/1176346391", "10.2307/2529686"],
    )


def _said(cell: Cell, a: str, b: str) -> str:
    together = f"{a} {shown(_text(cell.values[0]))} with {b} {shown(_text(cell.values[1]))}"
    if not cell.rows:
        return f"{together} is in no row, where {cell.expected:,.0f} are expected"
    return f"{together} is in {cell.rows:,} rows, {cell.lift:.3g} times as many as expected"


def _advice(pair: Pair, cells: list[Cell], a: str, b: str) -> str:
    if pair.v >= NEARLY_ONE:
        return f"Keep one of {a} and {b} in a model: the other adds hardly anything."
    if cells:
        x, y = (shown(_text(value)) for value in cells[0].values)
        return f"Look at the rows with {a} = {x} and {b} = {y}, and compare other figures by {a} within each {b}."
    return f"Compare other figures by {a} within each value of {b}."


def _plain(cell: Cell) -> dict[str, Any]:
    return {
        "values": [_text(value) for value in cell.values],
        "rows": cell.rows,
        "expected": cell.expected,
        "lift": cell.lift,
        "interval": list(cell.interval),
        "adjusted_residual": cell.residual,
    }


def _text(value: Any) -> Any:
    """A value as JSON holds it."""
    return value if isinstance(value, bool) else cut(str(value))
