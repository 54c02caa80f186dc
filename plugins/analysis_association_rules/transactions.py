"""What a transaction is: a row of a table of categories, or a basket of things."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from toolkit.plugin import BLOCKS, Context, keep_groups
from toolkit.kernels.blocks import block_pieces

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
        self.sizes = np.diff([i * ctx.rows // BLOCKS for i in range(BLOCKS + 1)])
        counts = [np.asarray(ctx.kernel("counts", name)["counts"], np.int64) for name in columns]
        widths = [c.size for c in counts]
        held: list[Item] = []
        for name, width in zip(columns, widths, strict=True):
            coded = ctx.schema[name].encoding == "coded"
            values = ctx.categories(name)[:width] if coded else ("false", "true")
            held += [Item(name, str(value)) for value in values]
        flat = np.concatenate(counts)
        groups = keep_groups(flat, ctx.budget.max_groups, [f"{item.column} = {item.value}" for item in held])
        if groups.omission is not None:
            ctx.omit({**groups.omission, "rule": "the most frequent items (column and value), ties in table order"})
        self.items = [held[i] for i in groups.codes.tolist()]
        ranks = np.full(flat.size, -1, np.int64)
        ranks[groups.codes] = np.arange(len(self.items))
        parts = np.split(ranks, np.cumsum(widths)[:-1])
        self._ranks = [np.append(part, -1) for part in parts]  # code -1 finds the last

    def together(self, first: int, second: int) -> bool:
        """A row has one value of a column."""
        return self.items[first].column != self.items[second].column

    def batches(self) -> Iterator[Batch]:
        """Read the rows once."""
        step = batch_rows(len(self.items))
        for chunk in self._ctx.chunks(self._columns):
            blocks = np.empty(len(chunk), np.int64)
            for block, lo, hi in block_pieces(chunk.rows.start, chunk.rows.stop, self._ctx.rows):
                blocks[lo:hi] = block
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
    ctx : Context
        For its budget.
    staged : Staged
        The baskets.
    """

    def __init__(self, ctx: Context, staged: Staged) -> None:
        self._staged = staged
        self.total, self.sizes = int(staged.sizes.sum()), staged.sizes
        # By name, as the order in which things were met depends on nothing but the rows, and ties must not on it.
        order = sorted(range(len(staged.names)), key=lambda i: staged.names[i])
        counts = np.array(staged.counts, np.int64)[order] if order else np.zeros(0, np.int64)
        names = [staged.names[i] for i in order]
        groups = keep_groups(counts, ctx.budget.max_groups, names)
        if groups.omission is not None:
            ctx.omit({**groups.omission, "rule": "the most frequent items, ties by name"})
        self.items = [Item("", names[i]) for i in groups.codes.tolist()]
        self._ranks: npt.NDArray[np.int64] = np.full(len(order) + 1, -1, np.int64)
        for rank, place in enumerate(groups.codes.tolist()):
            self._ranks[order[place]] = rank

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
