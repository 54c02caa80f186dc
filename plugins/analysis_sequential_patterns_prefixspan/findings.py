"""Patterns in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from toolkit.plugin import Context, Finding
from toolkit.plugin.eventlog import Roles
from toolkit.plugin.places import all_rows
from toolkit.plugin.wording import percent, quoted, shown

from .mining import Pattern
from .outcomes import Separation
from .sequences import Outcome


def written(pattern: Pattern, items: Sequence[str]) -> str:
    """A pattern as a sentence has it.

    Examples
    --------
    >>> written(((0,), (1, 2)), ["Reject", "Edit", "Call"])
    '"Reject" → ("Edit" and "Call")'
    """
    sets = [[shown(items[item]) for item in group] for group in pattern]
    return " → ".join(group[0] if len(group) == 1 else f"({' and '.join(group)})" for group in sets)


def summary(
    ctx: Context,
    roles: Roles,
    items: Sequence[str],
    found: Mapping[Pattern, int],
    closed: Sequence[Pattern],
    *,
    cases: int,
    least: int,
) -> Finding:
    """How many patterns there are, and the longest that most cases share."""
    longest = max(sum(map(len, p)) for p in closed)
    best = min((p for p in closed if sum(map(len, p)) == longest), key=lambda p: (-found[p], p))
    share, least_share = percent(found[best] / cases), percent(least / cases)
    said = (
        f"{len(found):,} patterns of up to {longest} activities occur in at least {least:,} of {cases:,} cases "
        f"({least_share}), {len(closed):,} of them in no longer one of as many cases; of the longest, "
        f"{written(best, items)} is the most frequent: {found[best]:,} cases ({share})."
    )
    advice = f"Look for patterns of {quoted(roles.activity)} that should not be so common, such as work done twice."
    evidence = {
        "patterns": len(found), "closed": len(closed), "longest": longest, "least": least, "cases": cases,
        "least_share": least_share, "pattern_cases": found[best], "share": share,
        "pattern": [[items[i] for i in group] for group in best], **all_rows(ctx.grid),
    }  # fmt: skip
    columns = [roles.case, roles.activity]
    return Finding("frequent_patterns", columns, said, advice, found[best] / cases, evidence=evidence)


def separation(ctx: Context, roles: Roles, items: Sequence[str], outcome: Outcome, test: Separation) -> Finding:
    """That a pattern goes with an outcome."""
    level, pattern = shown(outcome.labels[test.level]), written(test.pattern, items)
    overall, inside = percent(test.with_pattern / test.cases), percent(test.inside / test.with_level)
    ending = percent(test.inside / test.with_pattern)
    low, high = test.interval
    ratio, shown_low, shown_high = (f"{x:.3g}" for x in (test.odds_ratio, low, high))
    said = (
        f"{pattern} occurs in {overall} of {test.cases:,} cases and in {inside} of the {test.with_level:,} whose "
        f"{quoted(outcome.column)} is {level}: {test.inside:,} of {test.with_pattern:,} cases with it end so ({ending}"
        f"; odds ratio {ratio}, 95 % interval {shown_low} to {shown_high})."
    )
    advice = f"Look at what leads to {pattern} in {quoted(roles.activity)}, and whether such cases need to end {level}."
    evidence = {
        "pattern": [[items[i] for i in group] for group in test.pattern], "outcome": outcome.labels[test.level],
        "cases": test.cases, "with_pattern": test.with_pattern, "with_outcome": test.with_level, "inside": test.inside,
        "share": overall, "share_of_outcome": inside, "share_of_pattern": ending, "odds_ratio": ratio, "low": shown_low,
        "high": shown_high, "confidence": 95, **all_rows(ctx.grid),
    }  # fmt: skip
    return Finding(
        "pattern_goes_with_outcome",
        [roles.case, roles.activity, outcome.column],
        said,
        advice,
        effect=test.odds_ratio,
        measure="odds_ratio",
        interval=test.interval,
        log10_p=test.log10_p,
        evidence=evidence,
        references=["10.1109/TKDE.2004.77"],
    )
