"""Text without needless differences: no spaces around it, one spelling of each character and of each label."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

SPACES = (
    " \t\n\r\f\v\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\ufeff"
)


def tidy(values: pa.Array) -> pa.Array:
    """Values without spaces around them and in Unicode's normal form C; doing it twice changes nothing."""
    return pc.utf8_trim(pc.utf8_normalize(values, form="NFC"), characters=SPACES)


def one_spelling(words: Sequence[str], rows: Sequence[int]) -> dict[str, str]:
    """The commonest spelling for each word that differs from it in case alone.

    Parameters
    ----------
    words : sequence of str
        Tidy words; may repeat.
    rows : sequence of int
        How many rows have each.

    Examples
    --------
    >>> one_spelling(["berlin", "Berlin", "BERLIN", "Rome"], [2, 7, 1, 3])
    {'berlin': 'Berlin', 'BERLIN': 'Berlin'}
    """
    counts: Counter[str] = Counter()
    for word, n in zip(words, rows, strict=True):
        counts[word] += n
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for word in counts:
        alike[word.casefold()].append(word)
    out = {}
    for group in alike.values():
        best = min(group, key=lambda w: (-counts[w], w))
        out |= {word: best for word in group if word != best}
    return out
