"""Order-preserving keys."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.kernels.keys import from_keys, to_keys

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
