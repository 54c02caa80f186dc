"""Moments to order 4 of numbers and times, in 64 row blocks."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from toolkit.core.chunk import Chunk
from toolkit.core.schema import NUMERIC_KINDS, TIME_KINDS, ColumnSpec
from toolkit.kernels.base import Kernel, State, StateClass
from toolkit.kernels.blocks import BLOCKS, PIECE, block_pieces
from toolkit.kernels.partial_moments import (
    FIELDS,
    NO_SPREAD,
    Floats,
    float_moments,
    fold_moments,
    integer_moments,
    merge_moments,
    no_moments,
)

_TALLIES = ("nan", "positive_infinity", "negative_infinity", "zeros", "negatives")


class Moments(Kernel):
    """Count, mean and central moments to order 4, for 64 contiguous row blocks.

    Block ``i`` holds the rows from ``i * N // 64`` to ``(i + 1) * N // 64`` of the table's ``N`` rows, whatever the
    chunks are. The blocks are merged in their order at the end; they stay in the result, for the jackknife.

    Notes
    -----
    Each run of rows within one block and one chunk is taken in two passes: the mean, then powers of the
    differences from it; runs join by the formulas of Chan and Pébay (`toolkit.kernels.partial_moments`). No
    rounding depends on a value far from the others, as it would with one pivot for the whole column, and no value
    overflows.

    The state holds ``blocks``, shape (7, 64), a row for each of `FIELDS`; of the table the numbers of NaN, infinities,
    zeros and negative values, whether all values are integers, and for integers the exact sum. NaN and infinities are
    counted, and left out of the moments.
    """

    name: ClassVar[str] = "moments"
    version: ClassVar[int] = 1
    state_class: ClassVar[StateClass] = "tree"
    references: ClassVar[tuple[str, ...]] = (
        "10.1080/00031305.1983.10483115",
        "10.2172/1028931",
        "10.1007/s00180-015-0637-z",
    )

    @classmethod
    def accepts(cls, spec: ColumnSpec) -> bool:
        """Numbers, times and bools."""
        return spec.kind in NUMERIC_KINDS | TIME_KINDS or spec.kind == "bool"

    @property
    def _is_float(self) -> bool:
        return self.spec.kind == "float"

    def init(self) -> State:
        """No rows in any block."""
        tallies = dict.fromkeys(_TALLIES, 0)
        return {"blocks": no_moments(BLOCKS), **tallies, "integral": True, "sum": None if self._is_float else 0}

    def update(self, state: State, chunk: Chunk) -> State:
        """Add a chunk to the blocks that its rows fall into."""
        leaf = self.init()
        values, valid = chunk.raw(self.column), chunk.data(self.column).valid
        if values.dtype.kind == "b":
            values = values.view(np.uint8)
        rounds: list[Floats] = []
        last, depth = -1, 0
        for block, lo, hi in block_pieces(chunk.rows.start, chunk.rows.stop, self.table.grid.rows):
            part = values[lo:hi]
            if valid is not None:
                present = valid[lo:hi]
                part = part if present.all() else part[present]
            if not part.size:
                continue
            last, depth = block, depth + 1 if block == last else 0
            if depth == len(rounds):
                rounds.append(no_moments(BLOCKS))
            rounds[depth][:, block] = self._moments(part, leaf)
        for moments in rounds:
            leaf["blocks"] = merge_moments(leaf["blocks"], moments)
        return self.merge(state, leaf)

    def _moments(self, part: npt.NDArray[Any], leaf: State) -> list[float]:
        """Moments of one run of rows; what is counted is counted into ``leaf``."""
        if not self._is_float:
            moments, total = integer_moments(part)
            leaf["sum"] += total
            leaf["zeros"] += part.size - int(np.count_nonzero(part))
            if part.dtype.kind == "i":
                leaf["negatives"] += int(np.count_nonzero(part < 0))
            return moments
        part = part.astype(np.float64, copy=False)
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            if not np.isfinite(part.sum()):  # something is not finite, or the sum is too large
                leaf["nan"] += int(np.count_nonzero(np.isnan(part)))
                leaf["positive_infinity"] += int(np.count_nonzero(part == np.inf))
                leaf["negative_infinity"] += int(np.count_nonzero(part == -np.inf))
                part = part[np.isfinite(part)]
            leaf["zeros"] += part.size - int(np.count_nonzero(part))
            leaf["negatives"] += int(np.count_nonzero(part < 0))
            leaf["integral"] = leaf["integral"] and _all_integral(part)
            return float_moments(part)

    def merge(self, left: State, right: State) -> State:
        """Merge block by block."""
        return {
            "blocks": merge_moments(left["blocks"], right["blocks"]),
            **{t: left[t] + right[t] for t in _TALLIES},
            "integral": left["integral"] and right["integral"],
            "sum": None if self._is_float else left["sum"] + right["sum"],
        }

    def finish(self, state: State) -> dict[str, Any]:
        """Merge the blocks in their order and derive the usual statistics.

        Returns
        -------
        dict
            ``count`` (finite values), ``nan``, ``positive_infinity``, ``negative_infinity``, ``zeros``, ``negatives``,
            ``integral``, ``sum``, ``mean``, ``m2`` to ``m4``, ``variance`` and ``std`` (ddof 1), ``skewness`` (g1) and
            ``kurtosis`` (excess, g2), both of the population; None where undefined. ``blocks`` holds ``n``, ``mean``
            and ``m2`` to ``m4``, each of shape (64,). Of times: in the column's unit.
        """
        blocks = state["blocks"]
        total = dict(zip(FIELDS, fold_moments(blocks).tolist(), strict=True))
        count = int(total["n"])
        return {
            "count": count,
            **{t: state[t] for t in _TALLIES},
            "integral": bool(state["integral"]) and count > 0,
            "sum": _float_sum(total) if self._is_float else state["sum"],
            **_statistics(count, total),
            "blocks": _plain_blocks(blocks),
        }

    def memory(self) -> int:
        """One state, and those that wait for their siblings in the tree."""
        one = 8 * BLOCKS * len(FIELDS) + 4096
        return one * (self.table.grid.n_chunks.bit_length() + 3)

    def scratch(self) -> int:
        """Temporaries of one piece."""
        return 10 * 8 * min(PIECE, self.chunk_rows) + 4 * 8 * BLOCKS * len(FIELDS) + 65_536

    def cost(self) -> float:
        """Nanoseconds a row."""
        return 6.0


def _all_integral(part: npt.NDArray[np.float64]) -> bool:
    head = part[:64]
    return bool((np.trunc(head) == head).all() and (np.trunc(part) == part).all())


def _float_sum(total: dict[str, float]) -> float:
    try:
        return float(int(total["n"]) * (Fraction(total["mean"]) + Fraction(total["mean_low"])))
    except OverflowError:
        return math.copysign(math.inf, total["mean"])


def _statistics(n: int, total: dict[str, float]) -> dict[str, float | None]:
    names = ("mean", "m2", "m3", "m4", "variance", "std", "skewness", "kurtosis")
    found: dict[str, float | None] = dict.fromkeys(names)
    if not n:
        return found
    m2, m3, m4, exponent = total["m2"], total["m3"], total["m4"], int(total["exponent"])
    found["mean"] = total["mean"]
    found |= {f"m{k}": _scaled(m, k * exponent) for k, m in ((2, m2), (3, m3), (4, m4))}
    if n > 1:
        found["variance"] = _scaled(m2 / (n - 1), 2 * exponent)
        found["std"] = _scaled(math.sqrt(m2 / (n - 1)), exponent)
    if m2 > 0:
        found["skewness"] = math.sqrt(n) * m3 / (m2 * math.sqrt(m2))
        found["kurtosis"] = n * m4 / (m2 * m2) - 3.0
    return found


def _plain_blocks(blocks: Floats) -> dict[str, npt.NDArray[Any]]:
    found = dict(zip(FIELDS, blocks, strict=True))
    exponent = np.where(found["exponent"] == NO_SPREAD, 0, found["exponent"]).astype(np.int64)
    with np.errstate(over="ignore", under="ignore"):
        powers = {f"m{k}": np.ldexp(found[f"m{k}"], k * exponent) for k in (2, 3, 4)}
    return {"n": found["n"].astype(np.int64), "mean": found["mean"].copy(), **powers}


def _scaled(value: float, exponent: int) -> float:
    try:
        return math.ldexp(value, exponent)
    except OverflowError:
        return math.copysign(math.inf, value)


PROVIDES = Moments
