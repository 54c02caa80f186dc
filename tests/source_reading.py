"""What tests of readers share: a whole file as one table, and files that were damaged in transit."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from toolkit.core.errors import BadInputError
from toolkit.readers.base import HEAD_BYTES, ReadOptions, Source, find_reader
from toolkit.readers.byte_stream import read_head

Rows = list[dict[str, Any]]


def open_source(path: Path, part_bytes: int = 1 << 20, encoding: str = "", **given: Any) -> Source:
    """Open a file with the reader that claims it."""
    reader = find_reader(path, b"" if path.is_dir() else read_head(path, HEAD_BYTES))
    return reader.open(path, ReadOptions(encoding=encoding, part_bytes=part_bytes, format=given))


def read_parts(source: Source) -> list[pa.Table]:
    """Every part, with all its columns under their names; each must have the types that the first has."""
    names = [c.name for c in source.columns]
    tables = []
    for number, part in enumerate(source.parts()):
        assert part.index == number
        table = source.parse(part, range(len(names)))
        table.validate(full=True)
        tables.append(table.rename_columns(names))
    return tables


def read_table(path: Path, part_bytes: int = 1 << 20, encoding: str = "", **given: Any) -> pa.Table:
    """A whole file as one table."""
    source = open_source(path, part_bytes, encoding, **given)
    try:
        return pa.concat_tables(read_parts(source))
    finally:
        source.close()


def read_rows(path: Path, part_bytes: int = 1 << 20, encoding: str = "", **given: Any) -> Rows:
    """A whole file as rows of plain values."""
    return read_table(path, part_bytes, encoding, **given).to_pylist()


def notes_of(path: Path, **given: Any) -> list[str]:
    """What a person is told of a file."""
    source = open_source(path, **given)
    source.close()
    return source.notes


def damaged(content: bytes, count: int, seed: int) -> Iterator[bytes]:
    """Copies of a file that were cut short, or had some bytes changed."""
    rng = random.Random(seed)
    for _ in range(count):
        copy = bytearray(content)
        if rng.random() < 0.25:
            yield bytes(copy[: rng.randrange(len(copy))])
            continue
        for _ in range(rng.choice((1, 1, 3, 10))):
            # headers come first, and are hit as often as all the rest
            copy[rng.randrange(min(len(copy), 1 << rng.randrange(4, 22)))] = rng.choice((0, 255, rng.randrange(256)))
        yield bytes(copy)


def read_or_refuse(path: Path, contents: Iterator[bytes]) -> tuple[int, int]:
    """How many damaged copies are read, and how many refused; anything else than these two is an error.

    Parameters
    ----------
    path : Path
        Where each copy is put; its suffix tells the format.
    contents : iterator of bytes
        The copies.
    """
    read = refused = 0
    for content in contents:
        path.write_bytes(content)
        try:
            source = open_source(path, 1 << 16)
            try:
                read_parts(source)
                assert len(source.fingerprint()) == 64
            finally:
                source.close()
            read += 1
        except BadInputError as error:
            # a refusal without a word of what is wrong, or of what to do, is none
            refused += bool(error.message and error.remedy)
    return read, refused
