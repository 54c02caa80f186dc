"""The head of the page: how large the table is, what was read, what ran, what did not, what was left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.report.coverage import rows_read
from toolkit.report.figures import number
from toolkit.report.html.markup import EMPTY, Markup, element, join, prose
from toolkit.report.text_table import cut

_MOST = 50


def overview_section(report: Mapping[str, Any]) -> Markup:
    """Figures, the coverage certificate, and what did not run."""
    return element(
        "section",
        element("h2", "Overview"),
        _figures(report),
        element("div", _certificate(report), _work(report), class_="two"),
        id="overview",
    )


def _figures(report: Mapping[str, Any]) -> Markup:
    plugins, done = report["plugins"], [p for p in report["plugins"] if p["status"] == "ok"]
    kinds = Counter(c["kind"] for c in report["columns"])
    said = ", ".join(f"{number(n)} {kind}" for kind, n in sorted(kinds.items(), key=lambda item: (-item[1], item[0])))
    tested = report["discovery"]["n_tests"]
    tiles = [
        (
            "rows",
            number(report["dataset"]["rows"]),
            "every one of them scanned" if _complete(report) else "see the certificate",
        ),
        ("columns", number(len(report["columns"])), said),
        (
            "findings",
            number(len(report["findings"])),
            f"{number(tested)} hypotheses tested" if tested else "descriptive facts",
        ),
        ("plugins", number(len(done)), f"of {number(len(plugins))} done" if plugins else "none was to run"),
    ]
    shown = (
        element("div", element("dt", name), element("dd", element("b", figure), element("span", more)))
        for name, figure, more in tiles
    )
    return element("dl", join(shown), class_="tiles")


def _complete(report: Mapping[str, Any]) -> bool:
    read, partial = rows_read(report["plugins"], report["dataset"]["rows"])
    return bool(read) and not partial


def _certificate(report: Mapping[str, Any]) -> Markup:
    dataset = report["dataset"]
    read, partial = rows_read(report["plugins"], dataset["rows"])
    if not read:
        verdict = "No plugin that was done says how many rows it read."
    elif partial:
        names = ", ".join(f"{p['id']} ({number(p['coverage']['rows'])})" for p in partial[:_MOST])
        verdict = f"Not all of the {number(dataset['rows'])} rows were read by {names}."
    else:
        readers = "the one plugin" if len(read) == 1 else f"each of the {number(len(read))} plugins"
        verdict = f"All {number(dataset['rows'])} rows were read, none sampled, by {readers} that read rows."
    entries = [
        ("store key", dataset["key"]),
        ("data hash", dataset["data_hash"]),
        ("schema hash", dataset["schema_hash"]),
    ]
    hashes = (element("div", element("dt", name), element("dd", element("code", digest))) for name, digest in entries)
    mark = element(
        "p",
        "Complete" if read and not partial else "Incomplete",
        class_="mark " + ("ok" if read and not partial else "warn"),
    )
    enforced = report.get("enforcement")
    said = f"Containment of plugins by the policy: {enforced}." if enforced else ""
    return element(
        "div",
        element("h3", "Coverage certificate"),
        mark,
        element("p", verdict),
        element("dl", join(hashes), class_="hashes"),
        element("p", said, class_="note"),
        class_="panel",
    )


def _work(report: Mapping[str, Any]) -> Markup:
    """What was skipped or failed and why, and how much was left out."""
    other = [p for p in report["plugins"] if p["status"] != "ok"]
    items = [
        element(
            "li",
            element("b", status_text(p["status"])),
            " ",
            element("code", cut(p["id"], 60)),
            " ",
            prose(p["reason"] or ""),
        )
        for p in other[:_MOST]
    ]
    if len(other) > _MOST:
        items.append(element("li", f"and {number(len(other) - _MOST)} more in report.json"))
    omitted = report["omitted"]
    ledger = (
        f"{number(len(omitted))} {'entry' if len(omitted) == 1 else 'entries'} in the ledger"
        if omitted
        else "No cap left anything out"
    )
    return element(
        "div",
        element("h3", "What ran"),
        _done(report["plugins"]),
        element("ul", join(items), class_="plain") if items else EMPTY,
        element("h3", "What was left out"),
        element("p", element("a", ledger, href="#left-out"), "."),
        _tests(report["discovery"]),
        class_="panel",
    )


def status_text(status: str) -> str:
    """Write a status as words.

    Examples
    --------
    >>> status_text("timed_out")
    'timed out'
    """
    return status.replace("_", " ")


def _done(plugins: Sequence[Mapping[str, Any]]) -> Markup:
    done = [element("code", cut(p["id"], 60)) for p in plugins if p["status"] == "ok"]
    more = [f"and {number(len(done) - _MOST)} more"] if len(done) > _MOST else []
    every = "All plugins were done: " if len(done) == len(plugins) else "Done: "
    return element("p", every, join([*done[:_MOST], *more], ", ")) if done else element("p", "No plugin was done.")


def _tests(account: Mapping[str, Any]) -> Markup:
    """What became of the hypotheses; nothing where none was tested."""
    if not account["n_tests"]:
        return EMPTY
    said = (
        f"{number(account['n_tests'])} hypotheses were tested; {number(account['kept'])} of {number(account['tested'])}"
    )
    said += f" findings of tests are kept at a false discovery rate of {account['rate']:.2g} ({account['method']})."
    dropped = [
        element("li", f"{number(d['count'])} of ", element("code", cut(d["plugin"], 60)), ": ", prose(d["reason"]))
        for d in account["dropped"][:_MOST]
    ]
    folded = element("details", element("summary", "What was dropped"), element("ul", join(dropped), class_="plain"))
    return join([element("p", said, class_="note"), folded if dropped else EMPTY])
