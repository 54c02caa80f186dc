"""Texts of a column in an order and in pieces that do not depend on its chunks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toolkit.plugin import Context

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Texts:
    """Some texts: rows of long text, or categories of coded text.

    Attributes
    ----------
    texts : list of str
        Present ones.
    weights : list of int
        In how many rows each is.
    places : ndarray of int64
        Rows, or codes.
    """

    texts: list[str]
    weights: list[int]
    places: Ints


def texts_of(ctx: Context, column: str, counts: Ints | None) -> Iterator[Texts]:
    """All texts of a column: each row's, or each category once with the number of its rows.

    Parameters
    ----------
    ctx : Context
        The table.
    column : str
        The column.
    counts : ndarray of int64, shape (categories,), or None
        Rows by code for coded text.
    """
    if counts is not None:
        categories = ctx.categories(column)
        used = np.flatnonzero(counts)
        yield Texts([str(categories[i]) for i in used.tolist()], counts[used].tolist(), used.astype(np.int64))
        return
    for chunk in ctx.chunks([column]):
        rows = np.flatnonzero(chunk.valid(column))
        yield Texts(chunk[column][rows].tolist(), [1] * rows.size, (rows + chunk.rows.start).astype(np.int64))


def code_counts(ctx: Context, column: str) -> Ints | None:
    """Rows by code of a coded column, in a reading of its own; None for long text."""
    if ctx.schema[column].encoding != "coded":
        return None
    counts = np.zeros(ctx.schema[column].categories + 1, np.int64)
    for chunk in ctx.chunks([column]):
        counts += np.bincount(chunk.codes(column).astype(np.intp) + 1, minlength=counts.size)
    return counts[1:]
