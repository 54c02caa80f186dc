"""What is said of missing values."""

from __future__ import annotations

from typing import Any

from toolkit.plugin import Context, Finding

from .dependence import Dependence
from .plan import Plan

_LISTED = 20
_LONGEST = 60


def finding_of_twins(ctx: Context, first: str, others: list[str], missing: int) -> Finding:
    """Columns that are missing in the very same rows."""
    names = [first, *others]
    return Finding(
        kind="missing_in_the_same_rows",
        columns=names,
        sentence=f"The {len(names):,} columns {_listed(names)} are missing in the same {missing:,} rows.",
        recommendation=f"Treat {first} and {_listed(others)} as one source that is there or not, and ask what it is.",
        effect=1.0,
        evidence={"columns": len(names), "missing": missing, "of_rows": ctx.rows},
    )


def finding_of_run(ctx: Context, name: str, first: int, length: int, missing: int) -> Finding:
    """An outage."""
    last, share = first + length - 1, length / missing
    elsewhere = (missing - length) / max(ctx.rows - length, 1)
    sentence = (
        f"Column {name} has no value in the {length:,} rows from {first:,} to {last:,}: "
        f"{share:.1%} of its {missing:,} missing values; elsewhere {elsewhere:.1%} are missing."
    )
    chunks = [first // ctx.grid.chunk_rows, last // ctx.grid.chunk_rows]
    return Finding(
        kind="missing_run",
        columns=[name],
        sentence=sentence,
        recommendation=f"Find out what stopped {name} in rows {first:,} to {last:,}, and leave them out of averages.",
        effect=share,
        evidence={
            "rows": [[first, last]],
            "chunks": list(range(chunks[0], chunks[1] + 1))[:_LISTED],
            "length": length,
            "missing": missing,
            "share": share,
            "share_elsewhere": elsewhere,
            "of_rows": ctx.rows,
        },
    )


def finding_of_position(ctx: Context, found: Dependence) -> Finding:
    """A share of missing values that changes along the table."""
    detail, name = found.detail, found.target
    first = detail["missing_first"] / detail["rows_first"]
    last = detail["missing_last"] / detail["rows_last"]
    quarter = ctx.rows // 4
    return Finding(
        kind="missing_shift",
        columns=[name],
        sentence=f"Column {name} is missing in {first:.1%} of the first quarter of the rows and in {last:.1%} of the "
        f"last ({abs(found.effect):.1%} {'more' if found.effect > 0 else 'less'}).",
        recommendation=f"Find out when the source of {name} changed before you compare periods or fill it.",
        effect=found.effect,
        measure="null_rate",
        interval=found.interval,
        log10_p=found.log10_p,
        evidence={
            **detail,
            "share_first": first,
            "share_last": last,
            "rows": [[0, max(quarter - 1, 0)], [ctx.rows - quarter, ctx.rows - 1]],
        },
    )


def finding_together(found: Dependence) -> Finding:
    """Two columns whose absence is related."""
    first, second, detail = found.target, found.other, found.detail
    more = detail["both"] > detail["expected"]
    return Finding(
        kind="missing_together" if more else "missing_apart",
        columns=[first, second],
        sentence=f"{first} and {second} are both missing in {detail['both']:,} rows; {detail['expected']:,.0f} would "
        f"be expected if one had nothing to do with the other (Cramér's V {found.effect:.2f}).",
        recommendation=f"Don't fill {first} and {second} one without the other: their absence has a common cause.",
        effect=found.effect,
        measure="cramers_v",
        interval=found.interval,
        log10_p=found.log10_p,
        evidence=detail | {"cramers_v": found.effect},
    )


def finding_of_dependence(ctx: Context, plan: Plan, found: list[Dependence]) -> Finding:
    """The column that a target's absence depends on most; the others are evidence."""
    best = found[0]
    listed = [{"column": d.other, "effect": d.effect, "log10_p": d.log10_p} for d in found[1 : _LISTED + 1]]
    others = {"also_depends_on": listed, "dependences": len(found)}
    if best.other in plan.categories:
        return _on_category(ctx, plan, best, others)
    return _on_number(ctx, plan, best, others)


def _on_category(ctx: Context, plan: Plan, found: Dependence, others: dict[str, Any]) -> Finding:
    name, other, detail = found.target, found.other, dict(found.detail)
    where, value = _level(ctx, plan, other, detail.pop("level"))
    inside = detail["missing_inside"] / detail["rows_inside"]
    outside = detail["missing_outside"] / detail["rows_outside"]
    return Finding(
        kind="missing_depends",
        columns=[name, other],
        sentence=f"{name} is missing in {inside:.1%} of the {detail['rows_inside']:,} rows with {where} and in "
        f"{outside:.1%} of the others (Cramér's V {found.effect:.2f}).",
        recommendation=f"Don't fill {name} by its mean: ask why rows with {where} "
        f"{'lack' if inside > outside else 'have'} it, and compare within values of {other}.",
        effect=found.effect,
        measure="cramers_v",
        interval=found.interval,
        log10_p=found.log10_p,
        evidence={
            **detail,
            "value": value,
            "share_inside": inside,
            "share_outside": outside,
            "cramers_v": found.effect,
            **others,
        },
    )


def _on_number(ctx: Context, plan: Plan, found: Dependence, others: dict[str, Any]) -> Finding:
    name, other, detail = found.target, found.other, dict(found.detail)
    mean, std = plan.numbers[other]
    gone, there = (mean + std * detail.pop(key) for key in ("mean_missing", "mean_present"))
    unit = ctx.schema[other].unit
    how = ("later" if found.effect > 0 else "earlier") if unit else ("higher" if found.effect > 0 else "lower")
    means = "" if unit else f", on average {gone:,.6g} instead of {there:,.6g}"
    return Finding(
        kind="missing_depends",
        columns=[name, other],
        sentence=f"Where {name} is missing ({detail['rows_missing']:,} rows with a value of {other}), {other} is {how} "
        f"by {abs(found.effect):.2f} standard deviations{means}.",
        recommendation=f"Don't fill {name} by its mean: rows that lack it differ in {other}; compare like with like.",
        effect=found.effect,
        measure="hedges_g",
        interval=found.interval,
        log10_p=found.log10_p,
        evidence={**detail, "mean_missing": gone, "mean_present": there, "hedges_g": found.effect, **others},
    )


def _level(ctx: Context, plan: Plan, name: str, level: int | None) -> tuple[str, Any]:
    """Words for a level of a category, and its value as evidence."""
    if level is None:
        return f"a rare {name}", None
    groups = plan.categories[name]
    values = [False, True] if ctx.schema[name].kind == "bool" else ctx.categories(name)[:-1].tolist()
    label = groups.labels(values)[level]
    if groups.pooled and level == len(groups.codes):
        return f"a rare {name}", None
    text = label.hex() if isinstance(label, bytes) else str(label)
    return f"{name} = {text if len(text) <= _LONGEST else text[: _LONGEST - 1] + '…'}", text


def _listed(names: list[str]) -> str:
    shown = names[:5]
    if len(names) > len(shown):
        return f"{', '.join(shown)} and {len(names) - len(shown):,} more"
    return " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))
