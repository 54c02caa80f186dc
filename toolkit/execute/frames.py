"""Messages over sockets and pipes: a kind, a length, the bytes."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator

HEADER = struct.Struct("<cQ")

TASK = b"T"
BEGIN = b"B"
RESULT = b"R"
REPORT = b"P"
OUTCOME = b"O"
BEAT = b"H"
IN_FORCE = b"F"
VIOLATION = b"V"

_KINDS = frozenset({TASK, BEGIN, RESULT, REPORT, OUTCOME, BEAT, IN_FORCE, VIOLATION})


class FrameError(ValueError):
    """Bytes that are no message, or a message that is too long."""


def pack(kind: bytes, body: bytes) -> bytes:
    """A message as bytes."""
    return HEADER.pack(kind, len(body)) + body


def write_frame(descriptor: int, kind: bytes, body: bytes) -> None:
    """Write a message to a blocking descriptor."""
    for part in (HEADER.pack(kind, len(body)), body):
        view = memoryview(part)
        while view:
            view = view[os.write(descriptor, view) :]


class FrameReader:
    """Cuts a stream of bytes into messages.

    Parameters
    ----------
    largest : int
        Bytes of a message, at most; a longer one is refused before it is received.

    Examples
    --------
    >>> reader = FrameReader(100)
    >>> data = pack(RESULT, b"one") + pack(REPORT, b"two")
    >>> reader.feed(data[:5]), list(reader.frames())
    (None, [])
    >>> reader.feed(data[5:]), list(reader.frames())
    (None, [(b'R', b'one'), (b'P', b'two')])
    """

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        """Add bytes that were received.

        Raises
        ------
        FrameError
            When they are no message or announce one that is too long.
        """
        self._buffer += data
        self._check()

    def frames(self) -> Iterator[tuple[bytes, bytes]]:
        """The messages that are complete."""
        while len(self._buffer) >= HEADER.size:
            kind, length = HEADER.unpack_from(self._buffer)
            end = HEADER.size + length
            if len(self._buffer) < end:
                return
            body = bytes(memoryview(self._buffer)[HEADER.size : end])
            del self._buffer[:end]
            self._check()
            yield kind, body

    @property
    def pending(self) -> int:
        """Bytes of a message that is not complete."""
        return len(self._buffer)

    def _check(self) -> None:
        if len(self._buffer) < HEADER.size:
            return
        kind, length = HEADER.unpack_from(self._buffer)
        if kind not in _KINDS:
            raise FrameError("these bytes are no message")
        if length > self._largest:
            raise FrameError(f"a message of {length:,} bytes, more than the limit of {self._largest:,}")
