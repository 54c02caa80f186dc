"""Real tables against other readers of them, and against the figures that their publishers state."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.unit.ingest.table_truth import check_table, raw_text, tree
from toolkit import convert_table
from toolkit.core.errors import BadInputError
from toolkit.storage.dataset import Dataset

SPECTRUM = [
    "comma_in_quotes", "empty", "empty_crlf", "escaped_quotes", "json", "newlines", "newlines_crlf",
    "quotes_and_newlines", "simple", "simple_crlf", "utf8",
]  # fmt: skip
TABLES = [
    "tables/hflights.csv.gz", "benford/corporate.payment.csv.gz", "eventlogs/receipt.csv.gz",
    "eventlogs/roadtraffic100traces.csv", "eventlogs/running-example.csv", "survival/rossi.csv", "survival/lung.csv",
    "survival/larynx.csv", "survival/dd.csv", "survival/waltons_dataset.csv",
]  # fmt: skip
PARQUET = [
    "alltypes_plain", "alltypes_plain.snappy", "alltypes_tiny_pages", "alltypes_tiny_pages_plain", "int64_decimal",
    "nulls.snappy", "pedestrian",
]  # fmt: skip
NESTED = {
    "datapage_v2.snappy": "'e'", "list_columns": "'int64_list'", "nested_maps.snappy": "'a'",
}  # fmt: skip


@pytest.mark.parametrize("name", SPECTRUM)
def test_csv_spectrum_parses_as_its_json_says(name: str, real_data: Path, tmp_path: Path) -> None:
    data = (real_data / "csv_nasty/csv-spectrum-csvs" / f"{name}.csv").read_bytes()
    truth = json.loads((real_data / "csv_nasty/csv-spectrum-json" / f"{name}.json").read_text("utf-8"))
    if name.endswith("_crlf"):
        # stored with plain newlines; the JSON knows the pairs that were there
        data = data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    source = tmp_path / f"{name}.csv"
    source.write_bytes(data)
    dataset = convert_table(source, appdata=tmp_path / "ad", types=dict.fromkeys(truth[0], "string"))
    rows = dataset.to_arrow().read_all().to_pylist()
    assert [{k: v or "" for k, v in row.items()} for row in rows] == truth


@pytest.mark.parametrize("name", TABLES)
def test_tables_equal_what_pandas_reads(name: str, real_data: Path, tmp_path: Path) -> None:
    dataset = convert_table(real_data / name, appdata=tmp_path)
    raw = raw_text(real_data / name)
    check_table(dataset, raw.rename(columns={"Unnamed: 0": "column_1"}))


def test_hflights_has_its_published_missing_counts(real_data: Path, tmp_path: Path) -> None:
    dataset = convert_table(real_data / "tables/hflights.csv.gz", appdata=tmp_path)
    assert (dataset.rows, len(dataset.schema)) == (227_496, 21)
    wanted = {"ArrDelay": 3622, "DepDelay": 2905, "ArrTime": 3066, "TaxiIn": 3066, "TaxiOut": 2947}
    missing = {n: sum(int((~c.valid(n)).sum()) for c in dataset.chunks([n])) for n in wanted}
    assert missing == wanted


def test_corporate_payments_count_the_amounts_that_are_positive(real_data: Path, tmp_path: Path) -> None:
    dataset = convert_table(real_data / "benford/corporate.payment.csv.gz", appdata=tmp_path)
    amounts = [c for c in dataset.schema if c.kind == "float"]
    assert [c.name for c in amounts] == ["Amount"]
    counted = sum(int((c["Amount"] > 0).sum()) for c in dataset.chunks(["Amount"]))
    assert (dataset.rows, counted) == (189_470, 185_083)


@pytest.mark.parametrize("name", PARQUET)
def test_parquet_equals_what_arrow_reads(name: str, real_data: Path, tmp_path: Path) -> None:
    path = real_data / "parquet" / f"{name}.parquet"
    dataset = convert_table(path, appdata=tmp_path)
    want = pq.read_table(path)
    while any(pa.types.is_struct(f.type) for f in want.schema):
        want = want.flatten()
    got = dataset.to_arrow().read_all()
    assert got.column_names == want.column_names
    for column in want.column_names:
        ours, theirs = got[column].to_pylist(), want[column].to_pylist()
        if pa.types.is_decimal(want[column].type):
            theirs = [None if v is None else f"{v:f}" for v in theirs]
        assert ours == theirs, column


@pytest.mark.parametrize("name", NESTED)
def test_nested_parquet_is_refused_by_the_columns_name(name: str, real_data: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=NESTED[name]) as caught:
        convert_table(real_data / "parquet" / f"{name}.parquet", appdata=tmp_path)
    assert f"{name}.parquet" in str(caught.value)
    assert not list(tmp_path.rglob("*.json"))


def test_plain_columns_beside_nested_ones_can_be_taken(real_data: Path, tmp_path: Path) -> None:
    path = real_data / "parquet/datapage_v2.snappy.parquet"
    dataset = convert_table(path, appdata=tmp_path, columns=["a", "b", "c", "d"])
    want = pq.read_table(path, columns=["a", "b", "c", "d"])
    assert dataset.to_arrow().read_all().to_pylist() == want.to_pylist()


def converted(source: Any, folder: Path, **how: Any) -> Dataset:
    return convert_table(source, appdata=folder, **how)


@pytest.mark.slow
def test_baby_names_lead_to_one_store_however_they_are_read(real_data: Path, tmp_path: Path) -> None:
    """1.7 million rows: as CSV, plain and compressed, as Parquet, as a frame, by one thread or two, in large parts or
    small."""
    source = real_data / "tables/names_1880_2010.csv.gz"
    first = converted(source, tmp_path / "gz", workers=2)
    assert first.rows == 1_690_784
    births = [c for c in first.schema.names if c.lower() in ("births", "n", "count")]
    assert sum(int(c.raw(births[0]).sum(dtype=np.int64)) for c in first.chunks(births)) == 322_402_727
    check_table(first, raw_text(source))

    plain = tmp_path / "names.csv"
    plain.write_bytes(gzip.decompress(source.read_bytes()))
    frame = pd.read_csv(plain, keep_default_na=False)
    frame.to_parquet(tmp_path / "names.parquet", index=False)
    others = [
        converted(plain, tmp_path / "one", workers=1),
        converted(plain, tmp_path / "small", workers=2, max_memory=20 << 20),
        converted(tmp_path / "names.parquet", tmp_path / "parquet", workers=2),
        converted(frame, tmp_path / "frame", workers=1),
    ]
    want = tree(first.location)
    for other in others:
        assert other.key == first.key
        assert tree(other.location) == want


FRICTIONLESS_ERRORS = {
    "capital-invalid.csv": "line 10: 2 fields where the header has 3",
    "chunk2.headless.csv": "column names and no rows",
    "chunk3.csv": "column names and no rows",
    "countries.csv": "line 2: 4 fields where the header has 1",
    "country-2.csv": "line 2: 4 fields where the header has 1",
    "defective-rows.csv": "line 2: 2 fields where the header has 3",
    "dialect.csv": "line 3: 3 fields where the header has 2",
    "empty.csv": "is empty",
    "implicit-zip.csv": "NUL byte",
    "invalid.csv": "line 2: 2 fields where the header has 4",
    "issue-1004-data1.csv": "line 3: 5 fields where the header has 4",
    "issue-1004-data2.csv": "line 2: 2 fields where the header has 4",
    "latin1.csv": "line 3, byte 20: 0xa9 is not UTF-8",
    "matrix-with-comment.csv": "line 2: 4 fields where the header has 1",
    "schema-errors.csv": "line 5: 6 fields where the header has 3",
    "skip-blank-at-the-end.csv": "line 2: 1 field where the header has 2",
    "skip-rows-before-headers.csv": "line 2: 2 fields where the header has 1",
    "skip-rows.csv": "line 2: 2 fields where the header has 1",
    "structure-errors.csv": "line 5: 6 fields where the header has 3",
    "table-infer-iso-8859-7.csv": "line 2, byte 17: 0xcb is not UTF-8",
    "without-headers-extra.csv": "line 3: 3 fields where the header has 2",
    "without-rows.csv": "column names and no rows",
}
FRICTIONLESS_DIALECTS: dict[str, dict[str, Any]] = {
    name: {"delimiter": ";"}
    for name in ["accent.csv", "delimiter.csv", "issue-1009-semicolon.csv", "issue-1100.csv", "issue-1105-timezone.csv",
                 "issue-1138.csv", "issue-1232.csv", "table-delimiter.csv", "table-with-accents.csv", "vix.csv"]
} | {
    "escaping.csv": {"skipinitialspace": True, "escapechar": "\\"},
    "issue-1109.csv": {"skipinitialspace": True},
    "table.csv": {"delimiter": "|"},
}  # fmt: skip
FRICTIONLESS_ENCODINGS = {"table-with-accents.csv": "latin-1"}
FRICTIONLESS_NAMES = {
    "blank-headers.csv": ["id", "column_2", "age"],
    "duplicate-column.csv": ["A", "B", "B_2", "C"],
    "duplicate-headers.csv": ["id", "name", "id_2", "age", "id_3"],
    "issue-1138.csv": ["Zeit [MEZ]", "Wasserstand", "Status", "column_4"],
}


def test_every_frictionless_csv_is_right_or_refused(real_data: Path, tmp_path: Path) -> None:
    """Judged by Python's csv module, with the dialects and faults that a person finds in these files."""
    files = sorted((real_data / "csv_nasty/frictionless").glob("*.csv"))
    assert len(files) >= 108
    for path in files:
        if path.name in FRICTIONLESS_ERRORS:
            with pytest.raises(BadInputError) as caught:
                convert_table(path, appdata=tmp_path)
            assert FRICTIONLESS_ERRORS[path.name] in str(caught.value)
            assert path.name in str(caught.value)
            continue
        data = path.read_bytes()
        encoding = FRICTIONLESS_ENCODINGS.get(path.name, "utf-8-sig")
        text = (gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data).decode(encoding)
        rows = list(csv.reader(io.StringIO(text, newline=""), **FRICTIONLESS_DIALECTS.get(path.name, {})))
        header, body = rows[0], [r for r in rows[1:] if r]
        names = FRICTIONLESS_NAMES.get(path.name, header)
        raw = pd.DataFrame(body, columns=range(len(header)), dtype=object)
        dataset = convert_table(path, appdata=tmp_path)
        frame = raw.mask(raw == "")
        frame.columns = pd.Index(names)
        for spec in dataset.schema:
            if spec.kind != "string":
                frame[spec.name] = frame[spec.name].str.strip()
        check_table(dataset, frame)
