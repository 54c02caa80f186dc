"""The two passes in which the rows that may repeat others are found, split over chunks and processes."""

from __future__ import annotations

from abc import abstractmethod
from functools import partial
from typing import ClassVar

import numpy as np

from toolkit.core.chunk import Chunk
from toolkit.kernels.base import State, StateClass
from toolkit.kernels.rowhash import nested_row_hashes
from toolkit.plugin.reducer import Reducer
from toolkit.plugin.repeats.confirm import Repeats, find_repeats
from toolkit.plugin.repeats.filter import (
    Filter,
    Hashes,
    add_hashes,
    filter_bits,
    hit_again,
    join_filters,
    new_filter,
    repeat_share,
)
from toolkit.plugin.repeats.gather import MOST, add_rows, join_gathered, nothing_gathered

_COARSE = 0.5
"""Share of slots that were hit again above which a set of columns that is not the last is given up."""


class RepeatScan(Reducer):
    """A Reducer that finds repeating rows over some sets of columns; what it says of them is its author's.

    Attributes
    ----------
    most : int
        Rows of a set that are held at once.

    Notes
    -----
    The state of the first pass is a filter for each set (`toolkit.plugin.repeats.filter`), that of the second the
    gathered rows of each set (`toolkit.plugin.repeats.gather`).
    """

    state_class: ClassVar[StateClass] = "exact"
    passes: ClassVar[int] = 2
    most: ClassVar[int] = MOST

    @abstractmethod
    def column_sets(self) -> list[list[str]]:
        """Sets of columns; where one begins with all of the one before, both cost as much as the larger."""

    def columns(self) -> list[str]:
        """All columns of all sets."""
        return list(dict.fromkeys(name for names in self.column_sets() for name in names))

    def init(self) -> State:
        """Empty filters, or nothing gathered."""
        sets = self.column_sets()
        if self.pass_number == 0:
            bits = filter_bits(self.ctx.rows)
            return [new_filter(bits) for _ in sets]
        return [nothing_gathered() for _ in sets]

    def update(self, state: State, chunk: Chunk) -> State:
        """Mark or gather the rows of a chunk."""
        hashes = self._hashes(chunk)
        if self.pass_number == 0:
            for found, of_set in zip(state, hashes, strict=True):
                add_hashes(found, of_set)
            return state
        for i, of_set in enumerate(hashes):
            if not self.given_up(i):
                at = np.flatnonzero(hit_again(self.filters()[i], of_set))
                state[i] = add_rows(state[i], of_set[at], at + chunk.rows.start, self.most)
        return state

    def merge(self, left: State, right: State) -> State:
        """Join filters, or what was gathered."""
        if self.pass_number == 0:
            return [join_filters(a, b) for a, b in zip(left, right, strict=True)]
        return [join_gathered(a, b, self.most) for a, b in zip(left, right, strict=True)]

    def filters(self) -> list[Filter]:
        """The filters of the first pass; for a Reducer whose state holds more than they are."""
        filters: list[Filter] = self.former
        return filters

    def given_up(self, index: int) -> bool:
        """Whether so many rows of a set repeat others that they are not gathered; never so for the last set."""
        filters = self.filters()
        return index < len(filters) - 1 and repeat_share(filters[index]) > _COARSE

    def found(self, index: int, state: State) -> Repeats:
        """The rows that repeat others over a set of columns, compared value by value; called by ``finish``."""
        names = self.column_sets()[index]
        hashes_of = partial(self._of_set, index)
        return find_repeats(self.ctx, names, state[index], self.filters()[index], hashes_of, self.most)

    def _hashes(self, chunk: Chunk) -> list[Hashes]:
        """Hashes of the rows over each set; a set that begins with the one before goes on from its hashes."""
        out: list[Hashes] = []
        groups: list[list[str]] = []
        before: list[str] = []
        for names in self.column_sets():
            if groups and names[: len(before)] != before:
                out += nested_row_hashes(chunk, groups)
                groups, before = [], []
            groups.append(names[len(before) :])
            before = names
        return out + nested_row_hashes(chunk, groups)

    def _of_set(self, index: int, chunk: Chunk) -> Hashes:
        return nested_row_hashes(chunk, [self.column_sets()[index]])[0]
