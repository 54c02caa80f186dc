"""Blank lines are counted where they are skipped, and are missing values where a file has one column."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import toolkit
from toolkit.convert import main
from toolkit.readers.blank_lines import BlankLines
from toolkit.readers.records import RecordCutter, line_breaks

LINES = st.lists(st.sampled_from(["", "1,2", '"x\n\ny",z', '"a""\n",b']), max_size=12)


@given(lines=LINES, end=st.sampled_from(["\n", "\r\n", "\r"]), walked=st.booleans())
def test_counts_what_the_csv_module_reads_as_empty(lines: list[str], end: str, walked: bool) -> None:
    block = "".join(line + end for line in lines)
    if not block.endswith("\n"):
        block += "9,9\n"  # a return alone may be half of a pair: blocks do not end in one
    rows = list(csv.reader(io.StringIO(block, newline="")))
    found = BlankLines()
    octets = block.encode()
    found.add(octets, 1, RecordCutter(",", '"'), meet=line_breaks(octets).meet, walked=walked)
    assert found.count == sum(not row for row in rows)


@pytest.mark.parametrize("max_memory", [None, 1])
def test_they_are_in_the_record_and_in_the_output(
    tmp_path: Path, max_memory: int | None, capsys: pytest.CaptureFixture[str]
) -> None:
    text = '\na,b\n\n1,"x\n\ny"\n\n\n' + "2,z\n" * 30_000 + "\n"
    (tmp_path / "t.csv").write_text(text)
    limit = ["--max-memory", str(max_memory)] if max_memory else []
    command = [str(tmp_path / "t.csv"), "--appdata", str(tmp_path / "ad"), *limit]
    assert main([*command, "--json"]) == 0
    assert "note: 5 blank lines skipped, the first at line 1" in capsys.readouterr().err
    assert main([*command, "--json", "--quiet"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["blank_lines"], told["rows"], told["reused"]) == (5, 30_001, True)


def test_with_one_column_they_are_rows(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a\n1\n\n2\n\n")
    with toolkit.convert_table(tmp_path / "t.csv", appdata=tmp_path / "ad") as dataset:
        assert dataset.to_arrow().read_all().to_pydict() == {"a": [1, None, 2, None]}
    (record,) = (tmp_path / "ad" / "sources").iterdir()
    assert json.loads(record.read_text())["blank_lines"] == 0


def test_of_several_files_they_are_added_up(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "1.csv").write_text("a,b\n1,2\n")
    (tmp_path / "in" / "2.csv").write_text("a,b\n1,2\n\n\n")
    toolkit.convert_table(tmp_path / "in", appdata=tmp_path / "ad").close()
    (record,) = (tmp_path / "ad" / "sources").iterdir()
    found = json.loads(record.read_text())
    assert (found["blank_lines"], found["notes"]) == (2, ["2 blank lines skipped, the first at line 3 of 2.csv"])
