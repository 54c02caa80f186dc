"""64-bit hashes of values, the same for the same logical value however it is stored.

Numbers: an integer of any width, a bool, a time's count of units and a float with an integer's value have the image
of that integer; other floats that of their double. The image goes through the finaliser of SplitMix64, a bijection,
so that different integers never collide. Text, coded or long, is hashed over its UTF-8 bytes in words of 8: each
word is mixed, and the mixed words are the coefficients of a polynomial modulo 2**64 that starts from the length.
Two seeds give two independent hashes.

The functions are this module's own and part of what kept states mean: changing them means a new version of the kernels.
They spread values that nobody chose with the hash in mind; they are no defence against somebody who does.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.core.chunk import Chunk
from toolkit.core.strings import StringBlock
from toolkit.kernels.words import WORD, WordReader, Words

Hashes = npt.NDArray[np.uint64]

SEEDS = 2
"""Hashes 0 and 1 are independent of each other."""

_ROWS = 1 << 14
"""Rows taken at a time, so that temporaries stay in the processor's cache."""

_ONE_BY_ONE = 3
"""Cost of finishing one value by itself, in steps of a word for a whole block."""

_SEGMENT = 1 << 13
"""Words of a long value taken at a time."""

_START = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))
# Odd, and their difference is 2 modulo 4: two texts that agree under one polynomial don't tend to under the other.
_BASE = (np.uint64(0xD6E8FEB86659FD93), np.uint64(0xA0761D6478BD642D))
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_WORD_MIX = (np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53))
_NOT_INTEGRAL = np.uint64(0x2545F4914F6CDD1D)
_BEYOND_INT64 = np.uint64(0x369DEA0F31A53F85)
_CANONICAL_NAN = np.uint64(0x7FF8000000000000)


def hash_values(chunk: Chunk, column: str, seed: int = 0) -> Hashes:
    """Hash every value of a column.

    Parameters
    ----------
    chunk : Chunk
        The rows.
    column : str
        The column, of any kind.
    seed : int
        0 or 1.

    Returns
    -------
    ndarray of uint64, shape (rows,)
        What stands where a value is missing has no meaning.
    """
    spec = chunk.spec(column)
    if spec.encoding == "long":
        return hash_text(chunk.strings(column), (seed,))[0]
    if spec.encoding == "coded":
        table = hash_categories(chunk.categories(column), seed)
        found: Hashes = np.append(table, np.uint64(0))[chunk.codes(column)]
        return found
    return hash_numbers(chunk.raw(column), seed)


def hash_numbers(values: npt.NDArray[Any], seed: int = 0) -> Hashes:
    """Hash numbers, bools or counts of a time unit, shape (n,)."""
    out = np.empty(values.size, np.uint64)
    for at in range(0, values.size, _ROWS):
        part = values[at : at + _ROWS]
        if part.dtype.kind == "f":
            image, odd = _float_image(part.astype(np.float64, copy=False))
        elif part.dtype == np.uint64:
            image, odd = part.copy(), (part >> np.uint64(63)) * _BEYOND_INT64
        else:
            image, odd = part.astype(np.int64).view(np.uint64), None
        image += _START[seed]
        finalise(image)
        out[at : at + _ROWS] = image if odd is None else image ^ odd
    return out


def hash_text(block: StringBlock, seeds: tuple[int, ...] = (0,)) -> list[Hashes]:
    """Hash text with one or both seeds in one reading.

    Parameters
    ----------
    block : StringBlock
        The values.
    seeds : tuple of int
        Which hashes are wanted.

    Returns
    -------
    list of ndarray of uint64, each of shape (rows,)
    """
    out = [np.empty(len(block), np.uint64) for _ in seeds]
    reader = WordReader(block)
    for at in range(0, len(block), _ROWS):
        starts, lengths = block.starts[at : at + _ROWS], block.lengths[at : at + _ROWS].astype(np.int64)
        order = _by_length(lengths)
        if order is not None:
            starts, lengths = starts[order], lengths[order]
        states = [lengths.view(np.uint64) + _START[seed] for seed in seeds]
        _absorb(reader, starts, lengths, states, seeds)
        for hashes, state in zip(out, states, strict=True):
            finalise(state)
            hashes[at : at + _ROWS][slice(None) if order is None else order] = state
    return out


_of_categories: dict[tuple[int, int], tuple[weakref.ref[Any], Hashes]] = {}


def hash_categories(categories: npt.NDArray[np.object_], seed: int = 0) -> Hashes:
    """Hash the values behind codes, shape (categories,); remembered as long as the array of categories lives.

    Parameters
    ----------
    categories : ndarray of object
        Strings or bytes, and None last, as `Chunk.categories` has them.
    seed : int
        0 or 1.
    """
    key = (id(categories), seed)
    kept = _of_categories.get(key)
    if kept is not None and kept[0]() is categories:
        return kept[1]
    found = hash_text(block_of_values(categories[:-1].tolist()), (seed,))[0]
    _of_categories[key] = (weakref.ref(categories, lambda _: _of_categories.pop(key, None)), found)
    return found


def block_of_values(values: list[Any]) -> StringBlock:
    """Strings or byte strings as one block."""
    octets = [v if isinstance(v, bytes) else v.encode() for v in values]
    lengths = np.fromiter(map(len, octets), np.uint32, len(octets))
    starts = np.zeros(len(octets), np.int64)
    np.cumsum(lengths[:-1], out=starts[1:])
    return StringBlock(np.frombuffer(b"".join(octets), np.uint8), starts, lengths)


def _float_image(values: npt.NDArray[np.float64]) -> tuple[Hashes, Hashes]:
    """The integer where a float has the value of one, else its bits; and what tells the two apart."""
    with np.errstate(invalid="ignore"):
        whole = values.astype(np.int64)
    # Outside int64 the conversion gives an integer all the same; it may not pass for the float.
    integral = (whole == values) & (values >= -(2.0**63)) & (values < 2.0**63)
    bits = values.view(np.uint64)
    nan = np.isnan(values)
    if nan.any():
        bits = np.where(nan, _CANONICAL_NAN, bits)
    return np.where(integral, whole.view(np.uint64), bits), np.where(integral, np.uint64(0), _NOT_INTEGRAL)


def _by_length(lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.intp] | None:
    """The order in which lengths ascend; None where all are equal."""
    longest = int(lengths.max())
    if int(lengths.min()) == longest:
        return None
    # 16-bit integers are sorted by radix, eight times as fast.
    return np.argsort(lengths.astype(np.uint16) if longest < 1 << 16 else lengths, kind="stable")


def _absorb(
    reader: WordReader,
    starts: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
    states: list[Hashes],
    seeds: tuple[int, ...],
) -> None:
    """Take the words of values of ascending length into their states, one word of all that go on at a time."""
    for offset in range(0, int(lengths[-1]), WORD):
        first = int(np.searchsorted(lengths, offset, side="right"))
        if _ONE_BY_ONE * (lengths.size - first) < (int(lengths[-1]) - offset) // WORD:  # a few much longer values
            for row in range(first, lengths.size):
                _absorb_long(reader, int(starts[row]) + offset, int(lengths[row]) - offset, row, states, seeds)
            return
        mixed = _mixed(reader.read(starts[first:] + offset, lengths[first:] - offset))
        for state, seed in zip(states, seeds, strict=True):
            going_on = state[first:]
            going_on *= _BASE[seed]
            going_on += mixed


def _absorb_long(
    reader: WordReader, start: int, remaining: int, row: int, states: list[Hashes], seeds: tuple[int, ...]
) -> None:
    """The same for the rest of one value, whose words are taken many at a time."""
    for at in range(0, remaining, WORD * _SEGMENT):
        offsets = np.arange(at, min(at + WORD * _SEGMENT, remaining), WORD)
        mixed = _mixed(reader.read(start + offsets, remaining - offsets))
        for state, seed in zip(states, seeds, strict=True):
            powers = np.full(mixed.size, _BASE[seed], np.uint64)
            powers[0] = 1
            powers = np.multiply.accumulate(powers)
            # h * B**m + sum of k[i] * B**(m - 1 - i), all modulo 2**64
            head = state[row : row + 1] * (powers[-1:] * _BASE[seed])
            state[row] = (head + np.add.reduce(mixed * powers[::-1]))[0]


def _mixed(words: Words) -> Words:
    """Spread every bit of each word over its hash, in place."""
    words *= _WORD_MIX[0]
    words ^= words >> np.uint64(32)
    words *= _WORD_MIX[1]
    words ^= words >> np.uint64(29)
    return words


def finalise(image: Hashes) -> None:
    """SplitMix64's finaliser, in place."""
    image ^= image >> np.uint64(30)
    image *= _MIX[0]
    image ^= image >> np.uint64(27)
    image *= _MIX[1]
    image ^= image >> np.uint64(31)
