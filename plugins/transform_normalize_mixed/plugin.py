"""transform_normalize_mixed: text that reads as something else becomes it, in a table of its own.

What a column is, is decided on its distinct values with their exact numbers of rows; the source is never changed. The
state holds, for each column, counts of rows by format (int64, exact), and for a coded column one value for each of its
categories.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from toolkit.plugin import Chunk, Coded, Context, DerivedColumn, Result, StringBlock, keep, make

from .findings import findings_of
from .formats import Tally, Verdict, decide, read
from .tidy import one_spelling, tidy

_LISTED = 12


@dataclass(slots=True)
class Column:
    """What is known of a text column, and what becomes of it.

    Attributes
    ----------
    name : str
        The column.
    tally : Tally
        Counts of its rows.
    untidy : int
        Rows that have spaces around them, or characters in another spelling.
    respelt : dict of str to str
        Labels that get another spelling.
    relabelled : int
        Rows that have them.
    to_missing : Counter
        Rows that become missing, by spelling.
    verdict : Verdict
        What it is.
    """

    name: str
    tally: Tally = field(default_factory=Tally)
    untidy: int = 0
    respelt: dict[str, str] = field(default_factory=dict)
    relabelled: int = 0
    to_missing: Counter[str] = field(default_factory=Counter)
    verdict: Verdict = field(default_factory=Verdict)
    hopeless: bool = False
    """Whether so many values read as nothing that no format can have its share any more."""


def run(ctx: Context) -> Result:
    """Decide for every text column, then write the table.

    Examples
    --------
    >>> decide(Tally(present=50, read=Counter({("number", "comma"): 50})), 0.98, 20).kind
    'float'
    """
    columns = {name: Column(name) for name in ctx.columns("text")}
    coded = [name for name in columns if ctx.schema[name].encoding == "coded"]
    long = [name for name in columns if name not in coded]
    for name in coded:
        counts = ctx.kernel("counts", name)["counts"]
        count(columns[name], _words(ctx, name), counts, ctx, labels=True)
    for chunk in ctx.chunks(long) if long else ():
        for name in long:
            words, _, counts = distinct(chunk, name)
            count(columns[name], words, counts, ctx, labels=False)
    share, least = ctx.params["share"], ctx.params["least_rows"]
    for column in columns.values():
        column.verdict = Verdict() if column.hopeless else decide(column.tally, share, least)
    write(ctx, columns, long)
    return Result({name: _data(c) for name, c in columns.items()}, findings_of(columns.values()))


def distinct(chunk: Chunk, name: str) -> tuple[pa.Array, Any, Any]:
    """Distinct values of long text in a chunk, the position of each row's value (-1 where missing), rows of each."""
    encoded = chunk.arrow([name]).column(0).cast(pa.large_string()).dictionary_encode()
    positions = np.asarray(pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False), np.int64)
    words = encoded.dictionary.cast(pa.string())
    return words, positions, np.bincount(positions + 1, minlength=len(words) + 1)[1:]


def count(column: Column, words: pa.Array, counts: Any, ctx: Context, *, labels: bool) -> None:
    """Add distinct values, and how many rows have each, to what is known of a column."""
    tidied = tidy(words)
    column.untidy += int(counts[np.asarray(pc.not_equal(words, tidied).to_numpy(zero_copy_only=False))].sum())
    gone = _listed(ctx.params["text_sentinels"])
    if column.hopeless and not labels and not gone:
        return
    texts, rows = tidied.to_pylist(), counts.tolist()
    if labels and len(texts) <= ctx.params["labels"]:
        column.respelt = one_spelling(texts, rows)
        column.relabelled = sum(n for text, n in zip(texts, rows, strict=True) if text in column.respelt)
    sentinels = _listed(ctx.params["sentinels"])
    for text, n in zip(texts, rows, strict=True):
        if column.hopeless:
            break
        column.tally.add(text, n, sentinels)
        column.hopeless = column.tally.failing > (1 - ctx.params["share"]) * ctx.rows
    for text, n in zip(texts, rows, strict=True) if gone else ():
        if text.lower() in gone:
            column.to_missing[text] += n


def write(ctx: Context, columns: dict[str, Column], long: list[str]) -> None:
    """Write the table: what is not changed is kept as it is."""
    changed = {name: c for name, c in columns.items() if _becomes(c) is not None}
    declared = [_becomes(changed[n]) if n in changed else keep(n) for n in ctx.schema.names]
    tables = {name: _lookup(c, _words(ctx, name), ctx) for name, c in changed.items() if name not in long}
    for name, (kind, _, _) in tables.items():
        if kind:
            columns[name].to_missing = _spellings(ctx, columns[name])
    with ctx.derive([d for d in declared if d is not None]) as out:
        for chunk in ctx.chunks(list(changed)) if changed else ():
            made = {}
            for name, column in changed.items():
                if name in long:
                    made[name] = _long_values(column, chunk, ctx)
                else:
                    made[name] = _coded_values(chunk.codes(name), *tables[name])
            out.append(made)


def _becomes(column: Column) -> DerivedColumn | None:
    """How a column is declared in the new table; None where it is kept."""
    form, kind = column.verdict.format, column.verdict.kind
    if form is not None:
        how = f"text to {kind}: {form[0]}, {form[1]}"
        return make(column.name, kind, of=[column.name], how=how)
    done = {"spaces and characters": column.untidy, "labels": column.relabelled, "missing": column.to_missing.total()}
    how = ", ".join(f"{what} in {rows:,} rows" for what, rows in done.items() if rows)
    return make(column.name, "string", of=[column.name], how=f"tidied: {how}") if how else None


def _lookup(column: Column, words: pa.Array, ctx: Context) -> tuple[str, Any, Any]:
    """The new value of each distinct value: kind, values, which are present; of text codes and their words."""
    texts = tidy(words).to_pylist()
    if column.verdict.format is not None:
        return (column.verdict.kind, *_parsed(column.verdict, texts, ctx))
    gone = _listed(ctx.params["text_sentinels"])
    new = [None if t.lower() in gone else column.respelt.get(t, t) for t in texts]
    spellings = sorted({t for t in new if t is not None})
    code = {t: i for i, t in enumerate(spellings)}
    return "", np.array([-1 if t is None else code[t] for t in new] + [-1]), spellings


def _coded_values(codes: Any, kind: str, values: Any, extra: Any) -> Any:
    if not kind:
        return Coded(values[codes], extra)
    return values[codes], extra[codes]


def _long_values(column: Column, chunk: Chunk, ctx: Context) -> Any:
    words, positions, counts = distinct(chunk, column.name)
    texts = tidy(words).to_pylist()
    if column.verdict.format is not None:
        values, valid = _parsed(column.verdict, texts, ctx)
        for text, n, present in zip(texts, counts.tolist(), valid.tolist(), strict=False):
            if not present:
                column.to_missing[text] += n
        return values[positions], valid[positions]
    gone = _listed(ctx.params["text_sentinels"])
    encoded = [None if t.lower() in gone else t.encode() for t in texts] + [None]
    lengths = np.array([len(t or b"") for t in encoded], np.uint32)
    starts = np.concatenate([[0], np.cumsum(lengths[:-1], dtype=np.int64)])
    payload = np.frombuffer(b"".join(t or b"" for t in encoded), np.uint8)
    present = np.array([t is not None for t in encoded])
    return StringBlock(payload, starts[positions], lengths[positions]), present[positions]


def _parsed(verdict: Verdict, texts: list[str], ctx: Context) -> tuple[Any, Any]:
    """Values of texts in a format and which of them have one; one more stands at the end for missing rows."""
    sentinels = _listed(ctx.params["sentinels"])
    found = [None if not t or t.lower() in sentinels else read(t).get(verdict.format) for t in texts] + [None]
    valid = np.array([v is not None for v in found])
    kind = verdict.kind
    if kind in ("date", "timestamp"):
        micros = np.array([0 if v is None else v[0] for v in found], np.int64)
        return micros.astype("M8[us]").astype("M8[D]" if kind == "date" else "M8[us]"), valid
    dtype = {"bool": bool, "int": np.int64, "float": np.float64}[kind]
    convert = {"bool": bool, "int": int, "float": float}[kind]
    return np.array([0 if v is None else convert(v) for v in found], dtype), valid


def _spellings(ctx: Context, column: Column) -> Counter[str]:
    """Rows of a coded column that its format can't read, by their spelling."""
    texts = tidy(_words(ctx, column.name)).to_pylist()
    _, valid = _parsed(column.verdict, texts, ctx)
    counts = ctx.kernel("counts", column.name)["counts"].tolist()
    out: Counter[str] = Counter()
    for text, n, present in zip(texts, counts, valid[:-1].tolist(), strict=True):
        if not present and n:
            out[text] += n
    return out


def _words(ctx: Context, name: str) -> pa.Array:
    return pa.array(ctx.categories(name)[:-1], pa.string())


def _listed(words: str) -> frozenset[str]:
    return frozenset(w.strip().lower() for w in words.split(",") if w.strip())


def common(spellings: Counter[str]) -> Iterator[tuple[str, int]]:
    """The commonest spellings, ties in their order as text."""
    yield from sorted(spellings.items(), key=lambda s: (-s[1], s[0]))[:_LISTED]


def _data(column: Column) -> dict[str, Any]:
    declared = _becomes(column)
    form = column.verdict.format
    return {
        "kept": declared is None,
        "how": "" if declared is None else declared.how,
        "format": None if form is None else list(form),
        "kind": column.verdict.kind or "string",
        "problem": column.verdict.problem,
        "missing": dict(common(column.to_missing)),
        "became_missing": column.to_missing.total(),
        **column.verdict.evidence,
    }
