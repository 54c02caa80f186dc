"""Windows of equal time or of equally many rows: as fine as a cap allows, and every row in one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.core.errors import UsageError
from toolkit.plugin.selection import Omission, omission

_TICK_NS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "D": 86_400 * 10**9}
_SECOND = 10**9
_COARSEST = 1 << 62
LADDER_NS = (
    10**6, 10**7, 10**8, _SECOND, 5 * _SECOND, 15 * _SECOND, 60 * _SECOND, 300 * _SECOND, 900 * _SECOND,
    3600 * _SECOND, 6 * 3600 * _SECOND, 86_400 * _SECOND, 7 * 86_400 * _SECOND,
)  # fmt: skip
"""Steps in nanoseconds: 1, 10, 100 ms, 1, 5, 15 s, 1, 5, 15 min, 1, 6 h, 1, 7 d."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TimeBins:
    """Equal bins of time; made by `time_bins`.

    Attributes
    ----------
    step : int
        Length of a bin in the column's unit. Bins begin at multiples of it, counted from the unit's zero.
    first : int
        Number of the first bin: its first instant is ``first * step``.
    count : int
        Bins from the first to the last value, empty ones included.
    unit : str
        Unit of the column: ``D``, ``s``, ``ms``, ``us`` or ``ns``.
    omission : dict or None
        For the omission ledger, where a coarser step than the wished one had to be taken.
    """

    step: int
    first: int
    count: int
    unit: str
    omission: Omission | None = None

    def of(self, values: npt.NDArray[Any]) -> Ints:
        """The bin of each value, shape (rows,).

        Parameters
        ----------
        values : array of int, shape (rows,)
            Counts of the unit, as ``chunk.raw`` gives them. Where a value is missing, its bin has no meaning.
        """
        numbers = np.floor_divide(values.astype(np.int64, copy=False), self.step) - self.first
        return np.clip(numbers, 0, self.count - 1)

    def start(self, index: int) -> int:
        """First instant of a bin, in the column's unit."""
        return (self.first + index) * self.step


def time_bins(low: int, high: int, unit: str, max_windows: int | None, finest_ns: int = LADDER_NS[0]) -> TimeBins:
    """The finest step of the ladder, from a wished one on, with which the bins are not more than a cap.

    Parameters
    ----------
    low, high : int
        Smallest and largest value, in the column's unit.
    unit : str
        ``D``, ``s``, ``ms``, ``us`` or ``ns``.
    max_windows : int or None
        Most bins.
    finest_ns : int
        The wished step, in nanoseconds.

    Notes
    -----
    Beyond seven days the step is doubled until the bins fit. Steps that are no whole number of the unit are left out.

    Raises
    ------
    UsageError
        For another unit, and when ``high`` is below ``low``.

    Examples
    --------
    >>> bins = time_bins(0, 86_399, "s", 100)
    >>> bins.step, bins.count, bins.of(np.array([0, 899, 900])).tolist()
    (900, 96, [0, 0, 1])
    """
    if unit not in _TICK_NS:
        raise UsageError(f"there is no unit of time {unit!r}", f"units: {', '.join(_TICK_NS)}")
    if high < low:
        raise UsageError(f"the largest time, {high}, is before the smallest, {low}")
    tick = _TICK_NS[unit]
    steps = [ns // tick for ns in LADDER_NS if ns >= finest_ns and ns % tick == 0] or [LADDER_NS[-1] // tick]
    wished = steps[0]
    fitting = [s for s in steps if max_windows is None or _bins(low, high, s) <= max_windows]
    step = fitting[0] if fitting else steps[-1]
    while max_windows is not None and _bins(low, high, step) > max_windows and step <= _COARSEST // 2:
        step *= 2
    # Where zero, the edge of every step, lies between the ends, one bin is had only by joining the two.
    count = min(_bins(low, high, step), max_windows or _COARSEST)
    if count == _bins(low, high, wished):
        return TimeBins(wished, low // wished, count, unit)
    rule = f"equal bins of {step} {unit} in place of {wished} {unit}; every row still falls in one"
    entry = omission("max_windows", max_windows or count, _bins(low, high, wished), rule, [], count)
    return TimeBins(step, low // step, count, unit, entry)


@dataclass(frozen=True, slots=True)
class RowBlocks:
    """Blocks of equally many rows, to within one; made by `row_blocks`.

    Attributes
    ----------
    rows, count : int
        Rows of the table, and blocks. Block i begins at row ``i * rows // count``.
    omission : dict or None
        For the omission ledger, where a cap made the blocks fewer.
    """

    rows: int
    count: int
    omission: Omission | None = None

    def start(self, index: int) -> int:
        """First row of a block; that of the one after the last is the number of rows."""
        return index * self.rows // self.count

    def of(self, start: int, stop: int) -> Ints:
        """The block of each of a run of rows, shape (stop - start,)."""
        starts = np.arange(start + 1, stop + 1, dtype=np.int64)
        return (starts * self.count - 1) // self.rows


def row_blocks(rows: int, max_windows: int | None, wished: int | None = None) -> RowBlocks:
    """Blocks for a series in row order: as many as wished, at most as a cap and the rows allow.

    Parameters
    ----------
    rows : int
        Rows of the table, at least 1.
    max_windows : int or None
        Most blocks.
    wished : int, optional
        Blocks that suit the plugin; one a row by default.

    Examples
    --------
    >>> [row_blocks(10, 4).start(i) for i in range(5)]
    [0, 2, 5, 7, 10]
    """
    wanted = max(1, min(rows, wished or rows))
    if max_windows is None or wanted <= max_windows:
        return RowBlocks(rows, wanted)
    rule = "equal blocks of rows, as many as the cap allows; every row still falls in one"
    return RowBlocks(rows, max_windows, omission("max_windows", max_windows, wanted, rule, []))


def _bins(low: int, high: int, step: int) -> int:
    return high // step - low // step + 1
