"""The series of `transform_binned_series`, for plugins that run on its table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.core.errors import UsageError
from toolkit.plugin.bins import LADDER_NS
from toolkit.plugin.context import Context
from toolkit.plugin.selection import omission

TRANSFORM = "transform_binned_series"
FIELDS = ("n", "mean", "var", "min", "max")

_NS_OF_A_MS = 10**6
_NO_ROW = np.iinfo(np.int64).max
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Read = Callable[[str], tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]]


@dataclass(frozen=True, slots=True)
class BinnedValues:
    """A number by bin; NaN where a bin has no value of it.

    Attributes
    ----------
    n : ndarray of int64, shape (bins,)
        Finite values.
    mean, m2, low, high : ndarray of float64, shape (bins,)
        Their mean, the sum of squares of their differences from it, the smallest and the largest.
    """

    n: Ints
    mean: Floats
    m2: Floats
    low: Floats
    high: Floats

    def joined(self, starts: Ints) -> BinnedValues:
        """Runs of bins as one each.

        Parameters
        ----------
        starts : ndarray of int64, shape (runs,)
            First bin of each run, from 0, ascending.
        """
        n = np.add.reduceat(self.n, starts)
        some, sizes = np.maximum(n, 1), np.diff(np.append(starts, self.n.size))
        held = self.n > 0
        with np.errstate(over="ignore", invalid="ignore"):  # sums of huge values are infinite
            mean = np.add.reduceat(np.where(held, self.n * self.mean, 0.0), starts) / some
            apart = np.where(held, self.mean - np.repeat(mean, sizes), 0.0)
            offset = np.add.reduceat(self.n * apart, starts) / some
            m2 = np.add.reduceat(np.where(held, self.m2, 0.0) + self.n * apart * apart, starts) - n * offset * offset
            mean = mean + offset
        none = n == 0
        return BinnedValues(
            n,
            np.where(none, np.nan, mean),
            np.where(none, np.nan, np.maximum(m2, 0.0)),
            np.where(none, np.nan, np.minimum.reduceat(np.where(held, self.low, np.inf), starts)),
            np.where(none, np.nan, np.maximum.reduceat(np.where(held, self.high, -np.inf), starts)),
        )


@dataclass(frozen=True)
class Series:
    """The table as series: rows and numbers by bin of time, or by block of rows.

    Attributes
    ----------
    order : str
        ``time`` or ``rows``.
    time : str or None
        The column of times.
    step_ms, start_ms : int or None
        Width of a bin, and where the first begins, since 1970; None for blocks of rows.
    timezone : str
        ``UTC`` where bins begin at instants, empty where at readings of a clock.
    table_rows : int
        Rows of the table that the series are of.
    columns : list of str
        Numbers that `column` has.
    rows : ndarray of int64, shape (bins,)
        Rows of each bin.
    first_row, last_row : ndarray of int64, shape (bins,)
        First and last row of each, -1 where it is empty. Where rows are in the order of time, these are all its rows.
    """

    order: str
    time: str | None
    step_ms: int | None
    start_ms: int | None
    timezone: str
    table_rows: int
    columns: list[str]
    rows: Ints
    first_row: Ints
    last_row: Ints
    read: Read
    """Reads a column of the derived table whole: values, and which are present."""
    starts: Ints | None = None
    """First bin of the table for each bin, where bins were joined."""

    def __len__(self) -> int:
        return int(self.rows.size)

    def column(self, name: str) -> BinnedValues:
        """A number by bin; read when it is asked for.

        Raises
        ------
        UsageError
            When the table has no such series.
        """
        if name not in self.columns:
            raise UsageError(f"there is no series of {name!r}", f"there are: {', '.join(self.columns) or 'none'}")
        n = self.read(f"{name}.n")[0].astype(np.int64)
        mean, var, low, high = (np.where(valid, v, np.nan) for v, valid in map(self.read, _fields_of(name)))
        m2 = np.where(n > 1, var * (n - 1), np.where(n == 1, 0.0, np.nan))
        found = BinnedValues(n, mean, m2, low, high)
        return found if self.starts is None else found.joined(self.starts)

    def fitted(self, max_bins: int, rows_per_bin: float = 0.0) -> Series:
        """The same in the finest bins that are not more than so many, and have so many rows on average.

        Steps of time are those of rule C4 (docs/policy.md), beyond seven days doubled; blocks of rows are joined to
        equal runs. The series itself where it fits.

        Parameters
        ----------
        max_bins : int
            Bins at most, at least 1.
        rows_per_bin : float
            Rows in a bin, on average at least.
        """
        most = max(1, min(max_bins, int(self.rows.sum() / rows_per_bin) if rows_per_bin > 0 else max_bins))
        if len(self) <= most:
            return self
        if self.step_ms is None or self.start_ms is None:
            starts = np.arange(most, dtype=np.int64) * len(self) // most
            return self._joined(starts, None, None)
        first, last = self.start_ms // self.step_ms, self.start_ms // self.step_ms + len(self) - 1
        for step in _steps_from(self.step_ms):
            factor = step // self.step_ms
            number = last // factor - first // factor + 1
            if number <= max(most, 2):  # of times on both sides of 1970 two remain
                break
        edges = np.arange(first // factor, first // factor + number, dtype=np.int64) * factor - first
        return self._joined(np.maximum(edges, 0), step, first // factor * step)

    def _joined(self, starts: Ints, step_ms: int | None, start_ms: int | None) -> Series:
        firsts = np.where(self.first_row < 0, _NO_ROW, self.first_row)
        found = np.minimum.reduceat(firsts, starts)
        return replace(
            self,
            step_ms=step_ms,
            start_ms=start_ms,
            rows=np.add.reduceat(self.rows, starts),
            first_row=np.where(found == _NO_ROW, -1, found),
            last_row=np.maximum.reduceat(self.last_row, starts),
            starts=starts if self.starts is None else self.starts[starts],
        )

    @cached_property
    def in_time_order(self) -> bool:
        """Whether every row of a bin stands before those of later bins, so that a bin is a run of rows."""
        held = self.rows > 0
        return bool((self.first_row[held][1:] > self.last_row[held][:-1]).all())

    def when(self, index: int) -> str:
        """Where a bin begins, as a sentence has it.

        Examples
        --------
        >>> import numpy as np
        >>> rows = np.ones(3, np.int64)
        >>> series = Series("time", "t", 3_600_000, 0, "UTC", 3, [], rows, rows, rows, lambda name: None)
        >>> series.when(2)
        '1970-01-01 02:00'
        """
        if self.step_ms is None or self.start_ms is None:
            return f"row {int(self.first_row[index]):,}"
        return moment(self.start_ms + index * self.step_ms, self.step_ms)

    def width(self) -> str:
        """Width of a bin in words, such as ``15 min``; of blocks of rows their number of rows."""
        if self.step_ms is None:
            return f"{-(-self.table_rows // len(self)):,} rows"
        return span(self.step_ms)


def read_series(ctx: Context) -> Series:
    """The series of the table that a plugin runs on; its manifest has ``table: transform_binned_series``."""
    told = ctx.result(TRANSFORM).data
    rows, first, last = (_whole(ctx, name) for name in ("rows", "first_row", "last_row"))
    return Series(
        order=told["order"],
        time=told["time"],
        step_ms=told["step_ms"],
        start_ms=told["start_ms"],
        timezone=told["timezone"],
        table_rows=told["rows"],
        columns=list(told["columns"]),
        rows=rows[0].astype(np.int64),
        # Widened first: a store may hold them without a sign.
        first_row=np.where(first[1], first[0].astype(np.int64), -1),
        last_row=np.where(last[1], last[0].astype(np.int64), -1),
        read=lambda name: _whole(ctx, name),
    )


def within_caps(ctx: Context, base: Series) -> tuple[int, list[str]]:
    """Bins and columns of a series that parameter ``bins`` and the budget leave; what they don't is omitted.

    Returns
    -------
    most : int
        Bins at most.
    names : list of str
        Columns, the first in table order.
    """
    wished = ctx.params["bins"]
    most = min(wished, ctx.budget.max_windows or wished)
    if most < min(wished, len(base)):
        rule = "coarser bins; every row still falls in one"
        ctx.omit(omission("max_windows", most, min(wished, len(base)), rule, []))
    names = base.columns[: ctx.budget.max_cols]
    if len(names) < len(base.columns):
        rule = "the first series in table order"
        ctx.omit(omission("max_cols", len(names), len(base.columns), rule, base.columns[len(names) :]))
    return most, names


def moment(ms: int, step_ms: int = 1) -> str:
    """A time as text, as finely as a step needs it.

    Examples
    --------
    >>> moment(86_400_000 * 365, 86_400_000), moment(1_500, 100)
    ('1971-01-01', '1970-01-01 00:00:01.500')
    """
    unit = next((u for u, size in (("D", 86_400_000), ("m", 60_000), ("s", 1000)) if step_ms % size == 0), "ms")
    return str(np.datetime64(ms, "ms").astype(f"M8[{unit}]")).replace("T", " ")


def span(ms: int) -> str:
    """A length of time in its largest whole unit.

    Examples
    --------
    >>> span(900_000), span(86_400_000 * 14), span(90_000_000), span(10)
    ('15 min', '14 days', '25 h', '10 ms')
    """
    for name, size in (("day", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000)):
        if ms % size == 0:
            many = ms // size
            return f"{many:,} {name}{'s' if name == 'day' and many > 1 else ''}"
    return f"{ms:,} ms"


def _steps_from(step_ms: int) -> list[int]:
    """Steps of the ladder from one on, and its doublings."""
    steps = [ns // _NS_OF_A_MS for ns in LADDER_NS if ns // _NS_OF_A_MS > step_ms]
    last = steps[-1] if steps else step_ms
    while last < 1 << 62:
        last *= 2
        steps.append(last)
    return steps


def _fields_of(name: str) -> list[str]:
    return [f"{name}.{field}" for field in FIELDS[1:]]


def _whole(ctx: Context, name: str) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """A column of the derived table, whole: it has few rows."""
    parts = [(chunk.raw(name), chunk.valid(name)) for chunk in ctx.chunks([name])]
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])
