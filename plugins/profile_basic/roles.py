"""What a column is for, and the facts that say so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from toolkit.plugin.wording import percent, shown

from .columns import Profile

_ID_NAME = re.compile(r"(?:^|[^a-z])(?:id|ids|key|uuid|guid|pk|rowid|nr|no|num|number|code|ref|hash)(?:$|[^a-z])")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_LONG_TEXT = 40.0
_FEW_OF_MANY = 0.05

Verdict = tuple[str | None, str]


def role_of(profile: Profile, params: Mapping[str, Any]) -> Verdict:
    """Decide on the role of a column.

    Parameters
    ----------
    profile : Profile
        The column.
    params : mapping
        ``category_values``, ``category_numbers``, ``text_share``.

    Returns
    -------
    role : str or None
        ``empty``, ``constant``, ``flag``, ``timestamp``, ``duration``, ``id``, ``key candidate``, ``code``,
        ``category``, ``measure`` or ``text``; None where nothing can be said.
    reason : str
        The facts that decided it.
    """
    kind, entry = profile.spec.kind, profile.entry
    if not profile.numbers:
        return "empty", "no value is present"
    if not profile.full:
        return None, "the budget's max_cols left its values unlooked at"
    if entry["distinct"] == 1:
        return "constant", f"one value, {shown(entry['min'])}"
    if kind == "bool" or (entry["distinct"] == 2 and kind not in ("timestamp", "date")):
        return (
            "flag",
            f"two values, {shown(entry['min'])} and {shown(entry['max'])}" if kind != "bool" else "true or false",
        )
    if kind in ("timestamp", "date", "time"):
        return "timestamp", "times of day" if kind == "time" else "dates" if kind == "date" else "instants"
    if kind == "duration":
        return "duration", "lengths of time"
    if kind == "decimal" or (kind == "float" and not profile.integral):
        return "measure", "numbers with fractions"
    return _of_integers(profile, params) if kind in ("int", "float") else _of_texts(profile, params)


def has_id_name(name: str) -> bool:
    """Whether a name has a word that identifiers have.

    Examples
    --------
    >>> has_id_name("orderId"), has_id_name("case_no"), has_id_name("paid")
    (True, True, False)
    """
    return _ID_NAME.search(_CAMEL.sub("_", name).lower()) is not None


def _unique(profile: Profile) -> Verdict | None:
    """Whether every row has a value of its own."""
    if profile.count < profile.rows or profile.entry["distinct"] != profile.count or profile.count < 2:
        return None
    reason = f"all {profile.count:,} values differ and none is missing"
    if profile.spec.kind == "int" and profile.high - profile.low == profile.count - 1:
        return "id", f"{reason}; a run of numbers without a gap"
    if has_id_name(profile.name):
        return "id", f"{reason}; named like an identifier"
    lengths = profile.entry.get("lengths")
    if lengths and lengths["min"] == lengths["max"]:
        return "id", f"{reason}; each is {lengths['min']} bytes long"
    return "key candidate", reason


def _of_integers(profile: Profile, params: Mapping[str, Any]) -> Verdict:
    unique = _unique(profile) if profile.spec.kind == "int" else None
    if unique is not None:
        return unique
    distinct, count = profile.entry["distinct"], profile.count
    said = f"{distinct:,} distinct whole numbers in {count:,} values"
    if has_id_name(profile.name) and distinct > params["category_values"]:
        return "id", f"{said}; named like an identifier"
    if distinct <= params["category_numbers"] and distinct <= _FEW_OF_MANY * count:
        return "category", said
    return "measure", said


def _of_texts(profile: Profile, params: Mapping[str, Any]) -> Verdict:
    entry, text = profile.entry, profile.text
    if profile.spec.kind == "binary":
        return None, "binary values"
    unique = _unique(profile)
    if unique is not None and (unique[0] == "id" or entry["lengths"]["mean"] <= _LONG_TEXT):
        return unique
    distinct, count = entry["distinct"], profile.count
    said = f"{distinct:,} distinct texts in {count:,} values"
    if text is not None and text.leading_zeros and text.digits >= params["text_share"] * text.count:
        return "code", f"digits with leading zeros in {percent(text.leading_zeros / text.count)} of the values"
    long = entry["lengths"]["mean"] > _LONG_TEXT
    if not long and (distinct <= params["category_values"] or distinct <= _FEW_OF_MANY * count):
        return "category", said
    if has_id_name(profile.name) and not long:
        return "id", f"{said}; named like an identifier"
    return "text", f"{said}, {entry['lengths']['mean']:.1f} bytes long on average"
