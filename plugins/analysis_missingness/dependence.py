"""Tests of whether a column's absence depends on another column, or on where in the table a row stands."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin import BLOCKS
from toolkit.plugin.inference import (
    adjusted_residuals,
    beyond,
    cramers_v,
    effective_blocks,
    hedges_g,
    jackknife_of_sums,
    log10_t,
    t_quantile,
    table_test,
)

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

LARGEST_LOG10_P = math.log10(0.05)
_LEAST_EXPECTED = 5.0
_FEWEST_EFFECTIVE = 4.0
"""Long blocks among which missing values are spread at least, or an outage would pass for dependence."""


@dataclass(frozen=True, slots=True)
class Dependence:
    """A target's absence held against another column.

    Attributes
    ----------
    target, other : str
        The columns.
    strength : float
        Between 0 and 1, by which dependences of all kinds are compared: Cramér's V, or the correlation that a
        difference of means comes to.
    effect : float
        Cramér's V, or Hedges' g of the rows where the target is missing against the others.
    interval : tuple of float
        Its 95 % interval.
    log10_p : float
        Of the test of no dependence.
    detail : dict
        What the sentence is made of.
    """

    target: str
    other: str
    strength: float
    effect: float
    interval: tuple[float, float]
    log10_p: float
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether there was a test, and what it found where that is large enough to be told."""

    tested: bool
    found: Dependence | None = None


def category_test(pair: tuple[str, str], gone: Ints, rows: Ints, least: int, minimum: tuple[float, float]) -> Outcome:
    """Independence of a target's absence and a category, by Pearson's chi-square with Rao and Scott's correction.

    Parameters
    ----------
    pair : (str, str)
        The target and the category.
    gone, rows : ndarray of int64, shape (64, levels)
        Rows where the target is missing, and all rows, by block and level.
    least : int
        Missing and present values that are needed.
    minimum : (float, float)
        Cramér's V and difference of the share of missing values between a level and all others.
    """
    missing, total = int(gone.sum()), int(rows.sum())
    if missing < least or total - missing < least or float(effective_blocks(gone.sum(axis=1))) < _FEWEST_EFFECTIVE:
        return Outcome(tested=False)
    share = missing / total
    large = rows.sum(axis=0) * min(share, 1.0 - share) >= _LEAST_EXPECTED
    tables = np.stack([_pooled(gone, large), _pooled(rows - gone, large)], axis=1)
    test = table_test(tables)
    if not test.df or test.blocks < 2:
        return Outcome(tested=False)
    table = tables.sum(axis=0)
    v = cramers_v(table)
    if test.log10_p > LARGEST_LOG10_P or v <= minimum[0]:
        return Outcome(tested=True)
    estimate = jackknife_of_sums(tables, cramers_v)
    low, high = (float(end) for end in estimate.interval())
    level = int(np.abs(adjusted_residuals(table)[0]).argmax())
    difference = jackknife_of_sums(tables, lambda t: _rate(t, level) - _rate_of_others(t, level))
    ends = tuple(float(end) for end in difference.interval())
    if not (beyond(low, high, minimum[0]) and beyond(ends[0], ends[1], minimum[1])):
        return Outcome(tested=True)
    kept = np.flatnonzero(large).tolist()
    detail = {
        "level": kept[level] if level < len(kept) else None,
        "missing_inside": int(table[0, level]),
        "rows_inside": int(table[:, level].sum()),
        "missing_outside": int(table[0].sum() - table[0, level]),
        "rows_outside": int(table.sum() - table[:, level].sum()),
        "difference": float(difference.value),
        "difference_interval": list(ends),
        "chi2": test.chi2,
        "df": test.df,
        "design_effect": test.design_effect,
        "blocks": test.blocks,
    }
    return Outcome(True, Dependence(*pair, v, v, (max(low, 0.0), min(high, 1.0)), test.log10_p, detail))


def number_test(pair: tuple[str, str], gone: Floats, rows: Floats, least: int, minimum: float) -> Outcome:
    """Difference of the mean of a number where the target is missing and where not; Welch's, by the block jackknife.

    Parameters
    ----------
    pair : (str, str)
        The target and the number.
    gone, rows : ndarray of float64, shape (64, 3)
        Count, sum and sum of squares of the standardised number by block, of the rows where the target is missing and
        of all.
    least : int
        Missing and present values that are needed.
    minimum : float
        Hedges' g.
    """
    missing, total = float(gone[:, 0].sum()), float(rows[:, 0].sum())
    effective = float(effective_blocks(gone[:, 0]))
    if missing < least or total - missing < least or effective < _FEWEST_EFFECTIVE:
        return Outcome(tested=False)
    states = np.stack([gone, rows - gone], axis=1)
    difference = jackknife_of_sums(states, _difference)
    if not difference.error > 0:
        return Outcome(tested=False)
    log10_p = log10_t(float(difference.value / difference.error), effective - 1.0)
    estimate = jackknife_of_sums(states, _g)
    g, reach = float(estimate.value), t_quantile(0.975, effective - 1.0) * float(estimate.error)
    low, high = g - reach, g + reach
    if log10_p > LARGEST_LOG10_P or not beyond(low, high, minimum):
        return Outcome(tested=True)
    p = missing / total
    strength = abs(g) / math.sqrt(g * g + 1.0 / (p * (1.0 - p)))
    means = states.sum(axis=0)
    detail = {
        "mean_missing": float(means[0, 1] / means[0, 0]),
        "mean_present": float(means[1, 1] / means[1, 0]),
        "rows_missing": int(missing),
        "rows_present": int(total - missing),
        "effective_blocks": effective,
    }
    return Outcome(True, Dependence(*pair, strength, g, (low, high), log10_p, detail))


def together_test(
    pair: tuple[str, str], both: Ints, gone: tuple[Ints, Ints], rows: Ints, least: int, minimum: float
) -> Outcome:
    """Independence of the absence of two columns.

    Parameters
    ----------
    pair : (str, str)
        The columns.
    both, rows : ndarray of int64, shape (64,)
        Rows where both are missing, and all rows, by block.
    gone : tuple of two ndarrays of int64, shape (64,)
        Rows where each is missing.
    least : int
        Missing and present values that are needed.
    minimum : float
        Cramér's V.
    """
    first, second = gone
    cells = [both, first - both, second - both, rows - first - second + both]
    tables = np.stack(cells, axis=1).reshape(-1, 2, 2)
    table = tables.sum(axis=0)
    expected = table.sum(axis=0) * (table.sum(axis=1)[:, None] / max(int(table.sum()), 1))
    few = min(float(effective_blocks(first)), float(effective_blocks(second))) < _FEWEST_EFFECTIVE
    if few or min(table.sum(axis=0).min(), table.sum(axis=1).min()) < least or expected.min() < _LEAST_EXPECTED:
        return Outcome(tested=False)
    test = table_test(tables)
    v = cramers_v(table)
    if test.log10_p > LARGEST_LOG10_P or v <= minimum:
        return Outcome(tested=True)
    low, high = (float(end) for end in jackknife_of_sums(tables, cramers_v).interval())
    if not beyond(low, high, minimum):
        return Outcome(tested=True)
    detail = {
        "both": int(table[0, 0]),
        "first": int(table[0].sum()),
        "second": int(table[:, 0].sum()),
        "of_rows": int(table.sum()),
        "expected": float(expected[0, 0]),
        "chi2": test.chi2,
        "design_effect": test.design_effect,
        "blocks": test.blocks,
    }
    return Outcome(True, Dependence(*pair, v, v, (max(low, 0.0), min(high, 1.0)), test.log10_p, detail))


def position_test(target: str, gone: Ints, rows: Ints, minimum: float) -> Outcome:
    """Whether the share of missing values differs between the first and the last quarter of the table.

    Parameters
    ----------
    target : str
        The column.
    gone, rows : ndarray of int64, shape (64,)
        Rows where it is missing, and all rows, by block.
    minimum : float
        Difference of the two shares.
    """
    quarter = BLOCKS // 4
    states = np.zeros((BLOCKS, 4))
    states[:quarter, 0], states[:quarter, 1] = gone[:quarter], rows[:quarter]
    states[-quarter:, 2], states[-quarter:, 3] = gone[-quarter:], rows[-quarter:]
    estimate = jackknife_of_sums(states, _quarters, states[:, 1] + states[:, 3])
    error, df = float(estimate.error), float(estimate.df)
    if not error > 0:
        return Outcome(tested=False)
    # Two independent means, each of half of the blocks: the smaller number of degrees of freedom (Welch).
    log10_p = log10_t(float(estimate.value) / error, max((df - 1.0) / 2.0, 1.0))
    low, high = (float(end) for end in estimate.interval())
    if log10_p > LARGEST_LOG10_P or not beyond(low, high, minimum):
        return Outcome(tested=True)
    sums = states.sum(axis=0).astype(int).tolist()
    names = ("missing_first", "rows_first", "missing_last", "rows_last")
    detail = {**dict(zip(names, sums, strict=True)), "blocks": int(estimate.blocks)}
    value = float(estimate.value)
    return Outcome(True, Dependence(target, "", abs(value), value, (low, high), log10_p, detail))


def _pooled(table: Ints, large: npt.NDArray[np.bool_]) -> Ints:
    """Levels that are too rare for the chi-square distribution taken together."""
    if large.all():
        return table
    return np.concatenate([table[:, large], table[:, ~large].sum(axis=1, keepdims=True)], axis=1)


def _rate(table: Any, level: int) -> float:
    inside = float(table[:, level].sum())
    return float(table[0, level]) / inside if inside else math.nan


def _rate_of_others(table: Any, level: int) -> float:
    outside = float(table.sum() - table[:, level].sum())
    return float(table[0].sum() - table[0, level]) / outside if outside else math.nan


def _difference(state: Floats) -> float:
    if not state[:, 0].all():
        return math.nan
    return float(state[0, 1] / state[0, 0] - state[1, 1] / state[1, 0])


def _g(state: Floats) -> float:
    if not state[:, 0].all():
        return math.nan
    first, second = ((n, s / n, max(q - s * s / n, 0.0)) for n, s, q in state.tolist())
    return hedges_g(first, second)


def _quarters(state: Floats) -> float:
    if not (state[1] and state[3]):
        return math.nan
    return float(state[2] / state[3] - state[0] / state[1])
