"""Findings on rules, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from toolkit.plugin import Context, Finding
from toolkit.plugin.places import block_places
from toolkit.plugin.wording import cut, listed, percent, quoted, shown

from .choice import Layout
from .itemsets import Itemsets
from .rules import Rule, Tested
from .transactions import Item, Transactions

_LISTED = 5


def finding_of(ctx: Context, layout: Layout, found: Itemsets, table: Transactions, tests: Sequence[Tested]) -> Finding:
    """The finding on the first of some rules that are about the same columns, or the same things."""
    test, rule = tests[0], tests[0].rule
    blocks = found.blocks[:, found.place[rule.all]]
    evidence: dict[str, Any] = {
        "layout": layout.name,
        **rule_facts(table, rule),
        "gain": rule.gain,
        "design_effect": test.design_effect,
        "transactions": table.total,
        "rules": len(tests),
        "others": [rule_facts(table, other.rule) for other in tests[1 : _LISTED + 1]],
    }
    speak = _of_columns if layout.name == "columns" else _of_things
    sentence, advice = speak(layout, table, rule)
    columns = layout.columns
    if layout.name == "columns":
        columns = [table.items[i].column for i in (*rule.items, rule.then)]
    return Finding(
        "rule_of_categories" if layout.name == "columns" else "things_that_go_together",
        list(columns),
        sentence,
        advice,
        effect=rule.gain,
        measure="lift",
        interval=test.interval,
        log10_p=test.log10_p,
        evidence=evidence | block_places(ctx.grid, np.flatnonzero(blocks).tolist()),
        references=["10.1007/s10994-007-5006-x", "10.1023/A:1009895914772", "10.1214/aos/1176346391"],
    )


def rule_facts(table: Transactions, rule: Rule) -> dict[str, Any]:
    """A rule as plain values."""

    def plain(items: Sequence[int]) -> list[dict[str, str]]:
        return [{"column": table.items[i].column, "value": cut(table.items[i].value)} for i in items]

    return {
        "if": plain(rule.items),
        "then": plain([rule.then])[0],
        "together": rule.rows,
        "with_if": rule.has,
        "with_then": rule.held,
        "confidence": rule.confidence,
        "lift": rule.confidence * table.total / rule.held,
        "best_shorter": plain(rule.best),
        "best_shorter_confidence": rule.best_rows / rule.best_has,
    }


def _of_columns(layout: Layout, table: Transactions, rule: Rule) -> tuple[str, str]:
    then = table.items[rule.then]
    sentence = f"Where {_where(table, rule.items)}, {quoted(then.column)} is {shown(then.value)} in"
    sentence += f" {percent(rule.confidence)} of {rule.has:,} rows, {rule.gain:.3g} times as often as"
    if rule.best:
        sentence += f" where {_where(table, rule.best)} ({percent(rule.best_rows / rule.best_has)}); in all rows it is"
        sentence += f" {percent(rule.held / table.total)}."
    else:
        sentence += f" in all rows ({percent(rule.held / table.total)}), whichever of them is left out."
    filters = " and ".join(f"{quoted(i.column)} = {shown(i.value)}" for i in _items(table, rule.items))
    return sentence, f"Look at {quoted(then.column)} in the rows with {filters}: one column alone does not show it."


def _of_things(layout: Layout, table: Transactions, rule: Rule) -> tuple[str, str]:
    have, then = listed([shown(i.value) for i in _items(table, rule.items)]), shown(table.items[rule.then].value)
    what = "Rows" if layout.name == "wide" else "Baskets"
    sentence = f"{what} with {have} have {then} in {percent(rule.confidence)} of {rule.has:,} cases,"
    sentence += f" {rule.gain:.3g} times as often as"
    if rule.best:
        shorter = listed([shown(i.value) for i in _items(table, rule.best)])
        sentence += f" those with {shorter} ({percent(rule.best_rows / rule.best_has)}); of all it is"
        sentence += f" {percent(rule.held / table.total)}."
    else:
        sentence += f" all ({percent(rule.held / table.total)})."
    return sentence, f"Keep {then} of {quoted(layout.columns[-1])} in mind where there is {have}, or ask why they meet."


def _where(table: Transactions, items: Sequence[int]) -> str:
    return listed([f"{quoted(i.column)} is {shown(i.value)}" for i in _items(table, items)])


def _items(table: Transactions, items: Sequence[int]) -> list[Item]:
    return [table.items[i] for i in items]
