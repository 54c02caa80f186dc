"""Variants: the different sequences of activities that cases go through, known by 128-bit hashes.

Two different sequences share both hashes with a probability of about ``n**2 / 2**129``.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]

_BASES = (np.uint64(0xD6E8FEB86659FD93), np.uint64(0xA0761D6478BD642D))
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_STARTS = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))

_HELD = 1 << 20
"""Cases whose hashes are held at once."""
_FIELDS = 4


def sequence_hashes(codes: Ints, starts: Ints) -> tuple[Hashes, Hashes]:
    """Two independent hashes of runs of codes, each of shape (runs,).

    Parameters
    ----------
    codes : ndarray of int64, shape (events,)
        Not negative.
    starts : ndarray of int64, shape (runs + 1,)
        Where each run begins, and where the last ends; none is empty.

    Examples
    --------
    >>> first, second = sequence_hashes(np.array([1, 2, 2, 1, 1, 2]), np.array([0, 2, 4, 6]))
    >>> bool(first[0] == first[2]), bool(first[0] == first[1])
    (True, False)
    """
    lengths = np.diff(starts)
    if not lengths.size:
        return np.empty(0, np.uint64), np.empty(0, np.uint64)
    position = np.arange(codes.size) - np.repeat(starts[:-1], lengths)
    out = []
    for start, base in zip(_STARTS, _BASES, strict=True):
        powers = np.full(int(lengths.max()), base, np.uint64)
        powers[0] = 1
        powers = np.cumprod(powers, dtype=np.uint64)
        terms = _mixed(codes.astype(np.uint64) + start) * powers[position]
        out.append(_mixed(np.add.reduceat(terms, starts[:-1]) + lengths.astype(np.uint64) * start))
    return out[0], out[1]


class Variant(NamedTuple):
    """One variant.

    Attributes
    ----------
    cases : int
        Cases that go through it.
    row : int
        The first row of the one whose first row is the smallest.
    events : int
        How many events each has.
    first, second : int
        Hashes of its sequence.
    """

    cases: int
    row: int
    events: int
    first: int
    second: int


class VariantTally:
    """Counts variants exactly, in bounded memory.

    Parameters
    ----------
    most_cases : int
        Cases that there can be.
    folder : Path or None
        Where hashes wait where there are too many to hold.
    """

    def __init__(self, most_cases: int, folder: Path | None) -> None:
        self._parts = 1 + most_cases // _HELD
        self._folder = folder
        self._held: list[npt.NDArray[np.uint64]] = []
        self._pending = 0

    def add(self, first: Hashes, second: Hashes, rows: Ints, lengths: Ints) -> None:
        """Take in cases: their hashes, the row of the first event of each, and how many events it has."""
        self._held.append(np.stack([first, second, rows.astype(np.uint64), lengths.astype(np.uint64)], axis=1))
        self._pending += first.size
        if self._pending >= _HELD:
            self._compact()

    def finish(self, most: int) -> tuple[int, list[Variant]]:
        """How many variants there are, and the most common.

        Parameters
        ----------
        most : int
            How many are listed.

        Returns
        -------
        variants : int
            How many there are.
        top : list of Variant
            The most common, ties by the row.
        """
        variants = 0
        top: list[Variant] = []
        for records in self._by_part():
            found, counts = _distinct(records)
            variants += counts.size
            best = np.lexsort((found[:, 2], -counts))[:most]
            fields = (counts[best].tolist(), *(found[best, k].tolist() for k in (2, 3, 0, 1)))
            top += [Variant(*values) for values in zip(*fields, strict=True)]
        return variants, sorted(top, key=lambda v: (-v.cases, v.row))[:most]

    def _compact(self) -> None:
        """Write what is held to the files of its parts, where there are several."""
        if self._parts == 1:
            return
        assert self._folder is not None, "a plugin's process has a scratch folder"
        records = np.concatenate(self._held)
        place = records[:, 0] % np.uint64(self._parts)
        for part in range(self._parts):
            with self._path(part).open("ab") as file:
                file.write(records[place == part].tobytes())
        self._held, self._pending = [], 0

    def _path(self, part: int) -> Path:
        assert self._folder is not None
        return self._folder / f"variants-{part:06d}"

    def _by_part(self) -> list[npt.NDArray[np.uint64]] | _Parts:
        if self._parts == 1:
            return [np.concatenate(self._held)] if self._held else []
        if self._held:
            self._compact()
        return _Parts([self._path(part) for part in range(self._parts)])


class _Parts:
    """Files of hashes, read one at a time."""

    def __init__(self, paths: list[Path]) -> None:
        self._left = [p for p in paths if p.exists()]

    def __iter__(self) -> _Parts:
        return self

    def __next__(self) -> npt.NDArray[np.uint64]:
        if not self._left:
            raise StopIteration
        path = self._left.pop(0)
        records = np.frombuffer(path.read_bytes(), np.uint64).reshape(-1, _FIELDS)
        path.unlink()
        return records


def _distinct(records: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.uint64], Ints]:
    """The record with the smallest row, and the number of cases, of each variant."""
    order = np.lexsort((records[:, 2], records[:, 1], records[:, 0]))
    records = records[order]
    new = np.ones(len(records), bool)
    new[1:] = (records[1:, 0] != records[:-1, 0]) | (records[1:, 1] != records[:-1, 1])
    heads = np.flatnonzero(new)
    counts = np.diff(np.append(heads, len(records))).astype(np.int64)
    return records[heads], counts


def _mixed(image: Hashes) -> Hashes:
    """SplitMix64's finaliser."""
    image = (image ^ (image >> np.uint64(30))) * _MIX[0]
    image = (image ^ (image >> np.uint64(27))) * _MIX[1]
    return image ^ (image >> np.uint64(31))
