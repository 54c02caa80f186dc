"""Order-preserving keys, and the cutting of ranges."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.kernels.keys import KeyRange, cut, from_keys, full_range, to_keys

DTYPES = ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"]


def awkward(dtype: str) -> np.ndarray[Any, Any]:
    kind = np.dtype(dtype)
    if kind.kind == "f":
        limits = np.finfo(kind)
        positive = [limits.smallest_subnormal, limits.tiny, 1.0, 1.0 + limits.eps, limits.max, math.inf]
        return np.array([-v for v in reversed(positive)] + [0.0, *positive], kind)
    limits = np.iinfo(kind)
    inner = {0, 1, 2, limits.max - 1, limits.min + 1, limits.max // 2}
    return np.array(sorted({limits.min, limits.max, *inner} - {v for v in inner if v < limits.min}), kind)


@pytest.mark.parametrize("dtype", DTYPES)
def test_keys_ascend_with_the_values_and_lead_back(dtype: str) -> None:
    values = awkward(dtype)
    keys = to_keys(values)
    assert keys.dtype == np.dtype(f"u{np.dtype(dtype).itemsize}")
    assert (keys[1:] > keys[:-1]).all()
    back = from_keys(keys, np.dtype(dtype))
    assert back.dtype == np.dtype(dtype)
    assert back.tobytes() == values.tobytes()


@given(st.lists(st.floats(allow_nan=False).map(lambda v: v + 0.0), min_size=1))
def test_keys_of_any_doubles(values: list[float]) -> None:
    array = np.array(values)
    np.testing.assert_array_equal(from_keys(np.sort(to_keys(array)), array.dtype), np.sort(array))


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_a_range_has_at_most_65536_buckets(a: int, b: int) -> None:
    keys = KeyRange(min(a, b), max(a, b))
    assert 1 <= keys.buckets <= 1 << 16
    ends = np.array([keys.low, keys.high], np.uint64)
    assert keys.bucket_of(ends).tolist() == [0, keys.buckets - 1]
    assert keys.histogram(ends).sum() == 2
    assert keys.bucket_keys(np.array([0]), np.dtype("u8"))[0] == keys.low


def test_a_part_of_a_range_is_finer_than_its_bucket() -> None:
    keys = full_range(np.dtype("f8"))
    shifts = []
    while keys.shift:
        shifts.append(keys.shift)
        (part,) = cut(keys, np.array([0, 9]), 1)
        keys = part.keys
    assert shifts == [48, 32, 16]


@given(st.lists(st.integers(0, 9), min_size=1, max_size=60), st.integers(1, 20))
def test_parts_hold_everything_once_and_fit(histogram: list[int], cap: int) -> None:
    keys = KeyRange(100, 100 + len(histogram) - 1)
    counts = np.array(histogram)
    parts = cut(keys, counts, cap)
    assert sum(p.count for p in parts) == sum(histogram)
    assert [p.before for p in parts] == [sum(q.count for q in parts[:i]) for i in range(len(parts))]
    for part in parts:
        low, high = part.keys.low - 100, part.keys.high - 100
        assert counts[low : high + 1].sum() == part.count
        assert counts[low]
        assert counts[high]
        assert part.count <= cap or low == high
    for left, right in itertools.pairwise(parts):
        assert left.keys.high < right.keys.low
        assert left.count + counts[right.keys.low - 100] > cap  # no part could have gone on
