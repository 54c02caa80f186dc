"""Values that stand for something else: codes for missing that lie apart from the rest, and heaps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .columns import Profile
from .look import Places, Seen, Target
from .values import days

_REPEATED = [int(digit * n) for digit in "789" for n in range(2, 11)]
_LIMITS = [2**k - 1 for k in (7, 8, 15, 16, 31, 32, 63, 64)] + [-(2**k) for k in (7, 15, 31, 63)]
NUMBERS = frozenset({0, -1, -9, *_REPEATED, *(-v for v in _REPEATED), *_LIMITS})
"""Numbers that people and programs write for a missing value."""

FRACTIONS = frozenset(
    sign * v
    for sign in (1, -1)
    for v in (999.9, 9999.9, 999.99, 9999.99, 99999.99, 999.25, 1e20, 1e30, 9.969209968386869e36)
) | {float(np.finfo(np.float32).max), float(np.finfo(np.float64).max)}
"""The same for columns of floats only: old well logs use -999.25, climate models 1e20, netCDF 9.97e36."""

DAYS = frozenset(
    int(np.datetime64(day).astype(np.int64))
    for day in (
        "0001-01-01", "1000-01-01", "1601-01-01", "1677-09-21", "1753-01-01", "1800-01-01", "1899-12-30", "1899-12-31",
        "1900-01-01", "1901-01-01", "1904-01-01", "1970-01-01", "2038-01-19", "2079-06-06", "2099-12-31", "2100-01-01",
        "2199-12-31", "2262-04-11", "2999-12-31", "3000-01-01", "9999-01-01", "9999-12-31",
    )
)  # fmt: skip
"""Days since 1970 that databases, spreadsheets and programs write for a missing or an endless date."""

_KINDS = ("int", "float", "timestamp", "date")
_FEWEST_DISTINCT = 3
_FEWEST_FOR_HEAPS = 20


@dataclass(frozen=True, slots=True)
class Suspect:
    """A value that lies apart or heaps up.

    Attributes
    ----------
    value : Any
        As stored; days since 1970 for instants that lie apart.
    why : str
        ``apart``, ``below zero`` (the one negative value) or ``heap``.
    places : Places
        Where it stands.
    rest : tuple
        Smallest and largest of the other values, as stored.
    """

    value: Any
    why: str
    places: Places
    rest: tuple[Any, Any]


def target_of(profile: Profile, params: Mapping[str, Any]) -> Target | None:
    """What a second look at a column should look for; None where the kernels' results rule sentinels out."""
    if not _is_candidate(profile):
        return None
    by_day = profile.spec.kind in ("timestamp", "date")
    known = DAYS if by_day else NUMBERS | FRACTIONS if profile.spec.kind == "float" else NUMBERS
    if _may_lie_apart(profile, known, params):
        low, high = (_key(v, profile) for v in (profile.low, profile.high))
        return Target(profile.name, sorted(v for v in known if low <= v <= high), by_day)
    return None


def suspects(profile: Profile, seen: Seen, params: Mapping[str, Any]) -> list[Suspect]:
    """Judge what was seen: of the known values, those that lie apart from all others.

    From the rest outwards, a known value whose gap to the rest is small belongs to the rest itself.
    """
    if seen.low is None:
        return []
    distances = _Distances.between(profile, seen.low, seen.high, params)
    found = []
    ends = (seen.low, seen.high)
    near, nearest_count = seen.low, seen.low_count
    for value in sorted((v for v in seen.places if v < seen.low), reverse=True):
        places = seen.places[value]
        enough = places.count >= params["sentinel_rows"]
        gap = near - value
        lone = value == -1 and near >= 0 and (places.count >= 2 * nearest_count or gap >= distances.steps)
        if enough and (lone or distances.are_less_than(gap)):
            found.append(Suspect(value, "below zero" if lone else "apart", places, ends))
        else:
            near, nearest_count = value, places.count
    near = seen.high
    for value in sorted(v for v in seen.places if v > seen.high):
        places = seen.places[value]
        if places.count >= params["sentinel_rows"] and distances.are_less_than(value - near):
            found.append(Suspect(value, "apart", places, ends))
        else:
            near = value
    return sorted(found, key=lambda s: s.value)


def heap_of(profile: Profile, params: Mapping[str, Any]) -> tuple[Any, int, int] | None:
    """The value that is far more common than any other in a column of many values.

    Returns
    -------
    tuple or None
        The value as stored, its count, and the count of the next most common value.
    """
    if not _is_candidate(profile) or profile.entry["distinct"] < _FEWEST_FOR_HEAPS or not profile.top:
        return None
    value, count = profile.top[0]
    following = profile.top[1][1] if len(profile.top) > 1 else 1  # those not listed occur once
    if count < params["heap_share"] * profile.numbers or count < params["heap_ratio"] * following:
        return None
    return value, count, following


def _is_candidate(profile: Profile) -> bool:
    distinct = profile.entry["distinct"]
    return profile.full and profile.spec.kind in _KINDS and distinct is not None and distinct >= _FEWEST_DISTINCT


def _key(value: Any, profile: Profile) -> Any:
    return days(value, profile.spec) if profile.spec.kind in ("timestamp", "date") else value


@dataclass(frozen=True, slots=True)
class _Distances:
    """What a gap must exceed to set a value apart.

    Attributes
    ----------
    width : Any
        Part of the width of the middle 98 % of the values.
    steps : Any
        Some mean distances between distinct values: in a column of few values every gap is wide.
    """

    width: Any
    steps: Any

    @classmethod
    def between(cls, profile: Profile, low: Any, high: Any, params: Mapping[str, Any]) -> _Distances:
        """From the values between two ends."""
        inner = [_key(q, profile) for p, q in profile.quantiles.items() if q is not None and 0.01 <= p <= 0.99]
        inner = [q for q in inner if low <= q <= high]
        width = max(inner) - min(inner) if inner else 0
        steps = params["sentinel_steps"] * (high - low) / max(profile.entry["distinct"] - 1, 1)
        return cls(params["isolation"] * (width or high - low), steps)

    def are_less_than(self, gap: Any) -> bool:
        """Whether a gap is wide enough."""
        return bool(self.width > 0 and gap >= self.width and gap >= self.steps)


def _may_lie_apart(profile: Profile, known: frozenset[Any], params: Mapping[str, Any]) -> bool:
    """Whether an end of the column is a known value that may be far enough from all others.

    The values that the kernels list lie no nearer to it than the nearest of all, and span no more than all, so what is
    ruled out here would not pass with all values at hand.
    """
    listed = {_key(v, profile) for v in profile.quantiles.values() if v is not None}
    listed |= {_key(v, profile) for v, _ in profile.top}
    finite = sorted(v for v in listed if abs(v) != float("inf"))
    rest = [v for v in finite if v not in known]
    if not rest:
        return len(finite) > 1
    low, high = finite[0], finite[-1]
    distances = _Distances.between(profile, rest[0], rest[-1], params)
    lone = False
    if low == -1 and profile.spec.kind in ("int", "float"):
        alone = profile.entry["negatives"] >= max(2 * profile.entry["zeros"], params["sentinel_rows"])
        lone = alone or rest[0] - low >= distances.steps
    return (
        lone
        or (low in known and (distances.width == 0 or distances.are_less_than(rest[0] - low)))
        or (high in known and (distances.width == 0 or distances.are_less_than(high - rest[-1])))
    )
