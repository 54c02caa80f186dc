"""Rows that come at an even pace, and where the pace changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from toolkit.plugin import BLOCKS

from .segment import LENGTHS

EVEN = 0.9
"""Share of the steps of a block that have the length of its pace, or nearly."""

_LEAST_BLOCKS = 3
_FEWEST_STEPS = 8


@dataclass(frozen=True, slots=True)
class Pace:
    """Blocks of rows, one after the other, with one pace.

    Attributes
    ----------
    length : float
        Usual step from row to row, in the column's unit.
    exact : bool
        Whether all steps of about that length are equal.
    first, last : int
        Blocks of 64.
    """

    length: float
    exact: bool
    first: int
    last: int


def paces(state: dict[str, Any], change: float) -> list[Pace]:
    """Stretches of the table with an even pace, of three blocks at least; neighbours differ by at least a ratio.

    Parameters
    ----------
    state : dict
        Of `segment`.
    change : float
        The ratio.
    """
    found: list[Pace] = []
    for block in range(BLOCKS):
        own = state["lengths"][block]
        steps = int(own.sum())
        if steps < _FEWEST_STEPS:
            continue
        place = int(np.argmax(own))
        low, high = max(0, place - 1), min(LENGTHS, place + 2)
        if own[low:high].sum() < EVEN * steps:
            continue
        shortest, longest = int(state["shortest"][place]), int(state["longest"][place])
        length = (shortest + longest) / 2.0
        last = found[-1] if found else None
        if last is not None and max(length, last.length) < change * min(length, last.length):
            found[-1] = Pace(last.length, last.exact and shortest == longest, last.first, block)
        else:
            found.append(Pace(length, shortest == longest, block, block))
    lasting: list[Pace] = []
    for pace in found:
        if pace.last - pace.first + 1 < _LEAST_BLOCKS:
            continue  # the block in which the pace changes may seem to have a third one
        if lasting and max(pace.length, lasting[-1].length) < change * min(pace.length, lasting[-1].length):
            lasting[-1] = Pace(lasting[-1].length, lasting[-1].exact, lasting[-1].first, pace.last)
        else:
            lasting.append(pace)
    return lasting
