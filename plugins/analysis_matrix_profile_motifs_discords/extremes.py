"""What stands out of a matrix profile: discords with their p-values, and the motif with its recurrences."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .profile import MatrixProfile

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FEWEST_STRETCHES = 50
"""Stretches of the length of a window from which on the distances of the others tell what is unusual."""
_SPIKE = 0.3
"""Share of the variance of a window that one bin has at most, where the window is to be a motif."""
_CANDIDATES = 8
"""Windows whose recurrences are counted."""
_QUARTILES = 1.5725
"""Distance of the quartiles of Gumbel's distribution, in units of its scale."""
_NORMAL = 1.3489795003921634
_SPREAD_OF_QUARTILES = 1.36
"""Standard error of the distance of the quartiles of n values, times the root of n, over itself; of normal ones."""


@dataclass(frozen=True, slots=True)
class Discord:
    """A stretch that looks like no other.

    Attributes
    ----------
    start : int
        First bin of the window.
    distance : float
        To the window most like it.
    score : float
        Robust standard deviations of the distance above the median of all stretches.
    interval : tuple of float
        95 % interval of the score.
    log10_p : float or None
        That the largest of so many distances is as large; None where there are fewer than 50 stretches.
    """

    start: int
    distance: float
    score: float
    interval: tuple[float, float]
    log10_p: float | None


@dataclass(frozen=True, slots=True)
class Stretches:
    """The largest distance of every stretch of the length of a window, by which one is judged.

    Attributes
    ----------
    count : int
        Stretches that have any.
    median, quartiles : float
        Their median, and the distance of their quartiles.
    """

    count: int
    median: float
    quartiles: float


def compared(profile: MatrixProfile, m: int) -> Stretches:
    """The distances of all stretches; flat windows have no shape and count for nothing."""
    usable = np.where(np.isfinite(profile.distances) & ~profile.flat, profile.distances, -1.0)
    tops = np.maximum.reduceat(usable, np.arange(0, usable.size, m)) if usable.size else usable
    tops = tops[tops >= 0]
    if tops.size < 2:
        return Stretches(int(tops.size), 0.0, 0.0)
    low, middle, high = np.quantile(tops, [0.25, 0.5, 0.75]).tolist()
    return Stretches(int(tops.size), middle, high - low)


def discords(profile: MatrixProfile, m: int, most: int, among: Stretches) -> list[Discord]:
    """Windows with the largest distances, none within a window's length of another; the first of equals first.

    Gumbel's distribution is fitted to the distances of all stretches by their quartiles, which a few odd ones don't
    move; Gumbel (1958), and Yeh and others (2016), 10.1109/ICDM.2016.0179.
    """
    left = np.where(np.isfinite(profile.distances) & ~profile.flat, profile.distances, -np.inf)
    found: list[Discord] = []
    while len(found) < most and left.size:
        at = int(left.argmax())
        if not np.isfinite(left[at]):
            break
        distance = float(left[at])
        score, interval, log10_p = _judged(distance, among)
        found.append(Discord(at, distance, score, interval, log10_p))
        left[max(0, at - m + 1) : at + m] = -np.inf
    return found


def _judged(distance: float, among: Stretches) -> tuple[float, tuple[float, float], float | None]:
    if among.quartiles <= 0 or among.count < FEWEST_STRETCHES:
        return 0.0, (0.0, 0.0), None
    score = (distance - among.median) * _NORMAL / among.quartiles
    error = 1.96 * _SPREAD_OF_QUARTILES / math.sqrt(among.count)
    scale = among.quartiles / _QUARTILES
    mode = among.median + scale * math.log(math.log(2.0))
    # Of n: n times the tail, as long as that is small, and never more than 1.
    tail = -math.expm1(-math.exp(-(distance - mode) / scale)) if distance > mode - 30 * scale else 1.0
    log10_tail = math.log10(tail) if tail > 0 else -(distance - mode) / scale / math.log(10.0)
    return score, (score / (1.0 + error), score / (1.0 - error)), min(log10_tail + math.log10(among.count), 0.0)


def motif(profile: MatrixProfile, x: Floats, m: int, likeness: float) -> list[int]:
    """Windows of one shape: of the windows with the nearest neighbours, that with the most recurrences has it.

    A window of which one bin makes most of the variance has no shape: two such are alike by chance, wherever the bin
    is.
    """
    best: list[int] = []
    for start in _nearest(profile, x, m):
        found = recurrences(x, start, m, likeness)
        best = found if len(found) > len(best) else best
    return best


def _nearest(profile: MatrixProfile, x: Floats, m: int) -> list[int]:
    """Windows with the smallest distances, none within a window's length of another, the first of equals first."""
    left = np.where(profile.flat | (profile.nearest < 0), np.inf, profile.distances)
    windows = np.lib.stride_tricks.sliding_window_view(x, m)
    for a in range(0, len(windows), 1024):
        part = windows[a : a + 1024]
        with np.errstate(invalid="ignore"):
            squares = (part - part.mean(axis=1, keepdims=True)) ** 2
            left[a : a + 1024][squares.max(axis=1) > _SPIKE * squares.sum(axis=1)] = np.inf
    found: list[int] = []
    while len(found) < _CANDIDATES and left.size:
        at = int(left.argmin())
        if not np.isfinite(left[at]):
            break
        found.append(at)
        left[max(0, at - m + 1) : at + m] = np.inf
    return found


def recurrences(x: Floats, start: int, m: int, likeness: float) -> list[int]:
    """First bins of windows that correlate with one, none within a window's length of a better one.

    Parameters
    ----------
    x : ndarray of float64, shape (n,)
        The series; NaN where a value is missing.
    start, m : int
        The window.
    likeness : float
        The least correlation.
    """
    windows = np.lib.stride_tricks.sliding_window_view(x, m)
    shape = windows[start] - windows[start].mean()
    shape = shape / math.sqrt(float((shape * shape).sum()))
    correlation = np.full(len(windows), -1.0)
    for a in range(0, len(windows), 1024):
        part = windows[a : a + 1024]
        apart = part - part.mean(axis=1, keepdims=True)
        norms = np.sqrt((apart * apart).sum(axis=1))
        good = np.isfinite(norms) & (norms > 0)
        products = (apart * shape).sum(axis=1)
        correlation[a : a + 1024][good] = products[good] / norms[good]
    found: list[int] = []
    order = np.argsort(-np.round(correlation, 10), kind="stable")
    taken = np.zeros(len(windows), bool)
    for at in order.tolist():
        if correlation[at] < likeness:
            break
        if not taken[at]:
            found.append(at)
            taken[max(0, at - m + 1) : at + m] = True
    return sorted(found)
