"""Encodings are taken only where nothing else reads the file, or all that do read it the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolkit import convert_table
from toolkit.core.errors import BadInputError
from toolkit.readers.find_encoding import find_encoding


def written(folder: Path, data: bytes) -> Path:
    path = folder / "file.csv"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("name,town\ncafé,München\nStraße,Köln\n", "latin-1"),
        ("price,note\n5,“Größe”\n6,Müller’s €5\n", "cp1252"),
        ("a,b\nZażółć,gęślą\njaźń,Łódź\n", "cp1250"),
        ("a,b\nПривет мир,Москва\n", "koi8-r"),
        ("a,b\nПривет,Москва\n", "cp866"),
        ("a,b\ncafé,München\n", "mac-roman"),
        ("a,b\nhello,wörld 東京\n", "utf-16-le"),
        ("a,b\nhello,wörld\n", "utf-16-be"),
        ("a,b\nhello,wörld\n", "utf-32-le"),
    ],
)
def test_what_is_found_reads_as_it_was_written(text: str, encoding: str, tmp_path: Path) -> None:
    path = written(tmp_path, text.encode(encoding))
    assert path.read_bytes().decode(find_encoding(path)) == text
    table = convert_table(path, appdata=tmp_path / "appdata", chunk_rows=10)
    rows = [line.split(",") for line in text.splitlines()[1:]]
    assert table.to_pandas().astype(str).to_numpy().tolist() == rows


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("a,b\npère,x\n".encode("latin-1"), "'père' as cp1252, 'pčre' as cp1250"),
        ("a,b\nПривет,x\n".encode("cp1251"), "'Привет' as cp1251"),
        (b"a,b\n1,\xff\n", "too few words"),
        (b"a,b\nM\xc3\xbcller,1\nM\xfcller,2\n", "of several encodings: 'Müller' is UTF-8"),
        (b"a,b\nx\0y,1\n", "neither UTF-16 nor UTF-32"),
        (b"a,b\na\xb0b\xb1c,1\n", "no text of any encoding"),
    ],
)
def test_what_can_not_be_told_is_for_a_person(data: bytes, message: str, tmp_path: Path) -> None:
    path = written(tmp_path, data)
    with pytest.raises(BadInputError, match=message):
        find_encoding(path)
    with pytest.raises(BadInputError, match=r"line \d, byte \d+: .*" + message):
        convert_table(path, appdata=tmp_path / "appdata")


def test_a_named_encoding_is_not_second_guessed(tmp_path: Path) -> None:
    path = written(tmp_path, b"a,b\nM\xfcller,1\n")
    with pytest.raises(BadInputError, match="0xfc is not") as caught:
        convert_table(path, appdata=tmp_path / "appdata", encoding="utf-8")
    assert "cp1252" not in str(caught.value)


WESTERN = "aeiouäöüßéçÄÖÜÉçáíóúëô"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    words=st.lists(st.text(WESTERN, min_size=3, max_size=9), min_size=1, max_size=30),
    name=st.sampled_from(["latin-1", "cp1250", "mac-roman"]),
)
def test_no_file_is_misread(words: list[str], name: str, tmp_path: Path) -> None:
    """Of words in ordinary case, whatever their letters: right, or for a person to say."""
    text = "\n".join(["word", *(w.capitalize() for w in words)]) + "\n"
    path = written(tmp_path, text.encode(name, "replace"))
    text = path.read_bytes().decode(name)
    try:
        path.read_bytes().decode()
    except UnicodeDecodeError:
        try:
            found = find_encoding(path)
        except BadInputError:
            return
        assert path.read_bytes().decode(found) == text
