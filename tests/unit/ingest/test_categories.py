"""Categories of text over the parts of a source, and how much of them is held meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.ingest import categories
from toolkit.ingest.categories import codes_of, find_categories

WORDS = st.lists(st.lists(st.one_of(st.none(), st.sampled_from("abcdefgh")), max_size=12), min_size=1, max_size=12)


def _parts(words: list[list[str | None]], coded: list[bool]) -> list[pa.Array]:
    arrays = [pa.array(part, pa.string()) for part in words]
    return [a.dictionary_encode() if c else a for a, c in zip(arrays, coded * len(arrays), strict=False)]


@given(WORDS, st.lists(st.booleans(), min_size=1, max_size=3))
def test_codes_stand_for_the_values_of_their_rows(words: list[list[str | None]], coded: list[bool]) -> None:
    parts = _parts(words, coded)
    present = [w for part in words for w in part if w is not None]
    found = find_categories(iter(parts), len(present))
    if len(set(present)) * 2 > len(present):
        assert found is None
        return
    assert found is not None
    assert found.to_pylist() == sorted(set(present))
    taken = [[None if c is None else found[c].as_py() for c in part.to_pylist()] for part in codes_of(parts, found)]
    assert taken == words


@pytest.mark.parametrize("coded", [True, False])
def test_too_many_distinct_values_are_no_categories(coded: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(categories, "MOST_CATEGORIES", 5)
    words: list[list[str | None]] = [["a", "b", "c"] * 4, ["d", "e", "f"] * 4]
    assert find_categories(iter(_parts(words, [coded])), 24) is None
    assert find_categories(iter(_parts(words[:1], [coded])), 12) is not None


def test_few_parts_are_held_however_many_there_are() -> None:
    # A part in use keeps the pages of its file in memory.
    read = 0

    def parts() -> Iterator[pa.Array]:
        nonlocal read
        for _ in range(100):
            read += 1
            yield pa.array(["a", "b", None, "a"]).dictionary_encode()

    found = find_categories(parts(), 300)
    assert found is not None
    read = 0
    ahead = [read - given for given, _ in enumerate(codes_of(parts(), found))]
    assert max(ahead) <= 4
