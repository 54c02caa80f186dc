"""Polluted files lead to the clean table or to an error that says where: no crash, no shift, no loss, no padded row.

``TOOLKIT_POLLUTED`` sets how many files of each pollution are tried (4 by default; 100 for a campaign).
"""

from __future__ import annotations

import csv
import io
import json
import os
import random
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.clean_tables import Case
from tests.pollution import POLLUTIONS
from toolkit import convert_table
from toolkit.convert import main as convert_command
from toolkit.core.errors import BadInputError
from toolkit.readers.base import ReadAgain, ReadOptions, Rejected
from toolkit.readers.many import open_files

FILES = int(os.environ.get("TOOLKIT_POLLUTED", "4"))
Rows = list[list[str]]

each_pollution = pytest.mark.parametrize("pollution", POLLUTIONS)


class Read(NamedTuple):
    """What a reader makes of a file."""

    names: list[str]
    rows: Rows
    notes: list[str]
    rejected: list[Rejected]


def read(path: Path, part_bytes: int = 1 << 20, *, quarantine: bool = False) -> Read:
    _, source = open_files((path,), ReadOptions(part_bytes=part_bytes, quarantine=quarantine))
    try:
        for _ in range(2):
            try:
                parts = list(source.parts())
                tables = [source.parse(part, range(len(source.columns))) for part in parts]
            except ReadAgain:
                continue
            rows = [[v or "" for v in r] for t in tables for r in zip(*(c.to_pylist() for c in t.columns), strict=True)]
            names = [c.name for c in source.columns]
            return Read(names, rows, source.notes, [r for p in parts for r in p.rejected])
    finally:
        source.close()
    raise AssertionError("the source asked twice to be read again")


def cases(pollution: str) -> list[Case]:
    return [POLLUTIONS[pollution](random.Random(f"{pollution}-{k}")) for k in range(FILES)]


def stripped(rows: Rows) -> Rows:
    return [[v.strip() for v in r] for r in rows]


def check_clean(case: Case, found: Read) -> None:
    """That the table is the clean one, but for spaces around fields and columns without anything in them."""
    names, rows = found.names, found.rows
    if case.empty_columns:
        kept = [k for k, name in enumerate(names) if name in case.names or any(r[k] for r in rows)]
        names, rows = [names[k] for k in kept], [[r[k] for k in kept] for r in rows]
    if case.names_first_row:
        assert stripped(rows) == stripped(case.rows[1:])
        return
    assert [n.strip() for n in names] == case.names
    assert stripped(rows) == stripped(case.rows)


def check_error(error: BadInputError, path: Path) -> None:
    assert error.exit_code == 2
    assert str(path) in error.message
    assert re.search(r"\b(line|byte) [\d,]+", error.message), error.message
    assert error.remedy


@each_pollution
def test_a_polluted_file_is_the_clean_table_or_an_error(pollution: str, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    for k, case in enumerate(cases(pollution)):
        path.write_bytes(case.data)
        try:
            found = read(path, (1 << 20, 200)[k % 2])
        except BadInputError as error:
            check_error(error, path)
            continue
        if case.must_fail:
            # rows of the right width above the names are a table as well: then a note says where the names may be
            assert any("may hold the names" in note for note in found.notes), (case.kind, k)
        else:
            check_clean(case, found)


@each_pollution
def test_set_aside_is_what_is_bad_and_nothing_else(pollution: str, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    for k, case in enumerate(cases(pollution)):
        path.write_bytes(case.data)
        try:
            found = read(path, (200, 1 << 20)[k % 2], quarantine=True)
        except BadInputError as error:
            check_error(error, path)
            continue
        if case.kind == "preamble":  # else the table would be set aside for its title's sake
            assert len(found.rejected) <= max(3, len(found.rows)), k
        if case.bad_lines:
            check_clean(case, found)
            assert [r.line for r in found.rejected] == list(case.bad_lines)
        lines = case.data.splitlines(keepends=True)
        for rejected in found.rejected:
            if not case.kind.startswith("utf-") and b"\r" not in case.data:
                assert b"".join(lines[rejected.line - 1 :]).startswith(rejected.record.rstrip(b"\n"))


def test_pollutions_that_keep_the_table_are_read_so_by_the_standard_library() -> None:
    """The generator itself, against another reader."""
    dialects: dict[str, dict[str, Any]] = {
        "line_ends": {}, "mixed_line_ends": {}, "null_spellings": {}, "number_forms": {}, "odd_breaks": {},
        "escapes": {"escapechar": "\\", "doublequote": False}, "decimal_commas": {"delimiter": ";"},
    }  # fmt: skip
    for pollution, dialect in dialects.items():
        for case in cases(pollution):
            text = case.data.decode()
            delimiter = {"delimiter": ";"} if ";" in re.split("[\r\n]", text)[0] else {}
            rows = list(csv.reader(io.StringIO(text, newline=""), **{**delimiter, **dialect}))
            assert rows == [case.names, *case.rows], pollution


@pytest.mark.parametrize("pollution", ["ragged", "lost_quotes"])
def test_quarantine_keeps_whole_records_with_their_lines(
    pollution: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, (case, *_) = tmp_path / "t.csv", cases(pollution)
    path.write_bytes(case.data)
    command = [str(path), "--appdata", str(tmp_path / "appdata"), "--on-bad-row", "quarantine", "--json"]
    assert convert_command(command) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["rows"], told["quarantined"]) == (len(case.rows), len(case.bad_lines))
    (file,) = (tmp_path / "appdata" / "stores").glob("*.quarantine.jsonl")
    kept = [json.loads(line) for line in file.read_text().splitlines()]
    assert [r["line"] for r in kept] == list(case.bad_lines)
    assert all(r["record"] in case.data.decode() for r in kept)
    assert convert_command(command[:-1]) == 1  # the store is used again, and the code says the same


def test_values_of_a_polluted_file_are_those_of_its_text(tmp_path: Path) -> None:
    """Through a whole conversion: a value of whatever type says what its text said."""
    for pollution in ("delimiters", "null_spellings", "number_forms", "spaces", "decimal_commas"):
        for case in cases(pollution)[:2]:
            path = tmp_path / "t.csv"
            path.write_bytes(case.data)
            with convert_table(path, appdata=tmp_path / "appdata") as dataset:
                table = dataset.to_arrow().read_all()
            for k, column in enumerate(table.columns):
                for value, row in zip(column.to_pylist(), case.rows, strict=True):
                    assert says_the_same(value, row[k]), (pollution, value, row[k])


def says_the_same(value: Any, text: str) -> bool:
    if value is None:
        return text.strip().lower() in ("", "na", "n/a", "null", "nan", "-", "none", "\\n", "?", "#n/a", ".")
    if isinstance(value, str):
        return value.strip() == text.strip()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value != value or float(text.strip()) == value  # noqa: PLR0124
    return str(value) == text.strip()


def test_a_row_is_no_title_where_no_names_are_expected(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("sales,,\nid,city,n\n1,a,2\n2,b,3\n")
    _, source = open_files((path,), ReadOptions(format={"header": False}))
    source.close()
    assert [c.name for c in source.columns] == ["column_1", "column_2", "column_3"]
    with pytest.raises(BadInputError, match=r"line 1: 2 of 3 columns with values have no name"):
        read(path)
