"""Count, mean and sum of squares of a column for each group of another, in 64 row blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from toolkit.core.chunk import Chunk
from toolkit.core.digest import digest_value
from toolkit.core.errors import UsageError
from toolkit.core.schema import NUMERIC_KINDS, TIME_KINDS, ColumnSpec
from toolkit.kernels.base import Kernel, KernelRequest, State, StateClass, TableView
from toolkit.kernels.blocks import BLOCKS, PIECE, block_pieces
from toolkit.kernels.coding import Coder
from toolkit.kernels.grouped_runs import Run, RunTable, grouped_run, moments_by_group, run_table
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
)
from toolkit.kernels.present import LastDerived

_WIDTH = 16
"""Columns of values that are taken together at most."""
_MEAN, _MEDIAN = "mean", "median"


class GroupMoments(Kernel):
    """Count, mean and sum of squared differences from it of the second column, for each group of the first.

    Groups are the levels of the kernel ``levels``, with all rare categories together; rows where the group is missing
    are a group of their own, the last. NaN and infinities are left out. Rows fall into 64 contiguous blocks.

    Parameters of a request: ``levels``, how many groups there are at most; ``about``: ``mean``, or ``median`` for the
    moments of the distances of the values from their group's median (Brown and Forsythe), where the median is exact of
    columns of at most 1,024 values, and else the upper end of the quantile range that it lies in; ``names``, whether
    anything is counted where most rows are in the level of all rare groups (false: there are no values in any group, at
    no cost).

    Notes
    -----
    Within a run of rows the values of each group are taken about their own mean, as in the kernel
    ``moments``, so that neither the distance between the groups nor the size of the numbers costs digits.

    The state is ``runs``, shape (7, groups + 1, blocks), fields as in `toolkit.kernels.partial_moments`, of the
    blocks from ``first`` on that its rows are in.
    """

    name: ClassVar[str] = "group_moments"
    version: ClassVar[int] = 2
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
        self.coder = Coder(self.spec, inputs[0])
        self.groups = self.coder.levels + 1
        self._empty = not self.params["names"] and mostly_pooled(inputs[0])
        self._centres = _medians(inputs[1]) if self.params["about"] == _MEDIAN else None

    def init(self) -> State:
        """No values in any group."""
        return {"first": 0, "runs": no_moments(0).reshape(len(FIELDS), 0, 0)}

    def batch(self) -> str:
        """Values of the same groups are taken together: the rows are then distributed to the groups once."""
        return digest_value([self.name, self.column, self.params])

    def update(self, state: State, chunk: Chunk) -> State:
        """Add a chunk to the groups and blocks that its rows fall into."""
        return state if self._empty else self.merge(state, self.leaves([self], chunk)[0])

    @classmethod
    def leaves(cls, batch: Sequence[Self], chunk: Chunk) -> list[State]:
        """States of a chunk, of several columns of values."""
        if batch[0]._empty:
            return [kernel.init() for kernel in batch]
        return [leaf for at in range(0, len(batch), _WIDTH) for leaf in _leaves(batch[at : at + _WIDTH], chunk)]

    def runs(self, chunk: Chunk) -> list[Run]:
        """The values of a chunk, or their distances from the medians, by pieces of it."""
        values, valid = chunk.raw(self._value), chunk.data(self._value).valid
        if valid is not None and valid.all():
            valid = None
        found = []
        for _, lo, hi in _pieces(chunk, self.table.grid.rows):
            absent = None if valid is None or valid[lo:hi].all() else ~valid[lo:hi]
            centres = None if self._centres is None else self._centres[self.coder.codes(chunk)[lo:hi]]
            found.append(grouped_run(values[lo:hi], absent, centres))
        return found

    def merge(self, left: State, right: State) -> State:
        """Merge group by group and block by block."""
        if not left["runs"].size or not right["runs"].size:
            return left if left["runs"].size else right
        (a, x), (b, y) = ((state["first"], state["runs"]) for state in (left, right))
        first, stop = min(a, b), max(a + x.shape[2], b + y.shape[2])
        begin = max(a, b)
        end = max(min(a + x.shape[2], b + y.shape[2]), begin)  # of the blocks that both have
        runs = _none(self.groups, stop - first)
        runs[:, :, a - first : a - first + x.shape[2]] = x
        runs[:, :, b - first : b - first + y.shape[2]] = y
        runs[:, :, begin - first : end - first] = _merged(x[:, :, begin - a : end - a], y[:, :, begin - b : end - b])
        return {"first": first, "runs": runs}

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
        runs = _none(self.groups, BLOCKS)
        if state["runs"].size:
            runs[:, :, state["first"] : state["first"] + state["runs"].shape[2]] = state["runs"]
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
        """The blocks of all states that wait for their siblings in the tree, which overlap in one, and a merge."""
        block = 8 * len(FIELDS) * self.groups
        waiting = self.table.grid.n_chunks.bit_length() + 3
        return 2 * block * BLOCKS + waiting * (block + 1024)

    def scratch(self) -> int:
        """States of a batch and temporaries of a merge, values of a batch, and codes of a chunk."""
        states = (20 + _WIDTH) * 8 * len(FIELDS) * self.groups * BLOCKS
        runs = 3 * 8 * _WIDTH * min(PIECE, self.chunk_rows)
        values = (8 * _WIDTH + 24) * self.chunk_rows
        return states + runs + values + 2 * self.spec.categories + (1 << 21)

    def cost(self) -> float:
        """Nanoseconds a row; codes are shared with other kernels."""
        return 10.0


def _leaves(batch: Sequence[GroupMoments], chunk: Chunk) -> list[State]:
    groups, codes = batch[0].groups, batch[0].coder.codes(chunk)
    tables: Iterable[RunTable] = _tables(chunk, batch)
    if batch[0].params["about"] == _MEAN:
        tables = _shared_tables(chunk, _Values(tuple(kernel.request.columns[1] for kernel in batch), tuple(batch)))
    pieces = _pieces(chunk, batch[0].table.grid.rows)
    first, former = pieces[0][0], -1
    blocks = pieces[-1][0] - first + 1
    leaf = no_moments(groups * blocks * len(batch)).reshape(len(FIELDS), groups, blocks, len(batch))
    for (block, lo, hi), table in zip(pieces, tables, strict=True):
        found, at = moments_by_group(table, codes[lo:hi], groups), block - first
        leaf[:, :, at] = _merged(leaf[:, :, at], found) if block == former else found
        former = block
    return [{"first": first, "runs": np.ascontiguousarray(leaf[..., i])} for i in range(len(batch))]


def _tables(chunk: Chunk, batch: Sequence[GroupMoments]) -> Iterator[RunTable]:
    return map(run_table, zip(*(kernel.runs(chunk) for kernel in batch), strict=True))


@dataclass(frozen=True)
class _Values:
    """Columns of values, and who reads them."""

    columns: tuple[str, ...]
    batch: tuple[GroupMoments, ...] = field(compare=False)


_shared_tables: LastDerived[_Values, list[RunTable]] = LastDerived(
    lambda chunk, values: list(_tables(chunk, values.batch))
)
"""Values about means are the same for all columns of groups."""


def _pieces(chunk: Chunk, rows: int) -> list[tuple[int, int, int]]:
    return block_pieces(chunk.rows.start, chunk.rows.stop, rows, PIECE)


def _none(groups: int, blocks: int) -> Floats:
    return no_moments(groups * blocks).reshape(len(FIELDS), groups, blocks)


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
    """Median of each group, of a range its upper end; 0 for groups without values."""
    counts, levels = table["table"][:, :-1], table["second"]
    if levels["values"] is not None:
        upper = np.array(levels["values"], np.float64)
    else:  # nothing is known of the upper end of the last range but where it begins
        upper = np.append(levels["cuts"], levels["cuts"][-1:]).astype(np.float64)
    totals = counts.sum(axis=1)
    if not upper.size:
        return np.zeros(totals.size)
    twice = 2 * np.cumsum(counts, axis=1)
    middle = [upper[reached.argmax(axis=1)] for reached in (twice >= totals[:, None], twice > totals[:, None])]
    with np.errstate(invalid="ignore"):
        found = middle[0] / 2 + middle[1] / 2 if levels["values"] is not None else middle[0]
    return np.where((totals > 0) & np.isfinite(found), found, 0.0)


PROVIDES = GroupMoments
