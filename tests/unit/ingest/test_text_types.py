"""What type a run of text values has: nothing of a value may be lost."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.ingest import text_types
from toolkit.ingest.text_types import NULL_SPELLINGS, convert, infer

WORDS = [
    "true", "False", "0", "1", "-7", "-0", "00", "007", "+1", "1.50", "-0.5", "01.5", ".5", "5.", "1e5", "1E+400",
    "0x1F", "inf", "-Infinity", "nan", "-NaN", "nan(x)", "9223372036854775808", "12345678901234567890123",
    "9007199254740993", "2024-01-31", "2024-01-31T10:00", "2024-01-31 10:00:00.123456789", "2024-01-31 10:00:00Z",
    "2024-01-31 10:00+01:00", "2024-01-31 10", "10:30", "10:30:00.5", "24:00", "20240131", "-2024-01-31",
    "1d9f", "1_000", "north", "",
]  # fmt: skip
words = st.sampled_from([*WORDS, *NULL_SPELLINGS])
texts = st.one_of(words, words.map(lambda w: f" {w} "), st.text("0129+-.:eETZzxXnaif \t\nÅ_", max_size=9))


def column(values: list[str | None]) -> pa.Array:
    return pa.array(values, pa.string())


def local(*days: str) -> tuple[dt.datetime, ...]:
    return tuple(map(dt.datetime.fromisoformat, days))


@pytest.mark.parametrize(
    ("values", "kind", "want"),
    [
        (["true", "FALSE", None], "bool", [True, False, None]),
        (["0", "1"], "int", [0, 1]),
        (["true", "1"], "string", ["true", "1"]),
        (["-7", "255"], "int", [-7, 255]),
        (["9223372036854775807", "-9223372036854775808"], "int", [2**63 - 1, -(2**63)]),
        (["18446744073709551615", "0"], "int", [2**64 - 1, 0]),
        (["18446744073709551616", "7"], "decimal", ["18446744073709551616", "7"]),
        (["18446744073709551615", "-1"], "decimal", ["18446744073709551615", "-1"]),
        (["12345678901234567890123"], "decimal", ["12345678901234567890123"]),
        (["01", "2"], "string", ["01", "2"]),
        (["00", "0"], "string", ["00", "0"]),
        (["-01"], "string", ["-01"]),
        (["+1"], "string", ["+1"]),
        (["0x10"], "string", ["0x10"]),
        (["1_000"], "string", ["1_000"]),
        (["1,000"], "string", ["1,000"]),
        (["1.000,5"], "string", ["1.000,5"]),
        (["-0", "1"], "float", [0.0, 1.0]),
        (["1.5", "2"], "float", [1.5, 2.0]),
        (["0.5", "-0.25", "0"], "float", [0.5, -0.25, 0.0]),
        (["1e5", "1E-5", ".5", "1."], "float", [1e5, 1e-5, 0.5, 1.0]),
        (["00.5"], "string", ["00.5"]),
        (["inf", "-Infinity"], "float", [float("inf"), float("-inf")]),
        (["1e400"], "string", ["1e400"]),
        (["9007199254740993", "0.5"], "string", ["9007199254740993", "0.5"]),
        (["9007199254740992", "0.5"], "float", [2.0**53, 0.5]),
        (["12345678901234567890123", "0.5"], "string", ["12345678901234567890123", "0.5"]),
        (["10000000000000000000000", "0.5"], "float", [1e22, 0.5]),
        ([" 1", "2 ", "-3"], "int", [1, 2, -3]),
        (["1", "2 x"], "string", ["1", "2 x"]),
        ([" "], "string", [" "]),
        (["2020-02-29"], "date", [dt.date(2020, 2, 29)]),
        (["2021-02-29"], "string", ["2021-02-29"]),
        (["2020-13-01"], "string", ["2020-13-01"]),
        (["20200229"], "int", [20200229]),
        (["29.02.2020"], "string", ["29.02.2020"]),
        (["2020-02-29 10:00", "2020-02-29T10:00:01"], "timestamp", ["10:00:00", "10:00:01"]),
        (["2020-02-29", "2020-02-29 10:00:00"], "timestamp", ["00:00:00", "10:00:00"]),
        (["2020-02-29 24:00:00"], "string", ["2020-02-29 24:00:00"]),
        (["2020-02-29T10"], "string", ["2020-02-29T10"]),
        (["2020-02-29T10:00:00Z", "2020-02-29T10:00:00+02:00"], "timestamp", ["10:00:00", "08:00:00"]),
        (["2020-02-29T10:00:00Z", "2020-02-29T10:00:00"], "string", ["2020-02-29T10:00:00Z", "2020-02-29T10:00:00"]),
        (["10:00", "10:00:01.5"], "time", [dt.time(10), dt.time(10, 0, 1, 500_000)]),
        (["24:00"], "string", ["24:00"]),
        (["x", "NA"], "string", ["x", "NA"]),
        (["NA", "7", None, ""], "int", [None, 7, None, None]),
        (["null", "2020-02-29"], "date", [None, dt.date(2020, 2, 29)]),
        (["None", "2020-02-29 10:00"], "timestamp", [None, "10:00:00"]),
        (["N/A", "true"], "bool", [None, True]),
        ([None, None], "null", [None, None]),
        (["=HYPERLINK(1)", "<script>"], "string", ["=HYPERLINK(1)", "<script>"]),
    ],
)  # fmt: skip
def test_the_first_type_that_holds_every_value_without_loss(values: list[str | None], kind: str, want: Any) -> None:
    found = infer(column(values))
    got = found.values.to_pylist()
    if kind == "timestamp":
        got = [v if v is None else v.strftime("%H:%M:%S") for v in got]
    assert (found.kind, got) == (kind, want)


def test_times_with_an_offset_are_instants_and_others_are_not() -> None:
    assert infer(column(["2020-02-29T10:00:00+01:00"])).timezone == "UTC"
    assert infer(column(["2020-02-29T10:00:00"])).timezone == ""


def test_nanoseconds_are_kept() -> None:
    found = infer(column(["2020-02-29 10:00:00.123456789", "2020-02-29 10:00:00"]))
    assert found.values.type == pa.timestamp("ns")
    assert found.values.cast(pa.int64()).to_pylist()[0] % 10**9 == 123456789


def test_words_for_missing_values_are_counted() -> None:
    found = infer(column(["NA", "7", "NA", "null"]))
    assert found.spelled == {"NA": 2, "null": 1}
    only_words = infer(column(["NA", None]))
    assert (only_words.kind, only_words.spelled) == ("null", {"NA": 1})


def test_a_type_that_only_the_last_value_contradicts_is_not_taken() -> None:
    numbers = [str(i) for i in range(10_000)]
    assert infer(column(numbers)).kind == "int"
    assert infer(column([*numbers, "0.5"])).kind == "float"
    assert infer(column([*numbers, "x"])).kind == "string"


@given(st.lists(st.integers(-(2**70), 2**70), min_size=1, max_size=20))
def test_integers_of_any_size_are_exact(numbers: list[int]) -> None:
    found = infer(column([str(n) for n in numbers]))
    assert found.kind in ("int", "decimal")
    assert [int(v) for v in found.values.to_pylist()] == numbers


def climbed(values: pa.Array) -> tuple[str, str, list[Any]] | None:
    """The first type of the ladder that all values satisfy, with every type tried on all of them."""
    for candidates in (values, pa.array([v if v is None else v.strip(" ") for v in values.to_pylist()], pa.string())):
        for rung in text_types._LADDER:
            if (found := rung.attempt(candidates)) is not None:
                return rung.kind, rung.timezone, found.to_pylist()
    return None


@settings(max_examples=300)
@given(st.one_of(st.lists(texts, min_size=1, max_size=9), st.tuples(words, texts).map(lambda p: [p[0]] * 70 + [p[1]])))
def test_no_short_cut_changes_what_is_found(values: list[str | None]) -> None:
    without = [None if v in NULL_SPELLINGS else v for v in values]
    want = climbed(column(values))
    if want is None and any(v is not None for v in without):
        want = climbed(column(without))
    got = infer(column(values))
    if all(v is None for v in without):
        assert got.kind == "null"
    else:
        assert repr((got.kind, got.timezone, got.values.to_pylist())) == repr(want or ("string", "", values))


@settings(max_examples=400)
@given(word=words, before=st.text("0+- .x", max_size=2), behind=st.text("0+-:.eZz x", max_size=3))
def test_every_value_of_a_type_has_its_shape(word: str, before: str, behind: str) -> None:
    text = before + word + behind
    for rung in text_types._LADDER:
        assert rung.shape.fullmatch(text) or rung.attempt(column([text])) is None


@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=20))
def test_doubles_come_back_bit_by_bit(numbers: list[float]) -> None:
    found = infer(column([repr(n) for n in numbers]))
    assert found.kind == "float"
    assert [v.hex() for v in found.values.to_pylist()] == [n.hex() for n in numbers]


@given(st.lists(st.one_of(st.none(), st.text(max_size=8)), min_size=1, max_size=20))
def test_text_stays_as_it_is(values: list[str | None]) -> None:
    found = infer(column(values))
    if found.kind == "string":
        assert found.values.to_pylist() == values


@given(st.lists(st.datetimes(*local("1678-01-01", "2261-01-01")), min_size=1, max_size=20))
def test_times_come_back_exactly(times: list[dt.datetime]) -> None:
    found = infer(column([t.isoformat(" ") for t in times]))
    assert (found.kind, found.values.to_pylist()) == ("timestamp", times)


@pytest.mark.parametrize(
    ("values", "kind", "want"),
    [
        (["1", "2"], "float", [1.0, 2.0]),
        (["1", "NA"], "string", ["1", "NA"]),
        (["1.5", "2"], "int", None),
        (["1.50", "-0.00", "7"], "decimal", ["1.50", "0.00", "7"]),
        (["1,5"], "decimal", None),
        (["2020-02-29"], "timestamp", list(local("2020-02-29"))),
        (["2020-02-30"], "date", None),
        (["1"], "bool", None),
    ],
)
def test_a_declared_type_is_held_to(values: list[str | None], kind: str, want: Any) -> None:
    found = convert(column(values), kind)
    assert (None if found is None else found.values.to_pylist()) == want
