"""Groups, windows and findings under a cap: the stated ones are kept, and no row is lost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.memory_store import memory_dataset
from toolkit.core.errors import UsageError
from toolkit.plugin import Finding, RowBlocks, keep_findings, keep_groups, row_blocks, time_bins
from toolkit.plugin.bins import LADDER_NS

UNITS = {"D": 86_400 * 10**9, "s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


@given(st.lists(st.integers(0, 5), max_size=12), st.none() | st.integers(1, 14), st.data())
def test_the_largest_groups_stay_and_the_rest_is_pooled(
    counts: list[int], cap: int | None, data: st.DataObject
) -> None:
    groups = keep_groups(np.array(counts, np.int64), cap)
    real = sorted((c for c in range(len(counts)) if counts[c]), key=lambda c: (-counts[c], c))
    kept = real if cap is None else real[:cap]
    assert groups.codes.tolist() == kept
    assert groups.counts.sum() == sum(counts)
    assert groups.pooled == (len(kept) < len(real)) == (groups.omission is not None)
    rows = data.draw(st.permutations([c for c in range(len(counts)) for _ in range(counts[c])]))
    places = groups.of(np.array([*rows, -1], np.int8))
    assert places[-1] == -1
    assert np.bincount(places[:-1], minlength=len(groups.counts)).tolist() == groups.counts.tolist()
    if groups.omission is not None:
        assert (groups.omission["requested"], groups.omission["evaluated"]) == (len(real), len(kept))


def test_groups_are_named_and_the_pooled_one_clashes_with_none() -> None:
    counts = np.array([1, 5, 2])
    assert keep_groups(counts, 1).labels(["a", "b", "c"]) == ["b", "__other__"]
    assert keep_groups(counts, 2).labels(["__other__", "__other___", "c"]) == ["__other___", "c", "__other____"]
    assert keep_groups(counts, None).labels(["__other__", "b", "c"]) == ["b", "c", "__other__"]
    entry = keep_groups(counts, 1, ["a", "b", "c"]).omission
    assert entry is not None
    assert entry["left_out"] == ["c", "a"]


@given(
    st.sampled_from(sorted(UNITS)), st.integers(-(2**62), 2**62), st.integers(0, 2**61),
    st.none() | st.integers(1, 1000), st.sampled_from(LADDER_NS),
)  # fmt: skip
def test_bins_fit_hold_every_instant_and_are_the_finest(
    unit: str, low: int, span: int, cap: int | None, finest: int
) -> None:
    high = min(low + span, 2**62)
    bins = time_bins(low, high, unit, cap, finest)
    assert cap is None or bins.count <= cap
    places = bins.of(np.array([low, (low + high) // 2, high]))
    assert places[0] == 0
    assert places[0] <= places[1] <= places[2] == bins.count - 1
    if cap is None or bins.count > 1:
        assert bins.start(0) <= low < bins.start(1)
        assert bins.start(bins.count - 1) <= high < bins.start(bins.count)
    steps = [ns // UNITS[unit] for ns in LADDER_NS if ns >= finest and ns % UNITS[unit] == 0]
    finer = [s for s in steps if s < bins.step]
    assert all(cap is not None and high // s - low // s + 1 > cap for s in finer)
    assert bins.step in steps or bins.step % steps[-1] == 0


@pytest.mark.parametrize(
    ("seconds", "cap", "step"),
    [(10, 100, 1), (100, 100, 1), (101, 100, 5), (86_400, 100, 900), (86_400, 24, 3600), (86_400 * 30, 6, 604_800)],
)
def test_steps_are_those_of_the_ladder(seconds: int, cap: int, step: int) -> None:
    assert time_bins(0, seconds - 1, "s", cap).step == step


def test_a_coarser_step_is_told() -> None:
    entry = time_bins(0, 999, "s", 100).omission
    assert entry is not None
    kept = {key: entry[key] for key in ("cap", "value", "requested", "evaluated", "restore")}
    assert kept == {
        "cap": "max_windows", "value": 100, "requested": 1000, "evaluated": 67, "restore": "max_windows: 1000"
    }  # fmt: skip
    assert time_bins(0, 99, "s", 100).omission is None
    one = time_bins(-5, 5, "s", 1)
    assert (one.count, one.of(np.array([-5, 0, 5])).tolist()) == (1, [0, 0, 0])
    for wrong in ((1, 0, "s"), (0, 1, "weeks")):
        with pytest.raises(UsageError):
            time_bins(*wrong, 5)


@given(st.integers(1, 60), st.none() | st.integers(1, 80), st.data())
def test_blocks_of_rows_are_even_and_hold_every_row(rows: int, cap: int | None, data: st.DataObject) -> None:
    blocks = row_blocks(rows, cap)
    assert blocks.count == min(rows, cap or rows)
    assert (blocks.omission is None) == (blocks.count == rows)
    start = data.draw(st.integers(0, rows))
    stop = data.draw(st.integers(start, rows))
    expected = [max(i for i in range(blocks.count) if blocks.start(i) <= r) for r in range(start, stop)]
    assert blocks.of(start, stop).tolist() == expected
    sizes = {blocks.start(i + 1) - blocks.start(i) for i in range(blocks.count)}
    assert max(sizes) - min(sizes) <= 1


def test_blocks_of_a_billion_rows_do_not_overflow() -> None:
    rows = 10**11
    blocks = RowBlocks(rows, 10**6)
    assert blocks.of(rows - 1, rows).tolist() == [10**6 - 1]


SCHEMA = memory_dataset({"a": [1.0], "b": [2.0]}, 1).schema


def finding(name: str, log10_p: float | None, effect: float | None, column: str = "a") -> Finding:
    return Finding(name, [column], name, "Do it.", effect=effect, log10_p=log10_p)


def test_findings_are_kept_by_rank_in_the_plugins_order() -> None:
    given_ = [
        finding("weak", -2.0, 0.9),
        finding("late", -3.0, -0.5, "b"),
        finding("strong", -9.0, 0.1),
        finding("fact", None, None),
        finding("early", -3.0, 0.5, "a"),
        finding("large", -3.0, -0.7),
        finding("same", -3.0 + 1e-14, 0.5, "a"),
    ]
    order = ["fact", "strong", "large", "early", "same", "late", "weak"]
    for most in range(1, 9):
        kept = [f.kind for f in keep_findings(given_, most, SCHEMA)]
        assert kept == [f.kind for f in given_ if f.kind in order[:most]]
