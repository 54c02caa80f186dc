"""analysis_sequential_patterns_prefixspan: patterns that many cases go through, and those that go with how cases end.

What it finds. Sequences of activities, with anything between them, that occur in many cases; and those that separate
cases by their outcome: ""Reject" → "Edit" → "Reject" occurs in 6.1 % of 214,880 cases and in 57.0 % of the 16,100 whose
`outcome` is "cancelled": 9,177 of 13,108 cases with it end so (70.0 %; odds ratio 73.1, 95 % interval 69.9 to 76.5)."

Method. PrefixSpan, level by level: patterns grow by one activity, and only those that occur in enough cases grow
further. Each different sequence is looked at once, weighted by its cases, and all counts are exact. Where the different
sequences don't fit in memory together, each chunk's are looked at by themselves, once a level; chunks hold whole cases,
so the counts are the same. A closed pattern is one that no longer pattern contains that occurs in as many cases. Closed
patterns of two activities or more are tested against each outcome: chi-square with Rao and Scott's correction, and the
odds ratio with an interval from the jackknife over 16 stretches of time. Activities of nearly all cases, and those that
are but the record of one outcome (a cancellation of cancelled cases), are left out of these tests; a pattern that
nearly all cases of an outcome have is tested and not told. Each pattern with each outcome is a test; a finding has a
q-value of at most 5 % within the plugin.

Cost. Two passes over the sorted log, and one more for each length where sequences don't fit, about 1 microsecond an
event; and of each frequent pattern, of which there are at most 2,000 of a length, an estimated 60 nanoseconds for each
different sequence that has it. 64 MB at most for sequences.

Caps. ``max_groups`` keeps the most frequent activities; the others are no part of patterns. ``max_pairs`` (2,000 for
this plugin) bounds the patterns of one length: where more are frequent, the least number of cases is raised to the
smallest that fits, and told. Cases are never left out.

What it does not do. Patterns are no causes. It looks for no rare patterns, and for none of more activities than
``longest``. Without a column whose name says outcome, result, resolution or the like, and that is the same in all rows
of a case (or is named by ``outcome``), nothing is tested.

References
----------
Pei and others (2001), doi:10.1109/ICDE.2001.914830; (2004), doi:10.1109/TKDE.2004.77. Rao and Scott (1984),
doi:10.1214/aos/1176346391. Künsch (1989), doi:10.1214/aos/1176347265.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from toolkit.plugin import Context, Finding, Result, discoveries, omission
from toolkit.plugin.eventlog import CASE_BLOCKS, Roles

from .findings import separation, summary
from .mining import Pattern, closed_patterns, frequent, occurrences
from .outcomes import Separation, separations, telling_patterns
from .sequences import Sequences

_MOST = 1 << 20


def run(ctx: Context) -> Result:
    """Find the patterns, then hold them against outcomes.

    Returns
    -------
    Result
        ``data["patterns"]`` has all frequent patterns as lists of sets, with their cases and whether they are closed.

    Examples
    --------
    >>> closed_patterns({((0,),): 4, ((0,), (1,)): 4})
    [((0,), (1,))]
    """
    profile = ctx.result("profile_eventlog").data
    roles = Roles.of(profile)
    sequences = Sequences(ctx, roles, profile)
    if sequences.groups.omission is not None:
        ctx.omit(sequences.groups.omission)
    wanted = max(math.ceil(ctx.params["support"] * sequences.cases - 1e-9), 2)
    cap, items = ctx.budget.max_pairs or _MOST, sequences.items
    found, least = frequent(sequences, len(items), wanted, ctx.params["longest"], cap)
    if least > wanted:
        rule = f"patterns of a length are at most {cap:,}: those that occur in at least {least:,} cases, not {wanted:,}"
        what = f"patterns that occur in fewer than {least:,} cases"
        ctx.omit({**omission("max_pairs", cap, cap + 1, rule, []), "what": what})
    closed = closed_patterns(found)
    facts = [summary(ctx, roles, items, found, closed, cases=sequences.cases, least=least)] if closed else []
    tests, left_out = held_against(ctx, sequences, found)
    clear = clearest(tests, ctx.params["odds_ratio"], ctx.params["ubiquitous"])
    told = [separation(ctx, roles, items, sequences.outcome, test) for test in clear]
    shown = set(closed)
    data: dict[str, Any] = {
        "cases": sequences.cases,
        "least": least,
        "patterns": [[[[items[i] for i in g] for g in p], n, p in shown] for p, n in found.items()],
        "closed": len(closed),
        "outcome": {"column": sequences.outcome.column, "levels": list(sequences.outcome.labels)},
        "not_tested": [items[i] for i in left_out],
    }
    findings: list[Finding] = [*facts, *discoveries(told, len(tests), ctx.params["rate"])]
    return Result(data, findings, n_tests=len(tests))


def held_against(ctx: Context, sequences: Sequences, found: dict[Pattern, int]) -> tuple[list[Separation], list[int]]:
    """Tests of patterns against outcomes, and the activities that are no part of them."""
    if not sequences.outcome.column or not found:
        return [], []
    cells = sequences.outcome.cells
    single = occurrences(sequences, [((i,),) for i in range(len(sequences.items))], cells)
    by_outcome = single.reshape(len(single), -1, CASE_BLOCKS).sum(axis=2)
    patterns, left_out = telling_patterns(found, by_outcome, sequences.cases, ctx.params)
    totals = np.stack([piece.weights.sum(axis=0) for piece in sequences()]).sum(axis=0)
    return separations(patterns, occurrences(sequences, patterns, cells), totals), left_out


def clearest(tests: list[Separation], least: float, ubiquitous: float) -> list[Separation]:
    """Of each outcome the pattern that is surest to be much more common with it; ties by pattern."""
    best: dict[int, Separation] = {}
    for test in tests:
        known = best.get(test.level)
        if test.sure(least, ubiquitous) and (known is None or test.interval[0] > known.interval[0]):
            best[test.level] = test
    return [best[level] for level in sorted(best)]
