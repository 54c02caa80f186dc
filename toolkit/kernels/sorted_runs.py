"""Sorted distinct values that don't fit in memory: runs on disk, read back range by range."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from toolkit.kernels.spill import Spill, Stored
from toolkit.kernels.tally import Tally, count_of, tally_sorted

SPACING = 256
"""Of how many values of a run one stays in memory, where ranges are large."""


class _Run(NamedTuple):
    values: Stored
    counts: Stored | None
    samples: npt.NDArray[Any]


class SortedRuns:
    """An external sort: tallies go to disk as they come, and come back as consecutive ranges of values.

    Parameters
    ----------
    spill : Spill
        Where they are kept.
    most : int
        Entries of all runs that a range holds at most, where there are fewer runs than ``most`` / 1,024.

    Notes
    -----
    Every 256th value of each run stays in memory. Between two of these there are at most 256 entries a run, so that
    ranges cut at them are of a bounded size whatever the values are (regular sampling, as of Shi and Schaeffer,
    10.1016/0743-7315(92)90075-X).
    """

    def __init__(self, spill: Spill, most: int) -> None:
        self._spill = spill
        self._stride = max(1, min(SPACING, most // 64))
        self._most = most
        self._runs: list[_Run] = []
        self.count = 0
        """Values, counting repeated ones."""

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return sum(r.samples.nbytes for r in self._runs)

    def add(self, tally: Tally) -> None:
        """Write a run."""
        if not tally.values.size:
            return
        values = self._spill.write(tally.values)
        counts = None if tally.counts is None else self._spill.write(tally.counts)
        self._runs.append(_Run(values, counts, tally.values[:: self._stride].copy()))
        self.count += count_of(tally)

    def ranges(self) -> Iterator[Tally]:
        """The tally of all runs in ascending ranges of values."""
        if not self._runs:
            return
        samples = np.sort(np.concatenate([r.samples for r in self._runs]))
        step = max(self._most // self._stride - 2 * len(self._runs), 1)
        cuts = np.unique(samples[step::step])
        for low, high in zip([None, *cuts], [*cuts, None], strict=True):
            found = _joined([self._slice(run, low, high) for run in self._runs])
            if found.values.size:
                yield found

    def whole(self) -> Tally:
        """The tally of all runs at once, however large it is."""
        return _joined([self._slice(run, None, None) for run in self._runs])

    def _slice(self, run: _Run, low: Any, high: Any) -> Tally:
        """The part of a run with values of at least ``low`` and less than ``high``."""
        start, stop = 0, run.values.size
        if low is not None:
            start = max(int(np.searchsorted(run.samples, low, "right")) - 1, 0) * self._stride
        if high is not None:
            stop = min(int(np.searchsorted(run.samples, high)) * self._stride, stop)
        values = self._spill.read(run.values, start, max(stop, start))
        first = 0 if low is None else int(np.searchsorted(values, low))
        last = values.size if high is None else int(np.searchsorted(values, high))
        counts = None
        if run.counts is not None:
            counts = self._spill.read(run.counts, start + first, start + max(last, first))
        return Tally(values[first:last], counts)


def _joined(parts: list[Tally]) -> Tally:
    """The tally of several together: one sort of their values, to which repeated ones are added."""
    values = np.concatenate([p.values for p in parts])
    repeated = [
        (p.values[more], p.counts[more].astype(np.int64) - 1)
        for p in parts
        if p.counts is not None and (more := p.counts > 1).any()
    ]
    parts.clear()
    values.sort()
    joined = tally_sorted(values)
    if not repeated:
        return joined
    counts = joined.wide_counts
    for where, extra in repeated:
        counts[np.searchsorted(joined.values, where)] += extra
    return Tally(joined.values, counts)
