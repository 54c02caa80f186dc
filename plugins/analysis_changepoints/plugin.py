"""analysis_changepoints: dates at which the mean or the spread of a number, or the number of rows, changed.

What it finds. "The mean of `dock_load_kw` rose from 305 to 364.8 at 2024-10-19 00:03 (+59.9, 95 % interval +57.2 to
+62.5; 4.1 standard deviations)." Of spread: "The spread of `x` within 6 h rose from a standard deviation of 1 to 2.1 at
..."; of rows: "By `started_at`, rows in 6 h fell from 137 to 42 at ...". Other columns that change at the same time are
named.

Method. It runs on the bins of transform_binned_series, in which every row is. Series are the means of bins, logarithms
of their variances, and twice the roots of their counts, weighted by the inverse of their variance. Where hours of the
week, or of the day, explain a tenth of a series or more, their means are taken out. A test that takes bins for
independent finds changes in nearly every real series; so the scale is the long-run one, from the differences of
means of adjacent long blocks. The segmentation of least squares, with a penalty of three times the logarithm of the
length for each change, is found exactly (PELT), with segments of a sixty-fourth of the series at least. A series whose
scale grows with the length of blocks wanders or drifts, and has no level to leave. Each change is then tested on the
means of 64, 32 and 16 blocks by least squares beside all others: the largest p-value counts, times the 64 places
searched; where a straight line fits better, there is no step. Those that fail are taken back, the weakest first. Last,
the table's own bins around a change, then the rows of two of them, are searched for the first row of the new level.

Cost. No scan; some tenths of a second for a series of 4,096 bins. For a row, up to 16 chunks of the parent are read.

Caps. ``bins`` and ``max_windows`` make bins coarser, ``max_cols`` leaves out series; every row is in a bin.

What it does not do. What comes and goes within a sixty-fourth of the series is no change of level (see
analysis_matrix_profile_motifs_discords). Of a series at most six changes are told. Other cycles than days and weeks are
not taken out. Where rows are in no order of time and the rows of two bins are spread over more than 16 chunks, the bin
is told and no row.

References
----------
Killick, Fearnhead and Eckley (2012), doi:10.1080/01621459.2012.737745. Fryzlewicz (2014), doi:10.1214/14-AOS1245.
Anscombe (1948), doi:10.2307/2332343. Bai (1997), doi:10.1162/003465397557132.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from toolkit.plugin import Context, Finding, Result, Skip, pictures, round_significant
from toolkit.plugin.series import Series, read_series, within_caps

from .refine import Place, locate
from .segments import clipped, long_run_variance, penalty_of, segmentation
from .signals import FEWEST_BINS, Signal, level_signal, rate_signal, spread_signal
from .testing import Step, steps_of
from .wording import MEASURES, effect_of, finding_of, is_sure

MOST_CHANGES = 6
"""Changes of a series: 16 blocks can't tell more apart."""

_SHORTEST = 64
"""A segment is at least one part in so many of the series."""
_CLIP = 6.0
_ROWS_FOR_SPREAD = 16.0
_ROWS_FOR_RATE = 8.0
_LOG10_LEVEL = math.log10(0.05)

Change = tuple[Signal, Step, Place, tuple[float, tuple[float, float]]]


def run(ctx: Context) -> Result:
    """Look for changes in every series.

    Returns
    -------
    Result
        ``data["series"]`` has every series that was tested, with its changes.

    Examples
    --------
    >>> segmentation(np.repeat([0.0, 3.0, 1.0], 20), np.ones(60), 5.0, 4)
    [20, 40]
    """
    base = read_series(ctx)
    signals = [s for s in _signals(ctx, base) if s is not None]
    if not signals:
        raise Skip(
            f"no series has {FEWEST_BINS} bins with values that vary",
            "run it on a table with more rows, or give transform_binned_series another time_column",
        )
    changes: list[Change] = []
    data, n_tests = [], 0
    for done, signal in enumerate(signals):
        steps = changes_of(signal, ctx.params)
        n_tests += max(1, len(steps))
        found = [(signal, step, locate(ctx, base, signal, step), effect) for step, effect in steps]
        changes += found
        data.append(_told(signal, found))
        ctx.progress(done + 1, len(signals))
    findings = [_finding(change, changes) for change in changes]
    findings.sort(key=lambda f: (round_significant(f.log10_p or 0.0), -abs(round_significant(f.effect or 0.0))))
    ctx.cover("windows", len(base), len(base))
    return Result({"series": data, "pictures": _pictures(base, changes)}, findings, n_tests)


def _signals(ctx: Context, base: Series) -> Iterator[Signal | None]:
    most, names = within_caps(ctx, base)
    for name in names:
        yield level_signal(base.fitted(most), name)
        yield spread_signal(base.fitted(most, _ROWS_FOR_SPREAD), name)
    yield rate_signal(base.fitted(most, _ROWS_FOR_RATE))


def changes_of(signal: Signal, params: dict[str, Any]) -> list[tuple[Step, tuple[float, tuple[float, float]]]]:
    """Changes that are sure, with their sizes; the weakest of those found are taken back until all that stay are."""
    x, weights = signal.x, signal.weights
    tame = clipped(x, _CLIP, max(2, x.size // _SHORTEST) // 2)
    variance = long_run_variance(tame, weights)
    if not math.isfinite(variance):
        return []
    places = _places(tame, weights, variance)
    while places:
        steps = steps_of(x, weights, places)
        if steps is None:
            places = _fewer(x, weights, places)
            continue
        sizes = [effect_of(signal, step, deviation_of(signal, places)) for step in steps]
        least = params[MEASURES[signal.what]]
        sure = [
            step.log10_p <= _LOG10_LEVEL and is_sure(signal.what, size[1], least)
            for step, size in zip(steps, sizes, strict=True)
        ]
        if all(sure):
            return list(zip(steps, sizes, strict=True))
        weakest = max(range(len(steps)), key=lambda k: (not sure[k], round_significant(steps[k].log10_p), -k))
        places = places[:weakest] + places[weakest + 1 :]
    return []


def _places(x: Any, weights: Any, variance: float) -> list[int]:
    """Places of least cost; with a higher penalty as long as there are too many."""
    n = x.size
    floor = float((weights[1:] * np.diff(x) ** 2).mean()) / 2.0  # where more than half of the series does not move
    penalty = penalty_of(n, variance if variance > 0 else floor)
    places = segmentation(x, weights, penalty, max(2, n // _SHORTEST))
    while len(places) > MOST_CHANGES:
        penalty *= 1.5
        places = segmentation(x, weights, penalty, max(2, n // _SHORTEST))
    return places


def _fewer(x: Any, weights: Any, places: list[int]) -> list[int]:
    """Without the change whose absence costs least."""
    bounds = [0, *places, x.size]

    def cost(k: int) -> float:
        start, middle, stop = bounds[k : k + 3]
        sides = [weights[a:b].sum() for a, b in ((start, middle), (middle, stop))]
        means = [
            (weights[a:b] * x[a:b]).sum() / w
            for (a, b), w in zip(((start, middle), (middle, stop)), sides, strict=True)
        ]
        return round_significant(float((means[1] - means[0]) ** 2 * sides[0] * sides[1] / (sides[0] + sides[1])))

    drop = min(range(len(places)), key=lambda k: (cost(k), k))
    return places[:drop] + places[drop + 1 :]


def deviation_of(signal: Signal, places: list[int]) -> float:
    """Standard deviation of the values beside level and calendar; 0 where there is none."""
    if signal.values is None:
        return 0.0
    bounds = [0, *places, signal.x.size]
    n, m2 = signal.values.n[signal.bins], signal.values.m2[signal.bins]
    total = float(m2.sum())
    for start, stop in pairwise(bounds):
        part = slice(start, stop)
        level = float((signal.weights[part] * signal.x[part]).sum() / signal.weights[part].sum())
        total += float((n[part] * (signal.x[part] - level) ** 2).sum())
    return math.sqrt(total / float(n.sum()))


def _finding(change: Change, changes: list[Change]) -> Finding:
    """The finding on one change; those of other columns within two bins are named in it."""
    signal, step, place, effect = change
    start, stop = (_row_at(signal, step.place + d) for d in (-2, 2))
    together = [
        other.column
        for other, moved, _, _ in changes
        if other.column != signal.column and start <= _row_at(other, moved.place) <= stop
    ]
    return finding_of(signal, step, place, effect, list(dict.fromkeys(together)))


def _pictures(base: Series, changes: list[Change]) -> list[pictures.Picture]:
    """Each series that changes, with its changes marked."""
    marks: dict[str | None, list[dict[str, Any]]] = {}
    for signal, step, place, _ in changes:
        column = None if signal.column == base.time else signal.column
        at = int(signal.bins[step.place])
        entry = pictures.mark(f"{signal.what} changes at {place.when}", signal.series, base, at)
        marks.setdefault(column, []).append(entry)
    return [pictures.line(base, column, found) for column, found in marks.items()]


def _row_at(signal: Signal, place: int) -> int:
    """First bin of the table at a place, by which changes of series in different bins are compared."""
    at = int(signal.bins[min(max(place, 0), signal.bins.size - 1)])
    return at if signal.series.starts is None else int(signal.series.starts[at])


def _told(signal: Signal, found: list[Change]) -> dict[str, Any]:
    return {
        "what": signal.what,
        "column": signal.column,
        "bins": int(signal.bins.size),
        "bin": signal.series.width(),
        "calendar": signal.cycle,
        "changes": [
            {"when": place.when, "row": place.row, "effect": effect[0], "log10_p": step.log10_p}
            for _, step, place, effect in found
        ],
    }
