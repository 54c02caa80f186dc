"""Which findings a cap leaves."""

from __future__ import annotations

from collections.abc import Sequence

from toolkit.core.canonical import round_significant
from toolkit.core.schema import Schema
from toolkit.plugin.result import Finding

RULE = "facts in the plugin's order, then tests by p-value, effect and table order"
"""What `keep_findings` does, for the omission ledger."""


def keep_findings(findings: Sequence[Finding], most: int, schema: Schema) -> list[Finding]:
    """The findings that a cap leaves, in the plugin's own order.

    Parameters
    ----------
    findings : sequence of Finding
        Those of one plugin.
    most : int
        How many are kept.
    schema : Schema
        The table's columns.

    Notes
    -----
    Facts come before tests, as nothing about them is uncertain. Tests come by ascending p-value, which within a plugin
    is the order of its q-values, then by descending effect, then by the column's place; each rounded to 10 significant
    digits, so that a last bit decides nothing.
    """
    if len(findings) <= most:
        return list(findings)
    index = {name: i for i, name in enumerate(schema.names)}

    def key(place: int) -> tuple[bool, float, float, list[int], int]:
        found = findings[place]
        if found.log10_p is None:
            return False, 0.0, 0.0, [], place
        effect = 0.0 if found.effect is None else abs(round_significant(found.effect))
        columns = [index.get(name, len(index)) for name in found.columns]  # of a source after the table's own
        return True, round_significant(found.log10_p), -effect, columns, place

    kept = sorted(sorted(range(len(findings)), key=key)[:most])
    return [findings[place] for place in kept]
