"""Which text columns hold sentences, and which hold labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toolkit.plugin.context import Context

FEWEST_WORDS = 3
"""Words that a value of sentences has on average."""


def may_hold_sentences(ctx: Context, column: str) -> bool:
    """Whether the different values of a coded column have three words on average; long text may always hold sentences.

    Reads no row.
    """
    if ctx.schema[column].encoding != "coded":
        return True
    values = ctx.categories(column)[:-1].tolist()
    return bool(values) and sum(value.count(" ") + 1 for value in values) >= FEWEST_WORDS * len(values)
