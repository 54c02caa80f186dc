"""Findings in the report's form: rounded, with their ids, controlled over all tests, in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.core.digest import digest_value
from toolkit.govern.discovery import DiscoveryControl
from toolkit.report.discovery import controlled, name_finders
from toolkit.report.plain import plain_tree
from toolkit.report.ranking import Rows, ranked

ID_LENGTH = 16
"""Hexadecimal digits of a finding's id."""

_FINDING_FIELDS = (
    "kind",
    "columns",
    "effect",
    "interval",
    "log10_p",
    "evidence",
    "sentence",
    "recommendation",
    "references",
    "measure",
)
Outcome = Mapping[str, Any]


def reported_findings(
    done: Sequence[Outcome], columns: Sequence[str], rows: Rows, control: DiscoveryControl
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The findings of all plugins that were done, and the account of the control of false discoveries.

    Parameters
    ----------
    done : sequence of mapping
        Outcomes as `toolkit.report.model.build_report` takes them, with status ``ok``, ordered by id.
    columns : sequence of str
        Names of the table's columns in their order.
    rows : mapping
        Rows of the run's own table (None) and of derived tables, by key.
    control : DiscoveryControl
        What the policy says of false discoveries.
    """
    kept, account = controlled(_findings(done), done, control)
    ordered = ranked(kept, columns, rows)
    name_finders(ordered)
    return ordered, account


def finding_id(plugin: str, finding: Mapping[str, Any]) -> str:
    """Digest of what a finding says, so that the same finding has the same id in every run.

    Parameters
    ----------
    plugin : str
        Id of the plugin that found it.
    finding : mapping
        Its fields; floats are rounded to 10 significant digits before they count.
    """
    # A report has null where a plugin gave nothing, so that an id can be calculated from either.
    empty: dict[str, Any] = {"columns": [], "evidence": {}, "references": [], "measure": ""}
    content = [
        plain_tree(finding.get(name) or empty.get(name, finding.get(name)), rounded=True) for name in _FINDING_FIELDS
    ]
    return digest_value([plugin, *content])[:ID_LENGTH]


def _findings(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """All findings in the report's form, each once, as if none had been tested beside others."""
    found: dict[str, dict[str, Any]] = {}
    for outcome in outcomes:
        for raw in outcome.get("findings") or ():
            finding = {name: plain_tree(raw.get(name), rounded=True) for name in _FINDING_FIELDS}
            finding |= {"plugin": outcome["id"], "id": finding_id(outcome["id"], raw), "table": table_key(outcome)}
            finding |= {"q_value": None, "family": outcome.get("family") or None, "family_q_value": None}
            finding |= {"measure": finding["measure"] or None, "also_found_by": [], "group": ""}
            finding["columns"] = finding["columns"] or []
            finding["evidence"] = finding["evidence"] or {}
            finding["references"] = finding["references"] or []
            found.setdefault(finding["id"], finding)
    return list(found.values())


def table_key(outcome: Outcome) -> str | None:
    """Key of the derived table that a plugin ran on; None for the run's own table."""
    table = outcome.get("table")
    return table["key"] if table else None
