"""What is said of repeating rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from toolkit.plugin import ChunkGrid, Context, Finding
from toolkit.plugin.repeats import Repeats

from .ranges import Range, Rows

_LISTED = 20
_BLOCKS = 10


def finding_of_block(ctx: Context, names: list[str], block: Range) -> Finding:
    """A block of rows that was loaded twice."""
    source = [block.first - block.stride, block.last - block.stride]
    return Finding(
        kind="reloaded_rows",
        columns=names,
        sentence=f"Rows {block.first:,} to {block.last:,} repeat rows {source[0]:,} to {source[1]:,} exactly "
        f"({block.length:,} rows): they were loaded twice.",
        recommendation=f"Drop rows {block.first:,} to {block.last:,} before you sum {_measure(ctx, names)}.",
        effect=block.length / ctx.rows,
        evidence={
            "rows": [[block.first, block.last]],
            "repeats": [source],
            "stride": block.stride,
            "length": block.length,
            "of_rows": ctx.rows,
            "chunks": _chunks(np.array([*source, block.first, block.last]), ctx.grid),
        },
    )


def finding_of_repeats(ctx: Context, names: list[str], found: Repeats, blocks: list[Range]) -> Finding:
    """All rows that repeat an earlier one."""
    inside = sum(block.length for block in blocks)
    word = "block" if len(blocks) == 1 else "blocks"
    said = f"; {inside:,} of them in {len(blocks):,} {word} that were loaded twice" if blocks else ""
    most = max(found.top, key=lambda first: (found.top[first], -first))
    often = f" Row {most:,} is repeated most often, {found.top[most]:,} times." if found.top[most] > 1 else ""
    return Finding(
        kind="duplicate_rows",
        columns=names,
        sentence=f"{found.count:,} of {ctx.rows:,} rows ({found.count / ctx.rows:.2%}) repeat an earlier row in all "
        f"{len(names):,} columns{said}.{often}",
        recommendation="Decide whether equal rows are separate events; if not, drop them before you sum "
        f"{_measure(ctx, names)}.",
        effect=found.count / ctx.rows,
        evidence={
            "repeats": found.count,
            "of_rows": ctx.rows,
            "share": found.count / ctx.rows,
            "columns": len(names),
            "different_rows": found.groups,
            "in_blocks": inside,
            "blocks": len(blocks),
            "most_repeated_row": most,
            "most_repeats": found.top[most],
            "examples": _examples(found.rows, found.firsts),
            "chunks": _chunks(found.rows, ctx.grid),
        },
    )


def finding_of_adjacent(ctx: Context, names: list[str], rows: Rows, of: int) -> Finding:
    """Rows that repeat the one right before."""
    return Finding(
        kind="adjacent_repeats",
        columns=names,
        sentence=f"{rows.size:,} rows repeat the row right before them exactly, {rows.size / of:.1%} of the {of:,} "
        f"that repeat any; the first is row {int(rows[0]):,}.",
        recommendation=f"Find out what writes a row twice, and drop the second before you sum {_measure(ctx, names)}.",
        effect=rows.size / ctx.rows,
        evidence={
            "adjacent": rows.size,
            "repeats": of,
            "share": rows.size / of,
            "first_row": int(rows[0]),
            "rows": [[row, row] for row in rows[:_LISTED].tolist()],
            "chunks": _chunks(rows, ctx.grid),
        },
    )


def finding_of_near(ctx: Context, compared: list[str], ignored: list[str], rows: Rows, firsts: Rows) -> Finding:
    """Rows that repeat an earlier one but for ids and times."""
    return Finding(
        kind="repeated_but_for_ids",
        columns=ignored,
        sentence=f"{rows.size:,} of {ctx.rows:,} rows ({rows.size / ctx.rows:.2%}) repeat an earlier row in all "
        f"columns but {', '.join(ignored[:5])}{' and others' if len(ignored) > 5 else ''};"
        f" the first is row {int(rows[0]):,}, which repeats row {int(firsts[0]):,}.",
        recommendation=f"Look at these rows: where one event was given {ignored[0]} anew, drop the later row.",
        effect=rows.size / ctx.rows,
        evidence={
            "repeats": rows.size,
            "of_rows": ctx.rows,
            "share": rows.size / ctx.rows,
            "first_row": int(rows[0]),
            "repeated_row": int(firsts[0]),
            "compared": compared[:_LISTED],
            "examples": _examples(rows, firsts),
            "chunks": _chunks(rows, ctx.grid),
        },
    )


def largest(blocks: list[Range]) -> list[Range]:
    """The largest blocks, of equal ones the first; at most ten, in the order of the table."""
    return sorted(sorted(blocks, key=lambda b: (-b.length, b.first))[:_BLOCKS])


def _examples(rows: Rows, firsts: Rows) -> list[list[int]]:
    return np.stack([rows[:_LISTED], firsts[:_LISTED]], axis=1).tolist()


def _chunks(rows: Rows, grid: ChunkGrid) -> list[Any]:
    found: list[Any] = np.unique(rows // grid.chunk_rows)[:_LISTED].tolist()
    return found


def _measure(ctx: Context, names: list[str]) -> str:
    """A column that somebody may sum: the last number, as ids come first."""
    numbers = [name for name in names if ctx.schema[name].kind in ("float", "decimal", "int")]
    return numbers[-1] if numbers else names[0]
