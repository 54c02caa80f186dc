"""How many values a state gathers: no more for a large table than for one that fits."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Room:
    """What may be held of ``rows`` values, of which ``cap`` fit in memory.

    A table that fits is gathered and sorted once. Of a larger one half as much is, and what is distinct of it kept
    where that takes at most half; what follows is joined in eighths, since a join needs temporaries for both sides.
    """

    rows: int
    cap: int

    @property
    def most(self) -> int:
        """Values that are held at any time, gathered and kept together."""
        return min(self.rows, self.cap)

    @property
    def kept(self) -> int:
        """Distinct values that are kept; with more of them buckets are counted instead."""
        return self.cap if self.rows <= self.cap else max(self.cap // 2, 1)

    @property
    def part(self) -> int:
        """Values of a range that is gathered by itself, from slices of many chunks."""
        return max(self.cap - self.cap // 8, 1)

    def takes(self, kept: int, waiting: int, more: int) -> bool:
        """Whether ``more`` values can be gathered beside ``waiting`` ones and ``kept`` distinct ones.

        Examples
        --------
        >>> Room(100, 100).takes(0, 90, 10), Room(200, 100).takes(0, 90, 20), Room(200, 100).takes(40, 20, 10)
        (True, False, False)
        """
        return self.rows <= self.cap or waiting + more <= max(self.cap // (8 if kept else 2), 1)
