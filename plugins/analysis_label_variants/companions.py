"""Labels one letter apart that stand for one thing, as another column says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toolkit.plugin import Chunk, Context, column_facts

from .fingerprints import Label

Confirmed = dict[str, dict[Label, Label]]
Ints = npt.NDArray[np.int64]

_FEWEST = 8
"""Different values that a column has at least to tell one thing from another."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Spellings of one substance, and those one letter away that are more frequent.

    Attributes
    ----------
    labels : list of Label
        The spellings.
    close : list of list of Label
        The others, by substance, the most frequent first.
    """

    labels: list[Label]
    close: list[list[Label]]


def confirmed(ctx: Context, column: str, candidates: Sequence[Candidate]) -> Confirmed[str, dict[Label, Label]]:
    """Candidates that always stand beside one value of another column, which no other label stands beside.

    Parameters
    ----------
    ctx : Context
        The table.
    column : str
        The column of the labels.
    candidates : sequence of Candidate
        What may be one.

    Returns
    -------
    dict
        By the other column, the first in table order that agrees: for each label the one that is meant.
    """
    kinds: dict[int, list[Label]] = {}
    for candidate in candidates:
        for kind in (candidate.labels, *candidate.close):
            kinds.setdefault(kind[0].code, kind)
    numbers = {code: i for i, code in enumerate(kinds)}
    others = companions(ctx, column, len(kinds)) if kinds else []
    if not others:
        return {}
    rows = np.array([sum(label.rows for label in kind) for kind in kinds.values()], np.int64)
    owner = np.full(ctx.schema[column].categories + 1, -1)  # the last is that of code -1
    for code, kind in kinds.items():
        owner[[label.code for label in kind]] = numbers[code]
    beside = {name: Beside(name, rows, coded=ctx.schema[name].encoding == "coded") for name in others}
    for chunk in ctx.chunks([column, *others]):
        at = np.flatnonzero((of_row := owner[chunk.codes(column)]) >= 0)
        for one in beside.values():
            one.see(chunk, at, of_row[at])
    for chunk in ctx.chunks([column, *others]):
        labelled = chunk.codes(column) >= 0
        for one in beside.values():
            one.count(chunk, labelled)
    found: Confirmed = {}
    for candidate in candidates:
        mine = numbers[candidate.labels[0].code]
        for kind in candidate.close:
            name = next((n for n, one in beside.items() if one.joins(mine, numbers[kind[0].code])), None)
            if name is not None:
                target = max(kind, key=lambda label: (label.rows, -label.code))
                found.setdefault(name, {}).update(dict.fromkeys(candidate.labels, target))
                break
    return {name: found[name] for name in others if name in found}


def companions(ctx: Context, column: str, kinds: int) -> list[str]:
    """Whole numbers and categories that have about as many values as there are things to tell apart."""
    known = ctx.results["profile_basic"].data["columns"] if "profile_basic" in ctx.results else []
    facts = column_facts(known)
    least = max(_FEWEST, kinds // 2)
    out = []
    for spec in ctx.schema:
        distinct = facts[spec.name].distinct if spec.name in facts else None
        usable = spec.kind == "int" or spec.encoding == "coded"
        if usable and spec.name != column and distinct is not None and least <= distinct <= ctx.rows // 2:
            out.append(spec.name)
    return out


class Beside:
    """The values of another column that stand beside some kinds of labels.

    Parameters
    ----------
    name : str
        The other column.
    coded : bool
        Whether it holds categories, and not numbers.
    rows : ndarray of int64, shape (kinds,)
        Rows of each kind.
    """

    def __init__(self, name: str, rows: Ints, *, coded: bool) -> None:
        self.name = name
        self._coded = coded
        self._rows = rows
        limits = np.iinfo(np.int64)
        self._low = np.full(rows.size, limits.max)
        self._high = np.full(rows.size, limits.min)
        self._values: Ints | None = None
        self._counts = self._of_kinds = np.zeros(0, np.int64)

    def see(self, chunk: Chunk, at: npt.NDArray[np.intp], kinds: npt.NDArray[np.intp]) -> None:
        """Take in the rows of a chunk that have a label of some kind."""
        values, present = self._read(chunk)
        kinds, values = kinds[present[at]], values[at][present[at]]
        np.minimum.at(self._low, kinds, values)
        np.maximum.at(self._high, kinds, values)

    def count(self, chunk: Chunk, labelled: npt.NDArray[np.bool_]) -> None:
        """Count the rows that have a label, of values that a kind of label stands beside and has no other."""
        if self._values is None:
            alone = self._low == self._high
            self._values, place = np.unique(self._low[alone], return_inverse=True)
            self._counts = np.zeros(self._values.size, np.int64)
            self._of_kinds = np.bincount(place, self._rows[alone], self._values.size).astype(np.int64)
        if self._values.size:
            values, present = self._read(chunk)
            values = values[present & labelled]
            place = np.minimum(np.searchsorted(self._values, values), self._values.size - 1)
            hit = self._values[place] == values
            self._counts += np.bincount(place[hit], minlength=self._values.size)

    def joins(self, one: int, other: int) -> bool:
        """Whether two kinds stand beside one value, which nothing but such kinds stands beside."""
        value = self._low[one]
        if self._values is None or not value == self._high[one] == self._low[other] == self._high[other]:
            return False
        place = int(np.searchsorted(self._values, value))
        return bool(self._counts[place] <= self._of_kinds[place])

    def _read(self, chunk: Chunk) -> tuple[Ints, npt.NDArray[np.bool_]]:
        if self._coded:
            codes = chunk.codes(self.name).astype(np.int64)
            return codes, codes >= 0
        return chunk.raw(self.name).astype(np.int64), chunk.valid(self.name)
