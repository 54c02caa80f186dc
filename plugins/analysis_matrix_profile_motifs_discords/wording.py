"""Discords and motifs as findings, in words."""

from __future__ import annotations

from typing import Any

from toolkit.plugin import ChunkGrid, Finding
from toolkit.plugin.places import MOST_CHUNKS, MOST_RUNS
from toolkit.plugin.series import Series, span
from toolkit.plugin.wording import quoted

from .extremes import Discord, Stretches

_REFERENCE = "10.1109/ICDM.2016.0179"


def length(series: Series, m: int) -> str:
    """Length of a window in words."""
    return f"{m:,} blocks of {series.width()}" if series.step_ms is None else span(m * series.step_ms)


def rows_of(series: Series, grid: ChunkGrid | None, starts: list[int], m: int) -> dict[str, Any]:
    """Rows and chunks of the parent that the windows hold.

    Where rows are in no order of time, other rows stand between them too.
    """
    runs = []
    for start in starts:
        held = [i for i in range(start, start + m) if series.rows[i] > 0]
        runs.append([int(series.first_row[held].min()), int(series.last_row[held].max())])
    found: dict[str, Any] = {
        "rows": runs[:MOST_RUNS],
        "rows_listed": "all" if len(runs) <= MOST_RUNS else f"the first {MOST_RUNS} runs",
        "only_these_rows": series.in_time_order,
    }
    if grid is not None:
        chunks = sorted({c for a, b in runs for c in range(grid.chunk_of(a), grid.chunk_of(b) + 1)})
        found |= {"chunks": chunks[:MOST_CHUNKS], "chunks_with_it": len(chunks)}
    return found


def discord_finding(
    name: str, what: str, series: Series, grid: ChunkGrid | None, found: Discord, m: int, among: Stretches, rank: int
) -> Finding:
    """Say which stretch looks like no other."""
    begins, ends = series.when(found.start), series.when(min(found.start + m, len(series) - 1))
    evidence: dict[str, Any] = {
        "from": begins,
        "until": ends,
        "window": m,
        "bin": series.width(),
        "bins": len(series),
        "distance": found.distance,
        "median_distance": among.median,
        "stretches": among.count,
        "score": found.score,
        "rank": rank,
        **rows_of(series, grid, [found.start], m),
    }
    sentence = (
        f"{what[:1].upper()}{what[1:]} from {begins} to {ends} ({length(series, m)}) looks like no other stretch: "
        f"distance {found.distance:.2f} to the most alike, where the median of {among.count:,} is {among.median:.2f} "
        f"({found.score:.1f} robust standard deviations above it)."
    )
    advice = f"Look at {quoted(name)} from {begins} on, and find out what was different then."
    return Finding(
        "discord",
        [name],
        sentence,
        advice,
        effect=found.score,
        measure="discord_score",
        interval=found.interval,
        log10_p=found.log10_p,
        evidence=evidence,
        references=[_REFERENCE],
    )


def motif_finding(
    name: str, what: str, series: Series, grid: ChunkGrid | None, starts: list[int], m: int, likeness: float
) -> Finding:
    """Say which shape recurs, how often, and when last."""
    first, last = series.when(starts[0]), series.when(starts[-1])
    share = len(starts) * m / len(series)
    evidence: dict[str, Any] = {
        "first": first,
        "last": last,
        "occurrences": len(starts),
        "likeness": likeness,
        "window": m,
        "bin": series.width(),
        "share_of_the_series": share,
        **rows_of(series, grid, starts, m),
    }
    sentence = (
        f"A shape of {what} of {length(series, m)} recurs: {len(starts):,} stretches correlate by {likeness:.2f} or "
        f"more with one of them, the first from {first}, the last from {last}."
    )
    advice = f"Find out what makes {quoted(name)} repeat itself, and judge its values against that shape."
    return Finding(
        "motif", [name], sentence, advice, effect=float(len(starts)), evidence=evidence, references=[_REFERENCE]
    )
