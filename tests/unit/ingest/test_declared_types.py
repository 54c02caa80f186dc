"""Types that a person declares: held to, or refused with the value that contradicts them."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.unit.ingest.table_truth import tree
from toolkit import convert_table
from toolkit.core.errors import BadInputError

TEXT = "zip,amount,when,flag,note\n" + "".join(
    f"{i:05d},{i}.{i % 100:02d},2020-01-{1 + i % 28:02d},{'true' if i % 2 else 'false'},n{i % 3}\n" for i in range(3000)
)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "t.csv").write_text(TEXT)
    return tmp_path / "t.csv"


def column(source: Any, tmp_path: Path, name: str, kind: str, **how: Any) -> tuple[str, list[Any]]:
    dataset = convert_table(source, appdata=tmp_path / "ad", types={name: kind}, **how)
    return dataset.schema[name].kind, dataset.to_arrow([name]).read_all()[name].to_pylist()


@pytest.mark.parametrize("max_memory", [None, 1])
def test_declared_types_win(source: Path, tmp_path: Path, max_memory: int | None) -> None:
    how = {"max_memory": max_memory}
    assert column(source, tmp_path, "zip", "string", **how)[1][7] == "00007"
    assert column(source, tmp_path, "flag", "string", **how) == (
        "string",
        ["true" if i % 2 else "false" for i in range(3000)],
    )
    kind, values = column(source, tmp_path, "when", "timestamp", **how)
    assert (kind, values[1]) == ("timestamp", dt.datetime.fromisoformat("2020-01-02"))
    assert column(source, tmp_path, "note", "string", **how)[0] == "string"


def test_decimals_are_exact_and_have_one_number_of_places(tmp_path: Path) -> None:
    values = ["1.5", "-0.0", "12345678901234567890.123", "7", "", "NA", "-2.25"]
    (tmp_path / "t.csv").write_text("id,m\n" + "".join(f"{i},{v}\n" for i, v in enumerate(values)))
    kind, got = column(tmp_path / "t.csv", tmp_path, "m", "decimal")
    assert kind == "decimal"
    assert got == ["1.500", "0.000", "12345678901234567890.123", "7.000", None, None, "-2.250"]


def test_decimals_of_a_csv_and_of_parquet_are_one_column(tmp_path: Path) -> None:
    numbers = [Decimal(i) / 8 for i in range(2000)]
    (tmp_path / "t.csv").write_text("m\n" + "".join(f"{n}\n" for n in numbers))
    from_csv = convert_table(tmp_path / "t.csv", appdata=tmp_path / "a", types={"m": "decimal"}, max_memory=1)
    typed = pa.table({"m": pa.array(numbers, pa.decimal128(20, 3))})
    assert tree(convert_table(typed, appdata=tmp_path / "b").location) == tree(from_csv.location)


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("note", "int", "column 'note' is declared as int, but row 1 from line 2 on has 'n0'"),
        ("amount", "int", "row 1 from line 2 on has '0.00'"),
        ("when", "bool", "has '2020-01-01'"),
        ("zip", "int", "has '00000'"),
        ("zip", "number", "unknown type 'number'"),
        ("absent", "int", "has no column 'absent'"),
    ],
)
def test_a_value_that_contradicts_is_named(name: str, kind: str, said: str, source: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInputError) as caught:
        column(source, tmp_path, name, kind)
    assert said in str(caught.value)
    assert not list((tmp_path / "ad").rglob("zarr.json"))


def test_the_line_of_a_value_far_down_is_named(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a\n" + "1\n" * 5000 + "x\n" + "1\n" * 10)
    with pytest.raises(BadInputError, match="row 5001 from line 2 on has 'x'"):
        column(tmp_path / "t.csv", tmp_path, "a", "int")


@pytest.mark.parametrize(
    ("values", "kind", "want"),
    [
        ([1, None, 3], "string", ["1", None, "3"]),
        ([1, None, 3], "float", [1.0, None, 3.0]),
        (["1", "NA", None], "int", [1, None, None]),
        ([dt.date(2020, 1, 2)], "timestamp", [dt.datetime.fromisoformat("2020-01-02")]),
        ([True, False], "string", ["true", "false"]),
    ],
)
def test_columns_of_a_frame_can_be_declared_too(values: list[Any], kind: str, want: list[Any], tmp_path: Path) -> None:
    table = pa.table({"a": values, "b": list(range(len(values)))})
    assert column(table, tmp_path, "a", kind) == (kind, want)


def test_a_frame_that_contradicts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="the frame: column 'a' is declared as int"):
        column(pa.table({"a": [1.5]}), tmp_path, "a", "int")
    with pytest.raises(BadInputError, match="is binary"):
        column(pa.table({"a": [b"x"]}), tmp_path, "a", "int")


def test_the_record_says_what_was_found_and_why(source: Path, tmp_path: Path) -> None:
    convert_table(source, appdata=tmp_path / "ad", types={"amount": "decimal"})
    (path,) = (tmp_path / "ad" / "sources").iterdir()
    record = json.loads(path.read_text())
    kinds = {t["column"]: t["kind"] for t in record["types"]}
    assert kinds == {"zip": "string", "amount": "decimal", "when": "date", "flag": "bool", "note": "string"}
    assert all(t["why"] for t in record["types"])
    assert record["options"]["delimiter"] == ","
    assert (record["name"], record["rows"], record["size"]) == ("t.csv", 3000, len(TEXT))
