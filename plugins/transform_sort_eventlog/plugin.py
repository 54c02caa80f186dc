"""transform_sort_eventlog: the events sorted by case, time and row, so that cases can be read one after the other.

What it finds. Nothing by itself: it makes a table of its own, with the events of ``profile_eventlog`` (rows with a
case, an activity and a time) in their order, and the column ``source_row``, which says where each stood. A report says
of it: "`order_id` (string) of `order_id`: sorted". Its chunks end between cases, so that what runs on it needs no
memory of the chunk before, and any split of its chunks is exact. What is out of order is told by ``profile_eventlog``.

Method. The order is that of a stable sort by case, then time: equal times stay in the order of their rows, so it is
unique. Cases come in the order of their values: numbers as numbers, text by its bytes. Rows are parted by ranges of the
case, written to the scratch folder, and sorted range by range. Chunks take in whole cases up to as many rows as the
parent's chunks have; a larger case has a chunk of its own.

Cost. Three readings and one writing, about 150 ns a row and column; one range of rows in memory (about 131,072), and on
disk the table twice for a while.

Caps. ``max_cols`` leaves out columns without a role, the last in table order first. By default long text without a role
(notes, names of many values) is left out as well, which ``columns: all`` brings back; ``source_row`` leads to it in any
case. No event is left out.

What it does not do. It does not remove events that are there twice, nor guess an order where times are equal. A case of
more than 2,097,152 events is refused: that is no case but a column that was taken for one.

References
----------
Leemans, Fahland and van der Aalst (2018), doi:10.1007/s10270-016-0545-x.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from toolkit.plugin import Coded, Context, DerivedColumn, DerivedTable, Result, Skip, make, omission
from toolkit.plugin.eventlog import EventSorter, Roles, SortedEvents

SOURCE_ROW = "source_row"
LARGEST_CASE = 8 * 262_144
"""Rows of a chunk at most, after `toolkit.core.derived`."""


def run(ctx: Context) -> Result:
    """Sort and write.

    Returns
    -------
    Result
        ``data`` has ``roles``, ``events``, ``cases``, ``moved`` (events that stood above the one before them) and the
        ``columns`` that were taken over.

    Examples
    --------
    >>> source_row().name
    'source_row'
    """
    log = ctx.result("profile_eventlog").data
    roles, largest = Roles.of(log), log["events_per_case"]["max"]
    if not log["events"]:
        raise Skip("no row has a case, an activity and a time", "see the finding of profile_eventlog on rows left out")
    if largest > LARGEST_CASE:
        row = log["events_per_case"]["row_of_max"]
        raise Skip(
            f"one case of {roles.case} has {largest:,} events, the first in row {row:,}",
            f"is {roles.case} the column of the case? If not, declare another with role: case",
        )
    names = chosen(ctx, roles)
    words = {n: ctx.categories(n)[:-1].tolist() for n in names if ctx.schema[n].encoding == "coded"}
    sorter = EventSorter(ctx, roles.case, roles.timestamp)
    moved = 0
    with ctx.derive([*(declared(ctx, n) for n in names), source_row()], rows="reordered") as out:
        chunks = Chunks(out, min(ctx.grid.chunk_rows, LARGEST_CASE))
        for part in sorter.events(names):
            events = part.where(part.columns.present(roles.activity))
            moved += int(np.count_nonzero(events.follows[1:] & (np.diff(events.columns.rows) < 0)))
            for piece in chunks.take(events):
                out.append(columns_of(piece, names, words))
    data = {"roles": roles.given, "events": log["events"], "cases": log["cases"], "moved": moved, "columns": names}
    return Result(data)


def chosen(ctx: Context, roles: Roles) -> list[str]:
    """Columns of the new table, in table order; what is left out is recorded."""
    needed, what = set(roles.given.values()), ctx.params["columns"]
    others = [s.name for s in ctx.schema if s.name not in needed and s.name != SOURCE_ROW and s.kind != "null"]
    if what == "roles":
        others = []
    elif what == "short":
        long = [name for name in others if ctx.schema[name].encoding == "long"]
        others = [name for name in others if name not in long]
        if long:
            rule = "columns with a role, numbers, times and text of few values; source_row leads to the others"
            entry = omission("columns", len(needed) + len(others), len(needed) + len(others) + len(long), rule, long)
            ctx.omit({**entry, "value": "short", "restore": "columns: all"})
    cap = ctx.budget.max_cols
    if cap is not None and len(needed) + len(others) > cap:
        kept = max(cap - len(needed), 0)
        rule = "columns with a role, then the first in table order"
        total = len(needed) + len(others)
        ctx.omit(omission("max_cols", cap, total, rule, others[kept:], len(needed) + kept))
        others = others[:kept]
    return [name for name in ctx.schema.names if name in needed or name in others]


def declared(ctx: Context, name: str) -> DerivedColumn:
    """How a column stands in the new table."""
    spec = ctx.schema[name]
    unit = spec.unit if spec.kind in ("timestamp", "time", "duration") else ""
    return make(name, spec.kind, of=[name], how="sorted", unit=unit, timezone=spec.timezone)


def source_row() -> DerivedColumn:
    """The column that says where a row stood."""
    return make(SOURCE_ROW, "int", how="row of the table that was sorted")


class Chunks:
    """Ends chunks between cases, so that they are the same however the events come.

    Parameters
    ----------
    out : DerivedTable
        The table that is written.
    rows : int
        Rows that a chunk has at most, unless a case has more.
    """

    def __init__(self, out: DerivedTable, rows: int) -> None:
        self._out = out
        self._rows = rows
        self._held = 0

    def take(self, events: SortedEvents) -> Iterator[SortedEvents]:
        """The same events in pieces, each of which is to be appended before the next is taken."""
        starts, first = events.starts, 0
        while first < events.cases:
            room = starts[first] + self._rows - self._held
            last = int(np.searchsorted(starts, room, side="right")) - 1
            if last <= first and self._held:
                self._out.cut()
                self._held = 0
                continue
            last = max(last, first + 1)
            span = np.arange(starts[first], starts[last])
            yield SortedEvents(events.columns.at(span), starts[first : last + 1] - starts[first])
            self._held += span.size
            first = last


def columns_of(events: SortedEvents, names: list[str], words: dict[str, list[Any]]) -> dict[str, Any]:
    """The events as the new table takes them."""
    held = events.columns
    made: dict[str, Any] = {SOURCE_ROW: held.rows}
    for name in names:
        values = held.values[name]
        made[name] = Coded(values, words[name]) if name in words else (values, held.present(name))
    return made
