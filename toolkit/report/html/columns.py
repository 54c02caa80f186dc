"""Every column in one line that unfolds: how values are distributed, what is missing, and the details."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolkit.report.figures import number, share
from toolkit.report.html.budget import fit
from toolkit.report.html.close_up import close_up
from toolkit.report.html.column_details import bar, details, is_repeated
from toolkit.report.html.links import Links
from toolkit.report.html.markup import EMPTY, Markup, element, join, name_of
from toolkit.report.html.plots import WIDE, bars_path, heights, plot, step_path
from toolkit.report.html.values import brief

_CLOSE_UP = (
    "Green shapes show how dense values are between quantiles, on a logarithmic scale or of the middle 90 %, where a "
    "few far values would flatten the histogram."
)
_MANY = 150
"""From so many columns on, those out of sight are not laid out: a page of thousands opens at once."""


def columns_section(report: Mapping[str, Any], links: Links, room: int) -> Markup:
    """List every column in the table's order, as far as they fit; those with findings unfold first.

    Parameters
    ----------
    report : mapping
        As report.json.
    links : Links
        Findings by column.
    room : int
        Bytes that the columns may take.
    """
    columns, dataset = report["columns"], report["dataset"]
    found = [links.findings(column["name"]) for column in columns]
    order = sorted(range(len(columns)), key=lambda i: (not found[i], i))

    def short(place: int) -> Markup:
        return element(
            "div", _line(columns[place], place, dataset["rows"], len(found[place])), id=f"c{place}", class_="col"
        )

    def full(place: int) -> Markup:
        line = element("summary", _line(columns[place], place, dataset["rows"], len(found[place])))
        return element(
            "details", line, details(columns[place], place, dataset, found[place]), id=f"c{place}", class_="col"
        )

    items, brief, gone = fit(order, short, full, room)
    said = [f"{number(brief)} columns are shown without details: report.json has them."] if brief else []
    said += [f"{number(gone)} more columns are in report.json."] if gone else []
    parts = [
        element("h2", "Columns", element("span", number(len(columns)), class_="count")),
        *([element("p", _CLOSE_UP, class_="note")] if any(close_up(c) for c in columns) else []),
        *(element("p", sentence, class_="note") for sentence in said),
        _head() if items else EMPTY,
        element("div", join(items), class_="columns many" if len(items) >= _MANY else "columns"),
        element("p", "No column matches the search.", class_="nothing", hidden=True),
    ]
    return element("section", join(parts), id="columns")


def _head() -> Markup:
    words = ("column", "distribution", "missing", "distinct", "min · median · max, or the commonest values")
    return element("div", join(element("span", word) for word in words), class_="colhead", aria_hidden="true")


def _line(column: Mapping[str, Any], place: int, rows: int, n_findings: int) -> Markup:
    kind = column["kind"] + (f" · {column['role']}" if column.get("role") else "")
    badge = element("b", number(n_findings), class_="n", title="findings") if n_findings else EMPTY
    missing = column["missing"]
    lack = join([bar(missing, rows), share(missing, rows)]) if missing else ("none" if missing == 0 else "")
    approx = "" if column["distinct_exact"] or column["distinct"] is None else "≈ "
    parts = [
        element("span", element("h3", name_of(column["name"])), element("small", kind), badge, class_="who"),
        distribution(column, place) or element("i"),
        element("span", lack, class_="miss"),
        element("span", approx + number(column["distinct"]), class_="dist"),
        element("span", _values(column), class_="vals"),
    ]
    return join(parts)


def distribution(column: Mapping[str, Any], place: int) -> Markup:
    """Small picture of a column: its histogram, its middle where few far values fill the rest, or its common values."""
    histogram = column.get("histogram")
    if histogram and any(histogram["counts"]):
        counts = histogram["counts"]
        inner = close_up(column)
        if inner is not None:
            return plot(inner.path, WIDE, class_="spark mid", id_=f"m{place}")
        return plot(step_path(heights(counts, max(counts))), len(counts), class_="spark", id_=f"h{place}")
    if is_repeated(column):
        counts = [entry["count"] for entry in column["top"]]
        return plot(bars_path(counts), max(50, 5 * len(counts)), class_="spark cat", id_=f"h{place}")
    return EMPTY


def _values(column: Mapping[str, Any]) -> str:
    ends = (column["min"], column["quantiles"].get("0.5"), column["max"])
    if ends[1] is not None and column["kind"] != "bool":
        return " · ".join(brief(v, column["kind"]) for v in ends)
    kind = column["kind"]
    common = [entry["value"] for entry in column["top"][:3]] if is_repeated(column) else []
    outer = [value for value in (column["min"], column["max"]) if value is not None]
    return join((element("bdi", brief(value, kind)) for value in common or outer), " · " if common else " … ")
