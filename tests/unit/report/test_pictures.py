"""Pictures that plugins ask for: what is taken, how series come together, and where nodes of graphs stand."""

from __future__ import annotations

import copy
import re
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.report.sample_report import DATASET, hostile_outcomes, hostile_pictures
from toolkit.plugin import pictures as make
from toolkit.plugin.series import BinnedValues, Series
from toolkit.report.html.graphs import graph as drawn_graph
from toolkit.report.html.layers import layered
from toolkit.report.model import build_report
from toolkit.report.pictures import pictures
from toolkit.report.validation import check_report


def asked(*found: Any, plugin: str = "analysis_a", status: str = "ok") -> dict[str, Any]:
    return {"id": plugin, "status": status, "data": {"pictures": list(found)}}


def with_each(picture: dict[str, Any], *path: Any, value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(picture)
    at: Any = changed
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return changed


GRAPH, BARS, LINE = hostile_pictures()


def test_they_are_ordered_by_kind_and_say_who_asked() -> None:
    found = pictures([asked(LINE, BARS), asked(GRAPH, plugin="analysis_b"), asked(BARS, plugin="c", status="failed")])
    assert [(p["kind"], p["plugins"]) for p in found] == [
        ("graph", ["analysis_b"]), ("bars", ["analysis_a"]), ("line", ["analysis_a"]),
    ]  # fmt: skip
    assert found[0]["nodes"] == GRAPH["nodes"]


@pytest.mark.parametrize(
    "wrong",
    [
        None, [], {}, {"kind": "pie"}, with_each(GRAPH, "edges", 0, "to", value=99), with_each(GRAPH, "more", value=1),
        with_each(GRAPH, "nodes", 0, "count", value=-1), with_each(BARS, "entries", 0, "share", value=1.5),
        with_each(BARS, "entries", 0, "interval", value=[0.1]), with_each(LINE, "ends", value=["a"]),
        with_each(LINE, "marks", 0, "at", value=[0.0, 1.1]), with_each(LINE, "values", value=["1"]),
        {k: v for k, v in LINE.items() if k != "note"},
    ],
)  # fmt: skip
def test_what_has_not_the_form_of_its_kind_is_not_taken(wrong: Any) -> None:
    assert pictures([asked(wrong, BARS)]) == pictures([asked(BARS)])


def test_lines_of_one_series_are_one_with_all_marks() -> None:
    mark = {"label": "elsewhere", "at": [0.5, 0.5]}
    (found,) = pictures([asked(LINE), asked({**LINE, "marks": [LINE["marks"][0], mark]}, plugin="analysis_b")])
    assert found["plugins"] == ["analysis_a", "analysis_b"]
    assert found["marks"] == [*pictures([asked(LINE)])[0]["marks"], mark]
    other = {**LINE, "values": [1.0], "marks": [mark]}  # of the same name, but not the same series
    assert pictures([asked(LINE), asked(other, plugin="analysis_b")]) == pictures([asked(LINE)])


def series(bins: int, column: np.ndarray[Any, Any]) -> Series:
    rows = np.full(bins, 2)
    places = np.arange(bins) * 2

    class Whole(Series):
        def column(self, name: str) -> BinnedValues:
            n = rows.astype(np.int64)
            found = BinnedValues(n, column, column * 0, column, column)
            return found if self.starts is None else found.joined(self.starts)

    return Whole(
        "time", "t", 3_600_000, 0, "", 2 * bins, ["x"], rows, places, places + 1, lambda name: (rows, rows > 0)
    )


def test_a_line_is_in_few_bins_and_its_marks_are_where_they_were_found() -> None:
    values = np.arange(5_000.0)
    finest = series(5_000, values)
    coarse = finest.fitted(1_000)
    first = int(coarse.starts[7]) if coarse.starts is not None else 7
    line = make.line(
        finest, "x", [make.mark("here", coarse, finest, 7, len(coarse)), make.mark("there", finest, finest, 50)]
    )
    assert len(line["values"]) <= make.POINTS
    assert line["values"] == sorted(line["values"])
    assert line["marks"][0]["at"] == [round(first / 5_000, 6), 1.0]
    assert line["marks"][1]["at"] == [0.01, 0.01]
    assert line["ends"] == ["1970-01-01 00:00", "1970-07-28 07:00"]
    assert pictures([asked(line)])


def test_a_line_without_values_in_a_bin_is_broken_there() -> None:
    line = make.line(series(3, np.array([1.0, np.nan, 2.0])), "x", [])
    assert line["values"] == [1.0, None, 2.0]


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(1, 9)), max_size=120))
def test_a_graph_keeps_what_is_frequent_and_says_what_it_left_out(steps: list[tuple[int, int, int]]) -> None:
    counts = {(a, b): n for a, b, n in steps}
    nodes = [{"name": f"n{i}", "count": 100 - i, "first": 0, "last": 0} for i in range(41)]
    edges = [{"from": f"n{a}", "to": f"n{b}", "count": n, "seconds": None} for (a, b), n in counts.items()]
    found = make.graph("Steps", nodes, edges, "cases")
    assert len(found["nodes"]) == make.NODES
    assert len(found["edges"]) <= max(make.EDGES, 2 * make.NODES)
    assert {(e["from"], e["to"]): e["count"] for e in found["edges"]}.items() <= counts.items()
    gone = len(edges) - len(found["edges"])
    assert "17 rarer nodes" in found["note"]
    assert (f"{gone} rarer steps" in found["note"]) == (gone > 0)
    for node in range(make.NODES):  # each keeps the most frequent step that leaves it
        leaving = [n for (a, b), n in counts.items() if a == node and b != node and b < make.NODES]
        kept = [e["count"] for e in found["edges"] if e["from"] == node and e["to"] != node]
        assert max(kept, default=0) == max(leaving, default=0)


GRAPHS = st.integers(1, 12).flatmap(
    lambda n: st.tuples(
        st.just(n),
        st.dictionaries(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), st.integers(1, 50), max_size=30),
    )
)


@given(GRAPHS)
def test_every_node_has_a_place_and_every_edge_a_way(found: tuple[int, dict[tuple[int, int], int]]) -> None:
    count, weights = found
    layout = layered(count, weights)
    placed = [node for row in layout.rows for node in row]
    assert sorted(node for node in placed if node < count) == list(range(count))
    assert len(placed) == len(set(placed))
    layer = {node: i for i, row in enumerate(layout.rows) for node in row}
    assert set(layout.paths) == {edge for edge in weights if edge[0] != edge[1]}
    for (start, stop), path in layout.paths.items():
        assert (path[0], path[-1]) == (start, stop)
        assert all(node >= count for node in path[1:-1])
        assert len(path) == 2 or all(abs(layer[a] - layer[b]) == 1 for a, b in pairwise(path))


def test_a_process_without_ways_back_goes_down_only() -> None:
    steps = {(0, 1): 9, (1, 2): 5, (1, 3): 4, (2, 4): 5, (3, 4): 4, (0, 4): 1}
    layout = layered(5, steps)
    layer = {node: i for i, row in enumerate(layout.rows) for node in row}
    assert all(layer[a] < layer[b] for a, b in steps)


def test_a_graph_is_drawn_with_every_count_and_as_a_table() -> None:
    nodes = [{"name": n, "count": c, "first": f, "last": e} for n, c, f, e in (("Ask", 70, 60, 0), ("Buy", 55, 0, 50))]
    edges = [{"from": 0, "to": 1, "count": 55, "seconds": 93_960.0}, {"from": 0, "to": 0, "count": 7, "seconds": None}]
    page = drawn_graph({"title": "Steps", "unit": "cases", "nodes": nodes, "edges": edges})
    assert len(re.findall(r"<rect", page)) == 2
    assert "<title>Ask → Buy: 55, 26.1 hours on average</title>" in page
    assert "<title>Ask: 70; 60 begin with it</title>" in page
    assert page.count(">55</text>") == 2  # of the node, and of the edge
    assert "<td>Ask<td>Buy<td class=r>55<td class=r>26.1 hours" in page


def test_reports_of_older_schemas_are_read() -> None:
    from toolkit.report.html.page import page

    columns, outcomes = hostile_outcomes()
    report = build_report(DATASET, columns, outcomes)
    del report["pictures"]
    report["schema_version"] = "1.2"
    check_report(report)
    assert b"Process and series" not in page(report)
