"""Events by case, time and row, for tables of any length.

Three readings: of the cases, to find ranges of about equally many rows; of all columns wanted, to write each row to the
file of its range; and of the files, each of which is sorted by itself. Which ranges there are depends on how the table
is chunked; the order of the events does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.core.chunk import Chunk
from toolkit.core.encoding import decode, encode
from toolkit.plugin.context import Context
from toolkit.plugin.eventlog.case_keys import CaseKeys, case_places
from toolkit.plugin.eventlog.columns import Columns, held_rows, join_rows

RANGE_ROWS = 1 << 17
"""Rows of a range, about."""

_CANDIDATES = 256
"""Keys of each chunk from which the bounds of ranges are chosen."""

_LENGTH = 8

Ints = npt.NDArray[np.int64]


class SortedEvents:
    """Some whole cases, one after the other, with their events in order.

    Attributes
    ----------
    columns : Columns
        The events.
    starts : ndarray of int64, shape (cases + 1,)
        Where each case begins, and where the last ends.
    """

    def __init__(self, columns: Columns, starts: Ints) -> None:
        self.columns = columns
        self.starts = starts

    @property
    def cases(self) -> int:
        """How many cases there are."""
        return int(self.starts.size - 1)

    @property
    def follows(self) -> npt.NDArray[np.bool_]:
        """Which events have the one before them in their case, shape (events,)."""
        out = np.ones(len(self.columns), bool)
        out[self.starts[:-1]] = False
        return out

    def where(self, kept: npt.NDArray[np.bool_]) -> SortedEvents:
        """The same without some events; cases that lose all of theirs are left out."""
        if kept.all():
            return self
        case = np.repeat(np.arange(self.cases), np.diff(self.starts))[kept]
        return SortedEvents(self.columns.at(kept), case_runs(case))


class EventSorter:
    """Sorts the events of a table.

    Parameters
    ----------
    ctx : Context
        The table, with a scratch folder where it has more than `RANGE_ROWS` rows.
    case, timestamp : str
        The columns that order the events.
    range_rows : int
        Rows of a range, about; `RANGE_ROWS` where it is 0.

    Attributes
    ----------
    without_case, without_time : int
        Rows that can't be put in order; rows without both are among the first. Known when the events have been read.
    steps, steps_back : int
        Adjacent rows of the table with a case and a time, and those of them at which the time goes back.
    """

    def __init__(self, ctx: Context, case: str, timestamp: str, range_rows: int = 0) -> None:
        self._ctx = ctx
        self._case, self._time = case, timestamp
        self._keys = CaseKeys(ctx, case)
        self._range_rows = range_rows or RANGE_ROWS
        self._bounds: npt.NDArray[Any] | None = None
        self.without_case = self.without_time = 0
        self.steps = self.steps_back = 0

    def events(self, columns: Sequence[str] = ()) -> Iterator[SortedEvents]:
        """All events that have a case and a time, range by range, with these columns besides those two.

        Yields
        ------
        SortedEvents
            In the order of cases: codes and numbers by value, long text by its bytes.
        """
        names = list(dict.fromkeys([self._case, self._time, *columns]))
        self.without_case = self.without_time = self.steps = self.steps_back = 0
        if self._ctx.rows <= self._range_rows:
            parts = [part for _, part in self._parts(names)]
            yield from self._sorted(join_rows(parts))
            return
        if self._bounds is None:
            self._bounds = self._find_bounds()
        folder = self._ctx.scratch
        assert folder is not None, "a plugin's process has a scratch folder"
        files = [folder / f"range-{i:06d}" for i in range(self._bounds.size + 1)]
        for path in files:
            path.unlink(missing_ok=True)
        for keys, part in self._parts(names):
            self._scatter(keys, part, files)
        for path in files:
            if path.exists():
                yield from self._sorted(_load(path))

    def _parts(self, names: Sequence[str]) -> Iterator[tuple[npt.NDArray[Any], Columns]]:
        last: int | None = None
        for chunk in self._ctx.chunks(names):
            kept = self._complete(chunk)
            index = np.flatnonzero(kept)
            part = held_rows(chunk, names, index)
            if index.size:
                times = part.values[self._time].astype(np.int64)
                before = times[:1] if last is None else np.array([last])
                self.steps += index.size - (last is None)
                self.steps_back += int(np.count_nonzero(times < np.concatenate([before, times[:-1]])))
                last = int(times[-1])
            yield self._keys.of(chunk)[index], part

    def _complete(self, chunk: Chunk) -> npt.NDArray[np.bool_]:
        has_case, has_time = chunk.valid(self._case), chunk.valid(self._time)
        self.without_case += int(np.count_nonzero(~has_case))
        self.without_time += int(np.count_nonzero(has_case & ~has_time))
        both: npt.NDArray[np.bool_] = has_case & has_time
        return both

    def _find_bounds(self) -> npt.NDArray[Any]:
        """Keys at which ranges begin; how well they are chosen decides on memory alone."""
        found, weights = [], []
        for chunk in self._ctx.chunks([self._case]):
            keys = np.sort(self._keys.of(chunk)[chunk.valid(self._case)])
            if keys.size:
                places = np.unique(np.linspace(0, keys.size - 1, _CANDIDATES).astype(np.intp))
                found.append(keys[places])
                weights.append(np.full(places.size, keys.size / places.size))
        if not found:
            return np.empty(0, np.int64)
        keys, weight = np.concatenate(found), np.concatenate(weights)
        order = np.argsort(keys, kind="stable")
        rows = np.cumsum(weight[order])
        marks = np.searchsorted(rows, np.arange(self._range_rows, rows[-1], self._range_rows))
        return np.unique(keys[order][np.minimum(marks, order.size - 1)])

    def _scatter(self, keys: npt.NDArray[Any], part: Columns, files: Sequence[Path]) -> None:
        assert self._bounds is not None
        place = np.searchsorted(self._bounds, keys, side="right")
        order = np.argsort(place, kind="stable")
        ends = np.cumsum(np.bincount(place, minlength=len(files)))
        for i, path in enumerate(files):
            rows = order[ends[i - 1] if i else 0 : ends[i]]
            if rows.size:
                body = encode(part.at(rows).to_tree())
                with path.open("ab") as file:
                    file.write(len(body).to_bytes(_LENGTH, "little"))
                    file.write(body)

    def _sorted(self, part: Columns) -> Iterator[SortedEvents]:
        if not len(part):
            return
        case = case_places(part.values[self._case])
        order = np.lexsort((part.values[self._time], case))  # stable: equal times stay in the order of their rows
        yield SortedEvents(part.at(order), case_runs(case[order]))


def case_runs(case: npt.NDArray[Any]) -> Ints:
    """Where each run of equal numbers begins, and where the last ends.

    Examples
    --------
    >>> case_runs(np.array([4, 4, 9])).tolist(), case_runs(np.empty(0, int)).tolist()
    ([0, 2, 3], [0])
    """
    if not case.size:
        return np.zeros(1, np.int64)
    changes = np.flatnonzero(case[1:] != case[:-1]) + 1
    return np.concatenate([[0], changes, [case.size]]).astype(np.int64)


def _load(path: Path) -> Columns:
    """Read the file of a range, and remove it."""
    parts = []
    with path.open("rb") as file:
        while head := file.read(_LENGTH):
            parts.append(Columns.from_tree(decode(file.read(int.from_bytes(head, "little")))))
    path.unlink()
    return join_rows(parts)
