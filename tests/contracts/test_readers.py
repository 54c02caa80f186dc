"""What every input format has to keep; a format without a sample file fails here."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.contracts.reader_samples import COUNT, ROWS, SAMPLES, Sample
from toolkit import convert_table
from toolkit.core.errors import BadInputError
from toolkit.readers.base import HEAD_BYTES, Part, ReadAgain, Reader, ReadOptions, Source, find_reader, readers
from toolkit.readers.byte_stream import read_head

NAMES = sorted(readers.all())
PART_BYTES = 2000


@pytest.fixture
def sample(request: pytest.FixtureRequest) -> Sample:
    assert request.param in SAMPLES, f"no sample file for the input format {request.param!r}: add one to SAMPLES"
    return SAMPLES[request.param]


@pytest.fixture
def reader(request: pytest.FixtureRequest) -> Reader:
    return readers.get(request.param)


each = pytest.mark.parametrize(("reader", "sample"), [(n, n) for n in NAMES], indirect=True, ids=NAMES)


def opened(reader: Reader, path: Path, part_bytes: int = PART_BYTES) -> Source:
    return reader.open(path, ReadOptions(part_bytes=part_bytes))


def read_all(source: Source, columns: Sequence[int] | None = None) -> tuple[pa.Table, list[Part]]:
    """Every row, as the pipeline gets it: after a request to read again, once more."""
    chosen = range(len(source.columns)) if columns is None else columns
    for _ in range(2):
        try:
            parts = list(source.parts())
            return pa.concat_tables([source.parse(p, chosen) for p in parts]).combine_chunks(), parts
        except ReadAgain:
            continue
    raise AssertionError("the source asked twice to be read again")


def refusal(reader: Reader, path: Path) -> BadInputError | None:
    """What is said against a file; None where it can be read."""
    try:
        source = opened(reader, path)
        try:
            read_all(source)
        finally:
            source.close()
    except BadInputError as error:
        return error
    return None


def plain(value: Any) -> Any:
    """Text of a format that is inferred later, and of one that knows types, alike; an empty text is a missing one."""
    return None if value in (None, "") else str(float(value)) if isinstance(value, int | float) else str(value)


def number_or_text(value: Any) -> Any:
    try:
        return plain(float(value))
    except (TypeError, ValueError):
        return plain(value)


@each
def test_reads_every_row_of_its_sample(reader: Reader, sample: Sample, tmp_path: Path) -> None:
    source = opened(reader, sample.write(tmp_path))
    table, _ = read_all(source)
    names = [c.name for c in source.columns]
    by_name = {n: table.column(names.index(n)).to_pylist() for n in sample.names}
    source.close()
    for ours, theirs in zip(sample.names, ROWS[0], strict=True):
        want = [plain(r[theirs]) for r in ROWS]
        assert [number_or_text(v) for v in by_name[ours]] == want


@each
def test_is_found_by_content_or_suffix(reader: Reader, sample: Sample, tmp_path: Path) -> None:
    path = sample.write(tmp_path)
    head = read_head(path, HEAD_BYTES) if path.is_file() else b""
    assert find_reader(path, head).name == reader.name
    assert all(s.startswith(".") and s == s.lower() for s in reader.suffixes)


@each
def test_parts_can_be_read_again_and_are_the_same(reader: Reader, sample: Sample, tmp_path: Path) -> None:
    source = opened(reader, sample.write(tmp_path))
    first, parts = read_all(source)
    second, again = read_all(source)
    source.close()
    assert [(p.index, p.line, p.offset, p.mark) for p in parts] == [
        (p.index, p.line, p.offset, p.mark) for p in again
    ]  # fmt: skip
    assert [p.index for p in parts] == list(range(len(parts)))
    assert first.equals(second)


@each
def test_parts_of_any_size_hold_the_same_rows(reader: Reader, sample: Sample, tmp_path: Path) -> None:
    path = sample.write(tmp_path)
    found = []
    for part_bytes in (100, PART_BYTES, 1 << 24):
        source = opened(reader, path, part_bytes)
        found.append(read_all(source)[0])
        source.close()
    assert found[0].equals(found[1])
    assert found[1].equals(found[2])
    assert found[0].num_rows == COUNT


@each
def test_parsing_is_repeatable_and_can_be_done_by_threads(reader: Reader, sample: Sample, tmp_path: Path) -> None:
    source = opened(reader, sample.write(tmp_path))
    _, parts = read_all(source)
    columns = range(len(source.columns))
    alone = [source.parse(p, columns) for p in parts]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda p: source.parse(p, columns), parts * 8))
    source.close()
    assert all(t.equals(alone[i % len(alone)]) for i, t in enumerate(together))


@each
def test_columns_can_be_taken_alone_and_in_any_order(reader: Reader, sample: Sample, tmp_path: Path) -> None:
    source = opened(reader, sample.write(tmp_path))
    whole, parts = read_all(source)
    last = len(source.columns) - 1
    some = pa.concat_tables([source.parse(p, [last, 0]) for p in parts]).combine_chunks()
    source.close()
    assert some.num_columns == 2
    assert some.column(0).equals(whole.column(last))
    assert some.column(1).equals(whole.column(0))


@each
def test_columns_say_whether_their_type_is_known(reader: Reader, sample: Sample, tmp_path: Path) -> None:
    source = opened(reader, sample.write(tmp_path))
    table, _ = read_all(source)
    source.close()
    for i, column in enumerate(source.columns):
        assert not column.infer or table.column(i).type == pa.string()
        assert column.infer or column.declared
    assert set(sample.names) <= {c.name for c in source.columns}


@each
def test_the_fingerprint_is_that_of_the_file(reader: Reader, sample: Sample, tmp_path: Path) -> None:
    path = sample.write(tmp_path)
    source = opened(reader, path)
    read_all(source)
    done, total = source.progress()
    found = source.fingerprint()
    source.close()
    assert len(found) == 64
    assert 0 <= done <= total
    if sample.whole_file:
        assert found == hashlib.sha256(path.read_bytes()).hexdigest()


@each
def test_close_leaves_nothing_open(reader: Reader, sample: Sample, tmp_path: Path) -> None:
    path = sample.write(tmp_path)
    source = opened(reader, path)
    read_all(source)
    source.close()
    held = [f.resolve() for f in Path("/proc/self/fd").iterdir()]
    assert not [name for name in held if name.is_relative_to(tmp_path)]


@each
@pytest.mark.parametrize("kept", [0, 0.05, 0.5, 0.99])
def test_a_file_cut_short_is_refused_by_its_name(reader: Reader, sample: Sample, kept: float, tmp_path: Path) -> None:
    if not sample.whole_file:
        pytest.skip("is a folder of files; what becomes of it when one is cut short is tested with the reader")
    path = sample.write(tmp_path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    error = refusal(reader, path)
    assert error is not None
    assert path.name in str(error)
    assert error.remedy


@each
def test_a_file_that_is_not_there_or_something_else_is_refused(reader: Reader, sample: Sample, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="absent"):
        opened(reader, tmp_path / f"absent{reader.suffixes[0]}")
    other = tmp_path / f"other{reader.suffixes[0]}"
    other.write_bytes(bytes(range(256)) * 20)
    with pytest.raises(BadInputError, match="other"):
        read_all(opened(reader, other))


@each
def test_a_damaged_byte_is_refused_or_changes_the_fingerprint(reader: Reader, sample: Sample, tmp_path: Path) -> None:
    """Whatever is flipped: the error is one of bad input, or there is none."""
    if not sample.whole_file:
        pytest.skip("is a folder of files")
    path = sample.write(tmp_path)
    data = path.read_bytes()
    for at in range(0, len(data), max(1, len(data) // 40)):
        path.write_bytes(data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :])
        error = refusal(reader, path)
        assert error is None or path.name in str(error)


@each
def test_becomes_a_store(reader: Reader, sample: Sample, tmp_path: Path) -> None:
    path = sample.write(tmp_path)
    if not path.is_file():
        pytest.skip("the command takes files")
    dataset = convert_table(path, appdata=tmp_path / "ad")
    assert dataset.rows == COUNT
    ids = dataset.to_pandas()[sample.names[0]].tolist()
    assert ids == [r["id"] for r in ROWS]


def test_compressed_text_is_read_by_the_reader_of_what_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "x.csv.gz"
    path.write_bytes(gzip.compress(b"a\n1\n"))
    assert find_reader(path, read_head(path, HEAD_BYTES)).name == "delimited"
