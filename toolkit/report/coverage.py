"""What the plugins' coverage says of the table as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Plugins = Sequence[Mapping[str, Any]]


def rows_read(plugins: Plugins, rows: int) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """List the plugins that were done and say how many rows they read, and those of them that read fewer than all.

    Examples
    --------
    >>> plugin = {"id": "a", "status": "ok", "coverage": {"rows": 5}}
    >>> [len(found) for found in rows_read([plugin], 6)]
    [1, 1]
    """
    read = [p for p in plugins if p["status"] == "ok" and isinstance(p["coverage"].get("rows"), int)]
    return read, [p for p in read if p["coverage"]["rows"] < p["coverage"].get("of_rows", rows)]
