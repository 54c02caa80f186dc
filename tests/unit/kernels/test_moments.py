"""Moments against exact rational arithmetic, NumPy and SciPy."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from tests.memory_store import memory_dataset
from toolkit.kernels.base import request
from toolkit.kernels.blocks import BLOCKS, block_bounds
from toolkit.kernels.waves import compute

CHUNKINGS = (1, 7, 100, 262_144)


def moments(values: Any, chunk_rows: int = 262_144) -> dict[str, Any]:
    wanted = request("moments", "x")
    return compute(memory_dataset({"x": values}, chunk_rows), [wanted])[wanted.key]


def exact(values: Sequence[Any]) -> dict[str, float | None]:
    """The statistics of the stored numbers, without any rounding before the last step."""
    numbers = [Fraction(v) for v in values]
    n = len(numbers)
    mean = sum(numbers) / n
    m2, m3, m4 = (sum((x - mean) ** k for x in numbers) for k in (2, 3, 4))
    return {
        "mean": float(mean),
        "sum": _double(sum(numbers)),
        "std": _root(m2 / (n - 1)) if n > 1 else None,
        "skewness": _root(n * m3 * m3 / m2**3) * (1 if m3 > 0 else -1) if m2 else None,
        "kurtosis": float(n * m4 / m2**2 - 3) if m2 else None,
    }


def _double(value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _root(value: Fraction) -> float:
    """A square root to double precision, of fractions of any size."""
    if value == 0:
        return 0.0
    shift = 2 * ((value.numerator.bit_length() - value.denominator.bit_length()) // 2) - 128
    scaled = value / Fraction(2) ** shift
    return float(Fraction(math.isqrt(int(scaled))) * Fraction(2) ** (shift // 2))


def num_acc_4() -> list[float]:
    """The fourth numerical-accuracy set of NIST, from its definition."""
    return [10000000.2] + [10000000.1, 10000000.3] * 500


@pytest.mark.parametrize("chunk_rows", CHUNKINGS)
@pytest.mark.parametrize(
    "values",
    [
        [10000001, 10000003, 10000002],  # NumAcc1
        [1.2] + [1.1, 1.3] * 500,  # NumAcc2
        [1000000.2] + [1000000.1, 1000000.3] * 500,  # NumAcc3
        num_acc_4(),
    ],
    ids=["NumAcc1", "NumAcc2", "NumAcc3", "NumAcc4"],
)
def test_as_many_digits_as_the_doubles_hold(values: list[float], chunk_rows: int) -> None:
    found, true = moments(np.array(values, float), chunk_rows), exact([float(v) for v in values])
    assert found["mean"] == true["mean"]
    assert found["std"] == pytest.approx(true["std"], rel=4e-16)


@pytest.mark.parametrize("chunk_rows", CHUNKINGS)
def test_one_far_value_costs_no_digits(chunk_rows: int) -> None:
    # With the first value as a pivot, all others would lose ten digits when it is subtracted.
    values = np.concatenate([[1e10], np.random.default_rng(1).normal(size=999)])
    found, true = moments(values, chunk_rows), exact(values)
    assert found["mean"] == pytest.approx(true["mean"], rel=2e-16)
    assert found["std"] == pytest.approx(true["std"], rel=1e-15)


@pytest.mark.parametrize("chunk_rows", CHUNKINGS)
@pytest.mark.parametrize("base", [0, 2**53 + 1, 2**62, -(2**63)])
def test_large_integers_lose_nothing(base: int, chunk_rows: int) -> None:
    numbers = [base + i for i in np.random.default_rng(2).integers(0, 1000, 300).tolist()]
    found, true = moments(np.array(numbers, np.int64), chunk_rows), exact(numbers)
    assert found["sum"] == sum(numbers)
    assert found["mean"] == true["mean"]
    for name in ("std", "skewness", "kurtosis"):
        assert found[name] == pytest.approx(true[name], rel=1e-13)


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
def test_integers_over_their_whole_range(dtype: Any) -> None:
    limits = np.iinfo(dtype)
    rng = np.random.default_rng(3)
    numbers = [int(limits.min), int(limits.max), *rng.integers(limits.min, limits.max, 500, dtype=dtype).tolist()]
    found, true = moments(np.array(numbers, dtype), 100), exact(numbers)
    assert found["sum"] == sum(numbers)
    for name in ("mean", "std", "kurtosis"):
        assert found[name] == pytest.approx(true[name], rel=1e-13)
    assert found["skewness"] == pytest.approx(true["skewness"], abs=1e-13)


# The mean of denormal numbers is rounded to one, which is coarse beside their spread.
@pytest.mark.parametrize(
    ("scale", "digits"), [(1e-320, 1e-3), (1e-300, 1e-11), (1e-160, 1e-11), (1e160, 1e-11), (1e307, 1e-11)]
)
def test_extraordinary_sizes_keep_their_shape(scale: float, digits: float) -> None:
    values = np.random.default_rng(4).gamma(2, size=500) * scale
    found, true = moments(values, 60), exact(values)
    for name in ("mean", "std", "skewness", "kurtosis"):
        assert found[name] == pytest.approx(true[name], rel=digits), name


def test_values_too_far_apart_for_a_double() -> None:
    values = np.array([1.7e308, -1.7e308, 1.7e308, 1.6e308] * 50)
    found, true = moments(values, 60), exact(values)
    for name in ("mean", "skewness", "kurtosis"):
        assert found[name] == pytest.approx(true[name], rel=1e-12), name
    assert found["std"] == pytest.approx(true["std"], rel=1e-12)
    assert found["variance"] == math.inf


@pytest.mark.parametrize("dtype", ["f8", "f4", "i1", "u1", "i2", "i4", "u4", "i8", "u8", "?"])
def test_every_dtype(dtype: str) -> None:
    low, high = (-20, 80) if np.dtype(dtype).kind in "if" else (0, 2 if dtype == "?" else 100)
    values = np.random.default_rng(5).integers(low, high, 5000).astype(dtype)
    found, wide = moments(values, 999), values.astype(float)
    assert found["count"] == 5000
    assert found["mean"] == pytest.approx(wide.mean(), rel=1e-15)
    assert found["std"] == pytest.approx(wide.std(ddof=1), rel=1e-14)
    assert found["variance"] == pytest.approx(wide.var(ddof=1), rel=1e-14)
    assert found["skewness"] == pytest.approx(scipy.stats.skew(wide), rel=1e-10, abs=1e-12)
    assert found["kurtosis"] == pytest.approx(scipy.stats.kurtosis(wide), rel=1e-12)
    assert found["zeros"] == int((values == 0).sum())
    assert found["negatives"] == int((wide < 0).sum())
    assert found["integral"] is True
    assert found["sum"] == wide.sum()


def test_a_centre_that_is_no_double_is_made_good() -> None:
    # Doubles are 2 apart here: the centre is off by up to a thousandth of the spread, the third moment by three.
    for seed in range(8):
        values = 2.0**53 + 2 * np.round(np.random.default_rng(seed).gamma(2, 1500, 400))
        found, true = moments(values), exact(values)
        for name in ("std", "skewness", "kurtosis"):
            assert found[name] == pytest.approx(true[name], rel=1e-11), name


def test_times_are_taken_as_counts_of_their_unit() -> None:
    days = np.array(["2020-01-01", "2020-01-03", "NaT"], "M8[D]")
    found = moments(days)
    assert (found["count"], found["mean"]) == (2, days[:2].view(np.int64).mean())


@pytest.mark.filterwarnings("error")
def test_what_is_not_finite_is_counted_apart() -> None:
    values = np.array([1.0, math.nan, math.inf, -math.inf, 3.0, math.inf])
    for chunk_rows in (1, 2, 100):
        found = moments(values, chunk_rows)
        assert (found["nan"], found["positive_infinity"], found["negative_infinity"]) == (1, 2, 1)
        assert (found["count"], found["mean"], found["sum"]) == (2, 2.0, 4.0)
        assert found["integral"] is True


@pytest.mark.parametrize("chunk_rows", [1, 3, 1000])
@pytest.mark.parametrize("value", [0.1, -0.0, 5e-324, 1e308, 1 / 3])
def test_constant_columns_have_no_spread(value: float, chunk_rows: int) -> None:
    found = moments(np.full(301, value), chunk_rows)
    assert found["mean"] == value
    assert math.copysign(1, found["mean"]) == (1 if value == 0 else math.copysign(1, value))
    assert (found["std"], found["m2"], found["m3"], found["m4"]) == (0.0, 0.0, 0.0, 0.0)
    assert (found["skewness"], found["kurtosis"]) == (None, None)


def test_nothing_and_one_value() -> None:
    nothing = moments(np.ma.array([1.0, 2.0], mask=True))
    assert (nothing["count"], nothing["mean"], nothing["std"], nothing["integral"]) == (0, None, None, False)
    one = moments(np.array([2.5]))
    assert (one["count"], one["mean"], one["std"], one["m2"]) == (1, 2.5, None, 0.0)


def test_what_stands_behind_missing_does_not_matter() -> None:
    mask = [False, True, False, True]
    found = [moments(np.ma.array([1.0, g, 3.0, -g], mask=mask)) for g in (0.0, math.nan, 1e308)]
    for other in found[1:]:
        other.pop("blocks")
    found[0].pop("blocks")
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize(("values", "integral"), [([1.0, 2.0], True), ([1.0, 2.5], False), ([1e300, -0.0], True)])
def test_integral(values: list[float], integral: bool) -> None:
    assert moments(np.array(values * 100), 30)["integral"] is integral


def test_blocks_are_runs_of_rows_of_the_table() -> None:
    values = np.random.default_rng(6).normal(size=1000)
    bounds = block_bounds(1000)
    assert bounds.tolist() == [i * 1000 // 64 for i in range(65)]
    for chunk_rows in (1, 37, 1000):
        blocks = moments(values, chunk_rows)["blocks"]
        assert blocks["n"].tolist() == np.diff(bounds).tolist()
        runs = [values[a:b] for a, b in itertools.pairwise(bounds)]
        np.testing.assert_allclose(blocks["mean"], [r.mean() for r in runs], rtol=1e-13)
        np.testing.assert_allclose(blocks["m2"], [((r - r.mean()) ** 2).sum() for r in runs], rtol=1e-12)
        np.testing.assert_allclose(blocks["m4"], [((r - r.mean()) ** 4).sum() for r in runs], rtol=1e-12)


def test_fewer_rows_than_blocks() -> None:
    blocks = moments(np.array([1.0, 2.0, 4.0]))["blocks"]
    assert blocks["n"].sum() == 3
    assert blocks["n"].shape == (BLOCKS,)


@given(
    st.lists(
        st.floats(-1e6, 1e6) | st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1, max_size=80
    ),
    st.sampled_from([1, 2, 5, 100]),
)
def test_mean_and_spread_of_any_numbers(values: list[float], chunk_rows: int) -> None:
    found, true = moments(np.array(values, float), chunk_rows), exact(values)
    size = max(abs(v) for v in values)
    assert found["mean"] == pytest.approx(true["mean"], abs=1e-15 * size, rel=1e-14)
    if len(values) > 1:
        assert found["std"] == pytest.approx(true["std"], rel=1e-12, abs=1e-300)
