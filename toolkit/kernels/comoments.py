"""Means, sums of squares and of products of a set of columns, in 64 row blocks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from toolkit.core.chunk import Chunk
from toolkit.core.errors import UsageError
from toolkit.core.schema import NUMERIC_KINDS, TIME_KINDS, ColumnSpec
from toolkit.kernels.base import Kernel, KernelRequest, State, StateClass, TableView
from toolkit.kernels.blocks import BLOCKS, block_pieces
from toolkit.kernels.levels import FINEST
from toolkit.kernels.partial_comoments import (
    EXP_X,
    EXP_Y,
    MEAN_X,
    MEAN_Y,
    MXX,
    MXY,
    MYY,
    NUMBERS,
    N,
    centred,
    fold_comoments,
    merge_comoments,
    no_comoments,
    run_comoments,
)
from toolkit.kernels.partial_moments import NO_SPREAD, Floats
from toolkit.kernels.rank_scores import RankScores

_PIECE = 1 << 13
"""Rows of a piece: those of 24 columns stay in the processor's cache."""

_PAIRWISE, _COMPLETE = "pairwise", "complete"
_VALUES, _RANKS = "values", "ranks"


class Comoments(Kernel):
    """Rows, means, sums of squares and of products for pairs of columns, over the rows where both are present.

    NaN and infinities count as missing. Rows fall into 64 contiguous blocks, which stay in the result for the
    jackknife.

    Parameters of a request: ``rows``: ``pairwise``, or ``complete`` for rows where all columns are present; ``pairs``:
    pairs of names, such as ``[["a", "b"]]``, when not all are wanted; ``scores``: ``values``, or ``ranks`` for the
    mid-ranks of the columns' 1,024 levels, of a pair among the rows where both are present, so that correlations are
    Spearman's. Ranks go with ``pairwise`` rows.

    Notes
    -----
    Runs of at most 8,192 rows are centred on the means of their columns, and join by the formulas of Chan,
    Golub and LeVeque (`toolkit.kernels.partial_comoments`). Where the rows common to two columns lie far from the means
    of all, their sums are taken once more about means of their own.

    The state is ``pairs``, shape (10, pairs, 64).
    """

    name: ClassVar[str] = "comoments"
    version: ClassVar[int] = 2
    state_class: ClassVar[StateClass] = "tree"
    references: ClassVar[tuple[str, ...]] = (
        "10.1080/00031305.1983.10483115",
        "10.1145/3221269.3223036",
        "10.2307/1412159",
    )
    defaults: ClassVar[Mapping[str, Any]] = {"rows": _PAIRWISE, "pairs": None, "scores": _VALUES}
    arity: ClassVar[int | None] = None

    def __init__(self, request: KernelRequest, table: TableView) -> None:
        super().__init__(request, table)
        if self.params["rows"] not in (_PAIRWISE, _COMPLETE):
            raise UsageError(f"kernel comoments takes rows: {_PAIRWISE} or {_COMPLETE}, not {self.params['rows']!r}")
        if self.params["scores"] not in (_VALUES, _RANKS):
            raise UsageError(f"kernel comoments takes scores: {_VALUES} or {_RANKS}, not {self.params['scores']!r}")
        if (self.params["scores"], self.params["rows"]) == (_RANKS, _COMPLETE):
            raise UsageError(f"kernel comoments takes scores: {_RANKS} with rows: {_PAIRWISE} only")
        places = {name: i for i, name in enumerate(request.columns)}
        width = len(places)
        wanted = {(i, j) for i in range(width) for j in range(i + 1, width)}
        if self.params["pairs"] is not None:
            strange = [n for pair in self.params["pairs"] for n in pair if n not in places]
            if strange:
                raise UsageError(f"pairs of kernel comoments name {strange[0]!r}, which is none of its columns")
            wanted = {_ascending(places[a], places[b]) for a, b in self.params["pairs"]}
        self._ranks: RankScores | None = None
        chosen = np.array(sorted(wanted | {(i, i) for i in range(width)}), np.intp).reshape(-1, 2)
        self._first, self._second = chosen[:, 0].copy(), chosen[:, 1].copy()
        self._apart = np.zeros(self._first.size, bool)

    @classmethod
    def accepts(cls, spec: ColumnSpec) -> bool:
        """Numbers, times and bools."""
        return spec.kind in NUMERIC_KINDS | TIME_KINDS or spec.kind == "bool"

    def requires(self) -> list[KernelRequest]:
        """For ranks, how many values each level holds, and how many where another column is missing."""
        if self.params["scores"] != _RANKS:
            return []
        coded = [KernelRequest("block_codes", (c,), {}) for c in self.request.columns]
        return [*coded, KernelRequest("partner_levels", self.request.columns, {})]

    def bind(self, inputs: Sequence[Mapping[str, Any]]) -> None:
        """Take the levels, and find the pairs whose ranks are not those among all values."""
        super().bind(inputs)
        if inputs:
            ranks = self._ranks = RankScores(self.table.schema, self.request.columns, inputs[:-1], inputs[-1])
            ends = zip(self._first.tolist(), self._second.tolist(), strict=True)
            self._apart = np.array([a != b and ranks.differ(a, b) for a, b in ends])

    def init(self) -> State:
        """No rows in any block."""
        return {"pairs": no_comoments(self._first.size, BLOCKS)}

    def update(self, state: State, chunk: Chunk) -> State:
        """Add a chunk to the blocks that its rows fall into."""
        if self._ranks is None:
            data = [(chunk.raw(c), chunk.data(c).valid) for c in self.request.columns]
        else:
            data = self._ranks.of_all(chunk)
        together = np.flatnonzero(~self._apart)
        first, second = self._first[together], self._second[together]
        runs: dict[int, list[Floats]] = defaultdict(list)
        for block, lo, hi in block_pieces(chunk.rows.start, chunk.rows.stop, self.table.grid.rows, _PIECE):
            columns = [centred(v[lo:hi], None if valid is None else valid[lo:hi]) for v, valid in data]
            if self.params["rows"] == _COMPLETE and any(c.present is not None for c in columns):
                present = np.logical_and.reduce([c.present for c in columns if c.present is not None])
                if not present.any():
                    continue
                columns = [centred(v[lo:hi][present], None) for v, _ in data]
            runs[block].append(run_comoments(columns, first, second))
        leaf = self.init()["pairs"]
        for block, found in runs.items():
            leaf[:, together, block] = fold_comoments(np.stack(found, axis=2))
        if self._ranks is not None:
            self._add_pairs_apart(leaf, chunk, self._ranks)
        return self.merge(state, {"pairs": leaf})

    def _add_pairs_apart(self, leaf: Floats, chunk: Chunk, ranks: RankScores) -> None:
        """Co-moments of the pairs that have ranks of their own."""
        apart = np.flatnonzero(self._apart)
        pairs = list(zip(self._first[apart].tolist(), self._second[apart].tolist(), strict=True))
        runs = block_pieces(chunk.rows.start, chunk.rows.stop, self.table.grid.rows, _PIECE)
        found = no_comoments(len(pairs), len(runs))
        for run, pair, sums in ranks.of_pairs(chunk, pairs, [(lo, hi) for _, lo, hi in runs]):
            found[:, pair, run] = sums
        blocks = np.array([block for block, _, _ in runs])
        for block in dict.fromkeys(blocks.tolist()):
            leaf[:, apart, block] = fold_comoments(found[:, :, blocks == block])

    def merge(self, left: State, right: State) -> State:
        """Merge pair by pair and block by block."""
        return {"pairs": merge_comoments(left["pairs"], right["pairs"])}

    def finish(self, state: State) -> dict[str, Any]:
        """Hand out matrices over the columns, of all rows and of each block.

        Returns
        -------
        dict
            ``columns``; and matrices of shape (columns, columns), whose entries for pairs that were not asked for are 0
            in ``n`` and NaN else: ``n``, rows where both are present, int64; ``mean`` and ``m2``, mean and sum of
            squared differences from it of the first column over these rows; ``cross``, sum of products of differences;
            ``correlation``, NaN where a column does not vary. ``blocks`` holds the same of shape
            (64, columns, columns). On the diagonal is each column by itself. For ranks ``error``, the most by which
            a correlation may differ from Spearman's because a level is a range of values: 0 where each is one value.
        """
        pairs = state["pairs"]
        total = self._matrices(fold_comoments(pairs)[:, :, None])
        return {
            "columns": list(self.request.columns),
            **{name: matrix[0] for name, matrix in total.items()},
            "blocks": self._matrices(pairs),
            **({} if self._ranks is None else {"error": self._errors(self._ranks)}),
        }

    def _errors(self, ranks: RankScores) -> Floats:
        """Bounds of the error of rank correlations, shape (columns, columns)."""
        error = np.full((len(self.request.columns),) * 2, np.nan)
        for one, other in zip(self._first.tolist(), self._second.tolist(), strict=True):
            error[one, other] = error[other, one] = ranks.error(one, other) if one != other else 0.0
        return error

    def _matrices(self, pairs: Floats) -> dict[str, npt.NDArray[Any]]:
        """Matrices of shape (runs, columns, columns) from an array of shape (10, pairs, runs)."""
        width, i, j = len(self.request.columns), self._first, self._second
        shape = (pairs.shape[2], width, width)
        exponent = np.where(pairs == NO_SPREAD, 0, pairs)[[EXP_X, EXP_Y]].astype(np.int64)
        out: dict[str, npt.NDArray[Any]] = {"n": np.zeros(shape, np.int64)}
        out["n"][:, i, j] = out["n"][:, j, i] = pairs[N].T.astype(np.int64)
        none = pairs[N] == 0
        with np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore"):
            spread = np.sqrt(pairs[MXX]) * np.sqrt(pairs[MYY])
            correlation = np.clip(np.where(spread > 0, pairs[MXY] / spread, np.nan), -1.0, 1.0)
            correlation[(pairs[MXX] > 0) & (i == j)[:, None]] = 1.0
            halves = {
                "mean": (pairs[MEAN_X], pairs[MEAN_Y]),
                "m2": (np.ldexp(pairs[MXX], 2 * exponent[0]), np.ldexp(pairs[MYY], 2 * exponent[1])),
                "cross": (np.ldexp(pairs[MXY], exponent.sum(axis=0)),) * 2,
                "correlation": (correlation, correlation),
            }
        for name, (upper, lower) in halves.items():
            matrix = out[name] = np.full(shape, np.nan)
            matrix[:, j, i] = np.where(none, np.nan, lower).T
            matrix[:, i, j] = np.where(none, np.nan, upper).T
        return out

    def memory(self) -> int:
        """One state, and those that wait for their siblings in the tree."""
        one = 8 * NUMBERS * self._first.size * BLOCKS + 1024
        return one * (self.table.grid.n_chunks.bit_length() + 3)

    def scratch(self) -> int:
        """A piece of all columns in a few forms, the co-moments of its pairs, and a merge of two states."""
        rows, width, pairs = min(_PIECE, self.chunk_rows), len(self.request.columns), self._first.size
        pieces = self.chunk_rows // _PIECE + BLOCKS + 1
        matrices = 8 * 5 * (BLOCKS + 1) * width * width
        states = 8 * NUMBERS * pairs * (3 * pieces + 8 * BLOCKS)
        ranks = 0
        if self.params["scores"] == _RANKS:
            ranks = (
                16 * self.chunk_rows * width
                + (1 << 20) * width
                + 24 * width * min(_PIECE, self.chunk_rows)
                + 16 * FINEST * pairs
            )
        return ranks + 8 * rows * (6 * width + 8) + states + matrices + self.chunk_rows + (1 << 19)

    def cost(self) -> float:
        """Nanoseconds a row."""
        missing = sum(self.table.schema[c].nullable for c in self.request.columns)
        return 3.0 * len(self.request.columns) * (1 + 0.5 * missing) + 0.6 * self._first.size


def _ascending(a: int, b: int) -> tuple[int, int]:
    return min(a, b), max(a, b)


PROVIDES = Comoments
