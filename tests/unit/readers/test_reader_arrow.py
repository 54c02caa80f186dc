"""Arrow IPC files and streams."""

from __future__ import annotations

import gzip
import hashlib
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.feather
import pytest

from tests.source_reading import damaged, open_source, read_or_refuse, read_table
from toolkit.core.errors import BadInputError
from toolkit.ingest.arrow_types import typed

ROWS = 2500
FLAT = pa.table(
    {
        "whole": pa.array(range(ROWS), pa.int64()),
        "text": pa.array([None if i % 7 == 0 else f"é{i % 13}" for i in range(ROWS)]),
        "coded": pa.array([f"k{i % 3}" for i in range(ROWS)]).dictionary_encode(),
        "exact": pa.array([Decimal(i) / 4 for i in range(ROWS)], pa.decimal128(20, 2)),
        "large": pa.array([2**63 + i for i in range(ROWS)], pa.uint64()),
        "when": pa.array(range(ROWS), pa.timestamp("ms", "Europe/Berlin")),
    }
)


def write_file(path: Path, table: pa.Table, rows: int = 1000) -> Path:
    with pa.OSFile(str(path), "wb") as stream, pa.ipc.new_file(stream, table.schema) as writer:
        writer.write_table(table, max_chunksize=rows)
    return path


def write_stream(path: Path, table: pa.Table, rows: int = 1000) -> Path:
    with pa.OSFile(str(path), "wb") as stream, pa.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table, max_chunksize=rows)
    return path


def compressed(path: Path) -> Path:
    packed = path.with_name(path.name + ".gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    return packed


def every_layout(folder: Path) -> list[Path]:
    file, stream = write_file(folder / "t.arrow", FLAT), write_stream(folder / "t.arrows", FLAT)
    feather = folder / "t.feather"
    pa.feather.write_feather(FLAT, str(feather), compression="zstd", chunksize=700)
    return [file, stream, feather, compressed(file), compressed(stream), compressed(feather)]


def test_every_layout_gives_the_table_that_was_written(tmp_path: Path) -> None:
    for path in every_layout(tmp_path):
        assert read_table(path).equals(FLAT), path


def test_formats_are_known_by_their_content(tmp_path: Path) -> None:
    for path in every_layout(tmp_path):
        nameless = tmp_path / "nameless.bin"
        nameless.write_bytes(path.read_bytes())
        assert read_table(nameless).equals(FLAT), path


def test_parts_are_small_and_leave_no_row_out(tmp_path: Path) -> None:
    path = write_file(tmp_path / "t.arrow", FLAT, ROWS)
    source = open_source(path, part_bytes=1 << 14)
    parts = list(source.parts())
    assert len(parts) > 1
    assert [p.line for p in parts] == [1 + 1024 * i for i in range(len(parts))]
    assert read_table(path, part_bytes=1 << 14).equals(FLAT)


def test_structs_and_wrapped_types_become_plain_columns(tmp_path: Path) -> None:
    nested = pa.table(
        {
            "s": pa.array([{"x": 1, "y": {"z": "a"}}, None]),
            "runs": pc.run_end_encode(pa.array(["a", "a"])),
            "flags": pa.ExtensionArray.from_storage(pa.bool8(), pa.array([1, None], pa.int8())),
        }
    )
    assert read_table(write_file(tmp_path / "t.arrow", nested)).to_pydict() == {
        "s.x": [1, None],
        "s.y.z": ["a", None],
        "runs": ["a", "a"],
        "flags": [True, None],
    }


def test_types_without_an_equal_are_refused_by_name_where_they_are_chosen(tmp_path: Path) -> None:
    table = pa.table({"fine": [1], "list": [[1, 2]]})
    read = read_table(write_file(tmp_path / "t.arrow", table))
    assert read.column("fine").to_pylist() == [1]
    with pytest.raises(BadInputError, match="list<"):
        typed(read.column("list").chunk(0), "column 'list'")


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    twice = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    with pytest.raises(BadInputError, match="more than one column is named 'a'"):
        open_source(write_file(tmp_path / "t.arrow", twice))


def test_feather_of_version_1_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.feather"
    path.write_bytes(b"FEA1" + bytes(100))
    with pytest.raises(BadInputError, match="version 1"):
        open_source(path)


def test_a_file_cut_short_names_the_batch(tmp_path: Path) -> None:
    path = write_stream(tmp_path / "t.arrows", FLAT)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(BadInputError, match=r"t\.arrows: record batch 2 is damaged"):
        read_table(path)


def test_text_that_is_no_utf8_is_refused_and_not_passed_on(tmp_path: Path) -> None:
    text = pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0"), pa.py_buffer(b"\xff")])
    with pytest.raises(BadInputError, match="UTF8"):
        read_table(write_file(tmp_path / "t.arrow", pa.table({"a": text})))


def test_the_fingerprint_is_that_of_the_file(tmp_path: Path) -> None:
    path = write_file(tmp_path / "t.arrow", FLAT)
    assert open_source(path).fingerprint() == hashlib.sha256(path.read_bytes()).hexdigest()


def test_damaged_files_are_read_or_refused(tmp_path: Path) -> None:
    for path in every_layout(tmp_path):
        read, refused = read_or_refuse(tmp_path / f"damaged{path.suffix}", damaged(path.read_bytes(), 40, seed=1))
        assert read + refused == 40
        assert refused > 5
