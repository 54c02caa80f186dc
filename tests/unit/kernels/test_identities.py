"""Joining of hashed texts, with hashes made to tie as true ones hardly ever do."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from toolkit.kernels.identities import ALL_HASHES, HashRange, Identities, join_identities, join_leaders, leaders

# First hashes that agree in all but their lowest bits, and pairs that differ in the second hash only.
PAIR = st.tuples(st.sampled_from([0, 1, 2, 1 << 40, (1 << 63) + 1, (1 << 63) + 2, (1 << 64) - 1]), st.integers(0, 2))
Pairs = list[tuple[int, int]]


def part(pairs: Pairs, first_row: int) -> Identities:
    first, second = (np.array([p[i] for p in pairs], np.uint64) for i in (0, 1))
    return Identities(first, second, np.arange(first_row, first_row + len(pairs)), None)


def counted(pairs: Pairs) -> dict[tuple[int, int], tuple[int, int]]:
    """First row and count of each pair."""
    rows = defaultdict(list)
    for row, pair in enumerate(pairs):
        rows[pair].append(row)
    return {pair: (found[0], len(found)) for pair, found in sorted(rows.items())}


def as_dict(found: Identities) -> dict[tuple[int, int], tuple[int, int]]:
    counts = np.ones(found.rows.size, np.int64) if found.counts is None else found.counts
    pairs = zip(found.first.tolist(), found.second.tolist(), strict=True)
    return dict(zip(pairs, zip(found.rows.tolist(), counts.tolist(), strict=True), strict=True))


@given(st.lists(PAIR, min_size=1, max_size=60), st.integers(0, 60), st.booleans())
def test_joined_in_any_order_and_grouping(pairs: Pairs, cut: int, reverse: bool) -> None:
    cut = min(cut, len(pairs))
    parts = [part(pairs[:cut], 0), part(pairs[cut:], cut)]
    if reverse:
        parts.reverse()
    expected = counted(pairs)
    together = join_identities(parts, ALL_HASHES)
    assert list(as_dict(together).items()) == list(expected.items())
    stepwise = join_identities([join_identities([p], ALL_HASHES) for p in parts], ALL_HASHES)
    assert list(as_dict(stepwise).items()) == list(expected.items())
    assert (together.counts is None) == (len(expected) == len(pairs)) == (stepwise.counts is None)


@given(st.lists(st.tuples(st.integers(1000, 1015), st.integers(0, 2)), min_size=1, max_size=60))
def test_a_narrow_range_of_hashes(pairs: Pairs) -> None:
    found = join_identities([part(pairs, 0)], HashRange(1000, 1015))
    assert list(as_dict(found).items()) == list(counted(pairs).items())


def test_tied_texts_are_all_counted_though_few_rows_are_kept() -> None:
    sides = [part([(base + i // 2, 0) for i in range(40)], base) for base in (0, 1000)]
    parts = [leaders([side], ALL_HASHES, 2, 5) for side in sides]
    assert [p.tied_rows.tolist() for p in parts] == [[0, 2, 4, 6, 8], [1000, 1002, 1004, 1006, 1008]]
    joined = join_leaders(parts, 2, 5)
    assert (joined.threshold, joined.tied, joined.tied_rows.tolist()) == (2, 40, [0, 2, 4, 6, 8])


@given(st.lists(PAIR, min_size=1, max_size=80), st.integers(1, 8), st.integers(0, 4), st.integers(1, 60))
def test_leaders_of_parts_join_to_those_of_all(pairs: Pairs, k: int, spare: int, split: int) -> None:
    keep = k + 1 + spare
    whole = leaders([part(pairs, 0)], ALL_HASHES, k, keep)
    low = [(p, row) for row, p in enumerate(pairs) if p[0] <= split]
    high = [(p, row) for row, p in enumerate(pairs) if p[0] > split]
    parts = []
    for side in (low, high):
        first, second = (np.array([p[i] for p, _ in side], np.uint64) for i in (0, 1))
        rows = np.array([row for _, row in side], np.int64)
        parts.append(leaders([Identities(first, second, rows, None)], ALL_HASHES, k, keep))
    joined = join_leaders(parts, k, keep)
    expected = counted(pairs).values()
    by_count = sorted(((n, row) for row, n in expected), key=lambda t: (-t[0], t[1]))
    for found in (whole, joined):
        threshold = by_count[k - 1][0] if len(by_count) > k else 0
        above = [(n, row) for n, row in by_count if n > threshold]
        assert list(zip(found.counts.tolist(), found.rows.tolist(), strict=True)) == above
        assert found.threshold == threshold
        tied = sorted(row for n, row in by_count if n == threshold) if threshold > 1 else []
        assert found.tied == len(tied)
        assert found.tied_rows.tolist() == tied[:keep]
        assert int((found.table[0] * found.table[1]).sum()) == len(pairs)
