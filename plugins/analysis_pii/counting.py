"""How many values of a column have which form."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from toolkit.plugin import StringBlock

from .identifiers import EMAIL_IN_TEXT, FORMS

FORMED, RIGHT, INSIDE, LOOKED = range(4)
"""Of each form: values that have it, those with right check digits, texts with one inside; values looked at."""

_SHORT = 64
"""Characters of the longest form but e-mail addresses."""

Counts = npt.NDArray[np.int64]


def no_values() -> Counts:
    """Counts of nothing, shape (forms, 4)."""
    return np.zeros((len(FORMS), 4), np.int64)


def count_texts(texts: Iterable[str], weights: Iterable[int]) -> Counts:
    """Count texts, each as often as it occurs.

    Examples
    --------
    >>> count_texts(["a@b.org", "write to a@b.org", "4111111111111112"], [2, 1, 1])[:2, :3].tolist()
    [[2, 2, 1], [1, 0, 0]]
    """
    out = no_values()
    for text, weight in zip(texts, weights, strict=True):
        out[:, LOOKED] += weight
        if "@" in text:
            if FORMS[0].pattern.fullmatch(text):
                out[0, [FORMED, RIGHT]] += weight
            elif EMAIL_IN_TEXT.search(text):
                out[0, INSIDE] += weight
        if len(text) <= _SHORT:
            _count_numbers(text.strip(), weight, out)
    return out


def _count_numbers(text: str, weight: int, out: Counts) -> None:
    plain = -1
    for i, form in enumerate(FORMS[1:], 1):
        if not form.pattern.fullmatch(text):
            continue
        if form.check is None:
            plain = i if plain < 0 else plain
            continue
        out[i, FORMED] += weight
        if form.check(text):
            out[i, RIGHT] += weight
    if plain >= 0:
        out[plain, [FORMED, RIGHT]] += weight


def count_block(block: StringBlock, valid: npt.NDArray[np.bool_]) -> Counts:
    """Count the values of a chunk of long text; only those whose bytes may be of a form become texts."""
    offsets, data = block.contiguous()
    lengths = np.diff(offsets)
    wanted = valid & (lengths > 0)
    digits = _per_value((data >= ord("0")) & (data <= ord("9")), offsets)
    ats = _per_value(data == ord("@"), offsets)
    numeric = (digits >= 4) & (lengths <= _SHORT) & ~_uuids(data, offsets, lengths)
    # Forms have few letters: of the longest, a bank account number, at most half.
    letters = _per_value((data | 0x20) - ord("a") < 26, offsets)
    colons = _per_value(data == ord(":"), offsets) == 7  # an IP address of version 6 may be all letters
    places = np.flatnonzero(wanted & ((numeric & (letters <= digits)) | (ats > 0) | colons))
    buffer = data.tobytes()
    spans = zip(offsets[places].tolist(), offsets[places + 1].tolist(), strict=True)
    out = count_texts([buffer[a:b].decode("utf-8", "replace") for a, b in spans], [1] * places.size)
    out[:, LOOKED] = int(np.count_nonzero(wanted))
    return out


def _per_value(marked: npt.NDArray[np.bool_], offsets: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    running = np.zeros(marked.size + 1, np.int64)
    np.cumsum(marked, out=running[1:])
    return running[offsets[1:]] - running[offsets[:-1]]


def _uuids(
    data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Values with the dashes of a UUID, the commonest long values with many digits."""
    found = np.zeros(lengths.size, bool)
    rows = np.flatnonzero(lengths == 36)
    for place in (8, 13, 18, 23):
        rows = rows[data[offsets[rows] + place] == ord("-")]
    found[rows] = True
    return found
