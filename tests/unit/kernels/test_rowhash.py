from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tests.kernel_cases import sample
from tests.memory_store import memory_dataset
from toolkit.kernels.base import request
from toolkit.kernels.rowhash import hash_rows
from toolkit.kernels.waves import compute


def hashes(columns: dict[str, Any], chunk_rows: int = 1_000, seed: int = 0, **options: Any) -> np.ndarray[Any, Any]:
    dataset = memory_dataset(columns, chunk_rows, **options)
    return np.concatenate([hash_rows(c, list(columns), seed) for c in dataset.chunks()])


def test_equal_rows_have_equal_hashes_and_others_do_not() -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {"a": rng.integers(0, 30, 5_000), "b": rng.integers(0, 30, 5_000), "c": rng.integers(0, 9, 5_000)}
    )
    columns = {
        "a": np.ma.array(frame.a.to_numpy(), mask=frame.a == 7),
        "b": np.where(frame.b == 3, np.nan, frame.b / 4),
        "c": [None if c == 4 else f"text {c}" for c in frame.c],
    }
    for seed in (0, 1):
        found = hashes(columns, seed=seed)
        groups = pd.DataFrame({"a": frame.a, "b": frame.b, "c": frame.c}).groupby(["a", "b", "c"]).ngroup()
        assert pd.Series(found).groupby(groups).nunique().eq(1).all()
        assert np.unique(found).size == groups.nunique()
    assert (hashes(columns) != hashes(columns, seed=1)).all()


def test_storage_makes_no_difference() -> None:
    texts = ["x", "yy", None, "x"] * 5
    coded = hashes({"t": texts}, encodings={"t": "coded"})
    np.testing.assert_array_equal(coded, hashes({"t": texts}, 3, encodings={"t": "long"}))
    whole = np.arange(20)
    np.testing.assert_array_equal(hashes({"n": whole.astype(np.int16)}), hashes({"n": whole.astype(np.float64)}, 7))


def test_swapped_and_shifted_values_differ() -> None:
    rows = {"a": np.array([1, 2, 1, 0]), "b": np.array([2, 1, 1, 0])}
    assert np.unique(hashes(rows)).size == 4
    missing = {"a": np.ma.array([0, 0], mask=[1, 0]), "b": np.ma.array([0, 0], mask=[0, 1])}
    assert np.unique(hashes(missing)).size == 2


def test_prefixes_count_the_rows() -> None:
    dataset = sample(7)
    names = dataset.schema.names
    (found,) = compute(dataset, [request("rowhash", *names)]).values()
    every = np.concatenate([hash_rows(c, names) for c in dataset.chunks()])
    np.testing.assert_array_equal(found["prefixes"], np.bincount((every >> np.uint64(48)).astype(int), minlength=65536))
    assert found["rows"] == dataset.rows


def test_hashes_are_even() -> None:
    prefixes = hashes({"n": np.arange(200_000)}, 200_000) >> np.uint64(56)
    counts = np.bincount(prefixes.astype(int), minlength=256)
    assert 150 < ((counts - 781.25) ** 2 / 781.25).sum() < 380
