"""Messages without their variable parts: numbers, addresses, paths and ids as marks."""

from __future__ import annotations

import re
from collections.abc import Sequence

LONGEST = 64
"""Words of a message that are looked at."""
REST = "<...>"
"""What stands for the words of a message behind those."""
ANY = "<*>"
"""What stands for a word that is not frequent in its place."""

_CHARACTERS = 4096
_BLANKS = re.compile(r"\s\s+|[^\S ]")
_ASCII_BLANKS = "\t\n\v\f\r\x1c\x1d\x1e\x1f"
_FIGURE = re.compile(r"[0-9]")
_EDGE = re.compile(r" ?\x00 ?")
_MASKS = (
    ("://", re.compile(r"\b[A-Za-z][A-Za-z0-9+.-]{1,15}://[^ \x00]+"), "<url>"),
    ("@", re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"), "<email>"),
    ("-", re.compile(r"\b[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\b"), "<uuid>"),
    (".", re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b"), "<ip>"),
    ("/", re.compile(r"(?<![^ \x00=:('\"\[])/(?:[\w.+@%-]+/)*[\w.+@%-]+/?"), "<path>"),
    ("0x", re.compile(r"\b0x[0-9A-Fa-f]+\b"), "<hex>"),
    ("", re.compile(r"\b(?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{8,64}\b"), "<hex>"),
    ("", re.compile(r"[0-9]+(?:[.,:][0-9]+)*"), "<num>"),
)


def masked(messages: Sequence[str]) -> list[str]:
    """Each message with its variable parts masked, and single blanks between its words.

    Examples
    --------
    >>> masked(["scan id=347950  took=3.5 ms", "GET http://a.b/c from 10.0.0.1:80", "blk_deadbeef01 in /var/log/x"])
    ['scan id=<num> took=<num> ms', 'GET <url> from <ip>', 'blk_deadbeef<num> in <path>']
    """
    if not messages:
        return []
    # All messages as one text: a pattern is then run once for thousands of them. NUL stands between two.
    text = "\x00".join(messages)
    if text.count("\x00") >= len(messages) or max(map(len, messages)) > _CHARACTERS:
        text = "\x00".join([message[:_CHARACTERS].replace("\x00", " ") for message in messages])
    # Patterns that can't be there are not looked for: it costs more than everything else of a text without figures.
    if "  " in text or not text.isascii() or any(blank in text for blank in _ASCII_BLANKS):
        text = _BLANKS.sub(" ", text)
    text = _EDGE.sub("\x00", text).strip(" ")
    figures = _FIGURE.search(text) is not None
    for sign, pattern, mark in _MASKS:
        if sign in text and (sign or figures):
            text = pattern.sub(mark, text)
    return text.split("\x00")


def words_of(message: str) -> list[str]:
    """Words of a masked message; of a long one the first, and a mark for the others."""
    words = message.split(" ")
    return words if len(words) <= LONGEST else [*words[:LONGEST], REST]
