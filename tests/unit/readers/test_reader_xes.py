"""XES event logs."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.source_reading import damaged, notes_of, open_source, read_or_refuse, read_rows, read_table
from toolkit.core.errors import BadInputError

HEAD = '<?xml version="1.0"?><log xes.version="1.0" xmlns="http://www.xes-standard.org/">'
CASE = '<string key="concept:name" value="NA"/>'


def log(folder: Path, body: str, head: str = HEAD, tail: str = "</log>", name: str = "t.xes") -> Path:
    path = folder / name
    path.write_text(head + body + tail, "utf-8")
    return path


def events(*attributes: str) -> str:
    """A case for each event with these attributes."""
    return "".join(f"<trace>{CASE}<event>{a}</event></trace>" for a in attributes)


def test_an_event_is_a_row_with_the_attributes_of_its_case(tmp_path: Path) -> None:
    body = (
        '<trace><string key="concept:name" value="1"/><int key="cost" value="5"/>'
        '<event><string key="concept:name" value="a"/></event>'
        '<event><date key="when" value="2020-01-01T01:00:00.5+01:00"/></event></trace>'
        '<trace><string key="concept:name" value="2"/><event><string key="concept:name" value="b"/></event></trace>'
    )
    when = dt.datetime(2020, 1, 1, 0, 0, 0, 500_000, dt.UTC)
    assert read_rows(log(tmp_path, body)) == [
        {"case:concept:name": "1", "case:cost": 5, "concept:name": "a", "when": None},
        {"case:concept:name": "1", "case:cost": 5, "concept:name": None, "when": when},
        {"case:concept:name": "2", "case:cost": None, "concept:name": "b", "when": None},
    ]


def test_a_case_whose_id_is_the_text_na_keeps_it(tmp_path: Path) -> None:
    path = log(tmp_path, events('<string key="a" value="NULL"/>', '<string key="a" value=""/>'))
    assert read_rows(path) == [{"case:concept:name": "NA", "a": "NULL"}, {"case:concept:name": "NA", "a": ""}]
    assert not any(c.infer for c in open_source(path).columns)


@pytest.mark.parametrize(
    ("attributes", "kind", "expected"),
    [
        (('<int key="a" value="5"/>', ""), pa.int64(), [5, None]),
        (('<int key="a" value="18446744073709551615"/>', '<int key="a" value="1"/>'), pa.uint64(), [2**64 - 1, 1]),
        (
            ('<int key="a" value="12345678901234567890123"/>', '<int key="a" value="-1"/>'),
            pa.decimal256(76, 0),
            [Decimal(12345678901234567890123), Decimal(-1)],
        ),
        (('<float key="a" value="1.5E3"/>', '<float key="a" value="INF"/>'), pa.float64(), [1500.0, float("inf")]),
        (('<float key="a" value="1e400"/>',), pa.string(), ["1e400"]),
        (('<int key="a" value="5"/>', '<float key="a" value="5.5"/>'), pa.float64(), [5.0, 5.5]),
        (('<int key="a" value="9007199254740993"/>', '<float key="a" value="5.5"/>'), pa.string(), None),
        (('<int key="a" value="05"/>', '<string key="a" value="x"/>'), pa.string(), ["05", "x"]),
        (('<int key="a" value="5x"/>', '<int key="a" value="6"/>'), pa.string(), ["5x", "6"]),
        (('<int key="a" value=""/>', '<int key="a" value="6"/>'), pa.int64(), [None, 6]),
        (('<boolean key="a" value="true"/>', '<boolean key="a" value="false"/>'), pa.bool_(), [True, False]),
        (('<id key="a" value="007"/>',), pa.string(), ["007"]),
        (('<date key="a" value="2020-01-01T00:00:00"/>',), pa.timestamp("us"), [dt.datetime(2020, 1, 1)]),  # noqa: DTZ001
        (
            ('<date key="a" value="2020-01-01T00:00:00"/>', '<date key="a" value="2020-01-01T00:00:00Z"/>'),
            pa.string(),
            ["2020-01-01T00:00:00", "2020-01-01T00:00:00Z"],
        ),
    ],
)
def test_the_types_are_those_of_the_tags(
    tmp_path: Path, attributes: tuple[str, ...], kind: pa.DataType, expected: list[Any] | None
) -> None:
    found = read_table(log(tmp_path, events(*attributes))).column("a")
    assert found.type == kind
    if expected is not None:
        assert found.to_pylist() == expected
    told = notes_of(tmp_path / "t.xes")
    plain = kind != pa.string() or attributes[0].startswith("<id")
    assert bool(told) != (plain and 'value=""' not in attributes[0])


def test_nanoseconds_are_kept(tmp_path: Path) -> None:
    path = log(tmp_path, events('<date key="a" value="2020-01-01T00:00:00.123456789Z"/>'))
    assert read_table(path).column("a").cast(pa.int64()).to_pylist() == [1577836800123456789]


def test_nested_attributes_are_flattened_and_lists_kept_as_text(tmp_path: Path) -> None:
    nested = (
        '<string key="a" value="x"><int key="n" value="5"/>'
        '<container key="c"><string key="z" value="w"/></container></string>'
        '<list key="l"><values><string key="k" value="1"/><string key="k" value="2"/></values></list>'
    )
    [row] = read_rows(log(tmp_path, events(nested)))
    assert {k: v for k, v in row.items() if k != "l"} == {"case:concept:name": "NA", "a": "x", "a.n": 5, "a.c.z": "w"}
    assert [(i["key"], i["value"]) for i in json.loads(row["l"])] == [("k", "1"), ("k", "2")]


def test_a_large_case_and_late_attributes_of_a_case(tmp_path: Path) -> None:
    late = '<trace><event><string key="a" value="x"/></event><string key="late" value="y"/></trace>'
    assert read_rows(log(tmp_path, late))[0]["case:late"] == "y"
    many = f"<trace>{CASE}" + '<event><string key="a" value="x"/></event>' * 5000
    small = read_table(log(tmp_path, many + "</trace>"), part_bytes=1 << 12)
    assert small.num_rows == 5000
    assert small.column("case:concept:name").unique().to_pylist() == ["NA"]
    with pytest.raises(BadInputError, match="behind its first events"):
        read_table(log(tmp_path, many + '<string key="late" value="y"/></trace>'), part_bytes=1 << 12)


def test_parts_do_not_change_the_table(tmp_path: Path) -> None:
    path = log(tmp_path, events(*(f'<int key="i" value="{i}"/><string key="k{i % 5}" value="v"/>' for i in range(900))))
    whole = read_table(path)
    source = open_source(path, part_bytes=1 << 12)
    assert len(list(source.parts())) > 5
    assert read_table(path, part_bytes=1 << 12).equals(whole)
    packed = tmp_path / "t.xes.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert read_table(packed).equals(whole)


def test_what_no_row_shows_is_told(tmp_path: Path) -> None:
    body = (
        '<global scope="event"><string key="gone" value="UNKNOWN"/></global>'
        f"<trace>{CASE}</trace>"
        + events('<string key="a" value="x"/>')
        + '<event><string key="a" value="loose"/></event>'
    )
    path = log(tmp_path, body)
    assert [r["case:concept:name"] for r in read_rows(path)] == ["NA", None]
    told = " ".join(notes_of(path))
    assert "1 of 2 cases have no event" in told
    assert "1 events belong to no case" in told
    assert "'gone'" in told


@pytest.mark.parametrize(
    ("body", "head", "problem"),
    [
        (events('<string key="a" value="&x;"/>'), '<!DOCTYPE log [<!ENTITY x "y">]><log>', "document type"),
        (events('<string key="a" value="&x;"/>'), '<!DOCTYPE log SYSTEM "file:///etc/passwd"><log>', "document type"),
        (events('<string key="a" value="&x;"/>'), HEAD, "line 1, character .*undefined entity"),
        ("<trace>\n<event>", HEAD, "line 2, character .*mismatched tag"),
        ("", HEAD, "without events"),
        ("", "<html>", "the document is a <html>"),
        (events('<string key="a"/>'), HEAD, "without a key or a value"),
        (events('<foo key="a"/>'), HEAD, "unknown element <foo>"),
        (events('<string key="a" value="1"/><string key="a" value="2"/>'), HEAD, "'a' occurs twice in one event"),
        (events('<string key="a" value="1"/><int key="a" value="2"/>'), HEAD, "event 1 has two values for 'a'"),
        (events('<string key="case:concept:name" value="1"/>'), HEAD, "both lead to a column 'case:concept:name'"),
        (events('<string key="a" value="1">' * 40), HEAD, "nested more than 32 deep"),
        (events('<list key="a">' * 40), HEAD, "nested more than 32 deep"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, body: str, head: str, problem: str) -> None:
    with pytest.raises(BadInputError, match=problem):
        read_table(log(tmp_path, body, head, "</html>" if "html" in head else "</log>"))


def test_a_billion_laughs_are_not_told(tmp_path: Path) -> None:
    entities = '<!ENTITY e0 "ha">' + "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 20))
    with pytest.raises(BadInputError, match="document type"):
        open_source(log(tmp_path, events('<string key="a" value="&e19;"/>'), f"<!DOCTYPE log [{entities}]><log>"))


def test_encodings_are_those_of_the_declaration(tmp_path: Path) -> None:
    for encoding in ("ISO-8859-1", "UTF-16", "UTF-8"):
        path = tmp_path / "t.xes"
        event = '<string key="a" value="é"/>'
        body = f'<?xml version="1.0" encoding="{encoding}"?><log>{events(event)}</log>'
        path.write_bytes(body.encode(encoding))
        assert read_rows(path)[0]["a"] == "é"


def test_logs_are_known_by_their_content(tmp_path: Path) -> None:
    path = log(tmp_path, events('<string key="a" value="x"/>'), "<!-- made by hand -->\n" + HEAD[21:], name="data.xml")
    assert len(read_rows(path)) == 1


def test_damaged_files_are_read_or_refused(tmp_path: Path) -> None:
    path = log(tmp_path, events(*(f'<int key="i" value="{i}"/><float key="f" value="{i / 3}"/>' for i in range(60))))
    assert sum(read_or_refuse(tmp_path / "d.xes", damaged(path.read_bytes(), 150, seed=3))) == 150
