"""The encoding of a text that is not UTF-8, found over the whole file by ruling out what reads it as no text.

An encoding is taken only when all that are left read the same text: é alone is the same in Western and Central European
encodings, è is not. Otherwise a person decides, and is shown how each would read the first word in which they differ.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from functools import cache, partial
from itertools import pairwise
from pathlib import Path

from toolkit.core.errors import BadInputError
from toolkit.readers.byte_stream import ByteStream

_WIDE = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
_CANDIDATES = (
    "cp1252", "iso8859-15", "cp1250", "iso8859-2", "cp1254", "cp1257", "mac-roman", "cp850", "cp437", "cp1251",
    "koi8-r", "iso8859-5", "cp866", "cp1253", "iso8859-7", "cp1255", "cp1256", "shift_jis", "euc_jp", "gb18030", "big5",
    "euc_kr",
)  # fmt: skip
_WORD = re.compile(rb"[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*")
_SIGNS = frozenset("‘’“”„‚–—…€£§°«»½¼¾²³ºª·•®™¡¿±µ×\xa0\xad")
_SIGNS_WITHIN = frozenset("‘’·–\xad")
_LONG = 4
_TELLING = 3
"""Bytes of a word that tells anything: a byte that stands alone is a letter in one encoding and damage in another."""
_FEW = 3
"""Long words below which that none of them has a plain letter says nothing of the script."""
_MOST_WORDS = 100_000
_MOST_ODD = 0.02
"""Share of words that may be no text under an encoding that is kept: files hold a few accidents."""
_SHOWN = 4
_BLOCK = 1 << 20


def find_encoding(path: Path) -> str:
    """The encoding of a file that is not UTF-8.

    Parameters
    ----------
    path : Path
        The file, compressed or not; it is read as a whole.

    Returns
    -------
    str
        A name that Python knows.

    Raises
    ------
    BadInputError
        When the file may be of several encodings that read it differently, of several at once, or of none.
    """
    head, words = _words(path)
    if b"\0" in head:
        wide = [name for name in _WIDE if _reads_wide(path, name)]
        if len(wide) == 1:
            return wide[0]
        raise BadInputError(f"{path} is neither UTF-16 nor UTF-32", "mend the file")
    twofold = [w for w in words if _decoded("utf-8", w) is not None]
    if twofold:
        shown = twofold[0].decode()
        raise BadInputError(
            f"{path} is of several encodings: {shown!r} is UTF-8, other words are not", "write it anew in one of them"
        )
    if not any(len(word) >= _TELLING for word in words):
        raise BadInputError(f"{path} has too few words with such bytes to tell its encoding", "name it with --encoding")
    total = sum(words.values())
    few = sum(len(word) >= _LONG for word in words) < _FEW
    odd = _odd(words, few=few)
    least = min(odd.values())
    left = [name for name in _CANDIDATES if odd[name] == least and odd[name] <= _MOST_ODD * total]
    if few:
        left.sort(key=_odd(words, few=False).__getitem__)
    if not left:
        raise BadInputError(f"{path} is no text of any encoding that is tried", "name it with --encoding")
    for word in words:
        readings = {name: _decoded(name, word) for name in left}
        if len(set(readings.values())) > 1:
            first = [name for i, name in enumerate(left) if readings[name] not in {readings[n] for n in left[:i]}]
            shown = ", ".join(f"{readings[name]!r} as {name}" for name in first[:_SHOWN])
            raise BadInputError(f"a word of {path} reads {shown}", f"name what is right, such as --encoding {left[0]}")
    return left[0]


def _words(path: Path) -> tuple[bytes, Counter[bytes]]:
    """The beginning of a file, and its words that are not plain ASCII with how often each occurs."""
    words: Counter[bytes] = Counter()
    head = rest = b""
    for block in _blocks(path):
        head = head or block
        text = rest + block
        cut = text.rfind(b"\n") + 1
        rest, text = text[cut:], text[:cut]
        if len(rest) > 4 * _BLOCK:  # no lines: a word may be cut in two there
            text, rest = rest, b""
        _count(text, words)
    _count(rest, words)
    return head, words


def _count(text: bytes, words: Counter[bytes]) -> None:
    if text.isascii():
        return
    for match in _WORD.finditer(text):
        word = match[0]
        if word in words or len(words) < _MOST_WORDS:
            words[word] += 1


def _blocks(path: Path) -> Iterator[bytes]:
    stream = ByteStream(path)
    try:
        yield from iter(partial(stream.read, _BLOCK), b"")
    finally:
        stream.close()


def _reads_wide(path: Path, name: str) -> bool:
    """Whether a whole file is text with line breaks in an encoding of two or four bytes a character."""
    decoder = codecs.getincrementaldecoder(name)()
    breaks = False
    try:
        for block in _blocks(path):
            text = decoder.decode(block)
            if "\0" in text:
                return False
            breaks = breaks or "\n" in text
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return breaks


def _odd(words: Counter[bytes], *, few: bool) -> dict[str, int]:
    """How many words are no text, by encoding."""
    return {n: sum(count for w, count in words.items() if not _is_text(n, w, few=few)) for n in _CANDIDATES}


def _decoded(name: str, word: bytes) -> str | None:
    try:
        return word.decode(name)
    except UnicodeDecodeError:
        return None


def _is_text(name: str, word: bytes, *, few: bool) -> bool:
    """Whether a word is one: letters of one script, no capital behind a small letter, common signs in common places."""
    text = _decoded(name, word)
    if text is None:
        return False
    letters = [c for c in text if c.isalpha() or unicodedata.combining(c)]
    signs = {c for c in text if not c.isalpha() and not unicodedata.combining(c)}
    scripts = {_script(c) for c in letters}
    if len(scripts) > 1 or not signs <= _SIGNS:
        return False
    if any(c in text and c not in _SIGNS_WITHIN for c in signs if text.strip(c).find(c) > 0):
        return False
    if not few and scripts == {"LATIN"} and len(letters) >= _LONG and not any(c.isascii() for c in letters):
        return False  # even Vietnamese has plain letters: this is another script, read as Latin
    return not any(a.islower() and b.isupper() for a, b in pairwise(text))


_EAST_ASIAN = ("CJK", "HIRAGANA", "KATAKANA", "IDEOGRAPHIC", "HALFWIDTH")


@cache
def _script(letter: str) -> str:
    name = unicodedata.name(letter, "none").split()[0]
    return "CJK" if name.startswith(_EAST_ASIAN) else "LATIN" if letter in "ªºµ" else name
