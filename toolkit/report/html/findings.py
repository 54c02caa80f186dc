"""The findings as cards: what was found, what to do, how strong it is, and on what it rests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.report.figures import number, probability
from toolkit.report.html.budget import fit
from toolkit.report.html.evidence import facts, label
from toolkit.report.html.links import Links
from toolkit.report.html.markup import EMPTY, Markup, element, join, name_of, prose
from toolkit.report.html.plots import effect
from toolkit.report.ranking import lead_and_others
from toolkit.report.text_table import cut

_MOST_NAMES = 12
_MOST_COLUMNS = 5
_MOST_OF_A_GROUP = 50
_MOST_KINDS = 40
_FEW_KINDS = 10
"""More are folded, so that the findings come first."""


def findings_section(findings: Sequence[Mapping[str, Any]], links: Links, room: int, *, by_kind: bool = True) -> Markup:
    """List all findings in the report's order, as far as they fit.

    Parameters
    ----------
    findings : sequence of mapping
        As in report.json.
    links : Links
        Where columns are.
    room : int
        Bytes that the cards may take.
    by_kind : bool
        Whether there are buttons that show one kind alone; they need the page's script.
    """
    groups = lead_and_others(findings)
    cards, folded, gone = fit(
        range(len(groups)),
        lambda i: _card(findings, *groups[i], links, full=False),
        lambda i: _card(findings, *groups[i], links, full=True),
        room,
    )
    hidden = sum(1 + len(others) for _, others in groups[len(cards) :])
    said = [f"The evidence of {number(folded)} findings is in report.json alone."] if folded else []
    said += [f"{number(hidden)} more findings are in report.json."] if gone else []
    parts = [
        element("h2", "Findings", element("span", number(len(findings)), class_="count")),
        element("p", "Nothing was found.", class_="none")
        if not findings
        else _kinds([findings[i] for i, _ in groups])
        if by_kind
        else EMPTY,
        *(element("p", sentence, class_="note") for sentence in said),
        element("ol", join(cards), class_="cards") if cards else EMPTY,
        element("p", "No finding matches the search.", class_="nothing", hidden=True),
    ]
    return element("section", join(parts), id="findings")


def kinds_of(findings: Sequence[Mapping[str, Any]]) -> list[tuple[str, int]]:
    """Kinds and how many findings there are of each, in the order in which they come."""
    return list(Counter(f["kind"] for f in findings).items())


def _kinds(findings: Sequence[Mapping[str, Any]]) -> Markup:
    """Buttons that show one kind alone; hidden where there is no script to serve them."""
    kinds = kinds_of(findings)
    if len(kinds) < 2:
        return EMPTY
    buttons = [
        element(
            "button",
            cut(label(kind), 40),
            element("span", number(n)),
            type="button",
            data_kind=kind,
            aria_pressed="false",
        )
        for kind, n in kinds[:_MOST_KINDS]
    ]
    chips = element("div", join(buttons), class_="chips", role="group", aria_label="Show findings of one kind")
    if len(kinds) <= _FEW_KINDS:
        return chips
    return element("details", element("summary", f"Show one of {number(len(kinds))} kinds"), chips, class_="kinds")


def _card(
    findings: Sequence[Mapping[str, Any]], place: int, others: Sequence[int], links: Links, *, full: bool
) -> Markup:
    finding = findings[place]
    names = finding["columns"]
    anchors = {name: links.column(name) for name in names}
    known = {name: anchor for name, anchor in anchors.items() if anchor is not None and not finding["table"]}
    title = element("h3", prose(finding["sentence"], names, known))
    parts = [
        element(
            "p", element("span", cut(label(finding["kind"]), 60), class_="kind"), _about(finding, known), class_="about"
        ),
        title,
    ]
    if finding["recommendation"]:
        advice = prose(finding["recommendation"], names, known)
        parts.append(element("p", element("b", "What to do"), " ", advice, class_="todo"))
    strength = _strength(finding)
    if strength:
        parts.append(strength)
    if others:
        parts.append(_same_cause(findings, others, full=full))
    if full:
        parts.append(element("details", element("summary", "Evidence"), facts(finding["evidence"]), _foot(finding)))
    return element("li", join(parts), id=f"f{place}", class_="card", data_kind=finding["kind"])


def _same_cause(findings: Sequence[Mapping[str, Any]], places: Sequence[int], *, full: bool) -> Markup:
    """What else was found of the same columns or rows, folded; each with its evidence where there is room."""
    items = []
    for place in places[:_MOST_OF_A_GROUP]:
        finding = findings[place]
        parts = [element("b", label(finding["kind"]), ": "), prose(finding["sentence"], finding["columns"])]
        if full:
            advice = prose(finding["recommendation"], finding["columns"])
            evidence = element("details", element("summary", "Evidence"), facts(finding["evidence"]))
            parts += [element("p", advice), _strength(finding), evidence]
        items.append(element("li", join(parts), _foot(finding), id=f"f{place}"))
    more = len(places) - len(items)
    summary = element("summary", f"{number(len(places))} more on the same columns or rows")
    rest = element("p", f"{number(more)} more are in report.json.", class_="note") if more else EMPTY
    return element("details", summary, element("ul", join(items)), rest, class_="same")


def _foot(finding: Mapping[str, Any]) -> Markup:
    others = ", ".join(cut(plugin, 60) for plugin in finding["also_found_by"][:_MOST_NAMES])
    by = cut(finding["plugin"], 60) + (f", also found by {others}" if others else "")
    return element("p", f"{by} · finding {finding['id']}", class_="foot")


def _about(finding: Mapping[str, Any], known: Mapping[str, str]) -> Markup:
    names = [name_of(name, known.get(name)) for name in finding["columns"][:_MOST_COLUMNS]]
    more = len(finding["columns"]) - len(names)
    derived = [f"derived table {finding['table'][:12]}"] if finding["table"] else []
    return join([*names, *([f"and {number(more)} more"] if more > 0 else []), *derived], " ")


def _strength(finding: Mapping[str, Any]) -> Markup:
    """The effect as a picture and as figures, with p and q where it was tested."""
    value, interval = finding["effect"], finding["interval"]
    said = []
    drawn = EMPTY
    if value is not None:
        ends = None if interval is None or None in interval else interval
        is_share = finding["evidence"].get("share") == value
        said.append(
            f"share {100 * value:.3g} %" if is_share else f"{label(finding.get('measure') or 'effect')} {number(value)}"
        )
        if ends is not None:
            said.append(f"interval {number(ends[0])} to {number(ends[1])}")
        drawn = effect(value, ends, "On a scale with zero: " + ", ".join(said))
    if finding["q_value"] is not None:
        said.append(f"q {probability(finding['q_value'])}")
    if finding["log10_p"] is not None:
        said.append(f"p {probability(10.0 ** finding['log10_p'])}")
    return element("div", drawn, element("p", " · ".join(said)), class_="strength") if said else EMPTY
