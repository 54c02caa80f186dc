"""Hashed texts that don't fit in memory: divided on disk by the first bits of their hash."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from toolkit.kernels.identities import HashRange, Identities, join_identities
from toolkit.kernels.spill import Spill, Stored

_MOST_BITS = 16


class Scattered:
    """Texts by their hashes, in parts that each fit in memory.

    Parameters
    ----------
    spill : Spill
        Where they are kept.
    rows : int
        How many may come.
    most : int
        Of how many texts a part is held at once, until equal ones are counted together.

    Notes
    -----
    The partitioning step of a Grace hash join (Kitsuregawa, Tanaka and Moto-oka, 10.1007/BF03037022).
    """

    def __init__(self, spill: Spill, rows: int, most: int) -> None:
        self._spill = spill
        self._most = most
        self._bits = min(max((rows // most).bit_length(), 1), _MOST_BITS)
        self._blocks: list[tuple[list[Stored], npt.NDArray[np.int64]]] = []
        self.count = 0
        """Texts, counting repeated ones."""

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return sum(ends.nbytes for _, ends in self._blocks)

    def add(self, found: Identities) -> None:
        """Write texts; of those that are not counted yet rows ascend."""
        if not found.rows.size:
            return
        narrow = np.uint8 if self._bits <= 8 else np.uint16
        part = (found.first >> np.uint64(64 - self._bits)).astype(narrow)
        order = np.argsort(part, kind="stable")  # by radix, and so in the order of rows within a part
        ends = np.cumsum(np.bincount(part, minlength=1 << self._bits))
        self._blocks.append(([self._spill.write(field[order]) for field in found if field is not None], ends))
        self.count += found.rows.size if found.counts is None else int(found.counts.sum(dtype=np.int64))

    def parts(self) -> Iterator[tuple[HashRange, list[Identities]]]:
        """Each range of first hashes, with the texts in it; one may come several times."""
        for number in range(1 << self._bits):
            width = 64 - self._bits
            keys = HashRange(number << width, ((number + 1) << width) - 1)
            found, held = list[Identities](), 0
            for block in self._blocks:
                found.append(self._slice(*block, number))
                held += found[-1].rows.size
                if held > self._most:  # texts that come again and again are in one part, however many parts there are
                    found = [join_identities(found, keys)]
                    held = found[0].rows.size
            if held:
                yield keys, found

    def _slice(self, fields: list[Stored], ends: npt.NDArray[np.int64], number: int) -> Identities:
        start, stop = (int(ends[number - 1]) if number else 0), int(ends[number])
        first, second, rows, *counts = (self._spill.read(f, start, stop) for f in fields)
        return Identities(first, second, rows, counts[0] if counts else None)
