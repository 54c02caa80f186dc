"""HTML that can't be broken out of: text is escaped unless it says that it is markup."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from typing import Final

from toolkit.report.escape import spans, visible
from toolkit.report.text_table import cut

LONGEST_NAME = 80
"""Character cells of a column's name; report.json has the whole of it."""
LONGEST_TEXT = 600
"""Characters of a sentence; those with very long names are cut."""

_PERCENT = "\N{NO-BREAK SPACE}%"
_BARE = re.compile(r"[A-Za-z0-9_.:#/-]+\Z")
_NO_END: Final = frozenset({"td", "th", "tr", "li", "dt", "dd", "path", "use", "rect", "meta", "input", "option"})
"""Elements whose end tag HTML leaves out; wide tables have many of them."""
_SELF_CLOSED: Final = frozenset({"path", "use", "rect"})


class Markup(str):
    """Text that is HTML already; only this module makes it."""

    __slots__ = ()


EMPTY: Final = Markup("")


def text(value: str) -> Markup:
    """Escape a text; characters that hide or reorder others are made visible.

    Examples
    --------
    >>> text('<b a="1">')
    '&lt;b a=&quot;1&quot;&gt;'
    """
    return Markup(escape(visible(value), quote=True))


def element(name: str, *content: str, **attributes: str | int | bool | None) -> Markup:
    """Make an element.

    Parameters
    ----------
    name : str
        Of the element.
    *content : str
        `Markup` is taken as it is, other text is escaped.
    **attributes : str, int, bool or None
        ``aria_label`` stands for ``aria-label`` and ``class_`` for ``class``. True is an attribute without a value;
        one that is False or None is left out.

    Examples
    --------
    >>> element("p", "a < b", element("b", "!"), class_="x y", hidden=True)
    '<p class="x y" hidden>a &lt; b<b>!</b></p>'
    """
    said = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _SELF_CLOSED:
        # A bare value takes in a slash that follows it.
        return Markup(f"<{name}{said}/>" if said.endswith('"') else f"<{name}{said} />")
    inner = join(content)
    return Markup(f"<{name}{said}>{inner}" if name in _NO_END else f"<{name}{said}>{inner}</{name}>")


def join(parts: Iterable[str], between: str = "") -> Markup:
    """Put parts one after the other; `Markup` is taken as it is, other text is escaped."""
    return Markup(text(between).join(_safe(part) for part in parts))


def name_of(column: str, href: str | None = None) -> Markup:
    """Show a column's name, as a link where it leads somewhere."""
    shown = element("code", cut(column, LONGEST_NAME) if column.strip() else column.replace(" ", "␣") or "(no name)")
    return shown if href is None else element("a", shown, href=href)


def prose(sentence: str, names: Iterable[str] = (), anchors: dict[str, str] | None = None) -> Markup:
    """Write a sentence, with the names that stand in it between backticks set apart and linked.

    Examples
    --------
    >>> prose("Column `a` is <odd>.", ["a"], {"a": "#c0"})
    'Column <a href=#c0><code>a</code></a> is &lt;odd&gt;.'
    """
    known = anchors or {}
    return join(
        name_of(part, known.get(part)) if is_name else part.replace(" %", _PERCENT)
        for is_name, part in _shortened(sentence, names)
    )


def _shortened(sentence: str, names: Iterable[str]) -> list[tuple[bool, str]]:
    kept: list[tuple[bool, str]] = []
    room = LONGEST_TEXT
    for is_name, part in spans(sentence, names):
        if room <= 0:
            return [*kept, (False, "…")]
        kept.append((is_name, part if is_name or len(part) <= room else part[:room] + "…"))
        room -= min(len(part), LONGEST_NAME) if is_name else len(part)
    return kept


def _safe(part: str) -> Markup:
    return part if isinstance(part, Markup) else text(part)


def _attribute(key: str, value: str | int | bool | None) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    if value is True:
        return f" {name}"
    said = str(value)
    return f" {name}={said}" if _BARE.match(said) else f' {name}="{text(said)}"'
