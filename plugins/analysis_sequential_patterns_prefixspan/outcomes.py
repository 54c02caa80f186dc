"""Which patterns go with which outcome of a case."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin import round_significant
from toolkit.plugin.eventlog import CASE_BLOCKS
from toolkit.plugin.inference import jackknife_of_sums, table_test

from .mining import Pattern, closed_patterns

Ints = npt.NDArray[np.int64]
_LARGEST_LOG = 700.0
_EMPTY = -math.log(0.025)
"""Upper end of the exact 95 % interval of a count that was 0."""


@dataclass(frozen=True, slots=True)
class Separation:
    """A pattern and an outcome.

    Attributes
    ----------
    pattern : tuple
        The pattern.
    level : int
        The outcome.
    inside, with_pattern, with_level, cases : int
        Cases with both, with the pattern, with the outcome, and all.
    odds_ratio : float
        Of the pattern in cases with the outcome, over that in the others; half a case is added to each count.
    interval : tuple of float
        Its 95 % interval, by the jackknife over 16 stretches of time.
    log10_p : float
        Of independence: chi-square with Rao and Scott's correction.
    """

    pattern: Pattern
    level: int
    inside: int
    with_pattern: int
    with_level: int
    cases: int
    odds_ratio: float
    interval: tuple[float, float]
    log10_p: float

    def sure(self, least: float, ubiquitous: float) -> bool:
        """Whether the pattern is sure to be that much more common with the outcome, and not what all of it have."""
        if self.inside >= ubiquitous * self.with_level:
            return False
        return round_significant(self.interval[0]) > least and self.log10_p <= math.log10(0.05)


def telling_patterns(
    found: Mapping[Pattern, int], single: Ints, whole: int, params: Mapping[str, Any]
) -> tuple[list[Pattern], list[int]]:
    """Patterns of two activities or more that can tell something of an outcome, in sorted order.

    Parameters
    ----------
    found : mapping
        Frequent patterns and their cases.
    single : ndarray of int64, shape (activities, outcomes + 1)
        Cases in which each activity occurs, by outcome.
    whole : int
        All cases.
    params : mapping
        ``ubiquitous``, ``own``.

    Returns
    -------
    patterns : list of tuple
        Without activities that nearly all cases have, or that are the record of one outcome; of patterns that occur in
        the same cases, those that no longer one contains.
    left_out : list of int
        Those activities.
    """
    cases = single.sum(axis=1)
    record = single[:, :-1].max(axis=1, initial=0) >= params["own"] * np.maximum(cases, 1)
    left_out = np.flatnonzero((cases >= params["ubiquitous"] * whole) | (record & (cases > 0)))
    barred = set(left_out.tolist())
    kept = {p: n for p, n in found.items() if not any(item in barred for group in p for item in group)}
    return sorted(p for p in closed_patterns(kept) if sum(map(len, p)) > 1), left_out.tolist()


def separations(patterns: Sequence[Pattern], counts: Ints, totals: Ints) -> list[Separation]:
    """Every pattern with every outcome; of two outcomes with the rarer alone, as the other says the same.

    Parameters
    ----------
    patterns : sequence of tuple
        The patterns.
    counts : ndarray of int64, shape (patterns, cells)
        Cases in which each occurs, by outcome and stretch of time.
    totals : ndarray of int64, shape (cells,)
        All cases.
    """
    whole = totals.reshape(-1, CASE_BLOCKS)
    known = whole[:-1].sum(axis=1)
    mirrored = whole.shape[0] == 3 and not whole[-1].sum()
    levels = [int(np.argmin(known))] if mirrored else np.flatnonzero(known).tolist()
    out = []
    for pattern, cells in zip(patterns, counts, strict=True):
        having = cells.reshape(-1, CASE_BLOCKS)
        for level in levels:
            inside, rows, columns = having[level], having.sum(axis=0), whole[level]
            table = np.stack(
                [inside, rows - inside, columns - inside, whole.sum(axis=0) - rows - columns + inside], axis=1
            ).reshape(CASE_BLOCKS, 2, 2)
            tested = _separation(pattern, level, table)
            if tested is not None:
                out.append(tested)
    return out


def _separation(pattern: Pattern, level: int, table: Ints) -> Separation | None:
    test = table_test(table)
    if not test.df or test.blocks < 2:
        return None
    found = jackknife_of_sums(table, _log_odds_ratio, table.sum(axis=(1, 2)))
    low, high = (float(end) for end in found.interval())
    if not math.isfinite(low) or not math.isfinite(high):
        return None
    total = table.sum(axis=0)
    (a, b), (c, d) = np.asarray(total, np.float64)
    # The jackknife can't see what an empty or nearly empty cell might have held.
    low = min(low, _log_odds_ratio([a, max(b, _EMPTY), max(c, _EMPTY), d]))
    high = max(high, _log_odds_ratio([max(a, _EMPTY), b, c, max(d, _EMPTY)]))
    return Separation(
        pattern, level, int(total[0, 0]), int(total[0].sum()), int(total[:, 0].sum()), int(total.sum()),
        math.exp(float(found.value)), (math.exp(low), math.exp(min(high, _LARGEST_LOG))), test.log10_p,
    )  # fmt: skip


def _log_odds_ratio(table: Any) -> float:
    a, b, c, d = (float(x) + 0.5 for x in np.asarray(table).ravel())
    return math.log(a) + math.log(d) - math.log(b) - math.log(c)
