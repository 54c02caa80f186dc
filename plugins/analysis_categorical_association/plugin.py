"""analysis_categorical_association: which categories go together, and in which combinations.

What it finds. Pairs of categories that depend on each other, with the combinations that stand out: "`payment` and
`region` go together (Cramér's V 0.34, 95 % interval 0.33 to 0.35, over 2,000,000 rows): `payment` "cheque" with
`region` "South" is in 18,240 rows, 6.2 times as many as expected."

Method. Every row is counted into a contingency table of each pair, exactly, and into one for each of 64 contiguous
blocks of rows. Pearson's chi-square is divided by Rao and Scott's design effect, which the blocks give, so that runs of
like rows don't pass for independent evidence. The effect is Cramér's V, corrected for bias, with the interval of the
block jackknife. A pair is a finding when it survives the false discovery rate and the whole interval is above the
smallest V that matters. Where that interval is above one half, that V is at most one half is tested as well, and twice
the smaller p-value counts: of many values the blocks tell little of each, however strong the tie is. With 2 x 2 values
and an expected count below 5, Fisher's exact test has to agree. Combinations are ordered by Haberman's adjusted
residual; how many times as common as expected they are comes with an interval too. They explain a pair that was found
and are no tests of their own.

Cost. One scan, shared with all other plugins; about 5 ns a row and pair. Memory is a table of at most 64 x 65 x 65
integers a pair.

Caps. ``max_pairs``: the first pairs stay. ``max_groups``, and 63 in any case: the most frequent values stay, the rest
are one group that is counted in every total. Values too rare for any expected count of 5 are in that group as well.

What it does not do. Rows in which one of the two is missing are left out of a pair. It does not say which of the two
causes the other, nor whether a third explains both. Long text and numbers are not looked at, nor columns of names, in
which most rows have none of the 63 commonest values.

References
----------
Haberman (1973), doi:10.2307/2529686. Bergsma (2013), doi:10.1016/j.jkss.2012.10.002. Rao and Scott (1984),
doi:10.1214/aos/1176346391. Thomas and Rao (1987), doi:10.1080/01621459.1987.10478474. Künsch (1989),
doi:10.1214/aos/1176347265. Benjamini and Hochberg (1995), doi:10.1111/j.2517-6161.1995.tb02031.x
"""

from __future__ import annotations

from toolkit.plugin import Context, Result, discoveries, round_significant

from .cells import strongest_cells
from .pairs import analyse
from .wording import finding_of


def run(ctx: Context) -> Result:
    """Test each pair of categories, and explain those that go together.

    Returns
    -------
    Result
        ``data["pairs"]`` has the statistics of every pair that could be tested, found or not.
    """
    pairs = [pair for names in ctx.kernel_columns("pairs") if (pair := analyse(ctx, *names)) is not None]
    findings = []
    for pair in pairs:
        if is_sure(pair.interval[0], ctx.params["cramers_v"]):
            cells = strongest_cells(pair, ctx.params["lift"], ctx.params["cells"])
            findings.append(finding_of(pair, cells, ctx))
    lasting = discoveries(findings, len(pairs), ctx.params["rate"])
    return Result(data={"pairs": [pair.to_json() for pair in pairs]}, findings=lasting, n_tests=len(pairs))


def is_sure(low: float, least: float) -> bool:
    """Whether an effect is sure to exceed the least that matters; the low end of its interval may be unknown.

    Examples
    --------
    >>> is_sure(0.3, 0.05), is_sure(0.04, 0.05), is_sure(float("nan"), 0.05)
    (True, False, False)
    """
    return round_significant(low) > least
