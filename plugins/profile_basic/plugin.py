"""profile_basic: what every column holds, what it is for, and what is odd about it."""

from __future__ import annotations

from typing import Any

from toolkit.plugin import Context, Finding, Result, omission

from . import count_findings, sentinels, text_findings, value_findings
from .columns import Profile, profile_column
from .look import Seen, Target, look
from .roles import role_of
from .texts import is_missing_mark, long_text_facts

ORDER = (
    "all_missing", "constant", "sentinel_value", "missing_marks", "infinite_values", "nan_beside_missing", "nan_values",
    "mostly_missing", "near_constant", "heaped_value", "numbers_as_text", "dates_as_text", "leading_zero_codes",
    "empty_text", "whole_numbers_as_float", "high_cardinality_text",
)  # fmt: skip
"""Kinds of findings, the ones that most change what an analysis says first."""

_MEAN_BYTES = 32
"""Numbers and dates are shorter on average."""


def run(ctx: Context) -> Result:
    """Profile every column.

    Returns
    -------
    Result
        ``data["columns"]`` has one entry a column, as report.json has it.
    """
    kept = set(ctx.columns())
    profiles = [profile_column(ctx, i, full=spec.name in kept) for i, spec in enumerate(ctx.schema)]
    for profile in profiles:
        _add_text_facts(ctx, profile)
        said = profile.spec.role
        verdict = (said, "declared when the table was converted") if said else role_of(profile, ctx.params)
        profile.entry["role"], profile.entry["role_reason"] = verdict
    findings = _findings(ctx, profiles)
    place = {spec.name: i for i, spec in enumerate(ctx.schema)}
    findings.sort(key=lambda f: (urgency(f.kind), place[f.columns[0]]))
    most = ctx.budget.max_findings
    if most is not None and len(findings) > most:
        rule = "the kinds that change most, then table order"
        ctx.omit(omission("max_findings", most, len(findings), rule, []))
        findings = findings[:most]
    return Result(data={"columns": [p.entry for p in profiles]}, findings=findings)


def urgency(kind: str) -> int:
    """Where findings of a kind come in the list; 0 is first.

    Examples
    --------
    >>> urgency("all_missing") < urgency("sentinel_value") < urgency("heaped_value")
    True
    """
    return ORDER.index(kind)


def _add_text_facts(ctx: Context, profile: Profile) -> None:
    """Look at long text that may be numbers or dates; coded text has been looked at through its categories."""
    spec, lengths = profile.spec, profile.entry.get("lengths")
    if spec.encoding != "long" or spec.kind != "string" or not profile.full or not lengths:
        return
    # Digits, signs, points and $ all stand before the colon: where the smallest text is above it, nothing begins so.
    if lengths["mean"] <= _MEAN_BYTES and profile.low < ":":
        profile.text = long_text_facts(ctx, spec.name, profile.count, ctx.params["text_share"])


def _findings(ctx: Context, profiles: list[Profile]) -> list[Finding]:
    plans = {p.name: _targets(p, ctx.params) for p in profiles}
    wanted = [name for name, targets in plans.items() if targets]
    most = ctx.params["located_columns"]
    if len(wanted) > most:
        rule = "values are located in the first columns in table order; the other columns' are not judged"
        ctx.omit(omission("located_columns", most, len(wanted), rule, wanted[most:]))
    targets = [(name, what, target) for name in wanted[:most] for what, target in plans[name].items()]
    places = look(ctx, [target for _, _, target in targets])
    seen: dict[str, dict[str, Seen]] = {}
    for (name, what, _), found in zip(targets, places, strict=True):
        seen.setdefault(name, {})[what] = found
    return [finding for p in profiles for finding in _of_column(ctx, p, seen.get(p.name, {}))]


def _targets(profile: Profile, params: dict[str, Any]) -> dict[str, Target]:
    """What a second look at a column is to find out."""
    found: dict[str, Target | None] = {
        "signs": count_findings.target_of(profile),
        "apart": sentinels.target_of(profile, params),
    }
    heap = sentinels.heap_of(profile, params)
    if heap is not None:
        found["heap"] = Target(profile.name, [heap[0]])
    marks = _marks(profile)
    if marks and profile.spec.encoding == "coded":
        found["marks"] = Target(profile.name, [value for value, _ in marks])
    return {what: target for what, target in found.items() if target is not None}


def _of_column(ctx: Context, profile: Profile, seen: dict[str, Seen]) -> list[Finding]:
    params, grid = ctx.params, ctx.grid
    missing = ctx.kernel("extremes", profile.name)["missing_by_chunk"]
    signs = seen.get("signs")
    found = count_findings.column_facts(profile, missing, signs, grid, params)
    kinds = {f.kind for f in found}
    if not profile.full or kinds & {"all_missing", "constant"}:
        return found
    apart: list[Any] = []
    if "apart" in seen:
        suspects = sentinels.suspects(profile, seen["apart"], params)
        apart = [s.value for s in suspects]
        found += [value_findings.sentinel(profile, s, grid) for s in suspects]
    heap = sentinels.heap_of(profile, params)
    if heap is not None and "near_constant" not in kinds and heap[0] not in apart:
        places = seen["heap"].places.get(heap[0]) if "heap" in seen else None
        found.append(value_findings.heap(profile, heap, places, grid))
    if profile.spec.kind == "string":
        found += _of_text(profile, seen, ctx)
    return found


def _of_text(profile: Profile, seen: dict[str, Seen], ctx: Context) -> list[Finding]:
    found = text_findings.disguised(profile, ctx.params["text_share"])
    marks = _marks(profile)
    if marks:
        places = seen["marks"].places if "marks" in seen else {}
        found.append(text_findings.missing_marks(profile, marks, places, ctx.grid))
    if profile.entry["empty"]:
        found.append(text_findings.empty_text(profile))
    distinct = profile.entry["distinct"]
    many = distinct >= ctx.params["many_texts"] and distinct >= ctx.params["high_cardinality"] * profile.count
    if many and profile.entry["role"] not in ("id", "key candidate"):
        found.append(text_findings.high_cardinality(profile))
    return found


def _marks(profile: Profile) -> list[list[Any]]:
    """Texts of a column that say that there is no value: of coded text all, of long text those among the commonest."""
    if profile.spec.kind != "string" or not profile.full:
        return []
    if profile.spec.encoding == "coded":
        return profile.text.marks if profile.text is not None else []
    return [entry for entry in profile.top if is_missing_mark(entry[0])]
