"""The JSON Schema of report.json."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

SCHEMA_VERSION = "1.3"


@cache
def report_schema() -> dict[str, Any]:
    """Read the schema, JSON Schema 2020-12; what is returned must not be changed."""
    text = resources.files("toolkit.report").joinpath("report.schema.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def column_fields() -> tuple[str, ...]:
    """List the names of everything that a report may say of a column."""
    return tuple(report_schema()["$defs"]["column"]["properties"])
