"""analysis_process_bottlenecks: where the time of a process goes, and when and for whom its longest wait is longer.

What it finds. Activities that cases wait for, or that take long: "Waiting before "Check credit" takes 58.1 % of the
time of all cases (95 % interval 57.2 to 59.0 %): 203,510 waits, median 24.2 hours, one in ten longer than 3.9 days."
And what the longest wait goes with: "Waits before "Check credit" are longer where `priority` is "low": median about 3.0
days, 23.9 hours for all others (Cliff's delta 0.53, 95 % interval 0.50 to 0.56; 50,340 of 203,510)", also for the
hour and the day of the week at which a wait began.

Method. Between two events of a case lies a wait: from the end of the first, where the log has ends, to the start of the
second; from start to end an activity takes its time. Where an event has but one time, what lies between two is told as
the time up to the second, unless the lifecycle says that an activity started with the first and completed with it. All
lengths are added up exactly, and counted in ranges of one part in 128. The share of a bottleneck comes with an interval
from the jackknife over 16 stretches of time with equally many cases. For the activity with the longest sum of waits,
each level of a category is compared with all others by Cliff's delta, with the same jackknife, as neighbouring cases
depend on each other; each level is a test, and a finding has a q-value of at most 5 % within the plugin and an interval
beyond the least that matters.

Cost. Three passes over the sorted log, about 1 microsecond an event; 25 MB for 200 activities, 2 MB for a category.

Caps. ``max_groups`` (200 unless the policy says more for this plugin) keeps the most frequent activities, the others
are one; ``max_cols`` (20) takes the first categories in table order. Of a category the 15 most frequent levels are
compared, the rest is counted with the others.

What it does not do. It does not say why: a wait may be a queue, a rule or a weekend. Time off is not taken out. A step
to an event that repeats the one before it (same activity, same time) is left out; where the next starts before the last
has ended, the wait is 0.

References
----------
van der Aalst, Adriansyah and van Dongen (2012), doi:10.1002/widm.1045. Little (1961), doi:10.1287/opre.9.3.383. Cliff
(1993), doi:10.1037/0033-2909.114.3.494. Künsch (1989), doi:10.1214/aos/1176347265.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from toolkit.plugin import Chunk, Context, Groups, Result, State, StateClass, discoveries, keep_groups
from toolkit.plugin.eventlog import CaseReducer, Labels, block_of_cases, block_starts, case_log, starts_by_slice

from .factors import Factor, compared, factors_of, level_counts, tabled
from .findings import bottleneck, difference, where_time_goes
from .steps import Stages, Steps, stages_of, steps_of
from .sums import no_times, times, worst


class Plugin(CaseReducer):
    """Activities, levels and starts of cases in the first pass, times in the second, the longest wait in the third.

    Examples
    --------
    >>> Plugin.state_class
    'exact'
    """

    state_class: ClassVar[StateClass] = "exact"
    passes = 3

    @cached_property
    def first(self) -> State:
        """What the first pass counted, in whichever pass that is looked at."""
        return self.former if self.pass_number == 1 else self.former["first"]

    @cached_property
    def stages(self) -> Stages | None:
        """Starts and completions of activities, where the log tells them apart by its lifecycle alone."""
        if not self.roles.lifecycle or self.roles.start or self.roles.end:
            return None
        return stages_of(Labels(self.ctx, self.roles.lifecycle))

    @cached_property
    def groups(self) -> Groups:
        """The activities that have a place of their own."""
        return keep_groups(self.first["activities"], self.ctx.budget.max_groups, self.labels.names)

    @cached_property
    def bounds(self) -> Any:
        """Slices of time at which blocks of cases begin."""
        return block_starts(self.first["starts"])

    @cached_property
    def longest(self) -> int:
        """The activity with the longest sum of waits."""
        return worst(self.former["times"])

    @cached_property
    def factors(self) -> list[Factor]:
        """What the longest wait may go with."""
        return factors_of(self.ctx, self.roles, self.first["levels"])

    def columns(self) -> list[str]:
        """Columns with a role, and in the passes that need them, categories."""
        used = list(dict.fromkeys([*self.roles.given.values(), *self._categories()]))
        return [name for name in self.ctx.schema.names if name in used]

    def init(self) -> State:
        """Tables of nothing."""
        if self.pass_number == 0:
            levels = {name: level_counts(self.ctx.schema[name]) for name in self._categories()}
            activities = np.zeros(len(self.labels), np.int64)
            return {"activities": activities, "levels": levels, "starts": starts_by_slice(None, self.profile)}
        if self.pass_number == 1:
            return {"first": self.first, "times": no_times(len(self.groups.counts))}
        return {"tables": [f.nothing() for f in self.factors]}

    def update(self, state: State, chunk: Chunk) -> State:
        """Count the cases of a chunk."""
        log = case_log(chunk, self.roles, self.labels)
        if self.pass_number == 0:
            found = {
                "activities": np.bincount(log.activity, minlength=state["activities"].size),
                "levels": {name: level_counts(chunk.spec(name), chunk) for name in state["levels"]},
                "starts": starts_by_slice(log, self.profile),
            }
            return _added(state, found)
        steps = steps_of(chunk, log, self.groups.of(log.activity), self.roles, self.stages)
        blocks = block_of_cases(log, self.profile, self.bounds)[log.case_of()]
        if self.pass_number == 1:
            found = times(steps, blocks, len(self.groups.counts))
            return {"first": state["first"], "times": _added(state["times"], found)}
        waits = steps.of(self.longest)
        return {"tables": _added(state["tables"], [tabled(f, chunk, waits, blocks) for f in self.factors])}

    def merge(self, left: State, right: State) -> State:
        """Add."""
        if self.pass_number == 1:
            return {"first": left["first"], "times": _added(left["times"], right["times"])}
        return _added(left, right)

    def finish(self, state: State, ctx: Context) -> Result:
        """Word what is sure."""
        kept = ctx.columns("categorical")  # also so that what a cap left out is recorded here
        ctx.cover("columns", len(ctx.columns("categorical", capped=False)), len(kept))
        unit, sums = ctx.schema[self.roles.timestamp].unit, self.former["times"]
        apart = bool(self.roles.start or self.roles.end or self.stages)
        if self.groups.omission is not None:
            ctx.omit(self.groups.omission)
        names = self.groups.labels(self.labels.names)
        steps = Steps.of_sums(sums, names, unit, apart=apart)
        facts = [bottleneck(ctx, self.roles, s) for s in steps[: ctx.params["listed"]] if s.sure(ctx.params["share"])]
        tests = []
        for factor, table in zip(self.factors, state["tables"], strict=True):
            tests += compared(ctx, factor, np.asarray(table), unit)
        sure = [t for t in tests if t.sure(ctx.params["cliffs_delta"])]
        told = [difference(ctx, self.roles, names[self.longest], t, apart=apart) for t in _one_a_factor(sure)]
        found = discoveries(told, len(tests), ctx.params["rate"])
        data = {
            "activities": [s.to_json() for s in steps],
            "longest_wait": names[self.longest],
            "tests": [t.to_json() for t in tests],
            "pictures": [where_time_goes(steps)] if steps else [],
        }
        return Result(data, [*facts, *found], n_tests=len(tests))

    def _categories(self) -> list[str]:
        needed = (self.roles.case, self.roles.activity)
        names = [name for name in self.ctx.columns("categorical") if name not in needed]
        return [name for name in names if self.ctx.schema[name].kind in ("string", "bool")]


def _one_a_factor(tests: list[Any]) -> list[Any]:
    """Of each factor the level with the largest effect; ties by level."""
    best: dict[str, Any] = {}
    for test in tests:
        known = best.get(test.factor.name)
        if known is None or abs(test.delta) > abs(known.delta):
            best[test.factor.name] = test
    return list(best.values())


def _added(left: Any, right: Any) -> Any:
    """The sum of two trees of arrays and numbers."""
    if isinstance(left, dict):
        return {key: _added(left[key], right[key]) for key in left}
    return [_added(a, b) for a, b in zip(left, right, strict=True)] if isinstance(left, list) else left + right
