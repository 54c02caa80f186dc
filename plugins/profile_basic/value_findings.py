"""Findings on numbers and times that stand for something else."""

from __future__ import annotations

from typing import Any

import numpy as np

from toolkit.plugin import ChunkGrid, Finding
from toolkit.plugin.wording import percent, quoted, shown

from .columns import Profile
from .count_findings import where
from .look import Places
from .sentinels import DAYS, FRACTIONS, NUMBERS, Suspect
from .values import days, scalar


def sentinel(profile: Profile, suspect: Suspect, grid: ChunkGrid) -> Finding:
    """Word the finding on a known value that lies apart from the rest."""
    spec, name, count = profile.spec, quoted(profile.name), suspect.places.count
    by_day = spec.kind in ("timestamp", "date")
    value, low, high = (
        str(np.datetime64(int(v), "D")) if by_day else scalar(v, spec) for v in (suspect.value, *suspect.rest)
    )
    place, evidence = where(suspect.places, grid)
    share = count / profile.numbers
    text, low_text, high_text = (v if by_day else shown(v) for v in (value, low, high))
    if suspect.why == "below zero":
        apart = f"the one negative value beside {low_text} to {high_text}"
    else:
        apart = f"far from all others ({low_text} to {high_text})"
    return Finding(
        kind="sentinel_value",
        columns=[profile.name],
        sentence=f"Column {name} is {text} in {count:,} of {profile.numbers:,} values ({percent(share)}), {apart}; "
        f"{place}.",
        recommendation=f"If {text} stands for no value in {name}, treat it as missing.",
        effect=share,
        evidence={"value": value, "count": count, "of": profile.numbers, "share": share,
                  "rest_min": low, "rest_max": high, **evidence},
    )  # fmt: skip


def heap(profile: Profile, found: tuple[Any, int, int], places: Places | None, grid: ChunkGrid) -> Finding:
    """Word the finding on a value that is far more common than any other."""
    raw, count, following = found
    name, value, share = quoted(profile.name), scalar(raw, profile.spec), count / profile.numbers
    place, evidence = ("", {}) if places is None else where(places, grid)
    if profile.spec.kind in ("timestamp", "date"):
        known = days(raw, profile.spec) in DAYS
    else:
        known = raw != 0 and raw in NUMBERS | FRACTIONS
    text = shown(value) if not isinstance(value, str) else value
    ratio = round(count / following, 1)
    return Finding(
        kind="sentinel_value" if known else "heaped_value",
        columns=[profile.name],
        sentence=f"Column {name} is {text} in {count:,} of {profile.numbers:,} values ({percent(share)}), "
        f"{shown(ratio)} times as often as any other value{f'; {place}' if place else ''}.",
        recommendation=f"Ask whether {text} in {name} is a measurement, a default or stands for no value; "
        "if it is none, treat it as missing.",
        effect=share,
        evidence={"value": value, "count": count, "of": profile.numbers, "share": share, "next_count": following,
                  "times_the_next": ratio, **evidence},
    )  # fmt: skip
