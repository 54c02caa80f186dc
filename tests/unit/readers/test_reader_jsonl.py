"""JSON lines, and arrays of objects."""

from __future__ import annotations

import bz2
import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.source_reading import damaged, notes_of, open_source, read_or_refuse, read_rows, read_table
from toolkit.core.errors import BadInputError
from toolkit.readers.base import ReadOptions, find_reader


def put(folder: Path, text: str | bytes, name: str = "t.jsonl") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def column(folder: Path, *values: str) -> pa.ChunkedArray:
    """The column of these JSON values."""
    return read_table(put(folder, "".join(f'{{"a":{v}}}\n' for v in values))).column("a")


def test_objects_become_rows_and_nested_ones_are_flattened(tmp_path: Path) -> None:
    path = put(tmp_path, '{"a":1,"n":{"x":true,"y":{"z":"t"}}}\r\n\n  \n{"b":"x","n":null}')
    assert read_rows(path) == [
        {"a": 1, "n.x": True, "n.y.z": "t", "b": None},
        {"a": None, "n.x": None, "n.y.z": None, "b": "x"},
    ]


def test_a_key_of_the_last_line_is_a_column(tmp_path: Path) -> None:
    lines = ['{"a":1}'] * 300_000 + ['{"a":2,"late":"here"}']
    table = read_table(put(tmp_path, "\n".join(lines)), part_bytes=1 << 18)
    assert table.column_names == ["a", "late"]
    assert table.num_rows == 300_001
    assert table.column("late").null_count == 300_000
    assert table.column("late")[-1].as_py() == "here"


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        (("1", "-2", "null"), pa.int64(), [1, -2, None]),
        (("18446744073709551615", "0"), pa.uint64(), [2**64 - 1, 0]),
        (("12345678901234567890123", "-1"), pa.decimal256(76, 0), [Decimal(12345678901234567890123), Decimal(-1)]),
        (("9" * 80, "1"), pa.string(), ["9" * 80, "1"]),
        (("1", "2.5"), pa.float64(), [1.0, 2.5]),
        (("9007199254740994", "2.5"), pa.float64(), [9007199254740994.0, 2.5]),
        (("9007199254740993", "2.5"), pa.string(), ["9007199254740993", "2.5"]),
        (("true", "false"), pa.bool_(), [True, False]),
        (("true", "1"), pa.string(), ["true", "1"]),
        (('"007"', '"NA"', '""'), pa.string(), ["007", "NA", ""]),
        (('"x"', "1", "2.5", "null", "[1]"), pa.string(), ["x", "1", "2.5", None, "[1]"]),
        (("[1, 2.0]", '["é", null]'), pa.string(), ["[1,2.0]", '["é",null]']),
        (("{}", "null"), pa.string(), ["{}", None]),
        (('{"b":1}', "5"), pa.string(), ['{"b":1}', "5"]),
        (("null", "null"), pa.null(), [None, None]),
        (("NaN", "-Infinity"), pa.float64(), None),
        (("0.1", "1e-320", "-0.0"), pa.float64(), [0.1, 1e-320, -0.0]),
    ],
)
def test_a_column_has_the_type_that_holds_all_its_values(
    tmp_path: Path, values: tuple[str, ...], kind: pa.DataType, expected: list[Any] | None
) -> None:
    found = column(tmp_path, *values)
    assert found.type == kind
    if expected is not None:
        assert found.to_pylist() == expected


def test_a_type_that_changes_in_the_last_row_is_found(tmp_path: Path) -> None:
    values = ["1"] * 200_000
    assert column(tmp_path, *values, '"x"').to_pylist() == [*values, "x"]
    assert "200,000 number, 1 string" in notes_of(tmp_path / "t.jsonl")[0]


def test_text_of_dates_is_given_to_the_converter_and_other_text_is_not(tmp_path: Path) -> None:
    path = put(tmp_path, '{"d":"2024-01-31","t":"2024-01-31T00:00:00.5+02:00","s":"2024-01","n":"12"}\n')
    assert [(c.name, c.infer) for c in open_source(path).columns] == [
        ("d", True),
        ("t", True),
        ("s", False),
        ("n", False),
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"a":1}\n{"a":', "line 2, character 6"),
        ('{"a":1}\n\n[1]\n', "line 3: a JSON array"),
        ('{"a":1} {"a":2}', "line 1, character 9"),
        ('{"a":1,\n"b":2}', "line 1, character 8"),
        ('{"a":1,"a":2}', "line 1: the key 'a' occurs twice"),
        ('{"a":1e400}', "line 1: the number 1e400 is too large"),
        (f'{{"a":{"9" * 5000}}}', "4,300 digits"),
        ('{"a":"\\ud800"}', "line 1: half a surrogate"),
        (b'{"a":"x\xff"}', "byte 7: 0xff is not UTF-8"),
        ('{"a":' + "[" * 100_000, "nested too deeply"),
        ("", "has no records"),
        ("{}\n{}", "no keys"),
        ('{"a.b":1,"a":{"b":2}}', r"\['a.b'\] and \['a', 'b'\] both lead to a column 'a.b'"),
        ('[{"a":1},{"a":2}', "record 2: the array is not closed"),
        ('[{"a":1} {"a":2}]', "record 2: no comma"),
        ('[{"a":1},{"a":tru}]', "record 2: character 6"),
        ('[{"a":1}] x', "behind the end"),
        ("[1]", "record 1: a JSON number"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, text: str | bytes, problem: str) -> None:
    with pytest.raises(BadInputError, match=problem):
        read_table(put(tmp_path, text))


def test_an_object_with_ever_new_keys_is_refused_with_the_limit(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="20,001 columns; at most 20,000"):
        open_source(put(tmp_path, "\n".join(f'{{"k{i}":1}}' for i in range(21_000))))


def test_a_wide_sparse_table_comes_in_parts_of_few_rows(tmp_path: Path) -> None:
    path = put(tmp_path, "\n".join(f'{{"k{i % 4000}":1}}' for i in range(8000)))
    source = open_source(path, part_bytes=16 << 20)
    assert max(source.parse(p, [0]).num_rows for p in source.parts()) < 2000


def test_compressed_and_other_encodings_and_arrays_give_the_same(tmp_path: Path) -> None:
    text = '{"a":"ä","b":1}\n{"a":"ö","b":null}\n'
    expected = [{"a": "ä", "b": 1}, {"a": "ö", "b": None}]
    assert read_rows(put(tmp_path, gzip.compress(text.encode()), "t.jsonl.gz")) == expected
    assert read_rows(put(tmp_path, bz2.compress(text.encode()), "t.ndjson.bz2")) == expected
    assert read_rows(put(tmp_path, "\ufeff" + text)) == expected
    assert read_rows(put(tmp_path, text.encode("utf-16"))) == expected
    assert read_rows(put(tmp_path, text.encode("latin-1")), encoding="latin-1") == expected
    array = "[\n" + ",\n".join(json.dumps(r, indent=1) for r in expected) + "\n]\n"
    for size in (1 << 20, 16):
        assert read_rows(put(tmp_path, array, "t.json"), part_bytes=size) == expected


def test_json_lines_are_known_by_their_content(tmp_path: Path) -> None:
    assert read_rows(put(tmp_path, '{"a":1}\n', "data.txt")) == [{"a": 1}]
    assert read_rows(put(tmp_path, "a\n1\n", "data.csv")) == [{"a": "1"}]


leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**25), 10**25),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.lists(st.integers(0, 3), max_size=2),
)
records = st.dictionaries(st.sampled_from("abc"), st.one_of(leaves, st.dictionaries(st.sampled_from("xy"), leaves)))


@given(st.lists(records, min_size=1, max_size=12))
def test_every_value_can_be_had_back(tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]]) -> None:
    path = put(tmp_path_factory.mktemp("json"), "\n".join(json.dumps(r) for r in rows))
    if not any(rows):
        with pytest.raises(BadInputError):
            read_rows(path)
        return
    for whole in (1 << 20, 8):
        for expected, found in zip(rows, read_rows(path, part_bytes=whole), strict=True):
            for name, value in found.items():
                outer, _, inner = name.partition(".")
                given_value = expected.get(outer)
                if inner:
                    given_value = given_value.get(inner) if isinstance(given_value, dict) else None
                assert same(value, given_value), (name, value, given_value)


def same(found: Any, expected: Any) -> bool:
    """Whether a value of the table stands for a JSON value: as itself, or as its text."""
    if expected is None or found is None:
        return found is expected
    if isinstance(found, str) and not isinstance(expected, str):
        return bool(json.loads(found) == expected)
    return bool(found == expected)


def test_damaged_files_are_read_or_refused(tmp_path: Path) -> None:
    text = "".join(json.dumps({"i": i, "f": i / 3, "s": f"é{i}", "n": {"l": [i]}}) + "\n" for i in range(200))
    assert sum(read_or_refuse(tmp_path / "d.jsonl", damaged(text.encode(), 120, seed=2))) == 120


def test_bad_records_go_into_quarantine_whole_and_with_their_lines(tmp_path: Path) -> None:
    text = '{"a":1,"b":"x"}\nnonsense\n{"a":2}\n[3]\n{"a":4,"b":"y","b":"z"}\n{"a":5}{"a":6}\n{"a":7}\n'
    reader = find_reader(tmp_path / "t.jsonl", b"")
    for names in (["a", "b"], ["a"]):
        source = reader.open(put(tmp_path, text), ReadOptions(quarantine=True))
        wanted = [i for i, c in enumerate(source.columns) if c.name in names]
        [part] = source.parts()
        assert source.parse(part, wanted).column(0).to_pylist() == [1, 2, 7]
        assert [(r.line, r.record.decode()) for r in part.rejected] == [
            (2, "nonsense"),
            (4, "[3]"),
            (5, '{"a":4,"b":"y","b":"z"}'),
            (6, '{"a":5}{"a":6}'),
        ]
        assert "occurs twice" in part.rejected[2].reason
