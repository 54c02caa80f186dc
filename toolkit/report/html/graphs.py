"""A graph of what follows what, as one SVG: boxes in layers, edges as wide as they are frequent, and their table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from toolkit.core.time_spans import span
from toolkit.report.figures import number
from toolkit.report.html.layers import Layers, layered
from toolkit.report.html.markup import EMPTY, Markup, element, join
from toolkit.report.text_table import cut

_BOX, _TALL = 148, 36
_BEND = 46
_GAP_X, _GAP_Y = 26, 58
_MARGIN = 14
_LETTERS = 21
_WIDEST = 7.0
_NARROW = 640
"""Units of width up to which something may stand beside a graph."""

Place = tuple[float, float]
Edge = Mapping[str, Any]


def graph(picture: Mapping[str, Any]) -> Markup:
    """Draw a picture of kind ``graph``."""
    nodes, edges = picture["nodes"], picture["edges"]
    if not nodes:
        return EMPTY
    found = layered(len(nodes), {(e["from"], e["to"]): e["count"] for e in edges})
    places, wide, tall = _places(found, len(nodes))
    most = max((e["count"] for e in edges), default=1)
    said = [_edge(e, nodes, found.paths.get((e["from"], e["to"])), places, most) for e in edges[::-1]]
    labels = _numbers(edges, found, places)
    boxes = [_box(node, places[i]) for i, node in enumerate(nodes)]
    head = element("title", f"{cut(picture['title'], 200)}: {number(len(nodes))} nodes, {number(len(edges))} edges")
    content = join([head, _ARROW, *said, *boxes, *labels])
    view = f"0 0 {round(wide)} {round(tall)}"
    drawn = element(
        "svg",
        content,
        class_="graph far" if wide > _NARROW else "graph",
        role="img",
        viewBox=view,
        width=round(wide),
        height=round(tall),
    )
    around = element("div", drawn, class_="scroll", tabindex=0, role="region", aria_label=cut(picture["title"], 200))
    return join([around, _table(nodes, edges, picture["unit"])])


_ARROW = element(
    "defs",
    element(
        "marker",
        element("path", d="M0 0L7 3.5L0 7z"),
        id="arrow",
        viewBox="0 0 7 7",
        refX=6,
        refY="3.5",
        markerWidth=7,
        markerHeight=7,
        orient="auto",
        markerUnits="userSpaceOnUse",
    ),
)


def _places(found: Layers, count: int) -> tuple[dict[int, Place], float, float]:
    """The middle of every node and bend, and the size of all."""
    widths = [sum(_wide(n, count) for n in row) + _GAP_X * (len(row) - 1) for row in found.rows]
    wide = max(widths)
    places: dict[int, Place] = {}
    for i, (row, own) in enumerate(zip(found.rows, widths, strict=True)):
        x, y = _MARGIN + (wide - own) / 2, _MARGIN + i * (_TALL + _GAP_Y) + _TALL / 2
        for node in row:
            places[node] = (x + _wide(node, count) / 2, y)
            x += _wide(node, count) + _GAP_X
    rows = len(found.rows)
    return places, wide + 2 * _MARGIN + _BEND, rows * _TALL + (rows - 1) * _GAP_Y + 2 * _MARGIN


def _wide(node: int, count: int) -> int:
    return _BOX if node < count else _BEND


def _box(node: Mapping[str, Any], place: Place) -> Markup:
    x, y = place[0] - _BOX / 2, place[1] - _TALL / 2
    ends = [f"{number(node[key])} {word}" for key, word in (("first", "begin"), ("last", "end")) if node[key]]
    said = f"{cut(node['name'], 200)}: {number(node['count'])}" + (f"; {', '.join(ends)} with it" if ends else "")
    kind = " ".join(["n", *(["b"] if node["first"] else []), *(["e"] if node["last"] else [])])
    return element(
        "g",
        element("title", said),
        element("rect", x=_short(x), y=_short(y), width=_BOX, height=_TALL, rx=6),
        element("text", cut(node["name"], _LETTERS), x=_short(place[0]), y=_short(y + 15)),
        element("text", number(node["count"]), x=_short(place[0]), y=_short(y + 29), class_="c"),
        class_=kind,
    )


def _edge(edge: Edge, nodes: Sequence[Mapping[str, Any]], path: list[int] | None, places: Any, most: int) -> Markup:
    """The line of an edge; of one from a node to itself a loop at its right."""
    thick = max(1, round(_WIDEST * math.sqrt(edge["count"] / most)))
    names = [cut(nodes[edge[end]]["name"], 80) for end in ("from", "to")]
    said = f"{names[0]} → {names[1]}: {number(edge['count'])}{_mean(edge, ', ')}"
    back = path is not None and places[path[-1]][1] <= places[path[0]][1]
    line = _loop(places[edge["from"]]) if path is None else _curve([places[n] for n in path])
    drawn = element("path", d=line, class_=f"k{thick}" + (" back" if back else ""), marker_end="url(#arrow)")
    return element("g", element("title", said), drawn, class_="l")


def _curve(points: Sequence[Place]) -> str:
    """A smooth line from the side of the first box that faces the second, to that of the last."""
    down = points[-1][1] > points[0][1]
    flat = points[-1][1] == points[0][1]
    half = _TALL / 2 if down else -_TALL / 2
    (x, y), (to_x, to_y) = points[0], points[-1]
    if flat:
        middle = y - _TALL / 2 - _GAP_Y / 3
        return (
            f"M{_short(x)} {_short(y - _TALL / 2)}C{_short(x)} {_short(middle)} {_short(to_x)} {_short(middle)} "
            f"{_short(to_x)} {_short(to_y - _TALL / 2)}"
        )
    aside = 0.0 if down else _BOX / 4  # lines that go back leave and come beside those that go on
    stops = [(x + aside, y + half), *points[1:-1], (to_x + aside, to_y - half)]
    said = [f"M{_short(stops[0][0])} {_short(stops[0][1])}"]
    for (ax, ay), (bx, by) in pairwise(stops):
        lean = (by - ay) / 2
        said.append(f"C{_short(ax)} {_short(ay + lean)} {_short(bx)} {_short(by - lean)} {_short(bx)} {_short(by)}")
    return "".join(said)


def _loop(place: Place) -> str:
    x, y = place[0] + _BOX / 2, place[1]
    out, ends = _short(x + 26), f"{_short(x)} {_short(y + 9)}"
    return f"M{_short(x)} {_short(y - 9)}C{out} {_short(y - 16)} {out} {_short(y + 16)} {ends}"


def _numbers(edges: Sequence[Edge], found: Layers, places: Mapping[int, Place]) -> list[Markup]:
    """How frequent edges are, each on its line where no other number stands."""
    taken: list[tuple[float, float, float]] = []
    said = []
    for edge in edges:
        shown = number(edge["count"])
        half = 3.2 * len(shown) + 3
        path = found.paths.get((edge["from"], edge["to"]))
        choices = _beside(places[edge["from"]], half) if path is None else _on_line([places[n] for n in path])
        free = [p for p in choices if all(abs(p[0] - x) > half + w or abs(p[1] - y) > 12 for x, y, w in taken)]
        x, y = free[0] if free else choices[0]
        taken.append((x, y, half))
        said.append(element("text", shown, x=_short(x), y=_short(y + 3), class_="w"))
    return said


def _beside(place: Place, half: float) -> list[Place]:
    return [(place[0] + _BOX / 2 + 16 + half, place[1] + step) for step in (-9, 9)]


def _on_line(points: Sequence[Place]) -> list[Place]:
    """Places on the line of an edge where its number can stand, the best first."""
    if len(points) > 2:
        middle = len(points) // 2
        return [points[k] for k in (middle, middle - 1, middle + 1, 1) if 0 < k < len(points) - 1]
    (ax, ay), (bx, by) = points
    if ay == by:
        return [((ax + bx) / 2, ay - _TALL / 2 - _GAP_Y / 4)]
    aside, half = (0.0, _TALL / 2) if by > ay else (_BOX / 4, -_TALL / 2)
    tall = by - ay - 2 * half
    return [
        (ax + aside + (bx - ax) * (3 * t - 2 * t * t) * t, ay + half + tall * (1.5 * t * (1 - t) + t**3))
        for t in (0.5, 0.35, 0.65, 0.25, 0.75)
    ]


def _mean(edge: Edge, before: str = "") -> str:
    """How long it takes from the one to the other on average."""
    if edge["seconds"] is None:
        return ""
    many, unit = span(edge["seconds"])
    return f"{before}{number(many)} {unit} on average"


def _table(nodes: Sequence[Mapping[str, Any]], edges: Sequence[Edge], unit: str) -> Markup:
    head = (
        element("th", word, scope="col", class_=c)
        for word, c in (("from", None), ("to", None), (cut(unit, 40), "r"), ("mean time", "r"))
    )
    body = (
        element(
            "tr",
            element("td", cut(nodes[e["from"]]["name"], 60)),
            element("td", cut(nodes[e["to"]]["name"], 60)),
            element("td", number(e["count"]), class_="r"),
            element("td", _mean(e).removesuffix(" on average"), class_="r"),
        )
        for e in edges
    )
    caption = "Steps, the most frequent first"
    table = element(
        "table", element("caption", caption), element("thead", element("tr", join(head))), element("tbody", join(body))
    )
    scrolled = element("div", table, class_="scroll", tabindex=0, role="region", aria_label=caption)
    return element("details", element("summary", "Steps as a table"), scrolled)


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
