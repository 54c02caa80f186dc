"""The triangular factor of a set of columns, for regressions that cross products are too coarse for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from toolkit.core.chunk import Chunk
from toolkit.core.schema import NUMERIC_KINDS, TIME_KINDS, ColumnSpec
from toolkit.kernels.base import Kernel, State, StateClass

_ROWS = 1 << 12
"""Rows taken at a time, so that they stay in the processor's cache."""

_NONE = -4096
"""Exponent of a column of zeros: below every other."""

Floats = npt.NDArray[np.float64]


class Tsqr(Kernel):
    """R of the QR decomposition of a column of ones and the columns of the request, over rows where all are present.

    NaN and infinities count as missing. Regress the last column on the others by solving with R's leading part: digits
    are lost with the condition number of the columns, not with its square as from cross products; scaling columns makes
    no difference.

    Notes
    -----
    Householder reflections of runs of at most 4,096 rows, whose factors are decomposed again together with
    those of later runs (TSQR); they are written out here, as the last bits of a linear algebra library depend on the
    processor. Diagonal entries are not negative.

    The state is ``r``, shape (columns + 1, columns + 1), with rows of zeros while there are fewer rows than columns,
    and the binary ``exponents`` by which its columns are scaled, int64, so that no square overflows; and the numbers of
    ``rows`` taken and ``left_out``.
    """

    name: ClassVar[str] = "tsqr"
    version: ClassVar[int] = 1
    state_class: ClassVar[StateClass] = "tree"
    references: ClassVar[tuple[str, ...]] = ("10.1137/080731992",)
    defaults: ClassVar[Mapping[str, Any]] = {}
    arity: ClassVar[int | None] = None

    @classmethod
    def accepts(cls, spec: ColumnSpec) -> bool:
        """Numbers, times and bools."""
        return spec.kind in NUMERIC_KINDS | TIME_KINDS or spec.kind == "bool"

    @property
    def _width(self) -> int:
        return len(self.request.columns) + 1

    def init(self) -> State:
        """No rows."""
        return {
            "r": np.zeros((self._width, self._width)),
            "exponents": np.full(self._width, _NONE, np.int64),
            "rows": 0,
            "left_out": 0,
        }

    def update(self, state: State, chunk: Chunk) -> State:
        """Decompose the rows of a chunk together with those before."""
        leaf = self.init()
        data = [(chunk.raw(c), chunk.data(c).valid) for c in self.request.columns]
        for lo in range(0, len(chunk), _ROWS):
            hi = min(lo + _ROWS, len(chunk))
            block = np.ones((self._width, hi - lo))
            complete = np.ones(hi - lo, bool)
            for place, (values, valid) in enumerate(data):
                block[place + 1] = values[lo:hi]
                if valid is not None:
                    complete &= valid[lo:hi]
            complete &= np.isfinite(block).all(axis=0)
            if not complete.all():
                block = block[:, complete]
            leaf["rows"] += block.shape[1]
            leaf["left_out"] += hi - lo - block.shape[1]
            leaf["r"], leaf["exponents"] = _joined(leaf["r"], leaf["exponents"], *_scaled(block))
        return self.merge(state, leaf)

    def merge(self, left: State, right: State) -> State:
        """Decompose both factors, one above the other."""
        out = {name: left[name] + right[name] for name in ("rows", "left_out")}
        if not (left["rows"] and right["rows"]):
            only = left if left["rows"] else right
            return {"r": only["r"], "exponents": only["exponents"], **out}
        r, exponents = _joined(left["r"], left["exponents"], right["r"].T, right["exponents"])
        return {"r": r, "exponents": exponents, **out}

    def finish(self, state: State) -> dict[str, Any]:
        """Hand out the factor.

        Returns
        -------
        dict
            ``columns``, with the constant first, as an empty name; ``r``, float64, shape (columns + 1, columns + 1),
            upper triangular, diagonal not negative; ``rows`` that were complete, and ``left_out``, those that were not.
        """
        with np.errstate(over="ignore", under="ignore"):
            r = np.ldexp(state["r"], state["exponents"])
        counts = {name: state[name] for name in ("rows", "left_out")}
        return {"columns": ["", *self.request.columns], "r": r, **counts}

    def memory(self) -> int:
        """One state, and those that wait for their siblings in the tree."""
        return (8 * self._width**2 + 1024) * (self.table.grid.n_chunks.bit_length() + 3)

    def scratch(self) -> int:
        """Rows of a piece in a few forms."""
        return 8 * (min(_ROWS, self.chunk_rows) + 2 * self._width) * (5 * self._width + 8) + (1 << 17)

    def cost(self) -> float:
        """Nanoseconds a row."""
        return 4.0 * self._width**2


def _scaled(columns: Floats) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Columns over powers of two, so that the largest number of each is about 1; and the exponents."""
    largest = np.abs(columns).max(axis=1, initial=0.0)
    exponents = np.where(largest > 0, np.frexp(largest)[1], _NONE)
    return np.ldexp(columns, -exponents[:, None]), exponents


def _joined(
    r: Floats, exponents: npt.NDArray[np.int64], columns: Floats, more: npt.NDArray[np.int64]
) -> tuple[Floats, npt.NDArray[np.int64]]:
    """The factor of what ``r`` stands for and of further rows, given by their columns."""
    common = np.maximum(exponents, more)
    above = np.ldexp(r, exponents - common).T
    return triangle(np.concatenate([above, np.ldexp(columns, (more - common)[:, None])], axis=1)), common


def triangle(columns: Floats) -> Floats:
    """R of the QR decomposition of a matrix given by its columns.

    Parameters
    ----------
    columns : ndarray of float64, shape (width, rows)
        One column of the matrix in each row; overwritten. Of any number of rows.

    Returns
    -------
    ndarray of float64, shape (width, width)
        Upper triangular, diagonal not negative.
    """
    width, rows = columns.shape
    out = np.zeros((width, width))
    for place in range(min(width, rows)):
        column = columns[place, place:]
        norm = math.sqrt(float(np.einsum("k,k->", column, column)))
        if norm == 0.0:
            continue
        reflector = column.copy()
        reflector[0] += math.copysign(norm, float(reflector[0]))
        scale = 2.0 / float(np.einsum("k,k->", reflector, reflector))
        rest = columns[place:, place:]
        rest -= np.outer(np.einsum("jk,k->j", rest, reflector) * scale, reflector)
        sign = -1.0 if columns[place, place] < 0 else 1.0
        out[place, place:] = columns[place:, place] * sign
    return out


PROVIDES = Tsqr
