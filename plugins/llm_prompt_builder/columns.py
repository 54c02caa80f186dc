"""What may be told of each column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.plugin import Context

from .figures import counted, month, rounded
from .words import is_harmless, is_known

_ROLES = frozenset(
    ("id", "key candidate", "category", "code", "flag", "measure", "timestamp", "duration", "text", "case", "activity",
     "resource", "constant", "empty")
)  # fmt: skip
_NAMING = frozenset(("id", "key candidate", "code", "case"))
"""Roles of columns whose numbers are names, so that their quantiles would be values."""

_TAIL = 20
_QUANTILES = ("0.05", "0.25", "0.5", "0.75", "0.95")


class Columns:
    """The columns of a report as the prompt has them.

    Parameters
    ----------
    ctx : Context
        For the parameters.
    pii : mapping
        ``data`` of analysis_pii.
    """

    def __init__(self, ctx: Context, pii: Mapping[str, Any]) -> None:
        self._report = ctx.report
        self._fewest, self._names = ctx.params["fewest"], ctx.params["names"]
        self.hidden = {*pii["personal_columns"], *pii["not_looked_at"]}
        self._tags: dict[str, list[str]] = {}
        for tag in pii["tags"]:
            self._tags.setdefault(tag["column"], []).append(tag["entity"])
        self._place = {entry["name"]: i + 1 for i, entry in enumerate(self._report["columns"])}

    def name(self, column: str) -> str:
        """The name that is shown: the column's own where it may be, else one by its place in the table.

        The place leads back to the name in report.json, so that there is no list of names to be kept apart.
        """
        place = self._place.get(column)
        if place is None:
            return "a column of a derived table"
        shown = {"none": False, "known": is_known(column), "all": is_known(column) or is_harmless(column)}[self._names]
        return column if shown else f"column_{place}"

    def may_be_counted(self, columns: Sequence[str]) -> bool:
        """Whether figures about columns may be shown: none of them is personal, and each is the table's own."""
        return all(name in self._place and name not in self.hidden for name in columns)

    def facts(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """What is told of a column."""
        name, role = entry["name"], entry.get("role")
        rows = int(entry["count"] or 0) + int(entry["missing"] or 0)
        out: dict[str, Any] = {"column": self.name(name), "kind": entry["kind"]}
        if role in _ROLES:
            out["role"] = role
        if name in self.hidden:
            entities = sorted({e for e in self._tags.get(name, ()) if is_known(e)})
            return out | {"personal": entities or "not looked at", "figures": "left out"}
        missing = counted(entry["missing"], self._fewest)
        if missing:
            share = rounded(int(entry["missing"]) / max(rows, 1))
            out["missing"] = missing if isinstance(missing, str) else share
        if (distinct := counted(entry.get("distinct"), 1)) is not None:
            out["distinct"] = distinct
        if role not in _NAMING and int(entry["count"] or 0) >= _TAIL * self._fewest:
            out |= self._spread(entry)
        return out

    def _spread(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """Quantiles of numbers with enough rows beyond them, and the months of times; never an extreme."""
        quantiles = entry.get("quantiles") or {}
        if entry["kind"] in ("int", "float"):
            found = {q: rounded(quantiles.get(q)) for q in _QUANTILES}
            held = {q: value for q, value in found.items() if value is not None}
            return {"quantiles": held, "mean": rounded(entry.get("mean"))} if held else {}
        if entry["kind"] in ("timestamp", "date"):
            first, last = month(quantiles.get("0.05")), month(quantiles.get("0.95"))
            return {"mostly_from": first, "to": last} if first and last else {}
        return {}
