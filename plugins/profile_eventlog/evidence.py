"""What the values say of a case, its activities and its times: facts by which a log differs from other tables."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from toolkit.plugin import Context, round_significant
from toolkit.plugin.eventlog import EventSorter, Labels, SortedEvents
from toolkit.plugin.eventlog.durations import exact_sum

Ints = npt.NDArray[np.int64]
_HELD = 1 << 22
"""Values whose first and last time are held."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A case, a time and an activity, looked at together.

    Attributes
    ----------
    cases, events : int
        How many there are.
    compactness : float
        Part of the span of the whole log that cases on average do not last. Cases of a process come and go; what is
        there all the time, such as a sensor, is none.
    moves : float
        Share of steps within cases at which the time goes on. An attribute of the case stands still.
    changes : float
        Share of steps within cases at which the activity is another.
    predictability : float
        Share of the entropy of an activity that the activity before it explains, less what chance would.
    first_share : float
        Share of the cases that begin with the commonest first activity.
    """

    cases: int
    events: int
    compactness: float
    moves: float
    changes: float
    predictability: float
    first_share: float

    def lacks(self, params: Mapping[str, Any]) -> str:
        """What of it falls short of an event log, as a sentence has it; empty where nothing does."""
        if self.moves < params["changes"]:
            return f"the time goes on at {self.moves:.0%} of the steps within cases"
        if self.compactness < params["compactness"]:
            return f"cases last {1 - self.compactness:.0%} of the whole span on average"
        if self.changes < params["changes"]:
            return f"the activity changes at {self.changes:.0%} of the steps within cases"
        if self.predictability < params["predictability"]:
            return f"an activity tells {self.predictability:.0%} of the next one"
        if self.first_share < params["first_share"]:
            return f"{self.first_share:.0%} of the cases begin with the commonest first activity"
        return ""

    @property
    def score(self) -> int:
        """Up to 300: compactness, predictability and first share, in hundredths."""
        return sum(round(100 * x) for x in (self.compactness, self.predictability, self.first_share))


@dataclass(slots=True)
class _Activity:
    """Integer tables of one candidate for the activity; its last code stands for a missing value."""

    steps: Ints
    firsts: Ints = field(init=False)

    def __post_init__(self) -> None:
        self.firsts = np.zeros(len(self.steps), np.int64)

    def add(self, codes: Ints, log: SortedEvents) -> None:
        k = len(self.steps)
        later = np.flatnonzero(log.follows)
        pairs = codes[later - 1] * k + codes[later]
        self.steps += np.bincount(pairs, minlength=k * k).reshape(k, k)
        self.firsts += np.bincount(codes[log.starts[:-1]], minlength=k)


def evidence(ctx: Context, case: str, timestamp: str, activities: Sequence[str]) -> dict[str, Evidence]:
    """Evidence for each candidate for the activity, over all rows that have the case and the time."""
    sorter = EventSorter(ctx, case, timestamp)
    labels = {name: Labels(ctx, name) for name in activities}
    tables = {name: _Activity(np.zeros([len(found) + 1] * 2, np.int64)) for name, found in labels.items()}
    cases = events = moves = spans = 0
    low: int | None = None
    high = 0
    for log in sorter.events(list(activities)):
        times = log.columns.values[timestamp].astype(np.int64)
        first, last = times[log.starts[:-1]], times[log.starts[1:] - 1]
        cases, events = cases + log.cases, events + times.size
        moves += int(np.count_nonzero(log.follows[1:] & (times[1:] > times[:-1])))
        spans += exact_sum(last - first)
        earliest, latest = int(first.min()), int(last.max())
        low, high = (earliest, latest) if low is None else (min(low, earliest), max(high, latest))
        for name, table in tables.items():
            codes = labels[name].codes(log.columns.values[name], log.columns.present(name))
            table.add(np.where(codes < 0, len(table.steps) - 1, codes), log)
    whole = cases * (high - low) if low is not None else 0
    compactness = 1 - spans / whole if whole else 0.0
    return dict(_each(tables, cases, events, compactness, moves / max(events - cases, 1)))


class Spread(NamedTuple):
    """How the events of cases are spread.

    Attributes
    ----------
    compactness : float
        As of `Evidence`.
    largest : int
        Events of the largest case.
    """

    compactness: float
    largest: int


def spreads(ctx: Context, cases: Sequence[str], timestamp: str) -> dict[str, Spread]:
    """Compactness and largest case of several candidates for the case in one pass, without a sort.

    Parameters
    ----------
    ctx : Context
        The table.
    cases : sequence of str
        The candidates; those of too many values are left out.
    timestamp : str
        The time.
    """
    spans = {name: _Spans(*size) for name in cases if (size := _range(ctx, name)) is not None}
    if not spans:
        return {}
    for chunk in ctx.chunks([*spans, timestamp]):
        times, timed = chunk.raw(timestamp).astype(np.int64), chunk.valid(timestamp)
        for name, held in spans.items():
            rows = np.flatnonzero(timed & chunk.valid(name))
            held.add(chunk.raw(name)[rows].astype(np.int64), times[rows])
    return {name: held.spread() for name, held in spans.items()}


def _range(ctx: Context, name: str) -> tuple[int, int] | None:
    """The smallest code or number of a column, and how many there can be; None where they are too many to hold."""
    spec = ctx.schema[name]
    if spec.encoding == "coded":
        return 0, spec.categories
    found = ctx.kernel("extremes", name)
    if spec.kind != "int" or found["min"] is None or int(found["max"]) - int(found["min"]) >= _HELD:
        return None
    return int(found["min"]), int(found["max"]) - int(found["min"]) + 1


class _Spans:
    """The first and the last time of each value of a column, and how often it occurs."""

    def __init__(self, base: int, size: int) -> None:
        self._base = base
        self._low = np.full(size, np.iinfo(np.int64).max)
        self._high = np.full(size, np.iinfo(np.int64).min)
        self._count = np.zeros(size, np.int64)

    def add(self, values: Ints, times: Ints) -> None:
        np.minimum.at(self._low, values - self._base, times)
        np.maximum.at(self._high, values - self._base, times)
        np.add.at(self._count, values - self._base, 1)

    def spread(self) -> Spread:
        seen = self._count > 0
        if not seen.any():
            return Spread(0.0, 0)
        low, high = self._low[seen], self._high[seen]
        whole = int(np.count_nonzero(seen)) * (int(high.max()) - int(low.min()))
        compactness = round_significant(1 - exact_sum(high - low) / whole) if whole else 0.0
        return Spread(compactness, int(self._count.max()))


def _each(
    tables: Mapping[str, _Activity], cases: int, events: int, compactness: float, moves: float
) -> Iterator[tuple[str, Evidence]]:
    for name, table in tables.items():
        steps, total = table.steps, int(table.steps.sum())
        changes = 1 - int(np.trace(steps)) / total if total else 0.0
        first = int(table.firsts.max()) / cases if cases else 0.0
        shares = (compactness, moves, changes, explained(steps), first)
        yield name, Evidence(cases, events, *(round_significant(x) for x in shares))


def explained(table: Ints) -> float:
    """Share of the entropy of the columns that the rows explain, less what chance would make of independent ones.

    Parameters
    ----------
    table : ndarray of int64, shape (rows, columns)
        Counts.

    Returns
    -------
    float
        From 0 to 1; Theil's uncertainty coefficient, with Miller's correction for the number of cells.

    Examples
    --------
    >>> [round(explained(np.array(t)), 1) for t in ([[0, 500], [500, 0]], [[250, 250], [250, 250]])]
    [1.0, 0.0]
    """
    n = int(table.sum())
    if not n:
        return 0.0
    rows, columns = (table.sum(axis=axis) for axis in (1, 0))
    entropy = _entropy(columns, n)
    if entropy <= 0:
        return 0.0
    shared = _entropy(rows, n) + entropy - _entropy(table.ravel(), n)
    chance = (int(np.count_nonzero(rows)) - 1) * (int(np.count_nonzero(columns)) - 1) / (2 * n)
    return min(max((shared - chance) / entropy, 0.0), 1.0)


def _entropy(counts: Ints, n: int) -> float:
    """In nats; by exact counts that are equal added up once, so that the order of categories does not matter."""
    values, times = np.unique(counts[counts > 0], return_counts=True)
    terms = (t * c * math.log(c) for c, t in zip(values.tolist(), times.tolist(), strict=True))
    return math.log(n) - math.fsum(terms) / n
