"""A second look at columns whose parts were read as types that do not go together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa

from toolkit.core.errors import BadInputError
from toolkit.ingest.arrow_types import as_text
from toolkit.ingest.buffers import strings
from toolkit.ingest.declared import Declared
from toolkit.ingest.evidence import Decision, Evidence, decide
from toolkit.ingest.number_forms import convert_written
from toolkit.ingest.staging import StagedPart, stage
from toolkit.ingest.text_types import Typed
from toolkit.readers.base import NumberForm, Part, Source

_LOOKED_AT = 1024


def settle(
    source: Source,
    chosen: Sequence[int],
    parts: list[StagedPart],
    decisions: list[Decision],
    declared: Declared,
    what: str,
) -> tuple[list[StagedPart], list[Decision]]:
    """Read again what does not fit its column's type, until everything does.

    The source is read a second time only if there is such a column, and then only its parts and columns that need it.

    Parameters
    ----------
    source : Source
        Is read again from its beginning.
    chosen : sequence of int
        Columns of the source that are staged.
    parts, decisions : list
        What the first pass found.
    declared : Declared
        Kinds asked for by name of column; a value without its declared kind is an error.
    what : str
        What the source is called in an error.
    """
    kinds = declared.of("kind")
    goals = {k: _goal(source.columns[i].name, d, kinds) for k, (i, d) in enumerate(zip(chosen, decisions, strict=True))}
    for _ in range(2):
        needed = _needed(parts, decisions, goals, {k for k, i in enumerate(chosen) if source.columns[i].name in kinds})
        if not needed:
            break
        again = {p: [k for k, members in needed.items() if p in members] for p in range(len(parts))}
        numbers = [int(p.path.stem.split("-")[1]) for p in parts]
        position = {number: p for p, number in enumerate(numbers)}
        for part in source.parts():
            p = position.get(part.index)
            if p is not None and again[p]:
                wanted = {k: goals[k] for k in again[p]}
                parts[p], failed = restage(source, part, parts[p], chosen, wanted, declared, what)
                for k in failed:
                    goals[k] = ("string", "")
        for k in needed:
            evidence = [p.evidence[k] for p in parts]
            decisions[k] = decide(evidence, inferred=True)
    for k, (kind, _) in goals.items():
        name = source.columns[chosen[k]].name
        if name in kinds and decisions[k].kind not in (kind, "null"):
            raise BadInputError(
                f"{declared.place(name)}{what}: column {name!r} is declared as {kind}; its values together are "
                f"{decisions[k].kind}: {decisions[k].reason}",
                "declare it as string",
            )
    return parts, decisions


def restage(
    source: Source,
    part: Part,
    staged: StagedPart,
    chosen: Sequence[int],
    goals: dict[int, tuple[str, str]],
    declared: Declared,
    what: str,
) -> tuple[StagedPart, list[int]]:
    """Parse some columns of a part again as the kinds that are wanted, and write the part anew.

    Returns
    -------
    tuple
        The part, and the columns that can't have the kind and were staged as text.
    """
    table = source.parse(part, [chosen[k] for k in goals])
    failed: list[int] = []
    columns: list[Typed | tuple[Evidence, pa.Array]] = []
    fresh = dict(zip(goals, table.columns, strict=True))
    for k, evidence in enumerate(staged.evidence):
        if k not in goals:
            columns.append((evidence, staged.column(k)))
            continue
        text = fresh[k].combine_chunks() if fresh[k].num_chunks != 1 else fresh[k].chunk(0)
        column = source.columns[chosen[k]]
        where = f"{declared.place(column.name)}{what}: column {column.name!r}"
        if not column.infer:
            text = as_text(text, where)
        found = convert_written(text, *goals[k], column.numbers)
        if found is None:
            if column.name in declared.of("kind"):
                raise _misfit(part, where, goals[k], text, column.numbers)
            failed.append(k)
            found = Typed("string", text)
        found.spelled = evidence.spelled if found.kind != "string" else {}
        columns.append(found)
    # under another name: the mark of the first pass still describes the part that it stands beside
    again = staged.path.with_name(f"{staged.path.stem.removesuffix('-again')}-again.arrow")
    return stage(columns, staged.rows, again), failed


def _goal(name: str, decision: Decision, kinds: dict[str, str]) -> tuple[str, str]:
    if name not in kinds:
        return decision.kind, decision.timezone
    kind = kinds[name]
    return kind, decision.timezone if kind == "timestamp" else ""


def _needed(
    parts: Sequence[StagedPart],
    decisions: Sequence[Decision],
    goals: dict[int, tuple[str, str]],
    declared: set[int],
) -> dict[int, set[int]]:
    """Parts that are to be read again, by column."""
    needed: dict[int, set[int]] = {}
    for k, decision in enumerate(decisions):
        members = set(decision.again)
        if k in declared or goals[k][0] != decision.kind:
            wanted = replace(decision, kind=goals[k][0])  # type: ignore[arg-type]
            members = {
                p
                for p, part in enumerate(parts)
                if part.evidence[k].kind not in (wanted.kind, "null")
                or (part.evidence[k].spelled and wanted.kind == "string")
            }
        if members:
            needed[k] = members
    return needed


def _misfit(part: Part, where: str, goal: tuple[str, str], text: pa.Array, form: NumberForm | None) -> BadInputError:
    """An error that names the first value that does not have a declared kind."""
    kind, zone = goal
    for start in range(0, len(text), _LOOKED_AT):
        piece = text.slice(start, _LOOKED_AT)
        if convert_written(piece, kind, zone, form) is not None:
            continue
        for row, value in enumerate(piece.to_pylist(), start + 1):
            if value is not None and convert_written(strings([value]), kind, zone, form) is None:
                return BadInputError(
                    f"{where} is declared as {kind}, but row {row} from line {part.line} on has {_shorten(value)}",
                    "mend the value, or declare the column as string",
                )
    return BadInputError(f"{where} is declared as {kind}, which its values together are not", "declare it as string")


def _shorten(value: str, limit: int = 60) -> str:
    return repr(value if len(value) <= limit else value[: limit - 1] + "…")
