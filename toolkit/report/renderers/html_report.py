"""report.html: the report to be read in a browser, forwarded and printed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from toolkit.report.html.page import page


class HtmlRenderer:
    """One self-contained file of less than 2 MB, which asks for nothing from the network."""

    name: ClassVar[str] = "html"
    filename: ClassVar[str] = "report.html"

    def render(self, report: Mapping[str, Any]) -> bytes:
        """See `toolkit.report.renderer.Renderer`."""
        return page(report)


PROVIDES = HtmlRenderer()
