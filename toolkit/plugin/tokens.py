"""Texts as runs of coded tokens: what stands between white space, without an object for each occurrence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from toolkit.core.runs import places_of_runs
from toolkit.core.strings import StringBlock
from toolkit.kernels.hashing import block_of_values, finalise, hash_text

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Octets = npt.NDArray[np.uint8]
Hashes = npt.NDArray[np.uint64]

_BATCH = 1 << 20
"""Bytes of text that are taken at once, about."""

_LONG_BLANKS = tuple(chr(c).encode() for c in range(0x80, 0x10000) if not 0xD800 <= c < 0xE000 and chr(c).isspace())
_NARROW = 8
_LONGEST_CHARACTER = 4
"""Bytes of one character at most."""
_LEADS = np.unique([blank[0] for blank in _LONG_BLANKS])


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of some texts.

    Attributes
    ----------
    different : list of str
        Each different token once.
    codes : ndarray of int32, shape (tokens,)
        Which of them each token is, text after text.
    starts : ndarray of int64, shape (texts + 1,)
        Where the tokens of each text begin, and where the last ones end.
    """

    different: list[str]
    codes: Codes
    starts: Ints


def tokens_of(texts: StringBlock, characters: int) -> Tokens:
    r"""Part texts at white space, as `str.split` does, and at NUL.

    Parameters
    ----------
    texts : StringBlock
        UTF-8 text.
    characters : int
        Characters of a text behind which nothing is looked at.

    Examples
    --------
    >>> tokens = tokens_of(block_of_values(["wet box", "", "box\u00a0 torn"]), 100)
    >>> tokens.different, tokens.codes.tolist(), tokens.starts.tolist()
    (['wet', 'box', 'torn'], [0, 1, 1, 2], [0, 2, 2, 4])
    """
    octets, starts, lengths = _laid_out(texts, _LONGEST_CHARACTER * characters)
    plain = not octets.size or int(octets.max()) < 0x80
    if lengths.size and int(lengths.max()) > characters:
        lengths = _cut(octets, starts, lengths, characters, plain)
    # Blanks in ASCII are bytes 9 to 13 and 28 to 32, and NUL is one here; differences of bytes wrap.
    inside = (octets > 32) | ((octets - np.uint8(1)) < 8) | ((octets - np.uint8(14)) < 14)
    _leave_out_gaps(starts, lengths, inside)
    if not plain:
        _leave_out_long_blanks(octets, inside)
    first = inside.copy()
    first[1:] &= ~inside[:-1]
    first[starts[lengths > 0]] = inside[starts[lengths > 0]]  # where no byte parts a text from the one before
    last = inside.copy()
    last[:-1] &= ~inside[1:] | first[1:]
    begins, ends = np.flatnonzero(first), np.flatnonzero(last) + 1
    bounds = np.append(np.searchsorted(begins, starts), begins.size)
    different, codes = _coded(octets[inside], ends - begins)
    return Tokens(different, codes, bounds)


def batches(texts: StringBlock) -> Iterator[slice]:
    """Runs of texts of about 1 MiB, so that what is computed of them stays small."""
    ends = np.cumsum(texts.lengths, dtype=np.int64)
    at = 0
    while at < len(texts):
        before = int(ends[at - 1]) if at else 0
        stop = max(int(np.searchsorted(ends, before + _BATCH, side="right")), at + 1)
        yield slice(at, stop)
        at = stop


def token_hashes(tokens: Sequence[str]) -> Hashes:
    """A 64-bit hash of each token, shape (tokens,); the same in every process."""
    return hash_text(block_of_values(list(tokens)))[0]


def spread(hashes: Hashes) -> Hashes:
    """Hashes whose every bit depends on all bits of a sum or product of hashes; a new array."""
    out = hashes.copy()
    finalise(out)
    return out


def pieces(starts: Ints, which: npt.NDArray[np.integer]) -> tuple[Ints, Ints]:
    """Places of the tokens of some texts, one after another, and where those of each begin.

    Examples
    --------
    >>> places, starts = pieces(np.array([0, 2, 2, 4]), np.array([2, 0]))
    >>> places.tolist(), starts.tolist()
    ([2, 3, 0, 1], [0, 2, 4])
    """
    return places_of_runs(starts[:-1][which], np.diff(starts)[which])


def _laid_out(texts: StringBlock, most: int) -> tuple[Octets, Ints, Ints]:
    """The bytes that texts are in, up to so many of each, in their order; where each begins there; their lengths."""
    lengths = np.minimum(texts.lengths.astype(np.int64), most)
    if not lengths.size:
        return np.zeros(0, np.uint8), lengths, lengths
    starts = texts.starts.astype(np.int64)
    begin, end = int(starts[0]), int(starts[-1] + lengths[-1])
    if (starts[1:] >= starts[:-1] + lengths[:-1]).all() and end - begin <= 2 * int(lengths.sum()) + 8 * lengths.size:
        return texts.payload[begin:end], starts - begin, lengths
    places, bounds = places_of_runs(starts, lengths)
    return texts.payload[places], bounds[:-1], lengths


def _cut(octets: Octets, starts: Ints, lengths: Ints, characters: int, plain: bool) -> Ints:
    """Lengths of the first characters of texts."""
    if plain:
        return np.minimum(lengths, characters)
    out = lengths.copy()
    for row in np.flatnonzero(lengths > characters).tolist():
        text = octets[starts[row] : starts[row] + lengths[row]]
        heads = np.flatnonzero((text & 0xC0) != 0x80)  # the other bytes go on with a character
        if heads.size > characters:
            out[row] = heads[characters]
    return out


def _leave_out_gaps(starts: Ints, lengths: Ints, inside: npt.NDArray[np.bool_]) -> None:
    """Mark bytes that are of no text."""
    if not lengths.size:
        return
    inside[starts[-1] + lengths[-1] :] = False
    gaps = starts[1:] - (starts + lengths)[:-1]
    if gaps.size and int(gaps.max()) > _NARROW:
        inside[places_of_runs((starts + lengths)[:-1], gaps)[0]] = False
        return
    for k in range(1, int(gaps.max(initial=0)) + 1):
        inside[starts[1:][gaps >= k] - k] = False


def _leave_out_long_blanks(octets: Octets, inside: npt.NDArray[np.bool_]) -> None:
    """Mark white space of several bytes."""
    leads = np.flatnonzero(np.isin(octets, _LEADS))
    for blank in _LONG_BLANKS:
        at = leads[(octets[leads] == blank[0]) & (leads <= octets.size - len(blank))]
        for k in range(1, len(blank)):
            at = at[octets[at + k] == blank[k]]
        for k in range(len(blank)):
            inside[at + k] = False


def _coded(octets: Octets, lengths: Ints) -> tuple[list[str], Codes]:
    """Different tokens in the order in which they come, and the code of each token."""
    if not lengths.size:
        return [], np.zeros(0, np.int32)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(octets))]
    found = pa.Array.from_buffers(pa.large_string(), lengths.size, buffers).dictionary_encode()
    return found.dictionary.to_pylist(), found.indices.to_numpy()
