"""How columns go together, two by two, from what plugins say of pairs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from toolkit.report.plain import plain_tree

MEASURES: dict[str, str] = {
    "spearman": "spearman_interval",
    "r": "r_interval",
    "cramers_v": "interval",
}
"""Measures of association and the field of a pair that holds their interval."""

_COUNTS = ("n", "rows")


def associations(outcomes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """List every measure of every pair of columns, in the order of the plugins and of their pairs.

    Parameters
    ----------
    outcomes : sequence of mapping
        As for `toolkit.report.model.build_report`, ordered by id. A plugin speaks of pairs in ``data["pairs"]``: a
        list of mappings with two ``columns``, one or more of `MEASURES`, and ``n`` or ``rows``.

    Returns
    -------
    list of dict
        ``plugin``, ``table``, ``columns``, ``measure``, ``value`` in [-1, 1], ``interval`` or None, ``n`` or None.
    """
    return [
        entry
        for outcome in outcomes
        if outcome["status"] == "ok"
        for pair in _pairs(outcome)
        for entry in _measures(outcome, pair)
    ]


def _pairs(outcome: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    pairs = (outcome.get("data") or {}).get("pairs")
    for pair in pairs if isinstance(pairs, list) else ():
        names = pair.get("columns") if isinstance(pair, dict) else None
        if isinstance(names, list | tuple) and len(names) == 2 and all(isinstance(name, str) for name in names):
            yield pair


def _measures(outcome: Mapping[str, Any], pair: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    table = outcome.get("table")
    for measure, ends in MEASURES.items():
        value = plain_tree(pair.get(measure), rounded=True)
        if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1:
            continue
        counts = [pair[name] for name in _COUNTS if type(pair.get(name)) is int and pair[name] >= 0]
        yield {
            "plugin": outcome["id"],
            "table": table["key"] if table else None,
            "columns": list(pair["columns"]),
            "measure": measure,
            "value": value,
            "interval": _interval(plain_tree(pair.get(ends), rounded=True)),
            "n": counts[0] if counts else None,
        }


def _interval(ends: Any) -> list[float] | None:
    """Both ends as numbers, or None where one is unknown."""
    known = isinstance(ends, list) and len(ends) == 2 and all(isinstance(end, int | float) for end in ends)
    return ends if known else None
