"""A regression from the triangular factor of its columns: coefficients, their errors, what each explains."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from toolkit.plugin.inference import Estimates, block_jackknife

Floats = npt.NDArray[np.float64]

_COLLINEAR = 1e-9
"""Smallest eigenvalue of the predictors' correlations from which cross products are trusted."""

_ALIASED = 1e-14
"""Length of what is left of a column, over its length, from which it says nothing that those before did not."""

_LARGEST_AUTOCORRELATION = 0.2
_FEWEST_BLOCKS = 16


@dataclass(frozen=True, slots=True)
class Fit:
    """A regression, in columns centred (where there is a constant) and divided by their lengths.

    Attributes
    ----------
    names : list of str
        Predictors that are in, without the constant.
    aliased : list of str
        Those that are linear combinations of others, left out.
    n : int
        Rows.
    df : int
        Rows less coefficients.
    centre, scale : ndarray of float64, shape (predictors,)
        What was taken off and divided by.
    inverse : ndarray of float64, shape (predictors, predictors)
        Of the triangular factor of the scaled columns.
    slopes : ndarray of float64, shape (predictors,)
        Coefficients in the columns' own units.
    constant : float
        0 where there is none.
    rss, tss : float
        Sums of squares: of the residuals, and of the outcome about its mean (about 0 without a constant).
    outcome_mean : float
        NaN without a constant.
    intercept : bool
        Whether there is a constant.
    """

    names: list[str]
    aliased: list[str]
    n: int
    df: int
    centre: Floats
    scale: Floats
    inverse: Floats
    slopes: Floats
    constant: float
    rss: float
    tss: float
    outcome_mean: float
    intercept: bool

    @property
    def r2(self) -> float:
        """Share of the variance that is explained; NaN where nothing varies."""
        return 1.0 - self.rss / self.tss if self.tss > 0 else math.nan

    def inflation(self) -> Floats:
        """Variance inflation factor of each predictor."""
        return np.asarray((self.inverse**2).sum(axis=1))

    def beyond_others(self) -> Floats:
        """Share of the variance that is lost without each predictor."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray((self.slopes * self.scale) ** 2 / self.inflation() / self.tss)

    def standardised(self, columns: Floats) -> Floats:
        """Predictors as the fit has them, shape (predictors, rows)."""
        return (columns - self.centre[:, None]) / self.scale[:, None]

    def residuals(self, columns: Floats, outcome: Floats) -> Floats:
        """What the fit leaves of the outcome, shape (rows,)."""
        about = self.outcome_mean if self.intercept else 0.0
        left = outcome - about
        for slope, centre, values in zip(self.slopes, self.centre, columns, strict=True):
            left = left - slope * (values - centre)
        return np.asarray(left)

    def independent_errors(self) -> tuple[float, Floats]:
        """Standard errors of constant and slopes for independent rows of equal variance, as textbooks have them."""
        if self.df < 1:
            return math.nan, np.full(len(self.names), math.nan)
        return self._errors(np.eye(len(self.names)) * (self.rss / self.df), self.rss / self.df)

    def clustered_errors(self, scores: Floats) -> tuple[float, Floats]:
        """Standard errors that hold where rows of one block depend on each other, and variances differ.

        Parameters
        ----------
        scores : ndarray of float64, shape (blocks, predictors + 1)
            Sums over each block of rows of the residuals, and of the residuals times each standardised predictor.

        Notes
        -----
        Liang and Zeger (1986), 10.1093/biomet/73.1.13; times blocks / (blocks - 1).
        """
        used = scores[np.any(scores != 0, axis=1)]
        if len(used) < 2:
            return math.nan, np.full(len(self.names), math.nan)
        meat = np.einsum("bi,bj->ij", used, used) * (len(used) / (len(used) - 1.0))
        turned = np.einsum("ki,kl,lj->ij", self.inverse, meat[1:, 1:], self.inverse)
        cross = np.einsum("ki,k->i", self.inverse, meat[1:, 0])
        return self._errors(turned, meat[0, 0] / self.n, cross)

    def _errors(self, middle: Floats, mean_square: float, cross: Floats | None = None) -> tuple[float, Floats]:
        """From the variance of the rotated scores, ``inverse @ middle @ inverse.T`` being that of the slopes."""
        slopes = np.einsum("ik,kl,jl->ij", self.inverse, middle, self.inverse) / np.outer(self.scale, self.scale)
        errors = np.sqrt(np.maximum(np.diag(slopes), 0.0))
        if not self.intercept:
            return math.nan, errors
        mixed = np.einsum("ik,k->i", self.inverse, np.zeros(len(self.scale)) if cross is None else cross)
        mixed = mixed / self.scale / self.n
        variance = mean_square / self.n + float(self.centre @ slopes @ self.centre) - 2.0 * float(self.centre @ mixed)
        return math.sqrt(max(variance, 0.0)), errors


def from_comoments(comoments: dict[str, Any]) -> Floats:
    """The factor of a constant and the columns, from the means and cross products of complete rows.

    Parameters
    ----------
    comoments : dict
        Result of the kernel ``comoments`` with ``rows: complete``, of which the condition is known to be small.

    Raises
    ------
    numpy.linalg.LinAlgError
        When a column is a linear combination of others.
    """
    n = float(comoments["n"][0, 0])
    lengths = np.sqrt(np.diag(comoments["m2"]))
    inner = np.linalg.cholesky(comoments["correlation"]).T * lengths
    r = np.zeros((len(lengths) + 1,) * 2)
    r[0, 0], r[0, 1:], r[1:, 1:] = math.sqrt(n), math.sqrt(n) * np.diag(comoments["mean"]), inner
    return r


def solve(r: Floats, names: list[str], n: int, *, intercept: bool = True) -> Fit:
    """The regression of the last column on the others.

    Parameters
    ----------
    r : ndarray of float64, shape (columns + 1, columns + 1)
        Upper triangular factor of a constant and the columns, the outcome last.
    names : list of str
        The predictors.
    n : int
        Rows.
    intercept : bool
        Whether the constant is a part of the model.

    Examples
    --------
    >>> x = np.array([1.0, 2.0, 3.0, 4.0])
    >>> fit = solve(np.linalg.qr(np.column_stack([np.ones(4), x, 2 * x + 1]))[1], ["x"], 4)
    >>> round(float(fit.slopes[0]), 12), round(float(fit.constant), 12)
    (2.0, 1.0)
    """
    inner = r[1:, 1:] if intercept else np.linalg.qr(r[:, 1:], mode="r")
    with np.errstate(invalid="ignore", divide="ignore"):
        means = r[0, 1:] / r[0, 0] if intercept else np.zeros(r.shape[1] - 1)
    # Columns that add nothing to those before them; the others' factor is decomposed again without these.
    lengths = np.sqrt((inner**2).sum(axis=0))
    kept, columns = [], np.zeros((inner.shape[0], 0))
    for j in range(len(names)):
        left = np.linalg.qr(np.column_stack([columns, inner[:, j] / lengths[j]]), mode="r") if lengths[j] else None
        if left is not None and abs(left[-1, -1]) > _ALIASED * math.sqrt(n) and left.shape[0] == left.shape[1]:
            kept.append(j)
            columns = np.column_stack([columns, inner[:, j] / lengths[j]])
    factor = np.linalg.qr(np.column_stack([columns, inner[:, -1]]), mode="r")
    p = len(kept)
    rotated = factor[:p, -1]
    slopes = _back_substituted(factor[:p, :p], rotated) / lengths[kept]
    centre = means[kept]
    constant = means[-1] - math.fsum((slopes * centre).tolist()) if intercept else 0.0
    inverse = np.array([_back_substituted(factor[:p, :p], unit) for unit in np.eye(p)]).T.reshape(p, p)
    rss = float(factor[p, -1] ** 2) if factor.shape[0] > p else 0.0
    return Fit(
        [names[j] for j in kept],
        [name for j, name in enumerate(names) if j not in kept],
        n,
        n - p - intercept,
        centre,
        lengths[kept],
        inverse,
        slopes,
        float(constant),
        rss,
        float((inner[:, -1] ** 2).sum()),
        float(means[-1]) if intercept else math.nan,
        intercept,
    )


class _Sums(NamedTuple):
    """Complete rows, and means and cross products of the columns over them."""

    n: float
    mean: Floats
    cross: Floats


def jackknifed(comoments: dict[str, Any], names: list[str]) -> Estimates | None:
    """The slopes with one block of rows left out at a time, which tells also what many predictors fit to few blocks.

    Parameters
    ----------
    comoments : dict
        Result of the kernel ``comoments`` with ``rows: complete``, the outcome last.
    names : list of str
        The predictors of the fit.

    Returns
    -------
    Estimates or None
        None where the columns are so close to collinear that cross products leave no digits.
    """
    at = [comoments["columns"].index(name) for name in names] + [len(comoments["columns"]) - 1]
    chosen = np.ix_(at, at)
    matrix = comoments["correlation"][chosen]
    if not np.isfinite(matrix).all() or np.linalg.eigvalsh(matrix[:-1, :-1])[0] < _COLLINEAR:
        return None
    blocks = comoments["blocks"]
    states = [
        _Sums(float(n), np.nan_to_num(np.diag(mean[chosen])), np.nan_to_num(cross[chosen]))
        for n, mean, cross in zip(blocks["n"][:, 0, 0], blocks["mean"], blocks["cross"], strict=True)
    ]
    return block_jackknife(states, _merged, _slopes, blocks["n"][:, 0, 0])


def _merged(left: _Sums, right: _Sums) -> _Sums:
    n = left.n + right.n
    share = right.n / max(n, 1.0)
    gap = right.mean - left.mean
    return _Sums(n, left.mean + gap * share, left.cross + right.cross + np.outer(gap, gap) * (left.n * share))


def _slopes(sums: _Sums) -> Floats:
    scale = np.sqrt(np.diag(sums.cross))
    with np.errstate(invalid="ignore", divide="ignore"):
        matrix = sums.cross / np.outer(scale, scale)
    if not np.isfinite(matrix).all():
        return np.full(len(scale) - 1, math.nan)
    try:
        return np.asarray(np.linalg.solve(matrix[:-1, :-1], matrix[:-1, -1]) * scale[-1] / scale[:-1])
    except np.linalg.LinAlgError:
        return np.full(len(scale) - 1, math.nan)


def joined_scores(scores: Floats, fit: Fit) -> Floats:
    """Sums over longer blocks of rows, where neighbouring blocks depend on each other.

    Parameters
    ----------
    scores : ndarray of float64, shape (blocks, predictors + 1)
        As of `Fit.clustered_errors`; 64 blocks.
    fit : Fit
        The regression.

    Returns
    -------
    ndarray of float64
        The same, or two and two added until no coefficient's share of them has an autocorrelation above 0.2, or 16
        are left.
    """
    while len(scores) >= 2 * _FEWEST_BLOCKS:
        turned = np.concatenate([scores[:, :1], np.einsum("bk,kj->bj", scores[:, 1:], fit.inverse)], axis=1)
        moved = np.concatenate([turned[:, :1], np.einsum("bj,kj->bk", turned[:, 1:], fit.inverse)], axis=1)
        power = (moved * moved).sum(axis=0)
        lagged = (moved[:-1] * moved[1:]).sum(axis=0)
        if not (lagged > _LARGEST_AUTOCORRELATION * power).any():
            break
        scores = scores[::2] + scores[1::2]
    return scores


def _back_substituted(upper: Floats, right: Floats) -> Floats:
    """Solution of a triangular system, each sum rounded once."""
    out = np.zeros(len(right))
    for i in range(len(right) - 1, -1, -1):
        products = [-float(u) * float(v) for u, v in zip(upper[i, i + 1 :], out[i + 1 :], strict=True)]
        out[i] = math.fsum([float(right[i]), *products]) / upper[i, i]
    return out


def condition(comoments: dict[str, Any]) -> float:
    """Condition number of the centred and scaled columns, the outcome too; infinite where one does not vary."""
    matrix = comoments["correlation"]
    if not np.isfinite(matrix).all():
        return math.inf
    values = np.linalg.eigvalsh(matrix)
    return math.sqrt(values[-1] / values[0]) if values[0] > 0 else math.inf
