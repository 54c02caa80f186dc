"""Counts and sums over the rows of a chunk, in 64 contiguous blocks of rows, and the longest run of missing values."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin import BLOCKS, Chunk, Groups, State, block_of_rows

from .plan import Plan

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

FIRST, STOP, HEAD, TAIL, AT, LONGEST = range(6)
"""Of a run state: the rows that it covers, the runs at its ends, where the longest begins and how long it is."""


def no_rows(plan: Plan) -> State:
    """The state of no rows.

    ``levels`` and ``by_category``, int64, shape (64, levels), for each category and pair: rows, and those of them
    where the target is missing. ``numbers`` and ``by_number``, float64, shape (64, 3), the same for numbers: count,
    sum and sum of squares of the values less the mean, in standard deviations. ``both``, int64, shape (64, pairs):
    rows where both targets are missing. ``runs``, int64, shape (targets, 6).
    """
    size = {c: g.counts.size for c, g in plan.categories.items()}
    return {
        "levels": [np.zeros((BLOCKS, n), np.int64) for n in size.values()],
        "by_category": [np.zeros((BLOCKS, size[b]), np.int64) for _, b in plan.by_category],
        "numbers": [np.zeros((BLOCKS, 3)) for _ in plan.numbers],
        "by_number": [np.zeros((BLOCKS, 3)) for _ in plan.by_number],
        "both": np.zeros((BLOCKS, len(plan.both)), np.int64),
        "runs": np.zeros((len(plan.targets), 6), np.int64),
    }


def of_chunk(plan: Plan, chunk: Chunk, rows: int) -> State:
    """The state of one chunk of a table of so many rows."""
    state = no_rows(plan)
    blocks = block_of_rows(chunk.rows.start, chunk.rows.stop, rows)
    absent = {name: missing_values(chunk, name) for name in plan.targets}
    places = {name: np.flatnonzero(gone) for name, gone in absent.items()}
    for i, name in enumerate(plan.targets):
        state["runs"][i] = run_of(absent[name], chunk.rows.start)
    for j, (first, second) in enumerate(plan.both):
        at = places[first][absent[second][places[first]]]
        state["both"][:, j] = np.bincount(blocks[at], minlength=BLOCKS)
    pairs = _by_second(plan.by_category)
    for i, (name, groups) in enumerate(plan.categories.items()):
        cells, width = blocks * groups.counts.size, groups.counts.size
        codes, present = _codes(chunk, name, groups)
        cells += codes
        state["levels"][i] = _table(cells[present] if present is not None else cells, width)
        for j, target in pairs[name]:
            at = places[target]
            state["by_category"][j] = _table(cells[at if present is None else at[present[at]]], width)
    pairs = _by_second(plan.by_number)
    for i, (name, (mean, std)) in enumerate(plan.numbers.items()):
        values = _standardised(chunk, name, mean, std)
        state["numbers"][i] = _sums(values, blocks)
        for j, target in pairs[name]:
            state["by_number"][j] = _sums(values[places[target]], blocks[places[target]])
    return state


def joined(left: State, right: State) -> State:
    """The state of the rows of both, ``left`` the earlier."""
    out: State = {}
    for name in ("levels", "by_category", "numbers", "by_number"):
        out[name] = [a + b for a, b in zip(left[name], right[name], strict=True)]
    out["both"] = left["both"] + right["both"]
    pairs = zip(left["runs"], right["runs"], strict=True)
    out["runs"] = np.array([join_runs(a, b) for a, b in pairs], np.int64).reshape(left["runs"].shape)
    return out


def missing_values(chunk: Chunk, name: str) -> Bools:
    """Where a column has no value or NaN, shape (rows,)."""
    gone = ~chunk.valid(name)
    if chunk.spec(name).kind == "float":
        gone |= np.isnan(chunk.raw(name))
    return gone


def run_of(gone: Bools, first: int) -> Ints:
    """The run state of consecutive rows, the first of which has the number ``first``; of equal runs the first counts.

    Examples
    --------
    >>> run_of(np.array([True, False, True, True]), 10).tolist()
    [10, 14, 1, 2, 12, 2]
    """
    rows = gone.size
    changes = np.flatnonzero(np.diff(gone, prepend=False, append=False))
    starts, lengths = changes[::2], changes[1::2] - changes[::2]
    if not starts.size:
        return np.array([first, first + rows, 0, 0, first, 0], np.int64)
    best = int(lengths.argmax())
    head = int(lengths[0]) if starts[0] == 0 else 0
    tail = int(lengths[-1]) if changes[-1] == rows else 0
    return np.array([first, first + rows, head, tail, first + starts[best], lengths[best]], np.int64)


def join_runs(left: Ints, right: Ints) -> Ints:
    """The run state of two stretches, the second right after the first.

    Examples
    --------
    >>> gone = np.array([True, False, True, True, False, True])
    >>> join_runs(run_of(gone[:3], 0), run_of(gone[3:], 3)).tolist() == run_of(gone, 0).tolist()
    True
    """
    if left[FIRST] == left[STOP]:
        return right
    if right[FIRST] == right[STOP]:
        return left
    whole_left = left[HEAD] == left[STOP] - left[FIRST]
    whole_right = right[HEAD] == right[STOP] - right[FIRST]
    middle = (int(left[STOP] - left[TAIL]), int(left[TAIL] + right[HEAD]))
    runs = [(int(left[AT]), int(left[LONGEST])), middle, (int(right[AT]), int(right[LONGEST]))]
    at, longest = max(runs, key=lambda run: (run[1], -run[0]))
    if not longest:
        at = int(left[FIRST])
    head = left[HEAD] + right[HEAD] if whole_left else left[HEAD]
    tail = left[TAIL] + right[TAIL] if whole_right else right[TAIL]
    return np.array([left[FIRST], right[STOP], head, tail, at, longest], np.int64)


def _by_second(pairs: list[tuple[str, str]]) -> dict[str, list[tuple[int, str]]]:
    found: dict[str, list[tuple[int, str]]] = {second: [] for _, second in pairs}
    for j, (first, second) in enumerate(pairs):
        found[second].append((j, first))
    return found


def _codes(chunk: Chunk, name: str, groups: Groups) -> tuple[Ints, Bools | None]:
    """The level of each row, and where there is one; None where everywhere."""
    if chunk.spec(name).kind == "bool":
        present = chunk.valid(name)
        return groups.places[chunk.raw(name).astype(np.intp)], None if present.all() else present
    codes = groups.of(chunk.codes(name))
    present = codes >= 0
    return codes, None if present.all() else present


def _table(cells: Ints, width: int) -> Ints:
    return np.bincount(cells, minlength=BLOCKS * width).reshape(BLOCKS, width).astype(np.int64)


def _standardised(chunk: Chunk, name: str, mean: float, std: float) -> Floats:
    """Values less the mean in standard deviations; NaN where there is none or it is infinite."""
    with np.errstate(over="ignore", invalid="ignore"):
        values: Floats = (chunk.raw(name).astype(np.float64) - mean) / std
    values[~(chunk.valid(name) & np.isfinite(values))] = np.nan
    return values


def _sums(values: Floats, blocks: Ints) -> Floats:
    """Count, sum and sum of squares in each block, shape (64, 3); ``blocks`` ascend."""
    out = np.zeros((BLOCKS, 3))
    numbers = ~np.isnan(values)
    if not numbers.all():
        values, blocks = values[numbers], blocks[numbers]
    bounds: Any = np.searchsorted(blocks, np.arange(BLOCKS + 1))
    for block in np.flatnonzero(np.diff(bounds)).tolist():
        part = values[bounds[block] : bounds[block + 1]]
        out[block] = part.size, part.sum(), (part * part).sum()
    return out
