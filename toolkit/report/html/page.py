"""The page as a whole: one file that needs no network, and that nothing from the data can make act."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from toolkit.report.figures import number
from toolkit.report.html.associations import associations_section
from toolkit.report.html.columns import columns_section
from toolkit.report.html.findings import findings_section
from toolkit.report.html.ledger import derived_section, omitted_section, plugins_section, references_section
from toolkit.report.html.links import Links
from toolkit.report.html.markup import EMPTY, Markup, element, join
from toolkit.report.html.overview import overview_section
from toolkit.report.html.pictures import pictures_section
from toolkit.report.html.times import timed, times_section

LIMIT = 2_000_000
"""Bytes of the file, whatever the table."""
FINDINGS_ROOM = 700_000
"""Of them, those that findings may take."""


def page(report: Mapping[str, Any]) -> bytes:
    """Write the page.

    Parameters
    ----------
    report : mapping
        A tree that conforms to `toolkit.report.schema.report_schema`.

    Returns
    -------
    bytes
        UTF-8, less than `LIMIT`; what did not fit is said to be in report.json.
    """
    links = Links(report)
    overview = overview_section(report)
    findings = findings_section(report["findings"], links, FINDINGS_ROOM)
    rest = join(
        [
            pictures_section(report, links),
            times_section(report, links),
            associations_section(report, links),
            derived_section(report["derived"]),
            plugins_section(report),
            omitted_section(report["omitted"]),
            references_section(report["references"]),
        ]
    )
    around = _document(report, join([overview, findings, rest]))
    columns = columns_section(report, links, LIMIT - len(around) - _SPARE)
    return _document(report, join([overview, findings, columns, rest]))


_SPARE = 2_000
"""Bytes for the headings of the columns' section."""


def _document(report: Mapping[str, Any], body: Markup) -> bytes:
    title = f"Full-scan report: {number(report['dataset']['rows'])} rows, {number(len(report['columns']))} columns"
    return document(title, _top(report), body, _foot(report), _part("behaviour.js"))


def document(title: str, top: Markup, body: Markup, foot: Markup, behaviour: str = "") -> bytes:
    """A whole page in the report's style, that nothing from the data can make act.

    Parameters
    ----------
    title : str
        Of the page.
    top, body, foot : Markup
        What stands above, in and below the landmark ``main``.
    behaviour : str
        The script that serves it, if there is one.
    """
    style = _part("style.css") + _widths()
    allowed = f"script-src {_digest(behaviour)}; " if behaviour else ""
    allowed += f"style-src {_digest(style)}"
    policy = f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"
    head = [
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content_=policy),
        element("meta", name_="viewport", content_="width=device-width, initial-scale=1"),
        element("meta", name_="color-scheme", content_="light dark"),
        element("title", title),
        Markup(f"<style>{style}</style>"),
    ]
    content = [
        element("a", "Skip to the report", href="#main", class_="skip"),
        top,
        element("main", body, id="main", tabindex=-1),
        foot,
        Markup(f"<script>{behaviour}</script>") if behaviour else EMPTY,
    ]
    whole = f"<!DOCTYPE html>\n<html lang=en>\n<head>{join(head)}</head>\n<body>{join(content)}</body>\n</html>\n"
    return whole.encode("utf-8", "backslashreplace")


def _top(report: Mapping[str, Any]) -> Markup:
    dataset = report["dataset"]
    facts = f"{number(dataset['rows'])} rows × {number(len(report['columns']))} columns"
    key = element("code", dataset["key"][:12])
    title = element("div", element("h1", "Full-scan report"), element("p", facts, " · store ", key), class_="title")
    sections = {"overview": "Overview", "findings": "Findings", "columns": "Columns"}
    sections |= {"pictures": "Process and series"} if report.get("pictures") else {}
    sections |= {"times": "Over time"} if timed(report) else {}
    sections |= {"associations": "Associations"} if report["associations"] else {}
    sections |= {"derived": "Derived"} if report["derived"] else {}
    sections |= {"plugins": "Plugins", "left-out": "Left out", "references": "References"}
    links = join(element("li", element("a", words, href=f"#{id_}")) for id_, words in sections.items())
    nav = element("nav", element("ul", links), aria_label="Sections")
    return join([element("header", title, class_="top"), element("div", nav, _search(report), class_="bar")])


def _search(report: Mapping[str, Any]) -> Markup:
    """What the script serves; without it the page is whole, and this is hidden."""
    choices = sorted({c["kind"] for c in report["columns"]} | {c["role"] for c in report["columns"] if c.get("role")})
    options = [
        element("option", "every kind", value=""),
        *(element("option", choice, value=choice) for choice in choices),
    ]
    marked = element("input", type="checkbox", id="marked")
    parts = [
        element("label", "Search findings and columns", for_="search", class_="unseen"),
        element(
            "input", type="search", id="search", placeholder="Search findings and columns ( / )", autocomplete="off"
        ),
        element("label", "Kind or role of columns", for_="kind", class_="unseen"),
        element("select", join(options), id="kind"),
        element("label", marked, " with findings", for_="marked"),
        element("button", "Unfold all", type="button", id="unfold", aria_pressed="false"),
        element("output", "", id="shown", aria_live="polite"),
    ]
    return element("div", join(parts), class_="tools", role="search", hidden=True)


def _foot(report: Mapping[str, Any]) -> Markup:
    said = (
        f"Report schema {report['schema_version']}. Every figure here is from report.json of the same run, which has "
        "them in full precision. Times, memory and what was predicted are in run.json, as they hang on the machine."
    )
    return element("footer", element("p", said))


@cache
def _part(name: str) -> str:
    """A file of the page, without the blank space at its ends."""
    return resources.files("toolkit.report.html").joinpath(name).read_text("utf-8").strip()


@cache
def _widths() -> str:
    """Widths of bars as classes, because the page's policy allows no style on an element."""
    return "".join(f".w{percent}{{--w:{percent}%}}" for percent in range(1, 101))


def _digest(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
