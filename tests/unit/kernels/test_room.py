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
        assert room.block == cap
    else:
        assert rows < MOST_BLOCKS**2 or -(-rows // room.block) <= MOST_BLOCKS + 2
        assert room.block <= max(cap, rows / MOST_BLOCKS)
        assert room.most == cap + room.block


def test_two_billion_rows_are_laid_out_in_512_blocks() -> None:
    room = Room(2_000_000_000, 1 << 19)
    assert -(-room.rows // room.block) <= MOST_BLOCKS + 1
    assert room.most <= 9 * room.cap
