"""Messages of a chunk, each different one once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from toolkit.plugin import Chunk

from .masking import masked

Places = npt.NDArray[np.intp]


class Messages:
    """Masked messages of text columns; those of coded columns are masked once."""

    def __init__(self) -> None:
        self._coded: dict[str, tuple[list[str], Places]] = {}

    def of_chunk(self, chunk: Chunk, name: str) -> tuple[Places, list[str], Places]:
        """Places in the chunk that have a message, the different messages, and which of them each place has."""
        places = np.flatnonzero(chunk.valid(name))
        if chunk.spec(name).encoding == "coded":
            if name not in self._coded:
                self._coded[name] = _numbered(masked(chunk.categories(name)[:-1].tolist()))
            known, of_code = self._coded[name]
            of_place = of_code[chunk.codes(name)[places].astype(np.intp)]
            used, of_place = np.unique(of_place, return_inverse=True)
            different = [known[i] for i in used.tolist()]
        else:
            different, of_place = _numbered(masked(chunk[name][places].tolist()))
        there = np.array([bool(message) for message in different], bool)[of_place] if different else np.zeros(0, bool)
        return places[there], different, of_place[there]


def _numbered(messages: Sequence[str]) -> tuple[list[str], Places]:
    """Different messages, and the number of each among them.

    Examples
    --------
    >>> _numbered(["a", "b", "a"])[1].tolist()
    [0, 1, 0]
    """
    numbers: dict[str, int] = {}
    found = np.array([numbers.setdefault(message, len(numbers)) for message in messages], np.intp)
    return list(numbers), found
