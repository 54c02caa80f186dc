"""Whether a column is distributed otherwise in the second store than in the first, and by how much."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.engine.compare.tables import Pair, Side
from toolkit.plugin.inference import log10_t, t_quantile
from toolkit.plugin.inference.effects import ks_distance, stability_index
from toolkit.plugin.inference.jackknife import Estimates, jackknife_of_sums

RARE = 0.01
"""A category with a smaller share of both stores together is not tested."""
FEWEST_ROWS = 640
"""Rows that either store must have for tests: ten in each block, or the blocks say nothing of how rows vary."""
FEWEST_EXPECTED = 30.0
"""A category is new, or gone, when so many rows of it would be expected in the store that lacks it."""
_MEAN_DISTANCE = 0.25
"""Of ranks from the middle one, where all values are different."""
_LEAST = {"level": -1.0, "spread": -2.0, "share": -1.0, "missing": -1.0}
"""No effect can be less, nor more than its opposite: intervals end there."""


@dataclass(frozen=True, slots=True)
class Test:
    """One comparison.

    Attributes
    ----------
    what : str
        ``level``, ``spread``, ``share`` or ``missing``.
    value : Any
        The category.
    first, second : float
        The statistic in either store.
    effect, interval : float, tuple of float
        Of the difference, in the unit of its measure.
    log10_p : float
        Of no difference.
    """

    what: str
    value: Any
    first: float
    second: float
    effect: float
    interval: tuple[float, float]
    log10_p: float


def tests_of(pair: Pair) -> list[Test]:
    """All tests of a column.

    Notes
    -----
    Each statistic is a mean over rows: of mid-ranks in both stores together (half of Cliff's delta), of their distance
    from the middle rank, of a category, of a missing value. Its error in either store comes from the store's blocks of
    rows, so that rows may depend on their neighbours; the two are joined as by Welch.

    References
    ----------
    Cliff (1993), doi:10.1037/0033-2909.114.3.494. Künsch (1989), doi:10.1214/aos/1176347265. Welch (1947),
    doi:10.1093/biomet/34.1-2.28.
    """
    if _sizes(pair, of="rows") < FEWEST_ROWS:
        return []
    found: list[Test | None] = []
    if any(s.missing.any() for s in _sides(pair)):
        means = _both(_means(s.missing, s.rows) for s in _sides(pair))
        found.append(_compared("missing", None, means, 1.0, _sizes(pair, of="rows")))
    if pair.form == "numbers":
        found += list(_of_numbers(pair))
    elif pair.form == "categories":
        found += list(_of_categories(pair))
    return [test for test in found if test is not None]


def _sides(pair: Pair) -> tuple[Side, Side]:
    return pair.first, pair.second


def _sizes(pair: Pair, of: str = "table") -> int:
    return min(int(s.rows.sum() if of == "rows" else s.table.sum()) for s in _sides(pair))


def _of_numbers(pair: Pair) -> Iterator[Test | None]:
    tables = [s.table for s in _sides(pair)]
    total = tables[0].sum(axis=0) + tables[1].sum(axis=0)
    if not all(t.any() for t in tables) or np.count_nonzero(total) < 2:
        return
    # Both stores weigh the same, however many rows either has.
    shares = np.mean([t.sum(axis=0) / t.sum() for t in tables], axis=0)
    ranks = np.cumsum(shares) - shares / 2.0
    smallest = _sizes(pair)
    level = _both(_means(t @ ranks, t.sum(axis=1)) for t in tables)
    yield _compared("level", None, level, 2.0, smallest)
    spread = _both(_means(t @ np.abs(ranks - 0.5), t.sum(axis=1)) for t in tables)
    yield _compared("spread", None, spread, 1.0 / _MEAN_DISTANCE, smallest)


def _of_categories(pair: Pair) -> Iterator[Test | None]:
    tables = [s.table for s in _sides(pair)]
    if pair.levels is None or not all(t.any() for t in tables) or _mostly_others(pair):
        return
    shares = np.mean([t.sum(axis=0) / t.sum() for t in tables], axis=0)
    tested = [k for k, label in enumerate(pair.levels) if label is not None and RARE <= shares[k] < 1.0]
    filled = sum(1 for share in shares if share > 0)
    if filled == 2:
        tested = tested[:1]  # of two, the other follows
    for k in tested:
        means = _both(_means(t[:, k], t.sum(axis=1)) for t in tables)
        yield _compared("share", pair.levels[k], means, 1.0, _sizes(pair))


def _mostly_others(pair: Pair) -> bool:
    """Whether most rows have values that are no levels: names, and no categories."""
    others = [k for k, label in enumerate(pair.levels or ()) if label is None]
    return any(2 * int(s.table[:, others].sum()) > int(s.table.sum()) for s in _sides(pair))


def _means(sums: npt.NDArray[Any], sizes: npt.NDArray[Any]) -> Estimates:
    """A mean over rows with its error, from sums and sizes of blocks, shape (64,)."""
    blocks = np.stack([sums, sizes], axis=1).astype(np.float64)
    return jackknife_of_sums(blocks, lambda total: total[0] / total[1] if total[1] else math.nan, sizes)


def _both(means: Iterable[Estimates]) -> tuple[Estimates, Estimates]:
    first, second = means
    return first, second


def _compared(what: str, value: Any, means: tuple[Estimates, Estimates], unit: float, rows: int) -> Test | None:
    """The difference of two means; None where the blocks of one say nothing of its error."""
    a, b = (e.value.item() for e in means)
    errors = [e.error.item() for e in means]
    if not all(map(math.isfinite, (a, b, *errors))):
        return None
    # A mean is not known to less than one row, also where all blocks have the same.
    parts = [max(error, 0.5 / rows) ** 2 for error in errors]
    error = math.sqrt(sum(parts))
    freedom = sum(parts) ** 2 / sum(p * p / e.df.item() for p, e in zip(parts, means, strict=True))
    reach = t_quantile(0.975, freedom) * error
    gap = b - a
    interval = (max(unit * (gap - reach), _LEAST[what]), min(unit * (gap + reach), -_LEAST[what]))
    return Test(what, value, a, b, unit * gap, interval, log10_t(gap / error, freedom))


def distances(pair: Pair) -> dict[str, float | None]:
    """How far the distributions are apart: stability index, and of numbers the largest gap of their distributions."""
    first, second = (s.table.sum(axis=0) for s in _sides(pair))
    if not first.sum() or not second.sum():
        return {"stability_index": None, "ks_distance": None}
    if pair.form != "numbers":
        return {"stability_index": _index(first, second), "ks_distance": None}
    return {"stability_index": stability_index(first, second), "ks_distance": ks_distance(first, second)}


def _index(first: npt.NDArray[Any], second: npt.NDArray[Any]) -> float:
    """Stability index with each category as a group; half a row is added to each."""
    p, q = ((c + 0.5) / (c + 0.5).sum() for c in (first[(first + second) > 0], second[(first + second) > 0]))
    return math.fsum((a - b) * math.log(a / b) for a, b in zip(p.tolist(), q.tolist(), strict=True))


def only_in(held: Side, other: Side) -> list[tuple[str, int]]:
    """Categories of one store that the other has not at all, the most frequent first.

    Those are left out of which fewer than `FEWEST_EXPECTED` rows would be expected in the other.
    """
    present, elsewhere = sum(held.labels.values()), sum(other.labels.values())
    if not present:
        return []
    least = FEWEST_EXPECTED * present / elsewhere if elsewhere else math.inf
    absent = [(label, n) for label, n in held.labels.items() if label not in other.labels and n >= least]
    return sorted(absent, key=lambda entry: (-entry[1], entry[0]))
