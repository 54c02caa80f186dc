from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from tests.memory_store import memory_dataset
from toolkit.kernels.base import request
from toolkit.kernels.blocks import block_of_rows
from toolkit.kernels.waves import compute

RNG = np.random.default_rng(6)
ROWS = 4_321
ABSENT = {
    "a": RNG.random(ROWS) < 0.3,
    "b": np.arange(ROWS) % 11 == 0,
    "c": np.zeros(ROWS, bool),
    "d": (np.arange(ROWS) > 2_000) & (np.arange(ROWS) < 2_500),
    "e": RNG.random(ROWS) < 0.01,
}


def table() -> dict[str, Any]:
    a = np.ma.array(RNG.normal(size=ROWS), mask=ABSENT["a"] & (RNG.random(ROWS) < 0.5))
    a[ABSENT["a"] & ~np.ma.getmaskarray(a)] = np.nan  # some are NaN and not masked
    return {
        "a": a,
        "b": np.ma.array(RNG.integers(0, 9, ROWS), mask=ABSENT["b"]),
        "c": ["x", "y", "z"] * (ROWS // 3) + ["x"] * (ROWS % 3),
        "d": [None if gone else f"text {i}" for i, gone in enumerate(ABSENT["d"])],
        "e": [None if gone else "k" for gone in ABSENT["e"]],
    }


TABLE = table()


def patterns(columns: dict[str, Any], chunk_rows: int = 500, **params: Any) -> dict[str, Any]:
    dataset = memory_dataset(columns, chunk_rows)
    (found,) = compute(dataset, [request("missing_patterns", *columns, **params)]).values()
    return found


@pytest.mark.parametrize("chunk_rows", [64, 500, 10_000])
def test_equals_a_count_row_by_row(chunk_rows: int) -> None:
    found = patterns(TABLE, chunk_rows)
    matrix = np.stack(list(ABSENT.values())).astype(np.int64)
    np.testing.assert_array_equal(found["together"], matrix @ matrix.T)
    assert found["missing"].tolist() == matrix.sum(axis=1).tolist()
    where = block_of_rows(0, ROWS, ROWS)
    np.testing.assert_array_equal(found["blocks"], [np.bincount(where, m, 64).astype(int) for m in matrix])
    each = [matrix[:, at : at + chunk_rows].sum(axis=1).tolist() for at in range(0, ROWS, chunk_rows)]
    assert found["chunks_by_chunk"].tolist() == each
    expected = Counter(tuple(n for n, m in zip(ABSENT, column, strict=True) if m) for column in matrix.T)
    assert {tuple(names): count for names, count in found["patterns"]} == expected
    counts = [count for _, count in found["patterns"]]
    assert counts == sorted(counts, reverse=True)


def test_more_columns_than_bits_of_a_word() -> None:
    absent = RNG.random((70, 300)) < 0.02
    columns = {f"c{i:02}": np.ma.array(np.ones(300), mask=m) for i, m in enumerate(absent)}
    found = patterns(columns, 70)
    expected = Counter(tuple(f"c{i:02}" for i in np.flatnonzero(column)) for column in absent.T)
    assert {tuple(names): count for names, count in found["patterns"]} == expected


def test_too_many_patterns_are_given_up_and_nothing_else() -> None:
    found = patterns(TABLE, max_patterns=3)
    assert found["patterns"] is None
    np.testing.assert_array_equal(found["together"], patterns(TABLE)["together"])


def test_one_value_gone_in_the_last_row() -> None:
    columns = {**TABLE, "e": [*TABLE["e"][:-1], None]}
    before, after = patterns(TABLE), patterns(columns)
    assert (after["missing"] - before["missing"]).tolist() == [0, 0, 0, 0, 1]
    assert after["blocks"][4, 63] == before["blocks"][4, 63] + 1
