"""Where on the page a column is, and what was found of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Links:
    """Anchors of columns, and places of findings by column.

    Parameters
    ----------
    report : mapping
        As report.json.

    Examples
    --------
    >>> links = Links({"columns": [{"name": "a"}], "findings": [{"columns": ["a"], "table": None}]})
    >>> links.column("a"), links.column("b"), links.findings("a")
    ('#c0', None, [0])
    """

    def __init__(self, report: Mapping[str, Any]) -> None:
        self._columns = {column["name"]: f"#c{place}" for place, column in enumerate(report["columns"])}
        self._findings: dict[str, list[int]] = {}
        for place, finding in enumerate(report["findings"]):
            for name in dict.fromkeys(() if finding["table"] else finding["columns"]):
                self._findings.setdefault(name, []).append(place)

    def column(self, name: str) -> str | None:
        """Anchor of a column of the run's own table; None for another."""
        return self._columns.get(name)

    def findings(self, name: str) -> list[int]:
        """Places of the findings that speak of a column, in the report's order."""
        return self._findings.get(name, [])
