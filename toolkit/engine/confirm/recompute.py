"""Claims calculated anew from rows, without any code of the plugin that made them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.core.chunk import Chunk
from toolkit.engine.confirm.claims import Claim, UncheckableError
from toolkit.engine.confirm.single_rows import recompute_rows
from toolkit.storage.dataset import Dataset

RELATIVE = 1e-9
"""Findings have 10 significant digits; a number that differs by less is the same."""

Mask = npt.NDArray[np.bool_]

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "above": np.greater,
    "below": np.less,
    "at least": np.greater_equal,
    "at most": np.less_equal,
}


@dataclass(slots=True)
class _Sums:
    """What is summed up over chunks: exact sums of doubles, as the order of chunks must not matter."""

    count: int = 0
    first: int | None = None
    last: int | None = None
    least: Any = None
    largest: Any = None
    origin: list[float] = field(default_factory=list)
    parts: list[list[float]] = field(default_factory=list)


def named_chunks(evidence: Mapping[str, Any], dataset: Dataset) -> list[int]:
    """The chunks that evidence names; all of the table's where it names none, or not all that it speaks of."""
    chunks = evidence.get("chunks") or []
    complete = len(chunks) == evidence.get("chunks_with_it", len(chunks))
    known = all(isinstance(c, int) and 0 <= c < dataset.grid.n_chunks for c in chunks)
    return sorted(set(chunks)) if chunks and complete and known else list(range(dataset.grid.n_chunks))


def recompute(claim: Claim, dataset: Dataset, chunks: Sequence[int]) -> Any:
    """Calculate what a claim says.

    Parameters
    ----------
    claim : Claim
        Of the finding.
    dataset : Dataset
        The table; every chunk that is read is held against its digest.
    chunks : sequence of int
        Chunks that the evidence names.

    Raises
    ------
    UncheckableError
        When a column has a kind that claims don't compare, or there is no such column.
    """
    absent = [name for name in claim.reads if name not in dataset.schema.names]
    if absent:
        raise UncheckableError(f"there is no column {absent[0]!r}")
    if claim.calculation in ("equal_rows", "value"):
        return recompute_rows(claim, dataset)
    sums = _Sums()
    wanted = range(dataset.grid.n_chunks) if claim.everywhere else chunks
    for chunk, mask in _masked(claim, dataset, wanted):
        _add(sums, claim, chunk, mask)
    return _answer(claim.calculation, sums)


def agree(said: Any, found: Any) -> bool:
    """Whether two values are the same to the digits that findings have.

    Examples
    --------
    >>> agree(0.3333333333, 1 / 3), agree(3, 4), agree("a", "a")
    (True, False, True)
    """
    if isinstance(said, list):
        return isinstance(found, int) and found == len(said)
    if isinstance(said, bool) or isinstance(found, bool) or isinstance(said, str) or isinstance(found, str):
        return bool(said == found)
    if said is None or found is None:
        return said is found
    if isinstance(said, int) and isinstance(found, int):
        return said == found
    return math.isclose(said, found, rel_tol=RELATIVE, abs_tol=1e-12)


def _masked(claim: Claim, dataset: Dataset, chunks: Sequence[int]) -> Iterator[tuple[Chunk, Mask]]:
    for index in chunks:
        start, stop = dataset.grid.bounds(index)
        mask = np.ones(stop - start, bool)
        if claim.rows is not None:
            mask[:] = False
            for first, last in claim.rows:
                mask[max(first, start) - start : max(min(last + 1, stop), start) - start] = True
        if not mask.any():
            continue  # of such a chunk nothing is read
        chunk = dataset.chunk(index, claim.reads)
        for condition in claim.where:
            mask &= _meets(chunk, *condition)
        yield chunk, mask


def _meets(chunk: Chunk, column: str, operator: str, value: Any = None) -> Mask:
    """Rows of a chunk that meet a condition."""
    valid = chunk.valid(column)
    if operator == "is missing":
        return ~valid
    spec = chunk.spec(column)
    if operator == "is" and isinstance(value, str) and spec.kind == "string":
        return _is_text(chunk, column, value) & valid
    values = chunk[column]
    if values.dtype.kind == "f":
        valid = valid & ~np.isnan(values)
    if operator == "is present":
        return valid
    if isinstance(value, str) and values.dtype.kind == "M":
        value = np.datetime64(value.removesuffix("Z"))
        if operator == "is" and value.dtype == np.dtype("datetime64[D]"):
            values = values.astype("datetime64[D]")  # where evidence names a day, it means all of it
    if isinstance(value, str) != (values.dtype.kind == "O") or spec.kind in ("decimal", "binary", "duration", "time"):
        raise UncheckableError(f"claims don't compare {column!r}, which is {spec.kind}, with {value!r}")
    if operator != "is":
        return valid & _COMPARE[operator](values, value)
    if values.dtype.kind == "f":
        return valid & np.isclose(values, value, rtol=RELATIVE, atol=0.0)
    return valid & np.asarray(values == value, bool)


def _is_text(chunk: Chunk, column: str, value: str) -> Mask:
    if chunk.spec(column).encoding != "coded":
        if value.endswith("…"):
            raise UncheckableError(f"the text of {column!r} is cut")
        return np.asarray(chunk[column] == value, bool)
    at = np.flatnonzero(chunk.categories(column)[:-1] == value)
    if not at.size:  # a group of several values, or a text that is cut
        raise UncheckableError(f"{column!r} has no value {value!r}")
    return np.asarray(chunk.codes(column) == at[0])


def _add(sums: _Sums, claim: Claim, chunk: Chunk, mask: Mask) -> None:
    for column in claim.columns:
        mask = mask & _meets(chunk, column, "is present")
    rows = np.flatnonzero(mask)
    if not rows.size:
        return
    sums.count += rows.size
    sums.first = chunk.rows.start + int(rows[0]) if sums.first is None else sums.first
    sums.last = chunk.rows.start + int(rows[-1])
    if not claim.columns:
        return
    values = [chunk[name][rows] for name in claim.columns]
    if any(v.dtype.kind not in "iufb" for v in values):
        raise UncheckableError(f"claims calculate with numbers, and {claim.columns[0]!r} has none")
    x = values[0]
    sums.least = x.min().item() if sums.least is None else min(sums.least, x.min().item())
    sums.largest = x.max().item() if sums.largest is None else max(sums.largest, x.max().item())
    doubles = [v.astype(np.float64) for v in values]
    finite = np.logical_and.reduce([np.isfinite(v) for v in doubles])
    if not finite.any():
        return
    # Taken from a place near the mean, so that no digits are lost where the mean is large beside the spread.
    sums.origin = sums.origin or [float(v[finite].mean()) for v in doubles]
    shifted = [v[finite] - origin for v, origin in zip(doubles, sums.origin, strict=True)]
    sums.parts.append([int(finite.sum()), *(math.fsum(p) for p in _products(shifted))])


def _products(values: Sequence[npt.NDArray[np.float64]]) -> list[npt.NDArray[np.float64]]:
    if len(values) == 1:
        return [values[0]]
    x, y = values
    return [x, y, x * x, y * y, x * y]


def _answer(calculation: str, sums: _Sums) -> Any:
    if calculation == "count":
        return sums.count
    if calculation in ("first_row", "last_row"):
        return sums.first if calculation == "first_row" else sums.last
    if calculation in ("min", "max"):
        return sums.least if calculation == "min" else sums.largest
    totals = [math.fsum(column) for column in zip(*sums.parts, strict=True)]
    if not totals or not totals[0]:
        return None
    n = totals[0]
    if calculation == "mean":
        return sums.origin[0] + totals[1] / n
    _, x, y, xx, yy, xy = totals
    spread = (xx - x * x / n) * (yy - y * y / n)
    return (xy - x * y / n) / math.sqrt(spread) if spread > 0 else None
