"""Options of formats: taken, refused with what there is, and part of the source's identity."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import toolkit
from toolkit.convert import main
from toolkit.core.errors import UsageError
from toolkit.readers.base import readers
from toolkit.readers.options import ReaderOption, character, read_options

GERMAN = 'betrag;ort;tag\n1.234,50;Köln, Dom;01.02.2020\n-7;-;\n0,5;"a;b";x\n'


@pytest.fixture
def german(tmp_path: Path) -> Path:
    (tmp_path / "t.csv").write_text(GERMAN, "utf-8")
    return tmp_path / "t.csv"


def columns(source: Any, tmp_path: Path, **how: Any) -> dict[str, list[Any]]:
    with toolkit.convert_table(source, appdata=tmp_path / "ad", **how) as dataset:
        return dataset.to_arrow().read_all().to_pydict()


def test_decimal_comma_and_thousands(german: Path, tmp_path: Path) -> None:
    found = columns(german, tmp_path, options={"decimal": ",", "thousands": ".", "null": "-"})
    assert found["betrag"] == [1234.5, -7.0, 0.5]
    assert found["ort"] == ["Köln, Dom", None, "a;b"]
    assert columns(german, tmp_path)["betrag"] == ["1.234,50", "-7", "0,5"]


@pytest.mark.parametrize(
    ("text", "options", "want"),
    [
        ("a\n1,000\n", {"delimiter": ";", "thousands": ","}, [1000]),
        ("a\n1,0000\n", {"delimiter": ";", "thousands": ","}, ["1,0000"]),
        ("a;b\n1.5;x\n2;y\n", {"decimal": ","}, ["1.5", "2"]),
        ("a;b\n1 000;x\nNA;y\n", {"thousands": "space"}, [1000, None]),
        ("a;b\n1,5e3;x\n-,5;y\n", {"decimal": ","}, [1500.0, -0.5]),
        ("a;b\n2020-01-01;x\n", {"decimal": ",", "thousands": "."}, None),
        ("a;b\n0.123;x\n", {"decimal": ",", "thousands": "."}, ["0.123"]),
        ("a,b\n-999,-999\n1,x\n", {"null": ["-999", "x"]}, [None, 1]),
        ("a,b\n'1,2',3\n", {"quote": "'"}, ["1,2"]),
        ('a,b\n"1,2\n', {"quote": "none"}, ['"1']),
        ("a~b\n1~2\n", {"delimiter": "\\x7e"}, [1]),
        ("a\tb\n1\t2\n", {"delimiter": "tab"}, [1]),
        ("1,2\n3,4\n", {"header": "no"}, [1, 3]),
    ],
)
def test_options_of_delimited_text(text: str, options: dict[str, Any], want: list[Any] | None, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(text)
    found = next(iter(columns(tmp_path / "t.csv", tmp_path, options=options).values()))
    assert want is None or found == want
    assert want is not None or not isinstance(found[0], str)


@pytest.mark.parametrize("max_memory", [None, 1])
def test_a_column_that_turns_out_to_be_text_keeps_its_own_writing(tmp_path: Path, max_memory: int | None) -> None:
    values = ["1.234,5"] * 20_000 + ["none of it"]
    (tmp_path / "t.csv").write_text("a;b\n" + "".join(f"{v};1\n" for v in values))
    options = {"decimal": ",", "thousands": "."}
    assert columns(tmp_path / "t.csv", tmp_path, options=options, max_memory=max_memory)["a"] == values


def test_a_declared_number_is_read_in_its_own_writing(german: Path, tmp_path: Path) -> None:
    options = {"decimal": ",", "thousands": "."}
    assert columns(german, tmp_path, options=options, types={"betrag": "decimal"})["betrag"] == [
        "1234.50",
        "-7.00",
        "0.50",
    ]


def test_without_a_header_every_line_is_a_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "t.csv").write_text("1,x\n2,y\n3\n")
    command = [str(tmp_path / "t.csv"), "--no-header", "--appdata", str(tmp_path / "ad")]
    assert main(command) == 2
    assert "line 3: 1 field where the first row has 2" in capsys.readouterr().err
    assert main([*command, "--on-bad-row", "quarantine"]) == 1
    with toolkit.open_store(appdata=tmp_path / "ad") as dataset:
        assert dataset.to_arrow().read_all().to_pydict() == {"column_1": [1, 2], "column_2": ["x", "y"]}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--option", "delimitr=;"], "the format delimited has no option 'delimitr'\n  its options:\n    delimiter: "),
        (["--query", "SELECT 1"], "the format delimited has no option 'query'"),
        (["--option", "delimiter"], "--option takes NAME=VALUE, not 'delimiter'"),
        (["--delimiter", "ab"], "'ab' is not one ASCII character"),
        (["--delimiter", "§"], "'§' is not one ASCII character"),
        (["--delimiter", "none"], "it can't be left out"),
        (["--delimiter", ";", "--option", "delimiter=,"], "the option 'delimiter' is given 2 times: ',', ';'"),
        (["--option", "header=maybe"], "'maybe' is neither yes nor no"),
        (["--option", "thousands=."], "decimal and thousands are both '.'"),
        (["--option", "decimal=x"], "'x' is none of . ,"),
        (["--delimiter", ";", "--option", "quote=;"], "delimiter, quote and escape are to differ"),
        (["--encoding", "klingon"], "klingon"),
        (["--reader", "csv"], "unknown input format 'csv'"),
    ],
)
def test_what_is_not_taken_is_said(
    options: list[str], said: str, german: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(german), "--appdata", str(tmp_path / "ad"), *options]) == 2
    told = capsys.readouterr()
    assert said in told.err
    assert told.out == ""


def test_other_options_are_another_conversion_and_stand_in_the_record(german: Path, tmp_path: Path) -> None:
    def convert(*options: str) -> str:
        assert main([str(german), "--quiet", "--appdata", str(tmp_path / "ad"), *options]) == 0
        return str(len(list((tmp_path / "ad" / "sources").iterdir())))

    assert [convert(), convert("--delimiter", ";"), convert("--option", "delimiter=;")] == ["1", "2", "2"]
    assert convert("--null", "-", "--null", "x") == "3"
    records = [json.loads(p.read_text()) for p in (tmp_path / "ad" / "sources").iterdir()]
    assert {r["options"]["delimiter"] for r in records} == {";"}
    assert [r["options"]["null"] for r in records if "null" in r["options"]] == [["-", "x"]]


def test_a_query_selects_rows_of_a_database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with sqlite3.connect(tmp_path / "t.db") as connection:
        connection.execute("CREATE TABLE t (a INTEGER)")
        connection.executemany("INSERT INTO t VALUES (?)", [(i,) for i in range(9)])
    connection.close()
    command = [str(tmp_path / "t.db"), "--appdata", str(tmp_path / "ad"), "--query"]
    assert main([*command, "SELECT a * 2 AS b FROM t WHERE a > 6"]) == 0
    with toolkit.open_store(appdata=tmp_path / "ad") as dataset:
        assert dataset.to_arrow().read_all().to_pydict() == {"b": [14, 16]}
    for query in ("DELETE FROM t", "SELECT 1; SELECT 2", "ATTACH 'x' AS y", "SELECT load_extension('x')"):
        assert main([*command, query]) == 2
        assert "SELECT" in capsys.readouterr().err


def test_files_named_one_by_one_are_one_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, value in (("b", 2), ("a", 1)):
        (tmp_path / f"{name}.csv").write_text(f"x,y\n{value},{value}\n")
    paths = [tmp_path / "b.csv", tmp_path / "a.csv"]
    assert columns(paths, tmp_path)["x"] == [1, 2]
    assert main([*map(str, paths), str(tmp_path / "c.csv"), "--appdata", str(tmp_path / "ad")]) == 2
    assert "c.csv: no such file" in capsys.readouterr().err


def test_a_file_without_a_known_suffix_can_be_read_by_name(tmp_path: Path) -> None:
    (tmp_path / "t.out").write_text("a,b\n1,2\n")
    assert columns(tmp_path / "t.out", tmp_path, reader="delimited") == {"a": [1], "b": [2]}


def test_a_frame_takes_no_options_of_files(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="takes no options"):
        columns(pa.table({"a": [1]}), tmp_path, options={"delimiter": ";"})


def test_every_option_of_every_reader_has_a_name_and_words() -> None:
    for reader in readers.all().values():
        names = [o.name for o in reader.takes]
        assert len(set(names)) == len(names)
        assert all(o.takes and o.name == o.name.lower() for o in reader.takes)


def test_repeated_values_come_together() -> None:
    known = [ReaderOption("null", "a text", str, repeated=True), ReaderOption("quote", "a character", character)]
    assert read_options("x", known, {"null": ["a", "b"], "quote": ["none"]}) == {"null": ("a", "b"), "quote": ""}
