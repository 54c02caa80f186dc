"""Delimiters, quotes and names that are found in the beginning of a text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.core.errors import BadInputError
from toolkit.readers.dialect import Dialect, find_dialect, header_names

PATH = Path("t.csv")


@pytest.mark.parametrize(
    ("head", "dialect"),
    [
        ("a,b\n1,2\n", Dialect()),
        ("a;b\n1,5;2,5\n3,5;4,5\n", Dialect(";")),
        ("a\tb\n1\t2\n", Dialect("\t")),
        ("a|b\n1|2\n", Dialect("|")),
        ('a;b\n"x, y, z";1\n"u, v, w";2\n', Dialect(";")),
        ("only\n1\n2\n", Dialect()),
        ("text\nhello, world\nfoo\n", Dialect()),
        ("name\nJohn Smith\nJane Doe\n", Dialect()),
        ("a b c\n1 2 3\n4 5 6\n", Dialect(" ")),
        ("a^b\n1^2\n4^5\n", Dialect("^")),
        ("a\x1fb\n1\x1f2\n4\x1f5\n", Dialect("\x1f")),
        ("a:b:c\n1:2:3\n4:5:6\n", Dialect(":")),
        ("time\n10:00:00\n11:00:00\n", Dialect()),
        ("from:to\n10:00\n11:00\n", Dialect()),
        ("id,name,x\n1,'a, b',2\n2,'c',3\n3,'it''s',4\n", Dialect(quote="'")),
        ("id,name\n1,it's\n2,don't\n3,'tis\n", Dialect()),
        ("id,name\n1,\"it's\"\n2,'x'\n", Dialect()),
        ('id,name\n1,"a \\" b"\n2,"x, \\"y\\""\n3,z\n', Dialect(escape="\\")),
        ("id,path\n1,C:\\dir\n2,D:\\\n", Dialect()),
        ('id, name\n1, "a, b"\n2, "c"\n', Dialect(skip_space=True)),
        ("id, name\n1, a\n2, b\n", Dialect()),
        ("", Dialect()),
    ],
)
def test_what_explains_the_first_rows_is_taken(head: str, dialect: Dialect) -> None:
    assert find_dialect(head.encode(), ".csv") == dialect


def test_a_suffix_can_decide() -> None:
    assert find_dialect(b"a,b\n1,2\n", ".tsv") == Dialect("\t")


def test_uncommon_quotes_have_values_without_them() -> None:
    assert Dialect(quote="'").value(b"'it''s'") == "it's"
    assert Dialect(escape="\\").value(b'"a \\" b \\\\"') == 'a " b \\'
    assert Dialect(skip_space=True).value(b'  "a"') == "a"
    assert Dialect(quote="").value(b'"a"') == '"a"'


def test_empty_and_repeated_names_are_made_up_and_noted() -> None:
    names, notes = header_names(["id", "", "id", "id", " "], PATH)
    assert names == ["id", "column_2", "id_2", "id_3", "column_5"]
    assert len(notes) == 4
    assert "field 3 of the header repeats 'id': named 'id_2'" in notes


def test_a_name_that_is_made_up_takes_none_from_another() -> None:
    assert header_names(["a", "a", "a_2", ""], PATH)[0] == ["a", "a_3", "a_2", "column_4"]
    assert header_names(["", "column_1", "column_1_"], PATH)[0] == ["column_1__", "column_1", "column_1_"]


@given(st.lists(st.sampled_from(["a", "a_2", "a_3", "", "column_2", "b", " "]), min_size=1, max_size=9))
def test_names_are_unique_and_names_of_their_own_are_kept(fields: list[str]) -> None:
    if not any(f.strip() for f in fields):
        with pytest.raises(BadInputError, match=r"t\.csv: line 1: the header has no names"):
            header_names(fields, PATH)
        return
    names, notes = header_names(fields, PATH)
    assert len(set(names)) == len(names) == len(fields)
    changed = [i for i, f in enumerate(fields) if names[i] != f]
    assert len(notes) == len(changed)
    for i, field in enumerate(fields):
        assert i not in changed or not field.strip() or field in fields[:i]


def test_many_equal_names_take_no_square_time() -> None:
    names, _ = header_names(["a"] * 20_000, PATH)
    assert names[-1] == "a_20000"


def test_a_double_quote_that_opens_a_line_keeps_the_usual_quotes() -> None:
    """Each dialect cuts this evenly: the usual one into one row, the other into two."""
    assert find_dialect(b'h1,h2\n"\',\r",\n', ".csv") == Dialect()
