"""Which columns are looked at, and which of them are held against which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin import ColumnFacts, Context, Groups, keep_groups, omission, select_pairs
from toolkit.plugin.budget import Budget


@dataclass(frozen=True, slots=True)
class Plan:
    """What is counted.

    Attributes
    ----------
    targets : list of str
        Columns that lack enough values and have enough; of columns that are missing in the very same rows the first.
    twins : dict of str to list of str
        The other columns that are missing in the same rows as a target.
    categories : dict of str to Groups
        Levels of the columns that targets are held against.
    numbers : dict of str to (float, float)
        Mean and standard deviation, in the column's unit, of the numbers and times that targets are held against.
    by_category, by_number, both : list of (str, str)
        Pairs of a target and a column that it is held against; in ``both``, of two targets.
    """

    targets: list[str]
    twins: dict[str, list[str]]
    categories: dict[str, Groups]
    numbers: dict[str, tuple[float, float]]
    by_category: list[tuple[str, str]]
    by_number: list[tuple[str, str]]
    both: list[tuple[str, str]]

    @property
    def columns(self) -> list[str]:
        """Columns that have to be read."""
        return list(dict.fromkeys([*self.targets, *self.categories, *self.numbers]))


def make_plan(ctx: Context) -> Plan:
    """Decide from the results of kernels, before any row is read."""
    kernel = ctx.kernel("missing_patterns", *ctx.kernel_columns("missing_patterns")[0])
    missing = dict(zip(kernel["columns"], kernel["missing"].tolist(), strict=True))
    least = ctx.params["least_rows"]
    tried = [c for c, n in missing.items() if least <= n <= ctx.rows - least]
    targets, twins = _without_twins(tried, kernel)
    facts = {c: ColumnFacts(ctx.rows - n) for c, n in missing.items()}
    categories = _categories(ctx, missing, facts) if targets else {}
    numbers = _numbers(ctx, missing) if targets else {}
    others = [c for c in missing if c in categories or c in numbers]
    both, left_out = select_pairs(targets, ctx.budget.max_pairs, facts=facts)
    if left_out is not None:
        ctx.omit(left_out)
    against, left_out = select_pairs(targets, ctx.budget.max_pairs, others, facts=facts)
    if left_out is not None:
        ctx.omit(left_out)
    used = {b for _, b in against}
    return Plan(
        targets,
        twins,
        {c: g for c, g in categories.items() if c in used},
        {c: m for c, m in numbers.items() if c in used},
        [(a, b) for a, b in against if b in categories],
        [(a, b) for a, b in against if b in numbers],
        both,
    )


def _without_twins(tried: list[str], kernel: dict[str, Any]) -> tuple[list[str], dict[str, list[str]]]:
    """Keep the first of the columns that are missing in the very same rows."""
    place = {c: i for i, c in enumerate(kernel["columns"])}
    together: npt.NDArray[np.int64] = kernel["together"]
    targets: list[str] = []
    twins: dict[str, list[str]] = {}
    for column in tried:
        i = place[column]
        same = (t for t in targets if together[i, place[t]] == together[i, i] == together[place[t], place[t]])
        first = next(same, None)
        if first is None:
            targets.append(column)
        else:
            twins.setdefault(first, []).append(column)
    return targets, twins


def _categories(ctx: Context, missing: dict[str, int], facts: dict[str, ColumnFacts]) -> dict[str, Groups]:
    found: dict[str, Groups] = {}
    most = _levels(ctx.params["levels"], ctx.budget)
    for column in missing:
        if not ctx.has_kernel("counts", column) or ctx.kernel("counts", column)["abandoned"]:
            continue
        result = ctx.kernel("counts", column)
        if result["distinct"] < 2:
            continue
        share = result["entropy"] / float(np.log2(result["distinct"]))
        facts[column] = ColumnFacts(result["count"], result["distinct"], round(min(share, 1.0), 10))
        groups = keep_groups(result["counts"], most)
        if groups.omission is not None and most == ctx.budget.max_groups:
            listed = [f"values of {column}"]
            ctx.omit(omission("max_groups", most, result["distinct"], groups.omission["rule"], listed))
        found[column] = groups
    return found


def _levels(wanted: int, budget: Budget) -> int:
    return wanted if budget.max_groups is None else min(wanted, budget.max_groups)


def _numbers(ctx: Context, missing: dict[str, int]) -> dict[str, tuple[float, float]]:
    found = {}
    for column in missing:
        if ctx.has_kernel("moments", column):
            result = ctx.kernel("moments", column)
            mean, std = result["mean"], result["std"]
            if std is not None and 0 < std < float("inf"):
                found[column] = (mean, std)
    return found
