"""Values far from the middle of a column: how many, and the rows of the farthest, exact."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from toolkit.core.chunk import Chunk
from toolkit.core.errors import UsageError
from toolkit.core.schema import NUMERIC_KINDS, TIME_KINDS, ColumnSpec
from toolkit.kernels.base import Kernel, KernelRequest, State, StateClass, TableView
from toolkit.kernels.deviations import middle
from toolkit.kernels.levels import ranked
from toolkit.kernels.present import present_rows, present_values

NORMAL_MAD = 1.482602218505602
"""Standard deviations in a MAD of normal data: 1 / the upper quartile of the standard normal distribution."""

_STAND_INS = (0.9, 0.95, 0.99, 0.999)
"""Quantiles that take the place of a MAD of 0."""


class ExtremeRows(Kernel):
    """Values beyond fences on both sides of the median, and the rows of the farthest ones.

    A fence lies some robust standard deviations away: 1.4826 times the median distance from the median of the values on
    its own side (double MAD). Where more than half of the values on a side are the median itself, the scale is that of
    the others: one of their quantiles, over what it would be of normal data.

    Parameters of a request: ``thresholds``, ascending multiples of the scale; ``fences``, pairs of a lower and an upper
    value instead, the widest pair last; ``k``, how many rows are kept on each side.

    NaN is left out; infinities count, and stand first.

    The state is ``count``, values present; ``below`` and ``above``, counts by fence, int64; and for each side values
    and rows of the ``k`` values beyond the nearest fence that are farthest out: ``low`` and ``low_rows``, ``high`` and
    ``high_rows``; ties by row.
    """

    name: ClassVar[str] = "extreme_rows"
    version: ClassVar[int] = 1
    state_class: ClassVar[StateClass] = "exact"
    references: ClassVar[tuple[str, ...]] = ("10.1080/01621459.1993.10476408", "10.1016/j.jesp.2013.03.013")
    defaults: ClassVar[Mapping[str, Any]] = {"thresholds": [3.5, 5.0, 10.0], "fences": None, "k": 100}

    def __init__(self, request: KernelRequest, table: TableView) -> None:
        super().__init__(request, table)
        self._k = int(self.params["k"])
        self._dtype = np.dtype(self.spec.dtype)
        self._fences: list[tuple[Any, Any]] = []
        self._scale: dict[str, Any] = {}
        if self.params["fences"] is not None:
            self._fences = [(low, high) for low, high in self.params["fences"]]
        elif list(self.params["thresholds"]) != sorted(self.params["thresholds"]):
            raise UsageError("thresholds of kernel extreme_rows are to ascend")

    @classmethod
    def accepts(cls, spec: ColumnSpec) -> bool:
        """Numbers and times."""
        return spec.kind in NUMERIC_KINDS | TIME_KINDS

    def requires(self) -> list[KernelRequest]:
        """The quantiles, and the distances from the median on each side."""
        if self.params["fences"] is not None:
            return []
        sides = [KernelRequest("deviations", self.request.columns, {"side": side}) for side in ("low", "high")]
        return [ranked(self.column), *sides]

    def bind(self, inputs: Sequence[Mapping[str, Any]]) -> None:
        """Take the scales of both sides."""
        super().bind(inputs)
        if self.params["fences"] is not None:
            return
        median = middle(inputs[0])
        low, high = (_scale_of(side) for side in inputs[1:])
        self._scale = {
            "median": median,
            "scale_low": low[0],
            "scale_high": high[0],
            "rule_low": low[1],
            "rule_high": high[1],
        }
        if median is not None and math.isfinite(median):
            self._fences = [(median - t * low[0], median + t * high[0]) for t in self.params["thresholds"]]

    def init(self) -> State:
        """No rows."""
        count = len(self._fences)
        none, rows = np.empty(0, self._dtype), np.empty(0, np.int64)
        return {
            "below": np.zeros(count, np.int64),
            "above": np.zeros(count, np.int64),
            "count": 0,
            "low": none,
            "low_rows": rows,
            "high": none,
            "high_rows": rows,
        }

    def update(self, state: State, chunk: Chunk) -> State:
        """Count the values of a chunk that are beyond a fence, and keep the farthest."""
        values, leaf = present_values(chunk, self.column), self.init()
        leaf["count"] = values.size
        if not self._fences or not values.size:
            return self.merge(state, leaf)
        with np.errstate(invalid="ignore"):
            low, high = (
                np.flatnonzero(beyond) for beyond in (values < self._fences[0][0], values > self._fences[0][1])
            )
        if not (low.size or high.size):
            return self.merge(state, leaf)
        rows = present_rows(chunk, self.column)
        for side, found, counts, place in (("low", low, "below", 0), ("high", high, "above", 1)):
            beyond = values[found]
            for i, fence in enumerate(self._fences):
                leaf[counts][i] = np.count_nonzero(beyond < fence[0] if place == 0 else beyond > fence[1])
            leaf[side], leaf[f"{side}_rows"] = self._farthest(beyond, rows[found], place == 0)
        return self.merge(state, leaf)

    def merge(self, left: State, right: State) -> State:
        """Add the counts and keep the farthest rows of both."""
        out = {name: left[name] + right[name] for name in ("below", "above", "count")}
        for side in ("low", "high"):
            values, rows = (np.concatenate([left[n], right[n]]) for n in (side, f"{side}_rows"))
            out[side], out[f"{side}_rows"] = self._farthest(values, rows, side == "low")
        return out

    def _farthest(
        self, values: npt.NDArray[Any], rows: npt.NDArray[np.int64], ascending: bool
    ) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
        if values.size > self._k:  # keep all ties of the last one, so that rows decide among them
            place = self._k - 1 if ascending else values.size - self._k
            last = np.partition(values, place)[place]
            near = values <= last if ascending else values >= last
            values, rows = values[near], rows[near]
        order = np.lexsort((rows, values)) if ascending else np.lexsort((-rows, values))[::-1]
        order = order[: self._k]
        return values[order], rows[order]

    def finish(self, state: State) -> dict[str, Any]:
        """Hand out the rows.

        Returns
        -------
        dict
            ``median``; ``scale_low`` and ``scale_high``, of one standard deviation on each side, with ``rule_low`` and
            ``rule_high``: ``mad``, or the quantile that stood in, such as ``q0.99``, or ``none``; ``fences``, pairs;
            ``count``, values present; ``below`` and ``above``, lists of counts by fence; ``low`` and ``high``: pairs of
            value and row, farthest first, of values beyond the nearest fence.
        """
        listed = {
            side: [[v, r] for v, r in zip(state[side].tolist(), state[f"{side}_rows"].tolist(), strict=True)]
            for side in ("low", "high")
        }
        counts = {name: state[name].tolist() for name in ("below", "above")}
        counts["count"] = state["count"]
        return {**self._scale, "fences": [list(f) for f in self._fences], **counts, **listed}

    def memory(self) -> int:
        """The rows of both sides."""
        return 2 * self._k * (self._dtype.itemsize + 8) + 2048

    def scratch(self) -> int:
        """Values beyond the fences, of a chunk."""
        return 64 * self.chunk_rows + 16 * self.memory() + 200 * self._k + 65_536

    def cost(self) -> float:
        """Nanoseconds a row."""
        return 2.0


def _scale_of(side: Mapping[str, Any]) -> tuple[float, str]:
    """One standard deviation of one side, and the rule by which it was found."""
    if side["mad"]:
        if math.isfinite(side["mad"]):
            return NORMAL_MAD * side["mad"], "mad"
        return 0.0, "none"
    zeros = next((count for value, count in side["top"] if value == 0), 0) / max(side["count"], 1)
    at = dict(zip(side["probabilities"], side["quantiles"], strict=True))
    for probability in _STAND_INS:
        distance = at[probability]
        if 2 * probability >= 1 + zeros and distance and math.isfinite(distance):
            # What that quantile would be of the distances of normal data, were they all that is not 0.
            share = (probability - zeros) / (1 - zeros)
            return distance / NormalDist().inv_cdf((1 + share) / 2), f"q{probability}"
    return 0.0, "none"


PROVIDES = ExtremeRows
