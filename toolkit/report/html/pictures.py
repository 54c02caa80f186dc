"""Pictures that plugins ask for: processes, shares, and series with what was found marked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from toolkit.report.figures import number
from toolkit.report.html.graphs import graph
from toolkit.report.html.links import Links
from toolkit.report.html.markup import EMPTY, Markup, element, join, name_of, prose
from toolkit.report.text_table import cut

MOST = {"graph": 3, "bars": 8, "line": 16}
"""Pictures of a kind; report.json has all of them."""

_WIDE, _TALL = 1000, 120
_MOST_MARKS = 40
_MOST_LISTED = 12


def pictures_section(report: Mapping[str, Any], links: Links) -> Markup:
    """Draw the pictures; nothing where there are none."""
    found = report.get("pictures") or []
    if not found:
        return EMPTY
    drawn: dict[str, list[Markup]] = {}
    gone = 0
    for kind, draw in (("graph", _graph), ("bars", _bars), ("line", _line)):
        of_kind = [p for p in found if p["kind"] == kind]
        drawn[kind] = [draw(p, links) for p in of_kind[: MOST[kind]]]
        gone += max(0, len(of_kind) - MOST[kind])
    shares = element("div", join(drawn["bars"]), class_="stack") if drawn["bars"] else EMPTY
    side_by_side = element("div", join(drawn["graph"]), shares, class_="two")
    more = element("p", f"{number(gone)} more are in report.json.", class_="note") if gone else EMPTY
    head = element("h2", "Process and series", element("span", number(len(found)), class_="count"))
    return element("section", head, side_by_side, join(drawn["line"]), more, id="pictures")


def _graph(picture: Mapping[str, Any], links: Links) -> Markup:
    legend = element(
        "p", element("i", class_="kb"), "cases begin ", element("i", class_="ke"), "cases end", class_="legend"
    )
    return _panel(picture, join([legend, graph(picture)]))


def _bars(picture: Mapping[str, Any], links: Links) -> Markup:
    """Bars on one scale, each with its label, share and note as text."""
    most = max((e["share"] for e in picture["entries"]), default=0.0) or 1.0
    items = []
    for entry in picture["entries"]:
        share = _percent(entry["share"])
        ends = entry["interval"]
        said = f"{share} ({_percent(ends[0])} to {_percent(ends[1])})" if ends else share
        bar = element(
            "svg",
            join(_bar(entry, most)),
            class_="share",
            viewBox=f"0 0 {_WIDE} 14",
            preserveAspectRatio="none",
            aria_hidden="true",
        )
        label = element("span", cut(entry["label"], 160), class_="what", title=cut(entry["label"], 2_000))
        items.append(
            element("li", label, bar, element("span", said, class_="size"), element("small", cut(entry["note"], 200)))
        )
    return _panel(picture, element("ol", join(items), class_="shares"))


def _bar(entry: Mapping[str, Any], most: float) -> list[Markup]:
    def place(share: float) -> int:
        return round(_WIDE * 0.9 * min(max(share, 0.0) / most, 1.1))

    drawn = [element("path", d=f"M0 1H{max(place(entry['share']), 2)}V13H0z")]
    if entry["interval"]:
        low, high = (place(end) for end in entry["interval"])
        drawn.append(element("path", d=f"M{low} 7H{high}M{low} 3V11M{high} 3V11", class_="iv"))
    return drawn


def _line(picture: Mapping[str, Any], links: Links) -> Markup:
    """A series as a line; what was found stands in it, and below it as a list."""
    values = [v for v in picture["values"] if v is not None]
    if not values:
        return EMPTY
    low, high = min(values), max(values)
    marks = picture["marks"][:_MOST_MARKS]
    marked = f"{number(len(picture['marks']))} places marked"
    title = f"{cut(picture['title'], 200)}: from {number(low)} to {number(high)}, {marked}"
    stretches = "".join(_stretch(*entry["at"]) for entry in marks)
    drawn = [element("title", title)]
    drawn += [element("path", d=stretches, class_="mk")] if stretches else []
    drawn.append(element("path", d=_path(picture["values"], low, high), class_="ln"))
    box = element(
        "svg", join(drawn), class_="series", role="img", viewBox=f"0 0 {_WIDE} {_TALL}", preserveAspectRatio="none"
    )
    scale = element(
        "p", element("span", number(high)), element("span", number(low)), class_="scale", aria_hidden="true"
    )
    ends = element("p", *(element("span", cut(end, 40)) for end in picture["ends"]), class_="ends")
    listed = [element("li", cut(entry["label"], 120)) for entry in marks[:_MOST_LISTED]]
    more = len(picture["marks"]) - len(listed)
    listed += [element("li", f"and {number(more)} more")] if more > 0 else []
    named = join((name_of(name, links.column(name)) for name in picture["columns"]), " ")
    parts = [
        element("div", scale, box, class_="framed"),
        ends,
        element("ul", join(listed), class_="marks"),
        element("p", named, class_="note"),
    ]
    return _panel(picture, join(parts))


def _path(values: list[float | None], low: float, high: float) -> str:
    """A line through the values, broken where there are none; a lone value is a short stroke."""
    step = _WIDE / max(len(values), 1)
    size = (high - low) or 1.0
    said, pen = [], False
    for i, value in enumerate(values):
        if value is None or not math.isfinite(value):
            pen = False
            continue
        y = round((_TALL - 8) * (1.0 - (value - low) / size) + 4, 1)
        x = round(i * step, 1)
        said.append(f"{'L' if pen else 'M'}{x:g} {y:g}h{step:.3g}")
        pen = True
    return "".join(said)


def _stretch(start: float, stop: float) -> str:
    left = round(_WIDE * start, 1)
    wide = max(round(_WIDE * (stop - start), 1), 2.5)
    return f"M{min(left, _WIDE - wide):g} 0h{wide:g}V{_TALL}h-{wide:g}z"


def _percent(share: float) -> str:
    return f"{number(round(100 * share, 1))} %"


def _panel(picture: Mapping[str, Any], drawn: Markup) -> Markup:
    by = ", ".join(cut(plugin, 60) for plugin in picture["plugins"])
    note = element("p", prose(picture["note"]), " " if picture["note"] else "", element("span", by), class_="note")
    return element("div", element("h3", prose(picture["title"])), drawn, note, class_="panel picture")
