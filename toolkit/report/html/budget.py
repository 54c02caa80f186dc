"""Keeping a page within a number of bytes: what is shown in full, in short, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from toolkit.report.html.markup import Markup

Form = Callable[[int], Markup]
"""Makes an item from its place."""


def fit(order: Sequence[int], short: Form, full: Form, room: int) -> tuple[list[Markup], int, int]:
    """Make every item in the form for which there is room.

    Parameters
    ----------
    order : sequence of int
        Places of the items, the weightiest first. As many as can be are shown in short before one is shown in full.
    short, full : callable
        Make an item; only those that may fit are made.
    room : int
        Bytes that all may take.

    Returns
    -------
    items : list of Markup
        Those that fit, by place.
    n_short, n_left_out : int
        Items that are shown in short alone, and that are not shown.

    Examples
    --------
    >>> fit([2, 0, 1], lambda i: Markup(f"s{i}"), lambda i: Markup(f"full{i}"), 9)
    (['s0', 's1', 'full2'], 2, 0)
    """
    made: dict[int, Markup] = {}
    for place in order:
        item = short(place)
        size = _bytes(item)
        if size > room:
            break
        room -= size
        made[place] = item
    n_full = 0
    for place in order[: len(made)]:
        item = full(place)
        room -= _bytes(item) - _bytes(made[place])
        if room < 0:
            break
        made[place] = item
        n_full += 1
    return [made[place] for place in sorted(made)], len(made) - n_full, len(order) - len(made)


def _bytes(item: Markup) -> int:
    return len(item) if item.isascii() else len(item.encode())
