"""analysis_regression_drivers: which columns drive a number, when the others are held fixed.

What it finds. Drivers: "One more of `stops` goes with 11.4 more of `trip_min` (95 % 10.9 to 11.9), the other 3 columns
held fixed; without it R² falls from 0.71 to 0.62, in 1,982,331 complete rows." Predictors that repeat each other, and
single rows that bend the fit.

Method. Least squares over all rows where outcome and predictors are present. Centred and scaled cross products, from
which Cholesky's factor is taken, where their condition number is below 1,000; beyond it, and for tables of up to
100,000 rows, an orthogonal decomposition of the rows themselves (TSQR), which loses digits with the condition number
and not with its square. Standard errors are clustered by 64 contiguous blocks of rows (Liang and Zeger): they hold
where neighbouring rows depend on each other and variances differ; blocks that still do are joined, down to 16. Where
the jackknife over blocks, which leaves out one of 64 or of 16 at a time, gives a larger error, that one counts: it sees
when many predictors are fitted to few blocks. A driver has a q-value of at most 5 % within the plugin, and explains at
least 1 % of the variance beyond the others at the lower end of its interval. Cook's distance is computed for every row.

Categories are predictors too: one column of zeros and ones for each of their commonest values, held against the
commonest of all, and one for all rare values together, which is not told: "Where `site` is "DUS", `weight` is 3.2 more
than where it is "HAM"". A value that stands in less than half of 16 stretches of rows counts among the rare ones.

Cost. One shared scan for the choice of columns, then three passes over the chosen ones: cross products, the factor
where it is needed, residuals; about 60 ns a row and predictor.

Caps. ``max_cols`` (100) takes the first numeric columns in table order, ``max_predictors`` (and ``max_pairs``, a
predictor being a pair with the outcome) those that correlate most with the outcome. ``categories`` takes those with the
fewest values, ``levels`` the commonest values of each.

What it does not do. No causes. The outcome, where it is not named, is the last measure in table order that is mostly
present; name the one you mean. Curves and interactions are not part of the model. Incomplete rows are left out and
counted (see ``analysis_missingness`` for whether they differ).

References
----------
10.1137/080731992, 10.1214/aos/1176347265, 10.1080/00031305.1998.10480589, 10.1093/biomet/73.1.13,
10.1016/0304-4076(85)90158-7, 10.1080/00401706.1977.10489493, 10.1111/j.2517-6161.1995.tb02031.x
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin import Chunk, Context, Reducer, Result, Schema, State, row_blocks
from toolkit.plugin.inference import Estimates, log10_t, q_values, t_quantile
from toolkit.plugin.own_kernels import own_kernel

from .choice import Choice, choose
from .findings import Driver, findings_of
from .indicators import Indicator, widened, with_indicators
from .least_squares import Fit, condition, from_comoments, jackknifed, joined_scores, solve

BLOCKS = 64
KEPT = 20
"""Rows of the largest distances of Cook that are kept."""

_PIECE = 1 << 14


class Plugin(Reducer):
    """Cross products, then the factor where needed, then residuals.

    The state holds, in the first pass, ``cross`` and ``factor``: the states of the kernel ``comoments`` over complete
    rows, and for small tables that of ``tsqr``; in the second the same, of which only ``factor`` grows, where it is
    needed still; in the third ``known``, what the second ended with, ``scores``, float64 of shape (64, predictors + 1),
    and ``influence`` and ``rows``, the largest of squared residual times leverage / (1 - leverage)².

    Examples
    --------
    >>> Plugin.passes
    3
    """

    state_class = "tree"
    passes = 3

    _choice: Choice | None = None
    _fit: Fit | None = None
    _schema: Schema | None = None

    @property
    def choice(self) -> Choice:
        """The columns; the same in every process."""
        if self._choice is None:
            self._choice = choose(self.ctx)
        return self._choice

    @property
    def schema(self) -> Schema:
        """That of the table, with a column for each value of a category that is a predictor."""
        if self._schema is None:
            self._schema = widened(self.ctx.schema, self.choice.indicators)
        return self._schema

    def columns(self) -> list[str]:
        """Columns of the predictors, and the outcome last."""
        return self.choice.read

    def _kernel(self, name: str) -> Any:
        params = {"rows": "complete"} if name == "comoments" else {}
        return own_kernel(self.ctx, name, *self.choice.columns, schema=self.schema, **params)

    def _decomposes(self) -> bool:
        """Whether this pass decomposes the rows: the first of a small table, the second of an ill-conditioned one."""
        params, small = self.ctx.params, self.ctx.rows <= self.ctx.params["small_table"]
        if self.pass_number != 1 or small:
            return bool(small and self.pass_number == 0)
        found = self._kernel("comoments").finish(self.former["cross"])
        return condition(found) > params["condition"] or not params["intercept"]

    @property
    def fit(self) -> Fit:
        """The regression, known in the third pass."""
        if self._fit is None:
            self._fit = self._solved(self.former)
        return self._fit

    def _solved(self, known: State) -> Fit:
        names, intercept = self.choice.predictors, self.ctx.params["intercept"]
        if known["factor"] is not None:
            found = self._kernel("tsqr").finish(known["factor"])
            return solve(found["r"], names, found["rows"], intercept=intercept)
        found = self._kernel("comoments").finish(known["cross"])
        return solve(from_comoments(found), names, int(found["n"][0, 0]), intercept=intercept)

    def init(self) -> State:
        """No rows."""
        if self.pass_number == 2:
            none = {"influence": np.empty(0), "rows": np.empty(0, np.int64)}
            return {"known": self.former, "scores": np.zeros((BLOCKS, len(self.fit.names) + 1)), **none}
        cross = self._kernel("comoments").init() if self.pass_number == 0 else self.former["cross"]
        factor = self._kernel("tsqr").init() if self._decomposes() else None
        return {
            "cross": cross,
            "factor": factor if factor is not None or not self.pass_number else self.former["factor"],
        }

    def update(self, state: State, chunk: Chunk) -> State:
        """Add a chunk."""
        chunk = with_indicators(chunk, self.schema, self.choice.indicators)
        if self.pass_number == 2:
            return self.merge(state, self._residuals(chunk))
        return {
            "cross": self._kernel("comoments").update(state["cross"], chunk)
            if not self.pass_number
            else state["cross"],
            "factor": self._kernel("tsqr").update(state["factor"], chunk) if self._decomposes() else state["factor"],
        }

    def merge(self, left: State, right: State) -> State:
        """Join two states of a pass."""
        if self.pass_number < 2:
            cross, factor = left["cross"], left["factor"]
            if self.pass_number == 0:
                cross = self._kernel("comoments").merge(cross, right["cross"])
            if self._decomposes():
                factor = self._kernel("tsqr").merge(factor, right["factor"])
            return {"cross": cross, "factor": factor}
        sizes, rows = (np.concatenate([left[n], right[n]]) for n in ("influence", "rows"))
        order = np.lexsort((rows, -sizes))[:KEPT]
        return {
            "known": left["known"],
            "scores": left["scores"] + right["scores"],
            "influence": sizes[order],
            "rows": rows[order],
        }

    def _residuals(self, chunk: Chunk) -> State:
        out, fit = self.init(), self.fit
        where = row_blocks(self.ctx.rows, None, BLOCKS).of(chunk.rows.start, chunk.rows.stop)
        complete = np.logical_and.reduce([chunk.valid(name) for name in self.choice.columns])
        for lo in range(0, len(chunk), _PIECE):
            hi = min(lo + _PIECE, len(chunk))
            inside = complete[lo:hi].copy()
            for name in self.choice.columns:
                inside &= np.isfinite(chunk.raw(name)[lo:hi])
            rows = np.flatnonzero(inside) + lo
            if not rows.size:
                continue
            columns = np.array([chunk.raw(name)[rows] for name in fit.names], np.float64).reshape(-1, rows.size)
            left = fit.residuals(columns, chunk.raw(self.choice.outcome)[rows].astype(np.float64))
            scaled = fit.standardised(columns)
            leverage = (np.einsum("jk,jr->kr", fit.inverse, scaled) ** 2).sum(axis=0) + fit.intercept / fit.n
            room = 1.0 - leverage
            size = np.where(room > 1e-9, left * left * leverage / np.maximum(room, 1e-9) ** 2, 0.0)
            scores = [np.bincount(where[rows], left * s, BLOCKS) for s in (np.ones(rows.size), *scaled)]
            largest = np.argsort(-size, kind="stable")[:KEPT]
            part = {
                "known": out["known"],
                "scores": np.stack(scores, axis=1),
                "influence": size[largest],
                "rows": rows[largest] + chunk.rows.start,
            }
            out = self.merge(out, part)
        return out

    def finish(self, state: State, ctx: Context) -> Result:
        """Test the coefficients.

        Returns
        -------
        Result
            ``data``: ``outcome``, ``n``, ``left_out`` rows, ``r2``, ``residual_std``, ``method`` (``cross products`` or
            ``orthogonal``), ``aliased``; ``constant`` and, in ``coefficients``, for each predictor ``name``, ``value``,
            ``error`` (clustered by blocks), ``error_independent`` (as in textbooks), ``interval``, ``log10_p``,
            ``beyond_others`` (share of the variance), ``inflation``.
        """
        fit = self._solved(state["known"])
        scores = joined_scores(state["scores"], fit)
        known = self._kernel("comoments").finish(state["known"]["cross"])
        left_out = jackknifed(known, fit.names) if fit.intercept and fit.names else None
        drivers = _drivers(fit, scores, left_out, {one.name: one for one in self.choice.indicators})
        tested = [d for d in drivers if d.log10_p is not None]
        small = [d for d in tested if d.log10_p is not None and d.log10_p <= math.log10(0.05)]
        q = q_values([d.log10_p for d in small if d.log10_p is not None], len(tested))
        kept = [d for d, value in zip(small, q, strict=True) if value <= 0.05]
        squares = fit.rss / fit.df if fit.df > 0 else math.nan
        coefficients = len(fit.names) + fit.intercept
        unit = coefficients * squares
        pairs = zip(state["influence"].tolist(), state["rows"].tolist(), strict=True)
        cook = [(size / unit, row) for size, row in pairs if unit > 0]
        error, independent = fit.clustered_errors(scores)[0], fit.independent_errors()[0]
        data = {
            "outcome": self.choice.outcome, "n": fit.n, "left_out": ctx.rows - fit.n, "r2": _number(fit.r2),
            "residual_std": _number(math.sqrt(squares) if squares >= 0 else math.nan),
            "method": "cross products" if state["known"]["factor"] is None else "orthogonal", "aliased": fit.aliased,
            "constant": {"value": _number(fit.constant), "error": _number(error),
                         "error_independent": _number(independent)} if fit.intercept else None,
            "coefficients": [d.to_json() for d in drivers],
        }  # fmt: skip
        findings = findings_of(self.choice, fit, drivers, kept, cook, ctx)
        return Result(data, findings, len(tested))


def _drivers(
    fit: Fit, scores: npt.NDArray[np.float64], left_out: Estimates | None, of: dict[str, Indicator]
) -> list[Driver]:
    _, errors = fit.clustered_errors(scores)
    _, independent = fit.independent_errors()
    blocks = int(np.any(scores != 0, axis=1).sum())
    found = []
    for j, name in enumerate(fit.names):
        value, error, free = float(fit.slopes[j]), float(errors[j]), blocks - 1.0
        if left_out is not None:
            error, free = float(np.fmax(error, left_out.error[j])), min(free, float(left_out.df[j]))
        if name in of:  # a value that stands in few blocks has an error from few of them
            free = min(free, of[name].blocks - 1.0)
        usable = error > 0 and math.isfinite(value) and fit.df > 0 and free > 0
        reach = t_quantile(0.975, free) if usable else math.nan
        found.append(Driver(
            name, value, _number(error), _number(float(independent[j])),
            (value - reach * error, value + reach * error) if usable else None,
            log10_t(value / error, free) if usable else None,
            _number(float(fit.beyond_others()[j])), float(fit.inflation()[j]),
        ))  # fmt: skip
    return found


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
