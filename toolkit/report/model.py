"""The report of a run as one plain tree, made from what the plugins returned and from nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.govern.discovery import DEFAULT_CONTROL, DiscoveryControl
from toolkit.report.associations import associations
from toolkit.report.conformity import conforms
from toolkit.report.findings import reported_findings, table_key
from toolkit.report.pictures import pictures
from toolkit.report.plain import plain_tree
from toolkit.report.schema import SCHEMA_VERSION, report_schema

_UNKNOWN_COLUMN: dict[str, Any] = {
    "count": None,
    "missing": None,
    "distinct": None,
    "distinct_exact": None,
    "min": None,
    "max": None,
    "mean": None,
    "std": None,
    "skewness": None,
    "kurtosis": None,
    "quantiles": {},
    "top": [],
}

Outcome = Mapping[str, Any]


def build_report(
    dataset: Mapping[str, Any],
    columns: Sequence[Mapping[str, Any]],
    outcomes: Sequence[Outcome],
    enforcement: str = "best-effort",
    control: DiscoveryControl = DEFAULT_CONTROL,
) -> dict[str, Any]:
    """Make the report of a run; the same input in any order of ``outcomes`` gives the same tree.

    Parameters
    ----------
    dataset : mapping
        ``key``, ``rows``, ``data_hash`` and ``schema_hash`` of the store, and its ``chunk_rows`` where they are known.
    columns : sequence of mapping
        ``name`` and ``kind`` of every column, in the table's order.
    outcomes : sequence of mapping
        One of each plugin: ``id``, ``type``, ``version``, ``status``, ``reason``, ``failure``, ``coverage``,
        ``budget``, ``params``, ``family``, ``references``, ``table`` (the derived table that it ran on, or None),
        and of its result ``data``, ``findings`` (mappings), ``n_tests``, ``omitted`` and ``derived``.
        Other entries are not looked at, so nothing that depends on time or machine can enter.
    enforcement : str
        What the policy asks for where plugins can't be contained.
    control : DiscoveryControl
        What it says of false discoveries.

    Returns
    -------
    dict
        A tree that conforms to `toolkit.report.schema.report_schema`.

    Notes
    -----
    Only plugins with status ``ok`` contribute findings, columns and hypotheses. Of tested findings those stay that
    `toolkit.report.discovery.controlled` leaves, with every hypothesis of the run counted, reported or not.
    """
    ordered = sorted(outcomes, key=lambda o: str(o["id"]))
    done = [o for o in ordered if o["status"] == "ok"]
    tables = [o["table"] for o in done if o.get("table")]
    sizes = {None: int(dataset["rows"]), **{t["key"]: int(t["rows"]) for t in tables if "rows" in t}}
    findings, account = reported_findings(done, [c["name"] for c in columns], sizes, control)
    return {
        "schema_version": SCHEMA_VERSION,
        "dataset": _dataset(dataset),
        "enforcement": enforcement,
        "columns": _columns(columns, ordered),
        "plugins": [_plugin(o) for o in ordered],
        "derived": [_derived(o) for o in ordered if o["status"] == "ok" and o.get("derived")],
        "discovery": account,
        "findings": findings,
        "associations": associations(ordered),
        "pictures": pictures(ordered),
        "omitted": _omitted(ordered),
        "references": _references(ordered, findings),
    }


def _dataset(dataset: Mapping[str, Any]) -> dict[str, Any]:
    fields = {name: dataset[name] for name in ("key", "rows", "data_hash", "schema_hash")}
    known = {"chunk_rows": dataset["chunk_rows"]} if "chunk_rows" in dataset else {}
    return {**fields, **known, "sampled": False}


def _columns(columns: Sequence[Mapping[str, Any]], outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    known = report_schema()["$defs"]["column"]["properties"]
    profiled: dict[str, dict[str, Any]] = {}
    for outcome in outcomes:
        if outcome.get("type") != "profile" or outcome["status"] != "ok" or outcome.get("table"):
            continue
        entries = (outcome.get("data") or {}).get("columns")
        for entry in entries if isinstance(entries, list) else ():
            if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
                continue  # of a profile that does not keep to the form
            fields = {k: plain_tree(entry[k]) for k in known if k in entry}
            fields = {k: value for k, value in fields.items() if conforms(value, known[k])}
            # Of two profiles that speak of one field, the one whose id comes first is heard.
            profiled[entry["name"]] = {**fields, **profiled.get(entry["name"], {})}
    blocks = _missing_by_block(outcomes)
    out = []
    for column in columns:
        fields = {**blocks.get(column["name"], {}), **profiled.get(column["name"], {})}
        out.append({**plain_tree(_UNKNOWN_COLUMN), **fields, "name": column["name"], "kind": column["kind"]})
    return out


def _missing_by_block(outcomes: Sequence[Outcome]) -> dict[str, dict[str, Any]]:
    """Where values are missing, by column, from the plugins of any type that say so of the run's own table."""
    form = report_schema()["$defs"]["column"]["properties"]["missing_by_block"]
    found: dict[str, dict[str, Any]] = {}
    for outcome in outcomes:
        counts = (outcome.get("data") or {}).get("missing_by_block")
        if outcome["status"] != "ok" or outcome.get("table") or not isinstance(counts, dict):
            continue
        for name, by_block in plain_tree(counts).items():
            if conforms(by_block, form):
                found.setdefault(name, {"missing_by_block": by_block})
    return found


def _omitted(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    return [
        {"what": "", **plain_tree(dict(entry)), "plugin": outcome["id"]}
        for outcome in outcomes
        for entry in outcome.get("omitted") or ()
    ]


def _plugin(outcome: Outcome) -> dict[str, Any]:
    coverage = plain_tree(dict(outcome.get("coverage") or {}))
    if outcome.get("n_tests"):
        coverage["n_tests"] = int(outcome["n_tests"])
    return {
        "id": outcome["id"],
        "version": outcome["version"],
        "status": outcome["status"],
        "reason": outcome.get("reason") or None,
        "failure": plain_tree(outcome.get("failure")),
        "table": table_key(outcome),
        "coverage": coverage,
        "budget": plain_tree(dict(outcome.get("budget") or {})),
    }


def _derived(outcome: Outcome) -> dict[str, Any]:
    """The table that a transform made, with the lineage of its columns."""
    made = outcome["derived"]
    fields = {name: plain_tree(made[name]) for name in ("key", "parent", "rows", "rows_are", "columns")}
    return {"plugin": outcome["id"], **fields}


def _references(outcomes: Sequence[Outcome], findings: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Whom to cite: the methods of the plugins that were carried out, and what findings refer to."""
    users: dict[str, set[str]] = {}
    for outcome in outcomes:
        if outcome["status"] == "ok":
            for doi in outcome.get("references") or ():
                users.setdefault(doi, set()).add(outcome["id"])
    for finding in findings:
        for doi in finding["references"]:
            users.setdefault(doi, set()).add(finding["plugin"])
    return [{"doi": doi, "used_by": sorted(used_by)} for doi, used_by in sorted(users.items())]
