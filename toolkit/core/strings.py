"""Text of a chunk as buffers: never one object per cell."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.core.runs import places_of_runs

_PREFIX = 4


class StringBlock:
    """Values of a long text or binary column over a run of rows.

    Parameters
    ----------
    payload : ndarray of uint8, shape (bytes,)
        The buffer that holds the values; there may be other bytes between them.
    starts : ndarray of int64, shape (rows,), or None
        Where in ``payload`` each value begins; None for a ``vlen-utf8`` buffer, where the lengths say it.
    lengths : ndarray of uint32, shape (rows,)
        Length of each value in bytes; 0 where it is missing.
    """

    __slots__ = ("_starts", "lengths", "payload")

    def __init__(
        self,
        payload: npt.NDArray[np.uint8],
        starts: npt.NDArray[np.int64] | None,
        lengths: npt.NDArray[np.uint32],
    ) -> None:
        self.payload = payload
        self._starts = starts
        self.lengths = lengths

    @property
    def starts(self) -> npt.NDArray[np.int64]:
        """Where in ``payload`` each value begins, shape (rows,)."""
        if self._starts is None:
            self._starts = vlen_starts(self.lengths)
        return self._starts

    def __len__(self) -> int:
        return int(self.lengths.size)

    def __getitem__(self, row: int) -> bytes:
        start = int(self.starts[row])
        return self.payload[start : start + int(self.lengths[row])].tobytes()

    def contiguous(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
        """Arrow's layout: offsets, shape (rows + 1,), and the values' bytes with nothing between them."""
        offsets = np.zeros(len(self) + 1, np.int64)
        np.cumsum(self.lengths, out=offsets[1:])
        if np.array_equal(self.starts, offsets[:-1]):
            return offsets, self.payload[: offsets[-1]]
        if not len(self):
            return offsets, np.empty(0, np.uint8)
        if (self.starts[1:] - self.starts[:-1] == self.lengths[:-1].astype(np.int64) + _PREFIX).all():
            # vlen-utf8: four bytes between each two values; marking those is cheaper than marking the values
            end = int(self.starts[-1]) + int(self.lengths[-1])
            keep = np.zeros(end, bool)
            keep[int(self.starts[0]) :] = True
            for back in range(1, _PREFIX + 1):
                keep[self.starts[1:] - back] = False
            return offsets, self.payload[:end][keep]
        return offsets, self.payload[places_of_runs(self.starts, self.lengths)[0]]

    def slice(self, start: int, stop: int) -> StringBlock:
        """The block of a run of its rows, sharing the buffer."""
        return StringBlock(self.payload, self.starts[start:stop], self.lengths[start:stop])


def pack_vlen(offsets: npt.NDArray[Any], data: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Encode text as Zarr's ``vlen-utf8`` codec does: the number of values, then each with its length before it.

    Parameters
    ----------
    offsets : ndarray of int, shape (rows + 1,)
        Where each value begins in ``data``, and where the last ends.
    data : ndarray of uint8
        UTF-8 bytes.

    Returns
    -------
    ndarray of uint8
        Integers in it are uint32, little-endian.
    """
    rows = offsets.size - 1
    lengths = np.diff(offsets).astype("<u4")
    first, last = int(offsets[0]), int(offsets[-1])
    out = np.empty(_PREFIX + _PREFIX * rows + last - first, np.uint8)
    out[:_PREFIX] = np.frombuffer(np.array(rows, "<u4").tobytes(), np.uint8)
    if rows and (lengths == lengths[0]).all():
        table = out[_PREFIX:].reshape(rows, _PREFIX + int(lengths[0]))
        table[:, :_PREFIX] = lengths[:1].view(np.uint8)
        table[:, _PREFIX:] = data[first:last].reshape(rows, int(lengths[0]))
        return out
    starts = vlen_starts(lengths)
    keep = np.ones(out.size, bool)
    keep[:_PREFIX] = False
    digits = lengths.view(np.uint8).reshape(rows, _PREFIX)
    for k in range(_PREFIX):
        out[starts - _PREFIX + k] = digits[:, k]
        keep[starts - _PREFIX + k] = False
    out[keep] = data[first:last]
    return out


def vlen_starts(lengths: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Where the values begin in a ``vlen-utf8`` buffer, from their lengths."""
    starts = np.empty(lengths.size, np.int64)
    starts[:1] = 2 * _PREFIX
    np.add(lengths[:-1], _PREFIX, out=starts[1:], dtype=np.int64)
    # in place, and for every text of a table: temporary arrays would cost more than the sum
    np.add.accumulate(starts, out=starts)
    return starts


def vlen_ends(lengths: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Where the values end in a ``vlen-utf8`` buffer behind its number of values, from their lengths."""
    ends: npt.NDArray[np.int64] = np.cumsum(lengths.astype(np.int64) + _PREFIX)
    return ends


def pack_values(values: Iterable[str | bytes]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """The ``vlen-utf8`` buffer of a few values, such as the categories of a column, and their lengths."""
    octets = [v if isinstance(v, bytes) else v.encode() for v in values]
    offsets = np.zeros(len(octets) + 1, np.int64)
    np.cumsum([len(v) for v in octets], out=offsets[1:])
    return pack_vlen(offsets, np.frombuffer(b"".join(octets), np.uint8)), np.diff(offsets)
