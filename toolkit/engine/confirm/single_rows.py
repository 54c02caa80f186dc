"""Claims about rows that are named one by one: what stands in them, and which are equal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.engine.confirm.claims import Claim, UncheckableError
from toolkit.storage.dataset import Dataset


def recompute_rows(claim: Claim, dataset: Dataset) -> Any:
    """The value in a row, or how many of the rows that are said to be equal are so.

    Raises
    ------
    UncheckableError
        When there is no such row.
    """
    if claim.calculation == "value":
        assert claim.rows is not None
        (only,) = _rows(dataset, [claim.rows[0][0]], claim.columns).values()
        return only[0]
    if claim.repeats is not None:
        ranges = zip(claim.rows or [], claim.repeats, strict=False)
        return sum(_equal_rows(dataset, these, those, claim.columns) for these, those in ranges)
    found = _rows(dataset, [row for pair in claim.pairs for row in pair], claim.columns)
    return sum(found[a] == found[b] for a, b in claim.pairs)


def _equal_rows(dataset: Dataset, rows: Sequence[int], repeats: Sequence[int], columns: Sequence[str]) -> int:
    """How many rows of a range are equal to those of another in some columns; a missing value is equal to another."""
    if not all(0 <= first <= last < dataset.rows for first, last in (rows, repeats)):
        raise UncheckableError("a range lies beyond the table")
    if rows[1] - rows[0] != repeats[1] - repeats[0]:
        return 0
    equal = np.ones(rows[1] - rows[0] + 1, bool)
    for name in columns:
        (a, a_absent), (b, b_absent) = (_range(dataset, name, *span) for span in (rows, repeats))
        equal &= (a_absent & b_absent) | ((a == b) & ~a_absent & ~b_absent)
    return int(equal.sum())


def _range(dataset: Dataset, name: str, first: int, last: int) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """Values of a range of rows, and which of them are missing or NaN."""
    series = dataset.to_pandas([name], slice(first, last + 1))[name]
    return series.astype(object).to_numpy(), series.isna().to_numpy()


def _rows(dataset: Dataset, rows: Sequence[int], columns: Sequence[str]) -> dict[int, list[Any]]:
    """The values of some rows by row, None where one is missing; each chunk is read once."""
    by_chunk: dict[int, list[int]] = {}
    for row in sorted(set(rows)):
        if not 0 <= row < dataset.rows:
            raise UncheckableError(f"there is no row {row:,}")
        by_chunk.setdefault(dataset.grid.chunk_of(row), []).append(row)
    out: dict[int, list[Any]] = {}
    for index, inside in by_chunk.items():
        chunk = dataset.chunk(index, columns)
        at = np.array(inside) - chunk.rows.start
        by_column = [
            [v if there else None for v, there in zip(list(chunk[name][at]), chunk.valid(name)[at], strict=True)]
            for name in columns
        ]
        for row, *values in zip(inside, *by_column, strict=True):
            out[row] = [_plain(value) for value in values]
    return out


def _plain(value: Any) -> Any:
    """A Python value; None for NaN."""
    if isinstance(value, np.generic) and value.dtype.kind not in "mM":
        value = value.item()
    return None if isinstance(value, float) and math.isnan(value) else value
