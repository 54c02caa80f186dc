from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.memory_store import memory_dataset
from toolkit.core.errors import UsageError
from toolkit.kernels.base import request
from toolkit.kernels.blocks import block_of_rows
from toolkit.kernels.waves import compute

RNG = np.random.default_rng(11)
ROWS = 20_000


def comoments(columns: dict[str, Any], chunk_rows: int = 3_000, **params: Any) -> dict[str, Any]:
    dataset = memory_dataset(columns, chunk_rows)
    (found,) = compute(dataset, [request("comoments", *columns, **params)]).values()
    return found


def gappy(values: Any, share: float) -> np.ma.MaskedArray[Any, Any]:
    return np.ma.array(values, mask=RNG.random(len(values)) < share)


def table() -> dict[str, Any]:
    base = RNG.normal(size=ROWS)
    return {
        "a": base,
        "b": gappy(base * 3 + RNG.normal(size=ROWS), 0.2),
        "c": gappy(np.round(RNG.normal(1e6, 5, ROWS), 2), 0.3),
        "d": RNG.integers(-5, 5, ROWS).astype(np.int16),
        "e": np.where(RNG.random(ROWS) < 0.1, np.nan, base**2),
        "t": (1_700_000_000_000_000 + RNG.integers(0, 10**9, ROWS)).astype("M8[us]"),
    }


def test_equals_scipy_and_pandas_on_common_rows() -> None:
    columns = table()
    found = comoments(columns)
    plain = {k: np.ma.filled(np.ma.array(v, dtype=float), np.nan) for k, v in columns.items() if k != "t"}
    plain["t"] = columns["t"].astype(np.int64) - 1_700_000_000_000_000.0
    frame = pd.DataFrame(plain)
    for i, x in enumerate(columns):
        for j, y in enumerate(columns):
            both = frame[[x, y]].dropna() if x != y else frame[[x]].dropna()
            assert found["n"][i, j] == len(both)
            if x != y:
                np.testing.assert_allclose(found["correlation"][i, j], stats.pearsonr(both[x], both[y])[0], rtol=1e-9)
            if x != "t":
                np.testing.assert_allclose(found["mean"][i, j], both[x].mean(), rtol=1e-12, atol=1e-12)
            np.testing.assert_allclose(found["m2"][i, j], both[x].var(ddof=0) * len(both), rtol=1e-9)
    np.testing.assert_array_equal(found["cross"], found["cross"].T)
    assert (np.diag(found["correlation"]) == 1).all()


def test_blocks_are_those_of_the_rows() -> None:
    columns = table()
    found = comoments(columns, 777)["blocks"]
    where = block_of_rows(0, ROWS, ROWS)
    x, y = columns["a"], columns["b"]
    for block in (0, 17, 63):
        rows = (where == block) & ~np.ma.getmaskarray(y)
        assert found["n"][block, 0, 1] == rows.sum()
        np.testing.assert_allclose(
            found["correlation"][block, 1, 0], np.corrcoef(x[rows], y.data[rows])[0, 1], rtol=1e-10
        )


def test_complete_rows() -> None:
    columns = table()
    found = comoments(columns, rows="complete")
    frame = pd.DataFrame({k: np.ma.filled(np.ma.array(v, dtype=float), np.nan) for k, v in columns.items() if k != "t"})
    complete = frame.dropna()
    assert (found["n"] == len(complete)).all()
    np.testing.assert_allclose(found["correlation"][:5, :5], complete.corr(), rtol=1e-9, atol=1e-10)


def test_listed_pairs_alone() -> None:
    columns = table()
    found, every = comoments(columns, pairs=[["d", "a"], ["a", "e"], ["b", "c"]]), comoments(columns)
    asked = {(0, 3), (0, 4), (1, 2)}
    for i in range(6):
        for j in range(6):
            if i == j or (min(i, j), max(i, j)) in asked:
                assert found["correlation"][i, j] == every["correlation"][i, j]
                assert found["n"][i, j] == every["n"][i, j]
            else:
                assert found["n"][i, j] == 0
                assert np.isnan(found["cross"][i, j])
    with pytest.raises(UsageError, match="name 'x', which is none of its columns"):
        comoments(columns, pairs=[["a", "x"]])


def exact_correlation(x: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> float:
    """By rational arithmetic on the stored numbers."""
    xs, ys = ([Fraction(v) for v in values.tolist()] for values in (x, y))
    mx, my = sum(xs) / len(xs), sum(ys) / len(ys)
    sxy = sum((a - mx) * (b - my) for a, b in zip(xs, ys, strict=True))
    sxx, syy = sum((a - mx) ** 2 for a in xs), sum((b - my) ** 2 for b in ys)
    return float(sxy) / float(sxx) ** 0.5 / float(syy) ** 0.5


@pytest.mark.parametrize("chunk_rows", [1, 13, 400])
@pytest.mark.parametrize("offset", [0.0, 1e12, -1e15])
def test_large_means_cost_no_digits(offset: float, chunk_rows: int) -> None:
    x = offset + RNG.integers(0, 100, 400).astype(float)
    y = (x - offset) * 2 + RNG.integers(0, 100, 400)
    found = comoments({"x": x, "y": y}, chunk_rows)
    np.testing.assert_allclose(found["correlation"][0, 1], exact_correlation(x, y), rtol=1e-13)


def test_integers_beyond_doubles() -> None:
    x = 2**62 + RNG.integers(0, 50, 300)
    y = (x - 2**62) ** 2
    found = comoments({"x": x, "y": y}, 70)
    np.testing.assert_allclose(found["correlation"][0, 1], exact_correlation(x, y), rtol=1e-12)


def test_common_rows_far_from_the_mean() -> None:
    """y is present only where x is near 1e9: sums about the mean of all x would lose all digits."""
    near = RNG.random(2_000) < 0.5
    x = np.where(near, 1e9 + np.round(RNG.normal(size=2_000), 3), 0.0)
    y = np.ma.array(np.where(near, x - 1e9 + RNG.normal(size=2_000), 0.0), mask=~near)
    found = comoments({"x": x, "y": y}, 500)
    np.testing.assert_allclose(found["correlation"][0, 1], exact_correlation(x[near], y.data[near]), rtol=1e-12)


@pytest.mark.parametrize("size", [1e300, 1.7e308, 1e-200, 5e-324 * 2**20])
def test_very_large_and_very_small_values(size: float) -> None:
    x, y = RNG.uniform(-1, 1, 500), RNG.uniform(-1, 1, 500)
    y += x
    found = comoments({"x": x * size, "y": y}, 60)
    np.testing.assert_allclose(
        found["correlation"][0, 1], np.corrcoef(x, y)[0, 1], rtol=1e-4 if size < 1e-300 else 1e-11
    )


def test_constants_have_no_correlation() -> None:
    columns = {"x": np.full(1_000, 0.1), "y": RNG.normal(size=1_000), "z": gappy(np.full(1_000, 7), 0.5)}
    found = comoments(columns, 130)
    assert np.isnan(found["correlation"][0]).all()
    assert np.isnan(found["correlation"][2]).all()
    assert found["m2"][0].tolist() == [0.0, 0.0, 0.0]
    np.testing.assert_allclose(found["m2"][1, 0], columns["y"].var() * 1_000)


def test_one_changed_value_in_the_last_row_changes_the_last_block() -> None:
    columns = table()
    changed = {**columns, "a": columns["a"].copy()}
    changed["a"][-1] += 0.5
    first, second = (comoments(c)["blocks"]["m2"][:, 0, 0] for c in (columns, changed))
    assert np.flatnonzero(first != second).tolist() == [63]


@pytest.mark.parametrize("chunk_rows", [700, 10_000])
def test_ranks_give_spearman(chunk_rows: int) -> None:
    few = RNG.integers(0, 200, 5_000)
    columns = {
        "few": few,
        "tied": np.ma.array(np.round(few / 20 + RNG.normal(size=5_000)), mask=np.arange(5_000) % 7 == 0),
        "many": np.exp(few / 100 + RNG.normal(size=5_000)),
    }
    result = comoments(columns, chunk_rows, scores="ranks")
    found = result["correlation"]
    assert found[0, 2] == pytest.approx(stats.spearmanr(few, columns["many"]).statistic, abs=2e-5)
    frame = pd.DataFrame({k: np.ma.filled(np.ma.array(v, dtype=float), np.nan) for k, v in columns.items()})
    spearman = frame.corr("spearman")
    assert found[0, 1] == pytest.approx(spearman.loc["few", "tied"], abs=1e-12)
    assert abs(found[1, 2] - spearman.loc["tied", "many"]) <= result["error"][1, 2] < 2e-3
    assert result["error"][0, 1] == 0
    assert result["n"][0, 1] == result["blocks"]["n"][:, 0, 1].sum() == frame[["few", "tied"]].dropna().shape[0]


@pytest.mark.parametrize("chunk_rows", [300, 10_000])
def test_ranks_are_those_of_the_rows_that_two_columns_share(chunk_rows: int) -> None:
    """y is present where x is large, so that ranks among all x would be those of another column."""
    x = np.sort(RNG.integers(0, 500, 6_000))
    y = np.ma.array((x * 7 % 90) + RNG.integers(0, 60, 6_000), mask=x < 300 + RNG.integers(-40, 40, 6_000))
    z = np.where(np.arange(6_000) % 3 == 0, np.nan, np.round(RNG.normal(size=6_000) + x / 200, 1))
    y[5_000:5_600] = np.ma.masked
    found = comoments({"x": x, "y": y, "z": z}, chunk_rows, scores="ranks")
    frame = pd.DataFrame({"x": x, "y": np.ma.filled(y.astype(float), np.nan), "z": z})
    np.testing.assert_allclose(found["correlation"], frame.corr("spearman"), rtol=1e-11)
    shared = frame.dropna(subset=["x", "y"]).rank()
    block = shared[(shared.index >= 60 * 6_000 // 64) & (shared.index < 61 * 6_000 // 64)]
    assert found["blocks"]["correlation"][60, 0, 1] == pytest.approx(block["x"].corr(block["y"]), rel=1e-10)
    assert found["mean"][0, 1] == pytest.approx((len(shared) + 1) / 2, rel=1e-14)


def test_the_error_of_ranges_has_a_bound() -> None:
    """Ranges are worst for values that alternate within them."""
    n = 50_000
    rank = np.arange(n)
    columns = {"x": rank.astype(float), "y": (rank // 50 * 50 + (49 - rank % 50)).astype(float)}
    found = comoments(columns, scores="ranks")
    true = stats.spearmanr(columns["x"], columns["y"]).statistic
    assert 0 < abs(found["correlation"][0, 1] - true) <= found["error"][0, 1] < 2.1e-3


def test_ranks_go_with_common_rows_of_pairs() -> None:
    with pytest.raises(UsageError, match="ranks with rows: pairwise only"):
        comoments({"a": RNG.normal(size=50), "b": RNG.normal(size=50)}, scores="ranks", rows="complete")
