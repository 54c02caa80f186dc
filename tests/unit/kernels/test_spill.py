"""What states write to disk: arrays, sorted runs and divided texts come back as they were."""

from __future__ import annotations

import errno
import os
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.core.errors import ToolkitError
from toolkit.kernels.identities import ALL_HASHES, Identities, join_identities
from toolkit.kernels.scattered import Scattered
from toolkit.kernels.sorted_runs import SortedRuns
from toolkit.kernels.spill import Spill
from toolkit.kernels.tally import Tally, count_of, tally_sorted


def test_arrays_come_back_in_parts_and_the_file_has_no_name(tmp_path: Path) -> None:
    arrays = [np.arange(5), np.empty(0), np.arange(9.0)[::2], np.array([True, False]), np.arange(3, dtype=">u2")]
    with Spill(tmp_path) as spill:
        assert spill.nbytes == 0
        places = [spill.write(a) for a in arrays]
        assert spill.nbytes == sum(a.nbytes for a in arrays)
        assert not list(tmp_path.iterdir())
        for array, place in zip(reversed(arrays), reversed(places), strict=True):
            assert spill.read(place).tolist() == array.tolist()
            assert spill.read(place, 1, 2).tolist() == array[1:2].tolist() or not array.size
    with pytest.raises(ToolkitError, match="shorter than what was written"):
        spill.read(places[0])


def test_writes_and_reads_of_a_few_bytes_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, read = os.pwrite, os.preadv
    monkeypatch.setattr(os, "pwrite", lambda file, data, at: write(file, data[:3], at))
    monkeypatch.setattr(os, "preadv", lambda file, parts, at: read(file, [parts[0][:5]], at))
    with Spill(tmp_path) as spill:
        assert spill.read(spill.write(np.arange(7)), 2, 6).tolist() == [2, 3, 4, 5]


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, "")

    with Spill(tmp_path) as spill:
        spill.write(np.arange(4))
        monkeypatch.setattr(os, "pwrite", full)
        with pytest.raises(ToolkitError, match=f"does not take 112 bytes .* in {tmp_path}: No space left") as caught:
            spill.write(np.arange(10))
    assert "--appdata" in caught.value.remedy


def test_a_folder_that_is_gone_is_named(tmp_path: Path) -> None:
    with Spill(tmp_path / "gone") as spill, pytest.raises(ToolkitError, match="gone: No such file"):
        spill.write(np.arange(4))


@given(
    st.lists(st.lists(st.integers(-9, 60), max_size=40), max_size=8),
    st.sampled_from([1, 5, 64, 300]),
)
def test_runs_come_back_in_ascending_ranges(blocks: list[list[int]], most: int) -> None:
    with Spill() as spill:
        runs = SortedRuns(spill, most)
        for block in blocks:
            runs.add(tally_sorted(np.sort(np.array(block, np.int64))))
        listed = [v for block in blocks for v in block]
        assert runs.count == len(listed)
        found = list(runs.ranges())
        assert all(t.values.size for t in found)
        _check_tally(found, listed)
        if listed:
            _check_tally([runs.whole()], listed)


def _check_tally(found: list[Tally], listed: list[int]) -> None:
    values = [v for t in found for v in t.values.tolist()]
    counts = [n for t in found for n in t.wide_counts.tolist()]
    assert dict(zip(values, counts, strict=True)) == Counter(listed)
    assert values == sorted(set(listed))


@pytest.mark.parametrize("kind", ["float", "time", "repeated", "sorted"])
def test_ranges_are_of_a_bounded_size(kind: str) -> None:
    rng = np.random.default_rng(0)
    rows, runs_made = 40_000, 10
    values = {
        "float": rng.lognormal(0, 30, rows),
        "time": 1_700_000_000_000_000 + rng.integers(0, 1 << 20, rows),
        "repeated": np.where(rng.random(rows) < 0.9, 5.0, rng.normal(size=rows)),
        "sorted": np.arange(rows),
    }[kind]
    with Spill() as spill:
        runs = SortedRuns(spill, 4096)
        for block in np.split(values, runs_made):
            runs.add(tally_sorted(np.sort(block)))
        ranges = list(runs.ranges())
        assert sum(map(count_of, ranges)) == rows
        assert max(t.values.size for t in ranges) <= 4096
        assert len(ranges) <= 1 + 4 * rows // 4096
        np.testing.assert_array_equal(np.concatenate([t.values for t in ranges]), np.unique(values))
        assert runs.nbytes <= 8 * (rows // 64 + runs_made)


@given(st.lists(st.lists(st.integers(0, 40), max_size=30), max_size=8), st.sampled_from([1, 4, 1000]))
def test_texts_come_back_part_by_part(blocks: list[list[int]], most: int) -> None:
    listed = [v for block in blocks for v in block]
    hashes = np.random.default_rng(1).integers(0, 2**64 - 1, (41, 2), dtype=np.uint64, endpoint=True)
    with Spill() as spill:
        scattered = Scattered(spill, max(len(listed), 1), most)
        row = 0
        for number, block in enumerate(blocks):
            first, second = hashes[block, 0], hashes[block, 1]
            part = Identities(first, second, np.arange(row, row + len(block)), None)
            row += len(block)
            whole = join_identities([part], ALL_HASHES) if number % 2 else part  # counted ones as well
            scattered.add(whole)
        assert scattered.count == len(listed)
        found: dict[int, tuple[int, int]] = {}
        for keys, parts in scattered.parts():
            joined = join_identities(parts, keys)
            counts = np.ones(joined.rows.size, int) if joined.counts is None else joined.counts
            assert joined.first.size
            assert joined.first.min() >= keys.low
            assert joined.first.max() <= keys.high
            number_of = {int(h): i for i, h in enumerate(hashes[:, 0])}
            for h, r, n in zip(joined.first.tolist(), joined.rows.tolist(), counts.tolist(), strict=True):
                assert number_of[h] not in found
                found[number_of[h]] = (r, n)
    assert found == {v: (listed.index(v), n) for v, n in Counter(listed).items()}


def test_a_text_that_repeats_is_never_held_often() -> None:
    with Spill() as spill:
        scattered = Scattered(spill, 10_000, 100)
        for start in range(0, 10_000, 50):
            same = np.full(50, 7, np.uint64)
            scattered.add(Identities(same, same, np.arange(start, start + 50), None))
        ((_, parts),) = scattered.parts()
        assert sum(p.rows.size for p in parts) <= 150
        joined = join_identities(parts, ALL_HASHES)
        assert joined.counts is not None
        assert (joined.rows.tolist(), joined.counts.tolist()) == ([0], [10_000])
