"""What is counted of far values in one pass over the rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin import Chunk, Context, State
from toolkit.plugin.marked_rows import count_levels

from .targets import FACTORS, Plan, Target

BLOCKS = 64


def no_rows(plan: Plan, chunks: int) -> State:
    """Zeros.

    For each target ``outer`` (values beyond the outer fence), ``nearest`` (the far value nearest to the fence),
    ``factors`` of shape (factors, 3): far values that over the factor are plausible, within the middle half, and at
    most the median; ``whole``, shape (2,): how many of all values are within the middle half, and at most the median;
    ``by_chunk``, shape (chunks,). For each pair ``far`` and ``absent``, shape (64, levels + 1): rows with a far value,
    and rows without a value, by block and level.
    """
    count = len(plan.targets)
    return {
        "outer": np.zeros(count, np.int64),
        "nearest": np.array([np.inf if t.high else -np.inf for t in plan.targets]),
        "factors": np.zeros((count, len(FACTORS), 3), np.int64),
        "whole": np.zeros((count, 2), np.int64),
        "by_chunk": np.zeros((count, chunks), np.int64),
        "far": [_table(plan, category) for _, category in plan.pairs],
        "absent": [_table(plan, category) for _, category in plan.pairs],
    }


def of_chunk(plan: Plan, chunk: Chunk, ctx: Context) -> State:
    """The counts of one chunk."""
    state = no_rows(plan, ctx.grid.n_chunks)
    places, absent = {}, {}
    for i, target in enumerate(plan.targets):
        values, valid = chunk.raw(target.column), chunk.data(target.column).valid
        found = target.far(values)
        if valid is not None:
            found &= valid
        places[i] = np.flatnonzero(found)
        state["by_chunk"][i, chunk.index] = places[i].size
        _measure(state, i, target, values[places[i]])
        (low, high), present = target.quartiles, values if valid is None else values[valid]
        state["whole"][i, 0] = np.count_nonzero((present >= low) & (present <= high))
        state["whole"][i, 1] = np.count_nonzero(present <= target.fences["median"])
    for k, (i, category) in enumerate(plan.pairs):
        name = plan.targets[i].column
        if name not in absent:
            values, valid = chunk.raw(name), chunk.data(name).valid
            gone = np.isnan(values) if values.dtype.kind == "f" else np.zeros(values.size, bool)
            absent[name] = np.flatnonzero(gone if valid is None else gone | ~valid)
        levels = plan.levels[category]["levels"]
        for table, chosen in (("far", places[i]), ("absent", absent[name])):
            state[table][k] = count_levels(ctx, chunk, category, levels, chosen)
    return state


def joined(left: State, right: State, plan: Plan) -> State:
    """Counts of the rows of both."""
    high = np.array([t.high for t in plan.targets], bool)
    near = np.where(high, np.minimum(left["nearest"], right["nearest"]), np.maximum(left["nearest"], right["nearest"]))
    out = {name: left[name] + right[name] for name in ("outer", "factors", "whole", "by_chunk")}
    tables = {n: [a + b for a, b in zip(left[n], right[n], strict=True)] for n in ("far", "absent")}
    return {**out, "nearest": near, **tables}


def _measure(state: State, i: int, target: Target, far: npt.NDArray[Any]) -> None:
    if not far.size:
        return
    values = far.astype(np.float64)
    state["outer"][i] = np.count_nonzero(values > target.outer if target.high else values < target.outer)
    state["nearest"][i] = values.min() if target.high else values.max()
    for place, factor in enumerate(FACTORS):
        smaller = values / factor
        if far.dtype.kind in "iu":  # a column of whole numbers holds whole numbers in every unit
            smaller = smaller[smaller == np.rint(smaller)]
        ranges = (target.plausible, target.quartiles, (-np.inf, target.fences["median"]))
        state["factors"][i, place] = [np.count_nonzero((smaller >= low) & (smaller <= high)) for low, high in ranges]


def _table(plan: Plan, category: str) -> npt.NDArray[np.int64]:
    return np.zeros((BLOCKS, plan.levels[category]["levels"]["levels"] + 1), np.int64)
