"""Pieces of event logs: ranges of durations, hashes of sequences, tallies of variants on disk."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.plugin.eventlog import DurationHistogram, VariantTally, case_runs, sequence_hashes, variants
from toolkit.plugin.eventlog.durations import exact_sum, range_bounds, range_of, ranges


@given(st.lists(st.integers(0, 2**63 - 1), min_size=1), st.sampled_from([3, 7]))
def test_a_value_lies_in_its_range(values: list[int], bits: int) -> None:
    places = range_of(np.array(values, np.int64), bits)
    assert places.max() < ranges(bits)
    for value, place in zip(values, places.tolist(), strict=True):
        low, high = range_bounds(place, bits)
        assert low <= value <= high
        assert (high - low) << bits <= low or low == high


@given(st.lists(st.integers(0, 2**62), min_size=1, max_size=50), st.floats(0, 1))
def test_quantiles_lie_between_their_bounds(values: list[int], probability: float) -> None:
    histogram = DurationHistogram()
    histogram.add(np.array(values, np.int64))
    low, high = histogram.quantile(probability) or (0, 0)
    exact = sorted(values)[max(int(np.ceil(probability * len(values) - 1e-9)), 1) - 1]
    assert low <= exact <= high
    assert (histogram.total, histogram.low, histogram.high) == (sum(values), min(values), max(values))
    assert exact_sum(np.array([-v for v in values])) == -sum(values)


@given(st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=6), min_size=1, max_size=40), st.booleans())
def test_variants_are_counted(runs: list[list[int]], twice: bool) -> None:
    starts = np.cumsum([0, *map(len, runs)])
    first, second = sequence_hashes(np.array([c for run in runs for c in run]), starts)
    tally = VariantTally(10, None)
    half = len(runs) // 2 if twice else 0
    for part in (slice(0, half), slice(half, None)):
        rows = np.arange(len(runs))[part] * 10
        tally.add(first[part], second[part], rows, np.diff(starts)[part])
    count, top = tally.finish(100)
    truth = Counter(map(tuple, runs))
    assert count == len(truth)
    assert sorted(v.cases for v in top) == sorted(truth.values())
    for variant in top:
        assert truth[tuple(runs[variant.row // 10])] == variant.cases
        assert runs.index(runs[variant.row // 10]) == variant.row // 10


def test_variants_on_disk_are_those_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 3, 6000)
    case = np.sort(rng.integers(0, 2000, 6000))
    starts = case_runs(case)
    arrays = (*sequence_hashes(codes, starts), starts[:-1], np.diff(starts))
    whole = VariantTally(10, None)
    whole.add(*arrays)
    expected = whole.finish(30)
    monkeypatch.setattr(variants, "_HELD", 100)
    parted = VariantTally(2000, tmp_path)
    for at in range(0, starts.size - 1, 90):
        parted.add(*(a[at : at + 90] for a in arrays))
    assert len(list(tmp_path.iterdir())) > 5
    assert parted.finish(30) == expected
    assert list(tmp_path.iterdir()) == []
