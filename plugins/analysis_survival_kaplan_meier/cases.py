"""Cases of an event log: from a case's first row to its first row of the target activity, or to its last row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from toolkit.plugin import BLOCKS, Chunk, Context, hash_rows
from toolkit.plugin.kept_levels import Coder

from .source import TARGET_WORDS, Source, best_by_name
from .spells import Batch, seconds

Ints = npt.NDArray[np.int64]

AT_ONCE = 1 << 20
"""Cases that are held in memory; of more, further readings of the table see to the rest."""

_NEVER = np.iinfo(np.int64).max
_SPREAD = np.uint64(0x9E3779B97F4A7C15)


class Cases:
    """Batches of the cases of an event log, whose rows may stand anywhere in the table.

    Parameters
    ----------
    ctx : Context
        The table.
    source : Source
        Of kind ``events``.
    groups : sequence of str
        Columns of groups; a case is in the first of the levels that its rows have.
    distinct : int
        About how many cases there are.

    Attributes
    ----------
    target : str
        The activity that is waited for.
    varying : dict of str to int
        Cases whose rows have several levels, by column of groups; known when all batches were read.
    """

    def __init__(self, ctx: Context, source: Source, groups: Sequence[str], distinct: int) -> None:
        self._ctx, self._columns = ctx, dict(source.columns)
        self._coders = {name: Coder(ctx.schema[name], ctx.kernel("levels", name)) for name in groups}
        self._shares = max(1, -(-distinct // AT_ONCE))
        self._kept: list[Batch] = []
        self._names = [str(name) for name in ctx.categories(self._columns["activity"])[:-1].tolist()]
        self.varying: dict[str, int] = {}
        self.target = source.happened or best_by_name(self._names, TARGET_WORDS) or self._commonest_end()

    def __iter__(self) -> Iterator[Batch]:
        if self._kept:
            yield from self._kept
            return
        self.varying = dict.fromkeys(self._coders, 0)
        for share in range(self._shares):
            batch = self._batch(share)
            if self._shares == 1:
                self._kept = [batch]
            yield batch

    def _batch(self, share: int) -> Batch:
        table = _Table(len(self._coders))
        target = self._names.index(self.target)
        lost = 0
        for chunk in self._ctx.chunks([*self._columns.values(), *self._coders]):
            rows, missing = self._rows(chunk, share)
            lost += missing
            cases, times = self._case(chunk)[rows], self._of(chunk, "time")[rows]
            reached = np.where(chunk.codes(self._columns["activity"])[rows] == target, times, _NEVER)
            codes = [coder.codes(chunk)[rows] for coder in self._coders.values()]
            table.add(cases, times, reached, rows + chunk.rows.start, codes)
        happened = table.reached < _NEVER
        length = np.where(happened, table.reached, table.last) - table.first
        for name, low, high in zip(self._coders, table.lowest, table.highest, strict=True):
            self.varying[name] += int(np.count_nonzero(low != high))
        return Batch(
            seconds(length, self._ctx.schema[self._columns["time"]].unit),
            happened,
            {name: low.astype(np.int64) for name, low in zip(self._coders, table.lowest, strict=True)},
            ((table.row + 1) * BLOCKS - 1) // self._ctx.rows,  # as in `toolkit.plugin.block_of_rows`
            {"without a case or a time": lost if share == 0 else 0},
        )

    def _rows(self, chunk: Chunk, share: int) -> tuple[Ints, int]:
        """Rows of a share of the cases, and how many rows have no case or no time."""
        present = chunk.valid(self._columns["case"]) & chunk.valid(self._columns["time"])
        if self._ctx.schema[self._columns["case"]].encoding == "coded":
            present = present & (chunk.codes(self._columns["case"]) >= 0)
        missing = int(present.size - np.count_nonzero(present))
        if self._shares > 1:
            with np.errstate(over="ignore"):
                mixed = (self._case(chunk).view(np.uint64) * _SPREAD) >> np.uint64(40)
            present = present & (mixed % np.uint64(self._shares) == share)
        return np.flatnonzero(present), missing

    def _case(self, chunk: Chunk) -> Ints:
        """A number for each row's case; of long text its hash, which tells n cases apart but for n * n / 2**65."""
        name = self._columns["case"]
        if self._ctx.schema[name].encoding == "long":
            return hash_rows(chunk, [name]).view(np.int64)
        return self._of(chunk, "case")

    def _of(self, chunk: Chunk, use: str) -> Ints:
        return chunk.raw(self._columns[use]).astype(np.int64)

    def _commonest_end(self) -> str:
        """The activity that most cases end with, of equals the first by name."""
        counts = np.zeros(len(self._names) + 1, np.int64)
        for share in range(self._shares):
            cases = last = code = np.zeros(0, np.int64)
            for chunk in self._ctx.chunks(list(self._columns.values())):
                rows, _ = self._rows(chunk, share)
                cases = np.concatenate([cases, self._case(chunk)[rows]])
                last = np.concatenate([last, self._of(chunk, "time")[rows]])
                code = np.concatenate([code, chunk.codes(self._columns["activity"])[rows].astype(np.int64)])
                order = np.lexsort((last, cases))  # stable: of equal times the later row is last
                ends = np.append(np.diff(cases[order]) != 0, True)[: order.size]
                cases, last, code = (array[order][ends] for array in (cases, last, code))
            counts += np.bincount(code + 1, minlength=counts.size)  # a missing activity has code -1
        return self._names[int(np.argmax(counts[1:]))]


class _Table:
    """What is kept of each case, sorted by case; memory follows the number of cases, not of rows."""

    def __init__(self, columns: int) -> None:
        self.cases = self.first = self.last = self.reached = self.row = np.zeros(0, np.int64)
        self.lowest = [np.zeros(0, np.uint16) for _ in range(columns)]
        self.highest = [np.zeros(0, np.uint16) for _ in range(columns)]

    def add(self, cases: Ints, times: Ints, reached: Ints, rows: Ints, codes: Sequence[npt.NDArray[np.uint16]]) -> None:
        """Take in the rows of a chunk."""
        if not cases.size:
            return
        order = np.argsort(cases, kind="stable")
        starts = np.flatnonzero(np.append(True, np.diff(cases[order]) != 0))
        own = cases[order][starts]
        merged = np.union1d(self.cases, own)
        old, new = np.searchsorted(merged, self.cases), np.searchsorted(merged, own)

        def joined(held: npt.NDArray[np.int64], values: Ints, low: bool) -> Ints:
            reduce = np.minimum if low else np.maximum
            out = np.full(merged.size, _NEVER if low else -_NEVER, np.int64)
            out[old] = held
            out[new] = reduce(out[new], reduce.reduceat(values[order], starts))
            return out

        self.first, self.last = joined(self.first, times, True), joined(self.last, times, False)
        self.reached, self.row = joined(self.reached, reached, True), joined(self.row, rows, True)
        for i, code in enumerate(codes):
            wide = code.astype(np.int64)
            self.lowest[i] = joined(self.lowest[i].astype(np.int64), wide, True).astype(np.uint16)
            self.highest[i] = joined(self.highest[i].astype(np.int64), wide, False).astype(np.uint16)
        self.cases = merged
