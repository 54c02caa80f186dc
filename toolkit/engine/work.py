"""Work units: how much a plugin has to do, from the table's size and its caps alone, so before anything is read."""

from __future__ import annotations

from collections.abc import Mapping
from math import comb, inf

from toolkit.core.canonical import round_significant
from toolkit.plugin.budget import Budget

CAP_OF = {"windows": "max_windows", "pairs": "max_pairs", "groups": "max_groups", "columns": "max_cols"}
"""The cap that bounds each kind of unit; of equal exponents the first counts as the larger."""
_LINEAR = {"rows": 1.0, "columns": 1.0}
_MOST = 1e300


def unit_counts(rows: int, columns: int, budget: Budget) -> dict[str, int]:
    """How many rows, columns, pairs, groups and windows a plugin meets at most under a budget.

    Parameters
    ----------
    rows : int
        Rows of the table; groups and windows are never more.
    columns : int
        Columns that the plugin takes, its cap applied.
    budget : Budget
        Its caps.

    Examples
    --------
    >>> unit_counts(1000, 4, Budget(max_pairs=5, max_windows=64))
    {'rows': 1000, 'columns': 4, 'pairs': 5, 'groups': 1000, 'windows': 64}
    """
    counts = {"rows": rows, "columns": columns, "pairs": comb(columns, 2), "groups": rows, "windows": rows}
    for unit, cap in CAP_OF.items():
        limit = getattr(budget, cap)
        if limit is not None:
            counts[unit] = min(counts[unit], limit)
    return counts


def work_units(cost: Mapping[str, float], counts: Mapping[str, int], passes: int = 1) -> float:
    """The product of the counts, each to the exponent of the manifest's ``cost``, times the passes.

    Parameters
    ----------
    cost : mapping of str to float
        Exponents by kind of unit; rows times columns where a manifest gives none. ``ns`` does not count.
    counts : mapping of str to int
        From `unit_counts`.
    passes : int
        How often the plugin reads the table.

    Returns
    -------
    float
        Rounded to 10 significant digits, so that it is the same on every machine.

    Examples
    --------
    >>> work_units({"windows": 2, "columns": 1}, {"rows": 9000, "columns": 3, "windows": 64})
    12288.0
    """
    units = float(passes)
    for unit, exponent in exponents(cost).items():
        units *= _power(max(counts[unit], 1), exponent)
    return round_significant(min(units, _MOST))


def exponents(cost: Mapping[str, float]) -> dict[str, float]:
    """The exponents of a manifest's ``cost`` that count; those of one linear pass where it gives none."""
    given = {unit: value for unit, value in cost.items() if unit != "ns" and value > 0}
    return given or dict(_LINEAR)


def remedy_for_time(cost: Mapping[str, float], counts: Mapping[str, int]) -> str:
    """Which cap to lower where a time limit was reached: that of the largest exponent that still can be lowered.

    Parameters
    ----------
    cost : mapping of str to float
        The manifest's ``cost``.
    counts : mapping of str to int
        From `unit_counts`.

    Examples
    --------
    >>> remedy_for_time({"rows": 1, "pairs": 1}, {"rows": 9000, "columns": 3, "pairs": 3})
    'lower max_pairs to less than 3, or raise the limit'
    """
    given = exponents(cost)
    found = [unit for unit in CAP_OF if unit in given and counts[unit] > 1]
    if not found:
        return "no cap can make it less work, as rows are never capped; raise the limit"
    unit = max(found, key=lambda u: given[u])  # of equals the first
    return f"lower {CAP_OF[unit]} to less than {counts[unit]:,}, or raise the limit"


def _power(count: int, exponent: float) -> float:
    try:
        return float(count) ** exponent
    except OverflowError:
        return inf
