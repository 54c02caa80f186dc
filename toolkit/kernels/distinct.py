"""Number of distinct values from the smallest hashes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from toolkit.core.chunk import Chunk
from toolkit.core.errors import UsageError
from toolkit.core.schema import ColumnSpec
from toolkit.kernels.base import Kernel, KernelRequest, State, StateClass, TableView
from toolkit.kernels.hashing import Hashes, hash_categories, hash_values
from toolkit.kernels.tally import tally_sorted

_SPACE = 2.0**64


class Distinct(Kernel):
    """The k smallest 64-bit hashes of the distinct values of a column (k minimum values).

    While there are fewer than ``k`` they are all hashes there are, and their number is exact. Beyond, ``(k - 1) /
    u`` is an unbiased estimate, where ``u`` is the largest hash kept as a share of all 64-bit numbers; its relative
    standard error is ``1 / sqrt(k - 2)``, 1.6 % at the default. NaN is left out, -0.0 is 0.0.

    The state is ``hashes``, ascending, and ``count``, the number of values present: the same bytes for any order and
    grouping of the chunks. States of two columns, or of two tables, may be compared: equal values have equal hashes
    (`toolkit.kernels.hashing`).
    """

    name: ClassVar[str] = "distinct"
    version: ClassVar[int] = 1
    state_class: ClassVar[StateClass] = "exact"
    references: ClassVar[tuple[str, ...]] = ("10.1007/3-540-45726-7_1", "10.1145/1247480.1247504")
    defaults: ClassVar[Mapping[str, Any]] = {"k": 4096}

    def __init__(self, request: KernelRequest, table: TableView) -> None:
        super().__init__(request, table)
        self._k = int(self.params["k"])
        if self._k < 3:
            raise UsageError(f"kernel distinct takes k of at least 3, not {self._k}", "4096 gives an error of 1.6 %")

    @classmethod
    def accepts(cls, spec: ColumnSpec) -> bool:
        """Every column in which a value can be present."""
        return spec.kind != "null"

    def init(self) -> State:
        """No hashes."""
        return {"hashes": np.empty(0, np.uint64), "count": 0}

    def update(self, state: State, chunk: Chunk) -> State:
        """Take in the hashes of a chunk that are small enough to be kept."""
        hashes, count = self._hashes(chunk)
        kept = state["hashes"]
        if kept.size == self._k:
            hashes = hashes[hashes < kept[-1]]
        return {"hashes": self._smallest(kept, hashes), "count": state["count"] + count}

    def merge(self, left: State, right: State) -> State:
        """Keep the smallest of both."""
        return {
            "hashes": self._smallest(left["hashes"], right["hashes"]),
            "count": left["count"] + right["count"],
        }

    def finish(self, state: State) -> dict[str, Any]:
        """Count or estimate.

        Returns
        -------
        dict
            ``distinct`` (an integer, never more than ``count``), ``exact``, ``relative_error`` (its standard error, 0
            when exact), ``count`` (values present, without NaN).
        """
        hashes = state["hashes"]
        if hashes.size < self._k:
            return {"distinct": hashes.size, "exact": True, "relative_error": 0.0, "count": state["count"]}
        estimate = round((self._k - 1) / (int(hashes[-1]) / _SPACE))
        return {
            "distinct": max(min(estimate, state["count"]), self._k),
            "exact": False,
            "relative_error": 1 / math.sqrt(self._k - 2),
            "count": state["count"],
        }

    def memory(self) -> int:
        """The hashes kept."""
        return 8 * self._k + 1024

    def scratch(self) -> int:
        """Hashes of one chunk, or of all categories, with their sorted copy."""
        return 40 * max(self.chunk_rows, self.spec.categories) + 64 * self._k + (1 << 20)

    def cost(self) -> float:
        """Nanoseconds a row."""
        return {"plain": 12.0, "coded": 4.0}.get(self.spec.encoding, 60.0)

    def _hashes(self, chunk: Chunk) -> tuple[Hashes, int]:
        """Hashes of the values present, and their number; of coded text each value only once."""
        valid = chunk.data(self.column).valid
        if self.spec.encoding == "coded":
            counts = np.bincount(chunk.codes(self.column) + np.intp(1), minlength=self.spec.categories + 1)[1:]
            return hash_categories(chunk.categories(self.column))[counts > 0], int(counts.sum())
        if self.spec.kind == "float":
            numbers = ~np.isnan(chunk.raw(self.column))
            valid = numbers if valid is None else numbers & valid
        hashes = hash_values(chunk, self.column)
        if valid is not None and not valid.all():
            hashes = hashes[valid]
        return hashes, hashes.size

    def _smallest(self, kept: Hashes, more: Hashes) -> Hashes:
        """The k smallest of ascending hashes and others, without repeats."""
        if not more.size:
            return kept
        both = np.concatenate([kept, more])
        both.sort()
        return tally_sorted(both).values[: self._k].copy()


PROVIDES = Distinct
