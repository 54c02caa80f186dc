"""The page of a comparison of two stores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.report.addresses import doi_address
from toolkit.report.compared_columns import COLUMN_HEADS, column_lines, store_line
from toolkit.report.figures import number
from toolkit.report.html.budget import fit
from toolkit.report.html.findings import findings_section
from toolkit.report.html.links import Links
from toolkit.report.html.markup import EMPTY, Markup, element, join, name_of
from toolkit.report.html.page import FINDINGS_ROOM, LIMIT, document
from toolkit.report.text_table import cut

_SPARE = 100_000
"""Bytes for all that is neither a finding nor a column."""
_KEY_SHOWN = 12


def comparison_page(comparison: Mapping[str, Any]) -> bytes:
    """Write the page, less than 2 MB whatever the stores.

    Parameters
    ----------
    comparison : mapping
        What `toolkit.engine.compare.stores.compare_datasets` gives.
    """
    parts = [
        _overview(comparison),
        findings_section(comparison["findings"], Links({**comparison, "columns": []}), FINDINGS_ROOM, by_kind=False),
        _columns(comparison["columns"], LIMIT - FINDINGS_ROOM - _SPARE),
        _references(comparison["references"]),
    ]
    title = element("div", element("h1", "Comparison of two stores"), class_="title")
    sections = {"overview": "Overview", "findings": "Findings", "columns": "Columns", "references": "References"}
    links = join(element("li", element("a", words, href=f"#{id_}")) for id_, words in sections.items())
    nav = element("nav", element("ul", links), aria_label="Sections")
    top = join([element("header", title, class_="top"), element("div", nav, class_="bar")])
    foot = element("footer", element("p", "Every figure here is from compare.json, which has them in full."))
    return document("Comparison of two stores", top, join(parts), foot)


def _overview(comparison: Mapping[str, Any]) -> Markup:
    account = comparison["discovery"]
    tested = f"{number(account['n_tests'])} hypotheses tested, false discovery rate {account['rate']:.2g}"
    tiles = [_tile(which, comparison[which]) for which in ("first", "second")]
    tiles.append(("differences", number(len(comparison["findings"])), tested))
    shown = (
        element("div", element("dt", name), element("dd", element("b", figure), element("span", more)))
        for name, figure, more in tiles
    )
    same = element("p", "The data of both stores are the same, to the last bit.", class_="note")
    body = [element("h2", "Overview"), element("dl", join(shown), class_="tiles")]
    return element("section", join([*body, *([same] if comparison["same_data"] else [])]), id="overview")


def _tile(which: str, store: Mapping[str, Any]) -> tuple[str, str, str]:
    return f"{which} store", number(store["rows"]), f"{store_line(store)}, {store['key'][:_KEY_SHOWN]}"


def _columns(columns: Sequence[Mapping[str, Any]], room: int) -> Markup:
    lines = list(column_lines(columns))
    rows, _, gone = fit(range(len(lines)), lambda i: _row(lines[i]), lambda i: _row(lines[i]), room)
    head = element("thead", element("tr", join(element("th", word, scope="col") for word in COLUMN_HEADS)))
    caption = "Columns of both stores; the index is the stability index, 0 where distributions are the same"
    drawn = element("table", element("caption", caption), head, element("tbody", join(rows)))
    more = [element("p", f"{number(gone)} more columns are in compare.json.", class_="note")] if gone else []
    title = element("h2", "Columns", element("span", number(len(columns)), class_="count"))
    scroll = element("div", drawn, class_="scroll", tabindex=0, role="region", aria_label="Columns of both stores")
    return element("section", join([title, scroll, *more]), id="columns")


def _row(line: Sequence[str]) -> Markup:
    name = element("th", name_of(line[0]), scope="row")
    return element("tr", name, join(element("td", cut(cell, 40)) for cell in line[1:]))


def _references(dois: Sequence[str]) -> Markup:
    items = (element("li", element("a", f"doi:{doi}", href=doi_address(doi), rel="noreferrer")) for doi in dois)
    listed = element("ul", join(items), class_="refs") if dois else element("p", "None.", class_="none")
    return element("section", element("h2", "References"), listed or EMPTY, id="references")
