"""A file's bytes in order, decompressed and hashed on the way."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import os
import stat
import zlib
from pathlib import Path
from typing import IO, Any

from toolkit.core.errors import BadInputError

_MAGIC = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zstd"}


class ByteStream:
    """Reads a file once, from its beginning.

    Parameters
    ----------
    path : Path
        A file, compressed with gzip, bzip2, xz or zstd or not at all; which, its first bytes tell.

    Raises
    ------
    BadInputError
        When the file can't be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._raw = _HashingFile(path)
        head = self._raw.peek(6)
        self.compression = next((name for magic, name in _MAGIC.items() if head.startswith(magic)), "")
        self._stream = _decompressor(self.compression, self._raw)
        self.size = self._raw.size

    def read(self, size: int) -> bytes:
        """The next bytes; fewer than asked for only at the end.

        Raises
        ------
        BadInputError
            When the compressed data is damaged or cut short.
        """
        try:
            return _read_fully(self._stream, size)
        except (OSError, EOFError, zlib.error, lzma.LZMAError, ValueError) as error:
            raise self._damaged(error) from error

    @property
    def consumed(self) -> int:
        """Bytes of the file read so far."""
        return self._raw.consumed

    def digest_so_far(self) -> str:
        """SHA-256 of what was read of the file so far."""
        return self._raw.hexdigest()

    def sha256(self) -> str:
        """Digest of the file's own bytes, up to its end."""
        while self._raw.read(1 << 20):
            pass
        return self._raw.hexdigest()

    def close(self) -> None:
        """Close the file."""
        self._stream.close()
        self._raw.close()

    def _damaged(self, error: BaseException) -> BadInputError:
        return BadInputError(
            f"{self._path}: the {self.compression or 'plain'} data is damaged or cut short near byte "
            f"{self._raw.consumed} of {self.size}: {error}",
            "get the file again from its origin",
        )


def check_regular(path: Path) -> None:
    """Refuse what is no file: a folder, or a pipe or device, which can't be read twice.

    Raises
    ------
    BadInputError
        Naming what it is.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        reason = os.strerror(error.errno or 0) if isinstance(error, OSError) else str(error)
        raise BadInputError(f"{path} can't be read: {reason}", "name a file to convert") from error
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "a pipe, a device or a socket"
        raise BadInputError(
            f"{path} is {what}, not a file", "name a file to convert; save what comes from a pipe first"
        )


def read_head(path: Path, size: int) -> bytes:
    """The first bytes of a file, decompressed; fewer at its end."""
    stream = ByteStream(path)
    try:
        return stream.read(size)
    finally:
        stream.close()


class _HashingFile(io.RawIOBase):
    """A file that digests what is read of it."""

    def __init__(self, path: Path) -> None:
        check_regular(path)
        try:
            self._file: IO[bytes] = path.open("rb", buffering=0)
            self.size = os.fstat(self._file.fileno()).st_size
        except OSError as error:
            raise BadInputError(f"{path} can't be read: {os.strerror(error.errno or 0)}") from error
        self.consumed = 0
        self._digest = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def peek(self, size: int) -> bytes:
        head = self._file.read(size)
        self._file.seek(0)
        return head

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        self._count(data)
        return len(data)

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._count(data)
        return data

    def hexdigest(self) -> str:
        return self._digest.hexdigest()

    def close(self) -> None:
        self._file.close()
        super().close()

    def _count(self, data: bytes) -> None:
        self._digest.update(data)
        self.consumed += len(data)


def _decompressor(compression: str, raw: _HashingFile) -> Any:
    if compression == "gzip":
        return gzip.GzipFile(fileobj=io.BufferedReader(raw, 1 << 18), mode="rb")
    if compression == "bzip2":
        return bz2.BZ2File(io.BufferedReader(raw, 1 << 18))
    if compression == "xz":
        return lzma.LZMAFile(io.BufferedReader(raw, 1 << 18))
    if compression == "zstd":
        import pyarrow as pa

        # Arrow's stream reports a frame that is cut short, which the zstandard package passes over in silence.
        return pa.CompressedInputStream(pa.PythonFile(io.BufferedReader(raw, 1 << 18), mode="r"), "zstd")
    return raw


def _read_fully(stream: Any, size: int) -> bytes:
    first: bytes = stream.read(size)
    if len(first) == size or not first:
        return first
    parts, missing = [first], size - len(first)
    while missing and (more := stream.read(missing)):
        parts.append(more)
        missing -= len(more)
    return b"".join(parts)
