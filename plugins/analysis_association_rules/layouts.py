"""Baskets from each way in which a table can hold them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin import Chunk, Context, Shelf, Skip, hash_rows, places_of_runs

from .staging import Ints, Staged

_PARTITION_ROWS = 1 << 21
_RECORD = np.dtype([("first", "<u8"), ("second", "<u8"), ("row", "<i8"), ("item", "<i4")])


def from_lists(ctx: Context, column: str, separator: str) -> Staged:
    """Each present value of a text column is a basket: things with a separator between them."""
    staged = Staged(ctx)
    coded = ctx.schema[column].encoding == "coded"
    known = _split(staged, ctx.categories(column)[:-1].tolist(), separator) if coded else None
    for chunk in ctx.chunks([column]):
        rows = np.flatnonzero(chunk.valid(column))
        sizes, items = known or _split(staged, chunk[column][rows].tolist(), separator)
        if coded:
            codes = chunk.codes(column)[rows].astype(np.intp)
            starts = np.cumsum(sizes) - sizes
            sizes, items = sizes[codes], items[places_of_runs(starts[codes], sizes[codes])[0]]
        staged.add(rows + chunk.rows.start, np.repeat(np.arange(rows.size), sizes), items)
    return staged


def from_wide(ctx: Context, columns: Sequence[str]) -> Staged:
    """Each row is a basket: the values of its text columns, and the names of its columns that are true."""
    staged = Staged(ctx)
    for chunk in ctx.chunks(list(columns)):
        rows, items = [], []
        for name in columns:
            found, held = _of_column(staged, chunk, name)
            rows.append(found)
            items.append(held)
        staged.add(
            np.arange(chunk.rows.start, chunk.rows.stop), np.concatenate(rows), np.concatenate(items).astype(np.int64)
        )
    return staged


def from_pairs(ctx: Context, basket: str, item: str) -> Staged:
    """Rows of one value of ``basket``, wherever they stand, are a basket, and their values of ``item`` its things.

    Raises
    ------
    Skip
        When the folder of the plugin can't hold the pairs.
    """
    need, held = ctx.rows * _RECORD.itemsize, ctx.budget.disk
    if held is not None and need > held and ctx.scratch is not None:
        raise Skip(
            f"{ctx.rows:,} rows of baskets need {need:,} bytes to be sorted, and the policy allows {held:,}",
            f"set disk to {need} for analysis_association_rules in the policy",
        )
    parts = -(-ctx.rows // _PARTITION_ROWS)
    shelf, staged = Shelf(ctx), Staged(ctx)
    for chunk in ctx.chunks([basket, item]):
        places = np.flatnonzero(chunk.valid(basket))
        record = np.empty(places.size, _RECORD)
        # Two independent hashes of 64 bits stand for the value: that two values agree in both has a chance of 2**-128.
        record["first"], record["second"] = (hash_rows(chunk, [basket], seed)[places] for seed in (0, 1))
        record["row"] = places + chunk.rows.start
        rows, things = _of_column(staged, chunk, item)
        held_items = np.full(len(chunk), -1, np.int32)
        held_items[rows] = things
        record["item"] = held_items[places]
        part_of = record["first"] % np.uint64(parts)
        for part in range(parts):
            shelf.append(f"pairs-{part}", record[part_of == part])
    for part in range(parts):
        _group(staged, shelf.take(f"pairs-{part}", _RECORD, last=True))
    return staged


def _group(staged: Staged, record: npt.NDArray[Any]) -> None:
    """Put the pairs of each basket together; baskets in the order of their first rows."""
    if not record.size:
        return
    record = record[np.lexsort((record["row"], record["second"], record["first"]))]
    new = np.r_[True, (record["first"][1:] != record["first"][:-1]) | (record["second"][1:] != record["second"][:-1])]
    first_rows = record["row"][new]
    order = np.argsort(first_rows, kind="stable")
    place = np.empty(order.size, np.intp)
    place[order] = np.arange(order.size)
    baskets = place[np.cumsum(new) - 1]
    there = record["item"] >= 0
    staged.add(first_rows[order], baskets[there], record["item"][there])


def _of_column(staged: Staged, chunk: Chunk, name: str) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int32]]:
    """Rows of a chunk that have a thing in a column, and its number."""
    spec, valid = chunk.spec(name), chunk.valid(name)
    rows = np.flatnonzero(valid)
    if spec.kind == "bool":
        rows = np.flatnonzero(valid & chunk[name])
        number = staged.numbers([name])[0] if rows.size else 0
        return rows, np.full(rows.size, number, np.int32)
    if spec.encoding == "coded":
        used, codes = np.unique(chunk.codes(name)[rows], return_inverse=True)
        return rows, staged.numbers([str(v) for v in chunk.categories(name)[used]])[codes]
    values, codes = np.unique(chunk[name][rows], return_inverse=True)
    return rows, staged.numbers([str(v) for v in values.tolist()])[codes]


def _split(staged: Staged, values: Sequence[str], separator: str) -> tuple[Ints, npt.NDArray[np.int32]]:
    """How many things each text lists, and their numbers one after another."""
    parts = [[thing for raw in str(value).split(separator) if (thing := raw.strip())] for value in values]
    flat = [thing for part in parts for thing in part]
    return np.array([len(part) for part in parts], np.int64), staged.numbers(flat)
