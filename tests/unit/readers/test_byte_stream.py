"""A file's bytes: decompressed, hashed, and refused where they are not whole."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from toolkit.core.errors import BadInputError
from toolkit.readers.byte_stream import ByteStream, read_head

RAW = b"".join(b"%d,%d\n" % (i, i * 7919 % 1_000_003) for i in range(20_000))
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": lambda data: bytes(pa.Codec("zstd").compress(data)),
}


def read_all(path: Path, step: int = 10_000) -> bytes:
    stream = ByteStream(path)
    try:
        found = b""
        while more := stream.read(step):
            found += more
        return found
    finally:
        stream.close()


@pytest.mark.parametrize("compression", COMPRESS)
def test_content_and_digest_of_the_file(compression: str, tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_bytes(COMPRESS[compression](RAW))
    stream = ByteStream(path)
    assert stream.compression == compression
    assert stream.read(7) == RAW[:7]
    assert len(stream.read(100_000)) == 100_000
    assert stream.sha256() == hashlib.sha256(path.read_bytes()).hexdigest()
    assert stream.consumed == stream.size == path.stat().st_size
    stream.close()
    assert read_all(path) == RAW
    assert read_head(path, 5) == RAW[:5]
    assert read_head(path, 10**7) == RAW


@pytest.mark.parametrize("compression", [c for c in COMPRESS if c])
def test_several_compressed_streams_in_one_file(compression: str, tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_bytes(COMPRESS[compression](RAW) * 2)
    assert read_all(path) == RAW * 2


@pytest.mark.parametrize("compression", [c for c in COMPRESS if c])
@pytest.mark.parametrize("cut", [8, 200, -8, -1])
def test_what_is_cut_short_is_refused_near_its_end(compression: str, cut: int, tmp_path: Path) -> None:
    path = tmp_path / "t"
    data = COMPRESS[compression](RAW)[:cut]
    path.write_bytes(data)
    with pytest.raises(BadInputError, match=f"the {compression} data is damaged or cut short .* of {len(data)}"):
        read_all(path)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, said in [
        (tmp_path / "absent", "No such file"), (tmp_path, "is a folder"), (tmp_path / "pipe", "a pipe"),
        (Path("/dev/null"), "a device"), (tmp_path / "a\0b", "null"),
    ]:  # fmt: skip
        with pytest.raises(BadInputError, match=said):
            ByteStream(path)


def test_an_empty_file_has_no_bytes(tmp_path: Path) -> None:
    (tmp_path / "t").write_bytes(b"")
    assert read_all(tmp_path / "t") == b""
