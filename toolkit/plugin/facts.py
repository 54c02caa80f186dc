"""What a profile says of columns, as far as it decides which columns and pairs a cap leaves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import log2
from typing import Any

from toolkit.core.canonical import round_significant


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """One column, profiled.

    Attributes
    ----------
    present : int
        Values that are neither missing nor NaN.
    distinct : int or None
        Different values; None where nobody counted.
    entropy : float or None
        Shannon entropy of the values over the largest that so many distinct values can have, from 0 to 1.
    role : str or None
        What the column is for, such as ``measure`` or ``category``.
    """

    present: int
    distinct: int | None = None
    entropy: float | None = None
    role: str | None = None


def column_facts(entries: Iterable[Mapping[str, Any]]) -> dict[str, ColumnFacts]:
    """Facts by column, from ``data["columns"]`` of a profile's result.

    Parameters
    ----------
    entries : iterable of mapping
        ``name`` and ``count``, and where known ``nan``, ``distinct``, ``entropy`` (bits) and ``role``, as report.json
        has them.

    Examples
    --------
    >>> column_facts([{"name": "colour", "count": 90, "distinct": 4, "entropy": 1.5, "role": "category"}])
    {'colour': ColumnFacts(present=90, distinct=4, entropy=0.75, role='category')}
    """
    return {
        entry["name"]: ColumnFacts(
            present=int(entry["count"] or 0) - int(entry.get("nan") or 0),
            distinct=entry.get("distinct"),
            entropy=_normalised(entry.get("entropy"), entry.get("distinct")),
            role=entry.get("role"),
        )
        for entry in entries
    }


def _normalised(bits: float | None, distinct: int | None) -> float | None:
    """Rounded, as a logarithm's last digit differs between machines and this decides what is kept."""
    if bits is None or distinct is None:
        return None
    return 0.0 if distinct < 2 else min(1.0, max(0.0, round_significant(bits / log2(distinct))))
