"""Exact quantiles of the distances of a column's values from its median."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from toolkit.core.chunk import Chunk
from toolkit.core.digest import digest_value
from toolkit.core.errors import UsageError
from toolkit.kernels.base import KernelRequest, State, StateClass, TableView
from toolkit.kernels.levels import ABOVE_HALF, ranked
from toolkit.kernels.order import PROBABILITIES, Order
from toolkit.kernels.present import present_values

SIDES = ("both", "low", "high")


class Deviations(Order):
    """The median, and what the kernel ``order`` gives of the distances from it: their median is the MAD.

    The median is the mean of the two middle values where their number is even, and so is the MAD. Distances are
    doubles, those of infinities infinite. NaN is counted apart.

    Parameters of a request: as of ``order``; and ``side``: ``both``, or ``low`` or ``high`` for the distances of the
    values that are at most or at least the median, for the double MAD of a skewed column.

    Notes
    -----
    The state is that of ``order``.
    """

    name: ClassVar[str] = "deviations"
    version: ClassVar[int] = 2
    state_class: ClassVar[StateClass] = "exact"
    references: ClassVar[tuple[str, ...]] = ("10.1080/01621459.1993.10476408", "10.1016/j.jesp.2013.03.013")
    defaults: ClassVar[Mapping[str, Any]] = {
        **Order.defaults,
        "probabilities": sorted([*PROBABILITIES, ABOVE_HALF]),
        "side": "both",
    }

    def __init__(self, request: KernelRequest, table: TableView) -> None:
        super().__init__(request, table)
        self._side = self.params["side"]
        if self._side not in SIDES:
            raise UsageError(f"kernel deviations takes side: both, low or high, not {self._side!r}")
        # Distances are doubles, whatever the column is.
        self._dtype = np.dtype(np.float64)
        self._dense = False

    def requires(self) -> list[KernelRequest]:
        """The quantiles of the column."""
        return [ranked(self.column)]

    def bind(self, inputs: Sequence[Mapping[str, Any]]) -> None:
        """Take the median."""
        super().bind(inputs)
        self._median = middle(inputs[0])

    def state_key(self) -> str:
        """As of ``order``, and the side."""
        return digest_value([super().state_key(), self._side])

    def _present(self, chunk: Chunk) -> npt.NDArray[Any]:
        values = present_values(chunk, self.column)
        if self._median is None:
            return values[:0].astype(np.float64)
        if self._side != "both":
            with np.errstate(invalid="ignore"):
                values = values[values <= self._median if self._side == "low" else values >= self._median]
        return distances(values, self._median)

    def finish(self, state: State) -> dict[str, Any]:
        """Derive the result.

        Returns
        -------
        dict
            As of ``order``, of the distances; ``median`` of the column and ``mad``, the median distance, None without
            values.
        """
        return super().finish(state)

    def _described(self, summary: dict[str, Any], nan: int, bins: Any) -> dict[str, Any]:
        found = super()._described(summary, nan, bins)
        return {**found, "median": self._median, "mad": middle(found)}

    def scratch(self) -> int:
        """As of ``order``, and the distances of a chunk."""
        return super().scratch() + 40 * self.chunk_rows

    def cost(self) -> float:
        """Nanoseconds a row."""
        return super().cost() + 4.0


def middle(ranks: Mapping[str, Any]) -> Any:
    """Median from a result of ``order`` with the quantiles at a half and just above; None without values."""
    at = dict(zip(ranks["probabilities"], ranks["quantiles"], strict=True))
    if not ranks["count"]:
        return None
    low, high = at[0.5], at[ABOVE_HALF]
    if low == high:
        return low
    if isinstance(low, int):
        return (low + high) / 2
    half = low / 2 + high / 2
    return (low + high) / 2 if abs(half) < 1e300 else half


def distances(values: npt.NDArray[Any], centre: float) -> npt.NDArray[np.float64]:
    """Absolute differences from a centre; between integers, exact as far as doubles hold the result."""
    if values.dtype.kind in "iu" and isinstance(centre, int):
        if values.dtype.itemsize == 8:
            wrapped = np.where(
                values >= centre, values.view(np.uint64) - np.uint64(centre % (1 << 64)),
                np.uint64(centre % (1 << 64)) - values.view(np.uint64),
            )  # fmt: skip
            return wrapped.astype(np.float64)
        return np.abs(values.astype(np.int64) - centre).astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.abs(values.astype(np.float64) - centre)


PROVIDES = Deviations
