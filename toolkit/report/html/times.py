"""When rows were: each column of times as a picture of how many there are over its span."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolkit.report.figures import number
from toolkit.report.html.links import Links
from toolkit.report.html.markup import EMPTY, Markup, element, join, name_of
from toolkit.report.html.plots import heights, plot, step_path
from toolkit.report.html.values import plain

_KINDS = ("timestamp", "date")
_MOST = 24


def times_section(report: Mapping[str, Any], links: Links) -> Markup:
    """Draw the columns of times, those on which something was found first; nothing where there are none."""
    found = timed(report)
    if not found:
        return EMPTY
    order = sorted(found, key=lambda c: not links.findings(c["name"]))[:_MOST]
    more = len(found) - len(order)
    parts = [
        element("h2", "Over time", element("span", number(len(found)), class_="count")),
        *(_picture(column, links) for column in order),
        element("p", f"{number(more)} more columns of times are among the columns.", class_="note") if more else EMPTY,
    ]
    return element("section", join(parts), id="times")


def timed(report: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The columns of times whose histogram is known."""
    return [
        c for c in report["columns"] if c["kind"] in _KINDS and c.get("histogram") and any(c["histogram"]["counts"])
    ]


def _picture(column: Mapping[str, Any], links: Links) -> Markup:
    counts, edges = column["histogram"]["counts"], [plain(e, column["kind"]) for e in column["histogram"]["edges"]]
    fullest = max(range(len(counts)), key=lambda i: (counts[i], -i))
    said = f"fullest from {edges[fullest]} to {edges[fullest + 1]}: {number(counts[fullest])} rows"
    empty = counts.count(0)
    if empty:
        first = counts.index(0)
        said += f"; {number(empty)} of {number(len(counts))} stretches without a row, the first from {edges[first]}"
    title = f"Rows in {number(len(counts))} equal stretches from {edges[0]} to {edges[-1]}, {said}"
    drawn = plot(step_path(heights(counts, max(counts))), len(counts), class_="histogram", title=title)
    ends = element("p", element("span", edges[0]), element("span", edges[-1]), class_="ends")
    head = element("h3", name_of(column["name"], links.column(column["name"])))
    return element("div", head, drawn, ends, element("p", f"{said}.", class_="note"), class_="plot")
