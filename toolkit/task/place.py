"""Where a task is at, in a few bytes that outlast its process."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

Phase = Literal["start", "import", "run", "pass", "merge", "finish", "result"]

PLACE = struct.Struct("<BIq")
"""Number of the phase, number of the pass, chunk (-1 for none)."""

_PHASES: tuple[Phase, ...] = get_args(Phase)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a task was when it ended.

    Attributes
    ----------
    phase : str
        ``start``: before the plugin's code; ``import``: loading it; ``run``: in its function ``run``; ``pass``: a
        Reducer reads chunks; ``merge``: its parts are joined; ``finish``: it makes its result; ``result``: the harness
        checks that.
    pass_number : int
        Pass of a Reducer, from 0.
    chunk : int or None
        Chunk that was read last; None before the first.
    """

    phase: Phase = "start"
    pass_number: int = 0
    chunk: int | None = None


START = Place()
"""Where every task begins."""


class Tracker:
    """Keeps note of where a task is at.

    Parameters
    ----------
    note : callable
        Takes the place as bytes, each time that it changes.
    """

    def __init__(self, note: Callable[[bytes], None]) -> None:
        self._note = note
        self._phase, self._pass = 0, 0

    def enter(self, phase: Phase, pass_number: int = 0) -> None:
        """Begin a phase."""
        self._phase, self._pass = _PHASES.index(phase), pass_number
        self.at(-1)

    def at(self, chunk: int) -> None:
        """Come to a chunk."""
        self._note(PLACE.pack(self._phase, self._pass, chunk))


def read_place(data: bytes) -> Place:
    """Read what a `Tracker` noted, or what a plugin has put in its place: then it is wrong, and still a place."""
    phase, pass_number, chunk = PLACE.unpack_from(data)
    return Place(_PHASES[phase] if phase < len(_PHASES) else "start", pass_number, chunk if chunk >= 0 else None)


NOWHERE = Tracker(lambda place: None)
"""For tasks whose place nobody asks for."""
