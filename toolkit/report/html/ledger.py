"""The account of the run: plugins with coverage and budget, what was left out, derived tables, references."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.report.addresses import doi_address
from toolkit.report.figures import number
from toolkit.report.html.evidence import facts, label
from toolkit.report.html.markup import EMPTY, Markup, element, join, name_of, prose
from toolkit.report.html.overview import status_text
from toolkit.report.text_table import cut

MOST_ENTRIES = 150
"""Of a list; report.json has all of them."""

_MOST_NAMES = 12
_MOST_MADE = 24
_KEY_SHOWN = 12
_LONGEST_DOI = 150
_UNITS = {"time_limit_ms": (1000, "s"), "cpu_limit_ms": (1000, "s"), "memory": (2**20, "MiB"), "disk": (2**20, "MiB")}
_TIDY = {"time_limit_ms": "time limit", "cpu_limit_ms": "processor time limit"}


def plugins_section(report: Mapping[str, Any]) -> Markup:
    """Every plugin: how it ended, what it read and tested, its findings, and its budget."""
    plugins = report["plugins"]
    found = Counter(f["plugin"] for f in report["findings"])
    head = [element("th", word, scope="col") for word in ("plugin", "status", "rows read", "evaluated")]
    head += [element("th", word, scope="col", class_="r") for word in ("tests", "findings")]
    head.append(element("th", "budget and coverage", scope="col"))
    body = join(_plugin(p, found[p["id"]]) for p in plugins[:MOST_ENTRIES])
    table = element(
        "table",
        element("caption", "Plugins, ordered by name; times and memory are in run.json"),
        element("thead", element("tr", join(head))),
        element("tbody", body),
    )
    scrolled = element("div", table, class_="scroll", tabindex=0, role="region", aria_label="Plugins")
    return _section("plugins", "Plugins", len(plugins), [scrolled, _more(plugins)])


def _plugin(plugin: Mapping[str, Any], n_findings: int) -> Markup:
    coverage, failure = plugin["coverage"], plugin.get("failure")
    status = element("span", status_text(plugin["status"]), class_=f"status {plugin['status']}")
    reason = element("p", prose(plugin["reason"]), class_="note") if plugin["reason"] else EMPTY
    of = coverage.get("of_rows")
    rows = number(coverage.get("rows")) + (f" of {number(of)}" if of is not None else "")
    units = coverage.get("units")
    evaluated = [
        f"{number(n['evaluated'])} of {number(n['requested'])} {unit}"
        for unit, n in (sorted(units.items()) if isinstance(units, dict) else ())
    ]
    rest = {k: v for k, v in coverage.items() if k not in ("rows", "of_rows", "units", "n_tests")}
    more = [element("h4", "Budget"), facts(budget_words(plugin["budget"])), element("h4", "Coverage"), facts(rest)]
    if failure:
        more += [element("h4", "Failure"), facts(failure)]
    folded = element("details", element("summary", "Show"), join(more))
    named = [element("code", cut(plugin["id"], 60)), element("small", " ", cut(str(plugin["version"]), 20))]
    cells = [
        element("th", *named, scope="row"), element("td", status, reason), element("td", rows),
        element("td", ", ".join(evaluated)), element("td", number(coverage.get("n_tests")), class_="r"),
        element("td", number(n_findings), class_="r"), element("td", folded),
    ]  # fmt: skip
    return element("tr", join(cells))


def budget_words(budget: Mapping[str, Any]) -> dict[str, str]:
    """Write caps with their units.

    Examples
    --------
    >>> budget_words({"memory": 1073741824, "max_cols": None, "time_limit_ms": 1500})
    {'memory': '1,024 MiB', 'max cols': 'no cap', 'time limit': '1.5 s'}
    """
    said = {}
    for name, cap in budget.items():
        size, unit = _UNITS.get(name, (1, ""))
        shown = "no cap" if cap is None else number(cap // size if cap % size == 0 else cap / size) + f" {unit}"
        said[_TIDY.get(name, label(name))] = shown.rstrip()
    return said


def omitted_section(omitted: Sequence[Mapping[str, Any]]) -> Markup:
    """The ledger of what caps left out, with the rule and the way to have it all."""
    if not omitted:
        return _section("left-out", "Left out", 0, [element("p", "No cap left anything out.", class_="none")])
    items = []
    for entry in omitted[:MOST_ENTRIES]:
        parts = [element("code", cut(entry["plugin"], 60)), ": ", prose(str(entry["what"]))]
        if entry.get("rule"):
            parts += [". Kept: ", prose(str(entry["rule"]))]
        names = entry.get("left_out")
        if isinstance(names, list) and names:
            more = [f"and {number(len(names) - _MOST_NAMES)} more"] if len(names) > _MOST_NAMES else []
            parts += [". Left out: ", join([*(name_of(str(n)) for n in names[:_MOST_NAMES]), *more], ", ")]
        if entry.get("restore"):
            parts += [". To have it all: ", element("code", cut(str(entry["restore"]), 120))]
        items.append(element("li", join(parts), "."))
    return _section("left-out", "Left out", len(omitted), [element("ul", join(items), class_="ledger"), _more(omitted)])


def derived_section(derived: Sequence[Mapping[str, Any]]) -> Markup:
    """Tables that transforms made, with the columns that are new; nothing where there are none."""
    if not derived:
        return EMPTY
    tables = [_derived(table) for table in derived[:MOST_ENTRIES]]
    return _section("derived", "Derived tables", len(derived), [*tables, _more(derived)])


def _derived(table: Mapping[str, Any]) -> Markup:
    made = [c for c in table["columns"] if not c["kept"]]
    kept = number(len(table["columns"]) - len(made))
    key, parent = (element("code", table[which][:_KEY_SHOWN]) for which in ("key", "parent"))
    facts_of = f": {number(table['rows'])} rows ({table['rows_are']}), {kept} columns kept, {number(len(made))} made."
    head = element("p", key, f" by {cut(table['plugin'], 60)} from ", parent, facts_of)
    if not made:
        return head
    shown = made[:_MOST_MADE]
    body = join(element("tr", join(_made(column))) for column in shown)
    heads = element("tr", join(element("th", word, scope="col") for word in ("column", "kind", "made of", "how")))
    caption = "Columns made" + (f", the first {number(len(shown))}" if len(shown) < len(made) else "")
    drawn = element("table", element("caption", caption), element("thead", heads), element("tbody", body))
    return join([head, element("div", drawn, class_="scroll", tabindex=0, role="region", aria_label=caption)])


def _made(column: Mapping[str, Any]) -> list[Markup]:
    of = join((name_of(name) for name in column["of"][:_MOST_NAMES]), ", ")
    name = element("th", name_of(column["name"]), scope="row")
    return [name, element("td", cut(column["kind"], 20)), element("td", of), element("td", prose(column["how"]))]


def references_section(references: Sequence[Mapping[str, Any]]) -> Markup:
    """Whom to cite for the methods."""
    items = (element("li", _doi(r["doi"]), " ", _users(r["used_by"])) for r in references[:MOST_ENTRIES])
    listed = element("ul", join(items), class_="refs") if references else element("p", "None.", class_="none")
    return _section("references", "References", len(references), [listed, _more(references)])


def _doi(doi: str) -> Markup:
    shown = f"doi:{cut(doi, _LONGEST_DOI)}"
    if len(doi) > _LONGEST_DOI:
        return element("span", shown)
    return element("a", shown, href=doi_address(doi), rel="noreferrer")


def _users(plugins: Sequence[str]) -> Markup:
    return element("span", ", ".join(cut(plugin, 60) for plugin in plugins[:_MOST_NAMES]), class_="by")


def _section(id_: str, title: str, n: int, parts: Sequence[str]) -> Markup:
    return element("section", element("h2", title, element("span", number(n), class_="count")), join(parts), id=id_)


def _more(entries: Sequence[Any]) -> Markup:
    gone = len(entries) - MOST_ENTRIES
    return element("p", f"{number(gone)} more are in report.json.", class_="note") if gone > 0 else EMPTY
