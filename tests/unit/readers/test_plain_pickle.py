"""Pickles that are read without being run."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.readers.plain_pickle import Opaque, plain_array, plain_values

plain = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.tuples(inner, inner),
        st.dictionaries(st.text(max_size=3), inner, max_size=3),
    ),
    max_leaves=10,
)


@given(plain, st.integers(0, pickle.HIGHEST_PROTOCOL))
def test_plain_values_come_out_as_they_went_in(value: Any, protocol: int) -> None:
    assert plain_values(pickle.dumps(value, protocol)) == value


class Attack:
    """Runs a command when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch '{self.path}'",)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_nothing_is_run(tmp_path: Path, protocol: int) -> None:
    data = pickle.dumps(["a", Attack(tmp_path / "was here")], protocol)
    first, second = plain_values(data)
    assert first == "a"
    assert isinstance(second, Opaque)
    assert not list(tmp_path.iterdir())


def test_an_object_array_of_numpy() -> None:
    values = np.array([["a", None, 1.5], ["b", 2, True]], object)
    for order in ("C", "F"):
        found = plain_array(pickle.dumps(np.array(values, order=order)))
        assert found == ((2, 3), ["a", None, 1.5, "b", 2, True])
    with pytest.raises(ValueError, match="no pickled array"):
        plain_array(pickle.dumps([1, 2]))


@pytest.mark.parametrize(
    "data", [b"", b".", b"(", b"garbage", b"\x80\x04", b"(lp0\n", b"r\xff\xff\xff\x7f.", b"h\x05."]
)
def test_what_is_no_pickle_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="pickle"):
        plain_values(data)
