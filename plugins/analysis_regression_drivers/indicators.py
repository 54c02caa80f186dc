"""Categories as predictors: a column of zeros and ones for each of their commonest values but the first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin import Chunk, ColumnData, ColumnSpec, Context, Schema, omission
from toolkit.plugin.inference import effective_blocks
from toolkit.plugin.inference.jackknife import FEWEST_FILLED
from toolkit.plugin.kept_levels import mostly_pooled

_ROLES = ("category", "flag")
_RAREST = 0.01
"""Share of the rows that a value has at least to be a predictor by itself."""


@dataclass(frozen=True, slots=True)
class Indicator:
    """Whether a category has some value.

    Attributes
    ----------
    name : str
        Of the predictor.
    column : str
        The category.
    value, usual : Any
        The value, None for all rare ones together; and the commonest, against which it is held.
    codes : tuple of int
        Codes of the value; 1 of a bool.
    blocks : float
        Blocks of rows of equally many rows that those with the value are worth.
    """

    name: str
    column: str
    value: Any
    usual: Any
    codes: tuple[int, ...]
    blocks: float

    def of(self, chunk: Chunk) -> ColumnData:
        """Zeros and ones of a chunk, missing where the category is."""
        data = chunk.data(self.column)
        values = np.asarray(data.values)
        if chunk.spec(self.column).kind == "bool":
            return ColumnData(values == bool(self.codes[0]), data.valid)
        marks = np.zeros(chunk.spec(self.column).categories + 1, bool)
        marks[list(self.codes)] = True
        present = values >= 0
        return ColumnData(marks[values], None if present.all() else present)


def indicators(ctx: Context, roles: dict[str, Any], named: list[str] | None) -> list[Indicator]:
    """Those of the categories that are named, else of those with the fewest values.

    Parameters
    ----------
    ctx : Context
        The table, with the kernel ``block_codes``.
    roles : dict
        What each column is for, where a profile says so.
    named : list of str or None
        Categories; None for the default.
    """
    found = {}
    for (name,) in ctx.kernel_columns("block_codes"):
        codes = ctx.kernel("block_codes", name)
        counts, levels = codes["table"][:, :-1].sum(axis=0), codes["levels"]
        usable = np.count_nonzero(counts) >= 2 and not mostly_pooled(levels)
        present = counts.sum() >= ctx.params["present"] * ctx.rows
        if usable and (present and roles.get(name, "category") in _ROLES if named is None else name in named):
            found[name] = codes
    order = sorted(found, key=lambda n: np.count_nonzero(found[n]["table"][:, :-1].sum(axis=0)))
    most = ctx.params["categories"] if named is None else len(order)
    if len(order) > most:
        rule = "the categories with the fewest values are predictors, ties in table order"
        ctx.omit(omission("categories", most, len(order), rule, order[most:]))
    return [one for name in order[:most] for one in _of(ctx, name, found[name])]


def _of(ctx: Context, name: str, found: dict[str, Any]) -> list[Indicator]:
    table, levels = found["table"][:, :-1], found["levels"]
    counts = table.sum(axis=0)
    order = np.lexsort((np.arange(counts.size), -counts)).tolist()
    own = [k for k in order if k != levels["other"]]
    usual, *others = own
    blocks = effective_blocks(table)
    kept = [k for k in others[: ctx.params["levels"]]
            if counts[k] >= _RAREST * counts.sum() and blocks[k] >= FEWEST_FILLED]  # fmt: skip
    rare = [k for k in others if k not in kept and counts[k]]
    is_bool = ctx.schema[name].kind == "bool"
    words = None if is_bool else ctx.categories(name)

    def value(level: int) -> Any:
        return bool(levels["values"][level]) if words is None else words[levels["values"][level]]

    out = [
        Indicator(f"{name} = {value(k)}", name, value(k), value(usual), (int(levels["values"][k]),), float(blocks[k]))
        for k in kept
    ]
    if words is not None and (rare or (levels["other"] is not None and counts[levels["other"]])):
        taken = {int(levels["values"][k]) for k in (usual, *kept)}
        codes = tuple(c for c in range(ctx.schema[name].categories) if c not in taken)
        out.append(Indicator(f"{name} = any other", name, None, value(usual), codes, 0.0))
    return [one for one in out if one.name not in ctx.schema]


def widened(schema: Schema, of: list[Indicator]) -> Schema:
    """A schema with a column for each."""
    specs = [
        ColumnSpec(one.name, f"indicator_{i}", "bool", "|b1", nullable=schema[one.column].nullable)
        for i, one in enumerate(of)
    ]
    return Schema((*schema.columns, *specs))


def with_indicators(chunk: Chunk, schema: Schema, of: list[Indicator]) -> Chunk:
    """A chunk with a column for each."""
    if not of:
        return chunk
    made = {one.name: one for one in of}

    def load(name: str) -> ColumnData:
        return made[name].of(chunk) if name in made else chunk.data(name)

    def categories(name: str) -> npt.NDArray[np.object_]:
        return chunk.categories(name)

    return Chunk(chunk.index, chunk.rows, schema, [*chunk.columns, *made], load, categories)
