"""What a report says of one column, from the results of kernels."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin import ColumnSpec, Context

from .decimals import decimal_statistics
from .long_decimals import long_decimal_statistics
from .texts import TextFacts, category_facts
from .values import centre, scalar, spread

MOST_GROUPS = 64
"""Numbers in ``missing_by_chunk``; chunks of longer tables are taken together in equal runs."""


@dataclass(slots=True)
class Profile:
    """One column.

    Attributes
    ----------
    spec : ColumnSpec
        The column.
    index : int
        Its place in the table.
    rows : int
        Rows of the table.
    entry : dict
        What report.json says of it.
    low, high : Any
        Smallest and largest value as stored; None without values.
    top : list of [value, count]
        Commonest values as stored.
    quantiles : dict of float to Any
        Values as stored, by probability.
    integral : bool
        Whether a float column holds whole numbers only.
    full : bool
        Whether all of it was computed, or what a column beyond ``max_cols`` gets.
    text : TextFacts or None
        What the values of a text column look like.
    """

    spec: ColumnSpec
    index: int
    rows: int
    entry: dict[str, Any] = field(default_factory=dict)
    low: Any = None
    high: Any = None
    top: list[list[Any]] = field(default_factory=list)
    quantiles: dict[float, Any] = field(default_factory=dict)
    integral: bool = False
    full: bool = False
    text: TextFacts | None = None

    @property
    def name(self) -> str:
        """Name of the column."""
        return self.spec.name

    @property
    def count(self) -> int:
        """Values present, NaN among them."""
        return int(self.entry["count"])

    @property
    def numbers(self) -> int:
        """Values present without NaN."""
        return self.count - int(self.entry["nan"] or 0)


def profile_column(ctx: Context, index: int, *, full: bool) -> Profile:
    """Gather the results of the kernels on one column.

    Parameters
    ----------
    ctx : Context
        Has the kernels' results.
    index : int
        Which column.
    full : bool
        False for a column beyond the cap, for which there is ``extremes`` alone.
    """
    spec = ctx.schema.columns[index]
    found = Profile(spec, index, ctx.rows, full=full)
    extremes = ctx.kernel("extremes", spec.name)
    found.low, found.high = extremes["min"], extremes["max"]
    found.entry = {
        "name": spec.name,
        "kind": spec.kind,
        "profile": "full" if full else "brief",
        **dict.fromkeys(("distinct", "distinct_exact", "mean", "std", "skewness", "kurtosis")),
        "quantiles": {},
        "top": [],
        **{key: extremes[key] for key in ("count", "missing")},
        "nan": extremes["nan"] if spec.kind == "float" else None,
        "min": scalar(extremes["min"], spec),
        "min_row": extremes["min_row"],
        "max": scalar(extremes["max"], spec),
        "max_row": extremes["max_row"],
        **_by_position(extremes["missing_by_chunk"]),
    }
    if spec.encoding != "plain":
        _add_lengths(found, extremes)
    if spec.kind == "decimal":
        _without_text_order(found)
    if full:
        _add_statistics(found, ctx)
    return found


def _by_position(missing: npt.NDArray[np.int64]) -> dict[str, Any]:
    """Missing values along the table; nothing where none is missing."""
    if not missing.any():
        return {"missing_by_chunk": None, "missing_chunks": None}
    each = -(-missing.size // MOST_GROUPS)
    sums = np.add.reduceat(missing, np.arange(0, missing.size, each))
    return {"missing_by_chunk": sums.tolist(), "missing_chunks": each}


def _add_lengths(found: Profile, extremes: dict[str, Any]) -> None:
    found.entry |= {"empty": extremes["empty"], "lengths": None}
    if extremes["count"]:
        found.entry["lengths"] = {
            "min": extremes["min_bytes"],
            "max": extremes["max_bytes"],
            "mean": extremes["total_bytes"] / extremes["count"],
        }


def _add_statistics(found: Profile, ctx: Context) -> None:
    spec, name = found.spec, found.spec.name
    if ctx.has_kernel("moments", name):
        _add_moments(found, ctx.kernel("moments", name))
    if ctx.has_kernel("order", name):
        _add_order(found, ctx.kernel("order", name))
    elif ctx.has_kernel("counts", name):
        counts = ctx.kernel("counts", name)
        _add_frequencies(found, counts)
        if spec.kind == "bool":
            _add_shares(found, counts["counts"].tolist())
        elif spec.kind != "binary" and found.count:
            categories = next(ctx.chunks([name])).categories(name)[:-1]  # reads the categories, no rows
            found.text = category_facts(categories.tolist(), counts["counts"])
            if spec.kind == "decimal":
                found.entry |= decimal_statistics(categories.tolist(), counts["counts"], spec.scale)
    elif ctx.has_kernel("text_order", name):
        _add_frequencies(found, ctx.kernel("text_order", name))
        if spec.kind == "decimal" and found.count:
            longest = ctx.kernel("extremes", name)["max_bytes"]
            found.entry |= long_decimal_statistics(ctx, name, spec.scale, longest)
    elif spec.kind == "null":
        found.entry |= {"distinct": 0, "distinct_exact": True}


def _add_moments(found: Profile, moments: dict[str, Any]) -> None:
    spec = found.spec
    found.integral = spec.kind == "float" and moments["integral"]
    found.entry |= {
        "mean": centre(moments["mean"], spec),
        "std": spread(moments["std"], spec),
        "skewness": moments["skewness"],
        "kurtosis": moments["kurtosis"],
    }
    if spec.kind in ("int", "float", "duration"):
        found.entry |= {"zeros": moments["zeros"], "negatives": moments["negatives"]}
    if spec.kind == "float":
        found.entry |= {
            "positive_infinities": moments["positive_infinity"],
            "negative_infinities": moments["negative_infinity"],
        }


def _add_order(found: Profile, order: dict[str, Any]) -> None:
    spec = found.spec
    _add_frequencies(found, order)
    found.quantiles = dict(zip(order["probabilities"], order["quantiles"], strict=True))
    found.entry["quantiles"] = {f"{p:g}": scalar(q, spec) for p, q in found.quantiles.items() if q is not None}
    histogram = order["histogram"]
    if histogram is not None:
        edges = histogram["edges"].tolist()
        if spec.kind in ("timestamp", "date", "time"):
            edges = [math.floor(e) for e in edges]
        found.entry["histogram"] = {
            "edges": [scalar(e, spec) for e in edges],
            "counts": histogram["counts"].tolist(),
        }


def _add_frequencies(found: Profile, result: dict[str, Any]) -> None:
    found.top = [list(entry) for entry in result["top"]]
    found.entry |= {
        "distinct": result["distinct"],
        "distinct_exact": True,
        "entropy": result["entropy"],
        "top": [_top_entry(value, count, found.spec) for value, count in result["top"]],
    }


def _top_entry(value: Any, count: int, spec: ColumnSpec) -> dict[str, Any]:
    entry = {"value": scalar(value, spec), "count": count}
    if isinstance(value, str) and entry["value"] != value:
        entry["length"] = len(value)
    return entry


def _add_shares(found: Profile, counts: list[int]) -> None:
    """Moments of a bool column follow from its two counts."""
    n, true = sum(counts), counts[1]
    if not n:
        return
    share, rest = true / n, counts[0] / n
    found.entry["mean"] = share
    if n > 1:
        found.entry["std"] = math.sqrt(share * rest * n / (n - 1))
    if share * rest > 0:
        found.entry["skewness"] = (rest - share) / math.sqrt(share * rest)
        found.entry["kurtosis"] = (1 - 6 * share * rest) / (share * rest)


def _without_text_order(found: Profile) -> None:
    """Take back what rests on the order of text, before decimals, which are stored as text, get their own."""
    found.entry |= dict.fromkeys(("lengths", "empty", "min", "max", "min_row", "max_row"))
