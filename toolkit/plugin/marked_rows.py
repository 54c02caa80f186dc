"""Rows that a plugin marks, such as those with far values, held against the categories of a table."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.core.chunk import Chunk
from toolkit.kernels.blocks import BLOCKS, block_of_rows
from toolkit.kernels.coding import Coder
from toolkit.plugin.context import Context
from toolkit.plugin.inference import Estimates, adjusted_residuals, jackknife_of_sums, table_test
from toolkit.plugin.wording import shown

FEWEST_EXPECTED = 5.0
"""Marked rows that a level must be expected to have to stand by itself."""

_SIXTEENTHS = 8.0
_LARGEST_LOG = 700.0

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Link:
    """How marked rows go with a category; the level is the one that they are most at home in.

    Attributes
    ----------
    level : str
        The level, as a sentence has it.
    inside, marked : int
        Marked rows of the level, and all that have a level.
    rows, of_rows : int
        Rows of the level, and all, among those that could be marked.
    lift : float
        Share of the level among marked rows over its share among all.
    interval : tuple of float
        95 % interval of the lift, by the block jackknife.
    log10_p : float
        Of independence: chi-square with Rao and Scott's correction, 10.1214/aos/1176346391.
    design_effect : float
        By which chi-square was divided.
    """

    level: str
    inside: int
    marked: int
    rows: int
    of_rows: int
    lift: float
    interval: tuple[float, float]
    log10_p: float
    design_effect: float

    def evidence(self) -> dict[str, Any]:
        """What of it goes into a finding."""
        return {
            "level": self.level,
            "inside": self.inside,
            "count": self.marked,
            "level_rows": self.rows,
            "of_rows": self.of_rows,
            "lift": self.lift,
            "design_effect": self.design_effect,
        }


def count_levels(ctx: Context, chunk: Chunk, category: str, levels: Mapping[str, Any], places: Ints) -> Ints:
    """Some rows of a chunk by block and level, shape (64, levels + 1); the last level is of missing values.

    Parameters
    ----------
    ctx : Context
        The table.
    chunk : Chunk
        The rows.
    category : str
        A column.
    levels : dict
        ``levels`` of the kernel ``block_codes`` on it.
    places : ndarray of int
        Which rows, counted from the chunk's first.
    """
    return count_kinds(ctx, chunk, category, levels, places, np.zeros(places.size, np.int64), 1)[0]


def count_kinds(
    ctx: Context, chunk: Chunk, category: str, levels: Mapping[str, Any], places: Ints, kinds: Ints, of: int
) -> Ints:
    """The same for rows of several kinds at once, shape (kinds, 64, levels + 1).

    Parameters
    ----------
    ctx, chunk, category, levels, places
        As of `count_levels`.
    kinds : ndarray of int64, shape (places,)
        The kind of each row, from 0.
    of : int
        How many there are.
    """
    width = levels["levels"] + 1
    if not places.size:
        return np.zeros((of, BLOCKS, width), np.int64)
    codes = Coder(ctx.schema[category], levels).codes(chunk)
    blocks = block_of_rows(chunk.rows.start, chunk.rows.stop, ctx.rows)
    cells = (kinds * BLOCKS + blocks[places]) * width + codes[places].astype(np.int64)
    return np.bincount(cells, minlength=of * BLOCKS * width).reshape(of, BLOCKS, width)


def link_test(ctx: Context, category: str, levels: Mapping[str, Any], marked: Ints, others: Ints) -> Link | None:
    """Test whether marked rows go with a category.

    Parameters
    ----------
    ctx : Context
        The table.
    category : str
        The column.
    levels : dict
        ``levels`` of the kernel ``block_codes`` on it.
    marked, others : ndarray of int64, shape (64, levels + 1)
        Marked rows, and those that could have been, by block and level.

    Returns
    -------
    Link or None
        None where no level is expected to have five marked rows, and where marked rows are bunched so that there are
        fewer than eight equal sixteenths of the table's worth of them: a few stretches of rows prove nothing.
    """
    tables = np.stack([marked, others], axis=1)[:, :, :-1]
    sixteenths = tables[:, 0].sum(axis=1).reshape(16, -1).sum(axis=1).astype(np.float64)
    if not sixteenths.any() or sixteenths.sum() ** 2 < _SIXTEENTHS * (sixteenths**2).sum():
        return None
    total = tables.sum(axis=0)
    large = total.sum(axis=0) * (total[0].sum() / total.sum()) >= FEWEST_EXPECTED
    if not large.any():
        return None
    rest = tables[:, :, ~large].sum(axis=2, keepdims=True)
    pooled = np.concatenate([tables[:, :, large], rest], axis=2)
    test = table_test(pooled)
    if not test.df or test.blocks < 2:
        return None
    table = pooled.sum(axis=0)
    level = int(np.argmax(np.round(adjusted_residuals(table)[0][: int(large.sum())], 9)))
    estimate = _log_lift(pooled, level)
    low, high = (math.exp(min(float(end), _LARGEST_LOG)) if math.isfinite(end) else 0.0 for end in estimate.interval())
    return Link(
        level=_name(ctx, category, levels, int(np.flatnonzero(large)[level])),
        inside=int(table[0, level]),
        marked=int(table[0].sum()),
        rows=int(table[:, level].sum()),
        of_rows=int(table.sum()),
        lift=math.exp(float(estimate.value)),
        interval=(low, high),
        log10_p=test.log10_p,
        design_effect=test.design_effect,
    )


def _log_lift(tables: Ints, level: int) -> Estimates:
    def statistic(table: Any) -> float:
        inside = (table[0, level] + 0.5) / (table[0].sum() + 1.0)
        return math.log(inside) - math.log((table[:, level].sum() + 0.5) / (table.sum() + 1.0))

    return jackknife_of_sums(tables, statistic, tables.sum(axis=(1, 2)))


def _name(ctx: Context, category: str, levels: Mapping[str, Any], level: int) -> str:
    if levels["values"] is None:
        return f"in range {level + 1} of {levels['levels']}"
    value = levels["values"][level]
    if levels["kind"] != "categories":
        return shown(value)
    return "one of the rare values" if value < 0 else shown(str(ctx.categories(category)[value]))
