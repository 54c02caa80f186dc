from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.memory_store import memory_dataset
from toolkit.core.errors import UsageError
from toolkit.kernels.base import request
from toolkit.kernels.digits import decimal_digits
from toolkit.kernels.waves import compute


def plain(value: Any) -> tuple[int, int, int]:
    """The same from the text that Python or NumPy writes for a value."""
    text = Decimal(repr(value.item()) if isinstance(value, np.float64) else str(value))
    sign_free = abs(text).normalize()
    digits = "".join(map(str, sign_free.as_tuple().digits))
    exponent = int(sign_free.as_tuple().exponent)
    first = int((digits + "0")[:2])
    whole = int(digits) * 10 ** max(exponent, 0)
    short = exponent >= -6 and len(str(whole)) <= 15
    return first, max(-exponent, 0) if short else -1, whole % 100


@given(st.lists(st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.decimals(-10**9, 10**9, places=2).map(float),
    st.integers(-(2**53), 2**53).map(float),
    st.sampled_from([0.3, 1e15, 999999999999999.0, 1e22, 5e-324, 1.7e308, 9.999999999999999e22, 0.1 + 0.2, 1e-6]),
), min_size=1, max_size=50))  # fmt: skip
def test_floats_equal_their_shortest_text(values: list[float]) -> None:
    array = np.array([v for v in values if v != 0])
    first, decimals, last = decimal_digits(array)
    for i, value in enumerate(array):
        expected = plain(value)
        assert (first[i], decimals[i]) == expected[:2], value
        if decimals[i] >= 0:
            assert last[i] == expected[2], value


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=50))
def test_integers_equal_their_text(values: list[int]) -> None:
    array = np.array([v for v in values if v != 0], np.int64)
    first, _, last = decimal_digits(array)
    assert first.tolist() == [int((str(abs(v)) + "0")[:2]) for v in array.tolist()]
    assert last.tolist() == [abs(v) % 100 for v in array.tolist()]


def digits(columns: dict[str, Any], chunk_rows: int = 1_000, **params: Any) -> dict[str, Any]:
    (found,) = compute(memory_dataset(columns, chunk_rows), [request("digits", *columns, **params)]).values()
    return found


def test_amounts_by_group() -> None:
    rng = np.random.default_rng(3)
    cents = rng.integers(1, 10**6, 8_000)
    cents[:500] = 4999
    group = [("a", "b", None)[i % 3] for i in range(cents.size)]
    amounts = np.ma.array(cents / 100, mask=np.arange(cents.size) % 7 == 0)
    found = digits({"amount": amounts, "group": group})
    kept = cents[np.arange(cents.size) % 7 != 0].tolist()
    assert found["decimals"] == 2
    assert found["last_two"].tolist() == np.bincount(np.array(kept) % 100, minlength=100).tolist()
    leading = [int((str(c) + "0")[:2]) for c in kept]
    assert found["first_two"].tolist() == np.bincount(leading, minlength=100)[10:].tolist()
    names = [g for i, g in enumerate(group) if i % 7]
    for place, name in enumerate(("a", "b", None)):
        own = [d for d, n in zip(leading, names, strict=True) if n == name]
        assert found["first_two_groups"][place].tolist() == np.bincount(own, minlength=100)[10:].tolist()
    assert found["first_two_blocks"].sum() == len(kept)


def test_what_has_no_digits_is_counted() -> None:
    found = digits({"x": np.array([0.0, -0.0, np.inf, np.nan, -12.5, 1 / 3, 7.0])})
    assert (found["zeros"], found["infinite"], found["negatives"], found["long"]) == (2, 1, 1, 1)
    assert found["first_two"].sum() == 3
    assert digits({"x": np.array([0.0, 0.0])})["first_two"].sum() == 0
    with pytest.raises(UsageError, match="a number and a group, not 3 columns"):
        digits({n: np.array([1.0]) for n in "abc"})


def test_powers_of_two_follow_benford() -> None:
    powers = np.array([2.0**i for i in range(1, 1000)])
    found = digits({"x": powers})["first_two"].reshape(9, 10).sum(axis=1) / powers.size
    np.testing.assert_allclose(found, np.log10(1 + 1 / np.arange(1, 10)), atol=0.003)
