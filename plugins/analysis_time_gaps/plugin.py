"""analysis_time_gaps: where time stamps are missing, impossible, repeated, out of order or at another pace.

What it finds. Holes: "No row has a `started_at` between 2024-07-19 04:48:00 and 2024-07-20 16:48:00 (36 hours);
stretches before and after that are equally long by the hour of the week have 841 and 795 rows, where the longest gaps
elsewhere stand for 9." Dates far from all others, such as 9999-12-31 or 1900-01-01. Clocks that go back where rows are
else in the order of time. One stamp on very many rows, and dates without a time of day among stamps. Rows that come
every 10 minutes where they came every 5.

Method. Times are put into at most 131,072 equal bins, of each of which the smallest and the largest time are kept. A
gap at least as long as a bin lies between the largest of a bin and the smallest of the next that has rows, so that one
pass has every such gap with its exact ends, in whatever order rows stand. A gap is measured by the rows that it should
have had: those of the equally long stretches on both sides, the emptier of the two, long by the usual flow of that hour
of the week (from four weeks on; of the day from four days on). So a night, a week-end and an end that thins out are no
holes. It is one when it has three times the rows of the usual longest gap and lies far beyond the longest gaps of 64
stretches of the series, in the scale of their extreme value distribution, plainly and in logarithms. Dates are far when
they are farther from the middle 98 % of the values than those are apart: no clock is asked what "future" means, the
table itself is. Steps from row to row are compared where at most 1 % of them go back; an even pace is one step length,
within a fifth or so, in nine of ten steps of a block of rows. All these are facts and have no p-value.

Cost. About 150 ns a row and column, one pass, and the quantiles of the columns.

Caps. ``max_windows`` below 131,072 makes bins longer: gaps shorter than a bin are not seen, all rows count.
``max_cols`` takes the first columns of times in table order.

What it does not do. It does not look for holes of single categories, nor for gaps shorter than a bin, which is 5
minutes for a year. A hole between quiet stretches, and one that comes every week, look like any other night. Where rows
are not in the order of time, steps from row to row say nothing, and clocks and pace are not judged.

References
----------
10.1111/j.2517-6161.1965.tb00602.x, 10.1017/S0305004100015681
"""

from __future__ import annotations

from typing import Any

from toolkit.plugin import Chunk, Context, Finding, Reducer, Result, State

from .cadence import paces
from .findings import of_back, of_cadence, of_far, of_heap, of_holes, of_midnight, when
from .holes import find_holes
from .ranges import Bulk, bulk_of
from .segment import bridged, no_rows, of_chunk

_DAYS = {"s": 86_400, "ms": 86_400 * 10**3, "us": 86_400 * 10**6, "ns": 86_400 * 10**9, "D": 0}
_HEAP = 20
_MOST_MIDNIGHT = 0.9
_TIMES_OTHER_HOURS = 5.0


class Plugin(Reducer):
    """Keeps, of each column, what `segment.no_rows` lists; all of it whole numbers.

    It is of class ``tree``, as the step from a row to the next is known only where neighbours meet.

    Examples
    --------
    >>> Plugin.state_class
    'tree'
    """

    state_class = "tree"

    _bulks: dict[str, Bulk] | None = None

    @property
    def bulks(self) -> dict[str, Bulk]:
        """The columns that have a range, and the range."""
        if self._bulks is None:
            found = ((name, bulk_of(self.ctx, name)) for name in self.ctx.columns())
            self._bulks = {name: bulk for name, bulk in found if bulk is not None}
        return self._bulks

    def columns(self) -> list[str]:
        """Those of `bulks`."""
        return list(self.bulks)

    def init(self) -> State:
        """No rows."""
        return {name: no_rows(bulk) for name, bulk in self.bulks.items()}

    def update(self, state: State, chunk: Chunk) -> State:
        """Add a chunk."""
        own = {name: of_chunk(bulk, chunk, self.ctx.rows, _DAYS[bulk.unit]) for name, bulk in self.bulks.items()}
        return self.merge(state, own)

    def merge(self, left: State, right: State) -> State:
        """Join neighbours."""
        return {name: bridged(left[name], right[name], self.ctx.rows) for name in self.bulks}

    def finish(self, state: State, ctx: Context) -> Result:
        """Word what was found.

        Returns
        -------
        Result
            ``data["columns"]``: by column ``first`` and ``last`` of the bulk, ``in_order`` (whether rows are in the
            order of time), ``steps_back``, ``steps_of_nothing``, ``distinct``, ``step_of_bins`` in the column's unit,
            ``season``, ``gaps`` (that were looked at), ``usual_longest_gap`` (in rows) and ``holes``.
        """
        self.ctx = ctx
        findings: list[Finding] = []
        data = {}
        for name, bulk in self.bulks.items():
            found, entry = _of_column(ctx, bulk, state[name])
            findings += found
            data[name] = entry
        ctx.cover("columns", len(data), len(data))
        return Result({"columns": data}, findings)


def _of_column(ctx: Context, bulk: Bulk, state: State) -> tuple[list[Finding], dict[str, Any]]:
    params, order, n = ctx.params, ctx.kernel("order", bulk.column), state["n"]
    findings = []
    holes = find_holes(bulk, state, params["times_usual"], params["hole_rows"], _DAYS[bulk.unit])
    if holes is not None and holes.found:
        findings.append(of_holes(bulk, holes))
    far = [side for side in ("before", "after") if state[side] is not None]
    findings += [of_far(bulk, state, side) for side in far if state[side]["count"] <= params["far_share"] * n]
    in_order = n > 1 and state["back"] <= params["back_share"] * (n - 1)
    if in_order and state["back"]:
        findings.append(of_back(bulk, state, ctx.grid))
    value, count = order["top"][0] if order["top"] else (0, 0)
    many = max(_HEAP, params["heap_share"] * n, _HEAP * n / order["distinct"])
    if bulk.unit != "D" and count >= many:
        findings.append(of_heap(bulk, int(value), int(count), n, order["distinct"]))
    elif bulk.unit != "D" and _heaps_at_midnight(state, params["heap_share"]):
        findings.append(of_midnight(bulk, state))
    pace = paces(state, params["cadence_change"]) if in_order else []
    if len(pace) > 1:
        findings.append(of_cadence(bulk, pace, ctx.grid))
    entry = {
        "first": when(bulk.first, bulk.unit), "last": when(bulk.last, bulk.unit), "in_order": bool(in_order),
        "steps_back": state["back"], "steps_of_nothing": state["same"], "distinct": order["distinct"],
        "step_of_bins": bulk.bins.step, "season": holes.season if holes else "", "gaps": holes.gaps if holes else 0,
        "usual_longest_gap": holes.usual if holes else None,
        "holes": [[when(h.start, bulk.unit), when(h.stop, bulk.unit)] for h in holes.found[:100]] if holes else [],
        "paces": [{"step": p.length, "first_block": p.first, "last_block": p.last} for p in pace],
    }  # fmt: skip
    return findings, entry


def _heaps_at_midnight(state: State, least: float) -> bool:
    """Whether midnight has many times the stamps of other whole hours, and most stamps are at other times."""
    n, midnight = state["n"], state["midnight"]
    others = (state["whole_hour"] - midnight) / 23.0
    return bool(max(_HEAP, least * n) <= midnight <= _MOST_MIDNIGHT * n and midnight >= _TIMES_OTHER_HOURS * others)
