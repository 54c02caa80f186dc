"""Mid-ranks of the values of a set of columns: among all rows, and for each pair among the rows that both share.

Ranks are those of levels (`toolkit.kernels.levels`): of values where a column has few enough, else of ranges, whose
values share the mean of their ranks. The error that ranges make has a bound, `rank_error`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.core.chunk import Chunk
from toolkit.core.schema import Schema
from toolkit.kernels.coding import Coder
from toolkit.kernels.partial_comoments import (
    EXP_X,
    EXP_Y,
    LOW_X,
    LOW_Y,
    MEAN_X,
    MEAN_Y,
    MXX,
    MXY,
    MYY,
    N,
    no_comoments,
)
from toolkit.kernels.partial_moments import Floats, two_sum

Counts = npt.NDArray[np.int64]
Pairs = Sequence[tuple[int, int]]
Scored = tuple[Floats, npt.NDArray[np.intp], Floats]


class RankScores:
    """Ranks of the columns of a request.

    Parameters
    ----------
    schema : Schema
        Of the table.
    columns : sequence of str
        Their names.
    coded : sequence of dict
        Result of the kernel ``block_codes`` on each.
    partners : dict
        Result of the kernel ``partner_levels`` on all.
    """

    def __init__(
        self,
        schema: Schema,
        columns: Sequence[str],
        coded: Sequence[Mapping[str, Any]],
        partners: Mapping[str, Any],
    ) -> None:
        self._coders = [Coder(schema[name], found["levels"]) for name, found in zip(columns, coded, strict=True)]
        self._counts = [found["table"].sum(axis=0) for found in coded]
        self._single = [found["levels"]["single"] for found in coded]
        self._ranks = [mid_ranks(counts) for counts in self._counts]
        self._places = {column: place for place, column in enumerate(partners["lacking"])}
        self._missing, self._starts = partners["missing"], partners["starts"]

    def shared(self, column: int, partner: int) -> Counts:
        """Values of a column in each level, in the rows where its partner is present: shape (levels + 1,)."""
        counts = self._counts[column]
        if column == partner or partner not in self._places:
            return counts
        start, stop = self._starts[column : column + 2]
        return counts - self._missing[self._places[partner], start:stop]

    def differ(self, one: int, other: int) -> bool:
        """Whether a column has fewer values in the rows that two columns share than in all."""
        pairs = ((one, other), (other, one))
        return any((self.shared(a, b)[:-1] != self._counts[a][:-1]).any() for a, b in pairs)

    def error(self, one: int, other: int) -> float:
        """Bound of what ranges of values instead of values may change the rank correlation by."""
        parts = ((self.shared(a, b)[:-1], self._single[a]) for a, b in ((one, other), (other, one)))
        return min(math.fsum(rank_error(counts, single) for counts, single in parts), 2.0)

    def of_all(self, chunk: Chunk) -> list[tuple[npt.NDArray[Any], npt.NDArray[np.bool_] | None]]:
        """Ranks of each column among all of its values, and where it is present."""
        codes = [coder.codes(chunk) for coder in self._coders]
        return [(r[c], c < coder.levels) for r, c, coder in zip(self._ranks, codes, self._coders, strict=True)]

    def of_pairs(
        self, chunk: Chunk, pairs: Pairs, pieces: Sequence[tuple[int, int]]
    ) -> Iterator[tuple[int, int, Floats]]:
        """Co-moments of ranks among the rows that two columns share.

        Parameters
        ----------
        chunk : Chunk
            Rows of the table.
        pairs : sequence of (int, int)
            Numbers of two columns.
        pieces : sequence of (int, int)
            Runs of rows of the chunk.

        Yields
        ------
        piece, pair : int
            Numbers of a run and of a pair.
        comoments : ndarray of float64, shape (10,)
            As in `toolkit.kernels.partial_comoments`; none where no row has both.
        """
        used = sorted({column for pair in pairs for column in pair})
        ranks = [[mid_ranks(self.shared(a, b)) for a, b in (pair, pair[::-1])] for pair in pairs]
        for piece, (lo, hi) in enumerate(pieces):
            codes = {at: self._coders[at].codes(chunk)[lo:hi].astype(np.intp) for at in used}
            there = {at: codes[at] < self._coders[at].levels for at in used}
            weights = {at: there[at].astype(np.float64) for at in used}
            for number, (pair, of_both) in enumerate(zip(pairs, ranks, strict=True)):
                both = there[pair[0]] & there[pair[1]]
                if both.any():
                    x, y = ((r, codes[at], weights[at]) for r, at in zip(of_both, pair, strict=True))
                    yield piece, number, _comoments(x, y, both)


def _comoments(x: Scored, y: Scored, both: npt.NDArray[np.bool_]) -> Floats:
    """Co-moments of a run of two columns from ranks by code, codes, and 1 where the column is present."""
    n, first = int(np.count_nonzero(both)), int(both.argmax())
    values, out = [], no_comoments(1)[:, 0]
    out[N] = n
    for ranks, codes, _ in (x, y):
        # About a rank of the run, so that it loses no digits where the run lies far from the middle of the table.
        near = ranks - ranks[codes[first]]
        near[-1] = 0.0
        values.append(near[codes])
    sums = []
    for of_one, other, partner, (mean, low, m2, exponent) in (
        (values[0], x, y, (MEAN_X, LOW_X, MXX, EXP_X)),
        (values[1], y, x, (MEAN_Y, LOW_Y, MYY, EXP_Y)),
    ):
        shared = of_one * partner[2]
        total = float(shared.sum())
        sums.append(total)
        spread = float(np.einsum("i,i->", shared, of_one)) - total * total / n
        out[[mean, low]] = np.concatenate(two_sum(other[0][other[1][first, None]], np.array([total / n])))
        if shared.any():
            out[m2], out[exponent] = max(spread, 0.0), 0.0
    out[MXY] = float(np.einsum("i,i->", *values)) - sums[0] * sums[1] / n
    return out


def mid_ranks(counts: Counts) -> Floats:
    """Mean rank of the values of each level, of which the last stands for missing values.

    Examples
    --------
    >>> mid_ranks(np.array([1, 2, 1, 7]))[:-1].tolist()
    [1.0, 2.5, 4.0]
    """
    ranks: Floats = np.cumsum(counts) - (counts - 1) / 2
    return ranks


def rank_error(counts: Counts, single: npt.NDArray[np.bool_]) -> float:
    """How far ranks of levels are from ranks of values, as the largest angle between the two.

    Parameters
    ----------
    counts : ndarray of int64, shape (levels,)
        Values in each level.
    single : ndarray of bool, shape (levels,)
        Whether a level is one value.

    Returns
    -------
    float
        In radians, 0 where every level is one value. A correlation is the cosine of an angle, so that it changes by no
        more than the sum of the two columns' angles.

    Notes
    -----
    Ranks within a level differ from their mean, and these differences are uncorrelated with all means. Their sum of
    squares is largest where no two values of the level are equal.

    Examples
    --------
    >>> round(rank_error(np.full(1024, 20), np.zeros(1024, bool)), 6)
    0.000975
    """
    n = counts.astype(np.float64)
    total = n.sum()
    within = float((n * (n * n - 1.0))[~single].sum()) / 12.0
    between = float((n * (mid_ranks(counts) - (total + 1.0) / 2.0) ** 2).sum())
    return math.atan2(math.sqrt(max(within, 0.0)), math.sqrt(between)) if within > 0 else 0.0
