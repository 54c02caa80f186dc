"""Which groups of rows a cap leaves: the largest, and all others pooled, so that every total still has every row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin.selection import Omission, omission

OTHER = "__other__"
"""Name of the group that holds the rows of all groups that were not kept."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups of a coded column; made by `keep_groups`.

    Attributes
    ----------
    codes : array of int64, shape (kept,)
        Codes that have a group of their own, the largest group first.
    counts : array of int64, shape (kept,) or (kept + 1,)
        Rows of each group; those of the pooled group last, where there is one.
    places : array of int64, shape (categories,)
        The group of each code.
    omission : dict or None
        For the omission ledger.
    """

    codes: Ints
    counts: Ints
    places: Ints
    omission: Omission | None

    @property
    def pooled(self) -> bool:
        """Whether the last group is the pooled one."""
        return len(self.counts) > len(self.codes)

    def of(self, codes: npt.NDArray[Any]) -> Ints:
        """The group of each row, shape (rows,); -1 where the value is missing."""
        held = np.append(self.places, -1)  # where code -1 finds it
        return held[codes]

    def labels(self, categories: Sequence[Any]) -> list[Any]:
        """Names of the groups: of their category, and of the pooled group a name that no category has."""
        names = [categories[code] for code in self.codes.tolist()]
        other, taken = OTHER, {c for c in categories if isinstance(c, str) and c.startswith(OTHER)}
        while other in taken:
            other += "_"
        return [*names, other] if self.pooled else names


def keep_groups(counts: npt.NDArray[np.integer[Any]], max_groups: int | None, names: Sequence[Any] = ()) -> Groups:
    """The largest groups by exact counts, ties by code; the rest pooled into one further group.

    Parameters
    ----------
    counts : array of int, shape (categories,)
        Rows of each code, such as the kernel ``counts`` gives. A code without rows is no group.
    max_groups : int or None
        Groups that are kept, the pooled one not counted.
    names : sequence, optional
        Categories by code, for the ledger.

    Examples
    --------
    >>> groups = keep_groups(np.array([5, 9, 1, 9]), 2)
    >>> groups.codes.tolist(), groups.counts.tolist(), groups.of(np.array([0, 3, -1])).tolist()
    ([1, 3], [9, 9, 6], [2, 1, -1])
    """
    exact = np.asarray(counts, np.int64)
    order = np.argsort(-exact, kind="stable")
    order = order[exact[order] > 0]
    kept = order[:max_groups].astype(np.int64)
    rest = order[len(kept) :]
    places = np.full(len(exact), len(kept), np.int64)
    places[kept] = np.arange(len(kept))
    sizes = exact[kept]
    if not len(rest):
        return Groups(kept, sizes, places, None)
    listed = [str(names[code]) for code in rest.tolist()[:20]] if len(names) else []
    rule = f"the largest groups by exact count, ties by code; the rest pooled as {OTHER}"
    entry = omission("max_groups", len(kept), len(order), rule, listed)
    return Groups(kept, np.append(sizes, exact[rest].sum()), places, entry)
