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
from toolkit.kernels.coding import Coder
from toolkit.kernels.levels import Levels
from toolkit.kernels.partial_moments import M2, M3, M4, MEAN, N, merge_moments, no_moments

_SECOND = 10**9
STEPS = [
    *(10**6 * k for k in (1, 10, 100)),
    *(_SECOND * k for k in (1, 5, 15, 60, 300, 900, 3600, 6 * 3600, 86_400, 7 * 86_400)),
]
"""Widths of bins in nanoseconds: 1, 10 and 100 ms, 1, 5 and 15 s, 1, 5 and 15 min, 1 and 6 h, 1 and 7 days."""

_UNITS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": _SECOND, "D": 86_400 * _SECOND}
_ROWS = 1 << 15


class TimeBins(Kernel):
    """Rows, and count, mean, sum of squares, smallest and largest of a value, by bin of time and by group.

    The first column is the time; further ones, in any order, a number and a category, of which the groups are the
    levels of the kernel ``levels``. Bins are of equal width and aligned to the epoch; rows without a time are counted
    apart.

    Parameters of a request: ``step``, the width of a bin in nanoseconds, when it is not the narrowest of `STEPS` with
    at most ``max_bins`` bins between the first and the last time; ``levels``, how many groups there are at most.

    The state is ``rows``, int64, shape (groups, bins); ``moments``, shape (7, groups * bins), fields as in
    `toolkit.kernels.partial_moments`; ``smallest`` and ``largest``, float64, shape (groups * bins,); and ``untimed``.
    """

    name: ClassVar[str] = "timebins"
    version: ClassVar[int] = 1
    state_class: ClassVar[StateClass] = "tree"
    references: ClassVar[tuple[str, ...]] = ("10.1080/00031305.1983.10483115",)
    defaults: ClassVar[Mapping[str, Any]] = {"step": None, "max_bins": 4096, "levels": 16}
    arity: ClassVar[int | None] = None

    def __init__(self, request: KernelRequest, table: TableView) -> None:
        super().__init__(request, table)
        rest = [table.schema[c] for c in request.columns[1:]]
        values = [s.name for s in rest if s.kind in NUMERIC_KINDS]
        groups = [s.name for s in rest if s.kind not in NUMERIC_KINDS]
        if len(values) > 1 or len(groups) > 1:
            raise UsageError("kernel timebins takes a time, and at most one number and one category")
        self._value = values[0] if values else None
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
        cells = self._groups * self._bins
        values = cells if self._value is not None else 0
        return {
            "rows": np.zeros((self._groups, self._bins), np.int64),
            "moments": no_moments(values),
            "smallest": np.full(values, np.inf),
            "largest": np.full(values, -np.inf),
            "untimed": 0,
        }

    def update(self, state: State, chunk: Chunk) -> State:
        """Add a chunk to its bins."""
        leaf, codes = self.init(), None if self._coder is None else self._coder.codes(chunk)
        times, valid = chunk.raw(self.column), chunk.data(self.column).valid
        for lo in range(0, len(chunk), _ROWS):
            rows = slice(lo, min(lo + _ROWS, len(chunk)))
            cells = self._places(times[rows])
            if codes is not None:
                cells += codes[rows].astype(np.int64) * self._bins
            keep = None if valid is None or valid[rows].all() else valid[rows]
            if keep is not None:
                leaf["untimed"] += int(keep.size - np.count_nonzero(keep))
                cells = cells[keep]
            leaf["rows"] += np.bincount(cells, minlength=leaf["rows"].size).reshape(leaf["rows"].shape)
            if self._value is not None:
                self._add_values(leaf, chunk, rows, keep, cells)
        return self.merge(state, leaf)

    def _places(self, times: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """The bin of each time; of missing ones, any."""
        unit = _UNITS[self.spec.unit]
        wide = times.astype(np.int64)
        # Units and steps divide each other, so that nothing has to be larger than 64 bits.
        found = wide // (self._step // unit) if self._step >= unit else wide * (unit // self._step)
        return np.clip(found - self._first, 0, self._bins - 1)

    def _add_values(self, leaf: State, chunk: Chunk, rows: slice, keep: Any, cells: npt.NDArray[np.int64]) -> None:
        assert self._value is not None
        values, valid = chunk.raw(self._value)[rows].astype(np.float64), chunk.data(self._value).valid
        present = np.isfinite(values) if valid is None else valid[rows] & np.isfinite(values)
        if keep is not None:
            values, present = values[keep], present[keep]
        values, cells = values[present], cells[present]
        if not values.size:
            return
        found = no_moments(leaf["smallest"].size)
        n = np.bincount(cells, minlength=found.shape[1]).astype(np.float64)
        some = np.maximum(n, 1.0)
        with np.errstate(over="ignore", invalid="ignore"):
            mean = np.bincount(cells, values, found.shape[1]) / some
            differences = values - mean[cells]
            offset = np.bincount(cells, differences, found.shape[1]) / some
            squares = np.bincount(cells, differences * differences, found.shape[1]) - n * offset * offset
        found[N], found[MEAN], found[M2] = n, mean + offset, np.maximum(squares, 0.0)
        found[-1] = np.where(n > 0, 0.0, found[-1])
        leaf["moments"] = _merged(leaf["moments"], found)
        np.minimum.at(leaf["smallest"], cells, values)
        np.maximum.at(leaf["largest"], cells, values)

    def merge(self, left: State, right: State) -> State:
        """Merge bin by bin."""
        return {
            "rows": left["rows"] + right["rows"],
            "moments": _merged(left["moments"], right["moments"]),
            "smallest": np.minimum(left["smallest"], right["smallest"]),
            "largest": np.maximum(left["largest"], right["largest"]),
            "untimed": left["untimed"] + right["untimed"],
        }

    def finish(self, state: State) -> dict[str, Any]:
        """Hand out the bins.

        Returns
        -------
        dict
            ``step`` and ``start``, nanoseconds: width of a bin, and where the first begins, since the epoch; ``rows``,
            int64, shape (groups, bins), and without a category (1, bins); ``untimed``, rows without a time; ``groups``,
            the result of ``levels``, or None; ``values``: None without a number, else ``n``, ``mean``, ``m2``, ``min``
            and ``max``, each of shape (groups, bins), NaN where there are none. The last group is of rows without one.
        """
        values = None
        if self._value is not None:
            moments, shape = state["moments"], state["rows"].shape
            none = moments[N] == 0
            fields = {"mean": moments[MEAN], "m2": np.ldexp(moments[M2], _doubled(moments))}
            fields |= {"min": state["smallest"], "max": state["largest"]}
            values = {name: np.where(none, np.nan, field).reshape(shape) for name, field in fields.items()}
            values["n"] = moments[N].astype(np.int64).reshape(shape)
        return {
            "step": self._step,
            "start": self._first * self._step,
            "rows": state["rows"],
            "untimed": state["untimed"],
            "groups": dict(self.inputs[1]) if self._coder is not None else None,
            "values": values,
        }

    def memory(self) -> int:
        """One state, and those that wait for their siblings in the tree."""
        cells = self._groups * self._bins
        one = 8 * cells * (10 if self._value is not None else 1) + 1024
        return one * (self.table.grid.n_chunks.bit_length() + 3)

    def scratch(self) -> int:
        """Temporaries of a piece and of a merge."""
        cells = self._groups * self._bins
        return 8 * 12 * min(_ROWS, self.chunk_rows) + 8 * 80 * cells + 4 * self.chunk_rows + (1 << 22)

    def cost(self) -> float:
        """Nanoseconds a row."""
        return 8.0 if self._value is None else 40.0


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
    while high // width - low // width + 1 > most:
        width *= 2
    return width, low // width, high // width - low // width + 1


def _merged(left: Any, right: Any) -> Any:
    out = merge_moments(left, right)
    if out is not left and out is not right:
        out[[M3, M4]] = 0.0  # not gathered
    return out


def _doubled(moments: Any) -> npt.NDArray[np.int64]:
    exponent: npt.NDArray[np.int64] = np.where(moments[M2] > 0, moments[-1], 0).astype(np.int64)
    return 2 * exponent


PROVIDES = TimeBins
