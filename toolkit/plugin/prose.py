"""Which text columns hold sentences, and which hold labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from toolkit.plugin.context import Context

FEWEST_WORDS = 3
"""Words that a value of sentences has on average."""


def may_hold_sentences(ctx: Context, column: str, profile: Iterable[Mapping[str, Any]]) -> bool:
    """Whether a text column may hold sentences: reads no row.

    A coded column does when its different values have three words on average; long text when its values are not all as
    long as each other, as ids are.

    Parameters
    ----------
    ctx : Context
        The table.
    column : str
        A text column.
    profile : iterable of mapping
        ``data["columns"]`` of profile_basic.
    """
    if ctx.schema[column].encoding != "coded":
        lengths = next((e.get("lengths") for e in profile if e["name"] == column), None)
        return lengths is None or lengths["min"] != lengths["max"]
    values = ctx.categories(column)[:-1].tolist()
    return bool(values) and sum(value.count(" ") + 1 for value in values) >= FEWEST_WORDS * len(values)
