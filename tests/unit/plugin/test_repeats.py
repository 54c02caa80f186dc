"""Repeating rows against brute force: any data, any split, any hash, any room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.memory_store import memory_dataset
from toolkit.core.encoding import encode
from toolkit.plugin import Budget, Context, Inputs, Result, State
from toolkit.plugin.repeats import (
    Repeats,
    RepeatScan,
    add_hashes,
    add_rows,
    equal_rows,
    hit_again,
    join_filters,
    join_gathered,
    new_filter,
    nothing_gathered,
    scan,
)
from toolkit.task.plugin_task import reduce_whole

Found = tuple[list[int], list[int]]


class Scan(RepeatScan):
    """Hands out what it found over all columns."""

    def column_sets(self) -> list[list[str]]:
        return [self.ctx.columns()]

    def finish(self, state: State, ctx: Context) -> Result:
        self.repeats: Repeats = self.found(0, state)
        return Result()


def found_by(scan_class: type[Scan], columns: dict[str, Any], chunk_rows: int, **options: Any) -> Repeats:
    dataset = memory_dataset(columns, chunk_rows, **options)
    reducer = scan_class()
    reducer.ctx = Context(dataset, Inputs("analysis_test", budget=Budget()))
    reduce_whole(reducer)
    return reducer.repeats


def listed(found: Repeats) -> Found:
    return found.rows.tolist(), found.firsts.tolist()


def brute(rows: Sequence[Any]) -> Found:
    """By a dict of whole rows."""
    first: dict[Any, int] = {}
    repeats = [(i, first.setdefault(row, i)) for i, row in enumerate(rows)]
    return [i for i, f in repeats if f < i], [f for i, f in repeats if f < i]


TEXTS = ["", "a", "b", "ab", "a" * 40, "a" * 39 + "b", "blå", "x" * 300, "x" * 299 + "y", None]
NUMBERS = [0.0, -0.0, 1.0, float("nan"), float("inf"), -float("inf"), 2.0**53, 5e-324, None]


def image(value: Any) -> Any:
    """Equal for values that count as equal."""
    if isinstance(value, float):
        return "NaN" if np.isnan(value) else value + 0.0
    return value


ROW = st.tuples(st.sampled_from(NUMBERS), st.sampled_from(TEXTS), st.sampled_from([1, 2, 2**53 + 1, 2**53, None]))


def columns_of(rows: Sequence[tuple[Any, Any, Any]]) -> dict[str, Any]:
    numbers, texts, whole = zip(*rows, strict=True)
    return {
        "real": np.ma.array([0.5 if v is None else v for v in numbers], mask=[v is None for v in numbers]),
        "note": list(texts),
        "whole": np.ma.array([9 if v is None else v for v in whole], np.int64, mask=[v is None for v in whole]),
    }


@given(rows=st.lists(ROW, min_size=1, max_size=60), chunk_rows=st.sampled_from([1, 7, 1000]), coded=st.booleans())
def test_any_rows(rows: list[tuple[Any, Any, Any]], chunk_rows: int, coded: bool) -> None:
    encodings = {"note": "coded" if coded else "long"}
    found = found_by(Scan, columns_of(rows), chunk_rows, encodings=encodings)
    expected = brute([tuple(map(image, row)) for row in rows])
    assert listed(found) == expected
    assert found.count == len(expected[0])
    assert found.groups == len(set(expected[1]))


def many_rows(rows: int, seed: int = 1) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {
        "n": rng.integers(0, 40, rows),
        "x": rng.integers(0, 30, rows) / 7,
        "t": [f"text {'z' * (k % 50)}" for k in rng.integers(0, 90, rows).tolist()],
    }


def rows_of(columns: dict[str, Any]) -> list[tuple[Any, ...]]:
    return list(zip(*(c.tolist() if isinstance(c, np.ndarray) else c for c in columns.values()), strict=True))


@pytest.mark.parametrize("bits", [8, 0])
def test_a_poor_hash_makes_no_false_duplicate(bits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a hash of 8 bits, or of none, nearly every row collides with others, and the result is the same."""
    columns = many_rows(3_000 if bits else 300)
    real = scan.nested_row_hashes

    def poor(chunk: Any, groups: Any) -> list[Any]:
        return [h >> np.uint64(64 - bits) if bits else h * np.uint64(0) for h in real(chunk, groups)]

    monkeypatch.setattr(scan, "nested_row_hashes", poor)
    found = found_by(Scan, columns, 500)
    assert listed(found) == brute(rows_of(columns))


@pytest.mark.parametrize("most", [1, 3, 50, 1000])
@pytest.mark.parametrize("poor_bits", [64, 3])
def test_little_room_takes_more_readings(most: int, poor_bits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where groups of equal hashes are cut, also within one: counts stay exact, rows are listed as far as they fit."""
    columns = many_rows(60)
    columns |= {"n": columns["n"] % 3, "x": columns["x"] * 0, "t": ["same"] * 60}
    real = scan.nested_row_hashes
    monkeypatch.setattr(scan, "nested_row_hashes", lambda c, g: [h >> np.uint64(64 - poor_bits) for h in real(c, g)])

    class Small(Scan):
        pass

    Small.most = most
    found, (rows, firsts) = found_by(Small, columns, 7), brute(rows_of(columns))
    assert found.count == len(rows)
    assert found.groups == len(set(firsts))
    assert listed(found) == (rows[:most], firsts[:most])
    counts = {f: firsts.count(f) for f in firsts}
    assert found.top == counts
    assert (found.readings > 0) == (most < 60)


@given(st.lists(st.integers(0, 2**64 - 1), max_size=50), st.integers(0, 50), st.integers(1, 20))
def test_filters_and_gathered_rows_don_t_depend_on_the_grouping(values: list[int], split: int, most: int) -> None:
    hashes, rows = np.array(values, np.uint64) >> np.uint64(60) << np.uint64(60), np.arange(len(values))
    parts, whole = [new_filter(10), new_filter(10)], new_filter(10)
    gathered = [nothing_gathered(), nothing_gathered()]
    for i, side in enumerate((slice(0, split), slice(split, None))):
        add_hashes(parts[i], hashes[side].copy())
        for h, r in zip(hashes[side], rows[side], strict=True):
            gathered[i] = add_rows(gathered[i], np.array([h]), np.array([r]), most)
    add_hashes(whole, hashes)
    assert encode(join_filters(*parts)) == encode(whole) == encode(join_filters(*parts[::-1]))
    at_once = add_rows(nothing_gathered(), hashes, rows, most)
    assert encode(join_gathered(*gathered, most)) == encode(at_once) == encode(join_gathered(*gathered[::-1], most))
    twice = [values.count(v) > 1 for v in values]
    assert all(hit_again(whole, hashes)[np.array(twice, bool)])


def test_text_is_compared_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toolkit.plugin.repeats.compare._BYTES", 64)
    rng = np.random.default_rng(2)
    texts: list[str | None] = ["".join("ab"[b] for b in rng.integers(0, 2, n)) for n in rng.integers(0, 4, 300)]
    texts[7] = texts[250] = None
    texts[20] = texts[30] = "long" * 50
    dataset = memory_dataset({"t": texts}, 23, encodings={"t": "long"})
    ctx = Context(dataset, Inputs("analysis_test"))
    left, right = rng.integers(0, 300, 2_000), rng.integers(0, 300, 2_000)
    left[:3], right[:3] = (7, 20, 7), (250, 30, 8)
    expected = [texts[a] == texts[b] for a, b in zip(left.tolist(), right.tolist(), strict=True)]
    assert equal_rows(ctx, ["t"], left, right).tolist() == expected
