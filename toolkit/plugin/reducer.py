"""Plugins whose work can be split over chunks, processes and machines."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from toolkit.core.chunk import Chunk
from toolkit.kernels.base import State, StateClass
from toolkit.plugin.context import Context
from toolkit.plugin.result import Result


class Reducer(ABC):
    """A statistic as a state: begun, updated with chunks, merged, finished.

    Attributes
    ----------
    state_class : str
        ``exact`` when states merge in any order and grouping to the same bytes (counts, minima, sets); ``tree`` when
        rounding makes the grouping matter, so that the engine must merge along its one tree (sums, moments); ``serial``
        when the work depends on the order of the rows and can't be split.
    passes : int
        How often the table is read; must equal ``passes`` of the manifest. Each pass begins with a new state.
    ctx : Context
        The table's facts, parameters, budget and kernels; set before `init` is called. Rows come through `update`.
    pass_number : int
        The pass at hand, from 0.
    former : State
        The merged state of the pass before; None in the first.

    Notes
    -----
    A state is a tree of dicts, lists, texts, bytes, numbers, None and arrays of numbers: see `toolkit.core.encoding`.
    """

    state_class: ClassVar[StateClass] = "tree"
    passes: ClassVar[int] = 1

    ctx: Context
    pass_number: int = 0
    former: State = None

    def columns(self) -> list[str]:
        """Columns that the chunks offer; those of the manifest by default."""
        return self.ctx.columns()

    @abstractmethod
    def init(self) -> State:
        """The state of no rows: merging with it changes nothing."""

    @abstractmethod
    def update(self, state: State, chunk: Chunk) -> State:
        """The state with a chunk's rows added; ``state`` may be changed and returned."""

    @abstractmethod
    def merge(self, left: State, right: State) -> State:
        """The state of the rows of both; ``left`` covers the earlier rows. Must be associative."""

    @abstractmethod
    def finish(self, state: State, ctx: Context) -> Result:
        """What the last pass's state says."""
