"""Findings that follow from counts alone: constants, missing values, NaN, infinities, whole numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from toolkit.plugin import ChunkGrid, Finding
from toolkit.plugin.places import MOST_CHUNKS, Places
from toolkit.plugin.wording import percent, quoted, shown

from .columns import Profile
from .look import Seen, Target

_EXACT_INTEGERS = 2**53


def column_facts(
    profile: Profile, missing: np.ndarray[Any, Any], seen: Seen | None, grid: ChunkGrid, params: Mapping[str, Any]
) -> list[Finding]:
    """Findings on one column.

    Parameters
    ----------
    profile : Profile
        The column.
    missing : ndarray of int64, shape (chunks,)
        Missing values in each chunk.
    seen : Seen or None
        Where NaN and infinities stand, if there are any.
    grid : ChunkGrid
        Where rows fall into chunks.
    params : mapping
        ``near_constant``, ``mostly_missing``.
    """
    if not profile.numbers:
        return [_all_missing(profile)]
    places = {} if seen is None else seen.places
    checks: list[Callable[[], Finding | None]] = [
        lambda: _constant(profile, params["near_constant"]),
        lambda: _mostly_missing(profile, missing, grid, params["mostly_missing"]),
        lambda: _infinite(profile, places, grid),
        lambda: _nan(profile, places.get("NaN"), grid),
        lambda: _whole_floats(profile),
    ]
    return [finding for check in checks if (finding := check()) is not None]


def target_of(profile: Profile) -> Target | None:
    """NaN and infinities of a column, to be located; None where it has none."""
    entry = profile.entry
    if not profile.numbers or not any(entry.get(k) for k in ("nan", "positive_infinities", "negative_infinities")):
        return None
    return Target(profile.name, [np.inf, -np.inf], nan=True)


def where(places: Places, grid: ChunkGrid) -> tuple[str, dict[str, Any]]:
    """Say where a value stands, in words and as evidence."""
    evidence = places.evidence() | {"of_chunks": grid.n_chunks}
    chunks = sorted(places.chunks)
    if places.count == 1:
        said = f"in row {evidence['first_row']:,}"
    elif grid.n_chunks == 1 or len(chunks) == 1:
        chunk = f"all in chunk {chunks[0]}, " if grid.n_chunks > 1 else ""
        said = f"{chunk}between rows {evidence['first_row']:,} and {evidence['last_row']:,}"
    elif len(chunks) <= 4:
        said = f"all in chunks {', '.join(map(str, chunks[:-1]))} and {chunks[-1]}"
    else:
        said = f"in {len(chunks):,} of {grid.n_chunks:,} chunks"
    return said, evidence


def _all_missing(profile: Profile) -> Finding:
    name, nan = quoted(profile.name), profile.count
    if nan:
        said = f"Column {name} has no number in any of {profile.rows:,} rows: {nan:,} are NaN."
    else:
        said = f"Column {name} has no value in any of {profile.rows:,} rows."
    return Finding(
        kind="all_missing",
        columns=[profile.name],
        sentence=said,
        recommendation=f"Drop {name}, or find out why it was never filled.",
        effect=1.0,
        evidence={"of_rows": profile.rows, "missing": profile.entry["missing"], "nan": nan},
    )


def _constant(profile: Profile, near: float) -> Finding | None:
    entry, name = profile.entry, quoted(profile.name)
    if not entry["top"]:
        return None
    value, count = entry["top"][0]["value"], entry["top"][0]["count"]
    evidence = {"value": value, "count": count, "of_rows": profile.rows, "missing": entry["missing"]}
    if entry["distinct"] == 1 and count == profile.count:
        said = f"all {count:,} rows"
        if entry["missing"]:
            said = f"{count:,} of {profile.rows:,} rows and is missing in the other {entry['missing']:,}"
        return Finding(
            kind="constant",
            columns=[profile.name],
            sentence=f"Column {name} has the one value {shown(value)} in {said}.",
            recommendation=f"Leave {name} out of analyses: a column that never varies explains nothing.",
            effect=1.0,
            evidence=evidence,
        )
    share = count / profile.count
    if share < near:
        return None
    others = profile.count - count
    return Finding(
        kind="near_constant",
        columns=[profile.name],
        sentence=f"Column {name} is {shown(value)} in {count:,} of {profile.count:,} values ({percent(share)}); "
        f"{others:,} differ.",
        recommendation=f"Look at the {others:,} rows in which {name} is not {shown(value)}; else leave the column out.",
        effect=share,
        evidence={**evidence, "of": profile.count, "share": share, "others": others},
    )


def _mostly_missing(profile: Profile, missing: np.ndarray[Any, Any], grid: ChunkGrid, most: float) -> Finding | None:
    total, name = profile.entry["missing"], quoted(profile.name)
    share = total / profile.rows
    if not total or share < most:
        return None
    sizes = np.diff([*range(0, grid.rows, grid.chunk_rows), grid.rows])
    empty = np.flatnonzero(missing == sizes).tolist()
    said = f", among them all rows of {len(empty):,} of {grid.n_chunks:,} chunks" if empty else ""
    evidence = {"missing": total, "of_rows": profile.rows, "share": share, "of_chunks": grid.n_chunks}
    return Finding(
        kind="mostly_missing",
        columns=[profile.name],
        sentence=f"Column {name} is missing in {total:,} of {profile.rows:,} rows ({percent(share)}){said}.",
        recommendation=f"Use {name} only where it is present, and find out what its absence means before filling it.",
        effect=share,
        evidence=evidence | {"chunks_without_a_value": len(empty), "chunks": empty[:MOST_CHUNKS]},
    )


def _infinite(profile: Profile, places: Mapping[Any, Places], grid: ChunkGrid) -> Finding | None:
    counts = [profile.entry.get(f"{sign}_infinities") or 0 for sign in ("positive", "negative")]
    if not any(counts):
        return None
    name, total = quoted(profile.name), sum(counts)
    parts, evidence = [], {"count": total, "of": profile.count, "positive": counts[0], "negative": counts[1]}
    for text, value, count in (("Infinity", np.inf, counts[0]), ("-Infinity", -np.inf, counts[1])):
        if count and value in places:
            said, found = where(places[value], grid)
            parts.append(f"{text} {count:,} times, {said}")
            evidence |= found if len(parts) == 1 else {"second": found}
        elif count:
            parts.append(f"{text} {count:,} times")
    return Finding(
        kind="infinite_values",
        columns=[profile.name],
        sentence=f"Column {name} is infinite in {total:,} of {profile.count:,} values: {'; '.join(parts)}.",
        recommendation=f"Find the division by zero or the overflow behind {name}; its mean here is of finite values.",
        effect=total / profile.count,
        evidence=evidence,
    )


def _nan(profile: Profile, places: Places | None, grid: ChunkGrid) -> Finding | None:
    entry, name = profile.entry, quoted(profile.name)
    nan, missing = entry["nan"] or 0, entry["missing"]
    if not nan:
        return None
    said, evidence = ("", {}) if places is None else where(places, grid)
    said = f" {said}" if said else ""
    evidence |= {"nan": nan, "of": profile.count, "missing": missing}
    if missing:
        kind = "nan_beside_missing"
        sentence = (
            f"Column {name} is NaN in {nan:,} values{said} and missing in {missing:,} rows: two signs for no value."
        )
    else:
        kind = "nan_values"
        sentence = f"Column {name} is NaN in {nan:,} of {profile.count:,} values{said}."
    return Finding(
        kind=kind,
        columns=[profile.name],
        sentence=sentence,
        recommendation=f"Decide whether NaN in {name} is a failed computation or stands for a missing value; "
        "turn the latter into missing.",
        effect=nan / profile.count,
        evidence=evidence,
    )


def _whole_floats(profile: Profile) -> Finding | None:
    entry = profile.entry
    if not profile.integral or entry["distinct"] < 2 or max(abs(profile.low), abs(profile.high)) > _EXACT_INTEGERS:
        return None
    name = quoted(profile.name)
    return Finding(
        kind="whole_numbers_as_float",
        columns=[profile.name],
        sentence=f"All {profile.numbers:,} numbers in column {name} are whole, from {shown(entry['min'])} to "
        f"{shown(entry['max'])}, though it is stored as floating point.",
        recommendation=f"Declare {name} as an integer: it is smaller, and exact.",
        evidence={"count": profile.numbers, "min": entry["min"], "max": entry["max"]},
    )
