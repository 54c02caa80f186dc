"""analysis_benford: first and last digits of amounts, and who writes the ones that occur too often.

What it finds. Columns whose first two digits depart from Benford's law, first digits that occur more often than the law
and their neighbours say, last digits that heap: "First two digits 49 occur 2.1 times as often as Benford's law and the
digits around them say in `invoice_total`: 41,870 of 912,003 positive values." And the category that such rows go with:
"they are 9.8 times as common where `resource` is "billing-5"."

Method. Digits are those of the shortest decimal number that is read back as the value, so that no logarithm decides
about 4.9999. The distance from the law is the mean absolute deviation (MAD) of the 90 shares, named by Nigrini's bands;
what chance alone would make of it is taken off. That a column as a whole departs is told as a fact, for hardly any
column had to follow the law; its chi-square with Rao and Scott's correction stands in the evidence. Each first digit is
tested by its share over the law's and over that of the four digits around it (so that a column that follows no law
still shows its heaps), each last digit by its share over one in a hundred, with a jackknife over 64 blocks of rows, as
rows depend on their neighbours. Every digit counts as a test; a finding has a q-value of at most 5 % within the plugin,
and its interval lies beyond the least excess.

Cost. About 45 ns a row and column for the digits, and one pass over the columns that have an excess.

Caps. ``max_cols`` takes the first numeric columns in table order; ``max_pairs`` (500 unless the policy says more for
this plugin) the pairs of a column and a category in table order.

What it does not do. The law is for amounts that span orders of magnitude: columns that span less than two, have less
than 1,000 positive values or 100 distinct ones or one digit in a tenth of them, and keys, codes, categories and flags
by ``profile_basic`` are left out (``data["left_out"]`` says why), and so are columns of which more than a quarter is
not positive where some are negative. Other negative values are left out and counted. A departure is a reason to look,
no proof of anything.

References
----------
10.1214/ss/1177009869, 10.1002/9781119203094, 10.1214/aos/1176346391, 10.1214/aos/1176347265,
10.1111/j.2517-6161.1995.tb02031.x
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin import Chunk, Context, Reducer, Result, State, select_pairs
from toolkit.plugin.inference import q_values
from toolkit.plugin.marked_rows import count_levels, link_test

from .findings import of_excess, of_last, of_law, of_link
from .law import FIRST_TWO, Excess, Law, band, judge

UNFIT = ("id", "key candidate", "code", "category", "flag", "constant", "empty")
_CATEGORIES = ("category", "flag", "code")
_LEVEL = 0.05
_LOG10_LEVEL = math.log10(_LEVEL)
_LISTED = 5
_MOSTLY = 0.75
"""Share of values that are positive, from which a column with negative ones may be one of amounts."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Columns that were judged, those that were not, and what is counted by category: pairs of a law and a column."""

    laws: list[Law]
    left_out: dict[str, str]
    worst: dict[str, Excess]
    kept: dict[str, list[Excess]]
    pairs: list[tuple[str, str]]
    n_tests: int


class Plugin(Reducer):
    """Counts rows whose first digits occur too often, by category.

    The state holds ``marked`` and ``others``, for each pair of a column and a category int64 of shape (64, levels + 1):
    rows with the digits, and rows with a positive value and other digits, by block and level; and ``by_chunk``, rows
    with the digits by chunk, for each column that has an excess.

    Examples
    --------
    >>> within(np.array([490.0, 499.99, 500.0, 0.049, -49.0, np.nan]), 49).tolist()
    [True, True, False, True, False, False]
    """

    state_class = "exact"

    _plan: Plan | None = None

    @property
    def plan(self) -> Plan:
        """What is counted; the same in every process."""
        if self._plan is None:
            self._plan = make_plan(self.ctx)
        return self._plan

    def columns(self) -> list[str]:
        """Columns that have an excess, and the categories."""
        return [*self.plan.worst, *dict.fromkeys(c for _, c in self.plan.pairs)]

    def init(self) -> State:
        """No rows."""
        tables = [np.zeros((64, self._levels(c)["levels"] + 1), np.int64) for _, c in self.plan.pairs]
        chunks = np.zeros((len(self.plan.worst), self.ctx.grid.n_chunks), np.int64)
        return {"marked": tables, "others": [t.copy() for t in tables], "by_chunk": chunks}

    def _levels(self, category: str) -> Any:
        return self.ctx.kernel("block_codes", category)["levels"]

    def update(self, state: State, chunk: Chunk) -> State:
        """Add a chunk."""
        places = {}
        for i, (name, excess) in enumerate(self.plan.worst.items()):
            values = chunk.raw(name)
            positive = (values > 0) & chunk.valid(name)
            marked = within(values, excess.digits) & positive
            positive &= ~marked & (values < np.inf)
            places[name] = np.flatnonzero(marked), np.flatnonzero(positive)
            state["by_chunk"][i, chunk.index] += places[name][0].size
        for k, (name, category) in enumerate(self.plan.pairs):
            for table, chosen in zip(("marked", "others"), places[name], strict=True):
                state[table][k] = state[table][k] + count_levels(
                    self.ctx, chunk, category, self._levels(category), chosen
                )
        return state

    def merge(self, left: State, right: State) -> State:
        """Add the tables."""
        tables = {n: [a + b for a, b in zip(left[n], right[n], strict=True)] for n in ("marked", "others")}
        return {**tables, "by_chunk": left["by_chunk"] + right["by_chunk"]}

    def finish(self, state: State, ctx: Context) -> Result:
        """Word what was found.

        Returns
        -------
        Result
            ``data["columns"]``: by column ``n`` (positive values), ``mad``, ``band``, ``chi2``, ``df``,
            ``design_effect``, ``log10_p``, ``first_two`` (counts of 10 to 99), ``largest_deviations`` (the five digits
            whose counts are farthest from the law's); ``data["left_out"]``: why others were not judged.
        """
        plan, params = make_plan(ctx), ctx.params
        chunks = {name: np.flatnonzero(row).tolist() for name, row in zip(plan.worst, state["by_chunk"], strict=True)}
        links = []
        for k, (name, category) in enumerate(plan.pairs):
            levels = ctx.kernel("block_codes", category)["levels"]
            link = link_test(ctx, category, levels, state["marked"][k], state["others"][k])
            if link is not None:
                links.append((name, category, link))
        kept = _controlled([link.log10_p for _, _, link in links], len(links))
        findings = []
        for law in plan.laws:
            if law.deviation_low > params["mean_absolute_deviation"] and law.test.log10_p <= _LOG10_LEVEL:
                findings.append(of_law(law, ctx.grid))
            if law.column in plan.worst:
                findings.append(of_excess(law, plan.kept[law.column][:_LISTED], chunks[law.column], ctx.grid))
            heaps = [e for e in plan.kept.get(f"last {law.column}", ()) if e.interval[0] > params["heap"]]
            if heaps:
                findings.append(of_last(law, heaps[:_LISTED], ctx.grid))
        strong = [links[i] for i in kept if links[i][2].interval[0] > params["lift"]]
        strong.sort(key=lambda entry: -round(entry[2].lift, 9))
        findings += [of_link(plan.worst[name], name, c, link, chunks[name]) for name, c, link in strong]
        data = {"columns": {law.column: _described(law) for law in plan.laws}, "left_out": plan.left_out}
        return Result(data, findings, plan.n_tests + len(links))


def within(values: npt.NDArray[Any], digits: int) -> npt.NDArray[np.bool_]:
    """Which positive numbers begin with two digits.

    Bounds are decimal numbers as a reader of text would read them, so that 49 in 0.049 is where a person sees it.
    """
    powers = range(-307, 307)
    low = np.array([float(f"{digits}e{k}") for k in powers])
    high = np.array([float(f"{digits + 1}e{k}") for k in powers])
    size = np.where(values > 0, values, 0).astype(np.float64)
    place = np.maximum(np.searchsorted(low, size, side="right") - 1, 0)
    return np.asarray((size >= low[place]) & (size < high[place]))


def make_plan(ctx: Context) -> Plan:
    """Judge the columns by the kernels, and choose what is looked at row by row."""
    known = ctx.results["profile_basic"].data["columns"] if "profile_basic" in ctx.results else []
    roles = {entry["name"]: entry.get("role") for entry in known}
    laws, left_out = [], {}
    for name in ctx.columns():
        problem = f"it is a {roles[name]}" if roles.get(name) in UNFIT else _unfit(ctx, name)
        if problem:
            left_out[name] = problem
        else:
            laws.append(judge(name, ctx.kernel("digits", name), _median(ctx, name)))
    first = [(law.column, e) for law in laws for e in law.excesses]
    last = [(f"last {law.column}", e) for law in laws for e in law.last]
    tests = [*first, *last]
    kept: dict[str, list[Excess]] = {}
    for i in _controlled([e.log10_p for _, e in tests], len(tests)):
        name, excess = tests[i]
        if excess.interval[0] > ctx.params["excess"]:
            kept.setdefault(name, []).append(excess)
    worst = {law.column: kept[law.column][0] for law in laws if law.column in kept}
    categories = [c for (c,) in ctx.kernel_columns("block_codes") if roles.get(c, "category") in _CATEGORIES]
    categories = [c for c in categories if ctx.kernel("block_codes", c)["levels"]["levels"] >= 2]
    pairs, omitted = select_pairs(list(worst), ctx.budget.max_pairs, categories)
    if omitted is not None:
        ctx.omit(omitted)
    return Plan(laws, left_out, worst, kept, pairs, len(tests))


def _unfit(ctx: Context, name: str) -> str:
    """Why Benford's law is not for a column; empty when it may be."""
    digits, order = ctx.kernel("digits", name), ctx.kernel("order", name)
    params, n = ctx.params, int(digits["first_two"].sum())
    if n < params["least_values"]:
        return f"it has {n:,} positive values"
    if n < _MOSTLY * order["count"] and order["min"] < 0:
        return "less than three quarters of its values are positive, and some negative"
    if order["distinct"] < params["least_distinct"]:
        return f"it has {order['distinct']:,} distinct values"
    at = dict(zip(order["probabilities"], order["quantiles"], strict=True))
    # Of whole numbers below 10 the second digit is always 0, which would pass for a heap.
    share = n / order["count"]
    tenth = at[min(p for p in at if p >= 1.0 - 0.9 * share)]
    if tenth * 10 ** digits["decimals"] < 10:
        return "more than a tenth of its values have one digit"
    low = next((at[p] for p in (0.01, 0.05, 0.1, 0.25, 0.5) if at[p] > 0), 0)
    span = math.log10(at[0.99] / low) if low and math.isfinite(at[0.99]) and at[0.99] > 0 else 0.0
    return "" if span >= params["magnitudes"] else f"it spans {span:.1f} orders of magnitude"


def _median(ctx: Context, name: str) -> float:
    order = ctx.kernel("order", name)
    return float(dict(zip(order["probabilities"], order["quantiles"], strict=True))[0.5])


def _controlled(log10_p: list[float], n_tests: int) -> list[int]:
    """Places of the tests that Benjamini and Hochberg's procedure leaves."""
    small = [i for i, p in enumerate(log10_p) if p <= _LOG10_LEVEL]
    q = q_values([log10_p[i] for i in small], n_tests)
    return [i for i, value in zip(small, q, strict=True) if value <= _LEVEL]


def _described(law: Law) -> dict[str, Any]:
    distance = np.abs(np.array(law.counts) - law.n * FIRST_TWO)
    farthest = np.argsort(-np.round(distance, 6), kind="stable")[:_LISTED] + 10
    return {
        "n": law.n,
        "mad": law.deviation,
        "band": band(law.deviation),
        "chi2": law.test.chi2,
        "df": law.test.df,
        "design_effect": law.test.design_effect,
        "log10_p": law.test.log10_p,
        "first_two": law.counts,
        "largest_deviations": farthest.tolist(),
    }
