"""Which columns a plugin takes, and which of them a cap leaves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations, islice
from math import comb
from typing import Any

from toolkit.core.schema import KINDS, NUMERIC_KINDS, TIME_KINDS, ColumnSpec, Schema

Omission = dict[str, Any]

_LISTED = 20

SELECTORS: dict[str, Callable[[ColumnSpec], bool]] = {
    **{kind: lambda spec, kind=kind: spec.kind == kind for kind in KINDS},  # type: ignore[misc]
    "any": lambda spec: True,
    "numeric": lambda spec: spec.kind in NUMERIC_KINDS,
    "time": lambda spec: spec.kind in TIME_KINDS,
    "time_of_day": lambda spec: spec.kind == "time",
    "instant": lambda spec: spec.kind in ("timestamp", "date"),
    "text": lambda spec: spec.kind == "string",
    "categorical": lambda spec: spec.encoding == "coded" or spec.kind == "bool",
}
"""What ``columns:`` of a manifest and `Context.columns` take: groups of kinds, and kinds by their own names.

``time`` is the group of all kinds of time; the kind of that name is ``time_of_day`` here.
"""


def select_columns(
    schema: Schema, selectors: Sequence[str], max_cols: int | None = None
) -> tuple[list[str], Omission | None]:
    """Columns that fit any of the selectors, in table order, cut at a cap.

    Parameters
    ----------
    schema : Schema
        The table's columns.
    selectors : sequence of str
        Names in `SELECTORS`.
    max_cols : int, optional
        The cap; the first columns in table order stay.

    Returns
    -------
    names : list of str
        The columns.
    omission : dict or None
        What the cap left out, None when it left nothing out.

    Examples
    --------
    >>> from toolkit.core.schema import ColumnSpec
    >>> schema = Schema((ColumnSpec("a", "a", "int", "<i4"), ColumnSpec("b", "b", "float", "<f8")))
    >>> select_columns(schema, ["numeric"], 1)[0]
    ['a']
    """
    tests = [SELECTORS[s] for s in selectors]
    names = [spec.name for spec in schema if any(test(spec) for test in tests)]
    if max_cols is None or len(names) <= max_cols:
        return names, None
    rule = "the first columns in table order"
    return names[:max_cols], omission("max_cols", max_cols, len(names), rule, names[max_cols:])


def select_pairs(
    names: Sequence[str], max_pairs: int | None = None, against: Sequence[str] | None = None
) -> tuple[list[tuple[str, str]], Omission | None]:
    """Pairs of columns in table order, cut at a cap.

    Parameters
    ----------
    names : sequence of str
        The columns; without ``against``, the pairs are all unordered ones of them.
    max_pairs : int, optional
        The cap.
    against : sequence of str, optional
        Second columns: the pairs are those of a name and one of these, unless they are the same column.

    Examples
    --------
    >>> select_pairs(["a", "b"], None, ["b", "c"])[0]
    [('a', 'b'), ('a', 'c'), ('b', 'c')]
    """
    if against is None:
        total = comb(len(names), 2)
        pairs = list(islice(combinations(names, 2), max_pairs))
    else:
        every = dict.fromkeys((a, b) for a in names for b in against if a != b)
        total = len(every)
        pairs = list(islice(every, max_pairs))
    if len(pairs) == total:
        return pairs, None
    return pairs, omission("max_pairs", len(pairs), total, "the first pairs in table order", [])


def omission(cap: str, value: int, requested: int, rule: str, left_out: Sequence[str]) -> Omission:
    """An entry of the omission ledger.

    Parameters
    ----------
    cap, value : str, int
        The cap that was reached, and what it allows.
    requested : int
        How many there are.
    rule : str
        Which of them were kept.
    left_out : sequence of str
        Names of those that were not; the first 20 are listed.
    """
    return {
        "what": f"{requested - value:,} of {requested:,} {cap.removeprefix('max_')} left out by {cap}: {value:,}",
        "cap": cap,
        "value": value,
        "requested": requested,
        "evaluated": value,
        "rule": rule,
        "left_out": list(left_out[:_LISTED]),
        "restore": f"{cap}: {requested}",
    }
