"""analysis_group_differences: groups whose numbers differ from those of all other rows, in level or in spread.

What it finds. "`minutes` is higher where `team` is "C": mean 43.1 against 24.0 elsewhere, median 41 against 23 (Hedges'
g 0.71, 95 % interval 0.66 to 0.76). The 9 values of `team` make up 14.2 % of its variance, "C" 84.0 % of that." And in
the same way where values lie farther from their group's median, or closer to it.

Method. Count, mean and squares of a number in each group are summed along one fixed tree, in 64 contiguous blocks of
rows, about the groups' own means, so that neither the size of the numbers nor their order costs digits. Each group is
compared with all other rows together: Hedges' g for the level, and for the spread the ratio of the mean distances from
the groups' medians, which are what Brown and Forsythe's test compares. Errors come from the block jackknife, because
rows that follow each other are seldom independent, and the textbook's tests reject almost everything on a large table.
A group makes a finding when its whole interval is beyond the smallest effect that matters, a robust measure agrees
(Cliff's delta, or the ratio of the interquartile ranges, from exact counts over 1,024 quantile ranges), so that a few
extreme values are no difference, and it survives the false discovery rate over all groups of all pairs. Of several
groups of a pair the sentence names the one whose effect is the largest for sure. The p-value is the larger of that of
means and that of Wilcoxon's rank sums (for the spread, of distances from medians), divided by the same design effect:
the errors of a few skewed values follow their mean too closely. Fisher's and Welch's F, Kruskal and Wallis's H and
Brown and Forsythe's F stand in the data with the p-values that they have for independent rows, and in the evidence
Games and Howell's test of the group named against the five largest others; they decide nothing.

Cost. Two scans, shared with all other plugins, of about 40 ns a row and pair together. Memory is 0.8 MB a pair at most.

Caps. ``max_pairs``: the first pairs stay. ``max_groups``, and 63 in any case: the most frequent groups stay, the rest
are pooled; they are part of "elsewhere" and are not tested themselves.

What it does not do. Rows in which group or number is missing, NaN and infinities are left out. A difference is not
explained: it may come from a third column. Columns of names, in which most rows have none of the 63 commonest values,
are not groups; numbers that follow the order of the rows, such as counters, are not compared. A group that stands in a
few stretches of rows alone is not tested: it must be worth 8 of 16 blocks of equally many rows.

References
----------
Hedges (1981), doi:10.3102/10769986006002107. Cliff (1993), doi:10.1037/0033-2909.114.3.494. Künsch (1989),
doi:10.1214/aos/1176347265. Carter and others (2017), doi:10.1162/REST_a_00639. Welch (1951),
doi:10.1093/biomet/38.3-4.330. Kruskal and Wallis (1952), doi:10.1080/01621459.1952.10483441. Brown and Forsythe (1974),
doi:10.1080/01621459.1974.10482955. Games and Howell (1976), doi:10.3102/10769986001002113.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from toolkit.plugin import Context, Finding, Result, discoveries, round_significant
from toolkit.plugin.inference import beyond

from .comparison import Comparison, compare, delta_of
from .pair import Pair, pair_of
from .ranges import ranges_of
from .wording import finding_of


def run(ctx: Context) -> Result:
    """Compare each group of each category with all other rows, in each number.

    Returns
    -------
    Result
        ``data["pairs"]`` has the statistics of every pair of a category and a number that could be tested.
    """
    findings: list[Finding] = []
    data: list[dict[str, Any]] = []
    n_tests = 0
    for group, value in ctx.kernel_columns("pairs"):
        pair = pair_of(ctx, group, value)
        if pair is None:
            continue
        found = compare(pair, ctx.params["group_rows"])
        n_tests += len(found)
        data.append(pair.to_json() | {"compared": [c.to_json(pair) for c in found]})
        for what in ("level", "spread"):
            sure = [c for c in found if c.what == what and is_sure(pair, c, ctx.params)]
            if sure:
                findings.append(finding_of(ctx, pair, sure))
    return Result(data={"pairs": data}, findings=discoveries(findings, n_tests, ctx.params["rate"]), n_tests=n_tests)


def is_sure(pair: Pair, found: Comparison, params: Mapping[str, Any]) -> bool:
    """Whether a difference is sure to exceed the least that matters, and is none of a few extreme values."""
    low, high = (round_significant(end) for end in found.interval)
    if found.what == "level":
        delta = round_significant(delta_of(pair, found.place))
        return beyond(low, high, params["hedges_g"]) and same_side(found.effect, delta, params["cliffs_delta"])
    least = math.log(params["spread_ratio"])
    own, rest = ranges_of(pair, found.place)
    ratio = round_significant(math.log(own / rest)) if own > 0 < rest else 0.0
    return beyond(low, high, least) and same_side(found.effect, ratio, least)


def same_side(effect: float, robust: float, least: float) -> bool:
    """Whether a robust measure agrees with an effect, and reaches a least size.

    Examples
    --------
    >>> same_side(0.4, 0.3, 0.15), same_side(0.4, 0.1, 0.15), same_side(0.4, -0.3, 0.15)
    (True, False, False)
    """
    return abs(robust) >= least and (robust > 0) == (effect > 0)
