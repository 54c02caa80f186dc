"""Which topic each text is of most, by block of rows and by category."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin import BLOCKS, Context, block_of_rows
from toolkit.plugin.marked_rows import count_levels

from .corpus import Corpus
from .lda import Model, proportions

_TYPICAL = 3
_NONE = -1


@dataclass(slots=True)
class Topics:
    """Texts by topic.

    Attributes
    ----------
    of_place : ndarray of int16
        The topic of each row, or of each code; -1 where there is none.
    coded : bool
        Whether places are codes.
    blocks : ndarray of int64, shape (topics, 64)
        Rows of each topic by block.
    tables : dict
        For topic and category, int64 of shape (2, 64, levels + 1): rows of the topic, and of others.
    typical : list of list of int
        Rows whose text is the most of each topic.
    """

    of_place: npt.NDArray[np.int16]
    coded: bool
    blocks: npt.NDArray[np.int64]
    tables: dict[tuple[int, str], Any] = field(default_factory=dict)
    typical: list[list[int]] = field(default_factory=list)

    @property
    def texts(self) -> npt.NDArray[np.int64]:
        """Rows that have any topic, by block."""
        return np.asarray(self.blocks.sum(axis=0))


def assign(ctx: Context, corpus: Corpus, model: Model, coded: bool) -> Topics:
    """The topic of each text, and the most typical texts of each topic, in one reading of the corpus."""
    topics = len(model.topics)
    size = ctx.schema[corpus.column].categories if coded else ctx.rows
    out = Topics(np.full(size, _NONE, np.int16), coded, np.zeros((topics, BLOCKS), np.int64))
    best: list[list[tuple[float, int]]] = [[] for _ in range(topics)]
    for piece in corpus:
        shares = np.round(proportions(corpus, piece, model), 9)
        out.of_place[piece.places] = np.argmax(shares, axis=1)
        told = np.round(shares * np.add.reduceat(piece.counts, piece.starts)[:, None] * shares, 9)
        for k in range(topics):
            order = np.lexsort((piece.places, -told[:, k]))[:_TYPICAL]
            best[k] += zip((-told[order, k]).tolist(), piece.places[order].tolist(), strict=True)
            best[k] = sorted(best[k])[:_TYPICAL]
    out.typical = [[place for _, place in found] for found in best]
    return out


def count(ctx: Context, column: str, topics: Topics, pairs: Sequence[tuple[int, str]]) -> None:
    """Count topics by block and category, in one reading of the table."""
    for topic, category in pairs:
        width = ctx.kernel("block_codes", category)["levels"]["levels"] + 1
        topics.tables[topic, category] = np.zeros((2, BLOCKS, width), np.int64)
    first: dict[int, int] = {}
    for chunk in ctx.chunks(list(dict.fromkeys([column, *(c for _, c in pairs)]))):
        if topics.coded:
            codes = chunk.codes(column).astype(np.intp)
            own = np.append(topics.of_place, _NONE)[codes]
            for code, row in zip(*np.unique(codes, return_index=True), strict=True):
                first.setdefault(int(code), int(row) + chunk.rows.start)
        else:
            own = topics.of_place[chunk.rows]
        rows = np.flatnonzero(own >= 0)
        own = own[rows].astype(np.int64)
        blocks = block_of_rows(chunk.rows.start, chunk.rows.stop, ctx.rows)[rows]
        topics.blocks += np.bincount(own * BLOCKS + blocks, minlength=topics.blocks.size).reshape(topics.blocks.shape)
        for topic, category in pairs:
            levels = ctx.kernel("block_codes", category)["levels"]
            for side, chosen in enumerate((rows[own == topic], rows[own != topic])):
                topics.tables[topic, category][side] += count_levels(ctx, chunk, category, levels, chosen)
    if topics.coded:
        topics.typical = [sorted(first[code] for code in found) for found in topics.typical]
