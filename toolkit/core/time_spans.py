"""Lengths of time as a sentence has them."""

from __future__ import annotations

from typing import Any

_SCALES = ((86_400.0, "days"), (3_600.0, "hours"), (60.0, "minutes"), (1.0, "seconds"), (1e-3, "milliseconds"))
_FROM = 1.5
"""A scale is used from so many of its units on: 36 hours are days, 35 are hours."""


def span(seconds: float) -> list[Any]:
    """A length of time as a sentence has it: a number of three digits, and the unit.

    Examples
    --------
    >>> span(93_960.0), span(0.5), span(172_800)
    ([26.1, 'hours'], [500.0, 'milliseconds'], [2.0, 'days'])
    """
    scale, name = next(((s, n) for s, n in _SCALES if abs(seconds) >= _FROM * s), _SCALES[-1])
    if seconds == 0:
        scale, name = 1.0, "seconds"
    return [float(f"{seconds / scale:.3g}"), name]


def told(length: list[Any]) -> str:
    """What `span` gives, as words.

    Examples
    --------
    >>> told([26.1, "hours"]), told([500.0, "days"])
    ('26.1 hours', '500 days')
    """
    return f"{length[0]:,.10g} {length[1]}"
