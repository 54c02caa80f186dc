"""Count, mean and sum of squares of a column for each group of another, in 64 row blocks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from toolkit.core.chunk import Chunk
from toolkit.core.errors import UsageError
from toolkit.core.schema import NUMERIC_KINDS, TIME_KINDS, ColumnSpec
from toolkit.kernels.base import Kernel, KernelRequest, State, StateClass, TableView
from toolkit.kernels.blocks import BLOCKS, PIECE, block_pieces
from toolkit.kernels.coding import Coder, Codes
from toolkit.kernels.levels import Levels, mostly_pooled
from toolkit.kernels.partial_moments import (
    EXPONENT,
    FIELDS,
    M2,
    M3,
    M4,
    MEAN,
    MEAN_LOW,
    NO_SPREAD,
    Floats,
    N,
    fold_moments,
    merge_moments,
    no_moments,
    split_integer,
    two_sum,
)

_SAFE = 200
_EXACT = 1 << 53
_EPSILON = 2.0**-52
_MEAN, _MEDIAN = "mean", "median"


class GroupMoments(Kernel):
    """Count, mean and sum of squared differences from it of the second column, for each group of the first.

    Groups are the levels of the kernel ``levels``, with all rare categories together; rows where the group is missing
    are a group of their own, the last. NaN and infinities are left out. Rows fall into 64 contiguous blocks.

    Parameters of a request: ``levels``, how many groups there are at most; ``about``: ``mean``, or ``median`` for the
    moments of the distances of the values from their group's median (Brown and Forsythe), where the median is the upper
    end of the one of 1,024 quantile ranges of the column that it lies in; ``names``, whether anything is counted where
    most rows are in the level of all rare groups (false: there are no values in any group, at no cost).

    Notes ----- Within a run of rows the values of each group are taken about their own mean, as in the kernel
    ``moments``, so that neither the distance between the groups nor the size of the numbers costs digits.

    The state is ``runs``, shape (7, groups + 1, 64), fields as in `toolkit.kernels.partial_moments`.
    """

    name: ClassVar[str] = "group_moments"
    version: ClassVar[int] = 1
    state_class: ClassVar[StateClass] = "tree"
    references: ClassVar[tuple[str, ...]] = ("10.1080/00031305.1983.10483115", "10.1080/01621459.1974.10482955")
    defaults: ClassVar[Mapping[str, Any]] = {"levels": 64, "about": _MEAN, "names": True}
    arity: ClassVar[int | None] = 2

    def __init__(self, request: KernelRequest, table: TableView) -> None:
        super().__init__(request, table)
        self._value = request.columns[1]
        if self.params["about"] not in (_MEAN, _MEDIAN):
            raise UsageError(f"kernel group_moments takes about: {_MEAN} or {_MEDIAN}, not {self.params['about']!r}")

    @classmethod
    def accepts(cls, spec: ColumnSpec) -> bool:
        """Groups: what the kernel ``levels`` takes."""
        return Levels.accepts(spec)

    @classmethod
    def accepts_at(cls, spec: ColumnSpec, place: int) -> bool:
        """Values: numbers, times and bools."""
        values = spec.kind in NUMERIC_KINDS | TIME_KINDS or spec.kind == "bool"
        return values if place else cls.accepts(spec)

    def requires(self) -> list[KernelRequest]:
        """The levels of the groups; for medians, the table of groups and levels of the values."""
        groups = {"levels": self.params["levels"]}
        wanted = [KernelRequest("levels", self.request.columns[:1], groups)]
        if self.params["about"] == _MEDIAN:
            table = {**groups, "levels_second": 1024, "names": self.params["names"]}
            wanted.append(KernelRequest("pairs", self.request.columns, table))
        return wanted

    def bind(self, inputs: Sequence[Mapping[str, Any]]) -> None:
        """Take the levels, and what medians follow from."""
        super().bind(inputs)
        self._coder = Coder(self.spec, inputs[0])
        self._groups = self._coder.levels + 1
        self._empty = not self.params["names"] and mostly_pooled(inputs[0])
        self._centres = _medians(inputs[1]) if self.params["about"] == _MEDIAN else None

    def init(self) -> State:
        """No values in any group."""
        return {"runs": _none(self._groups)}

    def update(self, state: State, chunk: Chunk) -> State:
        """Add a chunk to the groups and blocks that its rows fall into."""
        if self._empty:
            return state
        codes, values, valid = self._coder.codes(chunk), chunk.raw(self._value), chunk.data(self._value).valid
        leaf, former = _none(self._groups), -1
        for block, lo, hi in block_pieces(chunk.rows.start, chunk.rows.stop, self.table.grid.rows, PIECE):
            found = self._run(values[lo:hi], codes[lo:hi], None if valid is None else valid[lo:hi])
            leaf[:, :, block] = _merged(leaf[:, :, block], found) if block == former else found
            former = block
        return self.merge(state, {"runs": leaf})

    def _run(self, values: npt.NDArray[Any], codes: Codes, valid: npt.NDArray[np.bool_] | None) -> Floats:
        """Moments of a run of rows, shape (7, groups + 1)."""
        if valid is not None and not valid.all():
            values, codes = values[valid], codes[valid]
        if values.dtype.kind == "f":
            values = values.astype(np.float64, copy=False)
            finite = np.isfinite(values)
            if not finite.all():
                values, codes = values[finite], codes[finite]
        if not values.size:
            return no_moments(self._groups)
        if self._centres is not None:
            with np.errstate(over="ignore"):
                values = np.abs(values - self._centres[codes])
            return self._run_about_means(np.minimum(values, np.finfo(float).max), (0.0, 0.0), codes)
        if values.dtype.kind in "iub":
            low, high = int(values.min()), int(values.max())
            if high - low < _EXACT:
                above = values.astype(np.uint64) - np.uint64(low % (1 << 64))
                return self._run_about_means(above.astype(np.float64), split_integer(low), codes)
        return self._run_about_means(values.astype(np.float64), (0.0, 0.0), codes)

    def _run_about_means(self, values: Floats, base: tuple[float, float], codes: Codes) -> Floats:
        groups, places = self._groups, codes.astype(np.intp)
        largest = max(float(values.max()), -float(values.min()))
        size = math.frexp(largest)[1]
        size = 0 if abs(size) < _SAFE else size
        if size:
            values = np.ldexp(values, -size)
        n = np.bincount(places, minlength=groups).astype(np.float64)
        some = np.maximum(n, 1.0)
        centre = np.bincount(places, values, groups) / some
        differences = values - centre[places]
        offset = np.bincount(places, differences, groups) / some
        differences *= differences
        m2 = np.maximum(np.bincount(places, differences, groups) - n * offset * offset, 0.0)
        # Values that differ do so by a unit in the last place at least; less than that is rounding.
        m2[m2 < 1e3 * n * _EPSILON**3 * centre * centre] = 0.0
        out = no_moments(groups)
        mean, low = two_sum(np.full(groups, base[0]), np.ldexp(centre, size))
        out[MEAN], out[MEAN_LOW] = two_sum(mean, low + base[1] + np.ldexp(offset, size))
        out[N], out[M2], out[EXPONENT] = n, m2, np.where(m2 > 0, float(size), NO_SPREAD)
        out[:, n == 0] = no_moments(1)
        return out

    def merge(self, left: State, right: State) -> State:
        """Merge group by group and block by block."""
        return {"runs": _merged(left["runs"], right["runs"])}

    def finish(self, state: State) -> dict[str, Any]:
        """Merge the blocks of each group in their order.

        Returns
        -------
        dict
            ``groups``: the result of ``levels``; ``n`` (int64), ``mean``, ``m2`` (sum of squared differences from the
            mean) and ``offset`` (the group's mean less the mean of all, which loses no digits to the size of the
            numbers), each of shape (groups + 1,), the last for rows without a group; ``total``: ``n``, ``mean`` and
            ``m2`` of all groups but the last together; ``blocks``: ``n``, ``mean`` and ``m2``, each of shape
            (64, groups + 1). Means of no values are NaN.
        """
        runs = state["runs"]
        groups = _folded(runs)
        total = fold_moments(groups[:, :-1]) if groups.shape[1] > 1 else no_moments(1)[:, 0]
        with np.errstate(over="ignore", invalid="ignore"):  # means at either end of the doubles
            offset = (groups[MEAN] - total[MEAN]) + (groups[MEAN_LOW] - total[MEAN_LOW])
        plain = _plain(groups)
        return {
            "groups": dict(self.inputs[0]),
            **plain,
            "offset": np.where(plain["n"] > 0, offset, np.nan),
            "total": {name: values.item() for name, values in _plain(total).items()},
            "blocks": {name: np.ascontiguousarray(values.T) for name, values in _plain(runs).items()},
        }

    def memory(self) -> int:
        """One state, and those that wait for their siblings in the tree."""
        one = 8 * len(FIELDS) * self._groups * BLOCKS + 1024
        return one * (self.table.grid.n_chunks.bit_length() + 3)

    def scratch(self) -> int:
        """Temporaries of a run and of a merge, and codes of a chunk."""
        states = 20 * 8 * len(FIELDS) * self._groups * BLOCKS
        return (
            12 * 8 * min(PIECE, self.chunk_rows) + states + 4 * self.chunk_rows + 2 * self.spec.categories + (1 << 21)
        )

    def cost(self) -> float:
        """Nanoseconds a row; codes are shared with other kernels."""
        return 18.0


def _none(groups: int) -> Floats:
    return no_moments(groups * BLOCKS).reshape(len(FIELDS), groups, BLOCKS)


def _merged(left: Floats, right: Floats) -> Floats:
    out = merge_moments(left, right)
    if out is not left and out is not right:
        out[[M3, M4]] = 0.0  # not gathered
    return out


def _folded(runs: Floats) -> Floats:
    """Join the blocks, two neighbours at a time: shape (7, groups)."""
    while runs.shape[2] > 1:
        runs = _merged(runs[:, :, 0::2], runs[:, :, 1::2])
    return runs[:, :, 0]


def _plain(runs: Floats) -> dict[str, npt.NDArray[Any]]:
    exponent = np.where(runs[EXPONENT] == NO_SPREAD, 0, runs[EXPONENT]).astype(np.int64)
    with np.errstate(over="ignore", under="ignore"):
        m2 = np.ldexp(runs[M2], 2 * exponent)
    return {"n": runs[N].astype(np.int64), "mean": np.where(runs[N] > 0, runs[MEAN], np.nan), "m2": m2}


def _medians(table: Mapping[str, Any]) -> Floats:
    """Median of each group, as the upper end of its range; 0 for groups without values."""
    counts, levels = table["table"][:, :-1], table["second"]
    if levels["values"] is not None:
        upper = np.array(levels["values"], np.float64)
    else:  # nothing is known of the upper end of the last range but where it begins
        upper = np.append(levels["cuts"], levels["cuts"][-1:]).astype(np.float64)
    totals = counts.sum(axis=1)
    if not upper.size:
        return np.zeros(totals.size)
    reached = 2 * np.cumsum(counts, axis=1) >= totals[:, None]
    found = upper[reached.argmax(axis=1)]
    return np.where((totals > 0) & np.isfinite(found), found, 0.0)


PROVIDES = GroupMoments
