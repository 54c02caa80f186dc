"""What is known of a dependency, once the rows of all determining values were counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from toolkit.plugin import Context

from .plan import Dependent
from .tables import Ints, Places, Table, exceptions, group_starts, joined, no_table, violations

LISTED = 20
"""Exceptions that are kept."""


class Exceptional(NamedTuple):
    """A combination of values that breaks a dependency: its first row and count, and what is usual instead."""

    row: int
    count: int
    group: int
    value: int
    usual: int
    usual_count: int


@dataclass(frozen=True, slots=True)
class Held:
    """Counts of one candidate.

    Attributes
    ----------
    violations : int
        Rows that break it.
    groups : int
        Determining values.
    present : int
        Rows that have both.
    values, counts : ndarray of int64, shape (values,)
        Places of the determined values, ascending, and how many rows have each.
    broken : int
        Combinations of values that break it.
    exceptions : list of Exceptional
        The first of them in the table.
    """

    violations: int
    groups: int
    present: int
    values: Ints
    counts: Ints
    broken: int
    exceptions: list[Exceptional]

    @classmethod
    def of(cls, pair: Dependent, table: Table) -> Held:
        """What a table says."""
        assert table is not None
        values, where = np.unique(table["keys"] % pair.width, return_inverse=True)
        counts = np.bincount(where, table["counts"], values.size).astype(np.int64)
        others, usual = exceptions(table, pair.width)
        order = np.argsort(table["rows"][others], kind="stable")[:LISTED]
        listed = []
        for entry, normal in zip(others[order].tolist(), usual[order].tolist(), strict=True):
            group, value = divmod(int(table["keys"][entry]), pair.width)
            row, count = int(table["rows"][entry]), int(table["counts"][entry])
            common = int(table["keys"][normal]) % pair.width, int(table["counts"][normal])
            listed.append(Exceptional(row, count, group, value, *common))
        groups = group_starts(table["keys"], pair.width).size
        present = int(table["counts"].sum())
        return cls(violations(table, pair.width), groups, present, values, counts, others.size, listed)

    def with_part(self, other: Held) -> Held:
        """Counts of two parts of the determining values together."""
        values, where = np.unique(np.concatenate([self.values, other.values]), return_inverse=True)
        counts = np.bincount(where, np.concatenate([self.counts, other.counts]), values.size).astype(np.int64)
        return Held(
            self.violations + other.violations,
            self.groups + other.groups,
            self.present + other.present,
            values,
            counts,
            self.broken + other.broken,
            sorted([*self.exceptions, *other.exceptions])[:LISTED],
        )


def counted(
    ctx: Context, dependents: Sequence[Dependent], tables: Sequence[Table], parts: Sequence[int], allowed: int
) -> list[Held | None]:
    """What holds of each candidate; the table is read again for parts of the values that were not counted yet.

    Parameters
    ----------
    ctx : Context
        Reads the rows.
    dependents : sequence of Dependent
        The candidates.
    tables : sequence of Table
        Of the first part of each, over all rows; None for what is given up.
    parts : sequence of int
        Parts of each.
    allowed : int
        Rows that may break a dependency.
    """
    held = [None if t is None or not parts[i] else Held.of(dependents[i], t) for i, t in enumerate(tables)]
    for part in range(1, max(parts, default=0)):
        open_ = [i for i, found in enumerate(held) if found is not None and parts[i] > part]
        new: dict[int, Table] = {i: no_table() for i in open_}
        names = list(dict.fromkeys(n for i in open_ for n in (*dependents[i].by, dependents[i].column)))
        for chunk in ctx.chunks(names) if names else ():
            places = Places(chunk, None)
            for i in open_:
                before = held[i]
                assert before is not None
                left = allowed - before.violations
                if new[i] is not None:
                    found = places.table(dependents[i], part, parts[i])
                    new[i] = joined(new[i], found, dependents[i].width, left)
        for i in open_:
            before, table = held[i], new[i]
            held[i] = None if table is None or before is None else before.with_part(Held.of(dependents[i], table))
    return held
