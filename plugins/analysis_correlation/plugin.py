"""analysis_correlation: which numbers rise and fall together, which are copies, and where a relation changes.

What it finds. Linear and monotone links: "`speed` and `fuel` rise together: r = 0.71 (95 % 0.66 to 0.75), Spearman
0.69, in 1,982,331 rows." Near-copies, of which one column is enough. Relations that end, begin or turn at some row:
"The rank correlation of `weight` and `freight` is 0.98 before row 1,218,750 and -0.01 from there on." Relations that
are the other way round within each stretch of the table than over the whole of it (Simpson's paradox).

Method. Pearson's r over all rows where both values are present, and Spearman's rho as Pearson's r of mid-ranks among
these rows, on at most 1,024 levels of each column. Where both columns have no more values than that it is Spearman's
to the last digits; else values share the mean rank of their range, and the finding says how far that may be off, 0.002
at most for columns of many values. The interval is wider by as much. Intervals and p-values are those
of Fisher's z with a jackknife over 64 contiguous blocks of rows: rows that follow each other are seldom independent,
and a formula that takes them for so finds links in noise. A change is looked for among the rank correlations of the
blocks: the split with the largest t, times the number of splits that were tried, and intervals at that level. Each
pair counts up to four tests, a finding has a q-value of at most 5 % within the plugin, and its interval lies wholly
beyond the least correlation.

Cost. One shared scan of co-moments of values and one of ranks: about 2 ns a row and pair, 8 where one of the two lacks
values that the other has. No row is read here.

Caps. ``max_cols`` (100 unless the policy says more for this plugin) takes the first numeric columns in table order,
``max_pairs`` those pairs with the most values present and the largest entropy. All rows always count.

What it does not do. Columns that are keys or constant by ``profile_basic`` are left out, as their order is that of the
rows. It says nothing of causes, and finds no relation that rises and falls again. Partial correlations in ``data`` are
of the pairwise matrix of the columns that are nearly complete, and are left out where that matrix is close to singular.

References
----------
10.1145/3221269.3223036, 10.2307/1412159, 10.1214/aos/1176347265, 10.1037/1082-989X.12.4.399,
10.1111/j.2517-6161.1995.tb02031.x
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin import Context, Result, Skip, column_facts, select_pairs
from toolkit.plugin.inference import Estimates, correlation_estimates, jackknife_of_sums, q_values

from .changes import Change, find_change
from .findings import findings_of

LEFT_OUT = ("id", "key candidate", "constant", "empty")
"""Roles whose values say nothing but which row it is."""

_LOG10_LEVEL = math.log10(0.05)

Floats = npt.NDArray[np.float64]


@dataclass(slots=True)
class Pair:
    """Two columns: estimates on the scale of the correlation, and decimal logarithms of p by test."""

    columns: tuple[str, str]
    n: int
    r: float
    rho: float
    r_interval: tuple[float, float]
    rho_interval: tuple[float, float]
    within: float
    within_interval: tuple[float, float]
    log10_p: dict[str, float]
    rho_error: float = 0.0
    change: Change | None = None
    partial: float | None = None
    slope: float = math.nan
    intercept: float = math.nan
    block_rho: list[float | None] = field(default_factory=list)
    significant: set[str] = field(default_factory=set)

    def to_json(self) -> dict[str, Any]:
        """The pair for ``data``, NaN as None."""
        tests = {name: _number(p) for name, p in self.log10_p.items()}
        return {
            "columns": list(self.columns),
            "n": self.n,
            "r": _number(self.r),
            "r_interval": [_number(v) for v in self.r_interval],
            "spearman": _number(self.rho),
            "spearman_error": self.rho_error,
            "spearman_interval": [_number(v) for v in self.rho_interval],
            "within_blocks": _number(self.within),
            "partial": self.partial,
            "log10_p": tests,
        }


def run(ctx: Context) -> Result:
    """Judge every pair from the co-moments.

    Returns
    -------
    Result
        ``data["pairs"]``: for each pair ``n``, ``r``, ``spearman`` and their intervals, ``spearman_error`` (the most
        by which ranges of values may change it, 0 where each level is one value), ``within_blocks`` (rank correlation
        about the means of each block), ``partial`` and ``log10_p`` by test; ``data["left_out"]``, columns
        that were not looked at and why; ``data["positive_semidefinite"]``, of the matrix of r, which leaving out
        missing values pair by pair may break.
    """
    known = ctx.results["profile_basic"].data["columns"] if "profile_basic" in ctx.results else []
    roles = {entry["name"]: entry.get("role") for entry in known}
    left_out = {name: roles[name] for name in ctx.columns() if roles.get(name) in LEFT_OUT}
    names = [name for name in ctx.columns() if name not in left_out]
    if len(names) < 2:
        raise Skip("there are fewer than two numeric columns that are neither keys nor constant")
    facts = column_facts(known) if known else None
    pairs, omitted = select_pairs(names, ctx.budget.max_pairs, facts=facts)
    if omitted is not None:
        ctx.omit(omitted)
    ctx.cover("pairs", math.comb(len(names), 2), len(pairs))
    asked = next(c for c in ctx.kernel_columns("comoments"))
    values = ctx.kernel("comoments", *asked, scores="values")
    found = judge(values, ctx.kernel("comoments", *asked, scores="ranks"), pairs, ctx.params["least_rows"])
    partials, definite = partial_correlations(values, names, ctx.params["nearly_complete"] * ctx.rows)
    for pair in found:
        pair.partial = partials.get(pair.columns)
    n_tests = _control(found)
    data = {
        "pairs": [pair.to_json() for pair in found],
        "left_out": left_out,
        "positive_semidefinite": definite,
    }
    return Result(data=data, findings=findings_of(found, ctx.grid, ctx.params), n_tests=n_tests)


def judge(values: dict[str, Any], ranks: dict[str, Any], pairs: list[tuple[str, str]], least_rows: int) -> list[Pair]:
    """Estimates and tests of every pair that has enough rows and varies."""
    places = {name: i for i, name in enumerate(values["columns"])}
    linear, monotone = correlation_estimates(values), correlation_estimates(ranks)
    within = _within_blocks(ranks)
    scales = [(est, np.tanh(est.value), tuple(np.tanh(end) for end in est.interval()), est.log10_p())
              for est in (linear, monotone, within)]  # fmt: skip
    found = []
    for a, b in pairs:
        at = places[a], places[b]
        n = int(values["n"][at])
        if n < least_rows or not math.isfinite(values["correlation"][at]):
            continue
        _, rho, inside = (float(value[at]) for _, value, _, _ in scales)
        ends = [(float(low[at]), float(high[at])) for _, _, (low, high), _ in scales]
        tests = {name: float(p[at]) for name, (_, _, _, p) in zip(("r", "spearman", "within"), scales, strict=True)}
        r = float(values["correlation"][at])  # also of numbers whose squares are beyond the doubles
        error = float(ranks["error"][at])
        widened = max(ends[1][0] - error, -1.0), min(ends[1][1] + error, 1.0)
        pair = Pair((a, b), n, r, rho, ends[0], widened, inside, ends[2], tests, error)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # squares beyond the doubles
            pair.slope = float(values["cross"][at] / values["m2"][at])
            pair.intercept = float(values["mean"][at[::-1]] - pair.slope * values["mean"][at])
        pair.change = find_change(ranks["blocks"], at)
        if pair.change is not None:
            tests["change"] = pair.change.log10_p
            pair.block_rho = [_number(float(v)) for v in ranks["blocks"]["correlation"][:, at[0], at[1]]]
        found.append(pair)
    return found


def _within_blocks(ranks: dict[str, Any]) -> Estimates:
    """Rank correlations about the means of the 64 blocks, in place of the means of all rows."""
    blocks = ranks["blocks"]
    sums = np.nan_to_num(np.stack([blocks["m2"], np.swapaxes(blocks["m2"], 1, 2), blocks["cross"]], axis=1))

    def fisher_z(total: Floats) -> Floats:
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(np.arctanh(np.clip(total[2] / np.sqrt(total[0] * total[1]), -1.0, 1.0)))

    return jackknife_of_sums(sums, fisher_z, blocks["n"])


def _control(pairs: list[Pair]) -> int:
    """Benjamini and Hochberg over all tests of the plugin; how many there were."""
    tests = [(pair, name, p) for pair in pairs for name, p in pair.log10_p.items() if not math.isnan(p)]
    small = [test for test in tests if test[2] <= _LOG10_LEVEL]
    for (pair, name, _), q in zip(small, q_values([p for _, _, p in small], len(tests)), strict=True):
        if q <= 0.05:
            pair.significant.add(name)
    return len(tests)


def partial_correlations(
    values: dict[str, Any], names: list[str], least: float
) -> tuple[dict[tuple[str, str], float], bool | None]:
    """Correlations with all other nearly complete columns held fixed, and whether the matrix of r is a possible one.

    Parameters
    ----------
    values : dict
        Result of ``comoments``.
    names : list of str
        Columns in question.
    least : float
        Rows that every two of them must share.

    Returns
    -------
    partials : dict
        By pair; empty where the smallest eigenvalue is below 1e-5, from where on digits are lost, or there are fewer
        than three columns.
    definite : bool or None
        False where the smallest eigenvalue is below zero by more than rounding; None where a correlation is unknown.

    Examples
    --------
    >>> chain = np.array([[1.0, 0.5, 0.25], [0.5, 1.0, 0.5], [0.25, 0.5, 1.0]])
    >>> values = {"columns": ["a", "b", "c"], "correlation": chain, "n": np.full((3, 3), 50)}
    >>> partials, definite = partial_correlations(values, ["a", "b", "c"], 40)
    >>> round(abs(partials["a", "c"]), 12), definite
    (0.0, True)
    """
    places = {name: i for i, name in enumerate(values["columns"])}
    full = [places[n] for n in names if values["n"][places[n], places[n]] >= least]
    full = [i for i in full if (values["n"][i, full] >= least).all() and np.isfinite(values["correlation"][i, i])]
    every = [places[n] for n in names if np.isfinite(values["correlation"][places[n], places[n]])]
    whole = values["correlation"][np.ix_(every, every)]
    definite = bool(np.linalg.eigvalsh(whole)[0] > -1e-9) if every and np.isfinite(whole).all() else None
    matrix = values["correlation"][np.ix_(full, full)]
    if len(full) < 3 or not np.isfinite(matrix).all() or np.linalg.eigvalsh(matrix)[0] < 1e-5:
        return {}, definite
    inverse = np.linalg.inv(matrix)
    scale = np.sqrt(np.diag(inverse))
    partial = -inverse / np.outer(scale, scale)
    columns = values["columns"]
    return {(columns[a], columns[b]): float(partial[i, j])
            for i, a in enumerate(full) for j, b in enumerate(full) if a != b}, definite  # fmt: skip


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
