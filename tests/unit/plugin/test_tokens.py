"""Tokens against a plain split, whatever the text and however it is laid out."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.core.strings import StringBlock, pack_values
from toolkit.plugin.tokens import Tokens, batches, block_of_values, pieces, token_hashes, tokens_of

BLANKS = [chr(c) for c in range(0x3001) if chr(c).isspace()]
TEXT = st.text(
    st.one_of(
        st.sampled_from(["a", "é", "字", "😀", "\x00", "\x01", "\x1b", "\x7f", "-", *BLANKS]),
        st.characters(codec="utf-8"),
    )
)


def plain(text: str, characters: int) -> list[str]:
    return [token for token in re.split(r"[\s\x00]+", text[:characters]) if token]


def tokens_by_text(found: Tokens) -> list[list[str]]:
    bounds = found.starts.tolist()
    codes = found.codes.tolist()
    return [[found.different[c] for c in codes[a:b]] for a, b in pairwise(bounds)]


def between_lengths(texts: Sequence[str]) -> StringBlock:
    """As stores keep long text: four bytes of length before each value."""
    octets, lengths = pack_values(texts)
    return StringBlock(octets, None, lengths.astype(np.uint32))


def backwards(texts: Sequence[str]) -> StringBlock:
    """Values that lie in their buffer the other way round."""
    block = block_of_values(list(texts)[::-1])
    return StringBlock(block.payload, block.starts[::-1].copy(), block.lengths[::-1].copy())


def far_apart(texts: Sequence[str]) -> StringBlock:
    """Values with other bytes between them."""
    block = block_of_values([part for text in texts for part in (text, "between " * 7)])
    return StringBlock(block.payload, block.starts[::2].copy(), block.lengths[::2].copy())


LAYOUTS = {"one after another": lambda texts: block_of_values(list(texts)), "between lengths": between_lengths}
LAYOUTS |= {"backwards": backwards, "far apart": far_apart}


@pytest.mark.parametrize("layout", LAYOUTS)
@given(texts=st.lists(TEXT, max_size=8), characters=st.integers(1, 12))
def test_they_are_those_of_a_plain_split(layout: str, texts: list[str], characters: int) -> None:
    found = tokens_of(LAYOUTS[layout](texts), characters)
    assert tokens_by_text(found) == [plain(text, characters) for text in texts]
    assert len(set(found.different)) == len(found.different)


@pytest.mark.parametrize("layout", LAYOUTS)
@given(texts=st.lists(TEXT, min_size=3, max_size=9), at=st.integers(0, 3), stop=st.integers(0, 9))
def test_a_run_of_the_texts(layout: str, texts: list[str], at: int, stop: int) -> None:
    block = LAYOUTS[layout](texts).slice(at, min(stop, len(texts)))
    assert tokens_by_text(tokens_of(block, 100)) == [plain(text, 100) for text in texts[at:stop]]


def test_what_is_not_looked_at_takes_no_memory() -> None:
    texts = ["a b " * 4, "字" * 9 + "x" * 30_000_000, "c"]
    block = between_lengths(texts)
    tracemalloc.start()
    try:
        found = tokens_of(block, 10)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert tokens_by_text(found) == [["a", "b", "a", "b", "a"], ["字" * 9 + "x"], ["c"]]
    assert peak < 100_000


def test_every_blank_parts_tokens() -> None:
    texts = [f"a{blank}字" for blank in BLANKS]
    assert tokens_by_text(tokens_of(block_of_values(texts), 9)) == [["a", "字"]] * len(texts)


@given(texts=st.lists(st.text("ab ", max_size=900_000).map(lambda text: text * 3), max_size=3))
def test_batches_are_all_texts_in_order(texts: list[str]) -> None:
    parts = list(batches(block_of_values(texts)))
    assert [i for part in parts for i in range(part.start, part.stop)] == list(range(len(texts)))


def test_batches_hold_no_more_than_a_text_that_is_larger() -> None:
    block = block_of_values(["x" * 700_000] * 3 + ["y" * 3_000_000] + ["z"] * 5)
    assert [(part.start, part.stop) for part in batches(block)] == [(0, 1), (1, 2), (2, 3), (3, 4), (4, 9)]


@given(sizes=st.lists(st.integers(0, 4), min_size=1, max_size=6), data=st.data())
def test_pieces_are_the_tokens_of_some_texts(sizes: list[int], data: st.DataObject) -> None:
    starts = np.concatenate([[0], np.cumsum(sizes)])
    which = data.draw(st.lists(st.integers(0, len(sizes) - 1)))
    places, bounds = pieces(starts, np.array(which, np.int64))
    assert places.tolist() == [place for i in which for place in range(starts[i], starts[i + 1])]
    assert np.diff(bounds).tolist() == [sizes[i] for i in which]


def test_hashes_differ_and_stay() -> None:
    hashes = token_hashes([f"word {i}" for i in range(20_000)])
    assert np.unique(hashes).size == 20_000
    assert (token_hashes(["word 7"]) == hashes[7]).all()
