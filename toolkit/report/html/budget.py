"""Keeping a page within a number of bytes: what is shown in full, in short, or not at all."""

from __future__ import annotations

from collections.abc import Sequence

from toolkit.report.html.markup import Markup

LEFT_OUT, SHORT, FULL = 0, 1, 2


def fit(forms: Sequence[tuple[Markup, Markup]], order: Sequence[int], room: int) -> list[int]:
    """Choose a form of every item, so that all together take no more than so many bytes.

    Parameters
    ----------
    forms : sequence of (Markup, Markup)
        Of every item the short form and the full one.
    order : sequence of int
        Items by weight, the weightiest first.
    room : int
        Bytes.

    Returns
    -------
    list of int
        `LEFT_OUT`, `SHORT` or `FULL` of every item. All that can be are shown in short before one is shown in full.

    Examples
    --------
    >>> forms = [(Markup("ab"), Markup("abcd"))] * 3
    >>> fit(forms, [2, 0, 1], 8), fit(forms, [2, 0, 1], 5)
    ([1, 1, 2], [1, 0, 1])
    """
    level = [LEFT_OUT] * len(forms)
    for at, (short, _) in ((i, forms[i]) for i in order):
        size = len(short.encode())
        if size > room:
            break
        room -= size
        level[at] = SHORT
    for at, (short, full) in ((i, forms[i]) for i in order):
        more = len(full.encode()) - len(short.encode())
        if level[at] == SHORT and more <= room:
            room -= more
            level[at] = FULL
    return level
