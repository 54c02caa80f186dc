"""Text from data inside Markdown: shown as it is, never read as markup."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

_VISIBLE = {"\n": "⏎", "\r": "␍", "\t": "⇥", "\v": "␋", "\f": "␌", "\0": "␀"}
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_MARKUP = re.compile(
    r"[\\`*\[\]<>&|~$]"  # emphasis, code, links, HTML, entities, table cells, strike-through, formulas
    r"|(?<![0-9A-Za-z])_|_(?![0-9A-Za-z])"  # an underscore between letters is no emphasis
    r"|(?<=[A-Za-z]):(?=//)|(?<=[wW]{3})\.(?=\S)"  # bare addresses become links in some dialects
)
_ENTITY = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
_UNSAFE_IN_CODE = re.compile(r"[`<>&|\\]")


def visible(text: str) -> str:
    r"""Replace characters that break lines, hide or reorder text by ones that can be seen.

    Examples
    --------
    >>> visible("a" + chr(10) + "b" + chr(0x202E))
    'a⏎b\\u202e'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_VISIBLE.get(c) or (f"\\u{ord(c):04x}" if unicodedata.category(c) in _HIDDEN else c) for c in text)


def escape(text: str) -> str:
    r"""Escape text for a table cell or the inside of a block; it must not begin a block.

    Examples
    --------
    >>> escape("<script> a|b order_id")
    '&lt;script&gt; a\\|b order_id'
    """
    return _MARKUP.sub(_escaped, visible(text))


def code(text: str) -> str:
    r"""Show a name: as a code span, or as escaped text in quotation marks where a span could be misread.

    Examples
    --------
    >>> code("order_id"), code("a`b")
    ('`order_id`', '“a\\`b”')
    """
    shown = visible(text)
    if shown and shown == shown.strip() and not _UNSAFE_IN_CODE.search(shown):
        return f"`{shown}`"
    return f"“{escape(shown)}”"


def prose(text: str, names: Iterable[str] = ()) -> str:
    """Escape a sentence in which names stand between backticks; they are shown as `code` shows them.

    Parameters
    ----------
    text : str
        The sentence.
    names : iterable of str
        Names that may hold backticks themselves.
    """
    return "".join(code(part) if is_name else escape(part) for is_name, part in spans(text, names))


def spans(text: str, names: Iterable[str] = ()) -> Iterator[tuple[bool, str]]:
    """Part a sentence into names, which stand between backticks, and what lies between them.

    Parameters
    ----------
    text : str
        The sentence.
    names : iterable of str
        Names that may hold backticks themselves.

    Examples
    --------
    >>> list(spans("Column `a` is odd."))
    [(False, 'Column '), (True, 'a'), (False, ' is odd.')]
    """
    known = [re.escape(n) for n in sorted(set(names), key=lambda n: (-len(n), n))]
    quoted = re.compile("`(" + "|".join([*known, "[^`]+"]) + ")`", re.DOTALL)
    at = 0
    for match in quoted.finditer(text):
        yield from ((False, text[at : match.start()]), (True, match[1]))
        at = match.end()
    yield False, text[at:]


def _escaped(match: re.Match[str]) -> str:
    found = match[0]
    last = found[-1]
    return found[:-1] + (_ENTITY.get(last) or "\\" + last)
