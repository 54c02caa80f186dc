"""What a transaction is: a row of a table of categories, or a basket of things."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from toolkit.plugin import Context, block_bounds, block_of_rows, keep_groups

from .bits import Batch, Ints, batch_rows, pack
from .staging import Staged


@dataclass(frozen=True, slots=True)
class Item:
    """What a transaction has or has not.

    Attributes
    ----------
    column : str
        The column that has the value; empty for things in a basket.
    value : str
        The value, or the thing.
    """

    column: str
    value: str


class Transactions(Protocol):
    """All transactions of a table.

    Attributes
    ----------
    items : list of Item
        Those that are looked at, the most frequent first.
    total : int
        Transactions.
    sizes : ndarray of int64, shape (64,)
        Transactions by block.
    """

    items: list[Item]
    total: int
    sizes: Ints

    def keep(self, ctx: Context, least: int) -> None:
        """Choose the items: those in so many transactions, at most as many as the budget's ``max_groups``."""

    def batches(self) -> Iterator[Batch]:
        """All transactions as bits, in one reading."""

    def together(self, first: int, second: int) -> bool:
        """Whether a transaction can have both."""


class Rows:
    """Rows as transactions; their items are column and value.

    Parameters
    ----------
    ctx : Context
        The table; the kernel ``counts`` was asked for.
    columns : sequence of str
        Categorical columns.
    """

    def __init__(self, ctx: Context, columns: Sequence[str]) -> None:
        self._ctx, self._columns = ctx, list(columns)
        self.total = ctx.rows
        self.sizes = np.diff(block_bounds(ctx.rows))
        self.items: list[Item] = []
        self._ranks: list[Ints] = []

    def keep(self, ctx: Context, least: int) -> None:
        """Choose the items by the exact counts of the kernel."""
        counts = [np.asarray(ctx.kernel("counts", name)["counts"], np.int64) for name in self._columns]
        held: list[Item] = []
        for name, rows in zip(self._columns, counts, strict=True):
            coded = ctx.schema[name].encoding == "coded"
            values = ctx.categories(name)[: rows.size] if coded else ("false", "true")
            held += [Item(name, str(value)) for value in values]
        kept = _most_frequent(ctx, np.concatenate(counts), [f"{i.column} = {i.value}" for i in held], least)
        self.items = [held[i] for i in kept.tolist()]
        ranks = np.full(len(held), -1, np.int64)
        ranks[kept] = np.arange(kept.size)
        parts = np.split(ranks, np.cumsum([rows.size for rows in counts])[:-1])
        self._ranks = [np.append(part, -1) for part in parts]  # code -1 finds the last

    def together(self, first: int, second: int) -> bool:
        """A row has one value of a column."""
        return self.items[first].column != self.items[second].column

    def batches(self) -> Iterator[Batch]:
        """Read the rows once."""
        step = batch_rows(len(self.items))
        for chunk in self._ctx.chunks(self._columns):
            blocks = block_of_rows(chunk.rows.start, chunk.rows.stop, self._ctx.rows)
            codes = []
            for name, ranks in zip(self._columns, self._ranks, strict=True):
                if chunk.spec(name).encoding == "coded":
                    codes.append(ranks[chunk.codes(name)])
                else:
                    codes.append(np.where(chunk.valid(name), ranks[chunk[name].astype(np.intp)], -1))
            for at in range(0, len(chunk), step):
                rows = np.arange(min(step, len(chunk) - at))
                yield pack(blocks[at : at + step], [(rows, c[at : at + step]) for c in codes], len(self.items))


class Baskets:
    """Baskets as transactions, from where they were staged.

    Parameters
    ----------
    staged : Staged
        The baskets.
    """

    def __init__(self, staged: Staged) -> None:
        self._staged = staged
        self.total, self.sizes = int(staged.sizes.sum()), staged.sizes
        self.items: list[Item] = []
        self._ranks: Ints = np.zeros(0, np.int64)

    def keep(self, ctx: Context, least: int) -> None:
        """Choose the things by the counts of the staging."""
        names = self._staged.names
        # By name: things are numbered as they were met, which must not decide about ties.
        order = sorted(range(len(names)), key=names.__getitem__)
        counts = np.array([self._staged.counts[i] for i in order], np.int64)
        kept = _most_frequent(ctx, counts, [names[i] for i in order], least).tolist()
        self.items = [Item("", names[order[i]]) for i in kept]
        self._ranks = np.full(len(names), -1, np.int64)
        self._ranks[[order[i] for i in kept]] = np.arange(len(kept))

    def together(self, first: int, second: int) -> bool:
        """A basket can have any two things."""
        return first != second

    def batches(self) -> Iterator[Batch]:
        """Read what was staged once."""
        step = batch_rows(len(self.items))
        for sizes, items, blocks in self._staged.parts():
            ends = np.cumsum(sizes)
            for at in range(0, sizes.size, step):
                part = sizes[at : at + step]
                first = int(ends[at] - sizes[at])
                rows = np.repeat(np.arange(part.size), part)
                held = self._ranks[items[first : first + int(part.sum())]]
                yield pack(blocks[at : at + step].astype(np.int64), [(rows, held)], len(self.items))


def _most_frequent(ctx: Context, counts: Ints, names: Sequence[str], least: int) -> Ints:
    """Which items are in enough transactions, the most frequent first, as many as the budget allows."""
    groups = keep_groups(np.where(counts >= least, counts, 0), ctx.budget.max_groups, names)
    if groups.omission is not None:
        ctx.omit({**groups.omission, "rule": "the most frequent items, ties in order of column and value"})
    return groups.codes
