"""Several files as one table."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.source_reading import Rows, read_parts
from toolkit.core.errors import BadInputError
from toolkit.readers.base import ReadAgain, ReadOptions, Source
from toolkit.readers.many import ManySource, open_files, source_files


def put(folder: Path, **contents: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in contents.items():
        (folder / name.replace("__", ".")).write_text(text)
    return folder


def opened(given: str | Path, **options: int | bool) -> Source:
    return open_files(source_files(given), ReadOptions(**options))[1]  # type: ignore[arg-type]


def rows_of(given: str | Path, **options: int | bool) -> Rows:
    source = opened(given, **options)
    return pa.concat_tables(read_parts(source), promote_options="permissive").to_pylist()


def test_a_folder_a_pattern_and_a_file(tmp_path: Path) -> None:
    put(tmp_path / "t", b__csv="x\n2\n", a__csv="x\n1\n", _SUCCESS="", __hidden="")
    put(tmp_path / "t/deeper", c__csv="x\n3\n")
    names = [p.relative_to(tmp_path).as_posix() for p in source_files(tmp_path / "t")]
    assert names == ["t/a.csv", "t/b.csv", "t/deeper/c.csv"]
    assert [r["x"] for r in rows_of(tmp_path / "t")] == ["1", "2", "3"]
    assert [r["x"] for r in rows_of(f"{tmp_path}/t/*.csv")] == ["1", "2"]
    assert [r["x"] for r in rows_of(f"{tmp_path}/**/*.csv")] == ["1", "2", "3"]
    single = opened(tmp_path / "t/b.csv")
    assert not isinstance(single, ManySource)
    odd = put(tmp_path / "odd", **{"a[1]__csv": "x\n9\n"})
    assert [r["x"] for r in rows_of(odd / "a[1].csv")] == ["9"]


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="no such file"):
        source_files(tmp_path / "nope.csv")
    with pytest.raises(BadInputError, match="no file is named like that"):
        source_files(str(tmp_path / "*.csv"))
    with pytest.raises(BadInputError, match="a folder without files"):
        source_files(tmp_path)


def test_columns_are_matched_by_name(tmp_path: Path) -> None:
    put(tmp_path, a__csv="x,y\n1,2\n", b__csv="y,x\n3,4\n")
    assert rows_of(tmp_path) == [{"x": "1", "y": "2"}, {"x": "4", "y": "3"}]


@pytest.mark.parametrize(
    ("first", "second", "problem"),
    [("x,y\n1,2\n", "x\n1\n", r"b\.csv has no column 'y'"), ("x\n1\n", "x,z\n1,2\n", r"b\.csv has a column 'z'")],
)
def test_files_of_another_schema_are_refused(tmp_path: Path, first: str, second: str, problem: str) -> None:
    with pytest.raises(BadInputError, match=problem):
        opened(put(tmp_path, a__csv=first, b__csv=second))


def test_files_of_another_format_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"a\.csv is read as delimited, but .*b\.jsonl as jsonl"):
        opened(put(tmp_path, a__csv="x\n1\n", b__jsonl='{"x":1}'))
    with pytest.raises(BadInputError, match=r"README\.md: the format is not known"):
        opened(put(tmp_path / "r", a__csv="x\n1\n", README__md="hello"))


def test_a_key_that_a_file_of_objects_lacks_is_a_missing_value(tmp_path: Path) -> None:
    put(tmp_path, a__jsonl='{"x":1,"t":"2020-01-01"}', b__jsonl='{"x":1.5,"z":true}\n{"t":"soon"}')
    assert rows_of(tmp_path) == [
        {"x": 1.0, "t": "2020-01-01", "z": None},
        {"x": 1.5, "t": None, "z": True},
        {"x": None, "t": "soon", "z": None},
    ]
    assert [(c.name, c.infer) for c in opened(tmp_path).columns] == [("x", False), ("t", False), ("z", False)]


def test_dates_in_all_files_are_left_to_the_converter(tmp_path: Path) -> None:
    put(tmp_path, a__jsonl='{"x":1,"t":"2020-01-01"}', b__jsonl='{"x":2,"t":"2021-01-01"}', c__jsonl='{"x":2}')
    source = opened(tmp_path)
    assert [c.infer for c in source.columns] == [False, True]
    assert {str(t.schema.field("t").type) for t in read_parts(source)} == {"string"}


@pytest.mark.parametrize(
    ("first", "second", "problem"),
    [
        ("1", '"s"', "'x' is int in .*a.jsonl, but string in .*b.jsonl"),
        ("true", "1", "'x' is bool in .*a.jsonl, but int in .*b.jsonl"),
        ('"2020-01-01"', "1", "'x' is text to be typed in .*, but int in"),
        ("9007199254740993", "1.5", "fractions in one file and large integers in another"),
    ],
)
def test_values_that_differ_in_type_are_refused(tmp_path: Path, first: str, second: str, problem: str) -> None:
    with pytest.raises(BadInputError, match=problem):
        rows_of(put(tmp_path, a__jsonl=f'{{"x":{first}}}', b__jsonl=f'{{"x":{second}}}'))


def test_widths_of_integers_may_differ(tmp_path: Path) -> None:
    for name, kind in (("a", pa.int8()), ("b", pa.uint64())):
        pq.write_table(pa.table({"x": pa.array([1], kind)}), tmp_path / f"{name}.parquet")
    assert rows_of(tmp_path) == [{"x": 1}, {"x": 1}]


def test_part_numbers_and_bytes_go_on_from_file_to_file(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / f"{name}.csv.gz").write_bytes(gzip.compress(("x\n" + "7\n" * 5000).encode()))
    source = opened(tmp_path, part_bytes=1 << 12)
    numbers = [p.index for p in source.parts()]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) > 6
    done, whole = source.progress()
    assert done == whole == sum(p.stat().st_size for p in tmp_path.iterdir())


def test_sources_that_have_to_be_read_again_are_so_once(tmp_path: Path) -> None:
    put(tmp_path, a__csv='x,y\n1,5" pipe\n', b__csv='x,y\n2,"6"" pipe"\n3,4" x\n', c__csv='x,y\n4,7" a\n')
    source = opened(tmp_path)
    with pytest.raises(ReadAgain):
        read_parts(source)
    assert [r["y"] for t in read_parts(source) for r in t.to_pylist()] == ['5" pipe', '6" pipe', '4" x', '7" a']


def test_the_fingerprint_is_over_names_and_contents(tmp_path: Path) -> None:
    def fingerprint(folder: Path) -> str:
        source = opened(folder)
        read_parts(source)
        return source.fingerprint()

    first = fingerprint(put(tmp_path / "1", a__csv="x\n1\n", b__csv="x\n2\n"))
    assert fingerprint(put(tmp_path / "2", a__csv="x\n1\n", b__csv="x\n2\n")) == first
    assert fingerprint(put(tmp_path / "3", a__csv="x\n1\n", b__csv="x\n3\n")) != first
    assert fingerprint(put(tmp_path / "4", a__csv="x\n1\n", c__csv="x\n2\n")) != first


def test_errors_and_quarantined_records_name_their_file(tmp_path: Path) -> None:
    put(tmp_path, a__jsonl='{"x":1}', b__jsonl='{"x":2}\nbad\n')
    with pytest.raises(BadInputError, match=r"b\.jsonl: line 2"):
        opened(tmp_path)
    source = opened(tmp_path, quarantine=True)
    parts = list(source.parts())
    assert [source.parse(p, [0]).num_rows for p in parts] == [1, 1]
    assert [(r.line, r.record) for r in parts[1].rejected] == [(2, b"bad")]
    assert parts[1].rejected[0].reason.startswith("b.jsonl: ")


def test_notes_name_their_file_and_are_not_endless(tmp_path: Path) -> None:
    for number in range(40):
        (tmp_path / f"{number:02}.jsonl").write_text(json.dumps({"x": [1]}))
    notes = opened(tmp_path).notes
    assert notes[0].startswith("00.jsonl: ")
    assert len(notes) < 30
