"""What a report renderer is, and the registry in which renderers are found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, runtime_checkable

from toolkit.core.registry import Registry


@runtime_checkable
class Renderer(Protocol):
    """Writes a report in one format."""

    name: ClassVar[str]
    """Name of the format, such as ``json``."""
    filename: ClassVar[str]
    """Name of the file that it makes, such as ``report.json``."""

    def render(self, report: Mapping[str, Any]) -> bytes:
        """Make the file's content, which depends on the report and on nothing else.

        Parameters
        ----------
        report : mapping
            A tree that conforms to `toolkit.report.schema.report_schema`; not changed.
        """


renderers: Registry[Renderer] = Registry("report renderer", package="toolkit.report.renderers")
