"""What a person should know of the columns that were changed, and of those that could not be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from toolkit.plugin import Finding

if TYPE_CHECKING:
    from .plugin import Column

_KINDS = {
    "int": "whole numbers",
    "float": "numbers",
    "bool": "yes or no",
    "date": "dates",
    "timestamp": "dates with times",
}
_WITH = {
    "point": " with a decimal point", "comma": " with a decimal comma", "dmy": ", the day first",
    "mdy": ", the month first", "ymd": ", the year first", "named": ", the month by name",
}  # fmt: skip
_SHOWN = 4
_LISTED = 12
_LONGEST = 40


def findings_of(columns: Iterable[Column]) -> list[Finding]:
    """Findings on all columns, in table order."""
    return [finding for column in columns for finding in _of(column)]


def _of(column: Column) -> Iterator[Finding]:
    verdict = column.verdict
    if verdict.problem == "units":
        yield _mixed(column)
    elif verdict.problem:
        yield _ambiguous(column)
    if verdict.format is not None:
        yield _normalised(column)
    elif column.untidy or column.relabelled:
        yield _tidied(column)


def _normalised(column: Column) -> Finding:
    form, evidence = column.verdict.format, dict(column.verdict.evidence)
    assert form is not None
    family, variant = form
    what = {"percent": "percentages"}.get(
        family, f"amounts in {family}" if family.isupper() else _KINDS[column.verdict.kind]
    )
    how = _WITH.get(variant, "") if column.verdict.kind != "int" else ""
    share = evidence["read"] / evidence["values"]
    gone = column.to_missing.total()
    listed = sorted(column.to_missing.items(), key=lambda s: (-s[1], s[0]))
    found = f"{evidence['read']:,} of {evidence['values']:,} values ({share:.1%})"
    sentence = f"{column.name} is text in which {found} are {what}{how}"
    if gone:
        shown = ", ".join(f"{_cut(text)!r} {n:,} times" for text, n in listed[:_SHOWN])
        more = f" and {len(listed) - _SHOWN:,} other spellings" if len(listed) > _SHOWN else ""
        sentence += f"; {gone:,} values became missing: {shown}{more}"
    evidence |= {
        "share": share,
        "became_missing": gone,
        "spellings": len(listed),
        "other_spellings": max(0, len(listed) - _SHOWN),
    }
    evidence["missing"] = [[text, n] for text, n in listed[:_LISTED]]
    kind = column.verdict.kind
    advice = f"Use {column.name} of the derived table, where it is of kind {kind}; its text stays in the source."
    return Finding("text_normalised", [column.name], f"{sentence}.", advice, effect=share, evidence=evidence)


def _ambiguous(column: Column) -> Finding:
    evidence = dict(column.verdict.evidence)
    (one, alone), (other, against) = ((k, v) for k, v in evidence.items() if k not in ("values", "read"))
    what = "dates" if column.verdict.problem == "order" else "numbers"
    sides = f"{alone:,} values can only be read{_WITH[one]}, {against:,} only{_WITH[other]}"
    found = f"{evidence['read']:,} of {evidence['values']:,} values"
    sentence = f"In {column.name}, {found} are {what}, but in which format can't be told: {sides}"
    advice = (
        f"Write {column.name} in one format, such as 2024-12-31 or 1234.5, and convert the source again; it stays text."
    )
    numbers: dict[str, Any] = {**evidence, f"only_{one}": alone, f"only_{other}": against}
    share = evidence["read"] / evidence["values"]
    return Finding("ambiguous_format", [column.name], f"{sentence}.", advice, effect=share, evidence=numbers)


def _mixed(column: Column) -> Finding:
    evidence = column.verdict.evidence
    units = ", ".join(
        f"{rows:,} in {'no unit' if unit == 'number' else unit}" for unit, rows in evidence["units"].items()
    )
    sentence = f"{column.name} holds amounts in several units: {units}, of {evidence['values']:,} values."
    advice = f"Split {column.name} by its unit, or convert the amounts to one, before you add them up; it stays text."
    return Finding("mixed_units", [column.name], sentence, advice, evidence=dict(evidence))


def _tidied(column: Column) -> Finding:
    labels = sorted(column.respelt.items())
    parts = []
    if column.untidy:
        parts.append(f"{column.untidy:,} values have spaces around them or characters in another spelling")
    if column.relabelled:
        shown = ", ".join(f"{_cut(a)!r} for {_cut(b)!r}" for a, b in labels[:_SHOWN])
        parts.append(f"{column.relabelled:,} values differ from a label in case alone, such as {shown}")
    evidence = {
        "untidy": column.untidy,
        "relabelled": column.relabelled,
        "labels": [list(pair) for pair in labels[:_LISTED]],
    }
    advice = f"Use {column.name} of the derived table, or mend the spellings of {column.name} where it is written."
    return Finding("text_tidied", [column.name], f"In {column.name}, {'; '.join(parts)}.", advice, evidence=evidence)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
