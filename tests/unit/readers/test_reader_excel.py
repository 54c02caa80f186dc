"""Excel workbooks."""

from __future__ import annotations

import datetime as dt
import re
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.source_reading import damaged, notes_of, open_source, read_or_refuse, read_rows, read_table
from toolkit.core.errors import BadInputError, MissingExtraError

openpyxl = pytest.importorskip("openpyxl")

EMPTY: list[Any] = []


def workbook(folder: Path, *rows: list[Any], name: str = "t.xlsx", **sheets: list[list[Any]]) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for title, content in sheets.items():
        sheet = book.create_sheet(title)
        for row in content:
            sheet.append(row)
    book.save(folder / name)
    return folder / name


def changed(path: Path, change: Callable[[str, bytes], bytes]) -> Path:
    """A copy of a workbook with its parts changed."""
    copy = path.with_name("changed.xlsx")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, change(name, source.read(name)))
    return copy


def in_sheet(pattern: bytes, replacement: bytes) -> Callable[[str, bytes], bytes]:
    return lambda name, data: re.sub(pattern, replacement, data) if "sheet1" in name else data


def test_cells_keep_their_types(tmp_path: Path) -> None:
    midnight, noon = dt.datetime(2020, 1, 1), dt.datetime(2020, 1, 1, 12, 30)  # noqa: DTZ001
    path = workbook(
        tmp_path,
        ["n", "f", "s", "d", "t", "b", "clock", "mixed"],
        [1, 1.5, "NA", midnight, midnight, True, dt.time(3, 4), 1],
        EMPTY,
        [2, 2, "007", None, noon, False, None, "a"],
    )
    day = dt.date(2020, 1, 1)
    missing = dict.fromkeys(["n", "f", "s", "d", "t", "b", "clock", "mixed"])
    assert read_rows(path) == [
        {"n": 1, "f": 1.5, "s": "NA", "d": day, "t": midnight, "b": True, "clock": dt.time(3, 4), "mixed": "1"},
        missing,
        {**missing, "n": 2, "f": 2.0, "s": "007", "t": noon, "b": False, "mixed": "a"},
    ]
    assert "1 number, 1 string" in notes_of(path)[0]


def test_errors_and_formulas_without_values_are_told(tmp_path: Path) -> None:
    path = workbook(tmp_path, ["a", "b"], [1, "=1+1"], ["#DIV/0!", 5], [None, "=A2"])
    assert read_rows(path) == [{"a": 1, "b": None}, {"a": None, "b": 5}]
    told = " ".join(notes_of(path))
    assert "#DIV/0! 1 times" in told
    assert "2 formulas were never computed" in told
    computed = changed(path, in_sheet(rb"<f>1\+1</f><v\s*/>|<f>1\+1</f><v></v>", b"<f>1+1</f><v>2</v>"))
    assert read_rows(computed)[0] == {"a": 1, "b": 2}
    assert "1 formulas" in " ".join(notes_of(computed))


def test_names_that_are_missing_or_repeated_are_made_up(tmp_path: Path) -> None:
    path = workbook(tmp_path, EMPTY, [None, "x", None, "x", 7], [None, 1, 2, 3, 4])
    assert read_rows(path) == [{"x": 1, "column_2": 2, "x_2": 3, "7": 4}]
    told = " ".join(notes_of(path))
    assert "in row 2" in told
    assert "'column_2'" in told


def test_which_sheet_must_be_said_where_there_are_several(tmp_path: Path) -> None:
    path = workbook(tmp_path, ["a"], [1], two=[["b"], [2]], empty=[])
    with pytest.raises(BadInputError, match="2 sheets") as caught:
        open_source(path)
    assert "'Sheet', 'two'" in caught.value.remedy
    assert read_rows(path, table="two") == [{"b": 2}]
    with pytest.raises(BadInputError, match="no sheet 'three'"):
        open_source(path, table="three")
    assert read_rows(workbook(tmp_path, two=[["b"], [2]])) == [{"b": 2}]


def test_parts_do_not_change_the_table(tmp_path: Path) -> None:
    path = workbook(tmp_path, ["a", "b"], *([i, f"é{i}"] for i in range(2000)))
    source = open_source(path, part_bytes=1 << 13)
    parts = list(source.parts())
    assert len(parts) > 5
    assert parts[1].line == parts[0].line + source.parse(parts[0], [0]).num_rows
    assert read_table(path, part_bytes=1 << 13).equals(read_table(path))
    source.close()


def test_sizes_that_a_sheet_only_claims_cost_nothing(tmp_path: Path) -> None:
    path = workbook(tmp_path, ["a"], [1])
    claimed = changed(path, in_sheet(rb'<dimension ref="[^"]*"', b'<dimension ref="A1:XFD1048576"'))
    assert read_rows(claimed) == [{"a": 1}]
    with pytest.raises(BadInputError, match="beyond row 1,048,576"):
        read_rows(changed(path, in_sheet(rb'<row r="2"', b'<row r="99999999"')))


def test_entities_are_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path, ["a"], ["x"])
    with pytest.raises(BadInputError, match="document type declaration"):
        open_source(changed(path, in_sheet(b"<worksheet", b'<!DOCTYPE a [<!ENTITY x "y">]><worksheet')))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old .xls format"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le"), "password"),
        (b"PK\x03\x04junk", "not a whole .xlsx file"),
        (b"hello", "not a whole .xlsx file"),
    ],
)
def test_what_is_no_workbook_of_today_is_refused(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "t.xlsx"
    path.write_bytes(content)
    with pytest.raises(BadInputError, match=problem):
        open_source(path)


def test_empty_workbooks_and_other_zip_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="no cell is filled"):
        open_source(workbook(tmp_path))
    with zipfile.ZipFile(tmp_path / "z.xlsx", "w") as archive:
        archive.writestr("a.txt", "a")
    with pytest.raises(BadInputError, match="without a workbook"):
        open_source(tmp_path / "z.xlsx")


def test_without_openpyxl_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = workbook(tmp_path, ["a"], [1])
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(MissingExtraError) as caught:
        open_source(path)
    assert "[excel]" in caught.value.remedy


def test_damaged_files_are_read_or_refused(tmp_path: Path) -> None:
    content = workbook(tmp_path, ["a", "b"], *([i, f"é{i}"] for i in range(20))).read_bytes()
    assert sum(read_or_refuse(tmp_path / "d.xlsx", damaged(content, 60, seed=7))) == 60
