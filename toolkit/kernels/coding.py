"""Codes of the values of a chunk: into which level of `toolkit.kernels.levels` each of them falls.

A chunk remembers the codes of its columns as long as it lives, so that all kernels of a scan that need them share one
computation.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.core.chunk import Chunk
from toolkit.core.schema import ColumnSpec
from toolkit.kernels.cut_search import CutSearch

Codes = npt.NDArray[np.uint16]

_kept: weakref.WeakKeyDictionary[Chunk, dict[tuple[str, int], Codes]] = weakref.WeakKeyDictionary()


class Coder:
    """Gives the values of one column their codes.

    Parameters
    ----------
    spec : ColumnSpec
        The column.
    levels : dict
        Result of the kernel ``levels`` on it.

    Attributes
    ----------
    levels : int
        Number of levels; as a code it stands for a missing value or NaN.
    """

    def __init__(self, spec: ColumnSpec, levels: Mapping[str, Any]) -> None:
        self.levels: int = levels["levels"]
        self._spec = spec
        self._table: Codes | None = None
        self._search: CutSearch | None = None
        if levels["kind"] == "categories":
            self._table = np.full(spec.categories + 1, self.levels, np.uint16)  # the last is that of code -1
            if levels["other"] is not None:
                self._table[:-1] = levels["other"]
            chosen = [c for c in levels["values"] if c >= 0]
            self._table[chosen] = np.arange(len(chosen), dtype=np.uint16)
        elif spec.kind != "bool":
            self._search = CutSearch(levels["cuts"])

    def codes(self, chunk: Chunk) -> Codes:
        """Codes of a chunk's values, shape (rows,); read-only."""
        kept = _kept.setdefault(chunk, {})
        key = (self._spec.name, self.levels)  # columns of a table have one coding for a number of levels
        if key not in kept:
            kept[key] = self._coded(chunk)
            kept[key].flags.writeable = False
        return kept[key]

    def _coded(self, chunk: Chunk) -> Codes:
        name, missing = self._spec.name, np.uint16(self.levels)
        if self._table is not None:
            return self._table[chunk.codes(name)]
        values, valid = chunk.raw(name), chunk.data(name).valid
        if self._search is None:
            codes = values.astype(np.uint16)
        else:
            codes = self._search(values)
            if values.dtype.kind == "f":
                codes[np.isnan(values)] = missing
        if valid is not None:
            codes[~valid] = missing
        return codes
