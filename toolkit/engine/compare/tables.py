"""A column of two stores as tables of counts over the same levels, by blocks of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from toolkit.core.chunk import Chunk
from toolkit.core.schema import ColumnSpec
from toolkit.engine.compare.states import States
from toolkit.kernels.base import KernelRequest
from toolkit.kernels.blocks import BLOCKS, PIECE, block_pieces
from toolkit.kernels.cut_search import CutSearch
from toolkit.kernels.levels import FINEST, Levels, ranked

CATEGORIES = 64
"""Levels of a categorical column at most, the others together among them; as the drift along a table has them."""

Counts = npt.NDArray[np.int64]
Answers = Sequence[Sequence[Mapping[str, Any]]]
"""Of either store, those to `requests_for` in their order."""

_FLAGS = ("false", "true")


@dataclass(frozen=True, slots=True)
class Side:
    """What is known of a column of one store.

    Attributes
    ----------
    table : ndarray of int64, shape (64, levels)
        Counts by block of rows and level; without missing values.
    missing : ndarray of int64, shape (64,)
        Missing values and NaN in each block.
    rows : ndarray of int64, shape (64,)
        Rows in each block.
    labels : dict of str to int
        How often each category occurs; empty for numbers.
    summary : dict
        ``min``, ``max``, ``lower_quartile``, ``median``, ``upper_quartile`` of numbers and times, as stored.
    """

    table: Counts
    missing: Counts
    rows: Counts
    labels: Mapping[str, int] = field(default_factory=dict)
    summary: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pair:
    """A column of both stores.

    Attributes
    ----------
    name : str
        The column.
    form : str
        ``numbers``, ``categories``, or ``texts``, of which nothing but missing values is compared.
    levels : list or None
        Categories, ascending, None for all others together; values of numbers where each level is one, else None.
    first, second : Side
        The stores.
    """

    name: str
    form: Literal["numbers", "categories", "texts"]
    levels: list[Any] | None
    first: Side
    second: Side


def requests_for(spec: ColumnSpec) -> list[KernelRequest]:
    """The states that a comparison of a column begins with; those of the plugins that watch for drift along a table."""
    if not Levels.accepts(spec):
        return []
    levels = FINEST if _is_numbers(spec) else CATEGORIES
    found = [KernelRequest("block_codes", (spec.name,), {"levels": levels})]
    if spec.kind == "bool":
        return found
    return [*found, ranked(spec.name) if _is_numbers(spec) else KernelRequest("counts", (spec.name,), {})]


def pair_of(name: str, first: States, second: States, known: Sequence[Mapping[str, Mapping[str, Any]]]) -> Pair:
    """The tables of a column over common levels.

    Parameters
    ----------
    name : str
        A column that both have, of one kind.
    first, second : States
        The stores; where levels have to be brought in line, the column is read once more.
    known : sequence of two mappings
        Answers to `requests_for` of either store, by the key of the request.
    """
    states = (first, second)
    specs = [s.dataset.schema[name] for s in states]
    if not all(requests_for(spec) for spec in specs):
        empty = np.zeros((BLOCKS, 0), np.int64)
        sides = [Side(empty, _missing(s, name), _rows(s)) for s in states]
        return Pair(name, "texts", None, *sides)
    answers = [[known[i][r.key] for r in requests_for(spec)] for i, spec in enumerate(specs)]
    if specs[0].encoding == "coded":
        return _of_categories(name, states, answers)
    return _of_flags(name, states, answers) if specs[0].kind == "bool" else _of_numbers(name, states, answers)


def _of_categories(name: str, states: Sequence[States], answers: Answers) -> Pair:
    labels = [_labelled(s, name, a[1]["counts"]) for s, a in zip(states, answers, strict=True)]
    levels, tables = _common_categories(name, states, [a[0] for a in answers], labels)
    parts = zip(states, answers, tables, labels, strict=True)
    sides = [Side(table, a[0]["table"][:, -1], _rows(s), held) for s, a, table, held in parts]
    return Pair(name, "categories", levels, *sides)


def _of_flags(name: str, states: Sequence[States], answers: Answers) -> Pair:
    sides = []
    for s, a in zip(states, answers, strict=True):
        table = a[0]["table"][:, :-1]
        held = {word: int(n) for word, n in zip(_FLAGS, table.sum(axis=0), strict=True) if n}
        sides.append(Side(table, a[0]["table"][:, -1], _rows(s), held))
    return Pair(name, "categories", list(_FLAGS), *sides)


def _of_numbers(name: str, states: Sequence[States], answers: Answers) -> Pair:
    levels, tables = _common_ranges(name, states, answers)
    parts = zip(states, answers, tables, strict=True)
    sides = [Side(table, a[0]["table"][:, -1], _rows(s), {}, _summary(a[1])) for s, a, table in parts]
    return Pair(name, "numbers", levels, *sides)


def _is_numbers(spec: ColumnSpec) -> bool:
    return spec.encoding == "plain" and spec.kind != "bool"


def _rows(states: States) -> Counts:
    rows = states.dataset.rows
    return np.diff([i * rows // BLOCKS for i in range(BLOCKS + 1)])


def _summary(ranks: Mapping[str, Any]) -> dict[str, Any]:
    at = dict(zip(ranks["probabilities"], ranks["quantiles"], strict=True)) if ranks["count"] else {}
    quartiles = {"lower_quartile": 0.25, "median": 0.5, "upper_quartile": 0.75}
    return {"min": ranks["min"], "max": ranks["max"], **{what: at.get(p) for what, p in quartiles.items()}}


def _labelled(states: States, name: str, counts: Counts) -> dict[str, int]:
    categories = states.dataset.categories(name)
    return {_text(categories[code]): int(counts[code]) for code in np.flatnonzero(counts).tolist()}


def _text(label: Any) -> str:
    return label.hex() if isinstance(label, bytes) else str(label)


def _common_categories(
    name: str, states: Sequence[States], codes: Sequence[Mapping[str, Any]], labels: Sequence[Mapping[str, int]]
) -> tuple[list[Any], list[Counts]]:
    """The categories that are levels in either store, and a level for all others."""
    own = []
    for s, c in zip(states, codes, strict=True):
        categories = s.dataset.categories(name)
        own.append([_text(categories[code]) for code in c["levels"]["values"] if code >= 0])
    wanted = sorted({*own[0], *own[1]})
    place = {label: i for i, label in enumerate(wanted)}
    tables = []
    for s, c, mine, held in zip(states, codes, own, labels, strict=True):
        if set(wanted) & set(held) <= set(mine):
            table = np.zeros((BLOCKS, len(wanted) + 1), np.int64)
            table[:, [place[label] for label in mine]] = c["table"][:, : len(mine)]
            table[:, -1] = c["table"][:, len(mine) : -1].sum(axis=1)
        else:
            categories = s.dataset.categories(name)
            places = np.array([place.get(_text(label), len(wanted)) for label in categories[:-1]] + [len(wanted) + 1])
            table = _counted(s, name, len(wanted) + 1, _by_map(name, places))
        tables.append(table)
    return [*wanted, None], tables


def _common_ranges(name: str, states: Sequence[States], answers: Answers) -> tuple[list[Any] | None, list[Counts]]:
    """The values of both where they are few; else the ranges of the store that has ranges, the first of two."""
    levels = [a[0]["levels"] for a in answers]
    tables = [a[0]["table"][:, :-1] for a in answers]
    if all(held["values"] is not None for held in levels):
        union = sorted({*levels[0]["values"], *levels[1]["values"]})
        places = [np.searchsorted(union, held["values"]) for held in levels]
        return union, [_moved(t, place, len(union)) for t, place in zip(tables, places, strict=True)]
    by = 0 if levels[0]["values"] is None else 1
    other = 1 - by
    # Beyond the ends of the store whose ranges they are, there are two more ranges for values of the other.
    ends = answers[by][1]
    inner = levels[by]["cuts"]
    cuts = np.concatenate([_below(ends["min"], inner), inner, np.array([ends["max"]], inner.dtype)])
    own = np.pad(tables[by], ((0, 0), (cuts.size - inner.size - 1, 1)))
    if levels[other]["values"] is not None:
        moved = _moved(tables[other], np.searchsorted(cuts, levels[other]["values"]), cuts.size + 1)
    else:
        moved = _counted(states[other], name, cuts.size + 1, _by_cuts(name, cuts))
    return None, [own, moved] if by == 0 else [moved, own]


def _below(value: Any, cuts: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The cut under the smallest value; none where there can be no smaller one."""
    if cuts.dtype.kind == "f":
        with np.errstate(over="ignore"):  # below the smallest double is minus infinity
            lower = np.nextafter(cuts.dtype.type(value), cuts.dtype.type(-np.inf))
        return np.array([lower] if lower < value else [], cuts.dtype)
    return np.array([value - 1] if value > np.iinfo(cuts.dtype).min else [], cuts.dtype)


def _moved(table: Counts, places: npt.NDArray[np.intp], levels: int) -> Counts:
    out = np.zeros((BLOCKS, levels), np.int64)
    for column, place in enumerate(np.asarray(places, np.intp).tolist()):
        out[:, place] += table[:, column]
    return out


def _by_cuts(name: str, cuts: npt.NDArray[Any]) -> Callable[[Chunk], npt.NDArray[Any]]:
    search = CutSearch(cuts)

    def codes(chunk: Chunk) -> npt.NDArray[Any]:
        values = chunk.raw(name)
        found = search(values) if values.dtype == cuts.dtype else np.searchsorted(cuts, values)
        absent = ~chunk.valid(name)
        if values.dtype.kind == "f":
            absent |= np.isnan(values)
        return np.where(absent, cuts.size + 1, found)

    return codes


def _by_map(name: str, places: npt.NDArray[Any]) -> Callable[[Chunk], npt.NDArray[Any]]:
    return lambda chunk: places[chunk.codes(name)]


def _missing(states: States, name: str) -> Counts:
    spec = states.dataset.schema[name]
    if not spec.nullable:
        return np.zeros(BLOCKS, np.int64)
    return _counted(states, name, 1, lambda chunk: ~chunk.valid(name), keep_last=True)[:, 1]


def _counted(
    states: States, name: str, levels: int, codes: Callable[[Chunk], npt.NDArray[Any]], *, keep_last: bool = False
) -> Counts:
    """Counts by block and level over a scan of one column; the level after the last, of missing values, is dropped."""
    states.scanned.add(name)
    table = np.zeros((BLOCKS, levels + 1), np.int64)
    for chunk in states.dataset.chunks([name]):
        found = codes(chunk).astype(np.intp)
        for block, lo, hi in block_pieces(chunk.rows.start, chunk.rows.stop, states.dataset.rows, PIECE):
            table[block] += np.bincount(found[lo:hi], minlength=levels + 1)
    return table if keep_last else table[:, :-1]
