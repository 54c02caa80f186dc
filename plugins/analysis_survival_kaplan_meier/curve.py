"""Kaplan and Meier's curve and what follows from it, of counts by time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from toolkit.plugin.inference import log10_chi2

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_NORMAL = 1.959963984540054
_AT_RISK = 10
_NEARLY_ALL = 0.02


@dataclass(frozen=True)
class Curve:
    """The share that has not had the event, by time; 10.1080/01621459.1958.10501452.

    Attributes
    ----------
    times : ndarray of float64, shape (times,)
        Ascending.
    events, ended : ndarray of int64, shape (times,)
        Events at a time, and rows whose watching ended there with or without the event. Who was last seen at the time
        of an event was at risk of it.

    Examples
    --------
    >>> curve = Curve(np.array([1.0, 2.0, 4.0]), np.array([1, 0, 1]), np.array([1, 1, 2]))
    >>> curve.survival.tolist(), curve.median, curve.restricted_mean(4.0)
    ([0.75, 0.75, 0.375], 4.0, 3.25)
    """

    times: Floats
    events: Ints
    ended: Ints

    @property
    def rows(self) -> int:
        """All of them."""
        return int(self.ended.sum())

    @property
    def event_count(self) -> int:
        """Those with the event."""
        return int(self.events.sum())

    @cached_property
    def at_risk(self) -> Ints:
        """Rows that were still watched at a time, shape (times,)."""
        return np.asarray(self.ended[::-1].cumsum()[::-1])

    @cached_property
    def survival(self) -> Floats:
        """The curve at and after each time, shape (times,)."""
        return np.asarray(np.cumprod(1.0 - self._hazard), np.float64)

    @cached_property
    def least_survival(self) -> Floats:
        """The lowest that it can be where times are counted in steps: all censoring of a step before its events."""
        left = np.maximum(self.at_risk - (self.ended - self.events), 1)
        return np.asarray(np.cumprod(1.0 - np.where(self.events > 0, self.events / left, 0.0)), np.float64)

    @cached_property
    def _hazard(self) -> Floats:
        return np.where(self.events > 0, self.events / np.maximum(self.at_risk, 1), 0.0)

    @cached_property
    def greenwood(self) -> Floats:
        """Greenwood's sum: the variance of the curve over its square, shape (times,); infinite where it is 0."""
        with np.errstate(divide="ignore"):
            return np.cumsum(np.where(self.events > 0, self._hazard / (self.at_risk - self.events), 0.0))

    @cached_property
    def interval(self) -> tuple[Floats, Floats]:
        """95 % interval of the curve at each time, on the scale of log(-log), which keeps it within 0 and 1."""
        with np.errstate(divide="ignore", invalid="ignore"):
            log = np.log(self.survival)
            reach = _NORMAL * np.sqrt(self.greenwood) / log
            low, high = np.exp(-np.exp(np.log(-log) - reach)), np.exp(-np.exp(np.log(-log) + reach))
        whole = self.survival >= 1.0
        none = self.survival <= 0.0
        low, high = (np.where(whole, 1.0, np.where(none, np.nan, end)) for end in (low, high))
        return np.fmin(low, high), np.fmax(low, high)

    @cached_property
    def median(self) -> float | None:
        """The first time at which at most half are without the event; None where the curve stays above."""
        return self.crossing(self.survival, 0.5)

    @cached_property
    def median_interval(self) -> tuple[float | None, float | None]:
        """95 % interval of the median: where the curve's interval crosses one half; 10.2307/2530286."""
        low, high = self.interval
        return self.crossing(low, 0.5), self.crossing(high, 0.5)

    def crossing(self, curve: Floats, share: float) -> float | None:
        """The first time at which a curve is at most a share."""
        # Rounded, so that 1 - 1/2 - 0 from different products is one half on every processor.
        below = np.flatnonzero(np.round(curve, 12) <= share)
        return float(self.times[below[0]]) if below.size else None

    @cached_property
    def reach(self) -> float:
        """The last time at which ten rows are at risk; of fewer rows, the last time."""
        held = np.flatnonzero(self.at_risk >= _AT_RISK)
        return float(self.times[held[-1]]) if held.size else float(self.times[self.ended > 0][-1])

    @property
    def ends(self) -> bool:
        """Whether nearly all have had the event by then, so that the area beyond is as good as known."""
        return float(self.survival[np.searchsorted(self.times, self.reach)]) <= _NEARLY_ALL

    def restricted_mean(self, limit: float) -> float:
        """Mean time without the event up to a limit: the area under the curve."""
        widths = self._widths(limit)
        return math.fsum((np.concatenate([[1.0], self.survival]) * widths).tolist())

    def influence(self, limit: float) -> Floats:
        """What one row adds to the restricted mean, by time and by whether it has the event, shape (times, 2).

        Influences of all rows sum to 0; the sum of their squares over the square of their number is Greenwood's
        variance of the restricted mean. 10.1186/1471-2288-13-152.
        """
        areas = self.survival * self._widths(limit)[1:]
        area = areas[::-1].cumsum()[::-1]  # under the curve from each time on
        n = self.rows
        left = self.at_risk - self.events
        own = np.where(left > 0, area * n / np.maximum(left, 1), 0.0)
        past = np.cumsum(own * self._hazard)
        return np.stack([past, past - own], axis=1)

    def _widths(self, limit: float) -> Floats:
        """Length of each step of the curve up to a limit, shape (times + 1,)."""
        ends = np.clip(np.concatenate([[0.0], self.times, [np.inf]]), 0.0, limit)
        return np.diff(ends)


def common_limit(first: Curve, second: Curve) -> float:
    """Up to where two restricted means are compared: as far as both curves reach, an ended one as far as the other."""
    open_ones = [curve.reach for curve in (first, second) if not curve.ends]
    return min(open_ones) if open_ones else max(first.reach, second.reach)


def log_rank(events: Ints, ended: Ints) -> tuple[float, int, float]:
    """The log-rank test that no group has its events sooner, exact for independent rows; 10.2307/2344317.

    Parameters
    ----------
    events, ended : ndarray of int64, shape (times, groups)
        As of `Curve`, by group.

    Returns
    -------
    tuple
        Chi-square, its degrees of freedom, and the decimal logarithm of the p-value.

    Examples
    --------
    >>> chi2, df, _ = log_rank(np.array([[1, 0], [1, 0], [0, 1], [0, 1]]), np.array([[1, 0], [1, 0], [0, 1], [0, 1]]))
    >>> round(chi2, 10), df
    (2.8823529412, 1)
    """
    happened = events.sum(axis=1) > 0
    at_risk = ended[::-1].cumsum(axis=0)[::-1][happened].astype(np.float64)
    held = at_risk.sum(axis=0) > 0  # the others were last seen before any event
    if np.count_nonzero(held) < 2:
        return 0.0, 0, 0.0
    at_risk, d = at_risk[:, held], events[happened][:, held].astype(np.float64)
    n, all_d = at_risk.sum(axis=1), d.sum(axis=1)
    share = (at_risk / n[:, None])[:, :-1]  # differences of all groups sum to 0, so that one can go
    difference = (d[:, :-1] - all_d[:, None] * share).sum(axis=0)
    weight = all_d * (n - all_d) / np.maximum(n - 1.0, 1.0)
    # einsum without optimize calls no BLAS, whose bits depend on the processor and its threads.
    variance = np.diag(np.einsum("t,tg->g", weight, share)) - np.einsum("t,tg,th->gh", weight, share, share)
    chi2 = float(np.einsum("g,gh,h->", difference, np.linalg.pinv(variance, hermitian=True), difference))
    return chi2, share.shape[1], log10_chi2(chi2, float(share.shape[1]))
