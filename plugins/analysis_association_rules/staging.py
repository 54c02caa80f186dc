"""Baskets laid out for several readings: in the plugin's own folder, or in memory where there is none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin import BLOCKS, Context, Shelf, Skip, block_bounds

MOST_ITEMS = 1 << 18
"""Different things that are counted."""

Ints = npt.NDArray[np.int64]
Part = tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.uint8]]


class Vocabulary:
    """Numbers of things, in the order in which they were met."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._numbers: dict[str, int] = {}

    def numbers(self, names: Iterable[str]) -> list[int]:
        """The number of each; new ones for those that are new.

        Raises
        ------
        Skip
            When there are more than `MOST_ITEMS`.
        """
        known = self._numbers
        out = [known.setdefault(name, len(known)) for name in names]
        if len(known) > MOST_ITEMS:
            raise Skip(
                f"there are more than {MOST_ITEMS:,} different items",
                "name a column whose values are items that come again, or group them",
            )
        if len(known) > len(self.names):
            self.names += list(known)[len(self.names) :]
        return out


class Staged:
    """Baskets: how many things each has, which, and in which block of rows it is.

    Parameters
    ----------
    ctx : Context
        The table.
    """

    def __init__(self, ctx: Context) -> None:
        self._shelf = Shelf(ctx)
        self._parts = 0
        self._bounds = block_bounds(ctx.rows)
        self._vocabulary = Vocabulary()
        self.sizes: Ints = np.zeros(BLOCKS, np.int64)
        self.counts: list[int] = []

    @property
    def names(self) -> list[str]:
        """Names of the things, by number."""
        return self._vocabulary.names

    def numbers(self, names: Iterable[str]) -> npt.NDArray[np.int32]:
        """Numbers of things."""
        return np.array(self._vocabulary.numbers(names), np.int32)

    def add(self, rows: Ints, baskets: npt.NDArray[np.intp], items: npt.NDArray[Any]) -> None:
        """Take in baskets.

        Parameters
        ----------
        rows : ndarray of int64, shape (baskets,)
            First row of each, ascending.
        baskets, items : ndarray of int, shape (pairs,)
            Which basket, counted from the first of these, has which thing; more than once counts once.
        """
        if not rows.size:
            return
        pairs = np.unique(baskets.astype(np.int64) * (MOST_ITEMS + 1) + items)
        held = (pairs % (MOST_ITEMS + 1)).astype(np.int32)
        sizes = np.bincount(pairs // (MOST_ITEMS + 1), minlength=rows.size).astype(np.int32)
        blocks = (np.searchsorted(self._bounds, rows, side="right") - 1).astype(np.uint8)
        found = np.bincount(held, minlength=len(self.names)).tolist()
        self.counts += [0] * (len(found) - len(self.counts))
        self.counts = [a + b for a, b in zip(self.counts, found, strict=True)]
        self.sizes += np.bincount(blocks, minlength=BLOCKS)
        for what, values in (("sizes", sizes), ("items", held), ("blocks", blocks)):
            self._shelf.append(f"{what}-{self._parts}", values)
        self._parts += 1

    def parts(self) -> Iterator[Part]:
        """Sizes of baskets, their things one after another, and their blocks, in pieces."""
        for part in range(self._parts):
            yield (
                self._shelf.take(f"sizes-{part}", np.int32),
                self._shelf.take(f"items-{part}", np.int32),
                self._shelf.take(f"blocks-{part}", np.uint8),
            )
