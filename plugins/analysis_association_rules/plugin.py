"""analysis_association_rules: combinations that make something more likely than any part of them does.

What it finds. In a table of categories, values of two or three columns that together foretell a value of another:
"Where `plan` is "basic" and `device` is "tv", `churn` is "yes" in 44.0 % of 21,159 rows, 2.19 times as often as where
`device` is "tv" (20.1 %); in all rows it is 12.0 %." In baskets, things that go together: "Baskets with "other
vegetables" and "citrus fruit" have "root vegetables" in 35.9 % of 284 cases, 1.47 times as often as those with "other
vegetables" (24.5 %); of all it is 10.9 %."

Method. Every transaction is read. Each item (a value of a column, or a thing) becomes a row of bits, and the support of
a combination is the number of bits that all its items share: exact, counted for one size of combinations after
another, from those whose parts are all frequent (Agrawal and others; bits by item after Zaki). A rule is held against
the best of all shorter rules on the same consequent, as Bayardo's improvement and Webb's productive rules ask for: a
combination that adds nothing to one of its parts is none. The test is chi-square of the rest of the rule and its
consequent among the transactions that have the shorter one, with Rao and Scott's correction from 64 blocks of rows, as
rows depend on their neighbours; the weakest of the tests against the best shorter rule and those that lack one item
counts. The effect is how many times as often the rule is right as the best shorter one, with the interval of the block
jackknife, which has to lie above ``lift``. All rules of all combinations that were counted are hypotheses, frequent or
not, but for those of which no test could find anything, as their parts are too rare or too common (Tarone). Of several
rules on the same columns, or the same things, the one with the smallest p-value is the finding, and the others stand in
its evidence. Pairs of columns are the business of `analysis_categorical_association`, and no findings here; pairs of
things in baskets are.

The table holds transactions in one of four layouts. ``columns``: a row is one, its items are "column is value" (three
columns of categories or more). ``wide``: a row is a basket, its things are the values of its columns, and the names of
columns that are true; taken by itself where text columns hold the same values and are ever emptier. ``basket`` and
``item`` name two columns, rows of one basket may stand anywhere; taken by itself for a table of two such columns.
``list`` names a text column with things between separators; taken by itself where fewer than three columns hold
categories.

Cost. One reading for each size of combinations, about 30 ns a row and column in all. Baskets are laid out in the
plugin's folder first (28 bytes a row for pairs), and read from there. Memory is 16 MiB of bits at a time and 512 bytes
for each combination that is counted.

Caps. ``max_groups`` (256 unless the policy says more for this plugin): the most frequent items. ``max_pairs`` (100,000
in the same way): of the combinations of one size those whose rarest part is the most frequent. ``max_cols``: the first
columns of categories. All rows are read all the same.

What it does not do. Columns that `analysis_pii` tags are left out, as findings show values. Numbers are no items. Rules
with an expected count below 5 are listed and never found. A rule is no cause.

References
----------
Agrawal, Imieliński and Swami (1993), doi:10.1145/170035.170072. Zaki (2000), doi:10.1109/69.846291. Bayardo, Agrawal
and Gunopulos (2000), doi:10.1023/A:1009895914772. Webb (2007), doi:10.1007/s10994-007-5006-x. Tarone (1990),
doi:10.2307/2531456. Rao and Scott (1984), doi:10.1214/aos/1176346391. Künsch (1989), doi:10.1214/aos/1176347265.
Benjamini and Hochberg (1995), doi:10.1111/j.2517-6161.1995.tb02031.x
"""

from __future__ import annotations

from toolkit.plugin import Context, Result, discoveries, round_significant

from .choice import choose
from .itemsets import frequent, least_rows
from .rules import Rule, Tested, rules_of, tested
from .transactions import Transactions
from .wording import finding_of, rule_facts

MOST_LISTED = 1_000
"""Rules in the result's data."""

SUPPORT = (0.01, 0.03)
"""Least share of baskets, and of rows: columns make many combinations, and every one costs the run's other tests."""


def run(ctx: Context) -> Result:
    """Count combinations, make rules, and keep those that say more than their parts.

    Returns
    -------
    Result
        ``data`` has the ``layout``, the number of ``transactions`` and ``items``, ``least`` (transactions of a frequent
        combination), ``itemsets`` and ``candidates`` by size, the number of ``rules``, and the first of them by gain.

    Raises
    ------
    Skip
        When the table holds nothing to be combined.
    """
    hidden = personal_columns(ctx)
    layout = choose(ctx, hidden)
    table = layout.open(ctx)
    least = least_rows(ctx.params["support"] or SUPPORT[layout.name == "columns"], table.total)
    table.keep(ctx, least)
    found = frequent(ctx, table, least, ctx.params["longest"])
    # Pairs of columns are another plugin's findings, and so no tests of this one.
    shortest = 3 if layout.name == "columns" else 2
    made = rules_of(found, table.total, ctx.params["confidence"], ctx.params["lift"], shortest)
    rules = made.rules
    lasting = tested(found, table, [r for r in rules if len(r.all) >= shortest], ctx.params["lift"])
    alike = list(alike_rules(table, lasting).values())
    findings = [finding_of(ctx, layout, found, table, tests) for tests in alike]
    rules.sort(key=lambda r: (-round_significant(r.gain), -r.rows, r.items, r.then))
    data = {
        "layout": {"name": layout.name, "columns": layout.columns, "separator": layout.separator},
        "left_out_as_personal": sorted(hidden),
        "transactions": table.total,
        "items": len(table.items),
        "least": least,
        "itemsets": {str(size): n for size, n in found.by_size().items()},
        "candidates": [len(sets) for sets in found.candidates],
        "rules": len(rules),
        "listed": [rule_facts(table, rule) for rule in rules[:MOST_LISTED]],
    }
    return Result(data, discoveries(findings, made.n_tests, ctx.params["rate"]), made.n_tests)


def personal_columns(ctx: Context) -> set[str]:
    """Columns whose values must not stand in a finding."""
    found = ctx.result("analysis_pii").data
    return {*found["personal_columns"], *found["not_looked_at"]}


def alike_rules(table: Transactions, rules: list[Tested]) -> dict[tuple[object, ...], list[Tested]]:
    """Rules by the columns, or the things, that they are about; in each the surest first."""
    out: dict[tuple[object, ...], list[Tested]] = {}
    for test in sorted(rules, key=_surest):
        out.setdefault(what_about(table, test.rule), []).append(test)
    return out


def what_about(table: Transactions, rule: Rule) -> tuple[object, ...]:
    """Columns of a rule, or things where those have no columns.

    Examples
    --------
    >>> from .transactions import Item
    >>> class Table:
    ...     items = [Item("plan", "basic"), Item("device", "tv"), Item("churn", "yes")]
    >>> what_about(Table(), Rule((0, 1), 2, 5, 9, 20, (), 20, 100))
    ('churn', 'device', 'plan')
    """
    columns = sorted({table.items[i].column for i in rule.all})
    return tuple(columns) if columns != [""] else rule.all


def _surest(test: Tested) -> tuple[object, ...]:
    rule = test.rule
    return round_significant(test.log10_p), -round_significant(rule.gain), rule.all, rule.then
