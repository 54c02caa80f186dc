"""How often each value of a column meets each of another, and how many rows break the dependency between them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin import Chunk

from .plan import Dependent

Ints = npt.NDArray[np.int64]
Table = dict[str, Ints] | None
"""``keys``, ascending: the place of a value among those of the first column times the width of the second, plus that of
the second's; ``counts``; and the ``rows`` in which they first meet. None where more rows than allowed break the
dependency: more rows can't mend that, whatever they hold."""

_DENSE = 1 << 18
_BLOCK, _EACH = 4096, 16


def no_table() -> Table:
    """A table of no rows."""
    return {name: np.empty(0, np.int64) for name in ("keys", "counts", "rows")}


def screened(rows: slice, of: int) -> npt.NDArray[np.bool_] | None:
    """The rows of a chunk that are looked at first: each sixteenth run of 4,096, None for all of a small table.

    Examples
    --------
    >>> screened(slice(0, 60_000), 60_000) is None, int(screened(slice(0, 70_000), 10**6).sum())
    (True, 8192)
    """
    if of <= _BLOCK * _EACH:
        return None
    chosen: npt.NDArray[np.bool_] = np.arange(rows.start, rows.stop) // _BLOCK % _EACH == 0
    return chosen


class Places:
    """The values of a chunk as places from 0 on, each column computed once."""

    def __init__(self, chunk: Chunk, chosen: npt.NDArray[np.bool_] | None) -> None:
        self._chunk = chunk
        self._at = None if chosen is None else np.flatnonzero(chosen)
        self._known: dict[str, tuple[Ints, Any]] = {}
        self._inside: dict[tuple[tuple[str, ...], int, int], Any] = {}

    def of(self, name: str, low: int) -> tuple[Ints, npt.NDArray[np.bool_] | None]:
        """Places of a column's values, and which are present; None when all are."""
        if name not in self._known:
            raw, valid = self._chunk.raw(name), self._chunk.data(name).valid
            if self._at is not None:
                raw, valid = raw[self._at], None if valid is None else valid[self._at]
            if raw.dtype == np.uint64:
                places = (raw - np.uint64(low)).astype(np.int64)
            else:
                with np.errstate(over="ignore"):  # what stands where a value is missing has no meaning
                    places = raw.astype(np.int64) - low
            if self._chunk.spec(name).encoding == "coded":
                valid = raw >= 0
            self._known[name] = places, None if valid is None or valid.all() else valid
        return self._known[name]

    def table(self, pair: Dependent, part: int = 0, parts: int = 1) -> Table:
        """The table of a chunk, of one of so many parts of the determining values."""
        (a, there), (b, here) = self._sides(pair), self.of(pair.column, pair.target.low)
        present = there if here is None else here if there is None else there & here
        if parts > 1:
            key = pair.by, part, parts
            if key not in self._inside:
                self._inside[key] = part_of(a, parts) == part
            present = self._inside[key] if present is None else self._inside[key] & present
        with np.errstate(over="ignore"):
            keys = a * pair.width + b
        rows = np.arange(keys.size) if self._at is None else self._at
        if present is not None:
            keys, rows = keys[present], rows[present]
        rows = rows + self._chunk.rows.start
        if pair.size > _DENSE:
            found, at, counts = np.unique(keys, return_index=True, return_counts=True)
            return {"keys": found, "counts": counts.astype(np.int64), "rows": rows[at]}
        every = np.bincount(keys, minlength=pair.size)
        first = np.zeros(pair.size, np.int64)
        first[keys[::-1]] = rows[::-1]  # the last to be written is the first row
        found = np.flatnonzero(every)
        return {"keys": found, "counts": every[found].astype(np.int64), "rows": first[found]}

    def _sides(self, pair: Dependent) -> tuple[Ints, npt.NDArray[np.bool_] | None]:
        """Places of the determining values; of two columns the first counts in widths of the second."""
        places, present = self.of(pair.sides[0].name, pair.sides[0].low)
        for side in pair.sides[1:]:
            more, here = self.of(side.name, side.low)
            with np.errstate(over="ignore"):  # where a value is missing
                places = places * side.width + more
            present = here if present is None else present if here is None else present & here
        return places, present


def part_of(places: Ints, parts: int) -> Ints:
    """In which of so many parts values fall: evenly, also where they lie at equal distances.

    Examples
    --------
    >>> np.bincount(part_of(np.arange(0, 80_000, 8), 4)).tolist()
    [2483, 2483, 2508, 2526]
    """
    mixed = places.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return ((mixed >> np.uint64(32)) % np.uint64(parts)).astype(np.int64)


def joined(left: Table, right: Table, width: int, allowed: int) -> Table:
    """The table of the rows of both; None when more than so many break the dependency."""
    if left is None or right is None:
        return None
    keys = np.concatenate([left["keys"], right["keys"]])
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])[: keys.size])
    out = {
        "keys": keys[starts],
        "counts": _reduced(np.add, np.concatenate([left["counts"], right["counts"]])[order], starts),
        "rows": _reduced(np.minimum, np.concatenate([left["rows"], right["rows"]])[order], starts),
    }
    return out if violations(out, width) <= allowed else None


def violations(table: Table, width: int) -> int:
    """Rows whose second value is not the commonest of their first: g3 times the number of rows.

    Kivinen and Mannila (1995), 10.1016/0304-3975(95)00028-U.

    Examples
    --------
    >>> violations({"keys": np.array([0, 1, 4]), "counts": np.array([7, 2, 5]), "rows": np.arange(3)}, 3)
    2
    """
    assert table is not None
    starts = group_starts(table["keys"], width)
    return int(table["counts"].sum() - _reduced(np.maximum, table["counts"], starts).sum())


def group_starts(keys: Ints, width: int) -> Ints:
    """Where the entries of each value of the first column begin."""
    groups = keys // width
    return np.flatnonzero(np.concatenate([[True], groups[1:] != groups[:-1]])[: keys.size])


def exceptions(table: Table, width: int) -> tuple[Ints, Ints]:
    """Entries that break the dependency, and beside each that of the commonest value; of equal counts the first."""
    assert table is not None
    counts, starts = table["counts"], group_starts(table["keys"], width)
    sizes = np.diff(np.append(starts, counts.size))
    most = np.repeat(_reduced(np.maximum, counts, starts), sizes)
    leads = np.flatnonzero(counts == most)
    group = np.repeat(np.arange(starts.size), sizes)
    lead = leads[np.searchsorted(group[leads], np.arange(starts.size))]
    others = np.setdiff1d(np.arange(counts.size), lead)
    return others, lead[group[others]]


def _reduced(how: np.ufunc, values: Ints, starts: Ints) -> Ints:
    out: Ints = how.reduceat(values, starts) if starts.size else values[:0]
    return out
