"""How many values a state gathers: no more for a large table than for one that fits."""

from __future__ import annotations

from dataclasses import dataclass

MOST_BLOCKS = 512
"""Blocks of the largest tables; with the usual cap they are larger than it from 268 million rows on."""


@dataclass(frozen=True, slots=True)
class Room:
    """What may be held of ``rows`` values, of which ``cap`` fit in memory.

    A table that fits is gathered and sorted once. Of a larger one blocks of as many values are, and what is distinct of
    them kept in memory where that is at most as much again; else it goes to disk. Blocks are larger where there would
    be too many of them: each is read from in every range that comes back.
    """

    rows: int
    cap: int

    @property
    def fits(self) -> bool:
        """Whether all values do."""
        return self.rows <= self.cap

    @property
    def most(self) -> int:
        """Values that are held at any time, gathered and kept together."""
        return self.rows if self.fits else self.cap + self.block

    @property
    def block(self) -> int:
        """Values that are gathered before they are sorted, and that a range read back from disk holds."""
        return max(self.cap, self.rows // MOST_BLOCKS)
