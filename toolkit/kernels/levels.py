"""A small number of levels into which the values of a column fall, for tables of counts."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from toolkit.core.chunk import Chunk
from toolkit.core.errors import UsageError
from toolkit.core.schema import NUMERIC_KINDS, TIME_KINDS, ColumnSpec
from toolkit.kernels.base import Kernel, KernelRequest, State, StateClass
from toolkit.kernels.order import PROBABILITIES

FINEST = 1024
"""Levels of a column at most."""

ABOVE_HALF = 0.5 + 2.0**-40
"""The quantile at this probability is the upper of the two middle values, below 2**39 values."""

_STEPS = [i / FINEST for i in range(1, FINEST)]
RANKED = sorted({*_STEPS, *PROBABILITIES, ABOVE_HALF})
"""Probabilities of the quantiles from which levels, medians and spreads are taken."""


@functools.lru_cache(4096)
def ranked(column: str) -> KernelRequest:
    """The request for the quantiles of a column at `RANKED`, and its values where there are few; shared by kernels."""
    return KernelRequest("order", (column,), {"probabilities": RANKED, "k": FINEST})


def mostly_pooled(levels: Mapping[str, Any]) -> bool:
    """Whether most rows have none of the values that are levels of their own: names or numbers, and no categories.

    Parameters
    ----------
    levels : dict
        Result of the kernel ``levels``.

    Examples
    --------
    >>> mostly_pooled({"other": 1, "counts": np.array([10, 90])}), mostly_pooled({"other": None, "counts": None})
    (True, False)
    """
    other, counts = levels["other"], levels["counts"]
    return other is not None and 2 * int(counts[other]) > int(counts.sum())


class Levels(Kernel):
    """At most 1,024 levels of a column; every value falls into one.

    Numbers and times: where there are no more distinct values than levels, each value is a level. Else the levels are
    ranges between quantiles of all rows, and a value that fills two steps of the quantiles is a level of its own; any
    other level holds less than two steps' share of the values. Coded text: the most frequent values, ties in the order
    of their codes, and one more level for all others together. Bools: two. A missing value and NaN have no level.

    The coding depends on the values of the whole column alone, so that ranks of levels keep the level of rank tests.

    Parameter of a request: ``levels``, a power of two for numbers; fewer levels of numbers are unions of more.

    Nothing is scanned for it beyond the kernels ``order`` and ``counts``.
    """

    name: ClassVar[str] = "levels"
    version: ClassVar[int] = 2
    state_class: ClassVar[StateClass] = "exact"
    references: ClassVar[tuple[str, ...]] = ("10.1080/00031305.1996.10473566",)
    defaults: ClassVar[Mapping[str, Any]] = {"levels": 64}
    scans: ClassVar[bool] = False

    def __init__(self, request: KernelRequest, table: Any) -> None:
        super().__init__(request, table)
        self._levels = int(self.params["levels"])
        if not 2 <= self._levels <= FINEST or self._levels & (self._levels - 1):
            raise UsageError(f"kernel levels takes a power of two from 2 to {FINEST} levels, not {self._levels}")

    @classmethod
    def accepts(cls, spec: ColumnSpec) -> bool:
        """Numbers, times, coded text and bools."""
        return spec.encoding == "coded" or spec.kind in NUMERIC_KINDS | TIME_KINDS | {"bool"}

    def requires(self) -> list[KernelRequest]:
        """Quantiles, or counts of categories."""
        if self.spec.kind == "bool":
            return []
        if self.spec.encoding == "coded":
            return [KernelRequest("counts", self.request.columns, {})]
        return [ranked(self.column)]

    def init(self) -> State:
        """Nothing: no chunk is read."""
        return None

    def update(self, state: State, chunk: Chunk) -> State:
        """Not called."""
        del chunk
        return state

    def merge(self, left: State, right: State) -> State:
        """Not called."""
        del right
        return left

    def finish(self, state: State) -> dict[str, Any]:
        """Derive the levels.

        Returns
        -------
        dict
            ``levels``, how many there are; ``kind``: ``values`` (each level is one value), ``ranges`` or
            ``categories``; ``values``: the value of each level, or None for ranges; for categories their codes, with
            -1 for all others. ``cuts``, shape (levels - 1,): for numbers and times, the largest value of each level but
            the last, in the column's dtype; else None. ``other``: the level of all other categories, or None.
            ``counts``: values in each level, int64, or None for ranges. ``single``: which levels are surely one value,
            bool, shape (levels,).
        """
        del state
        if self.spec.kind == "bool":
            return _described("values", [False, True])
        if self.spec.encoding == "coded":
            return self._categories(self.inputs[0]["counts"])
        return self._numbers(self.inputs[0])

    def _categories(self, counts: npt.NDArray[np.int64]) -> dict[str, Any]:
        filled = np.flatnonzero(counts)
        if filled.size <= self._levels:
            return _described("categories", filled.tolist(), counts=counts[filled])
        order = np.lexsort((filled, -counts[filled]))
        chosen = np.sort(filled[order[: self._levels - 1]])
        rest = int(counts.sum() - counts[chosen].sum())
        held = np.append(counts[chosen], rest)
        return _described("categories", [*chosen.tolist(), -1], counts=held, other=chosen.size)

    def _numbers(self, ranks: Mapping[str, Any]) -> dict[str, Any]:
        dtype = np.dtype(self.spec.dtype)
        if ranks["distinct"] <= self._levels:
            pairs = sorted(ranks["top"])
            values = [value for value, _ in pairs]
            counts = np.array([count for _, count in pairs], np.int64)
            return _described("values", values, cuts=np.array(values[:-1], dtype), counts=counts)
        at = dict(zip(ranks["probabilities"], ranks["quantiles"], strict=True))
        step = FINEST // self._levels
        found = [at[p] for p in _STEPS[step - 1 :: step]]
        cuts = set(found)
        cuts |= {_below(b, dtype) for a, b in pairwise(found) if a == b}
        inside = sorted(c for c in cuts if ranks["min"] <= c < ranks["max"])
        ends = [*inside, ranks["max"]]
        single = [ends[0] == ranks["min"], *(_below(b, dtype) == a for a, b in pairwise(ends))]
        return _described("ranges", None, cuts=np.array(inside, dtype), single=np.array(single))

    def memory(self) -> int:
        """The lists of values and cuts."""
        return 64 * FINEST

    def scratch(self) -> int:
        """Copies of the counts of a coded column."""
        return 40 * self.spec.categories + 512 * FINEST

    def cost(self) -> float:
        """Nothing a row; a trifle keeps it above zero."""
        return 1e-3


def _described(
    kind: str,
    values: list[Any] | None,
    *,
    cuts: Any = None,
    counts: Any = None,
    other: int | None = None,
    single: npt.NDArray[np.bool_] | None = None,
) -> dict[str, Any]:
    levels = len(values) if values is not None else cuts.size + 1
    if single is None:
        single = np.arange(levels) != (-1 if other is None else other)
    return {
        "levels": levels, "kind": kind, "values": values, "cuts": cuts, "other": other, "counts": counts,
        "single": single,
    }  # fmt: skip


def _below(value: Any, dtype: np.dtype[Any]) -> Any:
    """The next smaller value of a dtype; the value itself where there is none."""
    if dtype.kind == "f":
        return np.nextafter(dtype.type(value), dtype.type(-np.inf)).item()
    return value - 1 if value > np.iinfo(dtype).min else value


PROVIDES = Levels
