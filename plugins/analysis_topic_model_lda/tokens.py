"""Words of a text."""

from __future__ import annotations

import re
import unicodedata

CHARACTERS = 1 << 16
"""Characters of a text that are looked at."""

_WORD = re.compile(r"[^\W\d_]+(?:['’.-][^\W\d_]+)*")


def words_of(text: str) -> list[str]:
    """Words in small letters, in Unicode's compatibility form; no numbers, and nothing with a figure at its start.

    A word never goes on behind white space, so that those of a text are those of what stands between white space.

    Examples
    --------
    >>> words_of("The U.S. doesn't PAY 4,000 ﬁnes - re-open!")
    ['the', 'u.s', "doesn't", 'pay', 'fines', 're-open']
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return _WORD.findall(text.lower())
