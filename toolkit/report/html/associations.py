"""How columns go together: a map of all pairs, and the strongest in a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from toolkit.report.associations import MEASURES
from toolkit.report.figures import number
from toolkit.report.html.links import Links
from toolkit.report.html.markup import EMPTY, Markup, element, join, name_of
from toolkit.report.text_table import cut

MOST_COLUMNS = 60
"""Columns of a map: those with the strongest ties."""
MOST_PAIRS = 50
"""Pairs of a table."""

NAMES = {"spearman": "Spearman's rank correlation", "r": "Pearson's correlation", "cramers_v": "Cramér's V"}
_MOST_MAPS = 10
_EDGES = (0.1, 0.3, 0.5, 0.7, 0.9)
_CELL = 24
_WRITTEN = 20
"""A map of at most so many columns has the values written in."""

Pairs = Sequence[Mapping[str, Any]]


def associations_section(report: Mapping[str, Any], links: Links) -> Markup:
    """Draw one map for each plugin that measured pairs; nothing where none did."""
    maps = []
    for (plugin, table), found in groupby(report["associations"], key=lambda a: (a["plugin"], a["table"])):
        maps.append(_map(plugin, table, list(found), links))
    if not maps:
        return EMPTY
    count = element("span", number(len(report["associations"])), class_="count")
    return element("section", element("h2", "Associations", count), join(maps[:_MOST_MAPS]), id="associations")


def _map(plugin: str, table: str | None, pairs: Pairs, links: Links) -> Markup:
    measure = next(m for m in MEASURES if any(a["measure"] == m for a in pairs))
    drawn = [a for a in pairs if a["measure"] == measure]
    names, gone = _columns(drawn)
    of = f" in the derived table {table[:12]}" if table else ""
    title = f"{NAMES[measure]} of {number(len(drawn))} pairs of columns{of}"
    picture = element("div", _heat(names, drawn, title), class_="scroll", tabindex=0, role="region", aria_label=title)
    said = f"The {number(len(names))} columns with the strongest ties are drawn; " if gone else ""
    note = f"{said}{cut(plugin, 60)}. Cells whose interval holds zero are left pale."
    parts = [
        element("h3", title),
        picture,
        _scale(any(a["value"] < 0 for a in drawn)),
        element("p", note, class_="note"),
    ]
    return element("div", join(parts), _table(pairs, links, bool(table)), class_="map")


def _columns(pairs: Pairs) -> tuple[list[str], int]:
    """Columns in the order in which pairs name them, those with the strongest ties where there are too many."""
    strongest: dict[str, float] = {}
    for pair in pairs:
        for name in pair["columns"]:
            strongest[name] = max(strongest.get(name, 0.0), abs(pair["value"]))
    kept = sorted(strongest, key=lambda name: -strongest[name])[:MOST_COLUMNS]
    return [name for name in strongest if name in set(kept)], len(strongest) - len(kept)


def _heat(names: Sequence[str], pairs: Pairs, title: str) -> Markup:
    """Lower triangle of cells, one path for each class of strength; names stand on the diagonal."""
    places = {name: i for i, name in enumerate(names)}
    paths: dict[str, list[str]] = {}
    written = []
    for pair in pairs:
        if not all(name in places for name in pair["columns"]):
            continue
        column, row = sorted(places[name] for name in pair["columns"])
        x, y = column * _CELL, row * _CELL
        paths.setdefault(strength(pair), []).append(f"M{x} {y}h23v23h-23z")
        if len(names) <= _WRITTEN:
            strong = "hi" if strength(pair)[1] in "45" else None
            written.append(element("text", two_digits(pair["value"]), x=x + 11, y=y + 15, class_=strong))
    cells = [element("path", class_=class_, d="".join(path)) for class_, path in sorted(paths.items())]
    labels = [
        element("text", cut(name, 24), x=i * _CELL + 3, y=i * _CELL + 16, class_="name") for i, name in enumerate(names)
    ]
    wide, tall = len(names) * _CELL + 180, len(names) * _CELL
    content = join([element("title", title), *cells, *written, *labels])
    return element("svg", content, class_="heat", role="img", viewBox=f"0 0 {wide} {tall}", width=wide, height=tall)


def strength(pair: Mapping[str, Any]) -> str:
    """Class of a cell: its sign and one of six strengths, the least where the interval holds zero.

    Examples
    --------
    >>> strength({"value": -0.4, "interval": [-0.5, -0.3]}), strength({"value": 0.4, "interval": [-0.1, 0.7]})
    ('n2', 's0')
    """
    value, interval = pair["value"], pair["interval"]
    step = sum(abs(value) >= edge for edge in _EDGES)
    if not step or (interval and interval[0] <= 0 <= interval[1]):
        return "s0"
    return f"{'n' if value < 0 else 'p'}{step}"


def two_digits(value: float) -> str:
    """Write a value for a narrow cell.

    Examples
    --------
    >>> two_digits(-0.456), two_digits(-0.001), two_digits(1.0)
    ('−.46', '.00', '1.00')
    """
    rounded = round(value, 2) or 0.0
    return f"{rounded:.2f}".replace("0.", ".").replace("-", "−")


def _scale(signed: bool) -> Markup:
    """Legend: the colours with their values."""
    steps = [(f"n{i}", f"−{edge}") for i, edge in reversed(list(enumerate(_EDGES, 1)))] if signed else []
    steps += [("s0", "0"), *((f"p{i}", str(edge)) for i, edge in enumerate(_EDGES, 1))]
    shown = (element("span", element("i", class_=class_), said) for class_, said in steps)
    return element("p", "From ", join(shown), class_="legend")


def _table(pairs: Pairs, links: Links, derived: bool) -> Markup:
    strongest = sorted(pairs, key=lambda a: -abs(a["value"]))[:MOST_PAIRS]
    words = {"first": None, "second": None, "measure": None, "value": "r", "interval": "r", "rows": "r"}
    head = (element("th", word, scope="col", class_=class_) for word, class_ in words.items())
    body = (
        element(
            "tr",
            join(element("td", name_of(name, None if derived else links.column(name))) for name in a["columns"]),
            element("td", NAMES[a["measure"]]),
            element("td", number(a["value"]), class_="r"),
            element("td", " to ".join(number(end) for end in a["interval"] or ()), class_="r"),
            element("td", number(a["n"]), class_="r"),
        )
        for a in strongest
    )
    said = (
        f"The strongest {number(len(strongest))} of {number(len(pairs))}"
        if len(strongest) < len(pairs)
        else "All pairs"
    )
    table = element(
        "table",
        element("caption", said),
        element("thead", element("tr", join(head))),
        element("tbody", join(body)),
    )
    scrolled = element("div", table, class_="scroll", tabindex=0, role="region", aria_label=said)
    return element("details", element("summary", "Values of the pairs"), scrolled)
