"""Tallies of sorted values: joining, ranks, bins."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.kernels.tally import Tally, equal_bins, inverted_cdf_ranks, join, tally_sorted

NUMBERS = st.lists(st.integers(-9, 9) | st.integers(-(2**40), 2**40), max_size=60)


def tally(values: list[int]) -> Tally:
    return tally_sorted(np.sort(np.array(values, np.int64)))


def as_dict(found: Tally) -> dict[int, int]:
    return dict(zip(found.values.tolist(), found.wide_counts.tolist(), strict=True))


@given(NUMBERS)
def test_sorted_values_are_counted(values: list[int]) -> None:
    found = tally(values)
    assert as_dict(found) == Counter(values)
    assert (found.counts is None) == (len(set(values)) == len(values))
    assert (np.diff(found.values) > 0).all()


@given(NUMBERS, NUMBERS)
def test_joined_tallies_are_those_of_all_values(left: list[int], right: list[int]) -> None:
    found, whole = join(tally(left), tally(right)), tally(left + right)
    assert found.values.tolist() == whole.values.tolist()
    assert (found.counts is None) == (whole.counts is None)
    if whole.counts is not None and found.counts is not None:
        assert found.counts.dtype == whole.counts.dtype
        assert found.counts.tolist() == whole.counts.tolist()


def test_counts_take_the_narrowest_width() -> None:
    for count, width in ((2, 1), (255, 1), (256, 2), (65_536, 4)):
        counts = tally_sorted(np.repeat([1, 2], [count, 1])).counts
        assert counts is not None
        assert counts.dtype.itemsize == width


@given(st.integers(1, 10_000), st.lists(st.floats(0, 1) | st.sampled_from([0.1, 0.25, 0.3, 0.7]), min_size=1))
def test_ranks_are_those_of_numpy(count: int, probabilities: list[float]) -> None:
    expected = np.quantile(np.arange(count), probabilities, method="inverted_cdf")
    assert inverted_cdf_ranks(count, probabilities) == expected.tolist()


@given(
    st.floats(-1e6, 1e6), st.floats(1e-6, 1e6), st.integers(1, 60), st.lists(st.floats(0, 1), min_size=1, max_size=50)
)
def test_bins_are_those_of_numpy(low: float, width: float, bins: int, inside: list[float]) -> None:
    values = np.array([low, low + width, *(low + width * x for x in inside)]).clip(low, low + width)
    found = equal_bins(low, low + width, bins, np.dtype("f8"))
    counts, edges = np.histogram(values, bins)
    assert found.edges == edges.tolist()
    assert (
        np.bincount(np.searchsorted(found.thresholds, values, side="right"), minlength=bins).tolist() == counts.tolist()
    )


@given(st.integers(-(2**63), 2**63 - 1), st.integers(0, 2**63 - 1), st.integers(1, 60))
def test_bins_of_integers_have_whole_thresholds(low: int, width: int, bins: int) -> None:
    high = min(low + width, 2**63 - 1)
    found = equal_bins(low, high, bins, np.dtype("i8"))
    assert len(found.edges) == bins + 1
    assert found.thresholds == sorted(found.thresholds)
    if max(abs(low), abs(high)) > 2**53 and low < high:
        exact = [Fraction(low) + Fraction(i * (high - low), bins) for i in range(1, bins)]
        assert all(t - 1 < e <= t for t, e in zip(found.thresholds, exact, strict=True))


@pytest.mark.parametrize("value", [0.1, -7.0, 3e5])
def test_bins_around_a_single_value(value: float) -> None:
    found = equal_bins(value, value, 5, np.dtype("f8"))
    assert found.edges == np.histogram([value], 5)[1].tolist()
