"""Messages of a chunk as runs of coded words, each word masked once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toolkit.plugin import Chunk
from toolkit.plugin.tokens import Tokens, batches, block_of_values, pieces, tokens_of

from .masking import ANY, CHARACTERS, LONGEST, REST, masked

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Places = npt.NDArray[np.intp]

ANY_CODE, REST_CODE = 0, 1
_KEPT = 1 << 18
"""Masked words that are remembered from one batch to the next."""


@dataclass(frozen=True, slots=True)
class Messages:
    """Some messages.

    Attributes
    ----------
    words : list of str
        Different masked words; `ANY` and `REST` are the first two.
    codes : ndarray of int32, shape (tokens,)
        The words of all messages, one message after another.
    starts : ndarray of int64, shape (messages + 1,)
        Where those of each begin.
    rows : ndarray of intp, shape (rows,)
        Places in the chunk that have a message.
    of_row : ndarray of intp, shape (rows,)
        The message of each.
    """

    words: list[str]
    codes: Codes
    starts: Ints
    rows: Places
    of_row: Places

    def __len__(self) -> int:
        return self.starts.size - 1

    def by_length(self) -> Iterator[tuple[Places, Codes]]:
        """Messages of as many words: which they are, and their words, of shape (messages, words).

        Of messages of more than 64 words, the first 64 and `REST`.
        """
        lengths = np.minimum(np.diff(self.starts), LONGEST + 1)
        for length in np.unique(lengths).tolist():
            members = np.flatnonzero(lengths == length)
            table = self.codes[self.starts[members][:, None] + np.arange(length)]
            if length > LONGEST:
                table[:, LONGEST] = REST_CODE
            yield members, table


class MessageReader:
    """Reads the messages of text columns; those of the categories of a coded column are masked once."""

    def __init__(self) -> None:
        self._masks: dict[str, str] = {}
        self._coded: dict[str, Messages] = {}

    def of_chunk(self, chunk: Chunk, name: str) -> Iterator[Messages]:
        """The messages of a chunk, about a megabyte at a time."""
        valid = chunk.valid(name)
        if chunk.spec(name).encoding == "coded":
            yield self._of_codes(chunk, name, valid)
            return
        block = chunk.strings(name)
        for part in batches(block):
            tokens = tokens_of(block.slice(part.start, part.stop), CHARACTERS)
            rows = np.flatnonzero(valid[part] & (np.diff(tokens.starts) > 0))
            words, codes = self._masked(tokens)
            places, starts = pieces(tokens.starts, rows)
            yield Messages(words, codes[places], starts, rows + part.start, np.arange(rows.size))

    def _of_codes(self, chunk: Chunk, name: str, valid: npt.NDArray[np.bool_]) -> Messages:
        if name not in self._coded:
            tokens = tokens_of(block_of_values(chunk.categories(name)[:-1].tolist()), CHARACTERS)
            nothing = np.zeros(0, np.intp)
            self._coded[name] = Messages(*self._masked(tokens), tokens.starts, nothing, nothing)
        known = self._coded[name]
        rows = np.flatnonzero(valid)
        of_row = chunk.codes(name)[rows].astype(np.intp)
        some = np.diff(known.starts)[of_row] > 0
        used, of_row = np.unique(of_row[some], return_inverse=True)
        places, starts = pieces(known.starts, used)
        return Messages(known.words, known.codes[places], starts, rows[some], of_row)

    def _masked(self, tokens: Tokens) -> tuple[list[str], Codes]:
        """Different masked words, and which of them each token is."""
        if len(self._masks) + len(tokens.different) > _KEPT:
            self._masks = {}
        new = [token for token in tokens.different if token not in self._masks]
        self._masks.update(zip(new, masked(new), strict=True))
        words, code_of = _numbered([ANY, REST, *(self._masks[token] for token in tokens.different)])
        return words, code_of[2:][tokens.codes]


def _numbered(words: Sequence[str]) -> tuple[list[str], Codes]:
    """Different words, and the number of each among them.

    Examples
    --------
    >>> _numbered(["a", "b", "a"])[1].tolist()
    [0, 1, 0]
    """
    numbers: dict[str, int] = {}
    found = np.array([numbers.setdefault(word, len(numbers)) for word in words], np.int32)
    return list(numbers), found
