"""Which column is explained, and by which."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from toolkit.plugin import Context, Skip, omission

from .indicators import Indicator, indicators

_MEASURES = ("measure", "duration")
_NEVER = ("id", "key candidate", "constant", "empty")
_MOSTLY = 0.5
_COPY = 1.0 - 1e-12


@dataclass(frozen=True, slots=True)
class Choice:
    """The columns of the regression."""

    outcome: str
    numbers: list[str]
    indicators: list[Indicator] = field(default_factory=list)

    @property
    def predictors(self) -> list[str]:
        """Numbers, then values of categories."""
        return [*self.numbers, *(one.name for one in self.indicators)]

    @property
    def columns(self) -> list[str]:
        """Predictors, and the outcome last."""
        return [*self.predictors, self.outcome]

    @property
    def read(self) -> list[str]:
        """Columns of the table that have to be read."""
        return list(dict.fromkeys([*self.numbers, *(one.column for one in self.indicators), self.outcome]))

    def column_of(self, predictor: str) -> str:
        """The column of the table that a predictor is made of."""
        return next((one.column for one in self.indicators if one.name == predictor), predictor)


def choose(ctx: Context) -> Choice:
    """Take the columns that are named, else the last measure and what correlates most with it.

    Raises
    ------
    Skip
        When there is nothing to explain or to explain it by.
    """
    known = ctx.results["profile_basic"].data["columns"] if "profile_basic" in ctx.results else []
    roles = {entry["name"]: entry.get("role") for entry in known}
    asked = ctx.kernel_columns("comoments")
    if not asked:
        raise Skip("there are no numeric columns")
    found = ctx.kernel("comoments", *asked[0])
    names = found["columns"]
    place = {name: i for i, name in enumerate(names)}
    squares = dict(zip(names, np.diag(found["m2"]).tolist(), strict=True))
    varying = [n for n in names if 0.0 < squares[n] < math.inf]  # without squares beyond the doubles
    named = [part.strip() for part in ctx.params["predictors"].split(",") if part.strip()]
    of_categories = indicators(ctx, roles, [n for n in named if n not in varying] if named else None)
    known_names = {*varying, *(one.column for one in of_categories)}
    for name in [*named, *filter(None, [ctx.params["outcome"]])]:
        if name not in (varying if name == ctx.params["outcome"] else known_names):
            raise Skip(
                f"there is no number or category {name!r} that varies", "see the parameters outcome and predictors"
            )
    usable = [n for n in varying if roles.get(n) not in _NEVER]
    share = {n: found["n"][place[n], place[n]] / ctx.rows for n in usable}
    full = [n for n in usable if share[n] >= ctx.params["present"]]
    measures = [n for n in usable if share[n] >= _MOSTLY and roles.get(n, "measure") in _MEASURES]
    if not ctx.params["outcome"] and not measures:
        raise Skip("no numeric column is a measure that is mostly present", "name one with the parameter outcome")
    outcome = ctx.params["outcome"] or measures[-1]
    if named:
        return Choice(outcome, [n for n in named if n != outcome and n in varying], of_categories)
    r = found["correlation"][place[outcome]]
    others = [n for n in full if n != outcome]
    others = [n for n in others if abs(r[place[n]]) < _COPY] or others  # a copy explains everything and says nothing
    if not others and not of_categories:
        raise Skip(f"there is no column to explain {outcome} by", "name some with the parameter predictors")
    most = min(ctx.params["max_predictors"], ctx.budget.max_pairs or len(others))
    if len(others) > most:
        rule = "those that correlate most with the outcome, ties in table order"
        order = sorted(others, key=lambda n: (-round(abs(r[place[n]]), 10), place[n]))
        ctx.omit(omission("max_predictors", most, len(others), rule, order[most:]))
        others = sorted(order[:most], key=lambda n: place[n])
    return Choice(outcome, others, of_categories)
