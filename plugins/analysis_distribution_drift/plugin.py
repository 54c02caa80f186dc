"""analysis_distribution_drift: columns whose values change along the table.

What it finds. ""EUR" is 80.0 % of `currency` before about row 1,406,250 and 55.2 % from there on (-24.8 points, 95 %
interval -26.0 to -23.6; stability index 0.31)." Of numbers: ""`load` is higher from about row 1,593,750 on: median 298
before, 351 after (Cliff's delta 0.24, ...)", or more or less spread.

Method. Every row is counted by its level (a category, or one of 1,024 quantile ranges of all values) and by the 64
contiguous blocks of rows that it lies in. The yardstick of a change is the variation among blocks, never the number of
rows: on a large table whose rows depend on their neighbours, Kolmogorov and Smirnov's p-value rejects nearly always.
Each block has a mean rank (level), a mean distance from the middle rank (spread), or the share of a category. Welch's t
compares the first half of the blocks with the second; Student's t is taken at every split that leaves an eighth of the
blocks on either side, its smallest p-value times the number of splits; the smaller of the two, doubled, is the test.
Blocks that follow each other are joined, down to 16, as long as what is left of them beside the change has an
autocorrelation above 0.2. How far dependence reaches is not known, so 16 blocks are always tested as well, as they are
and by their log odds; the largest p-value and the widest interval count. A change is a finding when its whole interval
is beyond the least that matters and it survives the false discovery rate over all tests. The stability index,
Kolmogorov and Smirnov's distance, Jensen and Shannon's divergence and bounds of Wasserstein's distance say how large it
is.

Cost. One scan after that of the quantiles, shared with all other plugins; about 10 ns a row and column. Memory is
0.5 MB a column.

Caps. ``max_cols``: the first columns stay. ``max_groups``, and 63 in any case: the most frequent categories stay, the
rest are pooled and not tested, but counted in every total.

What it does not do. The order is that of the rows, so sort the table by time for changes in time. Missing values are
left out, and so are times. Numbers that follow the order of the rows (counters) are told apart and not tested. Of
several changes the largest is told; one that comes and goes within an eighth of the table is not seen.

References
----------
Welch (1947), doi:10.1093/biomet/34.1-2.28. Cliff (1993), doi:10.1037/0033-2909.114.3.494. Smirnov (1948),
doi:10.1214/aoms/1177730256. Lin (1991), doi:10.1109/18.61115. Ramdas and others (2017), doi:10.3390/e19020047. Gama and
others (2014), doi:10.1145/2523813.
"""

from __future__ import annotations

from typing import Any

from toolkit.plugin import Context, Finding, Result, discoveries, round_significant
from toolkit.plugin.inference import beyond

from .column import category_drifts, number_drifts
from .wording import MEASURES, finding_of


def run(ctx: Context) -> Result:
    """Compare earlier and later blocks of rows in every column.

    Returns
    -------
    Result
        ``data["columns"]`` has the tests of every column; ``follows_rows`` those that stand for the place of the row.
    """
    findings: list[Finding] = []
    data: list[dict[str, Any]] = []
    follows: list[str] = []
    n_tests = 0
    for (name,) in ctx.kernel_columns("block_codes"):
        codes = ctx.kernel("block_codes", name)
        if codes["levels"]["kind"] == "categories" or ctx.schema[name].kind == "bool":
            drifts = category_drifts(ctx, name, codes)
        else:
            found = number_drifts(ctx, name, codes)
            follows += [name] if found is None else []
            drifts = found or []
        n_tests += len(drifts)
        data.append({"column": name, "tests": [d.to_json() for d in drifts]})
        sure = [d for d in drifts if is_sure(d.interval, ctx.params[MEASURES[d.what]])]
        if sure:  # one finding a column: a change in level is seen in the spread of ranks too
            first = min(sure, key=lambda d: (d.what == "spread", round_significant(d.change.log10_p)))
            findings.append(finding_of(ctx, first, len(sure) - 1))
    lasting = discoveries(findings, n_tests, ctx.params["rate"])
    return Result(data={"columns": data, "follows_rows": follows}, findings=lasting, n_tests=n_tests)


def is_sure(interval: tuple[float, float], least: float) -> bool:
    """Whether a change is sure to exceed the least that matters, on either side.

    Examples
    --------
    >>> is_sure((0.06, 0.14), 0.05), is_sure((-0.14, -0.06), 0.05), is_sure((0.04, 0.14), 0.05)
    (True, True, False)
    """
    low, high = (round_significant(end) for end in interval)
    return beyond(low, high, least)
