"""What is kept of the times of a run of rows; two runs that follow each other are joined exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin import BLOCKS, Chunk, State, block_of_rows

from .ranges import Bulk

Ints = npt.NDArray[np.int64]

FINE = 8
"""Lengths of steps from row to row that are told apart between two powers of two."""

LENGTHS = 63 * FINE
MOST_BACK = 10
MOST_CHUNKS = 50
NONE_LOW = np.iinfo(np.int64).max
NONE_HIGH = np.iinfo(np.int64).min


def no_rows(bulk: Bulk) -> State:
    """The state of no rows.

    It holds ``n``; ``ends``, None or first time and row, last time and row; ``back`` and ``same``, steps from row to
    row that go back or stay; ``largest_back``, lists of length, row, time before and after; ``lengths``, int64, shape
    (64, 504): steps forward by block and length; ``shortest`` and ``longest`` of each length, shape (504,);
    ``midnight`` and ``whole_hour``, stamps that are at one; ``before`` and ``after``, values far from the bulk: count,
    first and last row, farthest, nearest, chunks; and
    of the bins of the bulk ``rows``, ``low`` and ``high``, int64, shape (bins,).
    """
    bins = bulk.bins.count
    return {
        "n": 0, "ends": None, "back": 0, "same": 0, "largest_back": [],
        "lengths": np.zeros((BLOCKS, LENGTHS), np.int64),
        "shortest": np.full(LENGTHS, NONE_LOW), "longest": np.full(LENGTHS, NONE_HIGH), "midnight": 0, "whole_hour": 0,
        "before": None, "after": None,
        "rows": np.zeros(bins, np.int64), "low": np.full(bins, NONE_LOW), "high": np.full(bins, NONE_HIGH),
    }  # fmt: skip


def of_chunk(bulk: Bulk, chunk: Chunk, rows: int, day: int) -> State:
    """The state of a chunk.

    Parameters
    ----------
    bulk : Bulk
        The column.
    chunk : Chunk
        The rows.
    rows : int
        Of the table.
    day : int
        Length of a day in the column's unit; 0 for dates.
    """
    state, valid = no_rows(bulk), chunk.data(bulk.column).valid
    times, places = chunk.raw(bulk.column).astype(np.int64), np.arange(chunk.rows.start, chunk.rows.stop)
    blocks = block_of_rows(chunk.rows.start, chunk.rows.stop, rows)
    if valid is not None and not valid.all():
        times, places, blocks = times[valid], places[valid], blocks[valid]
    if not times.size:
        return state
    state["n"] = int(times.size)
    state["ends"] = [int(times[0]), int(places[0]), int(times[-1]), int(places[-1])]
    _add_steps(state, times[:-1], times[1:], places[1:], blocks[1:])
    if day:
        whole = times[times % (day // 24) == 0]
        state["whole_hour"], state["midnight"] = int(whole.size), int(np.count_nonzero(whole % day == 0))
    far_low, far_high = times < bulk.first, times > bulk.last
    inside = times
    if far_low.any() or far_high.any():
        state["before"] = _far(times[far_low], places[far_low], chunk.index, np.min)
        state["after"] = _far(times[far_high], places[far_high], chunk.index, np.max)
        inside = times[~(far_low | far_high)]
    bins = bulk.bins.of(inside)
    state["rows"] = np.bincount(bins, minlength=bulk.bins.count)
    np.minimum.at(state["low"], bins, inside)
    np.maximum.at(state["high"], bins, inside)
    return state


def joined(left: State, right: State) -> State:
    """The state of two runs of rows, the left one before the right one."""
    if not left["n"] or not right["n"]:
        return right if not left["n"] else left
    out: dict[str, Any] = {name: left[name] + right[name] for name in ("n", "back", "same", "midnight", "whole_hour")}
    out["ends"] = left["ends"][:2] + right["ends"][2:]
    for name in ("lengths", "rows"):
        out[name] = left[name] + right[name]
    for name in ("shortest", "low"):
        out[name] = np.minimum(left[name], right[name])
    for name in ("longest", "high"):
        out[name] = np.maximum(left[name], right[name])
    out["before"] = _both(left["before"], right["before"], min)
    out["after"] = _both(left["after"], right["after"], max)
    out["largest_back"] = _largest(left["largest_back"] + right["largest_back"])
    return out


def bridged(left: State, right: State, rows: int) -> State:
    """The same with the step from the last row of the left to the first of the right one."""
    out = joined(left, right)
    if left["n"] and right["n"]:
        before, after, row = left["ends"][2], right["ends"][0], right["ends"][1]
        block = np.array([((row + 1) * BLOCKS - 1) // rows])  # as in `toolkit.plugin.block_of_rows`
        out["lengths"] = out["lengths"].copy()
        out["shortest"], out["longest"] = out["shortest"].copy(), out["longest"].copy()
        _add_steps(out, np.array([before]), np.array([after]), np.array([row]), block)
    return out


def length_places(steps: Ints) -> Ints:
    """Place of each length, all above 0: eight between two powers of two.

    Examples
    --------
    >>> length_places(np.array([1, 2, 3, 8, 9, 15, 16])).tolist()
    [0, 8, 12, 24, 25, 31, 32]
    """
    mantissa, exponent = np.frexp(steps.astype(np.float64))
    places = (exponent - 1) * FINE + np.floor((2.0 * mantissa - 1.0) * FINE)
    return np.asarray(np.minimum(places, LENGTHS - 1), np.int64)


def differences(before: Ints, after: Ints) -> Ints:
    """Later less earlier times; those beyond 64 bits are the largest that there is.

    Examples
    --------
    >>> differences(np.array([1, -(2**62)]), np.array([3, 2**62])).tolist()
    [2, 9223372036854775807]
    """
    rough = after.astype(np.float64) - before.astype(np.float64)
    with np.errstate(over="ignore"):
        exact = after - before
    return np.where(np.abs(rough) < 2.0**63, exact, np.where(rough > 0, NONE_LOW, -NONE_LOW))


def _add_steps(state: State, before: Ints, after: Ints, places: Ints, blocks: Ints) -> None:
    steps = differences(before, after)
    state["same"] += int(np.count_nonzero(steps == 0))
    falls = np.flatnonzero(steps < 0)
    state["back"] += int(falls.size)
    if falls.size:
        top = falls[np.argsort(steps[falls], kind="stable")[:MOST_BACK]]
        entries = [[int(-steps[i]), int(places[i]), int(before[i]), int(after[i])] for i in top.tolist()]
        state["largest_back"] = _largest(state["largest_back"] + entries)
    rises = steps > 0
    forward, found = steps[rises], length_places(steps[rises])
    cells = blocks[rises] * LENGTHS + found
    state["lengths"] += np.bincount(cells, minlength=BLOCKS * LENGTHS).reshape(BLOCKS, LENGTHS)
    np.minimum.at(state["shortest"], found, forward)
    np.maximum.at(state["longest"], found, forward)


def _largest(entries: list[list[int]]) -> list[list[int]]:
    return sorted(entries, key=lambda e: (-e[0], e[1]))[:MOST_BACK]


def _far(times: Ints, places: Ints, chunk: int, farthest: Any) -> dict[str, Any] | None:
    if not times.size:
        return None
    return {"count": int(times.size), "first_row": int(places[0]), "last_row": int(places[-1]),
            "farthest": int(farthest(times)), "nearest": int(times.max() if farthest is np.min else times.min()),
            "chunks": [chunk], "chunks_with_it": 1}  # fmt: skip


def _both(left: Any, right: Any, farthest: Any) -> Any:
    if left is None or right is None:
        return right if left is None else left
    nearest = max if farthest is min else min
    return {
        "count": left["count"] + right["count"], "first_row": left["first_row"], "last_row": right["last_row"],
        "farthest": farthest(left["farthest"], right["farthest"]),
        "nearest": nearest(left["nearest"], right["nearest"]),
        "chunks": (left["chunks"] + right["chunks"])[:MOST_CHUNKS],
        "chunks_with_it": left["chunks_with_it"] + right["chunks_with_it"],
    }  # fmt: skip
