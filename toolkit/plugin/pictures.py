"""Pictures that a result asks the report to draw: plain values, under ``data["pictures"]``.

The report keeps them in report.json and draws them in report.html; it computes nothing of them. A picture is bounded by
the plugin that makes it, which says in ``note`` what it left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.plugin.series import Series

POINTS = 400
"""Bins of a line at most."""
NODES = 24
"""Nodes of a graph at most."""
EDGES = 48
"""Edges of a graph at most."""
ENTRIES = 12
"""Bars at most."""

Picture = dict[str, Any]


def graph(
    title: str, nodes: Sequence[Mapping[str, Any]], edges: Sequence[Mapping[str, Any]], unit: str, note: str = ""
) -> Picture:
    """What follows what.

    Parameters
    ----------
    title : str
        What is seen.
    nodes : sequence of mapping
        ``name``, ``count``, and ``first`` and ``last``, how many begin and end with it; the most frequent first.
    edges : sequence of mapping
        ``from`` and ``to``, names of nodes, ``count``, and ``seconds`` from the one to the other on average, or None.
    unit : str
        What the edges count, such as ``cases``.
    note : str
        What else a reader should know.

    Notes
    -----
    The first 24 nodes are drawn, and 48 edges between them: of each node the most frequent that comes and that goes,
    then the most frequent.

    Examples
    --------
    >>> nodes = [{"name": n, "count": 2, "first": 0, "last": 0} for n in "ab"]
    >>> graph("Steps", nodes, [{"from": "a", "to": "b", "count": 2, "seconds": None}], "cases")["edges"]
    [{'from': 0, 'to': 1, 'count': 2, 'seconds': None}]
    """
    kept = list(nodes[:NODES])
    place = {node["name"]: i for i, node in enumerate(kept)}
    known = [e for e in edges if e["from"] in place and e["to"] in place]
    order, chosen = _most_frequent(known, place)
    gone = [f"{len(nodes) - len(kept):,} rarer nodes"] if len(nodes) > len(kept) else []
    gone += [f"{len(edges) - len(chosen):,} rarer steps"] if len(edges) > len(chosen) else []
    notes = [note, f"Not drawn: {' and '.join(gone)}." if gone else ""]
    return {
        "kind": "graph",
        "title": title,
        "unit": unit,
        "nodes": [{key: node[key] for key in ("name", "count", "first", "last")} for node in kept],
        "edges": [
            {
                "from": place[known[i]["from"]],
                "to": place[known[i]["to"]],
                "count": known[i]["count"],
                "seconds": known[i].get("seconds"),
            }
            for i in order
            if i in chosen
        ],
        "note": " ".join(said for said in notes if said),
    }


def _most_frequent(edges: Sequence[Mapping[str, Any]], place: Mapping[str, int]) -> tuple[list[int], set[int]]:
    """Edges by how frequent they are, and those to draw: of each node one that comes and one that goes, then others."""
    order = sorted(
        range(len(edges)), key=lambda i: (-edges[i]["count"], place[edges[i]["from"]], place[edges[i]["to"]])
    )
    needed: dict[tuple[str, str], int] = {}
    for i in order:
        if edges[i]["from"] != edges[i]["to"]:
            needed.setdefault(("from", edges[i]["from"]), i)
            needed.setdefault(("to", edges[i]["to"]), i)
    chosen = set(needed.values())
    for i in order:
        if len(chosen) >= EDGES:
            break
        chosen.add(i)
    return order, chosen


def bars(title: str, entries: Sequence[Mapping[str, Any]], note: str = "") -> Picture:
    """Shares side by side.

    Parameters
    ----------
    title : str
        What the bars are shares of.
    entries : sequence of mapping
        ``label``, ``share`` from 0 to 1, ``interval`` of two shares or None, and ``note``; the first 12 are drawn.
    note : str
        What else a reader should know.
    """
    kept = [{key: entry[key] for key in ("label", "share", "interval", "note")} for entry in entries[:ENTRIES]]
    gone = f"Not drawn: {len(entries) - len(kept):,} more." if len(entries) > len(kept) else ""
    return {"kind": "bars", "title": title, "entries": kept, "note": " ".join(said for said in (note, gone) if said)}


def line(series: Series, column: str | None, marks: Sequence[Mapping[str, Any]]) -> Picture:
    """A series from its beginning to its end, with what was found marked.

    Pictures of one series are drawn once, with the marks of all plugins.

    Parameters
    ----------
    series : Series
        In its finest bins, as `toolkit.plugin.series.read_series` has it.
    column : str or None
        A number, whose mean is drawn; None for the rows by bin.
    marks : sequence of mapping
        From `mark`.
    """
    fitted = series.fitted(POINTS)
    values = fitted.rows.tolist() if column is None else fitted.column(column).mean.tolist()
    by = f"by `{series.time}`" if series.time else "in the order of the rows"
    what = "Rows" if column is None else f"Mean of `{column}`"
    return {
        "kind": "line",
        "title": f"{what} {by}, in bins of {fitted.width()}",
        "columns": [name for name in (column, series.time) if name is not None],
        "ends": [series.when(0), series.when(len(series) - 1)],
        "values": [None if math.isnan(value) else value for value in values],
        "marks": [dict(entry) for entry in marks],
        "note": "",
    }


def mark(label: str, series: Series, finest: Series, start: int, stop: int | None = None) -> dict[str, Any]:
    """A place on a line, or a stretch of it.

    Parameters
    ----------
    label : str
        What was found there, in a few words.
    series : Series
        In whose bins the place is said; joined from
    finest : Series
        the series that is drawn.
    start, stop : int
        First bin, and the one behind the last of a stretch.
    """
    ends = [start, start if stop is None else stop]
    return {"label": label, "at": [_share(series, finest, bin_) for bin_ in ends]}


def _share(series: Series, finest: Series, index: int) -> float:
    """How far along the line a bin begins."""
    if index >= len(series):
        return 1.0
    place = index if series.starts is None else int(series.starts[index])
    return round(place / max(len(finest), 1), 6)
