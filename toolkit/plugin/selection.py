"""Which columns and pairs a plugin takes, and which of them a cap leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations, islice
from math import comb
from typing import Any

import numpy as np

from toolkit.core.schema import KINDS, NUMERIC_KINDS, TIME_KINDS, ColumnSpec, Schema
from toolkit.plugin.facts import ColumnFacts

Omission = dict[str, Any]

_LISTED = 20
_HELD_PAIRS = 1 << 20

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
    schema: Schema,
    selectors: Sequence[str],
    max_cols: int | None = None,
    *,
    facts: Mapping[str, ColumnFacts] | None = None,
    roles: Sequence[str] = (),
    ideal: int | None = None,
) -> tuple[list[str], Omission | None]:
    """Columns that fit any of the selectors, in table order, cut at a cap.

    Parameters
    ----------
    schema : Schema
        The table's columns.
    selectors : sequence of str
        Names in `SELECTORS`.
    max_cols : int, optional
        The cap. Those stay that come first in `rank_columns`; without facts the first in table order.
    facts, roles, ideal
        As of `rank_columns`.

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
    kept = set(names[:max_cols])
    if facts:
        rule = "by role, then most values present, then number of distinct values, then table order"
        kept = set(rank_columns(names, facts, roles, ideal)[:max_cols])
    left = [n for n in names if n not in kept]
    return [n for n in names if n in kept], omission("max_cols", max_cols, len(names), rule, left)


def rank_columns(
    names: Sequence[str], facts: Mapping[str, ColumnFacts], roles: Sequence[str] = (), ideal: int | None = None
) -> list[str]:
    """Columns in the order in which a plugin would have them.

    Parameters
    ----------
    names : sequence of str
        Columns in table order.
    facts : mapping of str to ColumnFacts
        What a profile says of them. A column of which it says nothing comes last.
    roles : sequence of str
        Roles that the plugin is made for; columns of such a role come first.
    ideal : int, optional
        Number of distinct values that suits it best. Nearness counts in proportion: 50 is as far from 100 as 200.

    Returns
    -------
    list of str
        By role, then most values present, then nearness to the ideal, then table order.

    Examples
    --------
    >>> facts = {"a": ColumnFacts(9, 2), "b": ColumnFacts(9, 5), "c": ColumnFacts(10, 1)}
    >>> rank_columns(["a", "b", "c"], facts, ideal=4)
    ['c', 'b', 'a']
    """

    def key(place: int) -> tuple[bool, bool, int, float, int]:
        found = facts.get(names[place])
        if found is None:
            return True, True, 0, 0.0, place
        return False, found.role not in roles, -found.present, _distance(found.distinct, ideal), place

    return [names[place] for place in sorted(range(len(names)), key=key)]


def select_pairs(
    names: Sequence[str],
    max_pairs: int | None = None,
    against: Sequence[str] | None = None,
    *,
    facts: Mapping[str, ColumnFacts] | None = None,
) -> tuple[list[tuple[str, str]], Omission | None]:
    """Pairs of columns in table order, cut at a cap.

    Parameters
    ----------
    names : sequence of str
        Columns in table order; without ``against``, the pairs are all unordered ones of them.
    max_pairs : int, optional
        The cap. With facts those pairs stay whose smaller number of present values times smaller normalised entropy is
        largest, ties in table order; without, the first in table order.
    against : sequence of str, optional
        Second columns: the pairs are those of a name and one of these, unless they are the same column.
    facts : mapping of str to ColumnFacts, optional
        What a profile says of the columns.

    Returns
    -------
    pairs : list of (str, str)
        In table order.
    omission : dict or None
        What the cap left out, None when it left nothing out.

    Examples
    --------
    >>> select_pairs(["a", "b"], None, ["b", "c"])[0]
    [('a', 'b'), ('a', 'c'), ('b', 'c')]
    """
    every = None if against is None else list(dict.fromkeys((a, b) for a in names for b in against if a != b))
    total = comb(len(names), 2) if every is None else len(every)
    if max_pairs is None or total <= max_pairs:
        return list(combinations(names, 2)) if every is None else every, None
    if facts:
        rule = "the most present values times the largest normalised entropy, of the poorer column of a pair"
        pairs = _richest_pairs(names, facts, max_pairs) if every is None else _richest(every, facts, max_pairs)
    else:
        rule = "the first pairs in table order"
        pairs = list(islice(combinations(names, 2) if every is None else every, max_pairs))
    kept = set(pairs)
    left = (pair for pair in (combinations(names, 2) if every is None else every) if pair not in kept)
    return pairs, omission("max_pairs", max_pairs, total, rule, [f"{a} × {b}" for a, b in islice(left, _LISTED)])


def _richest(pairs: Sequence[tuple[str, str]], facts: Mapping[str, ColumnFacts], most: int) -> list[tuple[str, str]]:
    def score(pair: tuple[str, str]) -> float:
        left, right = (facts.get(name, ColumnFacts(0)) for name in pair)
        return min(left.present, right.present) * min(_entropy(left), _entropy(right))

    best = sorted(range(len(pairs)), key=lambda i: (-score(pairs[i]), i))[:most]
    return [pairs[i] for i in sorted(best)]


def _richest_pairs(names: Sequence[str], facts: Mapping[str, ColumnFacts], most: int) -> list[tuple[str, str]]:
    """Row by row of the triangle of pairs, so that memory follows the cap and not the number of pairs."""
    known = [facts.get(n, ColumnFacts(0)) for n in names]
    present = np.array([f.present for f in known], np.float64)
    entropy = np.array([_entropy(f) for f in known], np.float64)
    held: list[tuple[Any, ...]] = []  # scores, left and right columns of pairs, in table order
    for i in range(len(names) - 1):
        scores = np.minimum(present[i], present[i + 1 :]) * np.minimum(entropy[i], entropy[i + 1 :])
        held.append((scores, np.full(len(scores), i), np.arange(i + 1, len(names))))
        if sum(len(part[0]) for part in held) > most + _HELD_PAIRS or i == len(names) - 2:
            scores, lefts, rights = (np.concatenate(parts) for parts in zip(*held, strict=True))
            best = np.sort(np.argsort(-scores, kind="stable")[:most])  # stable: ties stay in table order
            held = [(scores[best], lefts[best], rights[best])]
    return [(names[i], names[j]) for i, j in zip(held[0][1].tolist(), held[0][2].tolist(), strict=True)]


def _entropy(facts: ColumnFacts) -> float:
    """Of values that nobody counted, such as measures, the coarse codes are spread evenly."""
    if facts.entropy is not None:
        return facts.entropy
    return 0.0 if facts.distinct is not None and facts.distinct < 2 else 1.0


def _distance(distinct: int | None, ideal: int | None) -> float:
    if ideal is None:
        return 0.0
    if not distinct:
        return float("inf")
    return max(distinct, ideal) / min(distinct, ideal)


def omission(
    cap: str, value: int, requested: int, rule: str, left_out: Sequence[str], evaluated: int | None = None
) -> Omission:
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
    evaluated : int, optional
        How many were kept, where that is less than the cap allows.
    """
    kept = value if evaluated is None else evaluated
    return {
        "what": f"{requested - kept:,} of {requested:,} {cap.removeprefix('max_')} left out by {cap}: {value:,}",
        "cap": cap,
        "value": value,
        "requested": requested,
        "evaluated": kept,
        "rule": rule,
        "left_out": list(left_out[:_LISTED]),
        "restore": f"{cap}: {requested}",
    }
