"""What is said of keys, of columns that are the same, and of dependencies."""

from __future__ import annotations

from typing import Any

import numpy as np

from toolkit.plugin import Context, Finding
from toolkit.plugin.repeats import Repeats

from .held import Exceptional, Held
from .plan import Dependent, Side

_LISTED = 20
_LONGEST = 60


def key(ctx: Context, names: list[str]) -> Finding:
    """A key."""
    who = " and ".join(names)
    said = f"Together {who} are" if len(names) > 1 else f"{who} is"
    return Finding(
        kind="candidate_key",
        columns=names,
        sentence=f"{said} a key: all {ctx.rows:,} rows differ in it, and none lacks it.",
        recommendation=f"Join other tables by {who}, and leave it out of averages and categories.",
        effect=1.0,
        evidence={"of_rows": ctx.rows, "distinct": ctx.rows},
    )


def almost_key(ctx: Context, names: list[str], found: Repeats) -> Finding:
    """Columns that are a key but for some rows."""
    who = " and ".join(names)
    breaks = np.flatnonzero(np.diff(found.rows) != 1) + 1
    runs = [[int(run[0]), int(run[-1])] for run in np.split(found.rows, breaks)]
    first, last = runs[0][0], int(found.rows[-1])
    stretches = f"{len(runs):,} runs of rows" if len(runs) > 1 else "one run of rows"
    return Finding(
        kind="almost_key",
        columns=names,
        sentence=f"{who} {'are' if len(names) > 1 else 'is'} a key but for {found.count:,} of {ctx.rows:,} rows "
        f"({found.count / ctx.rows:.3%}) that repeat an earlier value, in {stretches} from row {first:,} to {last:,}.",
        recommendation=f"Look at these rows before you join by {who}: each of them would match more than once.",
        effect=found.count / ctx.rows,
        evidence={
            "repeats": found.count,
            "of_rows": ctx.rows,
            "share": found.count / ctx.rows,
            "repeated_values": found.groups,
            "runs": len(runs),
            "rows": runs[:_LISTED],
            "first_row": first,
            "last_row": last,
            "examples": np.stack([found.rows[:_LISTED], found.firsts[:_LISTED]], axis=1).tolist(),
            "chunks": np.unique(found.rows // ctx.grid.chunk_rows)[:_LISTED].tolist(),
        },
    )


def same_columns(ctx: Context, first: str, second: str, compared: int, unequal: int, row: int) -> Finding:
    """Two columns that are the same, or nearly so."""
    exact = not unequal
    evidence: dict[str, Any] = {"compared": compared, "unequal": unequal, "of_rows": ctx.rows}
    if exact:
        said = f"{first} and {second} are the same in all {compared:,} rows where either has a value."
        advice = f"Leave {second} out: it holds nothing that {first} does not."
    else:
        said = (
            f"{first} and {second} are the same but for {unequal:,} of {compared:,} rows ({unequal / compared:.3%}); "
        )
        said += f"the first is row {row:,}."
        advice = f"Find out which of {first} and {second} is right in these rows, and use one of them."
        evidence |= {"share": unequal / compared, "first_row": row, "rows": [[row, row]]}
        evidence["chunks"] = [row // ctx.grid.chunk_rows]
    return Finding(
        kind="same_columns" if exact else "nearly_same_columns",
        columns=[first, second],
        sentence=said,
        recommendation=advice,
        effect=1 - unequal / compared,
        evidence=evidence,
    )


Entry = tuple[Dependent, Held]


def dependencies(ctx: Context, holds: list[Entry]) -> list[Finding]:
    """Findings on all dependencies that hold.

    Those without exception stand together by the column that determines. Of those with exceptions the ones are told
    that don't follow: where a determines b without exception and b determines c but for some rows, so does a.
    """
    broken = {(d.by, d.column): held.violations for d, held in holds}
    exact: dict[tuple[str, ...], list[Entry]] = {}
    for pair, held in holds:
        if not held.violations:
            exact.setdefault(pair.by, []).append((pair, held))
    found = [_without_exception(by, entries, broken) for by, entries in exact.items()]
    for pair, held in holds:
        between = [d.column for d, _ in exact.get(pair.by, []) if broken.get(((d.column,), pair.by[0])) != 0]
        if held.violations and not any(((m,), pair.column) in broken for m in between):
            found.append(_with_exceptions(ctx, pair, held))
    return found


def _without_exception(
    by: tuple[str, ...], entries: list[Entry], broken: dict[tuple[tuple[str, ...], str], int]
) -> Finding:
    names = [pair.column for pair, _ in entries]
    mutual = [name for name in names if len(by) == 1 and broken.get(((name,), by[0])) == 0]
    largest = max((held for _, held in entries), key=lambda held: held.present)
    listed, who = _listing(names), _listing(list(by))
    back = f"; {_listing(mutual)} in turn {'determines' if len(mutual) == 1 else 'determine'} {who}" if mutual else ""
    verb, values = ("determines", "values") if len(by) == 1 else ("together determine", "combinations")
    return Finding(
        kind="functional_dependency",
        columns=[*by, *names],
        sentence=f"{who} {verb} {listed} without exception: {largest.groups:,} {values} in {largest.present:,} "
        f"rows{back}.",
        recommendation=f"Keep {listed} in a table of {who}, and don't use both as causes in one model.",
        effect=0.0,
        evidence={
            "violations": 0,
            "determined_by": list(by),
            "determining_values": largest.groups,
            "rows_with_both": largest.present,
            "mutual": mutual,
            "rows_by_column": {pair.column: held.present for pair, held in entries},
        },
    )


def _with_exceptions(ctx: Context, pair: Dependent, held: Held) -> Finding:
    by, column, broken, present = _listing(list(pair.by)), pair.column, held.violations, held.present
    listed = [_told(ctx, pair, e) for e in held.exceptions]
    first = listed[0]
    verb = "determines" if len(pair.by) == 1 else "together determine"
    return Finding(
        kind="almost_functional_dependency",
        columns=[*pair.by, column],
        sentence=f"{by} {verb} {column} but for {broken:,} of {present:,} rows (g3 = {broken / present:.2g}); the "
        f"first is row {first['row']:,}, where {column} is {_cut(first['value'])} for {by} {_cut(first['for'])} "
        f"instead of {_cut(first['usual'])}.",
        recommendation=f"Check these values of {column}: they are likely typing errors, or {by} changed its meaning.",
        effect=broken / present,
        evidence={
            "violations": broken,
            "rows_with_both": present,
            "g3": broken / present,
            "determined_by": list(pair.by),
            "determining_values": held.groups,
            "pairs_of_values": held.broken,
            "exceptions": listed,
            "rows": [[e["row"], e["row"]] for e in listed],
            "chunks": sorted({e["row"] // ctx.grid.chunk_rows for e in listed}),
        },
    )


def _told(ctx: Context, pair: Dependent, entry: Exceptional) -> dict[str, Any]:
    """An exception with the values that its places stand for."""
    places, group = [], entry.group
    for side in reversed(pair.sides[1:]):
        group, place = divmod(group, side.width)
        places.insert(0, place)
    values = [_value(ctx, side, place) for side, place in zip(pair.sides, [group, *places], strict=True)]
    return {
        "row": entry.row,
        "count": entry.count,
        "for": values[0] if len(values) == 1 else values,
        "value": _value(ctx, pair.target, entry.value),
        "usual": _value(ctx, pair.target, entry.usual),
        "usual_count": entry.usual_count,
    }


def _value(ctx: Context, side: Side, place: int) -> Any:
    spec, stored = ctx.schema[side.name], place + side.low
    if spec.encoding == "coded":
        value = ctx.categories(side.name)[stored]
        return value.hex() if isinstance(value, bytes) else value
    return bool(stored) if spec.kind == "bool" else stored


def _listing(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _cut(value: Any) -> str:
    text = " and ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
