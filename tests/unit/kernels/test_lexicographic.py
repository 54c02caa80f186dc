"""First rows of the smallest and largest text, against plain Python."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.memory_store import block_of, memory_dataset
from toolkit.kernels.hashing import block_of_values
from toolkit.kernels.lexicographic import extreme_rows
from toolkit.kernels.words import WordReader

# Few letters, zero bytes and common beginnings, so that ties are frequent; lengths around multiples of 8.
VALUE = st.tuples(
    st.sampled_from([b"", b"abcdefgh", b"prefixprefixprefix", b"\0" * 8]),
    st.lists(st.sampled_from([0, 1, 97, 255]), max_size=17).map(bytes),
).map(lambda parts: parts[0] + parts[1])


@given(st.lists(st.tuples(VALUE, st.booleans()), min_size=1, max_size=40).filter(lambda v: any(p for _, p in v)))
def test_first_rows_of_the_extremes(rows: list[tuple[bytes, bool]]) -> None:
    values, present = [v for v, _ in rows], np.array([p for _, p in rows])
    stored = block_of(memory_dataset({"x": values}, encodings={"x": "long"}), "x")
    for block in (stored, block_of_values(values)):
        assert extreme_rows(block) == (values.index(min(values)), values.index(max(values)))
        kept = [v for v, p in rows if p]
        low, high = extreme_rows(block, present)
        assert (low, high) == (rows.index((min(kept), True)), rows.index((max(kept), True)))


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=20), st.integers(0, 3))
def test_words(values: list[bytes], word: int) -> None:
    block = block_of_values(values)
    offset = 8 * word
    lengths = block.lengths.astype(np.int64)
    found = WordReader(block).read(block.starts + offset, np.maximum(lengths - offset, 0))
    assert found.tolist() == [int.from_bytes(v[offset : offset + 8], "little") for v in values]
