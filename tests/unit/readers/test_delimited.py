"""Delimited text, read in parts of any size, is what Python's csv module and a plain automaton read."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import patch

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.readers.csv_automaton import read
from toolkit.core.errors import BadInputError
from toolkit.readers import delimited
from toolkit.readers.base import Part, ReadAgain, ReadOptions
from toolkit.readers.delimited import PROVIDES, DelimitedSource
from toolkit.readers.records import count_lines

Rows = list[list[str | None]]
in_one_folder = settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
fields = st.one_of(
    st.sampled_from(["", "a", "é", 'say "x"', "a,b", "two\nlines", "two\r\nlines", "1", " ", '"', "\n", "'"]),
    st.text("ab\", \n\r'é", max_size=6),
)
ends = st.sampled_from(["\n", "\r\n", "\r"])


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[list[str]], str]:
    """Rows of two fields, and their text: quoted where they must be, or everywhere."""
    rows = draw(st.lists(st.tuples(fields, fields).map(list), min_size=1, max_size=8))
    end, everywhere = draw(ends), draw(st.booleans())
    lines = [",".join(written(f, everywhere) for f in row) for row in [["h1", "h2"], *rows]]
    return rows, end.join(lines) + end * draw(st.booleans())


def written(field: str, everywhere: bool) -> str:
    """A field as text, in quotes where it needs them."""
    needed = everywhere or any(c in field for c in '",\r\n')
    return '"' + field.replace('"', '""') + '"' if needed else field


def source_of(path: Path, data: bytes, part_bytes: int = 1 << 20, **options: object) -> DelimitedSource:
    path.write_bytes(data)
    return PROVIDES.open(path, ReadOptions(part_bytes=part_bytes, **options))  # type: ignore[arg-type]


def all_rows(source: DelimitedSource) -> tuple[Rows, list[Part]]:
    """Every row, as the pipeline gets them."""
    columns = range(len(source.columns))
    for _ in range(2):
        try:
            parts = list(source.parts())
            tables = [source.parse(part, columns) for part in parts]
            return [list(r.values()) for t in tables for r in t.to_pylist()], parts
        except ReadAgain:
            continue
    raise AssertionError("the source asked twice to be read again")


def plain(rows: Sequence[Sequence[str | None]]) -> list[list[str]]:
    return [[v or "" for v in row] for row in rows]


@in_one_folder
@given(table=tables(), part_bytes=st.integers(1, 60))
def test_rows_are_those_that_were_written(table: tuple[list[list[str]], str], part_bytes: int, tmp_path: Path) -> None:
    rows, text = table
    got, parts = all_rows(source_of(tmp_path / "t.csv", text.encode(), part_bytes, format={"delimiter": ","}))
    assert plain(got) == rows
    assert b"".join(p.payload.text for p in parts if p) in text.encode()


@in_one_folder
@given(table=tables(), part_bytes=st.integers(1, 60), mark=st.booleans())
def test_parts_say_at_which_line_and_byte_they_begin(
    table: tuple[list[list[str]], str], part_bytes: int, mark: bool, tmp_path: Path
) -> None:
    data = codecs.BOM_UTF8 * mark + table[1].encode()
    source = source_of(tmp_path / "t.csv", data, part_bytes, format={"delimiter": ","})
    records = {0, *read(data[3 * mark :] + b"\n").ends}
    _, parts = all_rows(source)
    for part in parts:
        block = part.payload.text
        assert data[part.offset : part.offset + len(block)] == block
        assert part.line == 1 + count_lines(data[: part.offset])
        assert part.offset - 3 * mark in records
    assert [p.index for p in parts] == list(range(len(parts)))


@in_one_folder
@given(body=st.text('ab", \n\r', max_size=60), part_bytes=st.integers(1, 40))
def test_any_text_is_read_as_the_automaton_reads_it_or_refused(body: str, part_bytes: int, tmp_path: Path) -> None:
    """Quotes anywhere: what is well-formed and rectangular gives its rows, all else an error."""
    data = ("h1,h2\n" + body).encode()
    reading = read(data + (b"" if data.endswith(b"\n") else b"\n"))
    rows = [r for r in reading.rows[1:] if r != [b""]]
    whole = reading.well_formed and bool(reading.ends) and reading.ends[-1] >= len(data)
    source = source_of(tmp_path / "t.csv", data, part_bytes, format={"delimiter": ","})
    if whole and all(len(r) == 2 for r in rows):
        got, _ = all_rows(source)
        want = [["" if f == b'""' else f.decode() for f in r] for r in rows]
        unquoted = [[f[1:-1].replace('""', '"') if f.startswith('"') else f for f in r] for r in want]
        assert plain(got) == unquoted
    else:
        with pytest.raises(BadInputError, match=r"t\.csv: line \d+"):
            all_rows(source)


def reading_of(source: DelimitedSource, at_once: int) -> Rows | str:
    """The rows, or what is wrong, when Arrow gets so many bytes at a time."""
    with patch.object(delimited, "_PARSED_AT_ONCE", at_once):
        try:
            return all_rows(source)[0]
        except BadInputError as error:
            return str(error)


@in_one_folder
@given(
    text=st.one_of(st.text('ab", \n\ré', max_size=120), tables().map(lambda t: t[1])),
    names=st.sampled_from(["h1,h2", "h1", "h1,h2,h3"]),
    at_once=st.integers(1, 80),
)
def test_rows_and_errors_are_the_same_however_many_bytes_are_tokenised_at_once(
    text: str, names: str, at_once: int, tmp_path: Path
) -> None:
    data = (names + "\n" + text).encode()
    whole, cut = (source_of(tmp_path / "t.csv", data, format={"delimiter": ","}) for _ in range(2))
    assert reading_of(cut, at_once) == reading_of(whole, 1 << 20)


def inches(lines: int, every: int) -> bytes:
    """A table with a lone inch mark now and then: quotes without a meaning, an odd number of them."""
    body = (f'{i},5" pipe\n' if i % every == every // 2 else f'{i},"a, b"\n' for i in range(lines))
    return ("id,name\n" + "".join(body)).encode()


@pytest.mark.parametrize("every", [3, 1000, 4000])
@pytest.mark.parametrize("part_bytes", [300, 5000, 1 << 20])
def test_a_quote_without_a_meaning_makes_it_read_again_field_by_field(
    every: int, part_bytes: int, tmp_path: Path
) -> None:
    source = source_of(tmp_path / "t.csv", inches(4000, every), part_bytes)
    got, parts = all_rows(source)
    assert [r[0] for r in got] == [str(i) for i in range(4000)]
    assert [r[1] for r in got] == ['5" pipe' if i % every == every // 2 else "a, b" for i in range(4000)]
    assert all(part.payload.walked for part in parts)


def test_a_lone_inch_mark_far_from_others_does_not_take_the_rest_into_memory(tmp_path: Path) -> None:
    data = b"a,b\n" + b'1,5" pipe\n' + b"2,x\n" * 20_000
    source = source_of(tmp_path / "t.csv", data, 1000)
    got, parts = all_rows(source)
    assert len(got) == 20_001
    assert max(len(p.payload.text) for p in parts) <= 1000


def test_a_record_longer_than_a_part_is_read_whole(tmp_path: Path) -> None:
    long = "x\n" * 50_000
    source = source_of(tmp_path / "t.csv", f'a,b\n1,2\n3,"{long}"\n4,5\n'.encode(), 1000)
    assert all_rows(source)[0] == [["1", "2"], ["3", long], ["4", "5"]]


def test_a_record_without_end_is_refused_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from toolkit.readers import delimited

    monkeypatch.setattr(delimited, "_LARGEST_RECORD", 20_000)
    data = b'a,b\n1,2\n3,"' + b"x\n" * 500_000
    source = source_of(tmp_path / "t.csv", data, 1000)
    with pytest.raises(BadInputError, match="line 3: a record of more than 20,000 bytes") as caught:
        all_rows(source)
    assert "quote left open" in caught.value.remedy
    assert source.progress()[0] < 100_000


def test_a_damaged_record_behind_good_ones_is_found_without_reading_to_the_end(tmp_path: Path) -> None:
    data = b"a,b\n" + b'1,"x"y\n' + b"2,z\n" * 100_000
    source = source_of(tmp_path / "t.csv", data, 1000)
    with pytest.raises(BadInputError, match="line 2: text behind a closing quote"):
        all_rows(source)
    assert source.progress()[0] < len(data) // 10


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", ["", "end"])
def test_line_ends_of_any_kind(end: str, last: str, tmp_path: Path) -> None:
    text = end.join(["a,b", "1,2", "", "3,4"]) + (end if last else "")
    for part_bytes in (1, 3, 7, 100):
        source = source_of(tmp_path / "t.csv", text.encode(), part_bytes)
        assert all_rows(source)[0] == [["1", "2"], ["3", "4"]]


def test_mixed_line_ends_lose_no_row(tmp_path: Path) -> None:
    for part_bytes in (1, 5, 100):
        source = source_of(tmp_path / "t.csv", b"a,b\r1,2\n3,4\r\n5,6\r7,8", part_bytes)
        assert all_rows(source)[0] == [["1", "2"], ["3", "4"], ["5", "6"], ["7", "8"]]


def test_a_blank_line_is_a_missing_value_where_there_is_one_column(tmp_path: Path) -> None:
    for part_bytes in (1, 4, 100):
        source = source_of(tmp_path / "t.csv", b"a\n1\n\n2\n\n", part_bytes)
        assert all_rows(source)[0] == [["1"], [None], ["2"], [None]]


def test_an_empty_field_is_missing_and_an_empty_text_is_not(tmp_path: Path) -> None:
    source = source_of(tmp_path / "t.csv", b'a,b\n,""\n"",\n')
    assert all_rows(source)[0] == [[None, ""], ["", None]]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "utf-16-le", "utf-32", "utf-32-be"])
def test_a_byte_order_mark_tells_the_encoding(encoding: str, tmp_path: Path) -> None:
    text = "id,näme\n" + "".join(f"{i},Ü €😀\n" for i in range(300))
    mark = "" if encoding in ("utf-8-sig", "utf-16", "utf-32") else "\ufeff"
    for part_bytes in (1, 7, 1000):
        source = source_of(tmp_path / "t.csv", (mark + text).encode(encoding), part_bytes)
        assert [c.name for c in source.columns] == ["id", "näme"]
        assert all_rows(source)[0] == [[str(i), "Ü €😀"] for i in range(300)]


def test_an_encoding_can_be_given(tmp_path: Path) -> None:
    data = "id,n\n1,\u00e9\u00df\n2,x\n"
    source = source_of(tmp_path / "t.csv", data.encode("latin-1"), encoding="latin-1")
    assert all_rows(source)[0] == [["1", "éß"], ["2", "x"]]
    assert source.options["encoding"] == "iso8859-1"
    with pytest.raises(BadInputError, match="unknown encoding 'rot13'"):
        source_of(tmp_path / "t.csv", b"a\n1\n", encoding="rot13")


def test_a_byte_that_is_not_of_the_encoding_is_named(tmp_path: Path) -> None:
    data = b"a,b\n" + b"1,2\n" * 1000 + b"3,\x81\n"
    for part_bytes in (10, 1 << 20):
        with pytest.raises(BadInputError, match="byte 4006: 0x81 is not cp1252"):
            all_rows(source_of(tmp_path / "t.csv", data, part_bytes, encoding="cp1252"))
    wide = "a,b\n1,2\n".encode("utf-16") + b"\x00\xdc\x00\xdc"
    with pytest.raises(BadInputError, match="byte 18"):
        all_rows(source_of(tmp_path / "t.csv", wide, 4))


def test_columns_can_be_taken_alone_and_parsing_is_repeatable(tmp_path: Path) -> None:
    source = source_of(tmp_path / "t.csv", b"a,b,c\n1,x,2\n3,y,4\n")
    (part,) = source.parts()
    once, again = source.parse(part, [2, 0]), source.parse(part, [2, 0])
    assert once.equals(again)
    assert [c.to_pylist() for c in once.columns] == [["2", "4"], ["1", "3"]]
    assert all(c.type == pa.string() for c in once.columns)


def test_a_wide_header_and_long_names(tmp_path: Path) -> None:
    names = [f"{'n' * 10_000}{i}" for i in range(20)]
    text = ",".join(names) + "\n" + ",".join(map(str, range(20))) + "\n"
    source = source_of(tmp_path / "t.csv", text.encode(), 1000)
    assert [c.name for c in source.columns] == names
    assert all_rows(source)[0] == [[str(i) for i in range(20)]]


def test_a_header_with_a_line_break_and_quotes(tmp_path: Path) -> None:
    source = source_of(tmp_path / "t.csv", b'"a\nb","say ""c"""\n1,2\n')
    assert [c.name for c in source.columns] == ["a\nb", 'say "c"']
    assert all_rows(source)[0] == [["1", "2"]]
