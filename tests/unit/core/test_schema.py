"""Columns: names of their arrays, descriptions that are read back, digests."""

from __future__ import annotations

import re
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.core.errors import BadInputError
from toolkit.core.schema import ColumnSpec, Schema, array_names, decode_name, encode_name
from toolkit.storage.layout import arrays_of

SAFE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,199}\Z")
names = st.one_of(
    st.sampled_from(["e", "E", "h", "valid", "VALID", "lengths", "Lengths", "categories", "CATEGORIES", "a_",
                     "a__valid", "e__valid", "../x", "a\0", "", " ", "CON", "zarr.json", "c", "x" * 500, "ä",
                     "\ud800"]),
    st.text(max_size=8),
    st.from_regex(r"[eEhaA](_?[a-c])?_?", fullmatch=True),
)  # fmt: skip


@given(st.lists(names, min_size=1, max_size=8, unique=True))
def test_no_two_arrays_of_a_store_have_one_name_even_where_case_does_not_count(columns: list[str]) -> None:
    arrays = array_names(columns)
    every = []
    for name, array in zip(columns, arrays, strict=True):
        for encoding in ("long", "coded"):
            spec = ColumnSpec(name, array, "string", "utf8" if encoding == "long" else "|i1", True, encoding)
            every.append({a.name.lower() for a in arrays_of(spec)})
    for k in range(0, len(every), 2):
        others = set().union(*every[:k], *every[k + 2 :])
        assert not (every[k] | every[k + 1]) & others
    assert all(SAFE.match(a) for a in arrays)


@given(st.lists(names, min_size=1, max_size=8, unique=True))
def test_an_encoded_name_is_read_back(columns: list[str]) -> None:
    for name, array in zip(columns, array_names(columns), strict=True):
        assert decode_name(array) in (name, None)
        assert decode_name(encode_name(name)) == (name if len(name) < 50 else decode_name(encode_name(name)))


@pytest.mark.parametrize("columns", list(permutations(["e", "VALID", "valid"])))
def test_a_column_named_like_the_mark_of_encoded_names_clashes_with_none(columns: tuple[str, ...]) -> None:
    specs = [ColumnSpec(n, a, "int", "|i1", nullable=True) for n, a in zip(columns, array_names(columns), strict=True)]
    arrays = [a.name.lower() for s in specs for a in arrays_of(s)]
    assert len(set(arrays)) == len(arrays)


def test_plain_names_are_kept_for_other_tools() -> None:
    assert array_names(["price", "unit_price", "x1", "Ä", "1a", "_a"]) == [
        "price", "unit_price", "x1", "e___c3_84", "e__1a", "e___5fa",
    ]  # fmt: skip


def test_a_description_is_read_back_and_nothing_else_is() -> None:
    spec = ColumnSpec("t", "t", "timestamp", "<i8", True, "plain", "ms", "UTC")
    assert ColumnSpec.from_json(spec.to_json()) == spec
    for change in ({"kind": "frob"}, {"encoding": "x"}, {"unit": "h"}, {"unknown": 1}):
        with pytest.raises(BadInputError):
            ColumnSpec.from_json({**spec.to_json(), **change})


def test_the_digest_is_of_names_kinds_units_and_order_and_not_of_width() -> None:
    one, two = ColumnSpec("a", "a", "int", "|i1"), ColumnSpec("b", "b", "int", "|i1")
    usual = Schema((one, two)).schema_hash
    assert Schema((one, ColumnSpec("b", "x", "int", "<i8", True))).schema_hash == usual
    assert Schema((two, one)).schema_hash != usual
    assert Schema((one, ColumnSpec("c", "b", "int", "|i1"))).schema_hash != usual
    assert Schema((one, ColumnSpec("b", "b", "float", "<f8"))).schema_hash != usual


def test_columns_are_found_by_name_and_an_unknown_one_is_an_error() -> None:
    schema = Schema((ColumnSpec("a", "a", "int", "|i1"), ColumnSpec("b", "b", "int", "|i1")))
    assert [c.name for c in schema.select(["b", "a"])] == ["b", "a"]
    assert "a" in schema
    with pytest.raises(BadInputError, match=r"'z'.*\n.*'a', 'b'"):
        schema["z"]
    with pytest.raises(BadInputError, match="two columns have one name"):
        Schema((schema["a"], schema["a"]))
