"""Which hashes may occur twice: a fixed number of bits, whatever the number of rows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Bits = npt.NDArray[np.uint8]
Filter = dict[str, Bits]
"""``seen`` and ``again``, uint8, shape (3, bytes): slots into which at least one and at least two hashes fell.

Each hash has a slot in all three parts, from its first bits, its last and a mix of all, as in a Bloom filter
(10.1145/362686.362692).
"""

_FEWEST_BITS, _MOST_BITS, _LONGEST_BITS = 10, 25, 28
_PLENTY = 16
"""Slots for each row of a small table; 0.02 % of its rows then are gathered for nothing, 2 % where there are three."""
_PARTS = 3
_MIX = np.uint64(0x9E3779B97F4A7C15)


def filter_bits(rows: int) -> int:
    """Binary logarithm of the slots in each part: at most 25, 4 MiB, up to 16 million rows, then up to 28.

    Examples
    --------
    >>> filter_bits(100), filter_bits(2_000_000), filter_bits(10_000_000), filter_bits(10**9)
    (11, 25, 25, 28)
    """
    wanted = (_PLENTY * max(rows, 1) - 1).bit_length()
    most = max(_MOST_BITS, (2 * max(rows, 1) - 1).bit_length())
    return max(_FEWEST_BITS, min(wanted, most, _LONGEST_BITS))


def new_filter(bits: int) -> Filter:
    """A filter into which no hash fell."""
    return {name: np.zeros((_PARTS, 1 << (bits - 3)), np.uint8) for name in ("seen", "again")}


def add_hashes(found: Filter, hashes: Hashes) -> None:
    """Let hashes fall into a filter, in place."""
    for part, slots in enumerate(_slots(found, hashes)):
        slots.sort()
        repeated = slots[1:] == slots[:-1]
        first = slots[np.concatenate([[True], ~repeated])] if slots.size else slots
        seen, again = found["seen"][part], found["again"][part]
        at, bits = _octets(first)
        again[at] |= seen[at] & bits
        seen[at] |= bits
        if repeated.any():
            at, bits = _octets(slots[1:][repeated])
            again[at] |= bits


def join_filters(left: Filter, right: Filter) -> Filter:
    """The filter of the hashes of both."""
    again = left["again"] | right["again"] | (left["seen"] & right["seen"])
    return {"seen": left["seen"] | right["seen"], "again": again}


def hit_again(found: Filter, hashes: Hashes) -> npt.NDArray[np.bool_]:
    """Which hashes may occur twice: all that do, and a few others; shape (hashes,)."""
    hit = np.ones(hashes.size, bool)
    for again, slots in zip(found["again"], _slots(found, hashes), strict=True):
        bits = again[slots >> np.uint32(3)] >> (slots & np.uint32(7)).astype(np.uint8)
        hit &= (bits & np.uint8(1)).astype(bool)
    return hit


def repeat_share(found: Filter) -> float:
    """Share of the slots in use that were hit again: above the share of distinct rows that occur twice.

    Examples
    --------
    >>> found = new_filter(10)
    >>> add_hashes(found, np.array([3 << 60, 5 << 60, 3 << 60], np.uint64))
    >>> repeat_share(found)
    0.5
    """
    used = int(np.bitwise_count(found["seen"][0]).sum(dtype=np.int64))
    return int(np.bitwise_count(found["again"][0]).sum(dtype=np.int64)) / used if used else 0.0


def _slots(found: Filter, hashes: Hashes) -> Iterator[npt.NDArray[np.uint32]]:
    bits = (found["seen"].shape[1] * 8).bit_length() - 1
    rest = np.uint64(64 - bits)
    yield (hashes >> rest).astype(np.uint32)
    yield (hashes & np.uint64((1 << bits) - 1)).astype(np.uint32)
    yield (hashes * _MIX >> rest).astype(np.uint32)


def _octets(slots: npt.NDArray[np.uint32]) -> tuple[npt.NDArray[np.intp], Bits]:
    """The bytes in which ascending slots lie, each once, and their bits."""
    at = (slots >> np.uint32(3)).astype(np.intp)
    bits = np.uint8(1) << (slots & np.uint32(7)).astype(np.uint8)
    if not at.size:
        return at, bits
    starts = np.flatnonzero(np.concatenate([[True], at[1:] != at[:-1]]))
    return at[starts], np.bitwise_or.reduceat(bits, starts)
