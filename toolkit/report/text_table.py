"""Markdown tables that also read well as plain text."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from toolkit.report.escape import escape, visible


def text_table(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int], widest: Sequence[int]
) -> str:
    r"""Lay out a table with aligned columns.

    Parameters
    ----------
    header : sequence of str
        Column headings.
    rows : sequence of sequence of str
        Unescaped cells; those too wide are cut, with an ellipsis.
    right : sequence of int
        Columns that are aligned to the right.
    widest : sequence of int
        Largest width of each column in character cells.

    Examples
    --------
    >>> print(text_table(["a", "n"], [["x|y", "1"]], right=[1], widest=[5, 5]))
    | a    |   n |
    | :--- | --: |
    | x\|y |   1 |
    """
    body = [[escape(cut(cell, width)) for cell, width in zip(row, widest, strict=True)] for row in rows]
    lines = [list(header), *body]
    widths = [max(3, *(cells(line[i]) for line in lines)) for i in range(len(header))]
    out = [_line(header, widths, right)]
    rules = ["-" * (w - 1) + ":" if i in right else ":" + "-" * (w - 1) for i, w in enumerate(widths)]
    out.append("| " + " | ".join(rules) + " |")
    out += [_line(row, widths, right) for row in body]
    return "\n".join(out)


def cells(text: str) -> int:
    """Count the character cells of a text: two for wide East Asian characters, none for combining marks.

    Examples
    --------
    >>> cells("ab"), cells("表"), cells("e" + chr(0x301))
    (2, 2, 1)
    """
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) > 0 for c in text)


def cut(text: str, width: int) -> str:
    """Cut a text to a number of character cells.

    Examples
    --------
    >>> cut("a long name", 6)
    'a lon…'
    """
    shown = visible(text)
    if cells(shown) <= width:
        return shown
    kept = ""
    for char in shown:
        if cells(kept + char) > width - 1:
            break
        kept += char
    return kept.rstrip() + "…"


def _line(row: Sequence[str], widths: Sequence[int], right: Sequence[int]) -> str:
    padded = []
    for i, (text, width) in enumerate(zip(row, widths, strict=True)):
        blanks = " " * (width - cells(text))
        padded.append(blanks + text if i in right else text + blanks)
    return "| " + " | ".join(padded) + " |"
