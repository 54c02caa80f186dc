"""Which layout a table has, from its columns and values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from toolkit.plugin import Context, Skip

from .layouts import from_lists, from_pairs, from_wide
from .transactions import Baskets, Rows, Transactions

SEPARATORS = (";", "|", "\t", ",")

_MOST_THINGS = 1 << 16
_HOW = (
    "say which columns with layout, basket, item or list, as in params={'analysis_association_rules':"
    " {'basket': 'order_id', 'item': 'product'}}"
)


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table holds transactions.

    Attributes
    ----------
    name : str
        ``columns``, ``wide``, ``lists`` or ``baskets``.
    columns : list of str
        The columns that are read.
    separator : str
        Of lists.
    """

    name: str
    columns: list[str]
    separator: str = ""

    def open(self, ctx: Context) -> Transactions:
        """The transactions; baskets are staged, which reads the table once."""
        if self.name == "columns":
            return Rows(ctx, self.columns)
        if self.name == "wide":
            return Baskets(from_wide(ctx, self.columns))
        if self.name == "lists":
            return Baskets(from_lists(ctx, self.columns[0], self.separator))
        return Baskets(from_pairs(ctx, *self.columns))


def choose(ctx: Context, hidden: set[str]) -> Layout:
    """The layout that parameters name, else the one that the table seems to have.

    Parameters
    ----------
    ctx : Context
        The table.
    hidden : set of str
        Columns whose values must not be shown.

    Raises
    ------
    Skip
        When there is nothing to be combined.
    """
    params = ctx.params
    if params["basket"] or params["item"]:
        _named(ctx, [params["basket"], params["item"]], hidden - {params["basket"]})
        return Layout("baskets", [params["basket"], params["item"]])
    if params["list"]:
        _named(ctx, [params["list"]], hidden)
        separator = params["separator"] or _separator(ctx, params["list"])
        return Layout("lists", [params["list"]], separator or ",")
    columns = [name for name in ctx.columns("categorical") if name not in hidden]
    if params["layout"] == "wide" and len(columns) >= 2:
        return Layout("wide", columns)
    if len(columns) >= 3:
        wide = params["layout"] == "auto" and _same_values(ctx, columns)
        return Layout("wide" if wide else "columns", columns)
    if params["layout"] == "auto":
        found = _as_baskets(ctx, hidden) or _as_lists(ctx, hidden)
        if found is not None:
            return found
    raise Skip(
        f"there are {len(columns)} columns of categories that may be shown, and no baskets; three make a combination",
        _HOW,
    )


def _named(ctx: Context, names: list[str], hidden: set[str]) -> None:
    """See that columns which a person named are there and may be shown."""
    for name in names:
        if not name or name not in ctx.schema:
            raise Skip(f"there is no column {name!r}", _HOW)
        if name in hidden:
            raise Skip(f"`{name}` holds personal data, which findings must not show", _HOW)


def _same_values(ctx: Context, columns: list[str]) -> bool:
    """Whether columns hold the same things, as those of baskets written side by side do.

    Things are more than columns, unlike the answers to questions, and later columns are ever emptier, unlike where a
    journey begins and ends.
    """
    if any(ctx.schema[name].kind != "string" for name in columns):
        return False
    present = [int(ctx.kernel("counts", name)["counts"].sum()) for name in columns]
    if present != sorted(present, reverse=True) or present[0] == present[-1]:
        return False
    held = [set(ctx.categories(name)[:-1]) for name in columns]
    things = len(set().union(*held))
    return things > len(columns) and 2 * things <= sum(len(values) for values in held)


def _as_baskets(ctx: Context, hidden: set[str]) -> Layout | None:
    """A table of two columns: one of categories, the other one of numbers or texts that come again."""
    if len(ctx.schema) != 2:
        return None
    first, second = ctx.schema.names
    for basket, item in ((first, second), (second, first)):
        spec = ctx.schema[item]
        if item not in hidden and spec.encoding == "coded" and spec.kind == "string" and _is_id(ctx, basket, item):
            return Layout("baskets", [basket, item])
    return None


def _is_id(ctx: Context, basket: str, item: str) -> bool:
    """Many values, each a few times: no category of its own, and no key."""
    spec = ctx.schema[basket]
    if spec.kind not in ("int", "string"):
        return False
    entry: dict[str, Any] = next((e for e in ctx.result("profile_basic").data["columns"] if e["name"] == basket), {})
    distinct, present = entry.get("distinct") or 0, entry.get("count") or 0
    return ctx.schema[item].categories * 2 <= present and 1.2 * distinct <= present <= 100 * distinct


def _as_lists(ctx: Context, hidden: set[str]) -> Layout | None:
    """A text column of which most values are lists of few things that come again."""
    for name in ctx.columns("text"):
        if name not in hidden and (separator := _separator(ctx, name)):
            return Layout("lists", [name], separator)
    return None


def _separator(ctx: Context, column: str) -> str:
    """The character that splits texts into things that come again ten times, on average; empty where none does."""
    met: dict[str, set[str]] = {s: set() for s in SEPARATORS}
    things = dict.fromkeys(SEPARATORS, 0)
    texts = 0
    for chunk in ctx.chunks([column]):
        values = chunk[column][chunk.valid(column)]
        texts += values.size
        for text in values.tolist():
            for separator in SEPARATORS:
                if separator in text:
                    parts = text.split(separator)
                    things[separator] += len(parts)
                    if len(met[separator]) <= _MOST_THINGS:
                        met[separator].update(part.strip() for part in parts)
    scores = [(things[s], s) for s in SEPARATORS if len(met[s]) <= _MOST_THINGS and things[s] >= 10 * len(met[s])]
    best: tuple[int, str] = max(scores, default=(0, ""), key=lambda found: found[0])
    return best[1] if best[0] >= max(texts, 1) else ""
