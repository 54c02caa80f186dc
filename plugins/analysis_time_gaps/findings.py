"""What a person should know of a column of times."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from toolkit.plugin import ChunkGrid, Finding
from toolkit.plugin.places import block_places
from toolkit.plugin.wording import percent, quoted

from .cadence import Pace
from .holes import Holes
from .ranges import Bulk

MOST_LISTED = 10
_SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "D": 86_400.0}
_UNITS = ((2 * 86_400.0, 86_400.0, "days"), (3_600.0, 3_600.0, "hours"), (60.0, 60.0, "minutes"), (0.0, 1.0, "seconds"))


def when(value: int, unit: str) -> str:
    """A time as text, without parts of a second that are zero.

    Examples
    --------
    >>> when(1_709_906_520, "s"), when(1_500, "ms"), when(19_000, "D")
    ('2024-03-08 14:02:00', '1970-01-01 00:00:01.500', '2022-01-08')
    """
    text = str(np.array(value).astype(f"datetime64[{unit}]")).replace("T", " ")
    return text.rstrip("0").rstrip(".") if "." in text and not text.rsplit(".", 1)[1].strip("0") else text


def lasting(ticks: float, unit: str) -> str:
    """A length of time as text.

    Examples
    --------
    >>> lasting(129_600, "s"), lasting(90, "s"), lasting(3, "D"), lasting(250, "ms")
    ('36 hours', '1.5 minutes', '3 days', '0.25 seconds')
    """
    seconds = ticks * _SECONDS[unit]
    one, name = next((one, name) for least, one, name in _UNITS if abs(seconds) >= least)
    return f"{seconds / one:.4g} {name[:-1] if seconds == one else name}"


def of_holes(bulk: Bulk, holes: Holes) -> Finding:
    """The emptiest stretch, and how many more."""
    top, name, unit = holes.found[0], quoted(bulk.column), bulk.unit
    more = len(holes.found) - 1
    equally = f" by the {holes.season}" if holes.season else ""
    further = f" {more} more such hole{'s' if more > 1 else ''}." if more else ""
    entries = [
        {"start": when(h.start, unit), "stop": when(h.stop, unit), "length": h.stop - h.start,
         "rows_before": round(h.before), "rows_after": round(h.after)}
        for h in holes.found[:MOST_LISTED]
    ]  # fmt: skip
    return Finding(
        "time_gap",
        [bulk.column],
        f"No row has a {name} between {when(top.start, unit)} and {when(top.stop, unit)} "
        f"({lasting(top.stop - top.start, unit)}); stretches before and after that are equally long{equally} have "
        f"{round(top.before):,} and {round(top.after):,} rows, where the longest gaps elsewhere stand for "
        f"{holes.usual:.3g}.{further}",
        f"Find out why nothing has a {bulk.column} in that stretch, and leave it out of rates and sums by time.",
        effect=(top.stop - top.start) * _SECONDS[unit],
        measure="seconds_without_rows",
        evidence={"start": when(top.start, unit), "stop": when(top.stop, unit), "start_raw": top.start,
                  "stop_raw": top.stop, "unit": unit, "length": lasting(top.stop - top.start, unit),
                  "rows_before": round(top.before), "rows_after": round(top.after), "usual": holes.usual,
                  "season": holes.season, "more": more, "holes": entries},
        references=["10.1017/S0305004100015681"],
    )  # fmt: skip


def of_far(bulk: Bulk, state: dict[str, Any], side: str) -> Finding:
    """Dates before or after all others."""
    far, unit, name = state[side], bulk.unit, quoted(bulk.column)
    nearest, farthest = when(far["nearest"], unit), when(far["farthest"], unit)
    span = (
        nearest
        if nearest == farthest
        else f"{nearest} to {farthest}"
        if side == "after"
        else f"{farthest} to {nearest}"
    )
    n = far["count"]
    edge = when(bulk.high if side == "after" else bulk.low, unit)
    return Finding(
        "far_dates",
        [bulk.column],
        f"{n:,} of {state['n']:,} values of {name} {'lies' if n == 1 else 'lie'} far {side} all others ({span}): 98 % "
        f"lie between {when(bulk.low, unit)} and {when(bulk.high, unit)}, and these are farther {side} {edge} than "
        f"that is long.",
        f"Check the rows with {bulk.column} far {side} {edge}; if the dates stand for never or unknown, treat them as "
        f"missing.",
        effect=n / state["n"],
        measure="share_of_values",
        evidence={"count": n, "values": state["n"], "nearest": nearest, "farthest": farthest, "middle_share": 98,
                  "low": when(bulk.low, unit), "high": when(bulk.high, unit), "first_row": far["first_row"],
                  "last_row": far["last_row"], "chunks": far["chunks"], "chunks_with_it": far["chunks_with_it"]},
    )  # fmt: skip


def of_back(bulk: Bulk, state: dict[str, Any], grid: ChunkGrid) -> Finding:
    """A clock that goes back where rows are in the order of time."""
    size, row, before, after = state["largest_back"][0]
    unit, name, n, steps = bulk.unit, quoted(bulk.column), state["back"], state["n"] - 1
    parts = size > (bulk.high - bulk.low) / 2.0
    cause = "several series one below the other" if parts else "late rows, a clock that was set, or summer time's end"
    entries = [
        {"row": r, "before": when(b, unit), "after": when(a, unit), "length": lasting(s, unit)}
        for s, r, b, a in state["largest_back"]
    ]
    return Finding(
        "clock_goes_back",
        [bulk.column],
        f"{name} goes back {n:,} time{'s' if n > 1 else ''} in {steps:,} steps from row to row, which are else in "
        f"order; farthest by {lasting(size, unit)} at row {row:,}, from {when(before, unit)} to {when(after, unit)}.",
        f"Look at the rows where {bulk.column} goes back: {cause}?",
        effect=n / steps,
        measure="share_of_steps",
        evidence={"times": n, "steps": steps, "length": lasting(size, unit), "row": row, "before": when(before, unit),
                  "after": when(after, unit), "largest": entries,
                  "rows": sorted([r - 1, r] for _, r, _, _ in state["largest_back"]),
                  "chunks": sorted({grid.chunk_of(r) for _, r, _, _ in state["largest_back"]})},
    )  # fmt: skip


def of_heap(bulk: Bulk, value: int, count: int, n: int, distinct: int) -> Finding:
    """One stamp on many rows."""
    name, stamp = quoted(bulk.column), when(value, bulk.unit)
    return Finding(
        "repeated_time_stamp",
        [bulk.column],
        f"{count:,} of {n:,} values of {name} ({percent(count / n)}) are {stamp} exactly, while {distinct:,} distinct "
        f"stamps have {n / distinct:.3g} rows on average.",
        f"Check whether {stamp} in {bulk.column} is a default or the time of a bulk load, not of what the row tells.",
        effect=count / n,
        measure="share_of_values",
        evidence={"stamp": stamp, "count": count, "values": n, "share": count / n, "distinct": distinct,
                  "rows_for_each": n / distinct},
    )  # fmt: skip


def of_midnight(bulk: Bulk, state: dict[str, Any]) -> Finding:
    """Dates without a time among stamps."""
    n, count, name = state["n"], state["midnight"], quoted(bulk.column)
    return Finding(
        "midnight_heap",
        [bulk.column],
        f"{count:,} of {n:,} values of {name} ({percent(count / n)}) are at midnight exactly: dates without a time of "
        f"day among stamps that have one.",
        f"Treat the time of day of {bulk.column} as unknown at midnight, or leave those rows out by hour.",
        effect=count / n,
        measure="share_of_values",
        evidence={"count": count, "values": n, "share": count / n},
    )  # fmt: skip


def of_cadence(bulk: Bulk, found: list[Pace], grid: ChunkGrid) -> Finding:
    """Rows that come at another pace from somewhere on; the largest change of several."""
    pairs = list(pairwise(found))
    early, late = max(pairs, key=lambda p: (max(p[0].length, p[1].length) / min(p[0].length, p[1].length), -p[0].first))
    name, unit = quoted(bulk.column), bulk.unit
    places = block_places(grid, range(early.last, late.first + 1))
    row = places["rows"][0][0]
    last = places["rows"][-1][1]
    once, now = (("" if p.exact else "about ") + lasting(p.length, unit) for p in (early, late))
    more = len(pairs) - 1
    further = f" It changes {more} more time{'s' if more > 1 else ''}." if more else ""
    return Finding(
        "cadence_change",
        [bulk.column],
        f"Rows come every {once} by {name}, and every {now} later; the pace changes between row {row:,} and row "
        f"{last:,}.{further}",
        f"Treat rows before and after the change as two series, or bring {bulk.column} to one pace first.",
        effect=late.length / early.length,
        measure="ratio_of_steps",
        evidence={"early": once, "late": now, "early_length": early.length, "late_length": late.length, "row": row,
                  "last_row": last, "more": more, "ratio": late.length / early.length, **places},
    )  # fmt: skip
