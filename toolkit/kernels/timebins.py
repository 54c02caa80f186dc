"""Counts and moments in time bins of equal width."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from toolkit.core.chunk import Chunk
from toolkit.core.errors import UsageError
from toolkit.core.schema import NUMERIC_KINDS, TIME_KINDS, ColumnSpec
from toolkit.kernels.base import Kernel, KernelRequest, State, StateClass, TableView
from toolkit.kernels.binned import all_bins, bin_rows, bytes_of_bins, merge_bins, no_bins
from toolkit.kernels.coding import Coder
from toolkit.kernels.levels import Levels

_SECOND = 10**9
STEPS = [
    *(10**6 * k for k in (1, 10, 100)),
    *(_SECOND * k for k in (1, 5, 15, 60, 300, 900, 3600, 6 * 3600, 86_400, 7 * 86_400)),
]
"""Widths of bins in nanoseconds: 1, 10 and 100 ms, 1, 5 and 15 s, 1, 5 and 15 min, 1 and 6 h, 1 and 7 days."""

_UNITS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": _SECOND, "D": 86_400 * _SECOND}


class TimeBins(Kernel):
    """Rows, and count, mean, sum of squares, smallest and largest of numbers, by bin of time and by group.

    The first column is the time; further ones, in any order, are numbers, and at most one category, of which the groups
    are the levels of the kernel ``levels``. Bins are of equal width and aligned to the epoch; rows without a time are
    counted apart.

    Parameters of a request: ``step``, the width of a bin in nanoseconds, when it is not the narrowest of `STEPS` with
    at most ``max_bins`` bins between the first and the last time; ``levels``, how many groups there are at most.

    The state is that of `toolkit.kernels.binned`, with a cell for each group and bin, and ``untimed``.
    """

    name: ClassVar[str] = "timebins"
    version: ClassVar[int] = 2
    state_class: ClassVar[StateClass] = "tree"
    references: ClassVar[tuple[str, ...]] = ("10.1080/00031305.1983.10483115",)
    defaults: ClassVar[Mapping[str, Any]] = {"step": None, "max_bins": 4096, "levels": 16}
    arity: ClassVar[int | None] = None

    def __init__(self, request: KernelRequest, table: TableView) -> None:
        super().__init__(request, table)
        rest = [table.schema[c] for c in request.columns[1:]]
        groups = [s.name for s in rest if s.kind not in NUMERIC_KINDS]
        if len(groups) > 1:
            raise UsageError("kernel timebins takes a time, numbers, and at most one category")
        self._values = [s.name for s in rest if s.kind in NUMERIC_KINDS]
        self._group = groups[0] if groups else None
        self._coder: Coder | None = None

    @classmethod
    def accepts(cls, spec: ColumnSpec) -> bool:
        """Times."""
        return spec.kind in TIME_KINDS

    @classmethod
    def accepts_at(cls, spec: ColumnSpec, place: int) -> bool:
        """Numbers and categories behind the time."""
        if not place:
            return cls.accepts(spec)
        return spec.kind in NUMERIC_KINDS or (Levels.accepts(spec) and spec.kind not in TIME_KINDS)

    def requires(self) -> list[KernelRequest]:
        """First and last time, and the levels of the groups."""
        wanted = [KernelRequest("extremes", self.request.columns[:1], {})]
        if self._group is not None:
            wanted.append(KernelRequest("levels", (self._group,), {"levels": self.params["levels"]}))
        return wanted

    def bind(self, inputs: Sequence[Mapping[str, Any]]) -> None:
        """Choose the bins."""
        super().bind(inputs)
        unit = _UNITS[self.spec.unit]
        low, high = inputs[0]["min"], inputs[0]["max"]
        most = int(self.params["max_bins"])
        if low is None:
            low = high = 0
        step = self.params["step"]
        if step is not None and (int(step) < 1 or (step % unit and unit % step)):
            raise UsageError(
                f"kernel timebins: a step of {step} ns and the unit {self.spec.unit} don't divide each other"
            )
        self._step, self._first, self._bins = _bins(int(low) * unit, int(high) * unit, step, most)
        if self._group is not None:
            self._coder = Coder(self.table.schema[self._group], inputs[1])
        self._groups = 1 if self._coder is None else self._coder.levels + 1

    def init(self) -> State:
        """No rows in any bin."""
        return no_bins(self._values) | {"untimed": 0}

    def update(self, state: State, chunk: Chunk) -> State:
        """Add a chunk to its bins."""
        cells, valid = self._places(chunk.raw(self.column)), chunk.data(self.column).valid
        if self._coder is not None:
            cells += self._coder.codes(chunk).astype(np.int64) * self._bins
        rows = np.arange(len(chunk)) if valid is None else np.flatnonzero(valid)
        if rows.size < len(chunk):
            cells = cells[rows]
        leaf = bin_rows(chunk, cells, rows, self._values)
        return self.merge(state, leaf | {"untimed": len(chunk) - rows.size})

    def _places(self, times: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """The bin of each time; of missing ones, any."""
        unit = _UNITS[self.spec.unit]
        wide = times.astype(np.int64)
        # Units and steps divide each other, so that nothing has to be larger than 64 bits.
        found = wide // (self._step // unit) if self._step >= unit else wide * (unit // self._step)
        return np.clip(found - self._first, 0, self._bins - 1)

    def merge(self, left: State, right: State) -> State:
        """Merge bin by bin."""
        return merge_bins(left, right) | {"untimed": left["untimed"] + right["untimed"]}

    def finish(self, state: State) -> dict[str, Any]:
        """Hand out the bins.

        Returns
        -------
        dict
            ``step`` and ``start``, nanoseconds: width of a bin, and where the first begins, since the epoch; ``rows``,
            int64, and ``first`` and ``last``, their first and last row, -1 in an empty bin, of shape (groups, bins),
            and without a category (1, bins); ``untimed``, rows without a time; ``groups``, the result of ``levels``, or
            None; ``values``: for each number, by its name, ``n``, ``mean``, ``m2``, ``min`` and ``max``, each of shape
            (groups, bins), NaN where there are none. The last group is of rows without one.
        """
        shape = (self._groups, self._bins)
        found = all_bins(state, self._groups * self._bins)
        shaped = {name: found[name].reshape(shape) for name in ("rows", "first", "last")}
        values = [{name: field.reshape(shape) for name, field in value.items()} for value in found["values"]]
        return {
            "step": self._step,
            "start": self._first * self._step,
            "untimed": state["untimed"],
            "groups": dict(self.inputs[1]) if self._coder is not None else None,
            **shaped,
            "values": dict(zip(self._values, values, strict=True)),
        }

    def memory(self) -> int:
        """One state, and those that wait for their siblings in the tree, where rows are in no order of time."""
        return self._bytes() * (self.table.grid.n_chunks.bit_length() + 3)

    def scratch(self) -> int:
        """Temporaries of a chunk and of a merge."""
        return 8 * 14 * self.chunk_rows + 3 * self._bytes() + (1 << 20)

    def _bytes(self) -> int:
        return bytes_of_bins(self._groups * self._bins, len(self._values))

    def cost(self) -> float:
        """Nanoseconds a row."""
        return 15.0 + 30.0 * len(self._values)


def _bins(low: int, high: int, step: int | None, most: int) -> tuple[int, int, int]:
    """Width of the bins, number of the first since the epoch, and how many there are."""
    for width in STEPS if step is None else [int(step)]:
        count = high // width - low // width + 1
        if count <= most:
            return width, low // width, count
    if step is not None:
        raise UsageError(
            f"kernel timebins: {step} ns would make more than {most} bins", "give a larger step or max_bins"
        )
    width = STEPS[-1]
    # Where the epoch, the edge of every bin, lies between the ends, there are two bins at least.
    while high // width - low // width + 1 > max(most, 2 if low < 0 <= high else 1):
        width *= 2
    return width, low // width, high // width - low // width + 1


PROVIDES = TimeBins
