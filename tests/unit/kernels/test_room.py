"""What states hold is bounded, and the blocks of a table are few however large it is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from toolkit.kernels.room import MOST_BLOCKS, Room


@given(st.integers(0, 10**11), st.integers(1, 1 << 24))
def test_blocks_are_few_and_small(rows: int, cap: int) -> None:
    room = Room(rows, cap)
    if room.fits:
        assert room.most == rows
        assert room.block == room.kept == cap
    else:
        assert rows < MOST_BLOCKS**2 or -(-rows // room.block) <= MOST_BLOCKS + 2
        assert room.block <= max(cap / 4, rows / MOST_BLOCKS, 1)
        assert room.kept + room.block <= room.most


def test_two_billion_rows_take_little_more_than_those_that_fit() -> None:
    room = Room(2_000_000_000, 1 << 21)
    assert -(-room.rows // room.block) <= MOST_BLOCKS + 1
    assert room.most <= 2.2 * room.cap
