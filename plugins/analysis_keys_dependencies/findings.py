"""What is said of keys, of columns that are the same, and of dependencies."""

from __future__ import annotations

from typing import Any

import numpy as np

from toolkit.plugin import Context, Finding
from toolkit.plugin.repeats import Repeats

from .plan import Dependent
from .tables import Table, exceptions, violations

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


Held = tuple[Dependent, Table]


def dependencies(ctx: Context, holds: list[Held]) -> list[Finding]:
    """Findings on all dependencies that hold.

    Those without exception stand together by the column that determines. Of those with exceptions the ones are told
    that don't follow: where a determines b without exception and b determines c but for some rows, so does a.
    """
    broken = {(d.by, d.column): violations(t, d.width[1]) for d, t in holds}
    exact: dict[str, list[Held]] = {}
    for pair, table in holds:
        if not broken[pair.by, pair.column]:
            exact.setdefault(pair.by, []).append((pair, table))
    found = [_without_exception(by, entries, broken) for by, entries in exact.items()]
    for pair, table in holds:
        between = [d.column for d, _ in exact.get(pair.by, []) if broken.get((d.column, pair.by)) != 0]
        if broken[pair.by, pair.column] and not any((m, pair.column) in broken for m in between):
            found.append(_with_exceptions(ctx, pair, table))
    return found


def _without_exception(by: str, entries: list[Held], broken: dict[tuple[str, str], int]) -> Finding:
    names = [pair.column for pair, _ in entries]
    mutual = [name for name in names if broken.get((name, by)) == 0]
    sizes = {pair.column: _size(pair, table) for pair, table in entries}
    groups, rows = max(sizes.values(), key=lambda size: size[1])
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    back = f"; {', '.join(mutual)} in turn {'determines' if len(mutual) == 1 else 'determine'} {by}" if mutual else ""
    return Finding(
        kind="functional_dependency",
        columns=[by, *names],
        sentence=f"{by} determines {listed} without exception: {groups:,} values in {rows:,} rows{back}.",
        recommendation=f"Keep {listed} in a table of {by}, and don't use both as causes in one model.",
        effect=0.0,
        evidence={
            "violations": 0,
            "determining_values": groups,
            "rows_with_both": rows,
            "mutual": mutual,
            "rows_by_column": {name: size[1] for name, size in sizes.items()},
        },
    )


def _with_exceptions(ctx: Context, pair: Dependent, table: Table) -> Finding:
    assert table is not None
    by, column, width = pair.by, pair.column, pair.width[1]
    broken, (groups, present) = violations(table, width), _size(pair, table)
    listed = _exceptions(ctx, pair, table)
    first = listed[0]
    return Finding(
        kind="almost_functional_dependency",
        columns=[by, column],
        sentence=f"{by} determines {column} but for {broken:,} of {present:,} rows (g3 = {broken / present:.2g}); the "
        f"first is row {first['row']:,}, where {column} is {_cut(first['value'])} for {by} {_cut(first['for'])} "
        f"instead of {_cut(first['usual'])}.",
        recommendation=f"Check these values of {column}: they are likely typing errors, or {by} changed its meaning.",
        effect=broken / present,
        evidence={
            "violations": broken,
            "rows_with_both": present,
            "g3": broken / present,
            "determining_values": groups,
            "pairs_of_values": int(exceptions(table, width)[0].size),
            "exceptions": listed,
            "rows": [[e["row"], e["row"]] for e in listed],
            "chunks": sorted({e["row"] // ctx.grid.chunk_rows for e in listed}),
        },
    )


def _size(pair: Dependent, table: Table) -> tuple[int, int]:
    """Values of the determining column, and rows that have both."""
    assert table is not None
    return int(np.unique(table["keys"] // pair.width[1]).size), int(table["counts"].sum())


def _exceptions(ctx: Context, pair: Dependent, table: Any) -> list[dict[str, Any]]:
    """The exceptions that come first in the table, one for each two values."""
    others, usual = exceptions(table, pair.width[1])
    order = np.argsort(table["rows"][others], kind="stable")[:_LISTED]
    found = []
    for entry, normal in zip(others[order].tolist(), usual[order].tolist(), strict=True):
        a, b = divmod(int(table["keys"][entry]), pair.width[1])
        found.append(
            {
                "row": int(table["rows"][entry]),
                "count": int(table["counts"][entry]),
                "for": _value(ctx, pair.by, a + pair.low[0]),
                "value": _value(ctx, pair.column, b + pair.low[1]),
                "usual": _value(ctx, pair.column, int(table["keys"][normal]) % pair.width[1] + pair.low[1]),
                "usual_count": int(table["counts"][normal]),
            }
        )
    return found


def _value(ctx: Context, name: str, stored: int) -> Any:
    spec = ctx.schema[name]
    if spec.encoding == "coded":
        value = ctx.categories(name)[stored]
        return value.hex() if isinstance(value, bytes) else value
    return bool(stored) if spec.kind == "bool" else stored


def _cut(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
