"""Pictures that plugins ask for, each checked against the report's schema; those of one series as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.report.conformity import conforms
from toolkit.report.plain import plain_tree
from toolkit.report.schema import report_schema

KINDS = ("graph", "bars", "line")
MOST = 100
"""Pictures of a report at most."""


def pictures(outcomes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """List the pictures of all plugins that ended well, by kind and then in the order of the plugins.

    Parameters
    ----------
    outcomes : sequence of mapping
        As for `toolkit.report.model.build_report`, ordered by id. A plugin asks for pictures in ``data["pictures"]``;
        see `toolkit.plugin.pictures`. What does not conform to the schema is not taken.

    Returns
    -------
    list of dict
        ``plugins`` that asked for it, ``kind``, ``title``, and what the schema says of its kind.
    """
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for outcome in outcomes:
        asked = (outcome.get("data") or {}).get("pictures") if outcome["status"] == "ok" else None
        for picture in asked if isinstance(asked, list) else ():
            plain = _checked(picture)
            if plain is None:
                continue
            before = found.get((plain["kind"], plain["title"]))
            if before is None:
                found[plain["kind"], plain["title"]] = {"plugins": [outcome["id"]], **plain}
            elif plain["kind"] == "line" and before["values"] == plain["values"]:
                before["marks"] += [entry for entry in plain["marks"] if entry not in before["marks"]]
                before["plugins"] = sorted({*before["plugins"], outcome["id"]})
    return sorted(found.values(), key=lambda p: KINDS.index(p["kind"]))[:MOST]


def _checked(picture: Any) -> dict[str, Any] | None:
    """The picture as a plain tree, or None where it has not the form of its kind."""
    kind = picture.get("kind") if isinstance(picture, Mapping) else None
    if kind not in KINDS:
        return None
    plain: dict[str, Any] = plain_tree(dict(picture), rounded=True)
    if not conforms({"plugins": [], **plain}, report_schema()["$defs"][f"picture_{kind}"]):
        return None
    if kind == "graph" and any(end >= len(plain["nodes"]) for e in plain["edges"] for end in (e["from"], e["to"])):
        return None
    return plain
