"""Record ends found quickly are those that a character-by-character reading finds."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.unit.readers.csv_automaton import read
from toolkit.readers import records
from toolkit.readers.records import RecordCutter, count_lines, line_breaks

COMMA = RecordCutter(",", '"')
texts = st.lists(
    st.sampled_from([b"a", b"bb", b",", b'"', b'""', b"\n", b"\r\n", b"\r", b" ", b'","']), max_size=40
).map(b"".join)


def whole(text: bytes) -> bytes:
    """The records of a text that are whole and well-formed."""
    return text[: ([0, *read(text).ends])[-1]]


@settings(max_examples=250)
@given(texts)
@example(b'a"\n"\nb,"x\ny"\n')
@example(b"a\r1\r\n")
def test_walk_ends_where_the_automaton_does(text: bytes) -> None:
    assert COMMA.walk(text) == len(whole(text))


@settings(max_examples=250)
@given(texts)
def test_cut_agrees_with_walk_where_every_quote_has_a_meaning(text: bytes) -> None:
    reading = read(text)
    if reading.well_formed and reading.structural:
        assert COMMA.cut(text) == COMMA.walk(text)


@settings(max_examples=250)
@given(texts, st.sampled_from((1, 2, 3, 1 << 17)))
def test_regular_tells_exactly_whether_every_quote_has_a_meaning(text: bytes, run: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "_RUN", run)
        regular, quotes = COMMA.regular(text)
    reading = read(text + b"\n")
    closed = reading.well_formed and bool(reading.ends) and reading.ends[-1] == len(text) + 1
    assert (regular and quotes % 2 == 0) == (closed and reading.structural)
    assert not regular or quotes == COMMA.quotes(text).size


@settings(max_examples=200)
@given(texts)
def test_a_wrong_cut_is_never_followed_by_regular_blocks_only(text: bytes) -> None:
    """What cuts by counting, and accepts each block that is regular, never accepts a block cut inside a record."""
    ends, position = {0, *read(text).ends}, 0
    while position < len(text):
        length = COMMA.cut(text[position:]) or len(text) - position
        block = text[position : position + length]
        regular, quotes = COMMA.regular(block)
        if not regular or quotes % 2:
            return
        position += length
        assert position in ends or position == len(text)


@settings(max_examples=200)
@given(texts)
def test_fields_are_those_of_the_automaton(text: bytes) -> None:
    assert [COMMA.fields(r.rstrip(b"\r\n")) for r in COMMA.records(text)] == read(text).rows


@settings(max_examples=200)
@given(texts, texts)
def test_a_block_that_begins_a_record_can_be_completed_and_another_can_not(text: bytes, more: bytes) -> None:
    rest = text[COMMA.walk(text) :]
    if COMMA.begun(rest):
        completions = (b"\n", b'"\n', b'""\n', b"x\n")
        assert any(COMMA.walk(rest + c) == len(rest + c) for c in completions)
    else:
        assert COMMA.walk(rest + more + b'"\n') == 0


@given(texts)
def test_left_open_is_a_record_that_only_a_quote_completes(text: bytes) -> None:
    rest = text[COMMA.walk(text) :]
    if COMMA.left_open(rest):
        assert COMMA.walk(rest + b"\n") == 0
        assert COMMA.walk(rest + b'"\n') == len(rest) + 2 or rest.endswith(b'"')


def test_a_return_at_the_end_may_be_half_a_pair() -> None:
    assert COMMA.cut(b"a,b\r\n1,2\r") == COMMA.walk(b"a,b\r\n1,2\r") == 5
    assert COMMA.cut(b"a,b\r1,2\r") == COMMA.walk(b"a,b\r1,2\r") == 4


def test_returns_end_records_also_where_newlines_stand_in_quotes() -> None:
    text = b'a,b\r"x\ny",1\r"z\nw",2\r3,4'
    assert COMMA.cut(text) == len(text) - 3


def test_cut_gives_up_going_back_and_walks() -> None:
    field = b'"' + b'""x""\n' * 5000
    text = b"a,b\n" + field
    assert COMMA.cut(text) == COMMA.walk(text) == 4


@pytest.mark.parametrize("delimiter", ["\t", ";", "|", "^", ".", "\\"])
def test_any_character_can_be_the_delimiter(delimiter: str) -> None:
    cutter = RecordCutter(delimiter, '"')
    record = delimiter.join(["a", f'"x{delimiter}y"', ""]).encode()
    assert cutter.fields(record) == [b"a", f'"x{delimiter}y"'.encode(), b""]


def test_without_quotes_every_line_is_a_record() -> None:
    cutter = RecordCutter(",", "")
    assert cutter.cut(b'a"\nb"\nc') == cutter.walk(b'a"\nb"\nc') == 6
    assert not cutter.quotes(b'a"').size
    assert cutter.regular(b'a"b') == (True, 0)


def test_an_escape_takes_a_quote_or_a_break_into_the_field() -> None:
    cutter = RecordCutter(",", '"', "\\")
    text = b'1,"a \\" , b"\n2,x\\,y\n3,"c'
    assert not cutter.counts
    assert [cutter.fields(r.rstrip()) for r in cutter.records(text)] == [[b"1", b'"a \\" , b"'], [b"2", b"x\\,y"]]
    assert cutter.left_open(b'3,"c')


def test_spaces_in_front_of_fields_can_be_left_out() -> None:
    cutter = RecordCutter(",", '"', skip_space=True)
    text = b'1, "a, b",  c d\n "e, ""f""" , 2\n'
    assert cutter.walk(text) == 16
    assert cutter.without_spaces(text[:16]) == b'1,"a, b",c d\n'


@given(texts)
def test_lines_are_counted_as_an_editor_does(text: bytes) -> None:
    assert count_lines(text) == len((text + b"x").decode().splitlines()) - 1


@given(st.lists(st.sampled_from((b"a", b"\n", b"\r")), max_size=12).map(b"".join), st.integers(1, 5))
def test_line_breaks_are_found_across_runs_too(text, run):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "_RUN", run)
        assert count_lines(text) == len(text.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")) - 1
        assert line_breaks(text).meet == any(pair in text for pair in (b"\n\n", b"\n\r", b"\r\r"))
