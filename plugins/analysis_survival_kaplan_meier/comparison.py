"""Groups against all others: restricted means with errors from blocks of rows, and the log-rank test."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin import BLOCKS, Context
from toolkit.plugin.inference import jackknife_of_sums
from toolkit.plugin.kept_levels import KeptLevels, kept_levels

from .curve import Curve, common_limit, log_rank
from .spells import Batch
from .times import TimeCounts

FEWEST_EVENTS = 5
_OUTCOME = 20.0


@dataclass(frozen=True, slots=True)
class Groups:
    """The curves of the groups of one column.

    Attributes
    ----------
    column : str
        The column.
    kept : KeptLevels
        Its levels.
    curves : list of Curve
        Of each group, those of pooled levels last; rows without a value have none.
    log_rank : tuple
        Chi-square, degrees of freedom and log10 p for independent rows.
    pairs : list of Comparison
        Groups that were compared with all others.
    """

    column: str
    kept: KeptLevels
    curves: list[Curve]
    log_rank: tuple[float, int, float]
    pairs: list[Comparison]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One group and all others that have a value.

    Attributes
    ----------
    place : int
        The group.
    own, rest : Curve
        Both curves.
    limit : float
        Up to where the means are restricted.
    means : tuple of float
        Restricted means of both.
    """

    place: int
    own: Curve
    rest: Curve
    limit: float
    means: tuple[float, float]

    @property
    def ratio(self) -> float:
        """Of the restricted means; NaN where that of the others is 0."""
        return self.means[0] / self.means[1] if self.means[1] > 0 else math.nan


@dataclass(frozen=True, slots=True)
class Tested:
    """A comparison with its error."""

    comparison: Comparison
    interval: tuple[float, float]
    log10_p: float
    blocks: int


def whole_curve(counts: TimeCounts) -> Curve:
    """The curve of all rows; the first table counts them."""
    table = counts.counts[0]
    return Curve(counts.edges, table[:, 1], table.sum(axis=1))


def groups_of(ctx: Context, counts: TimeCounts, table: npt.NDArray[np.int64], column: str) -> Groups | str:
    """The groups of one column, or why they are not compared.

    Parameters
    ----------
    ctx : Context
        Parameters and caps.
    counts : TimeCounts
        For the times.
    table : ndarray of int64, shape (times, levels + 1, 2)
        Rows by time, level and whether the event came; the last level is of missing values.
    column : str
        The column.
    """
    levels = ctx.kernel("levels", column)
    kept = kept_levels(ctx, column, levels, table[:, :-1].sum(axis=(0, 2)))
    folded = kept.fold(table[:, :-1], axis=1)
    events, ended = folded[:, :, 1], folded.sum(axis=2)
    rows, happened = ended.sum(axis=0), events.sum(axis=0)
    if np.count_nonzero(rows) < 2:
        return "fewer than two of its values have a time"
    expected = rows * (happened.sum() / rows.sum())
    if not ctx.params["groups"] and ((happened == 0) & (expected >= _OUTCOME)).any():
        return "it says how rows end: of one value none has the event; name it in the parameter groups to compare it"
    curves = [Curve(counts.edges, events[:, k], ended[:, k]) for k in range(ended.shape[1])]
    fit = (rows >= ctx.params["group_rows"]) & (happened >= FEWEST_EVENTS)
    fit &= (rows.sum() - rows >= ctx.params["group_rows"]) & (happened.sum() - happened >= FEWEST_EVENTS)
    places = [k for k in range(kept.own) if fit[k]]
    if len(curves) == 2:
        places = places[-1:]  # the other one is the same comparison
    pairs = []
    for k in places:
        rest = Curve(counts.edges, events.sum(axis=1) - events[:, k], ended.sum(axis=1) - ended[:, k])
        limit = common_limit(curves[k], rest)
        means = (curves[k].restricted_mean(limit), rest.restricted_mean(limit))
        pairs.append(Comparison(k, curves[k], rest, limit, means))
    return Groups(column, kept, curves, log_rank(events, ended), pairs)


def tested(
    batches: Iterable[Batch], counts: TimeCounts, chosen: Mapping[str, tuple[Groups, list[Comparison]]]
) -> dict[str, list[Tested]]:
    """Errors of the logarithms of ratios, from what each block of rows adds to them.

    Parameters
    ----------
    batches : iterable of Batch
        All rows once more.
    counts : TimeCounts
        For the times.
    chosen : dict of str to (Groups, list of Comparison)
        Comparisons by column.

    Notes
    -----
    A restricted mean is the mean of its rows' influences but for terms of higher order, so that sums of influences by
    block stand for the mean without a block. Fewer than eight blocks with rows of both sides give no error.
    """
    tables = {
        name: [(c, np.stack([side.influence(c.limit) for side in (c.rest, c.own)])) for c in comparisons]
        for name, (_, comparisons) in chosen.items()
    }
    sums = {name: np.zeros((len(entries), BLOCKS, 2, 2)) for name, entries in tables.items()}
    for batch in batches:
        places, happened = counts.places(batch.times), batch.happened.astype(np.int64)
        for name, entries in tables.items():
            group = np.append(chosen[name][0].kept.places, -1)[batch.codes[name]]
            valid = group >= 0
            for i, (comparison, influence) in enumerate(entries):
                side = (group[valid] == comparison.place).astype(np.int64)
                cells = batch.blocks[valid] * 2 + side
                values = influence[side, places[valid], happened[valid]]
                sums[name][i, :, :, 0] += np.bincount(cells, values, 2 * BLOCKS).reshape(BLOCKS, 2)
                sums[name][i, :, :, 1] += np.bincount(cells, minlength=2 * BLOCKS).reshape(BLOCKS, 2)
    out: dict[str, list[Tested]] = {}
    for name, entries in tables.items():
        out[name] = [found for i, (c, _) in enumerate(entries) if (found := _with_error(c, sums[name][i])) is not None]
    return out


def _with_error(comparison: Comparison, sums: npt.NDArray[np.float64]) -> Tested | None:
    own, rest = comparison.means

    def statistic(block: Any) -> float:
        moved = block[:, 0] / block[:, 1] if (block[:, 1] > 0).all() else np.full(2, np.nan)
        sides = rest + moved[0], own + moved[1]
        return math.log(sides[1] / sides[0]) if min(sides) > 0 else math.nan

    if min(own, rest) <= 0:
        return None
    estimate = jackknife_of_sums(sums, statistic, sums[:, :, 1].min(axis=1))
    low, high = (float(end) for end in estimate.interval())
    log10_p = float(estimate.log10_p())
    if not (math.isfinite(low) and math.isfinite(high) and math.isfinite(log10_p)):
        return None
    ends = (math.exp(max(low, -700.0)), math.exp(min(high, 700.0)))
    return Tested(comparison, ends, log10_p, int(estimate.blocks))
