"""analysis_matrix_profile_motifs_discords: stretches of a series that look like no other, and shapes that recur.

What it finds. "`dock_load_kw` from 2024-04-18 20:00 to 2024-04-19 20:00 (1 day) looks like no other stretch: distance
4.31 to the most alike, where the median of 368 is 0.13 (52.3 robust standard deviations above it)." And: "A
shape of `dock_load_kw` of 1 day recurs: 204 stretches correlate by 0.95 or more with one of them, the first from
2024-01-01 00:00, the last from 2024-12-27 00:00."

Method. On the bins of transform_binned_series, in which every row is: means of each number, and rows by time. Every
window of a series is compared with every other by the Euclidean distance of their z-normalised values, so that shapes
are compared whatever their level and size (matrix profile). A window is a day, where bins of at most three hours cover
two weeks, else a hundredth of the series between 32 and 2,048 bins (an eighth of one of fewer than 256). Windows with
an empty bin are left out and counted; those without any shape (constant) are told apart. The search is exact:
covariances are updated along the diagonals and now and then begun anew, which shows how far rounding has moved them;
windows for which that is too far are compared by their values, and what is told is computed again from the two windows.
It equals all pairs in more digits, and stumpy, to 1e-9, also where stumpy loses digits (docs/adr/0017).

A discord is a window whose nearest is far. Its p-value comes from Gumbel's distribution, fitted by the quartiles to the
largest distances of all stretches of that length, times their number. With fewer than 50 stretches there is none, and
nothing is told. The motif of a series is, of the eight windows with the nearest neighbours, that whose shape recurs
most. It is told when its recurrences make a quarter of the series: in a random walk, where every stretch is a slope,
shapes recur in less than a fifth.

Cost. No scan. The work is quadratic: about 4 ns for each two bins, 0.8 s for a series of 20,000.

Caps. ``bins`` and ``max_windows`` make bins coarser (every row is still in one), ``max_cols`` leaves out series.

What it does not do. Distances are between shapes: a change of level or size alone is none (see analysis_changepoints).
Windows have one length. In noise, quiet stretches can be the oddest. Bins that were joined hide what is shorter than
they are.

References
----------
Yeh and others (2016), doi:10.1109/ICDM.2016.0179. Zhu and others (2016), doi:10.1109/ICDM.2016.0085. Zimmerman and
others (2019), doi:10.1145/3357223.3362721. Law (2019), doi:10.21105/joss.01504.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin import Context, Finding, Result, Skip, pictures, round_significant
from toolkit.plugin.series import Series, read_series, within_caps
from toolkit.plugin.wording import quoted

from .extremes import FEWEST_STRETCHES, compared, discords, motif
from .profile import MatrixProfile, matrix_profile
from .wording import discord_finding, motif_finding

Floats = npt.NDArray[np.float64]

FEWEST_WINDOWS = 4
"""Lengths of a window that a series has at least."""

_DAY_MS = 86_400_000
_BINS_OF_A_DAY = 8
_DAYS = 14
_SHORTEST, _LONGEST = 32, 2_048
_FEWEST_BINS = 8
"""Length of a window of the shortest series."""
_MOST_EMPTY = 0.5
"""Share of windows with an empty bin beyond which coarser bins are taken."""
_LARGEST = 1e100
_LOG10_LEVEL = math.log10(0.05)


def run(ctx: Context) -> Result:
    """Compute the matrix profile of every series.

    Returns
    -------
    Result
        ``data["series"]`` has, of every series, its bins, window, left-out windows, and the discords and motif found.

    Examples
    --------
    >>> x = np.sin(np.arange(60) * 0.7)
    >>> x[40] += 2.0
    >>> int(matrix_profile(x, 8).distances.argmax()) in range(33, 41)
    True
    """
    base = read_series(ctx)
    wanted = list(_series(ctx, base))
    findings: list[Finding] = []
    data: list[dict[str, Any]] = []
    drawn: list[pictures.Picture] = []
    n_tests = 0
    windows = left = 0
    for done, (name, series, x) in enumerate(wanted):
        m = window_of(series, ctx.params["window"])
        if x.size < FEWEST_WINDOWS * m:
            continue
        profile = matrix_profile(x, m, partial(_progress, ctx, done, len(wanted)))
        found, told, starts = _of_series(ctx, name, series, x, m, profile)
        findings += found
        if starts:
            label = "unlike any other from {}"
            marks = [pictures.mark(label.format(series.when(s)), series, base, s, s + m) for s in starts]
            drawn.append(pictures.line(base, None if name == base.time else name, marks))
        n_tests += told["tested"]
        windows += profile.distances.size
        left += told["windows_left_out"]
        data.append(told)
    if not data:
        raise Skip(
            f"no series has {FEWEST_WINDOWS} windows of values that vary",
            "set the parameter window to fewer bins, or run it on a table with more rows",
        )
    ctx.cover("windows", windows, windows - left)
    findings.sort(key=lambda f: (f.log10_p is None, round_significant(f.log10_p or 0.0)))
    return Result({"series": data, "pictures": drawn}, findings, n_tests)


def window_of(series: Series, wished: int) -> int:
    """Length of a window in bins: as wished, a day, or a hundredth of the series."""
    if wished:
        return max(3, wished)
    if series.step_ms is not None and _DAY_MS % series.step_ms == 0:
        day = _DAY_MS // series.step_ms
        if _BINS_OF_A_DAY <= day <= _LONGEST and len(series) >= _DAYS * day:
            return day
    return min(max(len(series) // 100, _SHORTEST), _LONGEST, max(_FEWEST_BINS, len(series) // 8))


def _progress(ctx: Context, done: int, wanted: int, part: int, of: int) -> None:
    """Say how far the series at hand is, and so all of them."""
    ctx.progress(done * of + part, wanted * of)


def _series(ctx: Context, base: Series) -> Iterator[tuple[str, Series, Floats]]:
    """The series that vary, each in the finest bins of which enough hold values."""
    most, names = within_caps(ctx, base)
    for name in names:
        series = base.fitted(most)
        while len(series) >= FEWEST_WINDOWS * _FEWEST_BINS:
            values = series.column(name)
            x = np.where((values.n > 0) & (np.abs(values.mean) < _LARGEST), values.mean, np.nan)
            if _empty(x, window_of(series, ctx.params["window"])) <= _MOST_EMPTY:
                break
            series = series.fitted(len(series) // 2)
        else:
            continue
        if np.nanmin(x) < np.nanmax(x):
            yield name, series, x
    if base.time is not None:
        series = base.fitted(most, 4.0)
        rows = series.rows[1:-1].astype(np.float64)  # parts of the bins at the ends may lie beyond the data
        rows = np.concatenate([[np.nan], rows, [np.nan]])
        if len(series) > 2 and np.nanmin(rows) < np.nanmax(rows):
            yield base.time, series, rows


def _empty(x: Floats, m: int) -> float:
    """Share of the windows that have an empty bin."""
    if x.size < m:
        return 1.0
    gone = np.concatenate([[0], np.cumsum(~np.isfinite(x))])
    return float((gone[m:] > gone[:-m]).mean())


def _of_series(
    ctx: Context, name: str, series: Series, x: Floats, m: int, profile: MatrixProfile
) -> tuple[list[Finding], dict[str, Any], list[int]]:
    """Findings on a series, what is told of it, and where the discords begin that are told."""
    grid = None if ctx.source is None else ctx.source.grid
    what = f"rows by {quoted(name)}" if name == series.time else quoted(name)
    among = compared(profile, m)
    odd = discords(profile, m, ctx.params["discords"], among)
    sure = [
        (rank, d)
        for rank, d in enumerate(odd, 1)
        if d.log10_p is not None
        and d.log10_p <= _LOG10_LEVEL
        and round_significant(d.interval[0]) > ctx.params["discord_score"]
    ]
    findings = [discord_finding(name, what, series, grid, d, m, among, rank) for rank, d in sure]
    starts = motif(profile, x, m, ctx.params["likeness"])
    enough = among.count >= FEWEST_STRETCHES and len(starts) >= ctx.params["recurrences"]
    if enough and len(starts) * m >= ctx.params["motif_share"] * len(series):
        findings.append(motif_finding(name, what, series, grid, starts, m, ctx.params["likeness"]))
    told = {
        "column": name,
        "bins": len(series),
        "bin": series.width(),
        "window": m,
        "windows_left_out": int((~np.isfinite(profile.distances)).sum()),
        "flat_windows": int(profile.flat.sum()),
        "stretches": among.count,
        "tested": sum(d.log10_p is not None for d in odd),
        "discords": [{"from": series.when(d.start), "distance": d.distance, "log10_p": d.log10_p} for d in odd],
        "motif": [series.when(s) for s in starts[:3]],
        "recurrences": len(starts),
    }
    return findings, told, [d.start for _, d in sure]
