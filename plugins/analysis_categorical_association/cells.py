"""The combinations of values that make an association."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin.inference import adjusted_residuals, jackknife_of_sums

from .pairs import Pair


@dataclass(frozen=True, slots=True)
class Cell:
    """A combination of two values.

    Attributes
    ----------
    values : tuple
        The values.
    rows : int
        Rows that have both.
    expected : float
        How many there would be without association.
    lift : float
        The one over the other.
    interval : tuple of float
        95 % interval of the lift.
    residual : float
        Adjusted residual of independent rows.
    blocks : list of int
        Blocks of rows that have it.
    """

    values: tuple[Any, Any]
    rows: int
    expected: float
    lift: float
    interval: tuple[float, float]
    residual: float
    blocks: list[int]


def strongest_cells(pair: Pair, least: float, most: int) -> list[Cell]:
    """Combinations that are surely ``least`` times as common as expected, or as rare; by residual, the largest first.

    The pooled values are none: nobody can act on them.
    """
    table = pair.table
    residuals = adjusted_residuals(table)
    own = np.zeros(table.shape, bool)
    own[: pair.levels[0].own, : pair.levels[1].own] = True
    flat = np.flatnonzero((own & (residuals != 0)).ravel())
    places = flat[np.lexsort((flat, -np.abs(residuals.ravel()[flat])))][: 4 * most]
    if not places.size:
        return []
    at = np.unravel_index(places, table.shape)
    lifts = jackknife_of_sums(pair.blocks, lambda t: _lift(t)[at])
    lows, highs = (ends.tolist() for ends in lifts.interval())
    found = []
    for k, (i, j, low, high) in enumerate(zip(at[0].tolist(), at[1].tolist(), lows, highs, strict=True)):
        # Around 1, a lift of x and one of 1 / x are equally far.
        if not (low > least or high < 1.0 / least):
            continue
        lift = float(lifts.value[k])
        values = (pair.levels[0].labels[i], pair.levels[1].labels[j])
        blocks = np.flatnonzero(pair.blocks[:, i, j]).tolist()
        expected = float(table[i].sum()) * float(table[:, j].sum()) / float(table.sum())
        ends = (max(low, 0.0), high)
        found.append(Cell(values, int(table[i, j]), expected, lift, ends, float(residuals[i, j]), blocks))
    return found[:most]


def _lift(table: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Counts over expected counts; NaN where none is expected."""
    counts = np.asarray(table, np.float64)
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0, keepdims=True) / max(counts.sum(), 1.0)
    return np.divide(counts, expected, out=np.full_like(counts, np.nan), where=expected > 0)
