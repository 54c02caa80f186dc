"""What a person should know of a regression."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from toolkit.plugin import Context, Finding
from toolkit.plugin.places import block_places
from toolkit.plugin.wording import quoted, shown

from .choice import Choice
from .indicators import Indicator
from .least_squares import Fit


@dataclass(frozen=True, slots=True)
class Driver:
    """A predictor and its coefficient; None where something can't be said."""

    name: str
    value: float
    error: float | None
    error_independent: float | None
    interval: tuple[float, float] | None
    log10_p: float | None
    beyond_others: float | None
    inflation: float

    def to_json(self) -> dict[str, Any]:
        """The fields as a plain tree."""
        return {**asdict(self), "interval": None if self.interval is None else list(self.interval)}


def findings_of(
    choice: Choice, fit: Fit, drivers: list[Driver], kept: list[Driver], cook: list[tuple[float, int]], ctx: Context
) -> list[Finding]:
    """Collinear predictors, rows of great influence, then drivers by what they explain."""
    params, outcome = ctx.params, choice.outcome
    of = {one.name: one for one in choice.indicators}
    if fit.n < max(params["least_rows"], 10 * (len(fit.names) + 1)):
        return []
    found = [_aliased(name, outcome, fit, ctx) for name in fit.aliased if name not in of]
    found += [
        _collinear(d, outcome, fit, ctx) for d in drivers if d.inflation > params["inflation"] and d.name not in of
    ]
    heavy = [(size, row) for size, row in cook if size > params["influence"]]
    if heavy:
        found.append(_influence(heavy, choice, fit, ctx))
    strong = [d for d in kept if share_interval(d)[0] > params["eta_squared"]]
    strong.sort(key=lambda d: -round(d.beyond_others or 0.0, 10))
    return found + [_driver(d, choice, of.get(d.name), fit, ctx) for d in strong]


def share_interval(driver: Driver) -> tuple[float, float]:
    """95 % interval of what a driver explains beyond the others; (0, 1) where its coefficient has none.

    The share is the squared coefficient times the variance of the predictor that the others leave, over that of the
    outcome. These two are taken as they are, so that the ends follow from those of the coefficient.

    Examples
    --------
    >>> share_interval(Driver("x", -2.0, 0.5, 0.5, (-3.0, -1.0), -4.0, 0.2, 1.0))
    (0.05, 0.45)
    """
    if driver.interval is None or driver.beyond_others is None or not driver.value:
        return 0.0, 1.0
    low, high = driver.interval
    nearest, farthest = sorted((abs(low), abs(high)))
    scale = driver.beyond_others / driver.value**2
    return (0.0 if low <= 0 <= high else scale * nearest**2), min(scale * farthest**2, 1.0)


def _driver(driver: Driver, choice: Choice, one: Indicator | None, fit: Fit, ctx: Context) -> Finding:
    column, target = choice.column_of(driver.name), quoted(choice.outcome)
    name = quoted(column)
    assert driver.interval is not None
    assert driver.beyond_others is not None
    low, high = driver.interval
    others = len(fit.names) - 1
    fixed = f", the other {others} predictors held fixed" if others > 1 else ", the other held fixed" if others else ""
    more = "more" if driver.value > 0 else "less"
    ends = sorted((abs(low), abs(high)))
    without = fit.r2 - driver.beyond_others
    size = f"{abs(driver.value):.4g} {more}"
    span = f"(95 % {ends[0]:.4g} to {ends[1]:.4g})"
    said = f"One more of {name} goes with {size} of {target} {span}"
    evidence: dict[str, Any] = {}
    if one is not None:
        said = f"Where {name} is {shown(one.value)}, {target} is {size} {span} than where it is {shown(one.usual)}"
        evidence = {"value": one.value, "held_against": one.usual}
    return Finding(
        "driver",
        [choice.outcome, column],
        f"{said}{fixed}; without it R² falls from {fit.r2:.3f} to {without:.3f}, in {fit.n:,} complete rows.",
        f"Take {name} into account wherever {target} is compared or forecast.",
        effect=driver.beyond_others,
        measure="eta_squared",
        interval=share_interval(driver),
        log10_p=driver.log10_p,
        evidence={"coefficient": driver.value, "coefficient_interval": [low, high], "error": driver.error,
                  "r2": fit.r2, "r2_without": without, "n": fit.n, "others": others, "predictors": fit.names,
                  **evidence, **block_places(ctx.grid, range(64))},
    )  # fmt: skip


def _collinear(driver: Driver, outcome: str, fit: Fit, ctx: Context) -> Finding:
    name = quoted(driver.name)
    return Finding(
        "collinear_predictor",
        [driver.name],
        f"{name} follows from the other {len(fit.names) - 1} predictors of {quoted(outcome)}: they explain "
        f"{1 - 1 / driver.inflation:.4%} of its variance (variance inflation {driver.inflation:.4g}).",
        f"Keep one of {name} and the columns that it follows from, or don't read their coefficients one by one.",
        effect=driver.inflation,
        evidence={"inflation": driver.inflation, "explained": 1 - 1 / driver.inflation, "n": fit.n,
                  "others": len(fit.names) - 1, "outcome": outcome, "predictors": fit.names,
                  **block_places(ctx.grid, range(64))},
    )  # fmt: skip


def _aliased(name: str, outcome: str, fit: Fit, ctx: Context) -> Finding:
    return Finding(
        "aliased_predictor",
        [name],
        f"{quoted(name)} is a linear combination of predictors of {quoted(outcome)} before it, and adds nothing in "
        f"{fit.n:,} complete rows.",
        f"Leave {quoted(name)} out of models that have {', '.join(map(quoted, fit.names[:8]))}.",
        evidence={"n": fit.n, "outcome": outcome, "predictors": fit.names, **block_places(ctx.grid, range(64))},
    )


def _influence(heavy: list[tuple[float, int]], choice: Choice, fit: Fit, ctx: Context) -> Finding:
    outcome = choice.outcome
    rows = sorted(row for _, row in heavy)
    largest, at = heavy[0]
    many = f"{len(rows)} rows bend" if len(rows) > 1 else "One row bends"
    chunks = sorted({ctx.grid.chunk_of(row) for row in rows})
    return Finding(
        "influential_rows",
        list(dict.fromkeys([outcome, *map(choice.column_of, fit.names)])),
        f"{many} the regression of {quoted(outcome)} by more than its own uncertainty: Cook's distance is "
        f"{largest:.3g} in row {at:,} (limit {ctx.params['influence']:g}).",
        f"Look at {quoted(outcome)} in these rows, and at the coefficients without them.",
        effect=largest,
        evidence={"largest": largest, "row": at, "count": len(rows), "limit": ctx.params["influence"], "n": fit.n,
                  "rows": [[row, row] for row in rows], "chunks": chunks, "chunks_with_it": len(chunks)},
    )  # fmt: skip
