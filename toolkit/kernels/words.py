"""Text as 8-byte words, gathered from a chunk's buffer without an object for each value."""

from __future__ import annotations

import sys

import numpy as np
import numpy.typing as npt

from toolkit.core.strings import StringBlock

Words = npt.NDArray[np.uint64]

WORD = 8
_KEEP = np.array([(1 << (8 * n)) - 1 for n in range(WORD)] + [(1 << 64) - 1], np.uint64)


class WordReader:
    """Reads the i-th word of many values of a text column at once.

    A word holds its bytes in little-endian order; behind the end of a value there are zeros.

    Parameters
    ----------
    block : StringBlock
        The values.
    """

    def __init__(self, block: StringBlock) -> None:
        payload = block.payload
        if payload.size < WORD:
            payload = np.concatenate([payload, np.zeros(WORD, np.uint8)])
        # A view with a word at every byte: a gather of unaligned words costs 9 ns each, of 8 bytes apart 30 ns.
        self._last = payload.size - WORD
        self._payload = np.ascontiguousarray(payload)
        self._words = np.ndarray((self._last + 1,), "<u8", self._payload, 0, (1,))

    def read(self, starts: npt.NDArray[np.int64], remaining: npt.NDArray[np.int64]) -> Words:
        """Words at some places of the buffer.

        Parameters
        ----------
        starts : ndarray of int64, shape (n,)
            Where they begin.
        remaining : ndarray of int64, shape (n,)
            Bytes from there to the end of each value.

        Returns
        -------
        ndarray of uint64, shape (n,)
            A new array.
        """
        if not starts.size:
            return np.empty(0, np.uint64)
        if int(starts.max()) <= self._last:
            words = self._gathered(starts)
        else:
            inside = np.minimum(starts, self._last)
            words = self._gathered(inside)
            # Bytes before the wanted ones are shifted out; a value all beyond the buffer has nothing remaining below.
            words >>= (8 * np.minimum(starts - inside, WORD - 1)).astype(np.uint64)
        fewest = int(remaining.min())
        if fewest < WORD:
            words &= _KEEP.take(remaining, mode="clip")  # clipped to 0 and 8
        return words

    def _gathered(self, starts: npt.NDArray[np.int64]) -> Words:
        step = int(starts[1] - starts[0]) if starts.size > 1 else 0
        if step > 0 and bool((starts[1:] - starts[:-1] == step).all()):  # values of one length: a strided copy
            words = np.ndarray(starts.shape, "<u8", self._payload, int(starts[0]), (step,))
            out = words.copy()
        else:
            out = self._words[starts]
        return out if sys.byteorder == "little" else out.astype(np.uint64)
