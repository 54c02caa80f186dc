"""Findings on text that is something else: numbers, dates, codes, signs for no value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolkit.plugin import ChunkGrid, Finding
from toolkit.plugin.wording import percent, quoted, shown

from .columns import Profile
from .count_findings import where
from .look import Places
from .values import scalar

_SHOWN_VALUES = 5
_MOST_LISTED = 20


def missing_marks(profile: Profile, marks: list[list[Any]], places: Mapping[Any, Places], grid: ChunkGrid) -> Finding:
    """Word the finding on texts that say that there is no value."""
    name, total = quoted(profile.name), sum(count for _, count in marks)
    share = total / profile.count
    listed = [{"value": value, "count": count} for value, count in marks]
    said = ", ".join(f"{shown(value)} {count:,} times" for value, count in marks[:_SHOWN_VALUES])
    more = f" and {len(marks) - _SHOWN_VALUES:,} more" if len(marks) > _SHOWN_VALUES else ""
    evidence: dict[str, Any] = {"count": total, "of": profile.count, "share": share, "values": listed[:_MOST_LISTED]}
    if more:
        evidence["more"] = len(marks) - _SHOWN_VALUES
    place = ""
    if len(marks) == 1 and marks[0][0] in places:
        found, rows = where(places[marks[0][0]], grid)
        place, evidence = f"; {found}", evidence | rows
    return Finding(
        kind="missing_marks",
        columns=[profile.name],
        sentence=f"Column {name} says that there is no value in {total:,} of {profile.count:,} values "
        f"({percent(share)}): {said}{more}{place}.",
        recommendation=f"Treat {'this text' if len(marks) == 1 else 'these texts'} in {name} as missing.",
        effect=share,
        evidence=evidence,
    )


def empty_text(profile: Profile) -> Finding:
    """Word the finding on texts of no characters."""
    name, empty, missing = quoted(profile.name), profile.entry["empty"], profile.entry["missing"]
    beside = f", and missing in {missing:,} rows" if missing else ""
    return Finding(
        kind="empty_text",
        columns=[profile.name],
        sentence=f"Column {name} is a text of no characters in {empty:,} of {profile.count:,} values{beside}.",
        recommendation=f"Decide whether an empty text in {name} means that there is none; then treat it as missing.",
        effect=empty / profile.count,
        evidence={"count": empty, "of": profile.count, "missing": missing},
    )


def disguised(profile: Profile, share: float) -> list[Finding]:
    """Word the findings on text that holds numbers, dates, or codes with leading zeros."""
    text, name = profile.text, quoted(profile.name)
    if text is None or not text.count:
        return []
    others = [{"value": scalar(value, profile.spec), "count": count} for value, count in text.others]
    evidence = {"of": text.count, "others": others}
    if text.leading_zeros and text.digits >= share * text.count:
        return [Finding(
            kind="leading_zero_codes",
            columns=[profile.name],
            sentence=f"Column {name} holds digits alone in {text.digits:,} of {text.count:,} texts, and "
            f"{text.leading_zeros:,} of them begin with a zero: codes, not numbers.",
            recommendation=f"Keep {name} as text; as a number it would lose its leading zeros.",
            effect=text.leading_zeros / text.count,
            evidence={**evidence, "digits": text.digits, "leading_zeros": text.leading_zeros},
        )]  # fmt: skip
    for kind, count, what in (("numbers_as_text", text.numbers, "numbers"), ("dates_as_text", text.dates, "dates")):
        if count < share * text.count:
            continue
        share_of, rest = count / text.count, ""
        if count < text.count:
            rest = f"; {text.count - count:,} are not"
            if others:
                rest += f", most often {shown(others[0]['value'])} ({others[0]['count']:,} times)"
        return [Finding(
            kind=kind,
            columns=[profile.name],
            sentence=f"{count:,} of {text.count:,} texts in column {name} ({percent(share_of)}) are {what}{rest}.",
            recommendation=f"Convert {name} to {what}{', and treat what is none as missing' if rest else ''}.",
            effect=share_of,
            evidence={**evidence, "count": count, "share": share_of, "not": text.count - count},
        )]  # fmt: skip
    return []


def high_cardinality(profile: Profile) -> Finding:
    """Word the finding on text of which most values differ."""
    name, distinct = quoted(profile.name), profile.entry["distinct"]
    share = distinct / profile.count
    return Finding(
        kind="high_cardinality_text",
        columns=[profile.name],
        sentence=f"Column {name} has {distinct:,} distinct texts in {profile.count:,} values ({percent(share)}).",
        recommendation=f"Don't group by {name}; take it as free text, or cut it down to what repeats.",
        effect=share,
        evidence={"distinct": distinct, "of": profile.count, "share": share},
    )
