"""Where a task is at, in bytes that a plugin's process may have overwritten."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from toolkit.task.place import PLACE, Place, Tracker, read_place


def test_a_place_comes_back() -> None:
    noted: list[bytes] = []
    tracker = Tracker(noted.append)
    tracker.enter("import")
    tracker.enter("pass", 2)
    tracker.at(7)
    assert [read_place(n) for n in noted] == [Place("import"), Place("pass", 2), Place("pass", 2, 7)]


@given(st.binary(min_size=PLACE.size, max_size=64))
def test_any_bytes_are_some_place(data: bytes) -> None:
    found = read_place(data)
    assert found.chunk is None or found.chunk >= 0
