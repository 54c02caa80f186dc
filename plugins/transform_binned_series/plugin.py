"""transform_binned_series: the table as series over time, one row a bin.

What it finds. A table of its own, that plugins on time read: how many rows each bin of time has, and of every number
how many values, their mean, variance, smallest and largest. As a finding: "312 of 2,000,000 rows (0.016 %) have no
`started_at` and are in no bin of the series."

Method. Bins are equal steps of time, aligned to 1970 (UTC, or the clock of times without a zone): 1, 10 or 100 ms, 1,
5 or 15 s, 1, 5 or 15 min, 1 or 6 h, 1 or 7 days, then doubled. The finest is taken with at most 65,536 bins and 1.5
bins a row; each step divides the next, so that plugins can join bins exactly. Every bin from the first to the last is a
row, empty ones too: row i is bin i. Without a column of times that vary, bins are contiguous blocks of equally many
rows.
Every row is read once; counts and extremes are exact. Means and sums of squares are taken within each chunk and bin in
two passes, joined by Chan's formulas along the run's fixed tree.

The columns are ``bin_start`` (a timestamp in ms; not for blocks of rows), ``rows``, ``first_row`` and ``last_row`` (of
the parent), and for every number X ``X.n``, ``X.mean``, ``X.var`` (of the sample), ``X.min`` and ``X.max``, missing
where they are undefined. Numbers that are ids, keys or constant are left out.

Cost. One scan, about 35 ns a row and number. Memory follows the bins that hold rows: up to 72 bytes a bin and number.

Caps. ``max_windows`` and ``max_cells`` make bins coarser, and ``max_cols`` leaves numbers out: measures stay before
others, then those with most values. Every row is in a bin whatever the caps are.

What it does not do. There are no groups: a series is of all rows. Hours are those of the stored clock: a change to
summer time or a leap second is not taken out. One time far from the others makes all bins coarse.

References
----------
Chan, Golub and LeVeque (1983), doi:10.1080/00031305.1983.10483115. Pébay and others (2016),
doi:10.1007/s00180-015-0637-z.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from toolkit.plugin import Chunk, Context, Finding, Reducer, Result, Skip, State, make
from toolkit.plugin.own_kernels import own_kernel
from toolkit.plugin.wording import percent, quoted

from .choice import Choice, choose

_MS = 10**6
_FARTHEST_MS = 1 << 62


class Plugin(Reducer):
    """Gathers the bins with the kernel ``timebins`` or ``rowbins``, whose state it has, and writes them as a table."""

    @cached_property
    def choice(self) -> Choice:
        """What the series are made of."""
        found = choose(self.ctx)
        if found.time is None and not found.numbers:
            raise Skip("there is neither a column of times that vary nor one of numbers that are measured")
        return found

    @cached_property
    def kernel(self) -> Any:
        """Counts the bins."""
        choice = self.choice
        if choice.bins is None:
            return own_kernel(self.ctx, "rowbins", *choice.numbers, blocks=choice.blocks)
        assert choice.time is not None
        ends = self.ctx.kernel("extremes", choice.time)
        # Of times on both sides of 1970, one bin is two.
        params = {"step": choice.step_ns, "max_bins": choice.bins.count + 1}
        return own_kernel(self.ctx, "timebins", choice.time, *choice.numbers, inputs=[ends], **params)

    def columns(self) -> list[str]:
        """The time, and the numbers."""
        return [name for name in (self.choice.time, *self.choice.numbers) if name is not None]

    def init(self) -> State:
        """No rows in any bin."""
        return self.kernel.init()

    def update(self, state: State, chunk: Chunk) -> State:
        """Add a chunk."""
        return self.kernel.update(state, chunk)

    def merge(self, left: State, right: State) -> State:
        """Join two runs of rows."""
        return self.kernel.merge(left, right)

    def finish(self, state: State, ctx: Context) -> Result:
        """Write the table."""
        choice, found = self.choice, self.kernel.finish(state)
        count = found["rows"].size
        start = found.get("start", 0) // _MS
        step = 0 if choice.bins is None else choice.step_ns // _MS
        if max(abs(start), abs(start + step * count)) >= _FARTHEST_MS:
            raise Skip(f"the times of {choice.time} are too far from 1970", "check its smallest and largest value")
        write(ctx, choice, found, start, step)
        ctx.cover("windows", count, count)
        untimed = int(found.get("untimed", 0))
        zone = "" if choice.time is None else ctx.schema[choice.time].timezone
        data = {
            "order": "rows" if choice.time is None else "time",
            "time": choice.time,
            "step_ms": step or None,
            "start_ms": start if step else None,
            "timezone": zone,
            "bins": count,
            "rows": ctx.rows,
            "untimed": untimed,
            "columns": choice.numbers,
            "left_out": choice.left_out,
        }
        return Result(data, [untimed_rows(choice.time, untimed, ctx.rows)] if choice.time and untimed else [])


def write(ctx: Context, choice: Choice, found: dict[str, Any], start: int, step: int) -> None:
    """Write the bins as rows of the derived table."""
    rows = found["rows"].ravel()
    held = rows > 0
    of = [choice.time] if choice.time else []
    columns = [make("rows", "int", of, "rows in the bin")]
    values: dict[str, Any] = {"rows": rows}
    for name, what in (("first_row", "first"), ("last_row", "last")):
        columns.append(make(name, "int", of, f"{what} row in the bin"))
        values[name] = (found[what].ravel(), held)
    if choice.time:
        zone = ctx.schema[choice.time].timezone
        columns.insert(0, make("bin_start", "timestamp", of, f"steps of {step} ms", unit="ms", timezone=zone))
        values["bin_start"] = (start + step * np.arange(rows.size)).astype("M8[ms]")
    for name in choice.numbers:
        fields = {field: array.ravel() for field, array in found["values"][name].items()}
        n = fields["n"]
        columns.append(make(f"{name}.n", "int", [*of, name], "values in the bin"))
        values[f"{name}.n"] = n
        fields["var"] = fields["m2"] / np.maximum(n - 1, 1)
        for field, least in (("mean", 1), ("var", 2), ("min", 1), ("max", 1)):
            columns.append(make(f"{name}.{field}", "float", [*of, name], f"{field} of the values in the bin"))
            values[f"{name}.{field}"] = (np.where(n < least, 0.0, fields[field]), n >= least)
    with ctx.derive(columns, rows="new") as out:
        out.append(values)


def untimed_rows(time: str, untimed: int, rows: int) -> Finding:
    """Say that rows are in no bin.

    >>> untimed_rows("started_at", 312, 2_000_000).sentence
    '312 of 2,000,000 rows (0.02 %) have no `started_at` and are in no bin of the series.'
    """
    share = untimed / rows
    sentence = (
        f"{untimed:,} of {rows:,} rows ({percent(share)}) have no {quoted(time)} and are in no bin of the series."
    )
    advice = f"Find out why {quoted(time)} is missing in these rows; what is said of series holds for the others."
    evidence = {"untimed": untimed, "rows_of_the_table": rows, "share": share}
    return Finding("rows_without_time", [time], sentence, advice, effect=share, evidence=evidence)
