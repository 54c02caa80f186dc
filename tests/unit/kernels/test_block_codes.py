from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.memory_store import memory_dataset
from toolkit.kernels.base import request
from toolkit.kernels.blocks import block_bounds, block_of_rows
from toolkit.kernels.waves import compute

RNG = np.random.default_rng(8)


def table(values: Any, chunk_rows: int, **params: Any) -> dict[str, Any]:
    (found,) = compute(memory_dataset({"x": values}, chunk_rows), [request("block_codes", "x", **params)]).values()
    return found


@pytest.mark.parametrize("chunk_rows", [1, 999, 20_000])
def test_counts_each_row_in_its_block(chunk_rows: int) -> None:
    rows = 400 if chunk_rows == 1 else 12_345
    values = np.ma.array(RNG.normal(size=rows), mask=RNG.random(rows) < 0.1)
    found = table(values, chunk_rows, levels=32)
    codes = np.where(
        np.ma.getmaskarray(values), found["levels"]["levels"], np.searchsorted(found["levels"]["cuts"], values.data)
    )
    expected = np.zeros(found["table"].shape, np.int64)
    np.add.at(expected, (block_of_rows(0, rows, rows), codes), 1)
    np.testing.assert_array_equal(found["table"], expected)
    np.testing.assert_array_equal(found["table"].sum(axis=1), np.diff(block_bounds(rows)))


def test_largest_distance_of_two_halves_falls_short_by_a_level_at_most() -> None:
    values = np.concatenate([RNG.normal(size=32_000), RNG.normal(0.3, 1.5, 32_000)])
    found = table(values, 10_000)["table"][:, :-1]
    first, second = found[:32].sum(axis=0), found[32:].sum(axis=0)
    distance = np.abs(np.cumsum(first) / first.sum() - np.cumsum(second) / second.sum()).max()
    exact = stats.ks_2samp(values[:32_000], values[32_000:]).statistic
    assert exact - 2 * 2 / 1024 <= distance <= exact + 1e-12


def test_categories_and_one_changed_value_in_the_last_row() -> None:
    words = ["red", "green", None, "blue"] * 64
    found, changed = table(words, 10)["table"], table([*words[:-1], "red"], 10)["table"]
    assert found.sum(axis=0).tolist() == [64, 64, 64, 64]
    assert np.argwhere(found != changed).tolist() == [[63, 0], [63, 2]]
