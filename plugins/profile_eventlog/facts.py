"""What there is in an event log, counted over all of its events in the order of cases and times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from toolkit.plugin import Context
from toolkit.plugin.eventlog import (
    DurationHistogram,
    EventSorter,
    Labels,
    Roles,
    SortedEvents,
    VariantTally,
    sequence_hashes,
)
from toolkit.plugin.eventlog.variants import Variant

Ints = npt.NDArray[np.int64]

_REMEMBERED = 64
"""Variants of each part of the table whose sequence is kept, in case they are among the commonest of all."""
_LONGEST_SHOWN = 100
_LARGEST_HISTOGRAM = 1 << 20


@dataclass(slots=True)
class Facts:
    """Counts over an event log.

    Attributes
    ----------
    events, cases, variants : int
        Rows with a case, an activity and a time; what they belong to; different sequences of activities.
    without : dict of str to int
        Rows that are no events, by the first of case, timestamp and activity that is missing.
    lengths : dict of int to int
        How many cases have so many events.
    activities, firsts, lasts : ndarray of int64, shape (categories,)
        Events by activity; cases that begin, and that end, with it.
    durations : DurationHistogram
        From the first event of a case to its last.
    ties, repeated : int
        Events at the time of the one before them in their case; those of them that have its activity as well.
    displaced : int
        Events that stand above the one before them in their case.
    together : int
        Cases whose rows stand together.
    steps, steps_back : int
        Adjacent rows, and those at which the time goes back.
    largest : list of int
        Events of the largest case, and its first row.
    low, high : int or None
        The first and the last time.
    top : list of (Variant, list of int)
        The commonest variants, with their activities.
    """

    activities: Ints
    firsts: Ints
    lasts: Ints
    events: int = 0
    cases: int = 0
    variants: int = 0
    without: dict[str, int] = field(default_factory=dict)
    lengths: dict[int, int] = field(default_factory=dict)
    durations: DurationHistogram = field(default_factory=DurationHistogram)
    ties: int = 0
    repeated: int = 0
    displaced: int = 0
    together: int = 0
    steps: int = 0
    steps_back: int = 0
    largest: list[int] = field(default_factory=lambda: [0, 0])
    low: int | None = None
    high: int | None = None
    top: list[tuple[Variant, list[int]]] = field(default_factory=list)

    def length_quantile(self, probability: float) -> int:
        """The smallest number of events that such a share of the cases does not exceed."""
        seen, rank = 0, max(int(np.ceil(probability * self.cases - 1e-9)), 1)
        for length in sorted(self.lengths):
            seen += self.lengths[length]
            if seen >= rank:
                return length
        return 0


def count_events(ctx: Context, roles: Roles, labels: Labels, listed: int) -> Facts:
    """Count, in one sort of the events; sequences of variants that were not foreseen take a second one."""
    zeros = np.zeros(len(labels), np.int64)
    facts = Facts(zeros, zeros.copy(), zeros.copy())
    sorter, tally = EventSorter(ctx, roles.case, roles.timestamp), VariantTally(ctx.rows, ctx.scratch)
    known: dict[tuple[int, int], list[int]] = {}
    without_activity = 0
    for log in _events(sorter, roles, labels):
        rows = len(log.columns)
        log = log.where(log.columns.values[roles.activity] >= 0)
        without_activity += rows - len(log.columns)
        if log.cases:
            _add(facts, log, roles, tally, known)
    facts.without = {"case": sorter.without_case, "timestamp": sorter.without_time, "activity": without_activity}
    facts.steps, facts.steps_back = sorter.steps, sorter.steps_back
    facts.variants, top = tally.finish(listed)
    unknown = {v.row for v in top if (v.first, v.second) not in known}
    if unknown:
        for log in _events(sorter, roles, labels):
            log = log.where(log.columns.values[roles.activity] >= 0)
            _remember_rows(log, roles, unknown, known)
    facts.top = [(v, known[v.first, v.second][:_LONGEST_SHOWN]) for v in top]
    return facts


def _events(sorter: EventSorter, roles: Roles, labels: Labels) -> Iterator[SortedEvents]:
    """The events with codes of their activities."""
    for log in sorter.events([roles.activity]):
        held = log.columns
        held.values[roles.activity] = labels.codes(held.values[roles.activity], held.present(roles.activity))
        yield log


def _add(
    facts: Facts, log: SortedEvents, roles: Roles, tally: VariantTally, known: dict[tuple[int, int], list[int]]
) -> None:
    codes = log.columns.values[roles.activity].astype(np.int64)
    times = log.columns.values[roles.timestamp].astype(np.int64)
    rows, starts, k = log.columns.rows, log.starts, facts.activities.size
    lengths, follows = np.diff(starts), log.follows[1:]
    facts.events += codes.size
    facts.cases += log.cases
    facts.activities += np.bincount(codes, minlength=k)
    facts.firsts += np.bincount(codes[starts[:-1]], minlength=k)
    facts.lasts += np.bincount(codes[starts[1:] - 1], minlength=k)
    facts.durations.add(times[starts[1:] - 1] - times[starts[:-1]])
    tied = follows & (times[1:] == times[:-1])
    facts.ties += int(np.count_nonzero(tied))
    facts.repeated += int(np.count_nonzero(tied & (codes[1:] == codes[:-1])))
    facts.displaced += int(np.count_nonzero(follows & (rows[1:] < rows[:-1])))
    first_rows, last_rows = np.minimum.reduceat(rows, starts[:-1]), np.maximum.reduceat(rows, starts[:-1])
    facts.together += int(np.count_nonzero(last_rows - first_rows + 1 == lengths))
    for length, cases in zip(*np.unique(lengths, return_counts=True), strict=True):
        facts.lengths[int(length)] = facts.lengths.get(int(length), 0) + int(cases)
    largest = int(np.lexsort((first_rows, -lengths))[0])
    candidate = [int(lengths[largest]), int(first_rows[largest])]
    facts.largest = min(facts.largest, candidate, key=lambda c: (-c[0], c[1]))
    low, high = int(times.min()), int(times.max())
    facts.low = low if facts.low is None else min(facts.low, low)
    facts.high = high if facts.high is None else max(facts.high, high)
    first, second = sequence_hashes(codes, starts)
    tally.add(first, second, first_rows, lengths)
    heads, counts = np.unique(first, return_index=True, return_counts=True)[1:]
    for case in heads[np.lexsort((first_rows[heads], -counts))[:_REMEMBERED]].tolist():
        key = (int(first[case]), int(second[case]))
        if key not in known:
            known[key] = codes[starts[case] : starts[case + 1]][:_LONGEST_SHOWN].tolist()


def _remember_rows(log: SortedEvents, roles: Roles, wanted: set[int], known: dict[tuple[int, int], list[int]]) -> None:
    """Keep the sequences of the cases with some first rows."""
    codes, starts = log.columns.values[roles.activity].astype(np.int64), log.starts
    if not log.cases:
        return
    first_rows = np.minimum.reduceat(log.columns.rows, starts[:-1])
    found = np.flatnonzero(np.isin(first_rows, sorted(wanted)))
    first, second = sequence_hashes(codes, starts)
    for case in found.tolist():
        key = (int(first[case]), int(second[case]))
        known[key] = codes[starts[case] : starts[case + 1]][:_LONGEST_SHOWN].tolist()
