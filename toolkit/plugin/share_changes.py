"""Kinds of rows, such as messages of one template, that appear, vanish or change their share along the rows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toolkit.plugin.inference import log10_t, t_quantile

Counts = npt.NDArray[np.int64]

LONG = 16
"""Stretches of rows that count as one observation each."""

_HALF = LONG // 2


@dataclass(frozen=True, slots=True)
class Change:
    """How the share of a kind of rows changes.

    Attributes
    ----------
    kind : str
        ``appears``, ``vanishes`` or ``changes``.
    before, after : float
        Share in the rows before and after: the stretches without the kind and with it; for ``changes`` the first and
        the last half.
    interval : tuple of float
        95 % interval of the difference.
    log10_p : float
        Of the test.
    stretches : int
        Of 16 equal stretches of rows, how many have the kind.
    """

    kind: str
    before: float
    after: float
    interval: tuple[float, float]
    log10_p: float
    stretches: int

    @property
    def difference(self) -> float:
        """Share after less share before."""
        return self.after - self.before


def change_of(kind: Counts, rows: Counts) -> Change | None:
    """The change of one kind of rows; None where there is none that could be shown.

    Parameters
    ----------
    kind, rows : ndarray of int64, shape (64,)
        Rows of the kind, and all that could be, by block of rows.

    Notes
    -----
    Neighbouring rows depend on each other, so that 16 long stretches count as one observation each. For a kind that is
    in the last k stretches alone, the probability of that among all ways of choosing k of 16 stretches is exact
    under exchange; both ends are looked at, which doubles it. Else Welch's t compares the shares of eight stretches
    with those of the other eight.

    Examples
    --------
    >>> late = np.where(np.arange(64) < 32, 0, 10)
    >>> found = change_of(late, np.full(64, 100))
    >>> found.kind, found.before, found.after, round(10**found.log10_p * 12870, 9)
    ('appears', 0.0, 0.1, 2.0)
    """
    own, all_ = (x.reshape(LONG, -1).sum(axis=1).astype(np.float64) for x in (kind, rows))
    if (all_ == 0).any():
        return None
    shares = own / all_
    there = own > 0
    count = int(there.sum())
    if 0 < count < LONG and (there[-count:].all() or there[:count].all()):
        late = bool(there[-count:].all())
        inside = shares[there]
        p = min(1.0, 2.0 / math.comb(LONG, count))
        share = float(own.sum() / all_[there].sum())
        reach = _reach(inside)
        ends = (share - reach, share + reach) if late else (-share - reach, -share + reach)
        before, after = (0.0, share) if late else (share, 0.0)
        return Change("appears" if late else "vanishes", before, after, ends, math.log10(p), count)
    return _welch(shares, own, all_, count)


def _welch(
    shares: npt.NDArray[np.float64], own: npt.NDArray[np.float64], all_: npt.NDArray[np.float64], count: int
) -> Change | None:
    first, last = shares[:_HALF], shares[_HALF:]
    parts = [float(half.var(ddof=1)) / _HALF for half in (first, last)]
    error = math.sqrt(sum(parts))
    if not error:
        return None
    df = sum(parts) ** 2 / sum(part * part / (_HALF - 1) for part in parts if part)
    before, after = (float(own[half].sum() / all_[half].sum()) for half in (slice(_HALF), slice(_HALF, None)))
    reach = t_quantile(0.975, df) * error
    difference = float(last.mean() - first.mean())
    spread = (min(difference - reach, after - before), max(difference + reach, after - before))
    return Change("changes", before, after, spread, log10_t(difference / error, df), count)


def _reach(shares: npt.NDArray[np.float64]) -> float:
    """Half of the 95 % interval of a mean share; of few stretches the whole share."""
    if shares.size < 3:
        return float(shares.mean())
    return t_quantile(0.975, shares.size - 1) * float(shares.std(ddof=1)) / math.sqrt(shares.size)
