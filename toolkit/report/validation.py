"""The check of a tree against the report's JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jsonschema

from toolkit.core.errors import ToolkitError
from toolkit.report.schema import report_schema


class ReportError(ToolkitError):
    """A tree that is no report."""


def check_report(report: Mapping[str, Any]) -> None:
    """Check a tree against the schema.

    Raises
    ------
    ReportError
        When it does not conform; the message has the place and what is wrong there.
    """
    errors = jsonschema.Draft202012Validator(report_schema()).iter_errors(dict(report))
    first = min(errors, key=lambda e: (-len(e.absolute_path), e.json_path), default=None)
    if first is not None:
        raise ReportError(
            f"this is no report by {report_schema()['$id']}: {first.json_path}: {first.message[:500]}",
            "report.schema.json in the package toolkit.report says what a report holds",
        )
