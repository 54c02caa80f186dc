"""Top positions, frequency tables and what follows from them, against plain Python."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from toolkit.kernels.frequency import frequency_table, join_tables, kth_largest, summarise, top_positions

COUNTS = st.lists(st.integers(0, 5) | st.integers(0, 200_000), max_size=60)


@given(COUNTS, st.integers(0, 70))
def test_top_positions(counts: list[int], k: int) -> None:
    distinct = sum(c > 0 for c in counts)
    listed = [(-c, i) for i, c in enumerate(counts) if c > 1 or (c == 1 and distinct <= k)]
    assert top_positions(np.array(counts, np.int64), k).tolist() == [i for _, i in sorted(listed)[:k]]


def test_top_positions_of_a_part() -> None:
    assert top_positions(np.array([1, 1, 2]), 3, distinct=4).tolist() == [2]
    assert top_positions(np.array([1, 1, 2]), 3, distinct=3).tolist() == [2, 0, 1]


@given(COUNTS, st.integers(1, 70))
def test_kth_largest(counts: list[int], k: int) -> None:
    expected = sorted(counts, reverse=True)[k - 1] if k <= len(counts) else 0
    assert kth_largest(np.array(counts, np.int64), k) == expected


@given(COUNTS)
def test_frequency_table(counts: list[int]) -> None:
    sizes, numbers = frequency_table(np.array(counts, np.int64))
    expected = Counter(c for c in counts if c)
    assert list(zip(sizes.tolist(), numbers.tolist(), strict=True)) == sorted(expected.items())


@given(st.lists(COUNTS, max_size=4))
def test_tables_join(parts: list[list[int]]) -> None:
    joined = join_tables([frequency_table(np.array(p, np.int64)) for p in parts])
    whole = frequency_table(np.array([c for p in parts for c in p], np.int64))
    assert [a.tolist() for a in joined] == [a.tolist() for a in whole]


@given(COUNTS)
def test_summary(counts: list[int]) -> None:
    found = summarise(frequency_table(np.array(counts, np.int64)))
    assert found["distinct"] == sum(c > 0 for c in counts)
    assert found["singletons"] == counts.count(1)
    if sum(counts):
        assert found["entropy"] == pytest.approx(scipy.stats.entropy(counts, base=2), rel=1e-12, abs=1e-12)
    else:
        assert found["entropy"] is None


def test_entropy_of_a_constant_is_nought_exactly() -> None:
    assert summarise(frequency_table(np.array([12345])))["entropy"] == 0.0
