"""analysis_outliers_robust: values far outside, where they are, and with what they go.

What it finds. Values more than ten robust deviations from the median: "327 of 1,982,331 values of `weight_kg` are more
than 10 robust deviations above the median 72 (1,210 to 81,000); 325 of them (99.4 %) are plausible over 1,000: another
unit." And the category that they go with: "Far values of `weight_kg` are 3.9 times as common where `site` is "B"."

Method. Median and MAD (the median distance from it, times 1.4826) are exact, over all rows, and the MAD is taken on
each side of the median by itself, so that a skewed column has a far fence where it is long. Both stay where they are
until half of the values are outliers, unlike mean and standard deviation. Where more than half of the values on a side
are equal, the scale is taken from one of the quantiles of the others, and the sentence says so. A value of a column
without negative ones must be far on the scale of the logarithm too, or every long-tailed column would be full of
outliers. A factor explains the far values when nine in ten of them are within 3.5 deviations over it, and they are
spread about the median and the middle half as the column is. Whether far values go with a category is tested by
chi-square with Rao and Scott's correction for rows that depend on their neighbours, over 64 blocks of rows; how much,
is a ratio of shares (lift) with a jackknife interval. Far values that stand in less than about half of the sixteenths
of the table are not held against categories: their rows say more. Being far is a fact and has no p-value; the link is
a test.

Cost. The kernels' fences (about three scans, shared), and one pass over the columns that have far values; about 3 ns a
row and column.

Caps. ``max_cols`` takes the first numeric columns in table order; ``max_pairs`` (500 unless the policy says more for
this plugin) the pairs of a column and a category in table order. Of a category the 63 most frequent values are told
apart. The rows listed are the farthest; all are counted.

What it does not do. Values too small by a factor lie within the fences of a positive column and are not seen. More
than a tenth of the values is another population and left to other analyses. Rows that are odd only in combination are
not looked for.

References
----------
10.1080/01621459.1993.10476408, 10.1016/j.jesp.2013.03.013, 10.1214/aos/1176346391, 10.1111/j.2517-6161.1995.tb02031.x
"""

from __future__ import annotations

from typing import Any

from toolkit.plugin import Chunk, Context, Reducer, Result, State

from .counts import joined, no_rows, of_chunk
from .findings import far_values, links
from .targets import Plan, make_plan


class Plugin(Reducer):
    """Counts far values by chunk, by factor, and by category; see `counts.no_rows` for the state.

    Examples
    --------
    >>> Plugin.state_class
    'exact'
    """

    state_class = "exact"

    _plan: Plan | None = None

    @property
    def plan(self) -> Plan:
        """What is counted."""
        if self._plan is None:
            self._plan = make_plan(self.ctx)
        return self._plan

    def columns(self) -> list[str]:
        """Columns with far values, and the categories."""
        columns = dict.fromkeys(t.column for t in self.plan.targets)
        return [*columns, *dict.fromkeys(c for _, c in self.plan.pairs)]

    def init(self) -> State:
        """No rows."""
        return no_rows(self.plan, self.ctx.grid.n_chunks)

    def update(self, state: State, chunk: Chunk) -> State:
        """Add a chunk."""
        if not self.plan.targets:
            return state
        return joined(state, of_chunk(self.plan, chunk, self.ctx), self.plan)

    def merge(self, left: State, right: State) -> State:
        """Add two states."""
        return joined(left, right, self.plan)

    def finish(self, state: State, ctx: Context) -> Result:
        """Word what was counted.

        Returns
        -------
        Result
            ``data["columns"]``: by column the median, the scales of both sides and their rules, and how many values lie
            beyond 3.5, 5 and 10 of them; ``data["links"]``: every link that was tested.
        """
        plan = make_plan(ctx)
        columns = {}
        for (name,) in ctx.kernel_columns("extreme_rows"):
            found = ctx.kernel("extreme_rows", name)
            columns[name] = _described(found)
        found, tested, n_tests = links(ctx, plan, state)
        return Result({"columns": columns, "links": tested}, far_values(ctx, plan, state) + found, n_tests)


def _described(found: dict[str, Any]) -> dict[str, Any]:
    names = ("median", "scale_low", "scale_high", "rule_low", "rule_high")
    return {**{n: found.get(n) for n in names}, "beyond": {"low": found["below"], "high": found["above"]}}
