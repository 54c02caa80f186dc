"""analysis_missingness: where values are missing, and what their absence depends on.

It finds columns that are missing in the very same rows or mostly together; runs of rows, outages, in which a column has
no value; columns that are missing more often at one end of the table than at the other; and columns whose absence
depends on another column: "delivery_date is missing in 61.0 % of the 21,034 rows with channel = partner and in 2.0 % of
the others (Cramér's V 0.63)." Values are then not missing completely at random, and a mean in their place misleads.

Every row is counted in one pass: for each column that lacks values, how many of its missing ones meet each value of
every category, each other missing column, and the mean of every number, all in 64 contiguous blocks of rows.
Dependence on a category is tested by Pearson's chi-square, divided by Rao and Scott's design effect, as neighbouring
rows are seldom independent; dependence on a number by Welch's difference of means, with the standard error of the block
jackknife. On a full scan every difference is significant, so that only those are reported whose interval lies beyond a
least size. Of the columns that a column's absence depends on, the finding names the one with the strongest tie, and
lists the others.

It costs about 12 ns a row and column that is read; rows where nothing is missing cost next to nothing.

``max_pairs`` keeps the pairs whose poorer column has the most values and the largest entropy; ``max_groups`` the most
frequent values of a category, all others together. What they left out is in the ledger.

It doesn't look at long text as a cause, and it can't tell absence that depends on the missing value itself.

References
----------
Rubin (1976), doi:10.1093/biomet/63.3.581; Little (1988), doi:10.1080/01621459.1988.10478722, whose test is not used,
as it needs all columns to be normal and rows to be independent; Rao and Scott (1984), doi:10.1214/aos/1176346391;
Künsch (1989), doi:10.1214/aos/1176347265.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from toolkit.plugin import BLOCKS, Chunk, Context, Finding, Reducer, Result, State, keep_findings, omission

from .dependence import Dependence, Outcome, category_test, number_test, position_test, together_test
from .findings import finding_of_dependence, finding_of_position, finding_of_run, finding_of_twins, finding_together
from .plan import Plan, make_plan
from .sums import AT, LONGEST, joined, no_rows, of_chunk

_RULE = "facts before tests, tests by p-value, then effect, then table order"
_PATTERNS = 20


class Plugin(Reducer):
    """Counts in one pass what `sums` describes.

    Examples
    --------
    >>> block_sizes(130)[:3].tolist(), int(block_sizes(130).sum())
    ([2, 2, 2], 130)
    """

    state_class = "tree"

    _plan: Plan | None = None

    @property
    def plan(self) -> Plan:
        """What is counted; the same in every process."""
        if self._plan is None:
            self._plan = make_plan(self.ctx)
        return self._plan

    def columns(self) -> list[str]:
        """Columns that lack values, and those that they are held against."""
        return self.plan.columns

    def init(self) -> State:
        """No rows."""
        return no_rows(self.plan)

    def update(self, state: State, chunk: Chunk) -> State:
        """Add a chunk."""
        return joined(state, of_chunk(self.plan, chunk, self.ctx.rows)) if self.plan.targets else state

    def merge(self, left: State, right: State) -> State:
        """Add two states."""
        return joined(left, right)

    def finish(self, state: State, ctx: Context) -> Result:
        """Test what was counted."""
        kernel = ctx.kernel("missing_patterns", *ctx.kernel_columns("missing_patterns")[0])
        plan = make_plan(ctx)
        blocks = dict(zip(kernel["columns"], kernel["blocks"], strict=True))
        findings = [finding_of_twins(ctx, t, plan.twins[t], int(blocks[t].sum())) for t in plan.twins]
        findings += _runs(ctx, plan, state, blocks)
        dependences, positions, together, n_tests = _tests(ctx, plan, state, blocks)
        findings += [finding_of_position(ctx, found) for found in positions]
        findings += [finding_together(found) for found in together]
        findings += [finding_of_dependence(ctx, plan, found) for found in strongest(dependences).values()]
        most = ctx.budget.max_findings
        if most is not None and len(findings) > most:
            ctx.omit(omission("max_findings", most, len(findings), _RULE, []))
            findings = keep_findings(findings, most, ctx.schema)
        pairs = len(plan.by_category) + len(plan.by_number)
        ctx.cover("pairs", pairs, pairs)
        return Result(_data(ctx, plan, kernel, dependences), findings, n_tests)


def strongest(found: list[Dependence]) -> dict[str, list[Dependence]]:
    """Dependences by their target, the strongest first; of equal ones the first in table order."""
    by_target: dict[str, list[Dependence]] = {}
    for dependence in found:
        by_target.setdefault(dependence.target, []).append(dependence)
    for entries in by_target.values():
        entries.sort(key=lambda d: -round(d.strength, 10))
    return by_target


def block_sizes(rows: int) -> Any:
    """Rows in each of the 64 blocks."""
    return np.diff([i * rows // BLOCKS for i in range(BLOCKS + 1)])


def _runs(ctx: Context, plan: Plan, state: State, blocks: dict[str, Any]) -> list[Finding]:
    found = []
    for name, run in zip(plan.targets, state["runs"], strict=True):
        at, length, missing = int(run[AT]), int(run[LONGEST]), int(blocks[name].sum())
        outside = (missing - length) / max(ctx.rows - length, 1)
        long = length >= ctx.params["run_rows"] and length >= ctx.params["run_share"] * missing
        if long and outside <= 0.5:  # else being missing is the rule, and the run none
            found.append(finding_of_run(ctx, name, at, length, missing))
    return found


def _tests(
    ctx: Context, plan: Plan, state: State, blocks: dict[str, Any]
) -> tuple[list[Dependence], list[Dependence], list[Dependence], int]:
    params, least = ctx.params, ctx.params["least_rows"]
    rows, minima = block_sizes(ctx.rows), (params["cramers_v"], params["null_rate"])
    levels = dict(zip(plan.categories, state["levels"], strict=True))
    totals = dict(zip(plan.numbers, state["numbers"], strict=True))
    outcomes: list[list[Outcome]] = [[], [], []]
    for pair, gone in zip(plan.by_category, state["by_category"], strict=True):
        outcomes[0].append(category_test(pair, gone, levels[pair[1]], least, minima))
    for pair, sums in zip(plan.by_number, state["by_number"], strict=True):
        outcomes[0].append(number_test(pair, sums, totals[pair[1]], least, params["hedges_g"]))
    outcomes[1] = [position_test(t, blocks[t], rows, params["null_rate"]) for t in plan.targets]
    for j, pair in enumerate(plan.both):
        gone = (blocks[pair[0]], blocks[pair[1]])
        outcomes[2].append(together_test(pair, state["both"][:, j], gone, rows, least, params["cramers_v"]))
    found = [[o.found for o in group if o.found is not None] for group in outcomes]
    return found[0], found[1], found[2], sum(o.tested for group in outcomes for o in group)


def _data(ctx: Context, plan: Plan, kernel: dict[str, Any], dependences: list[Dependence]) -> dict[str, Any]:
    missing = dict(zip(kernel["columns"], kernel["missing"].tolist(), strict=True))
    patterns = kernel["patterns"]
    return {
        "missing": missing,
        "share": {name: count / ctx.rows if ctx.rows else 0.0 for name, count in missing.items()},
        "missing_by_block": {
            name: blocks.tolist()
            for name, blocks in zip(kernel["columns"], kernel["blocks"], strict=True)
            if missing[name]
        },
        "patterns": None if patterns is None else patterns[:_PATTERNS],
        "different_patterns": None if patterns is None else len(patterns),
        "missing_in_the_same_rows": {t: list(others) for t, others in plan.twins.items()},
        "dependences": [
            {"column": d.target, "on": d.other, "strength": d.strength, "log10_p": d.log10_p} for d in dependences
        ],
    }
