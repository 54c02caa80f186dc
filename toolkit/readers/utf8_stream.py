"""Text of any encoding as UTF-8 bytes without a byte order mark."""

from __future__ import annotations

import codecs
from pathlib import Path

from toolkit.core.errors import BadInputError
from toolkit.readers.byte_stream import ByteStream

# those of four bytes first: the shorter ones are their beginnings
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MARK = codecs.BOM_UTF8
_LONGEST_MARK = 4


class Utf8Stream:
    """Reads a text file once, from its beginning.

    Parameters
    ----------
    path : Path
        The file, compressed or not.
    encoding : str
        Its encoding; if empty, that of its byte order mark, or UTF-8.

    Attributes
    ----------
    encoding : str
        The encoding, as Python names it.
    offset : int
        Bytes in front of what `read` returns first: a byte order mark.

    Raises
    ------
    BadInputError
        When the file can't be opened or the encoding is not known.
    """

    def __init__(self, path: Path, encoding: str) -> None:
        given = codec_name(encoding) if encoding else ""
        self.source = ByteStream(path)
        self._path = path
        self._head = self.source.read(_LONGEST_MARK)
        mark, marked = next((m for m in _MARKS if self._head.startswith(m[0])), (b"", "utf-8"))
        self.encoding = given or marked
        fits = bool(mark) and (not given or self.encoding.replace("-sig", "") in (marked, marked[:6]))
        self.offset = len(mark) if fits else 0
        self._head = self._head[self.offset :]
        name = marked if fits else self.encoding
        # UTF-8 itself is passed on as it is, and checked where it is parsed
        self._decoder = None if name == "utf-8" else codecs.getincrementaldecoder(name)()
        self._decoded = self.offset

    def read(self, size: int) -> bytes:
        """The next bytes, about as many as asked for; none only at the end.

        Raises
        ------
        BadInputError
            When bytes are not of the encoding, naming the first; when the compressed data is damaged.
        """
        raw, self._head = self._head + self.source.read(max(size - len(self._head), 0)), b""
        if self._decoder is None:
            return raw
        text = self._decode(raw)
        while raw and not text:
            # a few bytes may be no whole character yet
            raw = self.source.read(size)
            text = self._decode(raw)
        return text

    def close(self) -> None:
        """Close the file."""
        self.source.close()

    def _decode(self, raw: bytes) -> bytes:
        assert self._decoder is not None
        waiting = len(self._decoder.getstate()[0])
        try:
            text = self._decoder.decode(raw, final=not raw)
            encoded = text.encode()
        except UnicodeError as wrong:
            at = self._decoded - waiting + getattr(wrong, "start", 0)
            shown = wrong.object[wrong.start] if isinstance(wrong, UnicodeDecodeError) else 0
            problem = f"0x{shown:02x} is not {self.encoding}" if shown else f"not {self.encoding}: {wrong}"
            raise BadInputError(f"{self._path}: byte {at}: {problem}", "name another --encoding") from wrong
        self._decoded += len(raw)
        return encoded


def codec_name(encoding: str) -> str:
    """Python's own name of an encoding.

    Raises
    ------
    BadInputError
        When Python does not know it, or knows it as something else than text in bytes.
    """
    try:
        # refuses what is a codec, but none of text, such as rot13 and base64
        "a".encode(encoding)
        return codecs.lookup(encoding).name
    except (LookupError, ValueError):
        raise BadInputError(f"unknown encoding {encoding!r}", "name one that Python knows, such as latin-1") from None
