"""What of the table a result rests on, as a certificate that can be checked against the store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from toolkit.core.digest import KEY_LENGTH, digest_value
from toolkit.plugin.context import UNITS, Context
from toolkit.plugin.selection import Omission, select_columns
from toolkit.storage.dataset import Dataset
from toolkit.storage.layout import arrays_of


def coverage(
    dataset: Dataset, reads: Mapping[str, set[int]], scanned: Iterable[str], row_limit: int | None = None
) -> dict[str, Any]:
    """Rows, chunks and columns that were read.

    Parameters
    ----------
    dataset : Dataset
        The table.
    reads : mapping of str to set of int
        Chunks that the plugin read itself, by column.
    scanned : iterable of str
        Columns that kernels read whole on its behalf.
    row_limit : int, optional
        Where the plugin stopped reading by its own wish.

    Returns
    -------
    dict
        ``rows`` (that were read of every column), ``of_rows``, ``columns``, ``chunks`` (of all columns together),
        ``complete``, and ``digest`` over the digests of all that was read; empty when nothing was.
    """
    grid = dataset.grid
    whole = set(range(grid.n_chunks))
    chunks = {name: set(found) for name, found in reads.items()} | dict.fromkeys(scanned, whole)
    if not chunks:
        return {}
    common = set.intersection(*chunks.values())
    rows = sum(stop - start for start, stop in map(grid.bounds, common))
    out = {
        "rows": rows if row_limit is None else min(rows, row_limit),
        "of_rows": dataset.rows,
        "columns": len(chunks),
        "chunks": sum(map(len, chunks.values())),
        "complete": row_limit is None and all(found == whole for found in chunks.values()),
        "digest": _certificate(dataset, chunks),
    }
    if row_limit is not None:
        out["row_limit"] = row_limit
    return out


def unit_coverage(
    ctx: Context, selectors: Sequence[str], kernels: Iterable[Sequence[str]], omitted: Iterable[Omission]
) -> dict[str, dict[str, int]]:
    """Columns, pairs, groups and windows that were asked for, and those that were evaluated.

    Parameters
    ----------
    ctx : Context
        The context that the plugin ran with; what it told by `Context.cover` wins.
    selectors : sequence of str
        ``columns`` of its manifest.
    kernels : iterable of sequence of str
        Columns of each of its kernels; those of two are pairs.
    omitted : iterable of dict
        Its entries in the omission ledger; of several of one cap the widest counts.

    Returns
    -------
    dict
        ``{"columns": {"requested": 24, "evaluated": 20}}``; pairs, groups and windows only where there were any.
    """
    everything, _ = select_columns(ctx.schema, selectors)
    kept, _ = select_columns(ctx.schema, selectors, ctx.budget.max_cols)
    found = {"columns": (len(everything), len(kept))}
    pairs = len({tuple(columns) for columns in kernels if len(columns) == 2})
    if pairs:
        found["pairs"] = (pairs, pairs)
    for entry in omitted:
        unit = UNITS.get(str(entry.get("cap")), "")
        if unit and all(isinstance(entry.get(k), int) for k in ("requested", "evaluated")):
            told = (int(entry["requested"]), int(entry["evaluated"]))
            found[unit] = max(found.get(unit, told), told)
    found |= ctx.covered
    return {unit: {"requested": asked, "evaluated": done} for unit, (asked, done) in sorted(found.items())}


def _certificate(dataset: Dataset, chunks: Mapping[str, set[int]]) -> str:
    digests = dataset.manifest.digests
    listed = []
    for spec in dataset.schema:
        if spec.name in chunks:
            for array in arrays_of(spec):
                known = digests.get(array.name, [])
                stored = dataset.stored_chunks(chunks[spec.name])
                read = range(len(known)) if array.part == "categories" else sorted(stored)
                listed.append([array.name, [[i, known[i]] for i in read if i < len(known)]])
    return digest_value(listed)[:KEY_LENGTH]
