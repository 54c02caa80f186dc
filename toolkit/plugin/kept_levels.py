"""Levels of a coded column that an analysis looks at one by one, with all others together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from toolkit.kernels.coding import Coder
from toolkit.kernels.levels import mostly_pooled
from toolkit.plugin.grouping import OTHER
from toolkit.plugin.selection import Omission, omission

if TYPE_CHECKING:
    from toolkit.plugin.context import Context

Counts = npt.NDArray[Any]

__all__ = ["Coder", "KeptLevels", "kept_levels", "mostly_pooled"]


@dataclass(frozen=True, slots=True)
class KeptLevels:
    """What became of the levels of a column; made by `kept_levels`.

    Attributes
    ----------
    places : ndarray of int64, shape (levels,)
        The group of each level.
    labels : list
        The value of each group; of the pooled one, which is the last, ``__other__``.
    pooled : bool
        Whether there is a pooled group.
    """

    places: npt.NDArray[np.int64]
    labels: list[Any]
    pooled: bool

    @property
    def own(self) -> int:
        """Groups that are one value each."""
        return len(self.labels) - self.pooled

    def fold(self, table: Counts, axis: int = 0) -> Counts:
        """Sum an array by group along an axis that has the levels."""
        moved = np.moveaxis(table, axis, 0)
        out = np.zeros((len(self.labels), *moved.shape[1:]), table.dtype)
        np.add.at(out, self.places, moved)
        return np.moveaxis(out, 0, axis)


def kept_levels(ctx: Context, column: str, levels: Mapping[str, Any], rows: Counts, least: float = 0.0) -> KeptLevels:
    """Keep the largest levels within ``max_groups``, and pool the rest.

    Parameters
    ----------
    ctx : Context
        Its budget is kept to, and the omission ledger is told what a cap pooled.
    column : str
        The column.
    levels : dict
        Result of the kernel ``levels``, of kind ``categories`` or ``values``.
    rows : ndarray of int, shape (levels,)
        Rows of each level that the analysis has.
    least : float
        Levels of fewer rows are pooled too; no cap, so not in the ledger.
    """
    values, other = levels["values"], levels["other"]
    if levels["kind"] == "categories":
        categories = ctx.categories(column)
        values = [categories[code] if code >= 0 else OTHER for code in values]
    held = levels["counts"] if levels["counts"] is not None else rows
    own = [i for i in range(len(values)) if i != other]
    order = sorted(own, key=lambda i: (-int(held[i]), i))
    most = ctx.budget.max_groups
    chosen = order if most is None else order[:most]
    _tell(ctx, column, levels, len(chosen), [str(values[i]) for i in order[len(chosen) :]])
    kept = sorted(i for i in chosen if rows[i] > 0 and rows[i] >= least)
    places = np.full(len(values), len(kept), np.int64)
    places[kept] = np.arange(len(kept))
    pooled = bool(rows[places == len(kept)].sum())
    labels = [values[i] for i in kept] + [OTHER] * pooled
    places[places == len(labels)] = max(len(labels) - 1, 0)  # levels without rows add nothing anywhere
    return KeptLevels(places, labels, pooled)


def _tell(ctx: Context, column: str, levels: Mapping[str, Any], kept: int, left: list[str]) -> None:
    """Enter into the ledger what the budget pooled, or the number of levels that the kernel keeps."""
    by_kernel = levels["other"] is not None
    if not left and not by_kernel:
        return
    total = ctx.schema[column].categories if by_kernel else kept + len(left)
    rule = f"the most frequent values of {column}, ties by code; the rest pooled as {OTHER}"
    entry: Omission = omission("max_groups", kept, total, rule, left)
    if not left:  # a larger budget would change nothing
        entry |= {"restore": None, "what": f"{total - kept:,} of {total:,} values of {column} counted together"}
    ctx.omit(entry)
